"""Who does which work, and how: the exact commands of tabark and of its peers, for one data set."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from data import rows_of
from measure import Command, Contender, Failed, remove

COLUMNAR = Path(__file__).with_name("columnar.py")
DUMP_ZSTD = ".dump | zstd -3"
BACKUP_ZSTD = ".backup, zstd -3 -T2"
DUCKDB = "DuckDB → Parquet zstd-3"
PYARROW = "pyarrow → Parquet zstd-3"
VORTEX = "Vortex"
DUCKDB_DEFAULT = "DuckDB → Parquet default"
PYARROW_DEFAULT = "pyarrow → Parquet default"
ZSTD_19 = ".dump | zstd -19 -T2"
TABARK = "tabark"
FAST = "tabark --fast"
FULL = "tabark --full"
B3SUM = "b3sum"
INTEGRITY = "PRAGMA integrity_check"
RESTIC = "restic"
BORG = "borg"
SQLITE_SCRIPT = "sqlite3 < dump.sql"

ITEMS = {
    "dump": "Dump",
    "verify": "Verify",
    "restore": "Restore all of it into a new file",
    "one_table": "Restore one small table into a new file",
}


@dataclass
class Tools:
    tabark: Path
    python: Path
    has_fast: bool


def environment(base, folder):
    """What the measured programs see: restic and borg keep everything they write in the works folder."""
    kept = {
        name: value for name, value in base.items() if not name.startswith(("RESTIC_", "BORG_", "SQLITE_", "ZSTD_"))
    }
    return kept | {
        "LC_ALL": "C.UTF-8",
        "RESTIC_PASSWORD": "bench",
        "RESTIC_CACHE_DIR": str(folder / "restic-cache"),
        "BORG_BASE_DIR": str(folder / "borg-base"),
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
    }


class Work:
    """The pieces of work on one data set. What a dump leaves is what the later pieces read."""

    def __init__(self, data, tools, folder, env):
        self.data, self.tools, self.folder, self.env = data, tools, folder, env
        self.db = data.path.resolve()
        self.archive = folder / "a.tabark"
        self.fast = folder / "fast.tabark"
        self.dump_zst = folder / "dump.sql.zst"
        self.backup_zst = folder / "backup.sqlite.zst"
        self.parquet = folder / "duckdb-zstd"
        self.restic = folder / "restic"
        self.borg = folder / "borg"
        self.sql = folder / "dump.sql"
        self.backup = folder / "backup.sqlite"

    def contenders(self, item):
        return getattr(self, item)()

    # ---- dump

    def dump(self):
        db, tools = self.db, self.tools
        sql = ["sqlite3", "-readonly", db, ".dump"]
        made = [Contender(TABARK, [Command([[tools.tabark, "dump", db, self.archive]])], self.archive, ours=True)]
        if tools.has_fast:
            made.append(
                Contender(FAST, [Command([[tools.tabark, "dump", "--fast", db, self.fast]])], self.fast, ours=True)
            )
        made += [
            Contender(DUMP_ZSTD, [Command([sql, ["zstd", "-q", "-3"]], stdout=self.dump_zst)], self.dump_zst),
            Contender(
                BACKUP_ZSTD,
                [
                    Command([["sqlite3", "-readonly", db, f".backup '{self.backup}'"]]),
                    Command([["zstd", "-q", "-3", "-T2", "--rm", self.backup, "-o", self.backup_zst]]),
                ],
                self.backup_zst,
            ),
            self.columnar(DUCKDB, self.parquet, "duckdb", "zstd-3"),
            Contender(
                RESTIC,
                [Command([["restic", "-q", "-r", self.restic, "backup", db.name]], cwd=db.parent)],
                self.restic,
                prepare=lambda: self.quietly("restic", "-q", "-r", self.restic, "init"),
                aside=True,
                note="zstd, encrypted",
            ),
            Contender(
                BORG,
                [Command([["borg", "create", "--compression", "zstd,3", f"{self.borg}::one", db.name]], cwd=db.parent)],
                self.borg,
                prepare=lambda: self.quietly("borg", "init", "-e", "none", self.borg),
                aside=True,
                note="zstd,3, no encryption",
            ),
            self.columnar(PYARROW, self.folder / "pyarrow-zstd", "pyarrow", "zstd-3", once=True),
            self.columnar(VORTEX, self.folder / "vortex", "vortex", once=True),
            self.columnar(DUCKDB_DEFAULT, self.folder / "duckdb-default", "duckdb", "default", once=True),
            self.columnar(PYARROW_DEFAULT, self.folder / "pyarrow-default", "pyarrow", "default", once=True),
        ]
        small = self.folder / "dump-19.sql.zst"
        made.append(Contender(ZSTD_19, [Command([sql, ["zstd", "-q", "-19", "-T2"]], stdout=small)], small, once=True))
        return made

    def columnar(self, name, folder, how, *codec, once=False):
        command = Command([[self.tools.python, COLUMNAR, how, self.db, folder, *codec]])
        return Contender(name, [command], folder, check=lambda text: self.same_rows(name, folder, text), once=once)

    def same_rows(self, name, folder, text):
        as_text = json.loads(text.splitlines()[-1])["as_text"]
        for refused in as_text:
            note = (
                f"{name}: table {refused['table']} taken as text, because DuckDB's scanner refused it: {refused['why']}"
            )
            if note not in self.data.notes:
                self.data.notes.append(note)
        counted = subprocess.run(
            [self.tools.python, COLUMNAR, "rows", folder], check=True, capture_output=True, text=True
        )
        counts = sorted(json.loads(counted.stdout).values())
        if counts != sorted(self.data.rows.values()):
            raise Failed(f"rows of its tables: {counts}, of the source: {sorted(self.data.rows.values())}")

    def quietly(self, *command):
        subprocess.run([str(part) for part in command], check=True, env=self.env, capture_output=True)

    # ---- verify

    def verify(self):
        tabark, db = self.tools.tabark, self.db

        def is_ok(text):
            if text.strip() != "ok":
                raise Failed(f"it found: {text[:200]}")

        return [
            Contender(TABARK, [Command([[tabark, "verify", self.archive]])], ours=True),
            Contender(B3SUM, [Command([["b3sum", self.archive]])], note="of tabark's archive"),
            Contender(
                FULL,
                [Command([[tabark, "verify", "--full", self.archive]])],
                ours=True,
                aside=True,
                note="decodes every cell",
            ),
            Contender(INTEGRITY, [Command([["sqlite3", "-readonly", db, "PRAGMA integrity_check"]])], check=is_ok),
            Contender(
                RESTIC,
                [Command([["restic", "-q", "-r", self.restic, "check", "--read-data"]])],
                note="check --read-data",
            ),
            Contender(
                BORG, [Command([["borg", "check", "--verify-data", self.borg]])], aside=True, note="check --verify-data"
            ),
            Contender(
                "zstd -t, dump", [Command([["zstd", "-q", "-t", self.dump_zst]])], aside=True, note="a 32-bit checksum"
            ),
            Contender(
                "zstd -t, backup",
                [Command([["zstd", "-q", "-t", self.backup_zst]])],
                aside=True,
                note="a 32-bit checksum",
            ),
        ]

    # ---- restore

    def same_tables(self, target, wanted):
        found = rows_of(target)
        if found != wanted:
            raise Failed(f"rows of the restored tables: {found}, of the source: {wanted}")

    def restore(self):
        """Expects `dump.sql`, which `write_sql` makes."""
        new = self.folder / "new"
        pragmas = ["-cmd", "PRAGMA journal_mode=off", "-cmd", "PRAGMA synchronous=off"]

        def empty():
            remove(new)
            new.mkdir()

        here = new / self.db.name
        made = [
            Contender(
                TABARK,
                [Command([[self.tools.tabark, "restore", self.archive, here]])],
                ours=True,
                note="proof included",
            ),
            Contender(
                SQLITE_SCRIPT,
                [Command([["sqlite3", *pragmas, here]], stdin=self.sql)],
                note="journal_mode=off, synchronous=off",
            ),
            Contender(
                RESTIC,
                [Command([["restic", "-q", "-r", self.restic, "restore", "latest", "--target", new]])],
                aside=True,
                note="the database file",
            ),
            Contender(
                BORG,
                [Command([["borg", "extract", f"{self.borg}::one"]], cwd=new)],
                aside=True,
                note="the database file",
            ),
            Contender(
                "zstd -d, backup",
                [Command([["zstd", "-q", "-d", self.backup_zst, "-o", here]])],
                aside=True,
                note="the database file",
            ),
        ]
        for contender in made:
            contender.prepare = empty
            contender.check = lambda _: self.same_tables(here, self.data.rows)
        return made

    def write_sql(self):
        with open(self.sql, "wb") as out:
            subprocess.run(["sqlite3", "-readonly", str(self.db), ".dump"], check=True, stdout=out)

    def one_table(self):
        table = self.data.smallest
        if not table:
            return []
        wanted = {table: self.data.rows[table]}
        number = list(self.data.rows).index(table)
        parquet = self.parquet / f"{number:02d}.parquet"
        target = self.folder / "one.sqlite"
        pragmas = ["-cmd", "PRAGMA journal_mode=off", "-cmd", "PRAGMA synchronous=off"]

        def check(_):
            self.same_tables(target, wanted)
            remove(self.backup)

        return [
            Contender(
                TABARK,
                [Command([[self.tools.tabark, "restore", self.archive, target, "-t", table]])],
                target,
                check=check,
                ours=True,
            ),
            Contender(
                "DuckDB from Parquet",
                [Command([[self.tools.python, COLUMNAR, "restore", parquet, table, target]])],
                target,
                check=check,
                aside=True,
                note="no keys, no indexes",
            ),
            Contender(
                "zstd -d, .dump of one table",
                [
                    Command([["zstd", "-q", "-d", "-f", self.backup_zst, "-o", self.backup]]),
                    Command([["sqlite3", "-readonly", self.backup, f".dump '{table}'"], ["sqlite3", *pragmas, target]]),
                ],
                target,
                check=check,
                aside=True,
            ),
        ]

    def inputs(self, item):
        """What to have in the page cache before a piece of work."""
        kept = [self.archive, self.dump_zst, self.backup_zst, self.restic, self.borg]
        more = {
            "dump": [self.db],
            "verify": [self.db, *kept],
            "restore": [*kept, self.sql],
            "one_table": [*kept, self.parquet],
        }
        return [path for path in more[item] if path.exists()]
