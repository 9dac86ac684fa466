//! SQLite's tables in PostgreSQL.

use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::corpus::samples;
use crate::postgres::{Database, oldest, server, servers};
use crate::{assert_sound, dump_postgres, dump_sqlite, in_folder, into_postgres, into_sqlite, oracle, rows};

/// A database made by a script, dumped.
pub(crate) fn dumped(script: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (source, archive) = (in_folder(&folder, "a.sqlite"), in_folder(&folder, "a.tabark"));
    Connection::open(&source).unwrap().execute_batch(script).unwrap();
    dump_sqlite(&source, &archive);
    (folder, archive)
}

/// Every cell that `psql` tells is the one that SQLite tells.
fn assert_same(source: &Connection, database: &Database<'_>) -> usize {
    let tables = oracle::tables(database);
    for (place, columns) in &tables {
        let expected = oracle::of_sqlite(source, &place.1, columns);
        assert_eq!(oracle::of_postgres(database, place, columns), expected, "{}", place.1);
    }
    tables.len()
}

#[test]
fn columns_get_the_types_of_what_they_hold() {
    let script = "
        CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, price DECIMAL(10,2) DEFAULT 0,
            ratio REAL, code INTEGER, photo BLOB, day DATE, flag BOOLEAN, note TEXT DEFAULT 'it''s', blank);
        INSERT INTO parent VALUES (1, 'a', 5, 5, 5, x'00ff', '2026-03-01', 1, '', NULL),
            (40, 'é|\n', 5.99, -0.0, 'x', x'', NULL, 0, 'z', NULL), (3, '', 9007199254740992, 9e999, -1, NULL, '', NULL, NULL, NULL);
        INSERT INTO parent(id, name) VALUES (99, 'gone'); DELETE FROM parent WHERE id = 99;
        CREATE TABLE child (a INTEGER, b TEXT, parent INTEGER REFERENCES parent ON DELETE CASCADE, PRIMARY KEY (a, b)) WITHOUT ROWID;
        INSERT INTO child VALUES (1, 'x', 1), (1, 'y', 40), (0, 'z', NULL);
        CREATE INDEX child_parent ON child(parent DESC, b);
        CREATE INDEX partly ON child(b) WHERE a > 0;
        CREATE VIEW v AS SELECT * FROM parent;
        CREATE TABLE \"Odd \"\"name\"\"\" (\"select\" TEXT);
        CREATE TABLE empty (i INT, t VARCHAR(9), r DOUBLE, b BLOB, n NUMERIC);";
    for server in servers() {
        let (folder, archive) = dumped(script);
        let database = server.database("from_sqlite");
        let report = into_postgres(&archive, &database).unwrap();
        assert!(report.tables.iter().all(|table| table.proved));
        let source = Connection::open(in_folder(&folder, "a.sqlite")).unwrap();
        assert_eq!(assert_same(&source, &database), 4);
        let types = database.psql(
            "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid IN ('parent'::regclass, 'empty'::regclass) AND attnum > 0 GROUP BY attrelid ORDER BY attrelid",
        );
        let mut types: Vec<&str> = types.lines().collect();
        types.sort_unstable();
        assert_eq!(
            types,
            [
                "bigint text double precision bytea double precision",
                "bigint text double precision double precision text bytea text bigint text bytea"
            ]
        );
        // The key goes on behind what was ever given out, and what refers to rows goes with them.
        assert_eq!(database.psql("INSERT INTO parent(name) VALUES ('new') RETURNING id").trim(), "100");
        assert_eq!(database.psql("DELETE FROM parent WHERE id = 40; SELECT count(*) FROM child").trim(), "2");
        assert!(database.try_psql("INSERT INTO parent(name) VALUES ('a')").is_err());
        let left_out = report.plan.warnings.join("\n");
        for what in ["view \"v\"", "index \"partly\"", "column \"price\"", "column \"code\""] {
            assert!(left_out.contains(what), "{what}: {left_out}");
        }
    }
}

