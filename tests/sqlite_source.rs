//! Reading SQLite databases: each trap that has bitten a real tool is a test of that name.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

#[path = "sqlite_source/cells.rs"]
mod cells;
#[path = "sqlite_source/columns.rs"]
mod columns;
#[path = "sqlite_source/damage.rs"]
mod damage;
#[path = "sqlite_source/forged.rs"]
mod forged;
#[path = "sqlite_source/names.rs"]
mod names;
#[path = "sqlite_source/objects.rs"]
mod objects;
#[path = "sqlite_source/opening.rs"]
mod opening;
#[path = "sqlite_source/over.rs"]
mod over;
#[path = "sqlite_source/pages.rs"]
mod pages;
#[path = "sqlite_source/wide.rs"]
mod wide;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tabark::model::{Cell, TableSchema, Value};
use tabark::source::Source;
use tabark::source::sqlite::{Reading, SqliteSource};
use tempfile::TempDir;

/// A database file in a directory of its own, which goes when this does.
struct Database {
    directory: TempDir,
}

impl Database {
    /// Made by this script.
    fn new(script: &str) -> Self {
        let database = Self { directory: tempfile::tempdir().unwrap() };
        database.writer().execute_batch(script).unwrap();
        database
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("source.db")
    }

    /// A connection that can write.
    fn writer(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn source(&self) -> SqliteSource<'static> {
        SqliteSource::open(&self.path()).unwrap()
    }
}

/// A table of the source's catalog.
fn table(source: &SqliteSource<'_>, name: &str) -> TableSchema {
    source.catalog().tables.iter().find(|table| table.name == name).expect("no such table").clone()
}

/// Collects what a reading function sends.
fn collect(
    read: impl FnOnce(&mut dyn tabark::source::RowSink) -> tabark::Result<()>,
) -> tabark::Result<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    read(&mut |cells: &[Cell<'_>]| {
        rows.push(cells.iter().map(Value::of).collect());
        Ok(())
    })?;
    Ok(rows)
}

/// Are these the same rows to the last bit?
fn is_identical(a: &[Vec<Value>], b: &[Vec<Value>]) -> bool {
    let same = |(a, b): (&Vec<Value>, &Vec<Value>)| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.as_cell().is_identical(&b.as_cell()))
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}

/// All rows of a table, however they are read.
fn rows(source: &SqliteSource<'_>, name: &str) -> Vec<Vec<Value>> {
    let table = table(source, name);
    let rows = collect(|sink| source.read_table(&table, sink)).unwrap();
    let by_sql = collect(|sink| source.with_reading(Reading::Sql).read_table(&table, sink)).unwrap();
    assert!(is_identical(&rows, &by_sql), "{name}: pages and SQL give different rows");
    assert!(rows.iter().all(|row| row.len() == table.columns.len()), "a row of another width than the schema's");
    rows
}

/// One column of a table, by its place among the stored columns.
fn column(source: &SqliteSource<'_>, name: &str, index: usize) -> Vec<Value> {
    rows(source, name).into_iter().map(|row| row[index].clone()).collect()
}

fn text(value: &str) -> Value {
    Value::Text(value.as_bytes().to_vec())
}

/// Names of the columns, a hidden one in brackets.
fn column_names(table: &TableSchema) -> Vec<String> {
    let name = |column: &tabark::model::Column| match column.hidden {
        true => format!("[{}]", column.name),
        false => column.name.clone(),
    };
    table.columns.iter().map(name).collect()
}

fn bytes_of(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
