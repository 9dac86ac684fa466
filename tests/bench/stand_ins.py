"""Small made data in the shapes of the real sets, for machines that do not have them. Same seed, same rows.

Nothing measured on these says how the real sets would do: they show that the bench works.
"""

import json
import random
import sqlite3
from datetime import datetime, timedelta

WORDS = (
    "carefully final deposits sleep above regular packages quickly ironic requests haggle furiously bold accounts nag "
    "pending theodolites even instructions wake blithely special pinto beans library server tool data common files "
    "small network daemon client development headers documentation transitional package debugging symbols"
).split()
START = datetime(2013, 1, 1)


def text(r, low, high):
    return " ".join(r.choices(WORDS, k=r.randint(low, high)))


def hexes(r, digits):
    return f"{r.getrandbits(4 * digits):0{digits}x}"


def uuid(r):
    h = hexes(r, 32)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def cents(r, low, high):
    return r.randint(low * 100, high * 100) / 100


def day(r, days=2500):
    return (START + timedelta(days=r.randrange(days))).strftime("%Y-%m-%d")


def tpch(r, n):
    yield (
        "CREATE TABLE region (r_regionkey INTEGER PRIMARY KEY, r_name CHAR(25) NOT NULL, r_comment VARCHAR(152))",
        ((i, name, text(r, 5, 12)) for i, name in enumerate(("AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"))),
    )
    yield (
        "CREATE TABLE customer (c_custkey INTEGER PRIMARY KEY, c_name VARCHAR(25) NOT NULL, c_phone CHAR(15) NOT NULL, "
        "c_acctbal DECIMAL(15,2) NOT NULL, c_mktsegment CHAR(10) NOT NULL, c_comment VARCHAR(117) NOT NULL)",
        (
            (
                i,
                f"Customer#{i:09d}",
                f"{r.randint(10, 34)}-{r.randint(100, 999)}-{r.randint(100, 999)}-{r.randint(1000, 9999)}",
                cents(r, -999, 9999),
                r.choice(("BUILDING", "MACHINERY", "HOUSEHOLD")),
                text(r, 6, 14),
            )
            for i in range(1, n // 20)
        ),
    )
    yield (
        "CREATE TABLE orders (o_orderkey INTEGER PRIMARY KEY, o_custkey INTEGER NOT NULL, "
        "o_orderstatus CHAR(1) NOT NULL, o_totalprice DECIMAL(15,2) NOT NULL, o_orderdate DATE NOT NULL, "
        "o_clerk CHAR(15) NOT NULL, o_comment VARCHAR(79) NOT NULL)",
        (
            (
                i * 4,
                r.randint(1, n // 20),
                r.choice("OFP"),
                cents(r, 900, 400000),
                day(r),
                f"Clerk#{r.randint(1, 999):09d}",
                text(r, 3, 10),
            )
            for i in range(1, n // 4)
        ),
    )
    yield (
        "CREATE TABLE lineitem (l_orderkey INTEGER NOT NULL, l_partkey INTEGER NOT NULL, l_suppkey INTEGER NOT NULL, "
        "l_linenumber INTEGER NOT NULL, l_quantity DECIMAL(15,2) NOT NULL, l_extendedprice DECIMAL(15,2) NOT NULL, "
        "l_discount DECIMAL(15,2) NOT NULL, l_returnflag CHAR(1) NOT NULL, l_shipdate DATE NOT NULL, "
        "l_shipmode CHAR(10) NOT NULL, "
        "l_comment VARCHAR(44) NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber))",
        (
            (
                4 * (i // 4),
                r.randint(1, n // 5),
                r.randint(1, n // 100),
                i % 4 + 1,
                r.randint(1, 50),
                cents(r, 900, 100000),
                r.randint(0, 10) / 100,
                r.choice("ANR"),
                day(r),
                r.choice(("AIR", "MAIL", "RAIL", "SHIP", "TRUCK")),
                text(r, 2, 5),
            )
            for i in range(n)
        ),
    )
    yield "CREATE INDEX orders_custkey ON orders(o_custkey)", None
    yield "CREATE INDEX lineitem_part ON lineitem(l_partkey, l_suppkey)", None


def app(r, n):
    yield (
        "CREATE TABLE drivers (driver_id INTEGER PRIMARY KEY, market TEXT NOT NULL, "
        "rating NUMERIC, tags TEXT NOT NULL)",
        (
            (
                i,
                r.choice(("Berlin", "Lagos", "東京", "São Paulo")),
                None if r.random() < 0.1 else r.randint(420, 500) / 100,
                '["' + '", "'.join(r.sample(WORDS, 3)) + '"]',
            )
            for i in range(1, n // 100)
        ),
    )
    moment = START
    rows = []
    for i in range(1, n):
        moment += timedelta(milliseconds=r.randint(10, 20000))
        weather = (
            None
            if r.random() < 0.02
            else json.dumps({"temp_c": r.randint(-50, 350) / 10, "sky": r.choice(WORDS), "humidity": r.randint(20, 99)})
        )
        rows.append(
            (
                i,
                uuid(r),
                r.randint(1, n // 100),
                moment.isoformat(timespec="milliseconds") + "Z",
                round(52.5 + r.gauss(0, 0.1), 7),
                round(13.4 + r.gauss(0, 0.1), 7),
                weather,
                r.random() < 0.05,
                r.choices(("ok", "stale", "failed"), (92, 6, 2))[0],
                None if r.random() < 0.3 else cents(r, 6, 80),
            )
        )
    yield (
        "CREATE TABLE snapshots (snapshot_id INTEGER PRIMARY KEY, public_id TEXT NOT NULL, driver_id INTEGER NOT NULL, "
        "captured_at TEXT NOT NULL, lat REAL NOT NULL, lng REAL NOT NULL, weather TEXT, is_holiday BOOLEAN NOT NULL, "
        "status TEXT NOT NULL, fare NUMERIC)",
        rows,
    )
    yield "CREATE INDEX snapshots_driver ON snapshots(driver_id, captured_at)", None


def nycflights13(r, n):
    carriers = ["UA", "AA", "B6", "DL", "EV", "MQ", "US", "WN"]
    yield "CREATE TABLE airlines (carrier TEXT PRIMARY KEY, name TEXT)", ((c, text(r, 2, 3)) for c in carriers)

    def flights():
        for i in range(n):
            moment = START + timedelta(minutes=i * 525600 // n)
            planned = moment.hour * 100 + moment.minute
            late = None if r.random() < 0.02 else int(r.expovariate(1 / 15)) - 6
            yield (
                moment.year,
                moment.month,
                moment.day,
                planned,
                late,
                r.choice(carriers),
                r.randint(1, 6000),
                f"N{r.randint(100, 900)}UA",
                r.choice(("EWR", "JFK", "LGA")),
                r.choice(WORDS)[:3].upper(),
                None if late is None else r.randint(30, 600),
                moment.strftime("%Y-%m-%d %H:00:00"),
            )

    yield (
        "CREATE TABLE flights (year INTEGER, month INTEGER, day INTEGER, sched_dep_time INTEGER, dep_delay INTEGER, "
        "carrier TEXT, "
        "flight INTEGER, tailnum TEXT, origin TEXT, dest TEXT, air_time INTEGER, time_hour TEXT)",
        flights(),
    )
    yield "CREATE INDEX flights_carrier ON flights(carrier, flight)", None


def debian(r, n):
    yield (
        "CREATE TABLE packages (package TEXT, version TEXT, section TEXT, installed_size INTEGER, maintainer TEXT, "
        "depends TEXT, "
        "description TEXT, sha256 TEXT, PRIMARY KEY (package, version))",
        (
            (
                f"{r.choice(WORDS)}-{i}",
                f"{r.randint(0, 9)}.{r.randint(0, 20)}-{r.randint(1, 5)}",
                r.choice(WORDS),
                r.randint(10, 90000),
                f"{r.choice(WORDS)} <{r.choice(WORDS)}@example.org>",
                ", ".join(f"{w} (>= {r.randint(1, 9)})" for w in r.choices(WORDS, k=r.randint(0, 9))) or None,
                text(r, 10, 80),
                hexes(r, 64),
            )
            for i in range(n // 5)
        ),
    )


def northwind(r, n):
    yield (
        "CREATE TABLE Products (ProductID INTEGER PRIMARY KEY, ProductName TEXT NOT NULL, "
        "UnitPrice NUMERIC, Picture BLOB)",
        ((i, text(r, 1, 3), cents(r, 2, 200), r.randbytes(2000)) for i in range(1, 78)),
    )
    yield (
        'CREATE TABLE "Order Details" (OrderID INTEGER NOT NULL, ProductID INTEGER NOT NULL, '
        "UnitPrice NUMERIC NOT NULL, "
        "Quantity INTEGER NOT NULL, Discount REAL NOT NULL, PRIMARY KEY (OrderID, ProductID))",
        (
            (10000 + i // 38, i % 38 * 2 + r.randint(1, 2), cents(r, 2, 200), r.randint(1, 50), 0.0)
            for i in range(2 * n)
        ),
    )


MAKERS = {"tpch": tpch, "app": app, "nycflights13": nycflights13, "debian": debian, "northwind": northwind}


def make(key, path, scale):
    """Writes the stand-in of a set; 100,000 rows in its largest table at scale 1, or some share of it."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    con = sqlite3.connect(part)
    con.execute("PRAGMA journal_mode = OFF")
    con.execute("PRAGMA synchronous = OFF")
    for statement, rows in MAKERS[key](random.Random(key), int(100_000 * scale)):
        con.execute(statement)
        if rows is None:
            continue
        table = statement.removeprefix("CREATE TABLE ").split(" (")[0]
        rows = iter(rows)
        first = next(rows)
        insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(first))})"
        con.execute(insert, first)
        con.executemany(insert, rows)
    con.execute("ANALYZE")
    con.commit()
    con.close()
    part.replace(path)
