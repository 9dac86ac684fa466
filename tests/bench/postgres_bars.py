"""The goals on PostgreSQL, and whether this run meets them. A figure each, never a failure."""

from statistics import median

import postgres_peers
from bars import Bar

REAL = ("TPC-H SF1", "app database")
COPY = {1: "COPY binary > /dev/null", 2: "COPY binary > /dev/null, 2 connections"}
PIPED = "pg_restore -t, -Fc -Z0 piped"
OURS = {1: postgres_peers.ONE_JOB, 2: postgres_peers.TABARK}


def evaluate(results):
    bars = []
    for data in results["sets"].values():
        bars += [
            *(against_copy(data, connections) for connections in COPY),
            fastest(data, "dump", "pg_dump", "faster than the best of pg_dump -Fc and -Fd -j2", 1),
            smallest(data),
            fastest(data, "restore", "pg_restore", "faster than the best of pg_restore, proof included", 1),
            fastest(data, "one_table", "pg_restore -t, -Fc -Z0", "≥5x faster than pg_restore -t out of -Fc -Z0", 5),
            fastest(data, "one_table", PIPED, "≥5x faster than pg_restore -t out of -Fc -Z0 that went through a pipe", 5),
            against_hash(data),
        ]
    return bars


def middles(data, item):
    """The medians of all contenders that did the work."""
    figures = data["items"].get(item, {}).items()
    return {name: median(found["seconds"]) for name, found in figures if found["seconds"] and not found["failed"]}


def verdict(data, good):
    """A verdict counts for the data the goal is set for."""
    word = "pass" if good else "miss"
    return word if data["title"] in REAL else f"{word} (other data)"


def none(data, work, goal):
    return Bar(work, goal, data["title"], "", "not measured")


def against_copy(data, connections):
    times = middles(data, "dump")
    goal = f"within 1.15x of COPY binary to /dev/null over {connections} connection{'s' * (connections > 1)}"
    ours, theirs = times.get(OURS[connections]), times.get(COPY[connections])
    if not ours or not theirs:
        return none(data, "dump", goal)
    return Bar("dump", goal, data["title"], f"{ours / theirs:.2f}x", verdict(data, ours / theirs <= 1.15))


def fastest(data, item, prefix, goal, times_faster):
    times = middles(data, item)
    peers = {name: seconds for name, seconds in times.items() if name.startswith(prefix)}
    ours = min((seconds for name, seconds in times.items() if name in OURS.values()), default=None)
    work = item.replace("_", "-")
    if not ours or not peers:
        return none(data, work, goal)
    best = min(peers, key=peers.get)
    figure = f"{peers[best] / ours:.2f}x ({best})"
    return Bar(work, goal, data["title"], figure, verdict(data, peers[best] / ours >= times_faster))


def smallest(data):
    dumps = data["items"].get("dump", {})
    sizes = {name: found["bytes"] for name, found in dumps.items() if name.startswith("pg_dump") and found["bytes"]}
    ours = dumps.get(postgres_peers.TABARK, {}).get("bytes")
    goal = "smaller than all of pg_dump"
    if not ours or not sizes:
        return none(data, "size", goal)
    best = min(sizes, key=sizes.get)
    return Bar("size", goal, data["title"], f"{ours / sizes[best]:.3f} of {best}", verdict(data, ours < sizes[best]))


def against_hash(data):
    times = middles(data, "verify")
    goal = "within 1.15x of b3sum of the same file"
    ours, theirs = times.get(postgres_peers.TABARK), times.get(postgres_peers.B3SUM)
    if not ours or not theirs:
        return none(data, "verify", goal)
    return Bar("verify", goal, data["title"], f"{ours / theirs:.2f}x", verdict(data, ours / theirs <= 1.15))
