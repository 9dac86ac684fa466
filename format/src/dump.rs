//! Dumping: the chosen tables of a source become one snapshot of an archive, or nothing changes.

use std::path::Path;
use std::sync::Arc;

use crate::archive::{
    Archive, ArchiveWriter, CommitSummary, SnapshotHeader, SnapshotWriter, TableWriter, WriterOptions,
};
use crate::container::{AppendFile, NewFile, WriteStorage};
use crate::error::{Error, Result};
use crate::model::{Cell, Filter, Omission, RowGroup, TableSchema, roles};
use crate::observer::{Observer, Phase, check_cancelled};
use crate::selection::{Selection, no_such_table};
use crate::source::{FilteredRows, RowSink, Source, check_filters, read_filtered};

/// Rows read before progress is told and cancellation asked.
const ROWS_AT_ONCE: u64 = 1024;

/// What to dump, and what the snapshot says of itself.
#[derive(Debug, Clone)]
pub struct DumpOptions {
    /// Tables, views and virtual tables to take.
    pub tables: Selection,
    /// Names of tables, each with a rule for which of its rows are kept; several for one table must all keep a row.
    pub filters: Vec<(String, Filter)>,
    /// Tags, in any order; keys unique.
    pub tags: Vec<(String, String)>,
    /// The snapshot's time, in microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// Program and version.
    pub writer: String,
    /// How the archive is written.
    pub archive: WriterOptions,
}

/// What was dumped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DumpReport {
    /// The new snapshot.
    pub snapshot: CommitSummary,
    /// Was the archive made by this dump?
    pub created: bool,
    /// Bytes of an unfinished append that were cut off first.
    pub tail_removed: u64,
    /// The tables.
    pub tables: Vec<DumpedTable>,
    /// What the source has and the snapshot has not.
    pub omitted: Vec<Omission>,
}

/// A table that was dumped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DumpedTable {
    /// Its name.
    pub name: String,
    /// Rows in the snapshot.
    pub rows: u64,
    /// The rules by which rows were left out; none: the table is whole.
    pub filters: Vec<Filter>,
    /// Rows that were left out because they were too old. What conditions leave out is not counted.
    pub expired: u64,
    /// Rows that were kept although a rule asks for their age, because they hold no time that is understood.
    pub without_time: u64,
}

/// Dumps into the archive at `path`: a new one if there is none, else one more snapshot of it.
pub fn dump(source: &dyn Source, path: &Path, options: &DumpOptions, observer: &dyn Observer) -> Result<DumpReport> {
    check_selection(source, &options.tables)?;
    check_rules(source, options)?;
    if !path.exists() {
        let writer = ArchiveWriter::create(NewFile::create(path)?, options.archive)?;
        return dump_snapshot(source, writer, options, observer);
    }
    let mut file = AppendFile::lock(path)?;
    let archive = Arc::new(Archive::from_storage(Arc::new(file.reader()?))?);
    let (end, tail) = (archive.container().last().end(), archive.tail());
    archive.check_tail()?;
    file.start_at(end);
    let writer = ArchiveWriter::append(file, archive, options.archive)?;
    let mut report = dump_snapshot(source, writer, options, observer)?;
    report.created = false;
    report.tail_removed = tail;
    Ok(report)
}

/// Dumps one snapshot through any writer.
pub fn dump_snapshot<S: WriteStorage>(
    source: &dyn Source,
    writer: ArchiveWriter<S>,
    options: &DumpOptions,
    observer: &dyn Observer,
) -> Result<DumpReport> {
    let catalog = source.catalog();
    check_selection(source, &options.tables)?;
    check_rules(source, options)?;
    let mut tags = options.tags.clone();
    tags.sort();
    let header = SnapshotHeader {
        time: options.time,
        tags,
        source: catalog.description.clone(),
        writer: options.writer.clone(),
        omitted: catalog.omitted.clone(),
    };
    let mut snapshot = writer.begin_snapshot(header)?;
    let takes = |table: &&TableSchema| table.role != roles::INTERNAL && options.tables.takes_table(table);
    let chosen: Vec<&TableSchema> = catalog.tables.iter().filter(takes).collect();
    let any_object = catalog.objects.iter().any(|object| options.tables.takes_object(object));
    if chosen.is_empty() && !any_object && !options.tables.is_everything() {
        return Err(Error::request("nothing of the database is chosen").with_hint("leave less out"));
    }
    let names: Vec<&str> = chosen.iter().map(|table| table.name.as_str()).collect();
    let mut tables = Vec::with_capacity(chosen.len());
    for table in &chosen {
        let filters = filters_of(options, table);
        tables.push(dump_table(&mut snapshot, table, filters, observer, |filters, sink| {
            read_filtered(source, table, filters, observer, sink)
        })?);
    }
    for table in catalog.tables.iter().filter(|table| table.role == roles::INTERNAL) {
        if options.tables.is_everything() {
            tables.push(dump_table(&mut snapshot, table, vec![], observer, |filters, sink| {
                read_filtered(source, table, filters, observer, sink)
            })?);
        } else if has_rows(source, table, &names)? {
            tables.push(dump_table(&mut snapshot, table, vec![], observer, |_, sink| {
                source.read_internal(table, &names, sink).map(|()| FilteredRows::default())
            })?);
        }
    }
    for object in &catalog.objects {
        if options.tables.takes_object(object) {
            snapshot.add_object(object.clone());
        }
    }
    snapshot.settle(|| check_cancelled(observer))?;
    check_cancelled(observer)?;
    let snapshot = snapshot.commit()?;
    Ok(DumpReport { snapshot, created: true, tail_removed: 0, tables, omitted: catalog.omitted.clone() })
}

