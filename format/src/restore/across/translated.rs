//! The chosen part of a snapshot as a snapshot of the other engine: an archive that lives as long as the restore, which then is
//! one like any other, verified before and proven after.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::conversion::{Conversion, Refused};
use super::notes::Notes;
use crate::archive::{Archive, ArchiveWriter, Profile, Snapshot, SnapshotHeader, Table, WriterOptions};
use crate::container::{Memory, WriteStorage, temp_beside};
use crate::error::{Error, Result};
use crate::model::{Cell, SourceDescription, TableSchema};
use crate::observer::{Observer, Phase, check_cancelled};
use crate::restore::proof::check_stored;
use crate::source::RowSink as _;

/// A column of the snapshot and what becomes of its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Converted {
    /// Its place in the snapshot's table.
    pub(super) from: usize,
    pub(super) conversion: Conversion,
}

/// A table of the snapshot and what it is in the other engine.
pub(super) struct TranslatedTable<'a> {
    pub(super) table: Table<'a>,
    pub(super) schema: TableSchema,
    pub(super) columns: Vec<Converted>,
    /// Does the new table begin with row ids, which are the rows' numbers from 1?
    pub(super) numbered: bool,
}

/// What a snapshot is in the other engine.
pub(super) struct Translation<'a> {
    pub(super) tables: Vec<TranslatedTable<'a>>,
    pub(super) engine: &'static str,
    pub(super) settings: Vec<(String, String)>,
    pub(super) notes: Notes,
}

/// An archive that nobody else sees.
pub(super) struct Scratch {
    archive: Archive,
    // The archive is mapped: it goes first.
    _file: Option<NamedTempFile>,
}

impl Scratch {
    pub(super) fn archive(&self) -> &Archive {
        &self.archive
    }
}

impl<'a> Translation<'a> {
    /// The name that a table of the snapshot has in the other engine.
    pub(super) fn name_of(&self, name: &str) -> Option<&str> {
        let table = self.tables.iter().find(|table| table.table.schema().name == name)?;
        Some(table.schema.name.as_str())
    }

    /// The table of the snapshot that has this name in the other engine.
    pub(super) fn table_of(&self, name: &str) -> Option<&Table<'a>> {
        self.tables.iter().find(|table| table.schema.name == name).map(|table| &table.table)
    }

    /// The definitions alone.
    pub(super) fn without_rows(&self, snapshot: &Snapshot<'_>) -> Result<Scratch> {
        let mut memory = Memory::default();
        self.write(snapshot, &mut memory, None)?;
        Ok(Scratch { archive: Archive::from_storage(Arc::new(memory.bytes))?, _file: None })
    }

    /// All of it, in a temp file beside a path, or in memory. Every stored byte is verified first.
    pub(super) fn with_rows(
        &self,
        snapshot: &Snapshot<'_>,
        beside: Option<&Path>,
        observer: &dyn Observer,
    ) -> Result<Scratch> {
        self.check_stored(observer)?;
        match beside {
            None => {
                let mut memory = Memory::default();
                self.write(snapshot, &mut memory, Some(observer))?;
                Ok(Scratch { archive: Archive::from_storage(Arc::new(memory.bytes))?, _file: None })
            }
            Some(path) => {
                let mut file = temp_beside(path)?;
                self.write(snapshot, &mut Unnamed(&mut file), Some(observer))?;
                Ok(Scratch { archive: Archive::open(file.path())?, _file: Some(file) })
            }
        }
    }

    /// Checks every stored byte that the restore will use.
    fn check_stored(&self, observer: &dyn Observer) -> Result<()> {
        check_stored(self.tables.iter().map(|translated| &translated.table), observer)
    }

    fn write<S: WriteStorage>(&self, snapshot: &Snapshot<'_>, storage: S, rows: Option<&dyn Observer>) -> Result<()> {
        let manifest = snapshot.manifest();
        let options = WriterOptions::default().with_profile(Profile::Fast);
        let header = SnapshotHeader {
            time: snapshot.summary().time,
            tags: Vec::new(),
            source: SourceDescription {
                engine: self.engine.to_owned(),
                engine_version: String::new(),
                name: manifest.source.name.clone(),
                settings: self.settings.clone(),
            },
            writer: manifest.writer.clone(),
            omitted: manifest.omitted.clone(),
        };
        let mut written = ArchiveWriter::create(storage, options)?.begin_snapshot(header)?;
        for table in &self.tables {
            let mut writer = written.begin_part(&table.schema, &table.table.manifest().filters)?;
            if let Some(observer) = rows {
                table
                    .rows(observer, &mut |row| writer.row(row))
                    .map_err(|error| error.in_table(table.table.schema().name.as_str()))?;
            }
            writer.finish()?;
        }
        if let Some(observer) = rows {
            written.settle(|| check_cancelled(observer))?;
        }
        written.commit().map(drop)
    }
}

impl TranslatedTable<'_> {
    /// Sends the rows as they are in the other engine.
    fn rows(&self, observer: &dyn Observer, sink: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
        let schema = self.table.schema();
        observer.begin(Phase::Restore, Some(&schema.name), Some(self.table.manifest().rows), None);
        let all: Vec<usize> = (0..schema.columns.len()).collect();
        let mut buffers: Vec<Vec<u8>> = vec![Vec::new(); self.columns.len()];
        let mut number = 0_i64;
        for group in self.table.scan(&all) {
            check_cancelled(observer)?;
            let group = group?;
            let (rows, size) = (u64::from(group.rows()), group.bytes());
            group.for_each_row(|row| {
                number += 1;
                let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.columns.len() + 1);
                if self.numbered {
                    cells.push(Cell::Integer(number));
                }
                for (column, buffer) in self.columns.iter().zip(&mut buffers) {
                    let cell = row.get(column.from).copied().unwrap_or(Cell::Null);
                    let converted = column.conversion.convert(cell, buffer);
                    cells.push(converted.map_err(|why| self.refused(why, column, row, number))?);
                }
                sink(&cells)
            })?;
            observer.advance(rows, size);
        }
        if u64::try_from(number) == Ok(self.table.manifest().rows) {
            return Ok(());
        }
        Err(Error::not_proven(format!("{number} rows were read of {}", self.table.manifest().rows)))
    }

    fn refused(&self, Refused(why): Refused, column: &Converted, row: &[Cell<'_>], number: i64) -> Error {
        let schema = self.table.schema();
        let name = schema.columns.get(column.from).map(|column| column.name.as_str()).unwrap_or_default();
        let key: Vec<String> = schema
            .key
            .iter()
            .filter_map(|part| {
                let place = usize::try_from(part.column).ok()?;
                Some(format!("{} = {}", schema.columns.get(place)?.name, shown(row.get(place)?)))
            })
            .collect();
        let which = if key.is_empty() { String::new() } else { format!(" ({})", key.join(", ")) };
        Error::database(format!("column \"{name}\", row {}{which}: {why}", number - 1))
            .with_hint("leave the table out, or change the value in the source and dump again")
    }
}

/// A cell of a key, short enough for a message.
fn shown(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(value) => value.to_string(),
        Cell::Real(value) => value.to_string(),
        Cell::Text(bytes) | Cell::RawText(bytes) => {
            String::from_utf8_lossy(bytes).chars().take(40).flat_map(char::escape_debug).collect()
        }
        Cell::Bytes(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// A temp file that never gets a name, and need not survive anything.
struct Unnamed<'f>(&'f mut NamedTempFile);

impl WriteStorage for Unnamed<'_> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.as_file_mut().write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self) -> Result<()> {
        Ok(())
    }

    fn abandon(&mut self) {}
}
