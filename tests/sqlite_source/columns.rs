//! What a table looks like: what is the row id, what is the key, what is not stored.

use rusqlite::Connection;
use tabark::model::{TableSchema, Value};
use tabark::source::Source as _;

use super::{Database, column, column_names, rows, table, text};

/// The name of the column that is the row id, asked of SQLite by writing to the row id and looking where it shows.
fn alias_by_experiment(connection: &Connection) -> Option<String> {
    connection.execute("INSERT INTO t(rowid) VALUES (4711)", []).unwrap();
    let mut statement = connection.prepare("SELECT * FROM t").unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row: Vec<Option<i64>> =
        statement.query_row([], |row| (0..names.len()).map(|index| row.get(index)).collect()).unwrap();
    names.into_iter().zip(row).find(|(_, value)| *value == Some(4711)).map(|(name, _)| name)
}

#[test]
fn integer_primary_key_is_the_row_id_exactly_when_sqlite_says_so() {
    let definitions = [
        ("id INTEGER PRIMARY KEY, a", true),
        ("id integer primary key asc, a", true),
        ("a, Id InTeGeR PRIMARY KEY AUTOINCREMENT", true),
        ("id INTEGER PRIMARY KEY DESC, a", false),
        ("id INT PRIMARY KEY, a", false),
        ("id BIGINT PRIMARY KEY, a", false),
        ("id UNSIGNED INTEGER PRIMARY KEY, a", false),
        ("id INTEGER(8) PRIMARY KEY, a", false),
        ("id \"INTEGER\" PRIMARY KEY, a", true),
        ("id INTEGER, a, PRIMARY KEY(id)", true),
        ("id INTEGER, a, PRIMARY KEY(id ASC)", true),
        ("id INTEGER, a, PRIMARY KEY(id DESC)", true),
        ("id INTEGER, a, PRIMARY KEY(id COLLATE NOCASE)", true),
        ("id INTEGER, a, PRIMARY KEY(id, a)", false),
        ("id INTEGER UNIQUE PRIMARY KEY, a", true),
        ("id INT UNIQUE PRIMARY KEY, a", false),
        ("id INTEGER PRIMARY KEY UNIQUE, a UNIQUE", true),
        ("id INTEGER UNIQUE, a", false),
        ("id PRIMARY KEY, a INTEGER", false),
        ("a, id INTEGER CONSTRAINT pk PRIMARY KEY ON CONFLICT REPLACE", true),
    ];
    for (definition, expected) in definitions {
        let database = Database::new(&format!("CREATE TABLE t({definition})"));
        let alias = alias_by_experiment(&database.writer());
        assert_eq!(alias.is_some(), expected, "{definition}: the experiment");
        let source = database.source();
        let schema = table(&source, "t");
        assert_eq!(schema.option("rowid"), alias.as_deref(), "{definition}");
        let [key] = schema.key.as_slice() else { panic!("{definition}: {:?}", schema.key) };
        let column = &schema.columns[key.column as usize];
        assert_eq!(column.hidden, alias.is_none(), "{definition}");
        assert!(!column.nullable && !key.descending && key.collation == "BINARY", "{definition}");
        assert_eq!(rows(&source, "t")[0][key.column as usize], Value::Integer(4711), "{definition}");
        let autoincrement = definition.contains("AUTOINCREMENT").then_some("1");
        assert_eq!(schema.option("autoincrement"), autoincrement, "{definition}");
        assert!(source.catalog().omitted.is_empty());
    }
}

#[test]
fn a_hidden_row_id_takes_the_first_name_that_no_column_has() {
    for (columns, expected) in [
        ("a", "rowid"),
        ("RowID", "_rowid_"),
        ("rowid, oid", "_rowid_"),
        ("rowid, _ROWID_", "oid"),
        ("a, rowid AS (a || 'generated')", "_rowid_"),
        ("rowid TEXT PRIMARY KEY, _rowid_", "oid"),
    ] {
        let database = Database::new(&format!("CREATE TABLE t({columns})"));
        let writer = database.writer();
        writer.execute(&format!("INSERT INTO t({expected}) VALUES (-9)"), []).unwrap();
        writer.execute(&format!("INSERT INTO t({expected}) VALUES (5)"), []).unwrap();
        let source = database.source();
        let schema = table(&source, "t");
        assert_eq!(column_names(&schema)[0], format!("[{expected}]"), "{columns}");
        assert_eq!(schema.columns[0].declared_type, "INTEGER");
        assert_eq!(column(&source, "t", 0), [Value::Integer(-9), Value::Integer(5)], "{columns}");
    }
}

#[test]
fn an_alias_named_like_another_row_id_name_is_not_confused() {
    // Here `rowid` is an ordinary text column and `oid` is the row id.
    let database = Database::new(
        "CREATE TABLE t(rowid TEXT, oid INTEGER PRIMARY KEY, _rowid_ TEXT);
         INSERT INTO t VALUES ('z', 1, 'c'), ('a', 2, 'b');",
    );
    let source = database.source();
    let schema = table(&source, "t");
    assert_eq!(column_names(&schema), ["rowid", "oid", "_rowid_"]);
    assert_eq!((schema.option("rowid"), schema.key[0].column), (Some("oid"), 1));
    assert_eq!(
        rows(&source, "t"),
        [vec![text("z"), Value::Integer(1), text("c")], vec![text("a"), Value::Integer(2), text("b")]]
    );
}

