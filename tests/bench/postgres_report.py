"""The results on PostgreSQL as Markdown."""

import postgres_bars
import postgres_peers
import table
from measure import ASIDE_ABOVE

METHOD = (
    "{rounds} over all contenders of the same work in turn, each round beginning with another one; medians. What takes "
    "less than 0.25 s is repeated five times a round. Data and files are in the page cache; disks are synced before each "
    "run, not within it. Each restore begins with an empty database and a checkpoint; of each, the rows of every table, "
    "and where all is restored the number of indexes and constraints, are compared with the source's. Run once: a peer "
    "that took longer than {once_above:g} s, and above {aside_above:g} s whatever is only shown for comparison. Processor "
    "time and memory are those of the client programs, memory that of the largest process; the server's processor time is "
    "that of the sessions that ended within the run. A contender that did not do its work has no figure."
)


def settings(results):
    """What the server was given: figures depend on it."""
    given = ", ".join(f"{name} {value or 'none'}" for name, value in results["settings"].items())
    return (
        f"PostgreSQL {results['server']} on a Unix socket, on the same machine, its data on disk. Settings: {given}; all "
        "else is as initdb leaves it: fsync, synchronous_commit and full_page_writes on, wal_level replica. The data was "
        "vacuumed, frozen and analyzed before."
    )


def markdown(results):
    """The whole report."""
    lines = [
        *table.heading("tests/bench/postgres", results),
        settings(results),
        "",
        METHOD.format(
            rounds=f"{results['rounds']} round{'s' * (results['rounds'] > 1)}",
            once_above=results["once_above"],
            aside_above=ASIDE_ABOVE,
        ),
        "",
    ]
    if results["quick"]:
        lines += ["**Small data: these figures only show that all of it works.**", ""]
    if any(data["script"].startswith("stand_in") for data in results["sets"].values()):
        lines += ["**Stand-ins, small and made by the bench itself: their figures say nothing about the real data.**", ""]
    lines += ["## Goals", "", *table.bars(postgres_bars.evaluate(results)), ""]
    for data in results["sets"].values():
        rows = sum(data["rows"].values())
        lines += [
            f"## {data['title']}",
            "",
            f"{data['bytes'] / 1e6:,.1f} MB of PostgreSQL, {rows:,} rows in {len(data['rows'])} tables; loaded in "
            f"{data['load_seconds']:.1f} s.",
            "",
        ]
        for item, figures in data["items"].items():
            if figures:
                what = f" ({data['smallest']}, {data['rows'][data['smallest']]:,} rows)" if item == "one_table" else ""
                lines += [f"### {postgres_peers.ITEMS[item]}{what}", ""]
                lines += [*table.contenders(figures, item == "dump"), ""]
    return "\n".join(lines).rstrip() + "\n"
