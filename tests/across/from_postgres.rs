//! PostgreSQL's tables in SQLite.

use rusqlite::Connection;

use tabark::archive::{Archive, SnapshotSelector};
use tabark::restore::{RestoreOptions, restore};
use tabark::selection::Selection;

use crate::postgres::{Database, load_everything, oldest, server, servers};
use crate::{assert_sound, dump_postgres, in_folder, into_sqlite, oracle, rows};

/// Dumps a database, restores it into a new SQLite file, and compares every cell of every table that arrived.
fn assert_arrives(database: &Database<'_>) -> (tempfile::TempDir, Vec<String>) {
    assert_arrives_but(database, &[])
}

/// The same, without tables of these names.
fn assert_arrives_but(database: &Database<'_>, without: &[&str]) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let (archive, target) = (in_folder(&folder, "a.tabark"), in_folder(&folder, "a.sqlite"));
    dump_postgres(database, &archive);
    let report = into_sqlite(&archive, &target).unwrap();
    assert!(report.tables.iter().all(|table| table.proved));
    assert_sound(&target);
    let connection = Connection::open(&target).unwrap();
    for (place, columns) in oracle::tables(database) {
        if without.contains(&place.1.as_str()) {
            continue;
        }
        let name = if place.0 == "public" { place.1.clone() } else { format!("{}.{}", place.0, place.1) };
        let expected = oracle::of_postgres(database, &place, &columns);
        assert_eq!(oracle::of_sqlite(&connection, &name, &columns), expected, "{name}");
    }
    (folder, report.plan.warnings)
}

