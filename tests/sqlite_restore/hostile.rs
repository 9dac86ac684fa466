//! Archives whose digests are right and whose content is a trap.

use tabark::archive::{ArchiveWriter, SnapshotHeader};
use tabark::container::NewFile;
use tabark::model::{Cell, Column, KeyPart, SchemaObject, SourceDescription, TableSchema};
use tabark::source::RowSink;

use super::*;

fn table(name: &str, definition: &str) -> TableSchema {
    let column = |name: &str, declared_type: &str, hidden: bool| Column {
        name: name.into(),
        declared_type: declared_type.into(),
        logical: 0,
        nullable: !hidden,
        hidden,
    };
    TableSchema {
        name: name.into(),
        role: "table".into(),
        definition: definition.into(),
        position: 0,
        columns: vec![column("rowid", "INTEGER", true), column("a", "", false)],
        generated: vec![],
        key: vec![KeyPart { column: 0, descending: false, collation: "BINARY".into() }],
        options: vec![],
        attached: vec![],
    }
}

fn object(kind: &str, name: &str, table: &str, definition: &str) -> SchemaObject {
    SchemaObject {
        kind: kind.into(),
        name: name.into(),
        table: table.into(),
        definition: definition.into(),
        position: 9,
    }
}

/// An archive of these tables, each with one row, and objects.
fn archive(tables: &[TableSchema], objects: &[SchemaObject], settings: &[(&str, &str)], cell: Cell<'_>) -> Case {
    let case = Case { directory: tempfile::tempdir().unwrap() };
    let writer = ArchiveWriter::create(NewFile::create(&case.archive()).unwrap(), WriterOptions::default()).unwrap();
    let source = SourceDescription {
        engine: "sqlite".into(),
        engine_version: "3".into(),
        name: "x".into(),
        settings: settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    };
    let header = SnapshotHeader { time: 1, tags: vec![], source, writer: "x".into(), omitted: vec![] };
    let mut snapshot = writer.begin_snapshot(header).unwrap();
    for table in tables {
        let mut writer = snapshot.begin_table(table).unwrap();
        writer.row(&[Cell::Integer(1), cell]).unwrap();
        writer.finish().unwrap();
    }
    for object in objects {
        snapshot.add_object(object.clone());
    }
    snapshot.commit().unwrap();
    case
}

/// Expects a refusal, for a new file and for an existing one, that leaves both untouched.
fn refused(tables: &[TableSchema], objects: &[SchemaObject]) -> tabark::Error {
    let case = archive(tables, objects, &[], Cell::Integer(7));
    let error = case.refused(RestoreMode::Create, &[]);
    drop(case.make_target("CREATE TABLE other(a); INSERT INTO other VALUES (1); CREATE INDEX other_a ON other(a)"));
    case.refused(RestoreMode::Create, &[]);
    error
}

#[test]
fn the_way_these_archives_are_made_makes_good_ones_too() {
    let mut good = table("t", "CREATE TABLE t(a)");
    good.attached.push(object("index", "i", "t", "CREATE INDEX i ON t(a)"));
    let case = archive(&[good], &[object("view", "v", "v", "CREATE VIEW v AS SELECT 1")], &[], Cell::Integer(7));
    case.restore(RestoreMode::Create, &[]).unwrap();
    assert_eq!(number(&case.open_target(), "SELECT a FROM t"), 7);
}

#[test]
fn definitions_that_do_something_else() {
    for definition in [
        "CREATE TABLE t(a); DROP TABLE other",
        "CREATE TABLE t(a); CREATE TABLE u(b)",
        "CREATE TABLE t AS SELECT 1 AS a",
        "CREATE TEMP TABLE t(a)",
        "DROP TABLE other",
        "DELETE FROM other",
        "PRAGMA writable_schema = ON",
        "ATTACH 'pwned.db' AS x",
        "VACUUM INTO 'pwned.db'",
        "COMMIT",
        "CREATE VIEW t AS SELECT 1 AS a",
        "CREATE VIRTUAL TABLE t USING fts5(a)",
        "CREATE TABLE u(a)",
        "CREATE TABLE t(b)",
        "CREATE TABLE t(a, b)",
        "CREATE TABLE t(a INTEGER PRIMARY KEY)",
        "CREATE TABLE t(a PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE t(a)\0; DROP TABLE other",
        "CREATE TABLE sqlite_t(a)",
        "create table t(a)",
        "not SQL",
        "",
    ] {
        let error = refused(&[table("t", definition)], &[]);
        assert!(error.is_damaged() || error.is_database(), "{definition}: {error}");
    }
}

