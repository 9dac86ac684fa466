//! Rows and keys of one table on their way into b-tree pages.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use rusqlite::ffi;

use super::super::failure::failure;
use super::super::rows::Encodings;
use super::coverage::{IndexPages, Part, Rows, TablePages};
use super::index_sort::{Entry, IndexSort};
use super::page_file::PageFile;
use crate::archive::Table;
use crate::error::{Error, Result};
use crate::model::Cell;
use crate::observer::{Observer, Phase, check_cancelled};
use crate::restore::kept::ChosenTable;
use crate::restore::passing::Passing;
use crate::restore::proof::not_the_snapshots;
use crate::sqlite_file::{Collation, IndexWriter, Layout, RecordBuilder, SortKey, TableWriter};

/// Entries of an index written before it is asked whether to go on.
const ENTRIES_AT_ONCE: u64 = 1024;

/// Memory for the keys of all indexes of a table.
const SORT_MEMORY: usize = 64 << 20;

/// Indexes whose keys are merged from temp files at once: each merge has memory of its own.
const MERGES_AT_ONCE: usize = 2;

/// Writes all rows of a table and the keys of its indexes.
pub(super) fn write(
    table: &ChosenTable<'_>,
    pages: &TablePages,
    layout: Layout,
    encodings: Encodings,
    (file, folder): (&PageFile, &Path),
    observer: &dyn Observer,
) -> Result<()> {
    let name = &table.schema().name;
    let named = |error: Error| error.in_table(name);
    let budget = SORT_MEMORY / pages.indexes.len().max(1);
    let tree = match &pages.rows {
        Rows::ById { row_id, alias } => {
            Tree::Rows { writer: TableWriter::new(layout, pages.root), row_id: *row_id, alias: *alias, last: None }
        }
        Rows::ByKey(parts) => {
            Tree::Keys { writer: IndexWriter::new(layout, pages.root), parts, last: Vec::new(), first: true }
        }
    };
    let mut writer = Writer {
        table,
        pages,
        cells: Cells { affinities: &pages.affinities, encodings, converted: Vec::new() },
        tree,
        indexes: pages.indexes.iter().map(|index| (index, IndexSort::new(folder, budget, observer))).collect(),
        record: RecordBuilder::default(),
        key: SortKey::default(),
        next_row_id: 1,
        file,
    };
    let mut rows = 0;
    check_cancelled(observer)?;
    let mut passing = Passing::new(observer);
    decoded_ahead(table, |group| {
        group.for_each_row(|row| {
            if table.keeps(row) {
                writer.write(row).map_err(named)?;
            }
            rows += 1;
            passing.row(row)
        })
    })?;
    drop(passing);
    if rows != table.manifest().rows {
        return Err(named(Error::not_proven(format!("{rows} rows were read of {}", table.manifest().rows))));
    }
    writer.finish(layout, observer).map_err(named)
}

