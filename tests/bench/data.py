"""The data sets: found in folders, made by make-data, or stand-ins of the bench's own."""

import json
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import stand_ins

# Key, title, and the names under which the file is known, the one that the bars are set for first.
SETS = {
    "tpch": ("TPC-H SF1", ["tpch-sf1"]),
    "app": ("app database", ["app"]),
    "nycflights13": ("nycflights13", ["nycflights13"]),
    "debian": ("Debian's index", ["debian"]),
    "northwind": ("Northwind", ["northwind"]),
}
TABLES = """SELECT name FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"""
QUICK = {"tpch": ("TPC-H SF0.1", ["tpch-sf0.1"]), "app": ("app database, 20,000 rows", ["app-20000"])}


@dataclass
class DataSet:
    key: str
    title: str
    path: Path
    stand_in: bool
    bytes: int = 0
    rows: dict = field(default_factory=dict)
    smallest: str = ""  # the table with the fewest rows, where there is more than one
    notes: list = field(default_factory=list)


def find(keys, folders, place, make_data, quick, say):
    """The chosen sets. `place` keeps what is unpacked or made, for later runs too."""
    place.mkdir(parents=True, exist_ok=True)
    found = []
    for key in keys:
        title, names = QUICK.get(key, SETS[key]) if quick else SETS[key]
        path = stored(names, folders, place, say) or made(key, names, place, make_data, quick, say)
        stand_in = path is None
        if path is None:
            title += ": stand-in"
            path = place / f"stand-in-{key}{'-quick' if quick else ''}.sqlite"
            if not path.exists():
                say(f"{key}: not found in {', '.join(map(str, folders)) or 'any folder'}; making a small stand-in")
                stand_ins.make(key, path, 0.1 if quick else 1)
        found.append(described(DataSet(key, title, path, stand_in)))
    return found


def stored(names, folders, place, say):
    for name in names:
        for folder in folders:
            plain = folder / f"{name}.sqlite"
            if plain.is_file():
                return plain
            packed = folder / f"{name}.sqlite.zst"
            if packed.is_file():
                out = place / f"{name}.sqlite"
                if not out.exists() or out.stat().st_mtime < packed.stat().st_mtime:
                    say(f"unpacking {packed.name}")
                    part = out.with_suffix(".part")
                    subprocess.run(["zstd", "-dqf", packed, "-o", part], check=True)
                    part.touch()
                    part.replace(out)
                return out
    return None


def made(key, names, place, make_data, quick, say):
    """What make-data makes: TPC-H and the app database. Made in a folder whose name says the size, and kept."""
    if make_data is None or key not in ("tpch", "app"):
        return None
    folder = place / ("made-quick" if quick else "made")
    path = folder / (f"{names[0]}.sqlite" if key == "tpch" else "app.sqlite")
    done = folder / f"{key}.done"
    if not done.exists():
        say(f"{key}: making it with {make_data.name}")
        size = (
            ["--sf", names[0].removeprefix("tpch-sf")] if key == "tpch" else ["--rows", "20000" if quick else "1000000"]
        )
        subprocess.run([sys.executable, make_data, folder, "--only", key, *size], check=True, stdout=sys.stderr)
        done.touch()
    return path


def described(data):
    data.bytes = data.path.stat().st_size
    data.rows = rows_of(data.path)
    filled = {table: rows for table, rows in data.rows.items() if rows > 0}
    if len(filled) > 1:
        data.smallest = min(filled, key=lambda table: (filled[table], table))
    return data


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def read_only(path):
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)


def rows_of(path):
    """Rows of each table of the user, in the order of their making."""
    con = read_only(path)
    try:
        return {
            name: con.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0] for (name,) in con.execute(TABLES)
        }
    finally:
        con.close()


def changed_by_types(data, columns):
    """What the columnar peers do not keep: texts that their dates and timestamps give back in another form."""
    con = read_only(data.path)
    try:
        for table, kinds in columns.items():
            for column, kind in kinds.items():
                function = {"DATE": "date", "TIMESTAMP": "datetime"}.get(kind)
                if function is None:
                    continue
                name = quoted(column)
                count = con.execute(
                    f"SELECT count(*) FROM {quoted(table)} WHERE {name} IS NOT {function}({name})"
                ).fetchone()[0]
                if count:
                    data.notes.append(
                        f"Parquet and Vortex change {count:,} values of {table}.{column} ({kind} in place of text)"
                    )
    finally:
        con.close()


def columns_by_scanner(python, data):
    """The types that DuckDB's scanner gives the columns, from a process of its own."""
    program = Path(__file__).with_name("columnar.py")
    out = subprocess.run([python, program, "tables", data.path], check=True, capture_output=True, text=True).stdout
    return json.loads(out)
