"""The goals of keeping days, whether a run meets them, and its tables as Markdown."""

from statistics import median

import days
import table
from bars import Bar

SIZE, RESTORE, DUMP, UNCHANGED = 1.25, 1.3, 1.3, 1.1
METHOD = (
    "{rounds} over each piece of tabark's work, each round beginning with another contender; medians. What takes less "
    "than 0.25 s is repeated five times a round. Files are in the page cache; disks are synced before each run, not "
    "within it. Each run that adds to the archive of the days before, or rewrites it, begins with a copy of it, which is "
    "not measured; exit codes, snapshots and rows are checked. The peers are fed once, day by day, in the same run: the "
    "same file name at the same place each day, restic with its defaults (zstd, encrypted), borg with zstd,3 and no "
    "encryption; their files are counted whole. The scans are the example `scan`: it reads every cell of every table "
    "through the library's two ways of reading SQLite, by pages (a dump's way, where it can) and by SQL (stepping "
    "through `SELECT`), and does nothing with them."
)


def middle(figures):
    """The median of a contender's times, or None if it has none."""
    return median(figures["seconds"]) if figures and figures["seconds"] and not figures["failed"] else None


def bar(work, title, goal, limit, value, base, note=""):
    if value is None or not base:
        return Bar(work, goal, title, "", "not measured")
    return Bar(work, goal, title, f"{value / base:.2f}x{note}", "met" if value <= limit * base else "missed")


def timed(work, title, goal, limit, ours, base):
    """A bar for the time of one contender beside another's. Their processor time is told too: it is less noisy."""
    processor = ""
    if middle(ours) and middle(base):
        processor = f" (of processor time {median(ours['cpu']) / median(base['cpu']):.2f}x)"
    return bar(work, title, goal, limit, middle(ours), middle(base), processor)


def bars(results):
    title, found = results["title"], results["days"]
    goal = f"≤{SIZE}x the archive of the last day alone"
    made = [bar("archive of ten days", title, goal, SIZE, results["history_bytes"], found[-1][days.ALONE]["bytes"])]
    goal = f"≤{RESTORE}x of restoring it out of an archive of its own"
    for day, each in results["restore"].items():
        work = f"restore of day {day} of ten"
        made.append(timed(work, title, goal, RESTORE, each[days.OF_HISTORY], each[days.OF_ITS_OWN]))
    made.append(every_day(title, found[1:]))
    again = results["unchanged"][days.AGAIN]
    for name in (days.SCAN_PAGES, days.SCAN_SQL):
        work, goal = "dump of an unchanged database", f"≤{UNCHANGED}x of the {name}"
        made.append(timed(work, title, goal, UNCHANGED, again, results["unchanged"][name]))
    return made


def every_day(title, found):
    """The worst day counts."""
    work, goal = "dump of day N+1", f"≤{DUMP}x of dumping it alone"
    pairs = [(each[days.GROWING], each[days.ALONE]) for each in found]
    if not all(middle(ours) and middle(own) for ours, own in pairs):
        return Bar(work, goal, title, "", "not measured")
    ratios = [middle(ours) / middle(own) for ours, own in pairs]
    processor = median(median(ours["cpu"]) / median(own["cpu"]) for ours, own in pairs)
    note = f" at worst, {median(ratios):.2f}x in the median (of processor time {processor:.2f}x)"
    return bar(work, title, goal, DUMP, max(ratios), 1, note)


def bar_lines(found):
    lines = table.head("work", "goal", "data", ">this run", "")
    return lines + [
        table.row(each.work, each.goal, each.data, each.figure or table.MISSING, each.verdict) for each in found
    ]


def contenders(found, base, sized=False):
    """One piece of work: everybody's median, spread, processor time and memory, beside that of `base`."""
    time = middle(found.get(base))
    size = [">bytes"] if sized else []
    lines = table.head("", ">median", ">min – max", f">time / {base}", ">processor", ">peak memory", *size, "runs, notes")
    for name, figures in found.items():
        if middle(figures) is None:
            why = "failed: " + " ".join(figures["failed"].split())[:120]
            lines.append(table.row(name, *[table.MISSING] * (5 + sized), why))
            continue
        low, high = min(figures["seconds"]), max(figures["seconds"])
        cells = [
            table.seconds(middle(figures)),
            f"{table.seconds(low)} – {table.seconds(high)}",
            table.ratio(middle(figures), time),
            table.seconds(median(figures["cpu"])),
            f"{median(figures['peak']) / 1e6:.0f} MB",
        ]
        cells += [bytes_of(figures["bytes"])] if sized else []
        notes = [str(len(figures["seconds"])), figures["note"]]
        lines.append(table.row(name, *cells, "; ".join(note for note in notes if note)))
    return lines


def bytes_of(value):
    return table.MISSING if value is None else f"{value:,}"


