//! Snapshots that stood in another archive: their numbers, tables and row groups are taken over, and read no further than
//! they must be.

use std::sync::Arc;

use super::{ArchiveWriter, SnapshotHeader, SnapshotWriter, TableInWriting, TableWriter};
use crate::archive::reader::Archive;
use crate::archive::stored_group::StoredGroup;
use crate::archive::table_reader::GroupPlace;
use crate::container::WriteStorage;
use crate::error::{Error, Result};
use crate::model::RowGroup;

impl<S: WriteStorage> ArchiveWriter<S> {
    /// Begins a snapshot of this number, which must be higher than those before it.
    pub(crate) fn begin_numbered(self, number: u64, header: SnapshotHeader) -> Result<SnapshotWriter<S>> {
        if number <= self.previous.as_ref().map_or(0, |previous| previous.commit.number) {
            return Err(Error::request(format!("snapshot {number} after one of that number or a higher one")));
        }
        self.begin(number, header)
    }
}

impl<S: WriteStorage> SnapshotWriter<S> {
    /// Takes the table of this name from the snapshot before, as it is.
    pub(crate) fn keep_table(&mut self, name: &str) -> Result<()> {
        let refuse = |why| Err(Error::request(why).in_table(name));
        let Some(parent) = &self.parent else { return refuse("no snapshot before that can be read") };
        let Some((entry, manifest)) = parent.find(name) else { return refuse("the snapshot before has no such table") };
        if !self.names.insert(name.to_owned()) {
            return refuse("two tables of one name");
        }
        self.kept.push((entry.clone(), manifest.logical_bytes));
        Ok(())
    }

    /// Hands a row group on that stands in another archive.
    fn hand_on_stored(&mut self, table: usize, group: StoredGroup, recodes: bool) -> Result<()> {
        let Some(TableInWriting { state, .. }) = self.tables.get_mut(table) else { return Ok(()) };
        let (head, columns, work) = state.begin_stored(group, self.sealing, recodes);
        self.make_room(columns.iter().map(|(bytes, ())| bytes).sum())?;
        self.in_flight.push_columns(&mut self.out.frames.workers, (table, head), columns, &work);
        self.pack_done()
    }
}

impl<S: WriteStorage> TableWriter<'_, S> {
    /// Adds a row group that is cut as its rows want it; no row may have come by itself before.
    pub(crate) fn add_group(&mut self, group: RowGroup) -> Result<()> {
        self.snapshot.doing(|snapshot| snapshot.hand_on(self.number, group)).map_err(|error| error.in_table(&self.name))
    }

    /// Adds a row group that stands in another archive. Of its columns those are kept that the snapshot before has too; of
    /// others the blocks are copied, or `recodes` says that they are encoded anew.
    pub(crate) fn add_stored(&mut self, archive: &Arc<Archive>, place: GroupPlace, recodes: bool) -> Result<()> {
        let group = StoredGroup::new(Arc::clone(archive), place);
        self.snapshot
            .doing(|snapshot| snapshot.hand_on_stored(self.number, group, recodes))
            .map_err(|error| error.in_table(&self.name))
    }
}
