//! Proof before and after: stored bytes that are checked before anything is written, and rows that are read back.

use super::passing::Passing;
use crate::archive::Table;
use crate::error::{Error, Result};
use crate::model::Cell;
use crate::observer::{Observer, Phase, check_cancelled};
use crate::source::RowSink;

/// Checks every stored byte of these tables.
pub(super) fn check_stored<'t, 'a: 't>(
    tables: impl Iterator<Item = &'t Table<'a>>,
    observer: &dyn Observer,
) -> Result<()> {
    for table in tables {
        check_cancelled(observer)?;
        let manifest = table.manifest();
        observer.begin(Phase::Verify, Some(&manifest.schema.name), None, Some(manifest.stored_bytes));
        let columns: Vec<usize> = (0..manifest.schema.columns.len()).collect();
        table.check_stored(&columns, observer)?;
    }
    check_cancelled(observer)
}

/// The error for rows that are not the snapshot's.
pub(super) fn not_the_snapshots(table: &str) -> Error {
    Error::not_proven("the rows read back are not the snapshot's; nothing was changed")
        .in_table(table)
        .with_hint("values that do not fit their column's declared type are changed by SQLite when they are written")
}

/// Tells the observer of rows that pass by, and stops when it asks to.
pub(super) struct Watched<'a> {
    passing: Passing<'a>,
    sink: &'a mut dyn RowSink,
}

impl<'a> Watched<'a> {
    pub(super) fn new(observer: &'a dyn Observer, sink: &'a mut dyn RowSink) -> Self {
        Self { passing: Passing::new(observer), sink }
    }
}

impl RowSink for Watched<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.passing.row(cells)?;
        self.sink.row(cells)
    }
}