def grown(found):
    """Bytes of the archive of all days so far, after each."""
    return [found["days"][0][days.ALONE]["bytes"]] + [each[days.GROWING]["bytes"] for each in found["days"][1:]]


def day_lines(results):
    lines = table.head(
        "day",
        ">SQLite file",
        ">archive of its own",
        ">archive of all days so far",
        ">added",
        ">of its own",
        ">dump, alone",
        ">dump, added",
        ">added / alone",
        ">processor, added / alone",
    )
    before = None
    for day, (found, size, so_far) in enumerate(zip(results["days"], results["state_bytes"], grown(results)), 1):
        alone, added = found[days.ALONE], found.get(days.GROWING)
        own, ours = middle(alone), middle(added)
        new = None if before is None or so_far is None else so_far - before
        processor = (median(added["cpu"]), median(alone["cpu"])) if own and ours else (None, None)
        lines.append(
            table.row(
                day,
                table.megabytes(size),
                bytes_of(alone["bytes"]),
                bytes_of(so_far),
                bytes_of(new),
                table.MISSING if new is None or not alone["bytes"] else f"{100 * new / alone['bytes']:.2f} %",
                table.seconds(own) if own else table.MISSING,
                table.seconds(ours) if ours else table.MISSING,
                table.ratio(ours, own),
                table.ratio(*processor),
            )
        )
        before = so_far
    return lines


def peer_lines(results):
    lines = table.head(
        "", ">after day 1", ">after day 10", ">of tabark's", ">a day, on average", ">time of a day, median"
    )
    kept = results["history_bytes"]

    def line(name, sizes, times, why=""):
        if why or not sizes or None in sizes:
            return table.row(name, *[table.MISSING] * 4, "failed: " + " ".join(why.split())[:120])
        share = (sizes[-1] - sizes[0]) / (len(sizes) - 1)
        cells = table.megabytes(sizes[0]), table.megabytes(sizes[-1]), table.ratio(sizes[-1], kept)
        return table.row(name, *cells, table.megabytes(share), table.seconds(median(times)) if times else table.MISSING)

    own = [found[days.ALONE] for found in results["days"]]
    sums = [sum(figures["bytes"] or 0 for figures in own[: day + 1]) for day in range(len(own))]
    added = [time for time in (middle(found[days.GROWING]) for found in results["days"][1:]) if time]
    lines.append(line("**tabark, one archive**", grown(results), added))
    lines.append(line("tabark, an archive a day", sums, [time for time in map(middle, own) if time]))
    for name, peer in results["peers"].items():
        lines.append(line(name, peer["bytes"], peer["seconds"], peer["failed"]))
    return lines


def markdown(results):
    """The whole report."""
    rows = [sum(state.values()) for state in results["rows"]]
    lines = [
        *table.heading("tests/bench/history", results),
        f"Ten states of one database: {results['title']}; {rows[0]:,} rows in all on day 1, {rows[-1]:,} on day 10. Each "
        "day 0.5 % of the rows of its largest table are updated, 1 % inserted, 0.2 % deleted, and all sessions replaced.",
        "",
        METHOD.format(rounds=f"{results['rounds']} round{'s' * (results['rounds'] > 1)}"),
        "",
    ]
    if results["stand_in"]:
        lines += ["**States made small by the bench itself: these figures say nothing about real data.**", ""]
    lines += [f"- {note}" for note in results["notes"]] + ([""] if results["notes"] else [])
    lines += ["## Goals", "", *bar_lines(bars(results)), ""]
    lines += ["## Ten days, kept", "", *peer_lines(results), ""]
    lines += ["## Day by day", "", *day_lines(results), ""]
    lines += ["## An unchanged database", "", *contenders(results["unchanged"], days.AGAIN), ""]
    again = results["unchanged"][days.AGAIN]["bytes"]
    if again is not None:
        lines += [f"It adds {again - results['history_bytes']:,} bytes to the archive.", ""]
    for day, found in results["restore"].items():
        lines += [f"## Restore of day {day}", "", *contenders(found, days.OF_ITS_OWN), ""]
    lines += ["## Verify", "", *contenders(results["verify"], days.OF_LAST), ""]
    lines += ["## Verify in full", "", *contenders(results["full"], days.OF_LAST), ""]
    if results["diff"]:
        lines += ["## What differs between neighbouring days", "", *contenders(results["diff"], "diff 1 2"), ""]
    lines += ["## Rewriting the archive of ten days", ""]
    lines += [*contenders(results["rewriting"], days.COMPACT, sized=True), ""]
    lines += [
        f"The archive of ten days has {results['history_bytes']:,} bytes; dumps of just the last three days leave "
        f"{results['last_three_bytes']:,}.",
    ]
    return "\n".join(lines) + "\n"
