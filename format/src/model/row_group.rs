//! A run of rows of one table, column by column.

use super::cell::Cell;
use super::cells::{Cells, CellsCursor};
use crate::error::{Error, Result};

/// A run of consecutive rows of one table: `columns.len()` columns of `rows` cells each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowGroup {
    rows: u32,
    columns: Vec<Cells>,
}

impl RowGroup {
    /// A row group without rows, of this many columns.
    pub fn new(columns: usize) -> Self {
        Self { rows: 0, columns: vec![Cells::new(); columns] }
    }

    /// Puts columns of equal length together. `rows` is the length, which a group without columns has too.
    pub fn from_columns(rows: u32, columns: Vec<Cells>) -> Result<Self> {
        if columns.iter().any(|column| column.rows() != rows) {
            return Err(Error::request(format!("columns of a row group that differ from its {rows} rows")));
        }
        Ok(Self { rows, columns })
    }

    /// Takes the rows out, and leaves a row group without rows, of as many columns, with room for as much again.
    pub fn take(&mut self) -> Self {
        let columns = self.columns.iter().map(Cells::with_room_of).collect();
        std::mem::replace(self, Self { rows: 0, columns })
    }

    /// Adds a row: one cell per column.
    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<()> {
        if row.len() != self.columns.len() {
            return Err(Error::request(format!("a row of {} cells for {} columns", row.len(), self.columns.len())));
        }
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.push(cell)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Cursors at the first row, one per column, for [`RowGroup::append`].
    pub fn cursors(&self) -> Vec<CellsCursor<'_>> {
        self.columns.iter().map(CellsCursor::new).collect()
    }

    /// Adds the next `rows` rows of another row group, on whose columns the cursors stand, and moves these on.
    pub fn append(&mut self, from: &mut [CellsCursor<'_>], rows: u32) -> Result<()> {
        if from.len() != self.columns.len() {
            return Err(Error::request(format!("rows of {} cells for {} columns", from.len(), self.columns.len())));
        }
        for (column, cursor) in self.columns.iter_mut().zip(from) {
            cursor.append_to(column, rows)?;
        }
        self.rows += rows;
        Ok(())
    }

    /// Number of rows.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Bytes of the columns' canonical forms (`spec/format.md` §7.3), which is about what the row group takes in memory.
    pub fn bytes(&self) -> u64 {
        self.columns.iter().map(Cells::logical_bytes).sum()
    }

    /// Bytes that the rows count for when they are cut into row groups (`spec/format.md` §7.2).
    pub fn weight(&self) -> u64 {
        self.columns.iter().map(Cells::weight).sum()
    }

    /// The columns, in the schema's order.
    pub fn columns(&self) -> &[Cells] {
        &self.columns
    }

    /// Takes the columns out.
    pub fn into_columns(self) -> Vec<Cells> {
        self.columns
    }

    /// Calls `visit` with each row in order; stops at the first error.
    pub fn for_each_row<'g>(&'g self, mut visit: impl FnMut(&[Cell<'g>]) -> Result<()>) -> Result<()> {
        let mut columns: Vec<_> = self.columns.iter().map(Cells::iter).collect();
        let mut row = Vec::with_capacity(columns.len());
        for _ in 0..self.rows {
            row.clear();
            row.extend(columns.iter_mut().map_while(Iterator::next));
            visit(&row)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_order() {
        let mut group = RowGroup::new(2);
        group.push(&[Cell::Integer(1), Cell::Null]).unwrap();
        group.push(&[Cell::Integer(2), Cell::Text(b"x")]).unwrap();
        assert!(group.push(&[Cell::Null]).is_err());
        let mut seen = Vec::new();
        group
            .for_each_row(|row| {
                seen.push(format!("{row:?}"));
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, ["[Integer(1), Null]", "[Integer(2), Text([120])]"]);
    }

    #[test]
    fn a_group_without_columns_still_has_rows() {
        let group = RowGroup::from_columns(3, Vec::new()).unwrap();
        let mut rows = 0;
        group
            .for_each_row(|row| {
                assert!(row.is_empty());
                rows += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(rows, 3);
    }
}
