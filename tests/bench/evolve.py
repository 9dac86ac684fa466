"""Ten states of one database, a day apart: found in a folder, or small ones of the bench's own.

Its own have the churn of the real ones: each day 0.5 % of the rows are updated (most of them new ones), 1 % are inserted,
0.2 % are deleted (half of them the oldest), and every session is replaced. Same seed, same states.
"""

import json
import random
import shutil
import sqlite3
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from data import rows_of
from stand_ins import START, WORDS, cents, text, uuid

DAYS = 10
ROWS = 100_000  # of the largest table of a made state
NAMES = [f"state-{day:02d}.sqlite" for day in range(DAYS)]


@dataclass
class Evolution:
    title: str
    states: list
    stand_in: bool
    rows: list = field(default_factory=list)  # of each state, rows by table


def find(folders, place, say):
    """The states of the first folder that has them, itself or in its `evolve`; else made ones, which `place` keeps."""
    for folder in [inner for folder in folders for inner in (folder / "evolve", folder)]:
        states = [folder / name for name in NAMES]
        if all(state.is_file() for state in states):
            return described("app database that evolves", states, False)
    folder = place / "stand-in-evolve"
    if not (folder / NAMES[-1]).is_file():
        say("no folder with ten states was given; making small ones")
        make(folder)
    return described("stand-in", [folder / name for name in NAMES], True)


def described(title, states, stand_in):
    rows = [rows_of(state) for state in states]
    return Evolution(f"{title}, {max(rows[0].values()):,} rows at first", states, stand_in, rows)


class App:
    """A small app database and what a day does to it."""

    def __init__(self):
        self.random = random.Random("evolve")
        self.next, self.moment = 1, START

    def snapshot(self):
        r, number = self.random, self.next
        self.next += 1
        self.moment += timedelta(milliseconds=r.randint(10, 20000))
        sky = {"temp_c": r.randint(-50, 350) / 10, "sky": r.choice(WORDS), "humidity": r.randint(20, 99)}
        return (
            number,
            uuid(r),
            r.randint(1, 800),
            self.moment.isoformat(timespec="milliseconds") + "Z",
            r.choice(("Berlin", "Lagos", "東京", "São Paulo")),
            round(52.5 + r.gauss(0, 0.1), 7),
            round(13.4 + r.gauss(0, 0.1), 7),
            None if r.random() < 0.02 else json.dumps(sky),
            r.choices(("ok", "stale", "failed"), (92, 6, 2))[0],
            round(r.betavariate(2, 5), 4),
            None if r.random() < 0.3 else cents(r, 6, 80),
            text(r, 3, 9) if r.random() < 0.05 else None,
        )

    def sessions(self):
        r = self.random
        for _ in range(ROWS // 400):
            begun = self.moment + timedelta(milliseconds=r.randrange(3_600_000))
            address = ".".join(str(r.randint(1, 250)) for _ in range(4))
            yield uuid(r), r.randint(1, 2000), begun.isoformat(timespec="milliseconds") + "Z", address

    def fill(self, con):
        con.execute(
            "CREATE TABLE users (user_id INTEGER PRIMARY KEY, public_id TEXT NOT NULL UNIQUE, display_name TEXT)"
        )
        con.execute(
            "CREATE TABLE snapshots (snapshot_id INTEGER PRIMARY KEY, public_id TEXT NOT NULL, user_id INTEGER NOT NULL, "
            "captured_at TEXT NOT NULL, market TEXT NOT NULL, lat REAL NOT NULL, lng REAL NOT NULL, weather TEXT, "
            "status TEXT NOT NULL, score NUMERIC, fare NUMERIC, note TEXT)"
        )
        con.execute(
            "CREATE TABLE sessions (session_id TEXT PRIMARY KEY, user_id INTEGER NOT NULL, started_at TEXT NOT NULL, ip TEXT)"
        )
        users = ((number, uuid(self.random), text(self.random, 1, 3)) for number in range(1, 2001))
        con.executemany("INSERT INTO users VALUES (?, ?, ?)", users)
        self.insert(con, ROWS)
        con.execute("CREATE INDEX snapshots_user ON snapshots(user_id, captured_at)")

    def insert(self, con, rows):
        con.executemany(f"INSERT INTO snapshots VALUES ({', '.join('?' * 12)})", (self.snapshot() for _ in range(rows)))
        con.execute("DELETE FROM sessions")
        con.executemany("INSERT INTO sessions VALUES (?, ?, ?, ?)", self.sessions())

    def day(self, con):
        r, last = self.random, self.next - 1
        keys = [key for (key,) in con.execute("SELECT snapshot_id FROM snapshots ORDER BY snapshot_id")]
        live = len(keys)
        for _ in range(live * 5 // 1000):
            key = r.randint(last - last // 20, last) if r.random() < 0.8 else r.choice(keys)
            con.execute(
                "UPDATE snapshots SET status = ?, score = ? WHERE snapshot_id = ?",
                (r.choice(("ok", "stale", "failed")), round(r.betavariate(2, 5), 4), key),
            )
        gone = live * 2 // 1000
        doomed = keys[: gone // 2] + r.sample(keys[gone // 2 :], gone - gone // 2)
        con.executemany("DELETE FROM snapshots WHERE snapshot_id = ?", ((key,) for key in doomed))
        self.insert(con, live // 100)


def make(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    part, app = folder / "part", App()
    for number, name in enumerate(NAMES):
        con = sqlite3.connect(part)
        con.execute("PRAGMA journal_mode = OFF")
        con.execute("PRAGMA synchronous = OFF")
        app.day(con) if number else app.fill(con)
        con.commit()
        con.close()
        shutil.copyfile(part, folder / f"{name}.part")
        Path(folder / f"{name}.part").replace(folder / name)
    part.unlink()
