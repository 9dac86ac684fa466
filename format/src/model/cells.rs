//! The cells of one column of one row group, in memory.
//!
//! The layout is the canonical form's (`spec/format.md` §7.3): kinds, fixed payloads and variable payloads stand in
//! streams of their own, so that hashing and plain encoding are copies, not walks.

mod cursor;
mod push;

use super::cell::{Cell, CellKind};
use crate::error::Error;

pub use cursor::CellsCursor;

/// The kinds of a column's cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kinds {
    /// All cells are of this kind.
    Uniform(CellKind),
    /// One kind per row; at least two different ones once the column is complete.
    Mixed(Vec<CellKind>),
}

impl Kinds {
    /// The kinds of cells, one per row.
    pub fn of(kinds: Vec<CellKind>) -> Self {
        match kinds.first() {
            Some(first) if kinds.iter().all(|kind| kind == first) => Self::Uniform(*first),
            _ => Self::Mixed(kinds),
        }
    }
}

/// One column of one row group: at most `u32::MAX` rows and `u32::MAX` bytes of variable payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    rows: u32,
    kinds: Kinds,
    fixed: Vec<u64>,
    ends: Vec<u32>,
    data: Vec<u8>,
}

/// The streams of a column, for those who take it apart or put it together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellsParts {
    /// Number of rows.
    pub rows: u32,
    /// Kinds of the cells.
    pub kinds: Kinds,
    /// Payloads of the cells with a fixed payload, in row order.
    pub fixed: Vec<u64>,
    /// End of each variable payload in `data`, ascending, in row order.
    pub ends: Vec<u32>,
    /// The variable payloads without gaps.
    pub data: Vec<u8>,
}

impl Default for Cells {
    fn default() -> Self {
        Self::new()
    }
}

impl Cells {
    /// A column without rows.
    pub fn new() -> Self {
        Self { rows: 0, kinds: Kinds::Uniform(CellKind::Null), fixed: Vec::new(), ends: Vec::new(), data: Vec::new() }
    }

    /// A column without rows, with room for twice the cells of `like`: the next column of its kind may be larger.
    /// (Room beyond that is made when it is needed.)
    pub(super) fn with_room_of(like: &Self) -> Self {
        /// Elements at most: one huge value says nothing of the next.
        const MOST: usize = 4 << 20;
        let room = |length: usize| (2 * length).min(MOST);
        Self {
            fixed: Vec::with_capacity(room(like.fixed.len())),
            ends: Vec::with_capacity(room(like.ends.len())),
            data: Vec::with_capacity(room(like.data.len())),
            ..Self::new()
        }
    }

