"""The goals, and whether this run meets them. A figure each, never a failure."""

from dataclasses import dataclass
from statistics import median

import peers

TPCH = "tpch"


@dataclass
class Bar:
    work: str
    goal: str
    data: str
    figure: str
    verdict: str  # pass, miss, or why there is none


def evaluate(results):
    sets = results["sets"]
    bars = []
    for name in (peers.TABARK, peers.FAST):
        for peer, goal in ((peers.DUMP_ZSTD, 4), (peers.BACKUP_ZSTD, 2), (peers.DUCKDB, 4)):
            work = "dump" if name == peers.TABARK else "dump --fast"
            bars.append(faster(sets, work, "dump", name, peer, goal))
    for key in sets:
        rivals = (peers.DUCKDB, peers.PYARROW, peers.VORTEX, peers.ZSTD_19)
        bars.append(smaller(sets, key, peers.TABARK, rivals))
    for key in sets:
        bars.append(smaller(sets, key, peers.FAST, (peers.DUCKDB_DEFAULT, peers.PYARROW_DEFAULT)))
    bars.append(within(sets, 1.15))
    bars.append(faster(sets, "verify", "verify", peers.TABARK, peers.INTEGRITY, 10))
    bars.append(faster(sets, "verify", "verify", peers.TABARK, peers.RESTIC, 10))
    bars.append(faster(sets, "full restore", "restore", peers.TABARK, peers.SQLITE_SCRIPT, 4))
    bars.append(one_table(sets))
    bars.append(memory(sets))
    return bars


def middle(sets, key, item, name):
    """The median of one contender's times, or None if it was not measured."""
    figures = sets.get(key, {}).get("items", {}).get(item, {}).get(name)
    return median(figures["seconds"]) if figures and figures["seconds"] and not figures["failed"] else None


def title(sets, key):
    return sets[key]["title"] if key in sets else "TPC-H SF1"


def judged(sets, key, good):
    """A verdict counts for the data the bar is set for."""
    verdict = "pass" if good else "miss"
    return verdict if sets[key]["title"] in REAL.get(key, ()) else f"{verdict} (other data)"


REAL = {
    TPCH: ("TPC-H SF1",),
    "app": ("app database",),
    "nycflights13": ("nycflights13",),
    "debian": ("Debian's index",),
    "northwind": ("Northwind",),
}


def faster(sets, work, item, name, peer, goal):
    ours, theirs = middle(sets, TPCH, item, name), middle(sets, TPCH, item, peer)
    goal_text = f"≥{goal}x faster than {peer}"
    if not ours or not theirs:
        return Bar(work, goal_text, title(sets, TPCH), "", "not measured")
    return Bar(work, goal_text, title(sets, TPCH), f"{theirs / ours:.2f}x", judged(sets, TPCH, theirs / ours >= goal))


def within(sets, limit):
    ours, theirs = middle(sets, TPCH, "verify", peers.TABARK), middle(sets, TPCH, "verify", peers.B3SUM)
    goal = f"within {limit}x of b3sum of the same file"
    if not ours or not theirs:
        return Bar("verify", goal, title(sets, TPCH), "", "not measured")
    return Bar("verify", goal, title(sets, TPCH), f"{ours / theirs:.2f}x", judged(sets, TPCH, ours / theirs <= limit))


def smaller(sets, key, name, rivals):
    dumps = sets[key]["items"].get("dump", {})
    sizes = {rival: dumps[rival]["bytes"] for rival in rivals if rival in dumps and dumps[rival]["bytes"]}
    work = "size, default profile" if name == peers.TABARK else "size, --fast"
    goal = (
        "smaller than Parquet zstd-3, Vortex, zstd -19 of SQL"
        if name == peers.TABARK
        else "smaller than Parquet's defaults"
    )
    if name not in dumps or not dumps[name]["bytes"] or not sizes:
        return Bar(work, goal, sets[key]["title"], "", "not measured")
    best = min(sizes, key=sizes.get)
    figure = f"{dumps[name]['bytes'] / sizes[best]:.3f} of {best}"
    missing = [rival for rival in rivals if rival not in sizes]
    if missing:
        figure += f" (without {', '.join(missing)})"
    good = dumps[name]["bytes"] < sizes[best]
    verdict = "not measured" if missing and good else judged(sets, key, good)
    return Bar(work, goal, sets[key]["title"], figure, verdict)


def one_table(sets):
    ours = middle(sets, TPCH, "one_table", peers.TABARK)
    goal = "one small table in under 30 ms"
    if not ours:
        return Bar("one-table restore", goal, title(sets, TPCH), "", "not measured")
    return Bar("one-table restore", goal, title(sets, TPCH), f"{ours * 1000:.1f} ms", judged(sets, TPCH, ours < 0.030))


def memory(sets):
    """The largest of all runs of all of tabark's commands, not a median."""
    peaks = [
        (max(figures["peak"]), f"{item} of {data['title']}")
        for data in sets.values()
        for item, contenders in data["items"].items()
        for figures in contenders.values()
        if figures["ours"] and figures["peak"]
    ]
    goal = "peak under 300 MB, any command"
    if not peaks:
        return Bar("memory", goal, "all", "", "not measured")
    peak, where = max(peaks)
    return Bar(
        "memory", goal, "all", f"{peak / 1e6:.0f} MB ({where.replace('_', '-')})", "pass" if peak < 300e6 else "miss"
    )
