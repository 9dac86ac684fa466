"""Who does which work on PostgreSQL, and how: the exact commands of tabark and of its peers, for one data set."""

import shutil
from pathlib import Path

from measure import Command, Contender, Failed
from postgres_server import programs

TABARK = "tabark"
ONE_JOB = "tabark --jobs 1"
FAST = "tabark --fast"
B3SUM = "b3sum"
ITEMS = {
    "dump": "Dump",
    "verify": "Verify",
    "restore": "Restore all of it into an empty database",
    "one_table": "Restore one small table into an empty database",
}
NULL = Path("/dev/null")
# Runs two commands at once, each given as SQL; fails if one of them fails.
TWO_AT_ONCE = 'psql=$1; shift; "$psql" "$1" "$2" "$3" -f "$4" & "$psql" "$1" "$2" "$3" -f "$5" || exit 1; wait $!'


def forms_of(major):
    """The compressions that a version's client programs were built with; the oldest of ours knows one."""
    return {15: ["gzip"], 17: ["gzip", "zstd", "lz4"], 18: ["gzip"]}[major]


class Work:
    """The pieces of work on one data set. What a dump leaves is what the later pieces read."""

    def __init__(self, data, server, tabark, folder):
        self.data, self.server, self.tabark, self.folder = data, server, tabark, folder
        self.url, self.target = server.url(data.key), server.url("restored")
        self.archive = folder / "a.tabark"
        # What is restored was dumped by the server's own client: others set what this server does not know.
        form = "zstd" if "zstd" in forms_of(server.major) else "gzip"
        self.custom, self.directory = self.path("custom", server.major, form), self.path("folder", server.major, form)
        self.form = form
        self.plain = folder / "custom-plain"
        self.piped = folder / "custom-plain-piped"

    def contenders(self, item):
        return getattr(self, item)()

    def path(self, kind, major, form):
        return self.folder / f"{kind}-{major}-{form}"

    # ---- dump

    def dump(self):
        made = [
            self.dumping(TABARK, self.archive, 2),
            self.dumping(ONE_JOB, self.folder / "one-job.tabark", 1),
            self.dumping(FAST, self.folder / "fast.tabark", 2, "--fast"),
            *self.copies(),
        ]
        for major in sorted({self.server.major, 17}):
            # A client reaches no server that is newer than itself.
            if major >= self.server.major:
                for form in forms_of(major):
                    made += self.pg_dumps(major, form)
        plain = self.pg_dump(self.server.major, "-Fc", "-Z0", "-f", self.plain)
        made.append(
            Contender("pg_dump -Fc -Z0", [plain], self.plain, aside=True, note="no compression; one table comes out of it")
        )
        piped = Command([self.pg_dump(self.server.major, "-Fc", "-Z0").stages[0], ["cat"]], stdout=self.piped)
        made.append(
            Contender(
                "pg_dump -Fc -Z0, piped",
                [piped],
                self.piped,
                aside=True,
                note="as `docker exec … pg_dump > file` and uploads leave it: without places of tables",
            )
        )
        return made

    def dumping(self, name, archive, jobs, *more):
        command = Command([[self.tabark, "dump", self.url, archive, "--jobs", jobs, *more]])
        return Contender(name, [command], archive, ours=True, note=f"{jobs} connection{'s' * (jobs > 1)}")

    def copies(self):
        """The rows alone, as the server gives them: what no dump can be faster than."""
        psql = self.server.bin / "psql"
        common = ["-XqAt", "-d", self.url]
        tables = self.server.tables(self.data.key)
        whole = self.folder / "copy.sql"
        whole.write_text("".join(f"COPY {table} TO STDOUT (FORMAT binary);\n" for table in tables))
        halves = [self.folder / "copy-1.sql", self.folder / "copy-2.sql"]
        middles = {table: self.middle(table) for table in tables}
        for half, sign in zip(halves, ("<", ">=")):
            parts = [
                f"COPY (SELECT * FROM ONLY {table} WHERE ctid {sign} '({block},0)') TO STDOUT (FORMAT binary);\n"
                for table, block in middles.items()
            ]
            half.write_text("".join(parts))
        return [
            Contender(
                "COPY binary > /dev/null",
                [Command([[psql, *common, "-v", "ON_ERROR_STOP=1", "-f", whole]], stdout=NULL)],
                note="1 connection, stores nothing",
            ),
            Contender(
                "COPY binary > /dev/null, 2 connections",
                [Command([["sh", "-c", TWO_AT_ONCE, "sh", psql, *common, *halves]], stdout=NULL)],
                note="half the pages of each table each, stores nothing",
            ),
        ]

    def middle(self, table):
        pages = "SELECT pg_relation_size('{}') / current_setting('block_size')::bigint / 2"
        return self.server.psql(self.data.key, pages.format(table.replace("'", "''")))[0]

    def pg_dump(self, major, *arguments):
        return Command([[programs(major) / "pg_dump", "-d", self.url, *arguments]])

    def pg_dumps(self, major, form):
        """One file, and a folder by two connections."""
        custom, folder = self.path("custom", major, form), self.path("folder", major, form)
        # Before 16, pg_dump knew no names of compressions.
        how = [] if form == "gzip" else [f"--compress={form}"]
        own = "" if major == self.server.major else f"{major} "
        return [
            Contender(
                f"pg_dump {own}-Fc {form}", [self.pg_dump(major, "-Fc", *how, "-f", custom)], custom, note="1 connection"
            ),
            Contender(
                f"pg_dump {own}-Fd -j2 {form}",
                [self.pg_dump(major, "-Fd", "-j2", *how, "-f", folder)],
                folder,
                note="2 connections",
            ),
        ]

    # ---- verify

    def verify(self):
        return [
            Contender(TABARK, [Command([[self.tabark, "verify", self.archive]])], ours=True),
            Contender(B3SUM, [Command([["b3sum", self.archive]])], note="of tabark's archive"),
            Contender(
                "pg_restore > /dev/null",
                [Command([[self.server.bin / "pg_restore", "-f", NULL, self.custom]])],
                aside=True,
                note=f"of -Fc {self.form}; it has no checksum of its own",
            ),
        ]

    # ---- restore

    def restore(self):
        pg_restore = [self.server.bin / "pg_restore", "--exit-on-error", "-d", self.target]
        made = [
            self.restoring(TABARK, 2),
            self.restoring(ONE_JOB, 1),
            Contender(
                "pg_restore -j1", [Command([[*pg_restore, "-j1", self.custom]])], note=f"-Fc {self.form}; no proof"
            ),
            Contender(
                "pg_restore -j2", [Command([[*pg_restore, "-j2", self.directory]])], note=f"-Fd {self.form}; no proof"
            ),
        ]
        for contender in made:
            contender.prepare = self.emptied
            contender.check = self.is_whole
        return made

    def restoring(self, name, jobs):
        command = Command([[self.tabark, "restore", self.archive, self.target, "--jobs", jobs]])
        return Contender(name, [command], ours=True, note="proof included")

    def emptied(self):
        self.server.fresh("restored")

    def is_whole(self, _):
        self.has(self.data.rows)
        found, wanted = self.server.indexes("restored"), self.server.indexes(self.data.key)
        if found != wanted:
            raise Failed(f"indexes|constraints of the restored database: {found}, of the source: {wanted}")

    def has(self, wanted):
        found = self.server.rows("restored")
        if found != wanted:
            raise Failed(f"rows of the restored tables: {found}, of the source: {wanted}")

    def one_table(self):
        if not self.data.smallest:
            return []
        table = self.data.smallest
        wanted = {table: self.data.rows[table]}
        bare = table.partition(".")[2]
        pg_restore = [self.server.bin / "pg_restore", "--exit-on-error", "-d", self.target, "-t", bare]
        made = [
            Contender(
                TABARK, [Command([[self.tabark, "restore", self.archive, self.target, "-t", bare]])], ours=True
            ),
            Contender(f"pg_restore -t, -Fc {self.form}", [Command([[*pg_restore, self.custom]])], note="no keys, no indexes"),
            Contender("pg_restore -t, -Fc -Z0", [Command([[*pg_restore, self.plain]])], note="no keys, no indexes"),
            Contender("pg_restore -t, -Fc -Z0 piped", [Command([[*pg_restore, self.piped]])], note="no keys, no indexes"),
        ]
        for contender in made:
            contender.check = lambda _: self.has(wanted)
        # What nobody who connects to a server can be faster than.
        nothing = Command([[self.server.bin / "psql", "-XqAt", "-d", self.target, "-c", "SELECT 1"]])
        made.append(Contender("psql -c 'SELECT 1'", [nothing], aside=True, note="logs in and restores nothing"))
        for contender in made:
            contender.prepare = self.emptied
        return made

    def inputs(self, item):
        """What to have in the page cache before a piece of work."""
        kept = [] if item == "dump" else [self.archive, self.custom, self.directory, self.plain, self.piped]
        return [path for path in kept if path.exists()]

    def finish(self):
        shutil.rmtree(self.folder)
        self.server.psql("postgres", "DROP DATABASE IF EXISTS restored WITH (FORCE)")
        self.server.psql("postgres", f"DROP DATABASE {self.data.key} WITH (FORCE)")
