//! What turns one state of a row group into the next: which rows go and come, and which cells differ.

use super::cells::Cells;

/// Rows that one state of a row group has and the next has not, and the other way round. All others stand in both, in the
/// same order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// Ordinals (from 0) of rows in the state before that are not in the state after, strictly ascending.
    pub deleted: Vec<u32>,
    /// Ordinals (from 0) of rows in the state after that are not in the state before, strictly ascending.
    pub inserted: Vec<u32>,
}

impl Places {
    /// Has every row of either state its counterpart in the other?
    pub fn is_empty(&self) -> bool {
        self.deleted.is_empty() && self.inserted.is_empty()
    }

    /// Rows of the state after, if the state before has `rows_before`; `None` where so few rows cannot lose as many as
    /// are deleted, or the sum is beyond `u32`.
    pub fn rows_after(&self, rows_before: u32) -> Option<u32> {
        let deleted = u32::try_from(self.deleted.len()).ok()?;
        let inserted = u32::try_from(self.inserted.len()).ok()?;
        rows_before.checked_sub(deleted)?.checked_add(inserted)
    }
}

/// The cells of one column that the state before does not have, beside the [`Places`] of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellPatch {
    /// Ordinals (from 0) of rows in the state after that stood in the state before with another cell, strictly ascending;
    /// none of them is an inserted one.
    pub changed: Vec<u32>,
    /// The cells of changed and of inserted rows together, in ascending order of the rows.
    pub cells: Cells,
}

impl CellPatch {
    /// Is the column the same, but for deleted rows?
    pub fn is_empty(&self) -> bool {
        self.cells.rows() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_where_they_can_be() {
        let places = Places { deleted: vec![0, 2], inserted: vec![1] };
        assert_eq!(places.rows_after(3), Some(2));
        assert_eq!(places.rows_after(1), None);
        assert_eq!(Places { deleted: Vec::new(), ..places.clone() }.rows_after(u32::MAX), None);
        assert!(!places.is_empty() && Places::default().is_empty());
        assert!(CellPatch::default().is_empty());
    }
}
