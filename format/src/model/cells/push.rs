//! Cells into columns: one at the end of a column, or a column all at once.

use super::{CellKind, Cells, Kinds, too_many_bytes, too_many_rows};
use crate::error::Result;
use crate::model::Cell;

impl Cells {
    /// Adds a cell at the end. Fails when the column would hold more than `u32::MAX` rows or payload bytes.
    // The cells of all rows that come one by one: as a call, it costs as much again as what it does.
    #[inline(always)]
    pub fn push(&mut self, cell: &Cell<'_>) -> Result<()> {
        match *cell {
            Cell::Null => self.push_kind(CellKind::Null),
            Cell::Integer(value) => self.push_fixed(CellKind::Integer, value.cast_unsigned()),
            Cell::Real(value) => self.push_fixed(CellKind::Real, value.to_bits()),
            Cell::Text(bytes) => self.push_variable(CellKind::Text, bytes),
            Cell::Bytes(bytes) => self.push_variable(CellKind::Bytes, bytes),
            Cell::RawText(bytes) => self.push_variable(CellKind::RawText, bytes),
        }
    }

    /// Adds a cell with a payload of its own length.
    #[inline(always)]
    fn push_variable(&mut self, kind: CellKind, bytes: &[u8]) -> Result<()> {
        let Ok(end) = u32::try_from(self.data.len() + bytes.len()) else { return Err(too_many_bytes()) };
        self.push_kind(kind)?;
        self.data.extend_from_slice(bytes);
        self.ends.push(end);
        Ok(())
    }

    /// Adds a cell with 8 bytes of payload.
    #[inline(always)]
    fn push_fixed(&mut self, kind: CellKind, bits: u64) -> Result<()> {
        self.push_kind(kind)?;
        self.fixed.push(bits);
        Ok(())
    }

    /// Counts a row of this kind, whose payload the caller adds.
    #[inline(always)]
    fn push_kind(&mut self, kind: CellKind) -> Result<()> {
        let Some(rows) = self.rows.checked_add(1) else { return Err(too_many_rows()) };
        match &mut self.kinds {
            Kinds::Uniform(uniform) if *uniform == kind => {}
            Kinds::Mixed(kinds) => kinds.push(kind),
            Kinds::Uniform(_) => self.begin_kind(kind),
        }
        self.rows = rows;
        Ok(())
    }

    /// The first cell, or the first of another kind.
    #[cold]
    fn begin_kind(&mut self, kind: CellKind) {
        match &mut self.kinds {
            Kinds::Uniform(uniform) if self.rows == 0 => *uniform = kind,
            Kinds::Uniform(uniform) => {
                let mut kinds = vec![*uniform; self.rows as usize];
                kinds.push(kind);
                self.kinds = Kinds::Mixed(kinds);
            }
            Kinds::Mixed(kinds) => kinds.push(kind),
        }
    }
}