#[test]
fn what_would_change_is_refused_by_name() {
    let Some(server) = server(oldest()) else { return };
    let long = "n".repeat(64);
    for (script, told) in [
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('ok'), (CAST(x'610062' AS TEXT))".to_owned(), "row 1"),
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (CAST(x'ff' AS TEXT))".to_owned(), "not valid"),
        ("CREATE TABLE t (a); INSERT INTO t VALUES (1), (x'00')".to_owned(), "1 integer, 1 byte string"),
        ("CREATE TABLE t (a); INSERT INTO t VALUES (1), (1.0)".to_owned(), "whole"),
        ("CREATE TABLE t (a); INSERT INTO t VALUES (9007199254740993), (1.5)".to_owned(), "2^53"),
        ("CREATE TABLE t (a); INSERT INTO t VALUES (1), ('1')".to_owned(), "looks like a number"),
        (format!("CREATE TABLE {long} (a)"), "63 bytes"),
        (format!("CREATE TABLE t ({long})"), "63 bytes"),
        ("CREATE TABLE t (ctid)".to_owned(), "ctid"),
    ] {
        let (_folder, archive) = dumped(&script);
        let database = server.database("refused");
        let error = into_postgres(&archive, &database).unwrap_err();
        let told_of = format!("{error} {}", error.table().unwrap_or_default());
        assert!(told_of.contains(told), "{script}: {told_of}");
        assert_eq!(
            database.psql("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace").trim(),
            "0"
        );
    }
}

#[test]
fn there_and_back_cells_are_what_they_were() {
    let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, r REAL, s TEXT, b BLOB, n NUMERIC);
        INSERT INTO t VALUES (-9223372036854775808, 4.9e-324, 'ü', x'00', 1), (0, -1e999, '', x'', 2),
            (9223372036854775807, -0.0, '2026-01-01', NULL, NULL);
        CREATE TABLE u (a TEXT, b INTEGER, PRIMARY KEY (a, b)); INSERT INTO u VALUES ('b', 1), ('a', 2);";
    for server in servers() {
        let (folder, archive) = dumped(script);
        let database = server.database("there_and_back");
        into_postgres(&archive, &database).unwrap();
        let (again, target) = (in_folder(&folder, "b.tabark"), in_folder(&folder, "b.sqlite"));
        dump_postgres(&database, &again);
        into_sqlite(&again, &target).unwrap();
        assert_sound(&target);
        let before = Connection::open(in_folder(&folder, "a.sqlite")).unwrap();
        let after = Connection::open(target).unwrap();
        for table in ["t", "u"] {
            let sql = format!("SELECT * FROM {table} ORDER BY 1, 2");
            assert_eq!(rows(&before, &sql), rows(&after, &sql));
        }
    }
}

/// Real databases, table by table.
#[test]
fn real_databases_arrive() {
    let Some(server) = server(oldest()) else { return };
    for sample in samples() {
        if !["chinook", "pagila", "northwind", "geo", "lahman"].contains(&sample.name.as_str()) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let archive = in_folder(&folder, "a.tabark");
        dump_sqlite(&sample.path, &archive);
        let database = server.database(&format!("real_{}", sample.name));
        let report = into_postgres(&archive, &database).unwrap_or_else(|error| {
            let whole = format!("{}: {error} {:?} {:?}", sample.name, error.table(), error.hint());
            crate::postgres::panic_with(&whole)
        });
        assert!(report.tables.iter().all(|table| table.proved));
        let source = Connection::open(&sample.path).unwrap();
        assert!(assert_same(&source, &database) > 0, "{}", sample.name);
        // And back.
        let (again, target) = (in_folder(&folder, "b.tabark"), in_folder(&folder, "b.sqlite"));
        dump_postgres(&database, &again);
        into_sqlite(&again, &target).unwrap();
        let back = Connection::open(&target).unwrap();
        for (place, columns) in oracle::tables(&database) {
            assert_eq!(oracle::of_sqlite(&back, &place.1, &columns), oracle::of_sqlite(&source, &place.1, &columns));
        }
    }
}
