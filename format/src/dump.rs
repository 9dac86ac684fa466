//! Dumping: the chosen tables of a source become one snapshot of an archive, or nothing changes.

use std::path::Path;
use std::sync::Arc;

use crate::archive::{
    Archive, ArchiveWriter, CommitSummary, SnapshotHeader, SnapshotWriter, TableWriter, WriterOptions,
};
use crate::container::{AppendFile, NewFile, WriteStorage};
use crate::error::{Error, Result};
use crate::model::{Cell, Omission, TableSchema, roles};
use crate::observer::{Observer, Phase, check_cancelled};
use crate::selection::Selection;
use crate::source::{RowSink, Source};

/// Rows read before progress is told and cancellation asked.
const ROWS_AT_ONCE: u64 = 1024;

/// What to dump, and what the snapshot says of itself.
#[derive(Debug, Clone)]
pub struct DumpOptions {
    /// Tables, views and virtual tables to take.
    pub tables: Selection,
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
    /// Name and rows of each table.
    pub tables: Vec<(String, u64)>,
    /// What the source has and the snapshot has not.
    pub omitted: Vec<Omission>,
}

/// Dumps into the archive at `path`: a new one if there is none, else one more snapshot of it.
pub fn dump(source: &dyn Source, path: &Path, options: &DumpOptions, observer: &dyn Observer) -> Result<DumpReport> {
    check_selection(source, &options.tables)?;
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
        let rows = dump_table(&mut snapshot, table, observer, |sink| source.read_table(table, sink))?;
        tables.push((table.name.clone(), rows));
    }
    for table in catalog.tables.iter().filter(|table| table.role == roles::INTERNAL) {
        if options.tables.is_everything() {
            let rows = dump_table(&mut snapshot, table, observer, |sink| source.read_table(table, sink))?;
            tables.push((table.name.clone(), rows));
        } else if has_rows(source, table, &names)? {
            let rows = dump_table(&mut snapshot, table, observer, |sink| source.read_internal(table, &names, sink))?;
            tables.push((table.name.clone(), rows));
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
    observer: &dyn Observer,
    read: impl FnOnce(&mut dyn RowSink) -> Result<()>,
) -> Result<u64> {
    observer.begin(Phase::Dump, Some(&table.name), None, None);
    let mut sink = Watched { writer: snapshot.begin_table(table)?, observer, rows: 0, told: (0, 0) };
    read(&mut sink).map_err(|error: Error| error.in_table(&table.name))?;
    sink.tell();
    let rows = sink.rows;
    sink.writer.finish()?;
    Ok(rows)
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
    fn tell(&mut self) {
        let bytes = self.writer.weight();
        self.observer.advance(self.rows - self.told.0, bytes - self.told.1);
        self.told = (self.rows, bytes);
    }
}

impl<S: WriteStorage> RowSink for Watched<'_, S> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.writer.row(cells)?;
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_AT_ONCE) {
            check_cancelled(self.observer)?;
            self.tell();
        }
        Ok(())
    }
}
