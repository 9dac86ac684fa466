//! Restoring across engines: PostgreSQL's tables into SQLite and SQLite's into PostgreSQL, judged by the programs of both.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

#[path = "common/corpus.rs"]
mod corpus;
#[path = "across/from_postgres.rs"]
mod from_postgres;
#[path = "across/from_sqlite.rs"]
mod from_sqlite;
#[path = "across/modes.rs"]
mod modes;
#[path = "common/note.rs"]
mod note;
#[path = "across/oracle.rs"]
mod oracle;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "common/tree.rs"]
mod tree;

use std::path::{Path, PathBuf};

use postgres::Database;
use rusqlite::Connection;
use tabark::archive::{Archive, SnapshotSelector, WriterOptions};
use tabark::dump::{DumpOptions, dump};
use tabark::postgres::settings::ConnectionSettings;
use tabark::restore::postgres::{PostgresReport, PostgresRestoreOptions, restore as restore_into_postgres};
use tabark::restore::{RestoreOptions, RestoreReport, restore};
use tabark::selection::Selection;
use tabark::source::Source;
use tabark::source::postgres::{PostgresOptions, PostgresSource};
use tabark::source::sqlite::SqliteSource;

/// Connection settings that lead to a database of a test.
fn settings(database: &Database<'_>) -> ConnectionSettings {
    ConnectionSettings::parse(&database.url()).unwrap()
}

fn dump_source(source: &dyn Source, archive: &Path) {
    let options = DumpOptions {
        tables: Selection::everything(),
        filters: vec![],
        tags: vec![],
        time: 1,
        writer: "test".into(),
        archive: WriterOptions::default().with_level(1),
    };
    dump(source, archive, &options, &()).unwrap();
}

/// An archive of a database on a server.
fn dump_postgres(database: &Database<'_>, archive: &Path) {
    let everything = Selection::everything();
    let source = PostgresSource::open(&settings(database), &everything, PostgresOptions::default(), &()).unwrap();
    dump_source(&source, archive);
}

/// An archive of an SQLite database.
fn dump_sqlite(database: &Path, archive: &Path) {
    dump_source(&SqliteSource::open(database).unwrap(), archive);
}

/// Restores the newest snapshot into an SQLite database.
fn into_sqlite(archive: &Path, target: &Path) -> tabark::Result<RestoreReport> {
    let archive = Archive::open(archive)?;
    let snapshot = archive.select(&SnapshotSelector::Latest)?;
    restore(&snapshot, target, &RestoreOptions::default(), &())
}

/// Restores the newest snapshot into a database on a server.
fn into_postgres(archive: &Path, database: &Database<'_>) -> tabark::Result<PostgresReport> {
    let archive = Archive::open(archive)?;
    let snapshot = archive.select(&SnapshotSelector::Latest)?;
    restore_into_postgres(&snapshot, &settings(database), &PostgresRestoreOptions::default(), &())
}

/// What SQLite itself says of a database: nothing is wrong with it.
fn assert_sound(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let violations = connection.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap();
    assert!(!violations, "rows refer to nothing");
}

/// The rows of a query, each as the texts of its values.
fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| {
            let values: Vec<String> = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            Ok(values.join(" "))
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn in_folder(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