    /// A column of these cells, for tests.
    #[cfg(test)]
    pub(crate) fn of(cells: &[Cell<'_>]) -> Self {
        let mut column = Self::new();
        let pushed = cells.iter().try_for_each(|cell| column.push(cell));
        assert!(pushed.is_ok(), "a test's column fits");
        column
    }

    /// Puts a column together from streams that must fit one another.
    ///
    /// Fails (with a plain message and no place) if counts differ, ends descend, kinds of form "mixed" are all the
    /// same, or a text is not UTF-8. Whatever passes is a column that [`Cells::push`] could have made.
    pub fn from_parts(parts: CellsParts) -> Result<Self, String> {
        let CellsParts { rows, kinds, fixed, ends, data } = parts;
        let (fixed_count, variable_count) = match &kinds {
            Kinds::Uniform(kind) if kind.is_fixed() => (rows as usize, 0),
            Kinds::Uniform(kind) if kind.is_variable() => (0, rows as usize),
            Kinds::Uniform(_) => (0, 0),
            Kinds::Mixed(kinds) => {
                if kinds.len() != rows as usize {
                    return Err(format!("{} kinds for {rows} rows", kinds.len()));
                }
                if kinds.windows(2).all(|pair| matches!(pair, [a, b] if a == b)) {
                    return Err("mixed kinds that are all the same".into());
                }
                let fixed = kinds.iter().filter(|kind| kind.is_fixed()).count();
                let variable = kinds.iter().filter(|kind| kind.is_variable()).count();
                (fixed, variable)
            }
        };
        if fixed.len() != fixed_count || ends.len() != variable_count {
            return Err(format!(
                "{} fixed and {} variable payloads where the kinds have {fixed_count} and {variable_count}",
                fixed.len(),
                ends.len()
            ));
        }
        if !ends.is_sorted() || ends.last().map_or(0, |end| *end as usize) != data.len() {
            return Err("lengths of variable payloads do not add up".into());
        }
        let cells = Self { rows, kinds, fixed, ends, data };
        cells.check_texts()?;
        Ok(cells)
    }

    /// Whole-buffer validation where all cells are text: one pass, plus a look at each boundary.
    fn check_texts(&self) -> Result<(), String> {
        let bad = |row: usize| format!("text in row {row} of the row group is not UTF-8");
        if let Kinds::Uniform(kind) = self.kinds {
            if kind != CellKind::Text {
                return Ok(());
            }
            if let Ok(text) = std::str::from_utf8(&self.data) {
                return match self.ends.iter().position(|end| !text.is_char_boundary(*end as usize)) {
                    Some(row) => Err(bad(row)),
                    None => Ok(()),
                };
            }
        }
        for (row, cell) in self.iter().enumerate() {
            if let Cell::Text(bytes) = cell
                && std::str::from_utf8(bytes).is_err()
            {
                return Err(bad(row));
            }
        }
        Ok(())
    }

    /// Takes the column apart.
    pub fn into_parts(self) -> CellsParts {
        let Self { rows, kinds, fixed, ends, data } = self;
        CellsParts { rows, kinds, fixed, ends, data }
    }

    /// Number of rows.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Kinds of the cells.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Payloads of the cells with a fixed payload, in row order, as their 64 bits.
    pub fn fixed(&self) -> &[u64] {
        &self.fixed
    }

    /// End of each variable payload in [`Cells::data`], in row order.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// The variable payloads without gaps.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Number of null cells.
    pub fn nulls(&self) -> u32 {
        match &self.kinds {
            Kinds::Uniform(CellKind::Null) => self.rows,
            Kinds::Uniform(_) => 0,
            Kinds::Mixed(_) => self.rows - self.fixed_and_variable(),
        }
    }

    /// Both counts are at most `rows`, which is a `u32`.
    fn fixed_and_variable(&self) -> u32 {
        u32::try_from(self.fixed.len() + self.ends.len()).unwrap_or(self.rows)
    }

    /// Bytes that the cells count for when rows are cut into row groups (`spec/format.md` §7.2): [`Cell::weight`] of each.
    pub fn weight(&self) -> u64 {
        u64::from(self.nulls()) + 9 * self.fixed.len() as u64 + 5 * self.ends.len() as u64 + self.data.len() as u64
    }

    /// Bytes of the canonical form (`spec/format.md` §7.3).
    pub fn logical_bytes(&self) -> u64 {
        let kinds = match &self.kinds {
            Kinds::Uniform(_) => 1,
            Kinds::Mixed(kinds) => kinds.len() as u64,
        };
        5 + kinds + 8 * self.fixed.len() as u64 + 4 * self.ends.len() as u64 + self.data.len() as u64
    }

    /// The first cell.
    pub fn first(&self) -> Option<Cell<'_>> {
        self.iter().next()
    }

    /// The last cell, without walking there.
    pub fn last(&self) -> Option<Cell<'_>> {
        let row = (self.rows as usize).checked_sub(1)?;
        let fixed = self.fixed.len().saturating_sub(1);
        let variable = self.ends.len().saturating_sub(1);
        CellsIter { cells: self, row, fixed, variable }.next()
    }

    /// The cells in row order.
    pub fn iter(&self) -> CellsIter<'_> {
        CellsIter { cells: self, row: 0, fixed: 0, variable: 0 }
    }
}

