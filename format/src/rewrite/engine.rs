//! Copying snapshots from one archive to another, each laid beside the one before it.

use std::collections::HashMap;
use std::sync::Arc;

use super::RowRule;
use super::recut;
use crate::archive::{
    Archive, ArchiveWriter, SliceReference, Snapshot, SnapshotHeader, SnapshotSummary, SnapshotWriter, Table,
    WriterOptions,
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

/// Tables of the snapshot copied last: where each stood in the old archive, whether the rule concerned it, and how many
/// rows it lost.
type Previous = HashMap<String, (SliceReference, bool, u64)>;

/// Copies snapshots in this order into a file that is empty.
pub(super) fn copy(
    old: &Arc<Archive>,
    snapshots: &[SnapshotSummary],
    file: &mut Replacement,
    rule: Option<&mut dyn RowRule>,
    options: WriterOptions,
    observer: &dyn Observer,
) -> Result<Vec<Copied>> {
    let mut copier = Copier { old, rule, recodes: options.level.is_some(), observer, previous: Previous::new() };
    let mut copied = Vec::with_capacity(snapshots.len());
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
        writing.commit()?;
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
            let now = (entry.manifest, columns.is_some());
            let before = self.previous.get(&entry.name).filter(|before| (before.0, before.1) == now);
            let dropped = match before {
                Some((_, _, dropped)) => {
                    writing.keep_table(&entry.name)?;
                    *dropped
                }
                None => self.table(&table, columns.as_deref(), writing)?,
            };
            tables.insert(entry.name.clone(), (now.0, now.1, dropped));
        }
        for object in &snapshot.catalog().objects {
            writing.add_object(object.clone());
        }
        let dropped = tables.iter().filter(|(_, (_, _, dropped))| *dropped > 0);
        let dropped = dropped.map(|(name, (_, _, dropped))| (name.clone(), *dropped)).collect();
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
