//! Telling an observer of rows that pass by.

use crate::error::Result;
use crate::model::Cell;
use crate::observer::{Observer, check_cancelled};

/// Rows that pass before they are told of and it is asked whether to go on.
const ROWS_AT_ONCE: u64 = 1024;

/// Rows that passed and were not told of yet; what is left is told at the end.
pub(super) struct Passing<'o> {
    observer: &'o dyn Observer,
    rows: u64,
    bytes: u64,
}

impl<'o> Passing<'o> {
    pub(super) fn new(observer: &'o dyn Observer) -> Self {
        Self { observer, rows: 0, bytes: 0 }
    }

    /// Counts a row. Fails if the observer asks to stop.
    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.rows += 1;
        self.bytes += cells.iter().map(Cell::weight).sum::<u64>();
        if self.rows == ROWS_AT_ONCE {
            check_cancelled(self.observer)?;
            self.observer.advance(self.rows, self.bytes);
            (self.rows, self.bytes) = (0, 0);
        }
        Ok(())
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        self.observer.advance(self.rows, self.bytes);
    }
}
