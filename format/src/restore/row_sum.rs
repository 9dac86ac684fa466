//! The sum of rows: a digest of which rows there are and how often, whatever their order.
//!
//! It proves rows that were added to others, where a fingerprint cannot: after less before is what was added.

use crate::error::Result;
use crate::model::{Cell, TableSchema};
use crate::source::RowSink;

/// The sum of the rows seen, over the visible columns. Rows are hashed (BLAKE3) and their digests added as numbers of 256
/// bits, so a row that is missing, doubled or different changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowSum {
    sum: [u64; 4],
    rows: u64,
    visible: Vec<bool>,
}

impl RowSum {
    /// No rows yet, of tables of this schema.
    pub(super) fn new(schema: &TableSchema) -> Self {
        Self { sum: [0; 4], rows: 0, visible: schema.columns.iter().map(|column| !column.hidden).collect() }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &[Cell<'_>]) {
        self.add_cells(row.iter());
    }

    /// Adds a row of these cells, in the order of the schema.
    pub(super) fn add_cells<'c>(&mut self, cells: impl Iterator<Item = &'c Cell<'c>>) {
        let mut hasher = blake3::Hasher::new_derive_key("tabark restored row");
        for (cell, _) in cells.zip(&self.visible).filter(|(_, visible)| **visible) {
            hasher.update(&[cell.kind().number()]);
            if let Some(bits) = cell.fixed_bits() {
                hasher.update(&bits.to_le_bytes());
            }
            if let Some(bytes) = cell.variable_bytes() {
                hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
            }
        }
        let digest = hasher.finalize();
        let (words, _) = digest.as_bytes().as_chunks::<8>();
        self.add_words(words.iter().map(|word| u64::from_le_bytes(*word)));
        self.rows += 1;
    }

    /// Is this the sum of `before` and `added`?
    pub(super) fn is_sum_of(&self, before: &Self, added: &Self) -> bool {
        let mut expected = before.clone();
        expected.add_words(added.sum.into_iter());
        self.sum == expected.sum && Some(self.rows) == before.rows.checked_add(added.rows)
    }

    /// Are these the same rows?
    #[cfg_attr(
        not(feature = "sqlite"),
        allow(dead_code, reason = "where PostgreSQL's rows stand in an order of their own")
    )]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.sum == other.sum && self.rows == other.rows
    }

    fn add_words(&mut self, words: impl Iterator<Item = u64>) {
        let mut carry = false;
        for (word, more) in self.sum.iter_mut().zip(words) {
            let (sum, over) = word.overflowing_add(more);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = over || over_again;
        }
    }
}

impl RowSink for RowSum {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.add(cells);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Column;

    fn sum(rows: &[[Cell<'_>; 3]]) -> RowSum {
        let column = |name: &str| Column {
            name: name.into(),
            declared_type: String::new(),
            logical: 0,
            nullable: true,
            hidden: name == "rowid",
        };
        let schema = TableSchema {
            name: "t".into(),
            role: "table".into(),
            definition: String::new(),
            position: 0,
            columns: ["rowid", "a", "b"].map(column).into(),
            generated: vec![],
            key: vec![],
            options: vec![],
            attached: vec![],
        };
        let mut sum = RowSum::new(&schema);
        rows.iter().for_each(|row| sum.add(row));
        sum
    }

    #[test]
    fn order_and_row_ids_do_not_matter_and_all_else_does() {
        let row = |id: i64, a: &'static [u8]| [Cell::Integer(id), Cell::Text(a), Cell::Null];
        let (x, y) = (row(1, b"x"), row(2, b"y"));
        assert!(sum(&[x, y]).is_same(&sum(&[row(9, b"y"), row(8, b"x")])));
        assert!(!sum(&[x, x]).is_same(&sum(&[y, y])));
        assert!(!sum(&[x]).is_same(&sum(&[x, x])));
        assert!(!sum(&[[x[0], Cell::Text(b"a"), Cell::Text(b"b")]]).is_same(&sum(&[[
            x[0],
            Cell::Text(b"ab"),
            Cell::Text(b"")
        ]])));
        assert!(!sum(&[[x[0], Cell::Bytes(b"x"), Cell::Null]]).is_same(&sum(&[x])));
        assert!(sum(&[x, y, x]).is_sum_of(&sum(&[x]), &sum(&[x, y])));
        assert!(!sum(&[x, y]).is_sum_of(&sum(&[x]), &sum(&[x, y])));
    }

    #[test]
    fn carries_run_through_all_words() {
        let mut sum = sum(&[]);
        sum.add_words([u64::MAX, u64::MAX, 0, 0].into_iter());
        sum.add_words([1, 0, 0, 0].into_iter());
        assert_eq!(sum.sum, [0, 0, 1, 0]);
    }
}