fn check_selection(source: &dyn Source, selection: &Selection) -> Result<()> {
    let catalog = source.catalog();
    let tables = catalog.tables.iter().filter(|table| table.role != roles::INTERNAL).map(|table| table.name.as_str());
    let objects = catalog.objects.iter().map(|object| object.name.as_str());
    let names: Vec<&str> = tables.chain(objects).collect();
    selection.check(names.iter().copied())
}

/// The rules for a table, in the order in which they were given.
fn filters_of(options: &DumpOptions, table: &TableSchema) -> Vec<Filter> {
    options.filters.iter().filter(|(name, _)| *name == table.name).map(|(_, filter)| filter.clone()).collect()
}

/// Every rule is one for a table that is dumped, and can be followed.
fn check_rules(source: &dyn Source, options: &DumpOptions) -> Result<()> {
    let catalog = source.catalog();
    for (name, filter) in &options.filters {
        let Some(table) = catalog.tables.iter().find(|table| table.name == *name) else {
            return Err(match catalog.objects.iter().find(|object| object.name == *name) {
                Some(object) => {
                    Error::request(format!("{} \"{name}\" has no rows of its own to leave out", object.kind))
                        .with_hint("name a table")
                }
                None => no_such_table(name, catalog.tables.iter().map(|table| table.name.as_str())),
            });
        };
        check_filters(source, table, std::slice::from_ref(filter))?;
        if !options.tables.takes_table(table) {
            return Err(Error::request(format!("rows of \"{name}\" are to be left out, but the table is not chosen"))
                .with_hint("choose the table too, or leave out the rule"));
        }
    }
    Ok(())
}

fn has_rows(source: &dyn Source, table: &TableSchema, names: &[&str]) -> Result<bool> {
    let mut any = false;
    source.read_internal(table, names, &mut |_: &[Cell<'_>]| {
        any = true;
        Ok(())
    })?;
    Ok(any)
}

fn dump_table<S: WriteStorage>(
    snapshot: &mut SnapshotWriter<S>,
    table: &TableSchema,
    filters: Vec<Filter>,
    observer: &dyn Observer,
    read: impl FnOnce(&[Filter], &mut dyn RowSink) -> Result<FilteredRows>,
) -> Result<DumpedTable> {
    observer.begin(Phase::Dump, Some(&table.name), None, None);
    let mut sink = Watched { writer: snapshot.begin_part(table, &filters)?, observer, rows: 0, told: (0, 0) };
    let counts = read(&filters, &mut sink).map_err(|error: Error| error.in_table(&table.name))?;
    sink.tell();
    let rows = sink.rows;
    sink.writer.finish()?;
    let FilteredRows { expired, without_time, .. } = counts;
    Ok(DumpedTable { name: table.name.clone(), rows, filters, expired, without_time })
}

/// Counts rows on their way into a table.
struct Watched<'a, S: WriteStorage> {
    writer: TableWriter<'a, S>,
    observer: &'a dyn Observer,
    rows: u64,
    /// Rows and bytes that the observer knows of.
    told: (u64, u64),
}

impl<S: WriteStorage> Watched<'_, S> {
    fn count(&mut self, rows: u64) -> Result<()> {
        let before = self.rows;
        self.rows += rows;
        if before / ROWS_AT_ONCE != self.rows / ROWS_AT_ONCE {
            check_cancelled(self.observer)?;
            self.tell();
        }
        Ok(())
    }

    fn tell(&mut self) {
        let bytes = self.writer.weight();
        self.observer.advance(self.rows - self.told.0, bytes - self.told.1);
        self.told = (self.rows, bytes);
    }
}

impl<S: WriteStorage> RowSink for Watched<'_, S> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.writer.row(cells)?;
        self.count(1)
    }

    fn rows(&mut self, rows: &RowGroup) -> Result<()> {
        self.writer.rows(rows)?;
        self.count(u64::from(rows.rows()))
    }
}
