"""tabark beside the tools that do the same work. Started by `run`, which installs what this needs."""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import bars
import data
import measure
import peers
import plot
import table

TREE = Path(__file__).resolve().parents[2]
PLACE = TREE / "target" / "bench"
HERE = Path(__file__).resolve().parent


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="where data sets are, as NAME.sqlite or NAME.sqlite.zst; may be repeated [default: ../shared/data]",
    )
    parser.add_argument(
        "--make-data",
        metavar="PROGRAM",
        type=Path,
        help="makes TPC-H and the app database [default: ../shared/make-data]",
    )
    parser.add_argument("--rounds", type=int, help="rounds over all contenders [default: 3, with --quick 1]")
    parser.add_argument("--only", metavar="SET,..", default=",".join(data.SETS), help=f"of {', '.join(data.SETS)}")
    parser.add_argument(
        "--quick", action="store_true", help="smaller data, one round, nothing slow: does everything work?"
    )
    parser.add_argument(
        "--skip-slow", action="store_true", help="without zstd -19, unless an earlier run kept its size"
    )
    parser.add_argument(
        "--once-above", metavar="SECONDS", type=float, default=60, help="slower peers run once [default: 60]"
    )
    parser.add_argument(
        "--tabark", metavar="PATH", type=Path, help="the program to measure [default: this tree's, built now]"
    )
    parser.add_argument(
        "--work",
        metavar="FOLDER",
        type=Path,
        default=PLACE / "work",
        help="scratch files, several GB [default: target/bench/work]",
    )
    parser.add_argument("--write-results", action="store_true", help="write tests/bench/RESULTS.md and results.svg")
    options = parser.parse_args()
    options.only = options.only.split(",")
    for key in options.only:
        if key not in data.SETS:
            parser.error(f"no such data set: {key}; there are {', '.join(data.SETS)}")
    if options.rounds is None:
        options.rounds = 1 if options.quick else 3
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    options.skip_slow |= options.quick
    for folder in options.data:
        if not folder.is_dir():
            parser.error(f"no such folder: {folder}")
    beside = TREE.parent / "shared"
    if (beside / "data").is_dir():
        options.data.append(beside / "data")
    if options.make_data is None and (beside / "make-data").is_file():
        options.make_data = beside / "make-data"
    return options


def built(options):
    if options.tabark:
        return options.tabark.resolve(strict=True)
    say("building tabark")
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "tabark-cli"], check=True, cwd=TREE)
    return Path(os.environ.get("CARGO_TARGET_DIR", TREE / "target")).resolve() / "release" / "tabark"


def first_line(*command):
    out = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return (out.stdout or out.stderr).strip().splitlines()[0]


def versions(tabark):
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=TREE, capture_output=True, text=True
    ).stdout.strip()
    return {
        "tabark": first_line(tabark, "--version").removeprefix("tabark ") + (f" ({commit})" if commit else ""),
        "sqlite3": first_line("sqlite3", "--version").split()[0],
        "zstd": first_line("zstd", "--version").split(" v")[-1].split(",")[0],
        "restic": first_line("restic", "version").split()[1],
        "borg": first_line("borg", "--version").split()[-1],
        "b3sum": first_line("b3sum", "--version").split()[-1],
        "DuckDB": importlib.metadata.version("duckdb"),
        "pyarrow": importlib.metadata.version("pyarrow"),
        "vortex-data": importlib.metadata.version("vortex-data"),
    }


def value_in(path, key):
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":" if ":" in line else "=")
        if name.strip() == key:
            return value.strip().strip('"')
    return "unknown"


