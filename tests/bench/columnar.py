"""Columnar peers, each run as a program of its own so that its time and memory are its own.

    columnar.py tables  DB                  tables as DuckDB's SQLite scanner sees them, one JSON line
    columnar.py duckdb  DB FOLDER CODEC     DuckDB: COPY each table to Parquet, "zstd-3" or "default" (snappy)
    columnar.py pyarrow DB FOLDER CODEC     pyarrow: the scanner's Arrow to Parquet, "zstd-3" or "default" (snappy)
    columnar.py vortex  DB FOLDER           Vortex: the same Arrow to Vortex, its default edition
    columnar.py rows    FOLDER              rows of each Parquet or Vortex file, one JSON line
    columnar.py restore PARQUET TABLE NEW   one table from Parquet into a new SQLite file

The scanner maps declared types (DATE to a date, DECIMAL to a double). Where it refuses a table's values, that table
alone is scanned again as text (`sqlite_all_varchar`) and the program says so on its last line: {"as_text": [...]}.
"""

import json
import os
import sys
from pathlib import Path

import duckdb

from data import TABLES, read_only

BATCH = 65536
GROUP = 1 << 20  # rows of a row group in pyarrow's files: its own default


def scanner(db=None):
    """A connection that reads SQLite, without going to the net for the extension where PyPI has delivered it."""
    import duckdb_extension_sqlite_scanner as package

    delivered = sorted(Path(package.__file__).parent.rglob("*.duckdb_extension"))
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute(f"LOAD '{quoted(str(delivered[0]))}'" if delivered else "LOAD sqlite_scanner")
    if db is not None:
        attach(con, db, False)
    return con


def quoted(text):
    return text.replace("'", "''")


def name(text):
    return '"' + text.replace('"', '""') + '"'


def attach(con, db, as_text):
    con.execute("DETACH DATABASE IF EXISTS source")
    con.execute(f"SET GLOBAL sqlite_all_varchar={'true' if as_text else 'false'}")
    con.execute(f"ATTACH '{quoted(db)}' AS source (TYPE sqlite, READ_ONLY)")


def tables_of(db):
    """The names of the tables that hold data of the user, from SQLite itself: the scanner lists views as well."""
    con = read_only(db)
    return [name for (name,) in con.execute(TABLES)]


def each_table(db, folder, suffix, write):
    """Calls `write(con, table, path)` for each table; once more with all columns as text if the scanner refuses it."""
    folder = Path(folder)
    folder.mkdir()
    con = scanner(db)
    as_text = []
    for number, table in enumerate(tables_of(db)):
        path = folder / f"{number:02d}{suffix}"
        try:
            write(con, table, path)
        except Exception as error:  # Vortex and pyarrow wrap what DuckDB says in errors of their own
            if isinstance(error, (KeyboardInterrupt, MemoryError)):
                raise
            path.unlink(missing_ok=True)
            attach(con, db, True)
            write(con, table, path)
            attach(con, db, False)
            as_text.append({"table": table, "why": str(error).splitlines()[0][:160]})
    print(json.dumps({"as_text": as_text}))


def by_duckdb(db, folder, codec):
    options = "FORMAT parquet" if codec == "default" else "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3"

    def write(con, table, path):
        con.execute(f"COPY (SELECT * FROM source.{name(table)}) TO '{quoted(str(path))}' ({options})")

    each_table(db, folder, ".parquet", write)


def arrow(con, table):
    return con.execute(f"SELECT * FROM source.{name(table)}").to_arrow_reader(BATCH)


def by_pyarrow(db, folder, codec):
    import pyarrow as pa
    import pyarrow.parquet as pq

    how = {} if codec == "default" else {"compression": "zstd", "compression_level": 3}

    def write(con, table, path):
        reader = arrow(con, table)
        with pq.ParquetWriter(path, reader.schema, **how) as writer:
            waiting, rows = [], 0
            for batch in reader:
                waiting.append(batch)
                rows += batch.num_rows
                if rows >= GROUP:
                    writer.write_table(pa.Table.from_batches(waiting, reader.schema))
                    waiting, rows = [], 0
            writer.write_table(pa.Table.from_batches(waiting, reader.schema))

    each_table(db, folder, ".parquet", write)


def by_vortex(db, folder):
    import vortex

    each_table(db, folder, ".vortex", lambda con, table, path: vortex.io.write(arrow(con, table), str(path)))


def rows(folder):
    counts = {}
    for path in sorted(Path(folder).iterdir()):
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            counts[path.name] = pq.read_metadata(path).num_rows
        else:
            import vortex

            counts[path.name] = len(vortex.open(str(path)))
    print(json.dumps(counts))


def restore(parquet, table, new):
    con = scanner()
    con.execute(f"ATTACH '{quoted(new)}' AS target (TYPE sqlite)")
    con.execute(f"CREATE TABLE target.{name(table)} AS SELECT * FROM read_parquet('{quoted(parquet)}')")


def tables(db):
    con = scanner(db)
    seen = con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'source'"
    ).fetchall()
    wanted = tables_of(db)
    found = {table: {} for table in wanted}
    for table, column, kind in seen:
        if table in found:
            found[table][column] = kind
    print(json.dumps(found))


if __name__ == "__main__":
    work, *arguments = sys.argv[1:]
    {
        "tables": tables,
        "duckdb": by_duckdb,
        "pyarrow": by_pyarrow,
        "vortex": by_vortex,
        "rows": rows,
        "restore": restore,
    }[work](*arguments)
    sys.stdout.flush()
    os._exit(0)  # the libraries' threads need not be waited for