/// Whole columns, as pages of SQLite's give them.
#[cfg(feature = "sqlite")]
impl Cells {
    /// Takes all cells out, and keeps the room that they had.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        self.kinds = Kinds::Uniform(CellKind::Null);
        self.fixed.clear();
        self.ends.clear();
        self.data.clear();
    }

    /// Makes the column one of these integers and reals, by their bits.
    pub(crate) fn fill_with_numbers(
        &mut self,
        numbers: impl ExactSizeIterator<Item = (CellKind, u64)> + Clone,
    ) -> Result<()> {
        self.clear();
        self.rows = u32::try_from(numbers.len()).map_err(|_| too_many_rows())?;
        self.fixed.extend(numbers.clone().map(|(_, bits)| bits));
        let kinds = numbers.map(|(kind, _)| kind);
        if let Some(first) = kinds.clone().next() {
            self.kinds = match kinds.clone().all(|kind| kind == first) {
                true => Kinds::Uniform(first),
                false => Kinds::Mixed(kinds.collect()),
            };
        }
        Ok(())
    }

    /// Makes the column one of these texts, which [`Cells::tell_raw_texts`] must look at afterwards. Of each, the bytes from where
    /// it begins and its length: what stands behind it is copied along where that is quicker, and cut off.
    pub(crate) fn fill_with_texts<'a>(
        &mut self,
        texts: impl ExactSizeIterator<Item = (&'a [u8], usize)>,
    ) -> Result<()> {
        /// Copied without asking for the length.
        const SHORT: usize = 32;
        self.clear();
        self.rows = u32::try_from(texts.len()).map_err(|_| too_many_rows())?;
        self.kinds = Kinds::Uniform(if texts.len() == 0 { CellKind::Null } else { CellKind::Text });
        let Self { ends, data, .. } = self;
        ends.extend(texts.map(|(bytes, length)| {
            let end = data.len() + length;
            match bytes.first_chunk::<SHORT>() {
                Some(bytes) if length <= SHORT => {
                    data.extend_from_slice(bytes);
                    data.truncate(end);
                }
                _ => data.extend_from_slice(bytes.get(..length).unwrap_or_default()),
            }
            u32::try_from(end).unwrap_or(u32::MAX)
        }));
        if u32::try_from(data.len()).is_err() { Err(too_many_bytes()) } else { Ok(()) }
    }

    /// Makes raw texts of the texts that are not UTF-8. Whoever pushed texts unchecked must call this before anybody else sees
    /// the column: one look at all bytes costs less than one at each text.
    pub(crate) fn tell_raw_texts(&mut self) -> Result<()> {
        let has_texts = match &self.kinds {
            Kinds::Uniform(kind) => *kind == CellKind::Text,
            Kinds::Mixed(_) => !self.ends.is_empty(),
        };
        if !has_texts || self.data.is_ascii() || self.check_texts().is_ok() {
            return Ok(());
        }
        let mut told = Self::new();
        for cell in self.iter() {
            told.push(&match cell {
                Cell::Text(bytes) if std::str::from_utf8(bytes).is_err() => Cell::RawText(bytes),
                cell => cell,
            })?;
        }
        *self = told;
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_none_are_told_from_others() {
        let cells = |is_told: bool| {
            let raw = |bytes| if is_told { Cell::RawText(bytes) } else { Cell::Text(bytes) };
            Cells::of(&[Cell::Text("é".as_bytes()), raw(b"\xff"), Cell::Null, Cell::Bytes(b"\xfe"), raw(b"\xc3")])
        };
        let mut column = cells(false);
        column.tell_raw_texts().unwrap();
        assert_eq!(column, cells(true));
        // Both halves are none, although together they are one.
        let mut halves = Cells::of(&[Cell::Text(b"\xc3"), Cell::Text(b"\xa9")]);
        halves.tell_raw_texts().unwrap();
        assert_eq!(halves, Cells::of(&[Cell::RawText(b"\xc3"), Cell::RawText(b"\xa9")]));
        for good in [vec![Cell::Text("é".as_bytes()), Cell::Text(b"a")], vec![Cell::Bytes(b"\xff"), Cell::Null], vec![]]
        {
            let mut column = Cells::of(&good);
            column.tell_raw_texts().unwrap();
            assert_eq!(column, Cells::of(&good));
        }
    }

    #[test]
    fn a_filled_column_is_one_of_pushed_cells() {
        let mut column = Cells::of(&[Cell::Null, Cell::Text(b"before")]);
        for kinds in [vec![], vec![CellKind::Real; 2], vec![CellKind::Integer, CellKind::Real, CellKind::Integer]] {
            let numbers = kinds.iter().copied().zip([1, 2, 3]);
            let numbers: Vec<(CellKind, u64)> = numbers.collect();
            column.fill_with_numbers(numbers.iter().copied()).unwrap();
            let cells: Vec<Cell<'_>> = numbers.iter().map(|(kind, bits)| Cell::fixed(*kind, *bits)).collect();
            assert_eq!(column, Cells::of(&cells));
        }
        let bytes = [b'x'; 100];
        for lengths in [vec![], vec![0, 32, 33], vec![100, 1, 31]] {
            column.fill_with_texts(lengths.iter().map(|length| (&bytes[..], *length))).unwrap();
            let cells: Vec<Cell<'_>> = lengths.iter().map(|length| Cell::Text(&bytes[..*length])).collect();
            assert_eq!(column, Cells::of(&cells));
        }
    }

    #[test]
    fn a_cleared_column_is_a_new_one() {
        let mut column = Cells::of(&[Cell::Null, Cell::Integer(1), Cell::Text(b"x")]);
        assert_eq!(column.weight(), 1 + 9 + 6);
        column.clear();
        assert_eq!((&column, column.weight()), (&Cells::new(), 0));
    }
}
