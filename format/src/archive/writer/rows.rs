//! A table of a snapshot in the making: its rows come in, and row groups go on to be worked on.

use super::SnapshotWriter;
use crate::container::WriteStorage;
use crate::error::Result;
use crate::history::boundaries::RowGrouper;
use crate::model::{Cell, RowGroup, RowSink, TableSchema};

/// A table in the making; takes rows through [`RowSink`].
///
/// Rows are worked on after they were given: an error may concern earlier ones, and may come with a later row, or with
/// [`SnapshotWriter::commit`].
pub struct TableWriter<'a, S: WriteStorage> {
    pub(super) number: usize,
    pub(super) name: String,
    grouper: RowGrouper,
    pub(super) snapshot: &'a mut SnapshotWriter<S>,
}

impl<'a, S: WriteStorage> TableWriter<'a, S> {
    pub(super) fn new(number: usize, schema: &TableSchema, snapshot: &'a mut SnapshotWriter<S>) -> Self {
        Self { number, name: schema.name.clone(), grouper: RowGrouper::new(schema), snapshot }
    }

    /// Bytes that all rows so far count for (`spec/format.md` §7.2).
    pub fn weight(&self) -> u64 {
        self.grouper.weight()
    }

    /// Ends the table. A table that is dropped instead is not part of the snapshot.
    pub fn finish(self) -> Result<()> {
        let Self { number, name, mut grouper, snapshot } = self;
        if let Some(group) = grouper.take() {
            snapshot
                .doing(|snapshot| snapshot.hand_on(number, group))
                .map_err(|error| error.in_table(name.as_str()))?;
        }
        if let Some(table) = snapshot.tables.get_mut(number) {
            table.is_finished = true;
        }
        snapshot.names.insert(name);
        Ok(())
    }
}

impl<S: WriteStorage> RowSink for TableWriter<'_, S> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        match self.grouper.push(cells) {
            Ok(None) => Ok(()),
            Ok(Some(group)) => self.snapshot.doing(|snapshot| snapshot.hand_on(self.number, group)),
            Err(error) => self.snapshot.doing(|_| Err(error)),
        }
        .map_err(|error| error.in_table(&self.name))
    }

    fn rows(&mut self, rows: &RowGroup) -> Result<()> {
        let Self { number, name, grouper, snapshot } = self;
        snapshot
            .doing(|snapshot| grouper.push_rows(rows, |group| snapshot.hand_on(*number, group)))
            .map_err(|error| error.in_table(name.as_str()))
    }
}