#[cold]
fn too_many_rows() -> Error {
    Error::request("more than 4,294,967,295 rows in a row group")
}

#[cold]
fn too_many_bytes() -> Error {
    Error::request("more than 4 GiB of values in a row group")
}

impl<'a> IntoIterator for &'a Cells {
    type Item = Cell<'a>;
    type IntoIter = CellsIter<'a>;

    fn into_iter(self) -> CellsIter<'a> {
        self.iter()
    }
}

/// Walks a column's cells in row order.
#[derive(Debug, Clone)]
pub struct CellsIter<'a> {
    cells: &'a Cells,
    row: usize,
    fixed: usize,
    variable: usize,
}

impl<'a> Iterator for CellsIter<'a> {
    type Item = Cell<'a>;

    fn next(&mut self) -> Option<Cell<'a>> {
        if self.row >= self.cells.rows as usize {
            return None;
        }
        let kind = match &self.cells.kinds {
            Kinds::Uniform(kind) => *kind,
            Kinds::Mixed(kinds) => *kinds.get(self.row)?,
        };
        self.row += 1;
        if kind.is_fixed() {
            let bits = *self.cells.fixed.get(self.fixed)?;
            self.fixed += 1;
            return Some(match kind {
                CellKind::Integer => Cell::Integer(bits.cast_signed()),
                _ => Cell::Real(f64::from_bits(bits)),
            });
        }
        if kind == CellKind::Null {
            return Some(Cell::Null);
        }
        let start = match self.variable.checked_sub(1) {
            Some(before) => *self.cells.ends.get(before)? as usize,
            None => 0,
        };
        let end = *self.cells.ends.get(self.variable)? as usize;
        let bytes = self.cells.data.get(start..end)?;
        self.variable += 1;
        Some(match kind {
            CellKind::Text => Cell::Text(bytes),
            CellKind::Bytes => Cell::Bytes(bytes),
            _ => Cell::RawText(bytes),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.cells.rows as usize - self.row;
        (left, Some(left))
    }
}

impl ExactSizeIterator for CellsIter<'_> {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_as_pushed() {
        let cells = [
            Cell::Null,
            Cell::Integer(i64::MIN),
            Cell::Text(b"a\0b"),
            Cell::Real(-0.0),
            Cell::Bytes(b""),
            Cell::RawText(b"\xff"),
        ];
        let column = Cells::of(&cells);
        assert_eq!(column.nulls(), 1);
        assert_eq!(column.first(), Some(Cell::Null));
        assert_eq!(column.last(), Some(Cell::RawText(b"\xff")));
        assert_eq!(Cells::new().last(), None);
        assert_eq!(column.iter().len(), 6);
        assert!(column.iter().zip(cells).all(|(a, b)| a.is_identical(&b)));
        let again = Cells::from_parts(column.clone().into_parts()).unwrap();
        assert_eq!(again, column);
    }

    #[test]
    fn one_kind_stays_uniform() {
        let column = Cells::of(&[Cell::Integer(1), Cell::Integer(2)]);
        assert_eq!(column.kinds(), &Kinds::Uniform(CellKind::Integer));
        assert_eq!(column.logical_bytes(), 5 + 1 + 16);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let good = Cells::of(&[Cell::Text("é".as_bytes()), Cell::Text(b"x")]).into_parts();
        let split = CellsParts { ends: vec![1, 3], ..good.clone() };
        assert!(Cells::from_parts(split).unwrap_err().contains("row 0"));
        let short = CellsParts { ends: vec![2, 2], ..good.clone() };
        assert!(Cells::from_parts(short).is_err());
        let same = CellsParts { kinds: Kinds::Mixed(vec![CellKind::Text; 2]), ..good.clone() };
        assert!(Cells::from_parts(same).unwrap_err().contains("all the same"));
        let more = CellsParts { fixed: vec![1], ..good };
        assert!(Cells::from_parts(more).is_err());
    }
}
