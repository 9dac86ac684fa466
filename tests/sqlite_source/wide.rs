//! Sizes at the limits: columns, values, rows.

use tabark::model::{Cell, Value};
use tabark::source::Source as _;

use super::{Database, bytes_of, column_names, rows, table, text};

/// 2,000 columns are SQLite's limit for a table and for a result set alike; the hidden row id is one more.
#[test]
fn two_thousand_columns_and_a_hidden_row_id() {
    for encoding in ["UTF-8", "UTF-16be"] {
        let names: Vec<String> = (0..2000).map(|number| format!("c{number}")).collect();
        let values: Vec<String> = (0..2000)
            .map(|number| match number % 3 {
                0 => format!("{number}"),
                1 => format!("'é{number}'"),
                _ => format!("x'{number:04x}'"),
            })
            .collect();
        let database = Database::new(&format!(
            "PRAGMA encoding = '{encoding}'; CREATE TABLE t({0}); INSERT INTO t(rowid, {0}) VALUES (7, {1});
             INSERT INTO t(rowid, c1999) VALUES (-3, 'last'); INSERT INTO t SELECT * FROM t WHERE rowid = 7;
             CREATE TABLE k({0}, PRIMARY KEY(c1999, c0)) WITHOUT ROWID; INSERT INTO k SELECT * FROM t WHERE rowid = 7;
             INSERT INTO k(c0, c1999) VALUES ('b', 1), ('a', 1);",
            names.join(", "),
            values.join(", ")
        ));
        let source = database.source();
        let schema = table(&source, "t");
        assert_eq!(schema.columns.len(), 2001);
        assert_eq!(column_names(&schema)[0], "[rowid]");
        let expected: Vec<Value> = (0..2000_i64)
            .map(|number| match number % 3 {
                0 => Value::Integer(number),
                1 => text(&format!("é{number}")),
                _ => Value::Bytes(u16::try_from(number).unwrap().to_be_bytes().to_vec()),
            })
            .collect();
        let read = rows(&source, "t");
        assert_eq!(read.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), [-3, 7, 8].map(Value::Integer));
        assert_eq!((&read[0][1], &read[0][2000]), (&Value::Null, &text("last")));
        assert_eq!(read[1][1..], expected, "{encoding}");
        assert_eq!(read[2][1..], expected, "{encoding}");
        let keyed = rows(&source, "k");
        assert_eq!(
            keyed.iter().map(|row| row[0].clone()).collect::<Vec<_>>(),
            [text("a"), text("b"), Value::Integer(0)]
        );
        assert_eq!(keyed[2], expected, "{encoding}");
    }
}

#[test]
fn values_of_a_hundred_megabytes() {
    const SIZE: usize = 100_000_000;
    for encoding in ["UTF-8", "UTF-16le"] {
        let database = Database::new(&format!("PRAGMA encoding = '{encoding}'; CREATE TABLE t(a, b)"));
        let writer = database.writer();
        writer.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").unwrap();
        writer.execute("INSERT INTO t VALUES (zeroblob(?), 1)", [i64::try_from(SIZE).unwrap()]).unwrap();
        writer.execute("INSERT INTO t VALUES (?, 2), ('small', 3)", ["xy".repeat(SIZE / 2)]).unwrap();
        let source = database.source();
        let schema = table(&source, "t");
        let mut seen = Vec::new();
        source
            .read_table(&schema, &mut |cells: &[Cell<'_>]| {
                seen.push(match cells[1] {
                    Cell::Bytes(bytes) => ("bytes", bytes.len(), bytes == vec![0; SIZE]),
                    Cell::Text(bytes) => ("text", bytes.len(), bytes.starts_with(b"xyxyxy")),
                    _ => ("other", 0, false),
                });
                assert!(matches!(cells[2], Cell::Integer(_)));
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, [("bytes", SIZE, true), ("text", SIZE, true), ("text", 5, false)], "{encoding}");
    }
}

#[test]
fn tables_with_no_rows() {
    let database = Database::new(
        "CREATE TABLE a(x); CREATE TABLE b(x PRIMARY KEY) WITHOUT ROWID; CREATE TABLE c(rowid, oid, _rowid_)",
    );
    let before = bytes_of(&database.path());
    let source = database.source();
    for name in ["a", "b", "c"] {
        assert!(rows(&source, name).is_empty());
    }
    drop(source);
    assert_eq!(bytes_of(&database.path()), before);
}

/// Many rows in lockstep over two statements, rowids with gaps.
#[test]
fn a_wide_table_of_many_rows_keeps_its_rows_together() {
    let names: Vec<String> = (0..2000).map(|number| format!("c{number}")).collect();
    let database = Database::new(&format!(
        "CREATE TABLE t({}); CREATE INDEX tempting ON t(c1999);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
         INSERT INTO t(rowid, c0, c1998, c1999) SELECT (i * 7919) % 10007, i, i, -i FROM n;",
        names.join(", ")
    ));
    let source = database.source();
    let read = rows(&source, "t");
    assert_eq!(read.len(), 2000);
    for row in read {
        let Value::Integer(n) = row[1] else { panic!("{:?}", row[1]) };
        assert_eq!(
            (&row[0], &row[1999], &row[2000]),
            (&Value::Integer(n * 7919 % 10007), &Value::Integer(n), &Value::Integer(-n))
        );
    }
}
