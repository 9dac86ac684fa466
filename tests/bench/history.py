"""What keeping ten days in one archive costs, beside the tools that keep days. Started by `history`, which installs."""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import bench
import days
import evolve
import history_report
import measure
import peers

TREE, PLACE, HERE = bench.TREE, bench.PLACE, bench.HERE
say = bench.say


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/history", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        metavar="FOLDER",
        type=Path,
        help="has evolve/state-00.sqlite .. state-09.sqlite [default: small states of the bench's own]",
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds over tabark's work [default: 3]")
    parser.add_argument(
        "--skip-peers", action="store_true", help="without restic, borg, Parquet and zstd: for a second look"
    )
    parser.add_argument("--tabark", metavar="PATH", type=Path, help="the program [default: this tree's, built now]")
    parser.add_argument(
        "--scan", metavar="PATH", type=Path, help="the example `scan` [default: beside tabark, or built now]"
    )
    parser.add_argument(
        "--work",
        metavar="FOLDER",
        type=Path,
        default=PLACE / "history-work",
        help="scratch files, 10 GB with 1,000,000 rows [default: target/bench/history-work]",
    )
    parser.add_argument("--write-results", action="store_true", help="write tests/bench/HISTORY.md")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.data and not any((options.data / at / evolve.NAMES[-1]).is_file() for at in ("evolve", ".")):
        parser.error(f"{options.data} has no evolve/{evolve.NAMES[-1]}")
    return options


def built(options):
    """tabark and `scan`, both by the same compiler with the same options."""
    tabark = options.tabark and options.tabark.resolve(strict=True)
    scan = options.scan or (tabark and tabark.parent / "examples" / "scan")
    if tabark and scan.is_file():
        return tabark, scan.resolve()
    say("building tabark and scan")
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "tabark", "--example", "scan"], check=True, cwd=TREE)
    release = Path(os.environ.get("CARGO_TARGET_DIR", TREE / "target")).resolve() / "release"
    return tabark or bench.built(options), release / "examples" / "scan"


def measured(work, options, env):
    """All pieces of work: of tabark in rounds, of the peers once."""
    last = evolve.DAYS

    def in_rounds(title, contenders, inputs):
        say(title)
        measure.warm([path.resolve() for path in inputs])
        found = measure.in_rounds(contenders, options.rounds, float("inf"), env, options.work, say)
        return {name: asdict(figures) for name, figures in found.items()}

    found = {"days": [], "peers": {}}
    fed = {}
    if not options.skip_peers:
        work.begin_peers()
    for day in range(1, last + 1):
        found["days"].append(in_rounds(f"dump of day {day}", work.day(day), [work.states[day - 1]]))
        work.grown(day)
        if not options.skip_peers:
            work.feed_peers(day, fed, say)
    found["peers"] = {name: asdict(peer) for name, peer in fed.items()}
    found["history_bytes"] = measure.size_of(work.history)
    found["unchanged"] = in_rounds("dump of an unchanged database", work.unchanged(), [work.history, work.states[-1]])
    found["restore"] = {
        str(day): in_rounds(f"restore of day {day}", work.restore(day), [work.history, work.alone(day)])
        for day in days.RESTORED
    }
    found["verify"] = in_rounds("verify", work.verify(), [work.history, work.alone(last)])
    found["full"] = in_rounds("verify --full", work.verify("--full"), [work.history, work.alone(last)])
    found["diff"] = in_rounds("diff", work.diff(), [work.history])
    found["rewriting"] = in_rounds("prune and compact", work.rewriting(), [work.history])
    found["last_three_bytes"] = work.bytes_of_last(3)
    return found


def failures(found):
    pieces = [*found["days"], found["unchanged"], *found["restore"].values()]
    pieces += [found["verify"], found["full"], found["diff"], found["rewriting"], found["peers"]]
    return [name for piece in pieces for name, figures in piece.items() if figures["failed"]]


def main():
    options = arguments()
    tabark, scan = built(options)
    options.work = options.work.resolve()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    env = peers.environment(os.environ, options.work)
    begun, before = bench.machine(), bench.ticks()
    evolution = evolve.find([options.data] if options.data else [], PLACE / "data", say)
    work = days.Work(evolution, peers.Tools(tabark, Path(sys.executable), False), scan, options.work / "days", env)
    found = measured(work, options, env)
    after = bench.ticks()
    begun["stolen"] = f"{100 * (after[1] - before[1]) / max(1, after[0] - before[0]):.1f} %"
    unused = ("b3sum", "pyarrow", "vortex-data")
    results = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"`tests/bench/history{' --data FOLDER' * bool(options.data)} --rounds {options.rounds}`",
        "machine": begun,
        "tools": {tool: version for tool, version in bench.versions(tabark).items() if tool not in unused},
        "rounds": options.rounds,
        "title": evolution.title,
        "stand_in": evolution.stand_in,
        "state_bytes": [state.stat().st_size for state in evolution.states],
        "rows": evolution.rows,
        "notes": work.notes,
    } | found
    (PLACE / "history.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    text = history_report.markdown(results)
    print(text)
    say("wrote target/bench/history.json")
    if options.write_results:
        (HERE / "HISTORY.md").write_text(text)
        say("wrote tests/bench/HISTORY.md")
    shutil.rmtree(options.work, ignore_errors=True)
    broken = failures(found)
    if broken:
        say(f"did not do their work: {'; '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
