//! Copying snapshots from one archive to another, each laid beside the one before it.

use std::collections::HashMap;
use std::sync::Arc;

use super::RowRule;
use super::recut;
use crate::archive::{
    Archive, ArchiveWriter, ErasureRecord, SliceReference, Snapshot, SnapshotHeader, SnapshotSummary, SnapshotWriter,
    Table, WriterOptions,
};
use crate::container::Replacement;
use crate::error::Result;
use crate::observer::{Observer, Phase, check_cancelled};

/// A snapshot that was copied.
pub(super) struct Copied {
    /// As it was.
    pub(super) summary: SnapshotSummary,
    /// Rows that were dropped, by table; tables that lost none do not stand here.
    pub(super) dropped: HashMap<String, u64>,
}

/// A table of the snapshot copied last.
struct PreviousTable {
    /// Where it stood in the old archive.
    manifest: SliceReference,
    /// What the rule had to say of it: nothing, or the edition of it.
    edition: Option<u64>,
    /// How many rows it lost.
    dropped: u64,
}

type Previous = HashMap<String, PreviousTable>;

/// What erasures an archive tells of from now on, by the number, the old root and the new root of all its snapshots: all
/// records.
pub(super) type Records<'r> = dyn Fn(&[(u64, [u8; 32], [u8; 32])]) -> Result<Vec<ErasureRecord>> + 'r;

/// Copies snapshots in this order into a file that is empty.
pub(super) fn copy(
    old: &Arc<Archive>,
    snapshots: &[SnapshotSummary],
    file: &mut Replacement,
    rule: Option<&mut dyn RowRule>,
    records: &Records<'_>,
    options: WriterOptions,
    observer: &dyn Observer,
) -> Result<Vec<Copied>> {
    let mut copier = Copier { old, rule, recodes: options.level.is_some(), observer, previous: Previous::new() };
    let mut copied = Vec::with_capacity(snapshots.len());
    let mut roots = Vec::with_capacity(snapshots.len());
    for summary in snapshots {
        check_cancelled(observer)?;
        let snapshot = old.snapshot(summary.clone())?;
        let writer = if copied.is_empty() {
            ArchiveWriter::create(&mut *file, options)?
        } else {
            // The snapshot before is read from the new file: what this one shares with it is there.
            let new = Archive::from_storage(Arc::new(file.reader()?))?;
            ArchiveWriter::append(&mut *file, Arc::new(new), options)?
        };
        let mut writing = writer.begin_numbered(summary.number, header(&snapshot))?;
        let dropped = copier.snapshot(&snapshot, &mut writing)?;
        writing.settle(|| check_cancelled(observer))?;
        let is_last = copied.len() + 1 == snapshots.len();
        writing.commit_with(|root| {
            roots.push((summary.number, summary.root(), root));
            let records = if is_last { records(&roots)? } else { Vec::new() };
            Ok((!records.is_empty()).then_some(records))
        })?;
        copied.push(Copied { summary: summary.clone(), dropped });
    }
    Ok(copied)
}

/// What a snapshot goes on saying of itself.
fn header(snapshot: &Snapshot<'_>) -> SnapshotHeader {
    let manifest = snapshot.manifest();
    SnapshotHeader {
        time: manifest.time,
        tags: manifest.tags.clone(),
        source: manifest.source.clone(),
        writer: manifest.writer.clone(),
        omitted: manifest.omitted.clone(),
    }
}

struct Copier<'a, 'r> {
    old: &'a Arc<Archive>,
    rule: Option<&'r mut dyn RowRule>,
    recodes: bool,
    observer: &'a dyn Observer,
    previous: Previous,
}

impl Copier<'_, '_> {
    /// Gives the rows dropped by table.
    fn snapshot(
        &mut self,
        snapshot: &Snapshot<'_>,
        writing: &mut SnapshotWriter<&mut Replacement>,
    ) -> Result<HashMap<String, u64>> {
        let mut tables = Previous::with_capacity(snapshot.catalog().tables.len());
        for entry in &snapshot.catalog().tables {
            check_cancelled(self.observer)?;
            let table = snapshot.open_table(entry)?;
            let columns = match &mut self.rule {
                Some(rule) => rule.columns(snapshot.summary(), table.schema())?,
                None => None,
            };
            let edition = columns.is_some().then(|| self.rule.as_mut().map_or(0, |rule| rule.edition()));
            let manifest = entry.manifest;
            let is_same = |before: &&PreviousTable| (before.manifest, before.edition) == (manifest, edition);
            let dropped = match self.previous.get(&entry.name).filter(is_same) {
                Some(before) => {
                    writing.keep_table(&entry.name)?;
                    before.dropped
                }
                None => self.table(&table, columns.as_deref(), writing)?,
            };
            tables.insert(entry.name.clone(), PreviousTable { manifest, edition, dropped });
        }
        for object in &snapshot.catalog().objects {
            writing.add_object(object.clone());
        }
        let dropped = tables.iter().filter(|(_, table)| table.dropped > 0);
        let dropped = dropped.map(|(name, table)| (name.clone(), table.dropped)).collect();
        self.previous = tables;
        Ok(dropped)
    }

    /// Gives the rows dropped.
    fn table(
        &mut self,
        table: &Table<'_>,
        columns: Option<&[usize]>,
        writing: &mut SnapshotWriter<&mut Replacement>,
    ) -> Result<u64> {
        let name = &table.schema().name;
        self.observer.begin(Phase::Rewrite, Some(name), Some(table.manifest().rows), None);
        let mut writer = writing.begin_part(table.schema(), &table.manifest().filters)?;
        let dropped = match (&mut self.rule, columns) {
            (Some(rule), Some(columns)) => {
                let mut rows = recut::Rows { old: self.old, table, recodes: self.recodes, observer: self.observer };
                rows.copy(&mut **rule, columns, &mut writer).map_err(|error| error.in_table(name))?
            }
            _ => {
                for place in table.groups() {
                    check_cancelled(self.observer)?;
                    let place = place?;
                    let (rows, bytes) = size(&place.entry);
                    writer.add_stored(self.old, place, self.recodes)?;
                    self.observer.advance(rows, bytes);
                }
                0
            }
        };
        writer.finish()?;
        Ok(dropped)
    }
}

/// Rows and logical bytes of a row group.
pub(super) fn size(group: &crate::archive::RowGroupEntry) -> (u64, u64) {
    (group.rows, group.blocks.iter().map(|block| block.logical_bytes).sum())
}