/// Calls `visit` with each row group, while another thread decodes the next one.
fn decoded_ahead(table: &Table<'_>, mut visit: impl FnMut(crate::model::RowGroup) -> Result<()>) -> Result<()> {
    let all: Vec<usize> = (0..table.schema().columns.len()).collect();
    if table.manifest().rows <= u64::from(crate::limits::MIN_GROUP_ROWS) {
        return table.scan(&all).try_for_each(|group| visit(group?));
    }
    // Without room in between: one group is visited and one is ready or in the making, but no third.
    let (ready, groups) = sync_channel(0);
    std::thread::scope(|scope| {
        let decode = move || {
            for group in table.scan(&all) {
                let failed = group.is_err();
                if ready.send(group).is_err() || failed {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("tabark-decode".to_owned())
            .spawn_scoped(scope, decode)
            .map_err(|cause| Error::io("starting a thread", cause))?;
        groups.into_iter().try_for_each(|group| visit(group?))
    })
}

/// Where the rows of a table go.
enum Tree<'p> {
    Rows { writer: TableWriter, row_id: Option<usize>, alias: bool, last: Option<i64> },
    Keys { writer: IndexWriter, parts: &'p [Part], last: Vec<u8>, first: bool },
}

struct Writer<'a> {
    table: &'a Table<'a>,
    pages: &'a TablePages,
    cells: Cells<'a>,
    tree: Tree<'a>,
    indexes: Vec<(&'a IndexPages, IndexSort<'a>)>,
    record: RecordBuilder,
    key: SortKey,
    next_row_id: i64,
    file: &'a PageFile,
}

impl Writer<'_> {
    fn write(&mut self, row: &[Cell<'_>]) -> Result<()> {
        self.check(row)?;
        let Self { cells, tree, record, key, file, .. } = self;
        let mut id = None;
        record.clear();
        match tree {
            Tree::Rows { writer, row_id, alias, last } => {
                let row_id_cell = row_id.and_then(|column| row.get(column));
                let here = match row_id_cell {
                    Some(Cell::Integer(id)) => *id,
                    Some(_) => return Err(out_of_order("a row id that is no integer")),
                    None => self.next_row_id,
                };
                if last.is_some_and(|last| last >= here) {
                    return Err(out_of_order("row ids that do not ascend"));
                }
                (*last, id) = (Some(here), Some(here));
                self.next_row_id = here.saturating_add(1);
                for (column, cell) in row.iter().enumerate() {
                    if *row_id != Some(column) {
                        cells.add_to_record(record, column, cell);
                    } else if *alias {
                        record.null();
                    }
                }
                writer.push(here, record.finish(), *file)?;
            }
            Tree::Keys { writer, parts, last, first } => {
                key.clear();
                for part in *parts {
                    let cell = part.column.and_then(|column| row.get(column)).unwrap_or(&Cell::Null);
                    if part.key {
                        cells.add_to_key(key, part, cell);
                    }
                    cells.add_to_record(record, part.column.unwrap_or_default(), cell);
                }
                if !*first && last.as_slice() == key.as_bytes() {
                    return Err(not_unique(&self.table.schema().name, parts));
                }
                if !*first && last.as_slice() > key.as_bytes() {
                    return Err(out_of_order("keys that do not ascend"));
                }
                *first = false;
                last.clear();
                last.extend_from_slice(key.as_bytes());
                writer.push(record.finish(), *file)?;
            }
        }
        for (index, sort) in &mut self.indexes {
            self.record.clear();
            self.key.clear();
            let (mut distinct, mut nulls) = (0, false);
            for part in &index.parts {
                let numbered = id.map(Cell::Integer);
                let cell = match part.column {
                    Some(column) => row.get(column),
                    None => numbered.as_ref(),
                };
                let cell = cell.unwrap_or(&Cell::Null);
                self.cells.add_to_key(&mut self.key, part, cell);
                match part.column {
                    Some(column) => self.cells.add_to_record(&mut self.record, column, cell),
                    None => self.record.integer(id.unwrap_or_default()),
                }
                if part.key {
                    distinct = self.key.as_bytes().len();
                    nulls |= *cell == Cell::Null;
                }
            }
            // Keys with a null are never the same.
            let distinct = if index.unique && !nulls { distinct } else { 0 };
            sort.push(Entry { key: self.key.as_bytes(), distinct, record: self.record.finish() })?;
        }
        Ok(())
    }

    /// Refuses what SQLite would refuse, or store otherwise.
    fn check(&self, row: &[Cell<'_>]) -> Result<()> {
        for (number, (cell, affinity)) in row.iter().zip(&self.pages.affinities).enumerate() {
            self.cells.encodings.refuse(cell)?;
            if affinity.changes(cell) {
                let schema = self.table.schema();
                let column = schema.columns.get(number).map(|column| column.name.as_str()).unwrap_or_default();
                let error = not_the_snapshots(&schema.name);
                return Err(error.noting(format_args!("a column that would differ: \"{column}\"")));
            }
        }
        Ok(())
    }

    fn finish(self, layout: Layout, observer: &dyn Observer) -> Result<()> {
        match self.tree {
            Tree::Rows { writer, .. } => writer.finish(self.file)?,
            Tree::Keys { writer, .. } => writer.finish(self.file)?,
        }
        let (name, file) = (&self.table.schema().name, self.file);
        if !self.indexes.is_empty() {
            observer.begin(Phase::Finish, Some(name), None, None);
        }
        let (merged, in_memory): (Vec<_>, Vec<_>) = self.indexes.into_iter().partition(|(_, sort)| sort.is_spilled());
        let write = |(index, sort)| write_index(name, index, sort, layout, file, observer);
        in_memory.into_par_iter().try_for_each(write)?;
        let waiting = Mutex::new(merged.into_iter());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        (0..MERGES_AT_ONCE).into_par_iter().try_for_each(|_| {
            while let Some(index) = next() {
                if let Err(error) = write(index) {
                    // The other one does not begin with more.
                    while next().is_some() {}
                    return Err(error);
                }
            }
            Ok(())
        })
    }
}

fn write_index(
    table: &str,
    index: &IndexPages,
    sort: IndexSort<'_>,
    layout: Layout,
    file: &PageFile,
    observer: &dyn Observer,
) -> Result<()> {
    let mut writer = IndexWriter::new(layout, index.root);
    let mut last = Vec::new();
    let mut entries = 0_u64;
    sort.finish(&mut |entry| {
        if index.unique {
            let distinct = entry.key.get(..entry.distinct).unwrap_or_default();
            if !distinct.is_empty() && last == distinct {
                return Err(not_unique(table, &index.parts));
            }
            last.clear();
            last.extend_from_slice(distinct);
        }
        entries += 1;
        if entries.is_multiple_of(ENTRIES_AT_ONCE) {
            check_cancelled(observer)?;
        }
        writer.push(entry.record, file)
    })
    .map_err(|error| error.noting(format_args!("index \"{}\"", index.name)))?;
    writer.finish(file)
}

/// How cells become parts of records and keys.
struct Cells<'a> {
    affinities: &'a [super::affinity::Affinity],
    encodings: Encodings,
    converted: Vec<u8>,
}

impl Cells<'_> {
    fn add_to_record(&mut self, record: &mut RecordBuilder, column: usize, cell: &Cell<'_>) {
        match *cell {
            Cell::Null => record.null(),
            Cell::Integer(value) => record.integer(value),
            Cell::Real(value) if self.affinities.get(column) == Some(&super::affinity::Affinity::Real) => {
                record.real_in_real_column(value);
            }
            Cell::Real(value) => record.real(value),
            Cell::Text(_) | Cell::RawText(_) => record.text(self.encodings.stored(cell, &mut self.converted)),
            Cell::Bytes(bytes) => record.bytes(bytes),
        }
    }

    fn add_to_key(&mut self, key: &mut SortKey, part: &Part, cell: &Cell<'_>) {
        let from = key.as_bytes().len();
        match *cell {
            Cell::Null => key.null(),
            Cell::Integer(value) => key.integer(value),
            Cell::Real(value) => key.real(value),
            Cell::Text(_) | Cell::RawText(_) => {
                // Other collations than BINARY are only covered where texts are stored as UTF-8.
                let collation: Collation = part.collation;
                key.text(self.encodings.stored(cell, &mut self.converted), collation);
            }
            Cell::Bytes(bytes) => key.bytes(bytes),
        }
        if part.descending {
            key.descend(from);
        }
    }
}

/// The error for two rows of one key, as SQLite tells it.
fn not_unique(table: &str, parts: &[Part]) -> Error {
    let columns: Vec<String> =
        parts.iter().filter(|part| part.key).map(|part| format!("{table}.{}", part.name)).collect();
    let said = format!("UNIQUE constraint failed: {}", columns.join(", "));
    let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CONSTRAINT_UNIQUE), Some(said));
    failure("writing rows", cause)
}

/// The error for rows that a b-tree cannot hold in the order that the snapshot has them in.
fn out_of_order(what: &str) -> Error {
    Error::not_proven(format!("the snapshot has {what}; nothing was changed"))
}