#[test]
fn every_type_has_its_form() {
    for server in servers() {
        let database = server.database("types_across");
        database.psql(
            "CREATE TYPE public.mood AS ENUM ('sad', 'it''s fine');
             CREATE TABLE public.t (id integer PRIMARY KEY, b boolean NOT NULL DEFAULT true, i2 smallint DEFAULT -1, i8 bigint,
                 f4 real, f8 double precision, n numeric, d numeric(10,2) DEFAULT 1.5, t text DEFAULT 'it''s', v varchar(9),
                 c char(4), y bytea, day date, clock time, at timestamp, zoned timestamptz, u uuid, j json, jb jsonb,
                 i interval, m public.mood DEFAULT 'sad', a integer[], ip inet, UNIQUE (i8, v));
             INSERT INTO public.t VALUES
                 (1, true, 5, 9223372036854775807, 0.1, 0.1, 1.10, 1.10, 'x', 'y', 'z', '\\x00ff', '2026-03-01', '12:00:00.5',
                  '2026-03-01 12:00:00.25', '2026-03-01 12:00:00+02', '11111111-2222-3333-4444-555555555555', '{\"a\" :1}',
                  '{\"a\":1}', '1 day 02:00', 'it''s fine', '{1,NULL}', '10.0.0.1'),
                 (-2, false, -5, -9223372036854775808, '-infinity', '-0', 123456789012345678901234567890.5, '-0.05', '', '', '',
                  '', 'infinity', '24:00', '-infinity', 'infinity', NULL, NULL, NULL, '-1 mon', 'sad', '{}', NULL),
                 (3, false, NULL, NULL, NULL, 1, 7, NULL, NULL, NULL, NULL, NULL, '0044-03-15 BC', NULL, '0044-03-15 12:00 BC',
                  '0044-03-15 12:00 BC', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
                 (4, true, NULL, NULL, NULL, 1e300, 'NaN', 'NaN', NULL, NULL, NULL, NULL, '5874897-12-31', NULL,
                  '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999', NULL, NULL, NULL, NULL, NULL, NULL, NULL);",
        );
        let (folder, _) = assert_arrives(&database);
        let connection = Connection::open(in_folder(&folder, "a.sqlite")).unwrap();
        let told = rows(
            &connection,
            "SELECT typeof(b), typeof(i8), typeof(f8), typeof(n), d, typeof(t), typeof(y), day, clock, at, zoned, m FROM t WHERE id = 1",
        );
        let expected = "Text(\"integer\") Text(\"integer\") Text(\"real\") Text(\"text\") Text(\"1.10\") Text(\"text\") \
                        Text(\"blob\") Text(\"2026-03-01\") Text(\"12:00:00.5\") Text(\"2026-03-01 12:00:00.25\") \
                        Text(\"2026-03-01 10:00:00+00:00\") Text(\"it's fine\")";
        assert_eq!(unbyted(&told[0]), expected);
        connection.execute_batch("INSERT INTO t(id) VALUES (9)").unwrap();
        assert_eq!(
            unbyted(&rows(&connection, "SELECT b, i2, d, t, m FROM t WHERE id = 9")[0]),
            "Integer(1) Integer(-1) Text(\"1.50\") Text(\"it's\") Text(\"sad\")"
        );
        assert!(connection.execute_batch("INSERT INTO t(id, m) VALUES (10, 'glad')").is_err());
    }
}

/// Texts instead of their bytes.
fn unbyted(row: &str) -> String {
    let mut written = String::new();
    for (at, part) in row.split("Text([").enumerate() {
        if at == 0 {
            written.push_str(part);
            continue;
        }
        let (bytes, rest) = part.split_once("])").unwrap();
        let bytes: Vec<u8> =
            bytes.split(", ").filter(|byte| !byte.is_empty()).map(|byte| byte.parse().unwrap()).collect();
        written.push_str(&format!("Text(\"{}\"){rest}", String::from_utf8(bytes).unwrap()));
    }
    written
}

#[test]
fn what_would_change_is_refused_by_name() {
    let Some(server) = server(oldest()) else { return };
    for (script, told) in [
        (
            "CREATE TABLE t (id integer PRIMARY KEY, f float8); INSERT INTO t VALUES (5, 1), (7, 'NaN')",
            "column \"f\", row 1 (id = 7)",
        ),
        ("CREATE TABLE t (f float4); INSERT INTO t VALUES ('NaN')", "NaN"),
        ("CREATE TABLE t (a integer, \"A\" integer)", "one name in SQLite"),
        ("CREATE TABLE t (a integer); CREATE TABLE \"T\" (a integer)", "one name in SQLite"),
        ("CREATE SCHEMA s; CREATE TABLE s.t (a integer); CREATE TABLE \"s.t\" (a integer)", "one name in SQLite"),
        ("CREATE TABLE sqlite_x (a integer)", "SQLite's own"),
    ] {
        let database = server.database("refused_by_sqlite");
        database.psql(script);
        let folder = tempfile::tempdir().unwrap();
        let (archive, target) = (in_folder(&folder, "a.tabark"), in_folder(&folder, "a.sqlite"));
        dump_postgres(&database, &archive);
        let error = into_sqlite(&archive, &target).unwrap_err();
        assert!(error.to_string().contains(told), "{script}: {error}");
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{script}: {left:?}");
    }
}

#[test]
fn keys_indexes_and_names_arrive_or_are_named() {
    let Some(server) = server(oldest()) else { return };
    let database = server.database("shapes");
    database.psql(
        "CREATE SCHEMA audit;
         CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, size integer,
             twice integer GENERATED ALWAYS AS (size * 2) STORED, CONSTRAINT small CHECK (size < 100));
         CREATE TABLE audit.log (a bigint REFERENCES a ON DELETE CASCADE, n integer, at timestamptz DEFAULT now(), PRIMARY KEY (a, n));
         CREATE TABLE nothing ();
         CREATE TABLE keyed (k text PRIMARY KEY, rowid integer);
         CREATE INDEX plain ON a (size DESC, name); CREATE UNIQUE INDEX once ON a (size);
         CREATE INDEX lower ON a (lower(name)); CREATE INDEX partly ON a (name) WHERE size > 0;
         CREATE VIEW v AS SELECT * FROM a; COMMENT ON TABLE a IS 'x'; GRANT SELECT ON a TO PUBLIC;
         CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         INSERT INTO a(name, size) VALUES ('x', 1), ('y', 2); INSERT INTO audit.log VALUES (2, 1), (1, 2), (1, 1);
         INSERT INTO keyed VALUES ('b', 1), ('a', 2);",
    );
    let (folder, warnings) = assert_arrives_but(&database, &["nothing"]);
    let told = warnings.join("\n");
    for what in [
        "generated column \"twice\"",
        "check \"small\"",
        "default of column \"at\"",
        "table \"nothing\"",
        "index \"lower",
        "index \"partly",
        "view \"v\"",
        "function",
        "kind \"comment\"",
        "kind \"privileges\"",
    ] {
        assert!(told.contains(what), "{what}: {told}");
    }
    let connection = Connection::open(in_folder(&folder, "a.sqlite")).unwrap();
    let names = rows(&connection, "SELECT name FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name");
    let names: Vec<String> = names.iter().map(|name| unbyted(name)).collect();
    let expected = ["a", "audit.log", "keyed", "once", "plain"].map(|name| format!("Text(\"{name}\")"));
    assert_eq!(names, expected);
    connection
        .execute_batch("PRAGMA foreign_keys = ON; INSERT INTO a(name) VALUES ('z'); DELETE FROM a WHERE id = 1")
        .unwrap();
    assert_eq!(rows(&connection, "SELECT count(*) FROM \"audit.log\""), ["Integer(1)"]);
    assert_eq!(rows(&connection, "SELECT max(id) FROM a"), ["Integer(3)"]);
}

