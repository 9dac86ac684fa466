//! Where rows go: sources give them, archives and fingerprints take them, and neither knows the other.

use super::cell::Cell;
use crate::error::Result;

/// Takes the rows of one table in order.
pub trait RowSink {
    /// Takes one row: one cell per column of the schema, in its order. Text cells are valid UTF-8.
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()>;
}

impl<F: FnMut(&[Cell<'_>]) -> Result<()>> RowSink for F {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self(cells)
    }
}
