"""A PostgreSQL server of the bench's own, and the programs that reach it."""

import os
import pwd
import signal
import subprocess
import tempfile
import time
from pathlib import Path

MAJORS = (15, 17, 18)
# What a server for this work is given, and no more: what it promises to keep, it keeps.
SETTINGS = {
    "shared_buffers": "1GB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "listen_addresses": "",
}
WATCHDOG = """
cat >/dev/null
if read -r server <"$1/data/postmaster.pid" && [ "$(cat "/proc/$server/comm")" = postgres ]; then
    kill -QUIT "$server"
    sleep 2
fi 2>/dev/null
rm -rf "$1"
"""
TABLES = """SELECT quote_ident(nspname) || '.' || quote_ident(relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY pg_class.oid"""


def programs(major):
    """The folder of a version's programs."""
    return Path(os.environ[f"TABARK_POSTGRES_{major}"]).resolve(strict=True)


class Server:
    """Runs until `stop`. Its data is on a disk, not below the checkout, where its user may not go."""

    def __init__(self, major, environment):
        self.major, self.bin = major, programs(major)
        self.environment = {name: value for name, value in environment.items() if not name.startswith("PG")}
        self.folder = Path(tempfile.mkdtemp(prefix="tabark-pg-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.user = {}
        if os.getuid() == 0:
            # PostgreSQL refuses to run as root.
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.process = None
        # It waits for its input to end, as it does when the bench does, however that comes.
        self.watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, "sh", self.folder], stdin=subprocess.PIPE, cwd="/", start_new_session=True
        )

    def start(self):
        data, log = self.folder / "data", self.folder / "log"
        initdb = [self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, env=self.environment, cwd="/", **self.user)
        settings = SETTINGS | {"unix_socket_directories": str(self.folder)}
        with open(log, "wb") as stream:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
                stdout=stream,
                stderr=stream,
                env=self.environment,
                cwd="/",
                start_new_session=True,
                **self.user,
            )
        for _ in range(600):
            ready = subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder], env=self.environment)
            if ready.returncode == 0:
                return self
            time.sleep(0.1)
        raise RuntimeError(f"the server did not start: {log.read_text()}")

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.watchdog.stdin.close()
        self.watchdog.wait()

    def processor(self):
        """Processor seconds of all sessions that have ended."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        times = stat.rpartition(")")[2].split()[11:15]  # its own, user and system, and its children's
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")

    def url(self, database):
        return f"postgresql:///{database}?host={self.folder}&user=postgres"

    def psql(self, database, *statements, cwd=None, file=None, variables=()):
        command = [self.bin / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]
        for variable in variables:
            command += ["-v", variable]
        for statement in statements:
            command += ["-c", statement]
        if file:
            command += ["-f", file]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=self.environment)
        if ran.returncode:
            raise RuntimeError(f"psql: {ran.stderr.strip()[-400:]}")
        return ran.stdout.splitlines()

    def fresh(self, database):
        """An empty database, with nothing of the one before left to be written."""
        self.psql(
            "postgres",
            f"DROP DATABASE IF EXISTS {database} WITH (FORCE)",
            f"CREATE DATABASE {database} TEMPLATE template0",
            "CHECKPOINT",
        )

    def load(self, database, folder, script, variables):
        self.fresh(database)
        self.psql(database, cwd=folder, file=script, variables=variables)
        # Nothing is left to do for whoever reads first.
        self.psql(database, "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT")

    def tables(self, database):
        return self.psql(database, TABLES)

    def rows(self, database):
        """Rows of each table."""
        counts = [f"SELECT count(*) FROM ONLY {table}" for table in self.tables(database)]
        return dict(zip(self.tables(database), map(int, self.psql(database, *counts)), strict=True))

    def size(self, database):
        return int(self.psql(database, "SELECT pg_database_size(current_database())")[0])

    def indexes(self, database):
        """How many indexes and constraints there are: a restore that left them out did less work."""
        counts = "SELECT (SELECT count(*) FROM pg_index), (SELECT count(*) FROM pg_constraint)"
        return self.psql(database, counts)[0]
