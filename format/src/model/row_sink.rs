//! Where rows go: sources give them, archives and fingerprints take them, and neither knows the other.

use super::cell::Cell;
use super::row_group::RowGroup;
use crate::error::Result;

/// Takes the rows of one table in order.
pub trait RowSink {
    /// Takes one row: one cell per column of the schema, in its order. Text cells are valid UTF-8.
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()>;

    /// Takes some rows that were put together by column: what [`RowSink::row`] would have made of each of them in turn.
    ///
    /// A source may send its rows in either way and in both, some hundreds at a time: copies of whole columns are cheaper for
    /// who makes columns of them.
    fn rows(&mut self, rows: &RowGroup) -> Result<()> {
        rows.for_each_row(|row| self.row(row))
    }
}

impl<F: FnMut(&[Cell<'_>]) -> Result<()>> RowSink for F {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self(cells)
    }
}