/// The schema of everything, table by table: each arrives whole or is refused for what it holds.
#[test]
fn everything_arrives_or_is_refused() {
    for server in servers() {
        let database = server.database("everything_across");
        load_everything(&database);
        // A dump of it fails on its own.
        database.psql("DROP TABLE IF EXISTS more_types.of_the_system CASCADE");
        let folder = tempfile::tempdir().unwrap();
        let archive_path = in_folder(&folder, "a.tabark");
        dump_postgres(&database, &archive_path);
        let archive = Archive::open(&archive_path).unwrap();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        let (mut arrived, mut refused) = (0, Vec::new());
        for entry in &snapshot.catalog().tables {
            let target = in_folder(&folder, "one.sqlite");
            let Ok(tables) = Selection::new(&[entry.name.as_str()], &[]) else { continue };
            match restore(&snapshot, &target, &RestoreOptions::default().tables(tables), &()) {
                Ok(report) => {
                    arrived += 1;
                    assert!(report.tables[0].proved);
                    let connection = Connection::open(&target).unwrap();
                    let schema = snapshot.table(&entry.name).unwrap().schema().clone();
                    let place =
                        (schema.option("schema").unwrap().to_owned(), schema.option("relation").unwrap().to_owned());
                    if let Some(columns) = oracle::tables(&database).get(&place) {
                        let expected = oracle::of_postgres(&database, &place, columns);
                        let found = oracle::of_sqlite(&connection, &report.tables[0].name, columns);
                        assert_eq!(found, expected, "{}", entry.name);
                    }
                    std::fs::remove_file(&target).unwrap();
                }
                Err(error) => refused.push(format!("{}: {error}", entry.name)),
            }
        }
        let known = ["NaN", "one name in SQLite", "takes tables only", "without"];
        let others: Vec<&String> = refused.iter().filter(|told| !known.iter().any(|why| told.contains(why))).collect();
        assert!(others.is_empty(), "{others:#?}");
        assert!(arrived > 20 && refused.len() < arrived, "{arrived} arrived; {refused:#?}");
    }
}

#[test]
fn pagila_arrives() {
    let Some(folder) = std::env::var_os("TABARK_CORPUS") else { return };
    let Some(server) = server(oldest()) else { return };
    let packed = std::path::Path::new(&folder).join("pagila.pg.sql.zst");
    let Ok(packed) = std::fs::File::open(packed) else { return };
    let mut sql = tempfile::NamedTempFile::new().unwrap();
    zstd::stream::copy_decode(packed, &mut sql).unwrap();
    let database = server.database("pagila_across");
    database.psql_file(sql.path());
    assert_arrives(&database);
}