def machine():
    return {
        "cpu": value_in("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{int(value_in('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.0f} GB",
        "kernel": platform.release(),
        "system": value_in("/etc/os-release", "PRETTY_NAME"),
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def ticks():
    """(all, stolen) processor time since boot."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields), fields[7]


class Kept:
    """Sizes by `zstd -19`, which is too slow to repeat: the same data and the same tools give the same bytes."""

    def __init__(self, path, tools):
        self.path = path
        self.tools = f"sqlite3 {tools['sqlite3']}, zstd {tools['zstd']}"
        self.sizes = json.loads(path.read_text()) if path.exists() else {}

    def key(self, dataset):
        return f"{first_line('b3sum', '--no-names', dataset.path)}, {self.tools}"

    def get(self, key):
        size = self.sizes.get(key)
        return size and measure.Figures(
            bytes=size, once=measure.FOR_SIZE, note="size kept from an earlier run on the same data"
        )

    def put(self, key, size):
        self.sizes[key] = size
        self.path.write_text(json.dumps(self.sizes, indent=1) + "\n")


def measured(dataset, tools, options, env, kept):
    """All pieces of work on one data set."""
    folder = options.work / dataset.key
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    data.changed_by_types(dataset, data.columns_by_scanner(tools.python, dataset))
    work = peers.Work(dataset, tools, folder, env)
    items = {}
    for item in peers.ITEMS:
        say(f"{dataset.title}: {peers.ITEMS[item].lower()}")
        contenders = work.contenders(item)
        earlier = {}
        slow = next((each for each in contenders if each.name == peers.ZSTD_19), None)
        if slow:
            key = kept.key(dataset)
            if found := kept.get(key):
                earlier[slow.name] = found
            if found or options.skip_slow:
                contenders.remove(slow)
        if item == "restore":
            work.write_sql()
        measure.warm(work.inputs(item))
        items[item] = (
            measure.in_rounds(contenders, options.rounds, options.once_above, env, options.work, say) | earlier
        )
        if slow in contenders and items[item][slow.name].bytes:
            kept.put(key, items[item][slow.name].bytes)
    shutil.rmtree(folder)
    return {item: {name: asdict(figures) for name, figures in found.items()} for item, found in items.items()}


def main():
    options = arguments()
    tabark = built(options)
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    has_fast = "--fast" in subprocess.run([tabark, "dump", "--help"], check=True, capture_output=True, text=True).stdout
    tools = peers.Tools(tabark, Path(sys.executable), has_fast)
    env = peers.environment(os.environ, options.work)
    begun, before = machine(), ticks()
    sets = data.find(options.only, options.data, PLACE / "data", options.make_data, options.quick, say)
    known = versions(tabark)
    kept = Kept(PLACE / "kept.json", known)
    found = {}
    for dataset in sets:
        items = measured(dataset, tools, options, env, kept)
        found[dataset.key] = {name: value for name, value in asdict(dataset).items() if name != "path"} | {
            "items": items
        }
    after = ticks()
    said = ["tests/bench/run", f"--rounds {options.rounds}", f"--only {','.join(options.only)}"]
    said += [f"--once-above {options.once_above:g}"]
    said += ["--quick"] if options.quick else ["--skip-slow"] if options.skip_slow else []
    begun["stolen"] = f"{100 * (after[1] - before[1]) / max(1, after[0] - before[0]):.1f} %"
    results = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"`{' '.join(said)}`",
        "machine": begun,
        "tools": known,
        "rounds": options.rounds,
        "once_above": options.once_above,
        "sets": found,
    }
    judged = bars.evaluate(results)
    results["bars"] = [asdict(bar) for bar in judged]
    (PLACE / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (PLACE / "results.svg").write_text(plot.svg(results))
    print(table.markdown(results, judged))
    say("wrote target/bench/results.json and target/bench/results.svg")
    if options.write_results:
        (HERE / "RESULTS.md").write_text(table.markdown(results, judged, "results.svg"))
        shutil.copyfile(PLACE / "results.svg", HERE / "results.svg")
        say("wrote tests/bench/RESULTS.md and tests/bench/results.svg")
    shutil.rmtree(options.work, ignore_errors=True)
    broken = [
        f"{key}: {item}: {name}"
        for key, value in found.items()
        for item, entries in value["items"].items()
        for name, entry in entries.items()
        if entry["failed"]
    ]
    if broken:
        say(f"did not do their work: {'; '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
