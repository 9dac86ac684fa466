//! Tables with rows, archives made of them in memory, and the way back.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;

use tabark::archive::{Archive, ArchiveWriter, SnapshotHeader, SnapshotSelector, WriterOptions};
use tabark::container::Memory;
use tabark::model::{Cell, Column, KeyPart, SourceDescription, TableSchema, Value};
use tabark::source::RowSink;

/// A table and its rows, in the order of its key.
#[derive(Debug, Clone)]
pub(crate) struct TestTable {
    pub(crate) schema: TableSchema,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl TestTable {
    /// Sends all rows to `sink`.
    pub(crate) fn send(&self, sink: &mut dyn RowSink) {
        for row in &self.rows {
            let cells: Vec<Cell<'_>> = row.iter().map(Value::as_cell).collect();
            sink.row(&cells).unwrap();
        }
    }

    /// Are these its rows, to the last bit?
    pub(crate) fn has_rows(&self, rows: &[Vec<Value>]) -> bool {
        let same = |(a, b): (&Vec<Value>, &Vec<Value>)| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.as_cell().is_identical(&b.as_cell()))
        };
        self.rows.len() == rows.len() && self.rows.iter().zip(rows).all(same)
    }
}

/// A column that holds anything.
pub(crate) fn column(name: &str) -> Column {
    Column { name: name.into(), declared_type: String::new(), logical: 0, nullable: true, hidden: false }
}

/// A part of a key.
pub(crate) fn key_part(column: u32, descending: bool, collation: &str) -> KeyPart {
    KeyPart { column, descending, collation: collation.into() }
}

/// A schema of these columns; of those with a number in `key`, in its order, the key is made.
pub(crate) fn schema(name: &str, columns: &[&str], key: &[u32]) -> TableSchema {
    TableSchema {
        name: name.into(),
        role: "table".into(),
        definition: format!("CREATE TABLE \"{name}\" ({})", columns.join(", ")),
        position: 1,
        columns: columns.iter().map(|name| column(name)).collect(),
        generated: vec![],
        key: key.iter().map(|column| key_part(*column, false, "BINARY")).collect(),
        options: vec![],
        attached: vec![],
    }
}

/// What a snapshot of this time says of itself.
pub(crate) fn header(time: i64) -> SnapshotHeader {
    SnapshotHeader {
        time,
        tags: vec![("n".into(), time.to_string())],
        source: SourceDescription {
            engine: "sqlite".into(),
            engine_version: "3".into(),
            name: "test.sqlite".into(),
            settings: vec![("encoding".into(), "UTF-8".into())],
        },
        writer: "test".into(),
        omitted: vec![],
    }
}

/// Options under which the same rows give the same bytes.
pub(crate) fn fixed_options(level: i32) -> WriterOptions {
    WriterOptions::default().with_level(level).with_archive_id([7; 16])
}

/// The archive `before` (none if empty) with one more snapshot.
pub(crate) fn with_snapshot(
    before: Vec<u8>,
    header: SnapshotHeader,
    tables: &[TestTable],
    options: WriterOptions,
) -> Vec<u8> {
    let mut storage = Memory::new(before);
    let writer = if storage.bytes.is_empty() {
        ArchiveWriter::create(&mut storage, options).unwrap()
    } else {
        let archive = open(&storage.bytes);
        ArchiveWriter::append(&mut storage, Arc::new(archive), options).unwrap()
    };
    let mut snapshot = writer.begin_snapshot(header).unwrap();
    for table in tables {
        let mut writer = snapshot.begin_table(&table.schema).unwrap();
        table.send(&mut writer);
        writer.finish().unwrap();
    }
    snapshot.commit().unwrap();
    storage.bytes
}

/// Opens an archive that must be one.
pub(crate) fn open(bytes: &[u8]) -> Archive {
    Archive::from_storage(Arc::new(bytes.to_vec())).unwrap()
}

/// The rows of a table of a snapshot.
pub(crate) fn rows_of(archive: &Archive, number: u64, table: &str) -> tabark::Result<Vec<Vec<Value>>> {
    let snapshot = archive.select(&SnapshotSelector::Number(number))?;
    let table = snapshot.table(table)?;
    let columns: Vec<usize> = (0..table.schema().columns.len()).collect();
    let mut rows = Vec::new();
    for group in table.scan(&columns) {
        group?.for_each_row(|row| {
            rows.push(row.iter().map(Value::of).collect());
            Ok(())
        })?;
    }
    Ok(rows)
}
