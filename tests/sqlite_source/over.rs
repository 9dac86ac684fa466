//! Reading inside someone else's transaction, and reading parts of a table: what proof after a restore needs.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use tabark::model::Value;
use tabark::source::Source as _;
use tabark::source::sqlite::SqliteSource;

use super::{Database, collect, column, rows, table, text};

#[test]
fn a_source_over_a_transaction_sees_what_it_wrote_and_ends_nothing() {
    let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    let writer = database.writer();
    writer.execute_batch("BEGIN; INSERT INTO t VALUES (2); CREATE TABLE new(k PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO new VALUES ('b', 1), ('a', 2)").unwrap();
    {
        let source = SqliteSource::over(&writer).unwrap();
        assert_eq!(column(&source, "t", 1), [Value::Integer(1), Value::Integer(2)]);
        assert_eq!(column(&source, "new", 0), [text("a"), text("b")]);
        assert_eq!(source.catalog().description.name, "source.db");
        assert_eq!(source.catalog().description.setting("journal_mode"), Some("delete"));
    }
    assert!(!writer.is_autocommit(), "the transaction was ended");
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(column(&database.source(), "t", 1), [Value::Integer(1)]);
}

#[test]
fn a_connection_without_a_transaction_is_refused() {
    let connection = Connection::open_in_memory().unwrap();
    let error = match SqliteSource::over(&connection) {
        Ok(_) => panic!("read without a transaction"),
        Err(error) => error,
    };
    assert!(error.is_request() && error.hint().is_some(), "{error}");
}

#[test]
fn attached_and_temp_schemas_are_not_read() {
    let other = Database::new("CREATE TABLE other(a); CREATE TABLE t(a); INSERT INTO t VALUES ('attached')");
    let database = Database::new("CREATE TABLE t(a); INSERT INTO t VALUES ('main')");
    let writer = database.writer();
    writer.execute("ATTACH ? AS other", [other.path().to_str().unwrap()]).unwrap();
    // A temp table hides one of the same name wherever the schema is not given.
    writer
        .execute_batch(
            "CREATE TEMP TABLE t(a PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO temp.t VALUES ('temp', 1); CREATE TEMP TABLE only_temp(x);
             CREATE TEMP TRIGGER watch AFTER INSERT ON main.t BEGIN SELECT 1; END; BEGIN",
        )
        .unwrap();
    let source = SqliteSource::over(&writer).unwrap();
    let names: Vec<&str> = source.catalog().tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["t"]);
    assert_eq!(rows(&source, "t"), [vec![Value::Integer(1), text("main")]]);
    assert!(table(&source, "t").attached.is_empty() && table(&source, "t").options.is_empty());
}

#[test]
fn a_part_of_a_table_is_read_by_a_filter() {
    let database = Database::new(
        "CREATE TABLE t(a); INSERT INTO t(rowid, a) VALUES (5, 'e'), (-1, 'x'), (9, 'i'), (7, 'g');
         CREATE TABLE k(a COLLATE NOCASE, b, PRIMARY KEY(a, b)) WITHOUT ROWID; INSERT INTO k VALUES ('B', 1), ('a', 1), ('b', 0), ('C', 1);",
    );
    let source = database.source();
    let filtered = |name: &str, filter: &str, parameters: &[Sql], index: usize| -> Vec<Value> {
        let schema = table(&source, name);
        let rows = collect(|sink| source.read_rows(&schema, Some((filter, parameters)), sink)).unwrap();
        rows.into_iter().map(|row| row[index].clone()).collect()
    };
    assert_eq!(filtered("t", "rowid > ?", &[Sql::Integer(5)], 1), [text("g"), text("i")]);
    assert_eq!(filtered("t", "rowid < ? OR rowid > ?", &[Sql::Integer(0), Sql::Integer(8)], 1), [text("x"), text("i")]);
    assert_eq!(filtered("k", "a >= ?", &[Sql::Text("b".into())], 0), [text("b"), text("B"), text("C")]);
    assert!(filtered("t", "0", &[], 0).is_empty());
    let schema = table(&source, "t");
    let error = collect(|sink| source.read_rows(&schema, Some(("rowid >", &[])), sink)).unwrap_err();
    assert!(error.is_database() && error.table() == Some("t"), "{error}");
}

#[test]
fn a_table_that_is_not_there_is_an_error_that_names_it() {
    let source_database = Database::new("CREATE TABLE t(a)");
    let schema = table(&source_database.source(), "t");
    let empty = Database::new("CREATE TABLE other(a)");
    let error = collect(|sink| empty.source().read_table(&schema, sink)).unwrap_err();
    assert!(error.is_database() && error.table() == Some("t"), "{error}");
    // A column that is gone must not become the text of its name, even where SQLite would allow that.
    let changed = Connection::open_in_memory().unwrap();
    changed.execute_batch("CREATE TABLE t(b); INSERT INTO t VALUES (1); BEGIN").unwrap();
    let source = SqliteSource::over(&changed).unwrap();
    let error = collect(|sink| source.read_table(&schema, sink)).unwrap_err();
    assert!(error.is_database() && error.table() == Some("t"), "{error}");
}
