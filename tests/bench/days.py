"""The work on ten days: the exact commands of tabark and of its peers, day by day."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import measure
from data import rows_of
from measure import Command, Contender, Failed, remove, size_of
from peers import COLUMNAR

GROWING = "into the archive of the days before"
ALONE = "into an archive of its own"
AGAIN = "the same database once more"
SCAN_PAGES = "scan of all rows, by pages"
SCAN_SQL = "scan of all rows, by SQL"
WHOLE = "dump into an archive of its own"
OF_HISTORY = "out of the archive of ten days"
OF_ITS_OWN = "out of an archive of its own"
OF_TEN = "the archive of ten days"
OF_LAST = "the archive of the last day"
PRUNE = "prune --keep-last 3"
COMPACT = "compact"
RESTORED = (1, 5, 10)
DIFFERED = ((1, 2), (5, 6), (9, 10))
PEERS = {
    "restic of the SQLite file": "restic-sqlite",
    "restic of the SQL dump": "restic-sql",
    "borg of the SQLite file": "borg-sqlite",
    "borg of the SQL dump": "borg-sql",
    "DuckDB → Parquet zstd-3, a set a day": "parquet",
    ".dump | zstd -3, a file a day": "zstd",
}


@dataclass
class Fed:
    """A peer that was given ten days in turn: what it holds after each (bytes), and what each took (seconds)."""

    bytes: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    failed: str = ""


class Work:
    """Days are counted from 1. `history` is the archive of all days so far."""

    def __init__(self, evolution, tools, scan, folder, env):
        self.states, self.rows = evolution.states, evolution.rows
        self.tabark, self.python, self.scan = tools.tabark, tools.python, scan
        self.folder, self.env = folder, env
        self.history = folder / "history.tabark"
        self.growing = folder / "growing.tabark"
        self.feed = folder / "feed"
        self.notes = []
        self.feed.mkdir(parents=True)

    def alone(self, day):
        return self.folder / f"day-{day:02d}.tabark"

    def dump(self, day, archive):
        return [Command([[self.tabark, "dump", self.states[day - 1].resolve(), archive]])]

    def copied(self, target):
        return lambda: shutil.copyfile(self.history, target)

    def holds(self, archive, numbers):
        def check(_):
            listed = subprocess.run([self.tabark, "list", "--json", archive], check=True, capture_output=True, text=True)
            found = [snapshot["number"] for snapshot in json.loads(listed.stdout)["snapshots"]]
            if found != numbers:
                raise Failed(f"it holds snapshots {found}, not {numbers}")

        return check

    # ---- tabark

    def day(self, day):
        """What stays of it: an archive of this day, and `growing`, which `grown` makes the history."""
        alone = Contender(ALONE, self.dump(day, self.alone(day)), self.alone(day), ours=True)
        alone.check = self.holds(self.alone(day), [1])
        if day == 1:
            return [alone]
        growing = Contender(GROWING, self.dump(day, self.growing), self.growing, self.copied(self.growing), ours=True)
        growing.check = self.holds(self.growing, list(range(1, day + 1)))
        return [growing, alone]

    def grown(self, day):
        if day == 1:
            shutil.copyfile(self.alone(1), self.history)
        else:
            self.growing.replace(self.history)

    def unchanged(self):
        last, spare = len(self.states), self.folder / "spare.tabark"
        again = Contender(AGAIN, self.dump(last, self.growing), self.growing, self.copied(self.growing), ours=True)
        again.check = self.holds(self.growing, list(range(1, last + 2)))
        return [
            again,
            self.scanning(SCAN_PAGES, "--pages"),
            self.scanning(SCAN_SQL, "--sql"),
            Contender(WHOLE, self.dump(last, spare), spare, ours=True),
        ]

    def scanning(self, name, how):
        def check(text):
            words, rows = text.splitlines()[-1].split(), sum(self.rows[-1].values())
            # It also reads what SQLite keeps for itself.
            if words[0] != "all" or int(words[1]) < rows:
                raise Failed(f"it scanned {words}, and the state has {rows} rows")

        command = Command([[self.scan, how, self.states[-1].resolve()]])
        return Contender(name, [command], check=check, ours=True, note="one thread")

    def restore(self, day):
        target = self.folder / "new.sqlite"

        def check(_):
            found = rows_of(target)
            if found != self.rows[day - 1]:
                raise Failed(f"rows of the restored tables: {found}, of the state: {self.rows[day - 1]}")

        def contender(name, archive, *at):
            command = Command([[self.tabark, "restore", archive, target, *at]])
            return Contender(name, [command], target, check=check, ours=True)

        return [
            contender(OF_HISTORY, self.history, "--at", str(day)),
            contender(OF_ITS_OWN, self.alone(day)),
        ]

    def verify(self, *full):
        archives = {OF_TEN: self.history, OF_LAST: self.alone(len(self.states))}
        return [
            Contender(name, [Command([[self.tabark, "verify", *full, archive]])], ours=True)
            for name, archive in archives.items()
        ]

    def diff(self):
        """None where the program has no such command."""
        if subprocess.run([self.tabark, "diff", "--help"], capture_output=True).returncode:
            return []
        command = [self.tabark, "diff", self.history]
        return [
            Contender(
                f"diff {before} {after}", [Command([[*command, str(before), str(after)]], ends_with=1)], ours=True
            )
            for before, after in DIFFERED
        ]

    def rewriting(self):
        days = list(range(1, len(self.states) + 1))
        made = []
        for name, words, numbers in ((PRUNE, ["prune", "--keep-last", "3"], days[-3:]), (COMPACT, ["compact"], days)):
            archive = self.folder / f"{words[0]}.tabark"
            contender = Contender(name, [Command([[self.tabark, *words, archive]])], archive, self.copied(archive))
            contender.ours, contender.check = True, self.holds(archive, numbers)
            made.append(contender)
        return made

    def bytes_of_last(self, days):
        """The archive that dumps of just the last days leave."""
        archive = self.folder / "last.tabark"
        for state in self.states[-days:]:
            subprocess.run([self.tabark, "dump", state, archive], check=True, capture_output=True)
        size = size_of(archive)
        remove(archive)
        return size

    # ---- peers

    def begin_peers(self):
        for form in ("sqlite", "sql"):
            self.quietly("restic", "-q", "-r", self.folder / f"restic-{form}", "init")
            self.quietly("borg", "init", "-e", "none", self.folder / f"borg-{form}")
        for each in ("parquet", "zstd"):
            (self.folder / each).mkdir()

    def quietly(self, *command):
        subprocess.run([str(part) for part in command], check=True, env=self.env, capture_output=True)

    def feed_peers(self, day, fed, say):
        """One day to every peer; under the same name and at the same place each day, as a backup finds it."""
        state = self.states[day - 1]
        shutil.copyfile(state, self.feed / "app.sqlite")
        with open(self.feed / "app.sql", "wb") as out:
            subprocess.run(["sqlite3", "-readonly", str(state), ".dump"], check=True, stdout=out)
        for name, key in PEERS.items():
            peer, place = fed.setdefault(name, Fed()), self.folder / key
            if peer.failed:
                continue
            try:
                subprocess.run(["sync"], check=True)
                seconds, _, _, text = measure.run(self.peer(key, place, day), self.env, self.folder)
                if key == "parquet":
                    self.same_rows(place / f"{day:02d}", day, text)
            except (Failed, OSError, subprocess.CalledProcessError) as error:
                peer.failed = str(error)
                say(f"{name}: FAILED: {error}")
                continue
            peer.seconds.append(seconds)
            peer.bytes.append(size_of(place))
            say(f"day {day}: {name}: {seconds:.3f} s, {peer.bytes[-1] / 1e6:.2f} MB in all")

    def peer(self, key, place, day):
        state, (tool, _, form) = self.states[day - 1].resolve(), key.partition("-")
        if tool == "restic":
            return Command([["restic", "-q", "-r", place, "backup", f"app.{form}"]], cwd=self.feed)
        if tool == "borg":
            name = f"{place}::day-{day:02d}"
            return Command([["borg", "create", "--compression", "zstd,3", name, f"app.{form}"]], cwd=self.feed)
        if tool == "parquet":
            return Command([[self.python, COLUMNAR, "duckdb", state, place / f"{day:02d}", "zstd-3"]])
        dump = ["sqlite3", "-readonly", state, ".dump"]
        return Command([dump, ["zstd", "-q", "-3"]], stdout=Path(place) / f"{day:02d}.sql.zst")

    def same_rows(self, folder, day, text):
        for refused in json.loads(text.splitlines()[-1])["as_text"]:
            note = f"Parquet: table {refused['table']} taken as text, because DuckDB's scanner refused it: {refused['why']}"
            if note not in self.notes:
                self.notes.append(note)
        command = [self.python, COLUMNAR, "rows", folder]
        counted = subprocess.run(command, check=True, capture_output=True, text=True)
        counts = sorted(json.loads(counted.stdout).values())
        if counts != sorted(self.rows[day - 1].values()):
            raise Failed(f"rows of its tables: {counts}, of the state: {sorted(self.rows[day - 1].values())}")