#[test]
fn attached_objects_that_do_something_else() {
    for (kind, name, owner, definition) in [
        ("index", "i", "t", "CREATE INDEX i ON other(a)"),
        ("index", "i", "other", "CREATE INDEX i ON other(a)"),
        ("index", "i", "t", "DROP INDEX other_a"),
        ("index", "i", "t", "CREATE INDEX j ON t(a)"),
        ("trigger", "r", "t", "CREATE TRIGGER r AFTER INSERT ON other BEGIN SELECT 1; END"),
        ("trigger", "r", "t", "CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END"),
        ("trigger", "r", "t", "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END; DELETE FROM other"),
        ("view", "v", "t", "CREATE VIEW v AS SELECT 1"),
        ("spell", "s", "t", "DELETE FROM other"),
    ] {
        let mut with = table("t", "CREATE TABLE t(a)");
        with.attached.push(object(kind, name, owner, definition));
        refused(&[with], &[]);
    }
}

#[test]
fn objects_that_are_something_else() {
    for (kind, definition) in [
        ("view", "CREATE TABLE v(a)"),
        ("view", "CREATE VIEW w AS SELECT 1"),
        ("virtual table", "CREATE VIRTUAL TABLE w USING fts5(a)"),
        ("virtual table", "CREATE TABLE v(a)"),
        ("virtual table", "DROP TABLE other"),
        ("virtual table", "CREATE VIRTUAL TABLE v USING"),
        ("index", "CREATE INDEX v ON t(a)"),
        ("curse", "SELECT 1"),
    ] {
        refused(&[table("t", "CREATE TABLE t(a)")], &[object(kind, "v", "v", definition)]);
    }
    let twice =
        [object("view", "v", "v", "CREATE VIEW v AS SELECT 1"), object("view", "V", "V", "CREATE VIEW V AS SELECT 2")];
    refused(&[table("t", "CREATE TABLE t(a)")], &twice);
    refused(&[table("t", "CREATE TABLE t(a)"), table("T", "CREATE TABLE T(a)")], &[]);
    let reserved = object("virtual table", "sqlite_x", "sqlite_x", "CREATE VIRTUAL TABLE sqlite_x USING fts5(a)");
    refused(&[table("t", "CREATE TABLE t(a)")], &[reserved]);
}

/// The schema would keep the second statement, for whatever program runs what stands there.
#[test]
fn a_virtual_table_with_a_second_statement_behind_it() {
    for behind in
        ["; DROP TABLE other", "; CREATE VIRTUAL TABLE w USING fts5(a)", ";; nonsense", "\0; DROP TABLE other"]
    {
        for module in ["fts5", "not_here"] {
            let definition = format!("CREATE VIRTUAL TABLE v USING {module}(a){behind}");
            let error = refused(&[table("t", "CREATE TABLE t(a)")], &[object("virtual table", "v", "v", &definition)]);
            assert!(error.is_damaged() || error.is_database(), "{definition:?}: {error}");
        }
    }
}

#[test]
fn tables_said_to_be_sqlites_own() {
    let mut internal = table("t", "CREATE TABLE t(a)");
    internal.role = "internal".into();
    refused(&[internal], &[]);
    refused(&[table("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)")], &[]);
    refused(&[table("sqlite_schema", "CREATE TABLE sqlite_schema(a)")], &[]);
}

#[test]
fn settings_that_are_statements() {
    for setting in [
        ("page_size", "4096'; DROP TABLE t; --"),
        ("page_size", "1000"),
        ("encoding", "UTF-7"),
        ("auto_vacuum", "5"),
        ("writable_schema", "1"),
    ] {
        let case = archive(&[table("t", "CREATE TABLE t(a)")], &[], &[setting], Cell::Integer(1));
        case.refused(RestoreMode::Create, &[]);
    }
}

#[test]
fn cells_that_sqlite_cannot_hold() {
    for cell in [Cell::Real(f64::NAN), Cell::RawText(b"\0\xd8\0")] {
        let case = archive(&[table("t", "CREATE TABLE t(a)")], &[], &[("encoding", "UTF-16le")], cell);
        let error = case.refused(RestoreMode::Create, &[]);
        assert!(error.is_database() && error.table() == Some("t"), "{error}");
    }
}

#[test]
fn a_snapshot_of_another_engine() {
    let case = Case { directory: tempfile::tempdir().unwrap() };
    let writer = ArchiveWriter::create(NewFile::create(&case.archive()).unwrap(), WriterOptions::default()).unwrap();
    let source =
        SourceDescription { engine: "oracle".into(), engine_version: "18".into(), name: "x".into(), settings: vec![] };
    let header = SnapshotHeader { time: 1, tags: vec![], source, writer: "x".into(), omitted: vec![] };
    writer.begin_snapshot(header).unwrap().commit().unwrap();
    let error = case.refused(RestoreMode::Create, &[]);
    assert!(error.is_request() && error.message().contains("oracle"), "{error}");
}
