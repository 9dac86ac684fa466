"""The results as Markdown."""

from statistics import median

import peers
from measure import ASIDE_ABOVE

MISSING = "–"
METHOD = (
    "{rounds} over all contenders of the same work in turn, each round beginning with another one; medians. What takes "
    "less than 0.25 s is repeated five times a round. Files are in the page cache; disks are synced before each run, "
    "not within it. Each output is checked (exit code, rows of each table) and removed before the next run. Run once: "
    "what is wanted only for its size, a peer that took longer than {once_above:g} s, and above {aside_above:g} s "
    "whatever no goal is set against. restic, borg and zstd -d give the database file back and so build no indexes. "
    "Memory is the kernel's peak per process, summed over a pipeline; pages of a mapped archive count."
)


def seconds(value):
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def megabytes(value):
    return MISSING if value is None else f"{value / 1e6:,.2f} MB" if value < 1e8 else f"{value / 1e6:,.1f} MB"


def row(*cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def head(*cells):
    """A table's head; a cell that begins with ">" is aligned to the right."""
    marks = ["---:" if cell.startswith(">") else "---" for cell in cells]
    return [row(*(cell.removeprefix(">") for cell in cells)), "|" + "|".join(marks) + "|"]


def bars(found):
    lines = head("work", "goal", "data", ">this run", "")
    lines += [row(bar.work, bar.goal, bar.data, bar.figure or MISSING, bar.verdict) for bar in found]
    return lines


def ratio(value, base):
    return MISSING if not base or value is None else f"{value / base:.2f}x"


def contenders(figures, sized):
    """One piece of work: everybody's median, spread, memory and size, beside tabark's."""
    base = figures.get(peers.TABARK)
    usable = base and base["seconds"] and not base["failed"]
    time = median(base["seconds"]) if usable else None
    size = base["bytes"] if usable else None
    metered = any(entry.get("elsewhere") for entry in figures.values())
    lines = head(
        "",
        ">median",
        ">min – max",
        ">time / tabark",
        ">processor",
        *([">server's processor"] if metered else []),
        ">peak memory",
        *([">size", ">size / tabark"] if sized else []),
        "runs, notes",
    )
    for name, entry in figures.items():
        if entry["failed"] or not entry["seconds"]:
            sizes = [MISSING] * 2 if entry["failed"] else [megabytes(entry["bytes"]), ratio(entry["bytes"], size)]
            why = "failed: " + " ".join(entry["failed"].split())[:120] if entry["failed"] else entry["note"]
            lines.append(row(name, *[MISSING] * (5 + metered), *(sizes if sized else []), why))
            continue
        middle = median(entry["seconds"])
        notes = [f"{len(entry['seconds'])}" + (f" ({entry['once']})" if entry["once"] else "")]
        cells = [
            seconds(middle),
            f"{seconds(min(entry['seconds']))} – {seconds(max(entry['seconds']))}",
            ratio(middle, time),
            seconds(median(entry["cpu"])),
            *([seconds(median(entry["elsewhere"])) if entry["elsewhere"] else MISSING] if metered else []),
            f"{median(entry['peak']) / 1e6:.0f} MB",
        ]
        if sized:
            cells += [megabytes(entry["bytes"]), ratio(entry["bytes"], size)]
        lines.append(row(name, *cells, "; ".join(notes + ([entry["note"]] if entry["note"] else []))))
    return lines


def heading(command, results):
    """What stands above every report: when, on what machine, with which tools."""
    machine = results["machine"]
    return [
        f"# Results of `{command}`",
        "",
        f"{results['date']}, {results['command']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']} of memory, Linux {machine['kernel']}, "
        f"{machine['system']}. Load when it began: {machine['load']}; processor time that the host took away during "
        f"the run: {machine['stolen']}.",
        "",
        ", ".join(f"{tool} {version}" for tool, version in results["tools"].items()) + ".",
        "",
    ]


def markdown(results, found, plot=None):
    """The whole report."""
    lines = [
        *heading("tests/bench/run", results),
        METHOD.format(
            rounds=f"{results['rounds']} round{'s' * (results['rounds'] > 1)}",
            once_above=results["once_above"],
            aside_above=ASIDE_ABOVE,
        ),
        "",
    ]
    stand_ins = [data["title"] for data in results["sets"].values() if data["stand_in"]]
    if stand_ins:
        lines += [
            f"**Stand-ins, small and made by the bench itself: {', '.join(stand_ins)}. "
            "Their figures say nothing about the real data.**",
            "",
        ]
    lines += ["## Goals", "", *bars(found), ""]
    if plot:
        lines += [f"![How many times tabark's time, size and memory each peer needs]({plot})", ""]
    for data in results["sets"].values():
        rows = sum(data["rows"].values())
        lines += [
            f"## {data['title']}",
            "",
            f"{data['bytes'] / 1e6:,.1f} MB of SQLite, {rows:,} rows in {len(data['rows'])} tables.",
            "",
        ]
        lines += [f"- {note}" for note in data["notes"]] + ([""] if data["notes"] else [])
        for item, figures in data["items"].items():
            if figures:
                what = f" ({data['smallest']}, {data['rows'][data['smallest']]:,} rows)" if item == "one_table" else ""
                lines += [f"### {peers.ITEMS[item]}{what}", "", *contenders(figures, item == "dump"), ""]
    return "\n".join(lines).rstrip() + "\n"