#[test]
fn row_ids_that_no_name_reaches_are_named_as_not_kept() {
    let database = Database::new(
        "CREATE TABLE t(rowid, _rowid_, oid); INSERT INTO t VALUES ('c', 1, 2), ('a', 3, 4), ('b', 5, 6);",
    );
    let source = database.source();
    let schema = table(&source, "t");
    assert!(schema.key.is_empty());
    assert_eq!(column_names(&schema), ["rowid", "_rowid_", "oid"]);
    assert_eq!(column(&source, "t", 0), [text("c"), text("a"), text("b")], "not the order of the rows");
    let [omission] = source.catalog().omitted.as_slice() else { panic!("{:?}", source.catalog().omitted) };
    assert_eq!(omission.what, "row ids of table t");
}

fn key(schema: &TableSchema) -> Vec<(String, bool, &str)> {
    let part = |part: &tabark::model::KeyPart| schema.columns[part.column as usize].name.clone();
    schema.key.iter().map(|entry| (part(entry), entry.descending, entry.collation.as_str())).collect()
}

#[test]
fn a_table_without_rowid_is_read_in_the_order_of_its_primary_key() {
    let database = Database::new(
        "CREATE TABLE t(x, b TEXT COLLATE NOCASE, a TEXT, PRIMARY KEY(a COLLATE nocase DESC, b COLLATE BINARY)) WITHOUT ROWID;
         CREATE INDEX tempting ON t(x, a, b);
         INSERT INTO t VALUES (3, 'b', 'A'), (1, 'B', 'a'), (2, 'x', 'C'), (4, 'a', 'b');",
    );
    let source = database.source();
    let schema = table(&source, "t");
    assert_eq!(key(&schema), [("a".to_owned(), true, "NOCASE"), ("b".to_owned(), false, "BINARY")]);
    assert_eq!(column_names(&schema), ["x", "b", "a"]);
    assert_eq!(schema.options, [("without_rowid".to_owned(), "1".to_owned())]);
    assert_eq!(schema.columns.iter().map(|column| column.nullable).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(column(&source, "t", 0), [2, 4, 1, 3].map(Value::Integer));
}

#[test]
fn primary_keys_without_rowid_keep_odd_shapes() {
    let database = Database::new(
        "CREATE TABLE twice(a, b, PRIMARY KEY(a, b, a COLLATE NOCASE, a)) WITHOUT ROWID;
         CREATE TABLE one(id INTEGER PRIMARY KEY, b) WITHOUT ROWID;
         CREATE TABLE generated(g AS (a * 2), a, h AS (a + 1) STORED, b PRIMARY KEY) WITHOUT ROWID;
         INSERT INTO one VALUES ('text', 1), (2, 2), (x'00', 3); INSERT INTO generated VALUES (1, 'y'), (2, 'x');",
    );
    let source = database.source();
    let part = |name: &str, collation: &'static str| (name.to_owned(), false, collation);
    assert_eq!(key(&table(&source, "twice")), [part("a", "BINARY"), part("b", "BINARY"), part("a", "NOCASE")]);
    let one = table(&source, "one");
    assert_eq!((key(&one), one.option("rowid")), (vec![part("id", "BINARY")], None));
    assert_eq!(column(&source, "one", 1), [2, 1, 3].map(Value::Integer), "numbers, then text, then blobs");
    assert_eq!(key(&table(&source, "generated")), [part("b", "BINARY")]);
    assert_eq!(column(&source, "generated", 0), [2, 1].map(Value::Integer));
}

#[test]
fn nulls_in_the_primary_key_of_a_rowid_table_are_rows_like_others() {
    let database = Database::new(
        "CREATE TABLE t(a TEXT, b INT, PRIMARY KEY(a, b)); INSERT INTO t VALUES (NULL, 1), (NULL, 1), ('x', NULL);",
    );
    let source = database.source();
    let schema = table(&source, "t");
    assert_eq!(key(&schema), [("rowid".to_owned(), false, "BINARY")]);
    assert!(schema.columns[1].nullable && schema.columns[2].nullable);
    assert_eq!(column(&source, "t", 1), [Value::Null, Value::Null, text("x")]);
}

#[test]
fn generated_columns_are_listed_and_not_stored() {
    let database = Database::new(
        "CREATE TABLE t(a INT, double AS (a * 2), b TEXT NOT NULL, stored TEXT GENERATED ALWAYS AS (a || b) STORED);
         CREATE TABLE only(a AS (17), rowid INTEGER PRIMARY KEY, b AS (rowid) STORED);
         INSERT INTO t VALUES (1, 'x'); INSERT INTO only VALUES (3);",
    );
    let source = database.source();
    let schema = table(&source, "t");
    assert_eq!(column_names(&schema), ["[rowid]", "a", "b"]);
    assert_eq!(schema.generated, ["double", "stored"]);
    assert!(schema.columns[1].nullable && !schema.columns[2].nullable);
    assert_eq!(rows(&source, "t"), [vec![Value::Integer(1), Value::Integer(1), text("x")]]);
    assert_eq!(column_names(&table(&source, "only")), ["rowid"]);
    assert_eq!(rows(&source, "only"), [vec![Value::Integer(3)]]);
}

#[test]
fn options_are_sorted_and_say_what_the_table_is() {
    let database = Database::new(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x ANY) STRICT;
         CREATE TABLE b(id INT PRIMARY KEY, x BLOB) WITHOUT ROWID, STRICT; CREATE TABLE c(x INTEGER);",
    );
    let source = database.source();
    let options =
        |name: &str| table(&source, name).options.into_iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
    assert_eq!(options("a"), ["autoincrement=1", "rowid=id", "strict=1"]);
    assert_eq!(options("b"), ["strict=1", "without_rowid=1"]);
    assert_eq!(options("c"), [""; 0]);
    let declared: Vec<String> = table(&source, "b").columns.into_iter().map(|column| column.declared_type).collect();
    assert_eq!(declared, ["INT", "BLOB"]);
}
