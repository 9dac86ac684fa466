"""tabark on PostgreSQL beside COPY, pg_dump and pg_restore. Started by `postgres`, which installs what this needs."""

import argparse
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import bench
import measure
import peers
import postgres_peers
import postgres_report
from postgres_server import MAJORS, SETTINGS, Server

TREE, PLACE, HERE = bench.TREE, bench.PLACE, bench.HERE
say = bench.say
SETS = {"tpch": "TPC-H SF{sf}", "app": "app database"}


@dataclass
class DataSet:
    key: str
    title: str
    folder: Path
    script: str
    variables: list
    bytes: int = 0
    load_seconds: float = 0.0
    rows: dict = field(default_factory=dict)
    smallest: str = ""  # the table with the fewest rows, where there is more than one


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/postgres", description=__doc__.splitlines()[0])
    parser.add_argument("--server", type=int, choices=MAJORS, default=MAJORS[0], help="major version [default: 15]")
    parser.add_argument(
        "--data",
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="where app.pg.sql, app/*.csv, tpch.pg.sql and tpch-sf1/*.csv are; may be repeated [default: ../shared/data]",
    )
    parser.add_argument(
        "--make-data", metavar="PROGRAM", type=Path, help="makes what is not found [default: ../shared/make-data]"
    )
    parser.add_argument("--rounds", type=int, help="rounds over all contenders [default: 3, with --quick 1]")
    parser.add_argument("--only", metavar="SET,..", default=",".join(SETS), help=f"of {', '.join(SETS)}")
    parser.add_argument("--quick", action="store_true", help="TPC-H SF0.1 and a small app, one round: does all work?")
    parser.add_argument(
        "--once-above", metavar="SECONDS", type=float, default=120, help="slower peers run once [default: 120]"
    )
    parser.add_argument("--tabark", metavar="PATH", type=Path, help="the program [default: this tree's, built now]")
    parser.add_argument(
        "--work",
        metavar="FOLDER",
        type=Path,
        default=PLACE / "postgres-work",
        help="dumps, several GB [default: target/bench/postgres-work]; the server's data is below /var/tmp",
    )
    parser.add_argument("--write-results", action="store_true", help="write tests/bench/POSTGRES.md")
    options = parser.parse_args()
    options.only = options.only.split(",")
    for key in options.only:
        if key not in SETS:
            parser.error(f"no such data set: {key}; there are {', '.join(SETS)}")
    if options.rounds is None:
        options.rounds = 1 if options.quick else 3
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    for folder in options.data:
        if not folder.is_dir():
            parser.error(f"no such folder: {folder}")
    beside = TREE.parent / "shared"
    if (beside / "data").is_dir():
        options.data.append(beside / "data")
    if options.make_data is None and (beside / "make-data").is_file():
        options.make_data = beside / "make-data"
    return options


def find(key, options):
    """A data set in one of the folders; or made, in a folder whose name says the size, and kept; or a stand-in."""
    size = "0.1" if options.quick else "1"
    script, folder = ("tpch.pg.sql", f"tpch-sf{size}") if key == "tpch" else ("app.pg.sql", "app")
    title = SETS[key].format(sf=size)
    variables = [f"sf={size}"] if key == "tpch" else []
    # The app database has one size in a folder: what is found there need not be small.
    places = [] if key == "app" and options.quick else options.data
    for place in places:
        if (place / script).is_file() and (place / folder).is_dir():
            return DataSet(key, title, place.resolve(), script, variables)
    made = PLACE / "data" / ("made-quick" if options.quick else "made")
    done = made / f"{key}-postgres.done"
    if not done.exists():
        if options.make_data is None:
            say(f"{key}: no {script} with {folder}/ in any folder; a small stand-in takes its place")
            rows = f"rows={20_000 if options.quick else 500_000}"
            return DataSet(key, f"{title}: stand-in", HERE, "stand_in.pg.sql", [rows])
        say(f"{key}: making it with {options.make_data.name}")
        rows = ["--sf", size] if key == "tpch" else ["--rows", "20000" if options.quick else "1000000"]
        command = [sys.executable, options.make_data, made, "--only", key, *rows]
        subprocess.run(command, check=True, stdout=sys.stderr)
        done.touch()
    return DataSet(key, title, made, script, variables)


def loaded(data, server):
    say(f"loading {data.title}")
    begun = time.perf_counter()
    server.load(data.key, data.folder, data.script, data.variables)
    data.load_seconds = time.perf_counter() - begun
    data.bytes, data.rows = server.size(data.key), server.rows(data.key)
    filled = {table: rows for table, rows in data.rows.items() if rows > 0}
    if len(filled) > 1:
        data.smallest = min(filled, key=lambda table: (filled[table], table))


def measured(data, server, tabark, options, env):
    """All pieces of work on one data set."""
    folder = options.work / data.key
    folder.mkdir(parents=True)
    work = postgres_peers.Work(data, server, tabark, folder)
    items = {}
    for item, title in postgres_peers.ITEMS.items():
        say(f"{data.title}: {title.lower()}")
        contenders = work.contenders(item)
        measure.warm(work.inputs(item))
        items[item] = measure.in_rounds(
            contenders, options.rounds, options.once_above, env, options.work, say, server.processor
        )
    work.finish()
    return {item: {name: asdict(figures) for name, figures in found.items()} for item, found in items.items()}


def versions(tabark, server):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=TREE, capture_output=True, text=True).stdout
    known = {
        "tabark": bench.first_line(tabark, "--version").removeprefix("tabark ") + f" ({commit.strip()})",
        "PostgreSQL": server.psql("postgres", "SHOW server_version")[0],
        "b3sum": bench.first_line("b3sum", "--version").split()[-1],
    }
    if server.major <= 17:
        other = bench.first_line(postgres_peers.programs(17) / "pg_dump", "--version")
        known["pg_dump 17"] = other.split()[2]
    return known


def main():
    options = arguments()
    tabark = bench.built(options)
    options.work = options.work.resolve()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    env = peers.environment(os.environ, options.work)
    env = {name: value for name, value in env.items() if not name.startswith("PG")}
    sets = [find(key, options) for key in options.only]
    # Whoever ends the bench ends its server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    server = Server(options.server, os.environ)
    try:
        server.start()
        begun, before = bench.machine(), bench.ticks()
        found = {}
        for data in sets:
            loaded(data, server)
            items = measured(data, server, tabark, options, env)
            found[data.key] = asdict(data) | {"folder": "", "items": items}
        after = bench.ticks()
        known = versions(tabark, server)
    finally:
        server.stop()
    begun["stolen"] = f"{100 * (after[1] - before[1]) / max(1, after[0] - before[0]):.1f} %"
    said = ["tests/bench/postgres", f"--server {options.server}", f"--rounds {options.rounds}"]
    said += [f"--only {','.join(options.only)}", f"--once-above {options.once_above:g}"] + ["--quick"] * options.quick
    results = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"`{' '.join(said)}`",
        "machine": begun,
        "tools": known,
        "server": known["PostgreSQL"],
        "settings": SETTINGS,
        "rounds": options.rounds,
        "once_above": options.once_above,
        "quick": options.quick,
        "sets": found,
    }
    (PLACE / "postgres.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    text = postgres_report.markdown(results)
    print(text)
    say("wrote target/bench/postgres.json")
    if options.write_results:
        (HERE / "POSTGRES.md").write_text(text)
        say("wrote tests/bench/POSTGRES.md")
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
