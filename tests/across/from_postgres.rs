//! PostgreSQL's tables in SQLite.

use rusqlite::Connection;

use crate::postgres::{Database, servers};
use crate::{assert_sound, dump_postgres, in_folder, into_sqlite, oracle, rows};

/// Dumps a database, restores it into a new SQLite file, and compares every cell of every table that arrived.
fn assert_arrives(database: &Database<'_>) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let (archive, target) = (in_folder(&folder, "a.tabark"), in_folder(&folder, "a.sqlite"));
    dump_postgres(database, &archive);
    let report = into_sqlite(&archive, &target).unwrap();
    assert!(report.tables.iter().all(|table| table.proved));
    assert_sound(&target);
    let connection = Connection::open(&target).unwrap();
    for (place, columns) in oracle::tables(database) {
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
