//! The parts that encodings share: rows, kinds, fixed and variable payloads (`spec/format.md` §6.1).

use crate::error::{Error, Layer, Result};
use crate::limits::{MAX_GROUP_BYTES, MAX_GROUP_ROWS};
use crate::model::{CellKind, Cells, Kinds};
use crate::wire::Cursor;

const UNIFORM: u8 = 0;
const MIXED: u8 = 1;
const NULLABLE: u8 = 2;

/// A refusal of cells.
pub(super) fn damaged(why: impl Into<String>) -> Error {
    Error::damaged(Layer::Cells, why)
}

/// How many payloads of either sort there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) rows: usize,
    pub(super) fixed: usize,
    pub(super) variable: usize,
}

impl Counts {
    /// What these kinds of `rows` cells have.
    pub(super) fn of(kinds: &Kinds, rows: u32) -> Self {
        let count = |of: fn(CellKind) -> bool| match kinds {
            Kinds::Uniform(kind) if of(*kind) => rows as usize,
            Kinds::Uniform(_) => 0,
            Kinds::Mixed(kinds) => kinds.iter().filter(|kind| of(**kind)).count(),
        };
        Self { rows: rows as usize, fixed: count(CellKind::is_fixed), variable: count(CellKind::is_variable) }
    }

    /// The cells' row bytes (`spec/format.md` §7.2), if the variable payloads have `data` bytes.
    pub(super) fn row_bytes(self, data: u64) -> u64 {
        let nulls = self.rows.saturating_sub(self.fixed).saturating_sub(self.variable) as u64;
        (nulls + 9 * self.fixed as u64 + 5 * self.variable as u64).saturating_add(data)
    }

    /// Refuses variable payloads of so many bytes that no row group of several rows has them; called before they get room.
    pub(super) fn check_row_bytes(self, data: u64) -> Result<()> {
        let row_bytes = self.row_bytes(data);
        if row_bytes > MAX_GROUP_BYTES {
            return Err(damaged(format!("a block of {row_bytes} row bytes; at most {MAX_GROUP_BYTES} are allowed")));
        }
        Ok(())
    }
}

/// May these cells be in any other encoding than plain?
pub(super) fn are_within_limits(cells: &Cells) -> bool {
    let rows = cells.rows();
    let within = (1..=MAX_GROUP_ROWS).contains(&rows);
    within && Counts::of(cells.kinds(), rows).row_bytes(cells.data().len() as u64) <= MAX_GROUP_BYTES
}

/// The same kinds and variable payloads, with zeros for numbers: what surrounds them.
pub(super) fn without_fixed(cells: &Cells) -> Cells {
    let mut parts = cells.clone().into_parts();
    parts.fixed.fill(0);
    Cells::from_parts(parts).unwrap_or_default()
}

pub(super) fn write_rows(cells: &Cells, out: &mut Vec<u8>) {
    out.extend_from_slice(&cells.rows().to_le_bytes());
}

/// The number of rows, which must be the row group's and within the limits.
pub(super) fn read_rows(cursor: &mut Cursor<'_>, rows: u32) -> Result<()> {
    let stated = cursor.u32()?;
    if stated != rows {
        let why = format!("{stated} rows in a block of a row group of {rows}");
        return Err(Error::damaged(Layer::Block, why));
    }
    if !(1..=MAX_GROUP_ROWS).contains(&rows) {
        return Err(damaged(format!("{rows} rows in an encoding for 1 to {MAX_GROUP_ROWS}")));
    }
    Ok(())
}

pub(super) fn write_kinds(cells: &Cells, out: &mut Vec<u8>) {
    match cells.kinds() {
        Kinds::Uniform(kind) => out.extend_from_slice(&[UNIFORM, kind.number()]),
        Kinds::Mixed(kinds) => match kind_beside_null(kinds) {
            Some(kind) => {
                out.extend_from_slice(&[NULLABLE, kind.number()]);
                write_bitmap(kinds, out);
            }
            None => {
                out.push(MIXED);
                out.extend(kinds.iter().map(|kind| kind.number()));
            }
        },
    }
}

/// The one kind that these have beside null, if there is but one.
pub(super) fn kind_beside_null(kinds: &[CellKind]) -> Option<CellKind> {
    let kind = *kinds.iter().find(|kind| **kind != CellKind::Null)?;
    kinds.iter().all(|other| *other == kind || *other == CellKind::Null).then_some(kind)
}

/// One bit per row: is it anything but null?
pub(super) fn write_bitmap(kinds: &[CellKind], out: &mut Vec<u8>) {
    out.extend(kinds.chunks(8).map(|eight| {
        let bits = eight.iter().zip(0..).map(|(kind, place)| u8::from(*kind != CellKind::Null) << place);
        bits.fold(0, |byte, bit| byte | bit)
    }));
}

/// One truth per row: is it anything but null? There are rows of either sort.
pub(super) fn read_bitmap(cursor: &mut Cursor<'_>, rows: u32) -> Result<Vec<bool>> {
    let rows = rows as usize;
    let bytes = cursor.take(rows.div_ceil(8))?;
    let mut present = Vec::with_capacity(bytes.len() * 8);
    present.extend(bytes.iter().flat_map(|byte| (0..8).map(move |place| byte >> place & 1 == 1)));
    if present.get(rows..).is_some_and(|behind| behind.contains(&true)) {
        return Err(damaged("bits behind the last row"));
    }
    present.truncate(rows);
    if !present.contains(&true) || !present.contains(&false) {
        return Err(damaged("a bitmap of rows that are all the same"));
    }
    Ok(present)
}

/// The rows and kinds that most encodings begin with, and the counts that follow from them.
pub(super) fn read_head(cursor: &mut Cursor<'_>, rows: u32) -> Result<(Kinds, Counts)> {
    read_rows(cursor, rows)?;
    let kinds = read_kinds(cursor, rows)?;
    let counts = Counts::of(&kinds, rows);
    Ok((kinds, counts))
}

/// The kinds of `rows` cells, in the one form that [`Cells::push`] would have given them.
pub(super) fn read_kinds(cursor: &mut Cursor<'_>, rows: u32) -> Result<Kinds> {
    match cursor.u8()? {
        form @ (UNIFORM | MIXED | NULLABLE) => read_kinds_of(form, cursor, rows),
        form => Err(damaged(format!("unknown form {form}"))),
    }
}

fn read_kinds_of(form: u8, cursor: &mut Cursor<'_>, rows: u32) -> Result<Kinds> {
    let kind_of =
        |number: u8| CellKind::from_number(number).ok_or_else(|| damaged(format!("unknown cell kind {number}")));
    if form == UNIFORM {
        return Ok(Kinds::Uniform(kind_of(cursor.u8()?)?));
    }
    if form == NULLABLE {
        let kind = kind_of(cursor.u8()?)?;
        if kind == CellKind::Null {
            return Err(damaged("a bitmap of nulls and nulls"));
        }
        let present = read_bitmap(cursor, rows)?;
        return Ok(Kinds::Mixed(
            present.into_iter().map(|present| if present { kind } else { CellKind::Null }).collect(),
        ));
    }
    let kinds: Vec<CellKind> = cursor.take(rows as usize)?.iter().map(|kind| kind_of(*kind)).collect::<Result<_>>()?;
    if kinds.windows(2).all(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(damaged("mixed kinds that are all the same"));
    }
    Ok(Kinds::Mixed(kinds))
}

pub(super) fn write_fixed(words: &[u64], out: &mut Vec<u8>) {
    out.reserve(8 * words.len());
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

pub(super) fn read_fixed(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u64>> {
    let bytes = cursor.take(8 * count)?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
}

/// Writes payloads, given by the end of each in `data`.
pub(super) fn write_variable(ends: &[u32], data: &[u8], out: &mut Vec<u8>) {
    out.reserve(4 * ends.len() + data.len());
    let mut start = 0;
    for end in ends {
        out.extend_from_slice(&(end - start).to_le_bytes());
        start = *end;
    }
    out.extend_from_slice(data);
}

/// Payloads: the end of each, and their bytes, which are the block's own.
pub(super) fn read_variable<'a>(cursor: &mut Cursor<'a>, count: usize) -> Result<(Vec<u32>, &'a [u8])> {
    let lengths = cursor.take(4 * count)?;
    let mut end = 0_u32;
    let ends = lengths
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| {
            end = end
                .checked_add(u32::from_le_bytes(*bytes))
                .ok_or_else(|| damaged("variable payloads of more than 4 GiB"))?;
            Ok(end)
        })
        .collect::<Result<_>>()?;
    Ok((ends, cursor.take(end as usize)?))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Cell;

    fn kinds_of(cells: &[Cell<'_>]) -> (Vec<u8>, Kinds) {
        let column = Cells::of(cells);
        let mut out = Vec::new();
        write_kinds(&column, &mut out);
        (out, column.kinds().clone())
    }

    #[test]
    fn kinds_come_back_in_the_shortest_form() {
        let all = kinds_of(&[Cell::Integer(1), Cell::Integer(2)]);
        assert_eq!(all.0, [UNIFORM, 1]);
        let nullable = kinds_of(&[Cell::Text(b"a"), Cell::Null, Cell::Text(b"b")]);
        assert_eq!(nullable.0, [NULLABLE, 3, 0b101]);
        let mixed = kinds_of(&[Cell::Text(b"a"), Cell::Null, Cell::Real(1.0)]);
        assert_eq!(mixed.0, [MIXED, 3, 0, 2]);
        for ((bytes, kinds), rows) in [(all, 2), (nullable, 3), (mixed, 3)] {
            let mut cursor = Cursor::new(&bytes, Layer::Cells);
            assert_eq!(read_kinds(&mut cursor, rows).unwrap(), kinds);
            cursor.finish().unwrap();
        }
    }

    #[test]
    fn long_bitmaps_end_in_the_right_place() {
        for rows in [8_u32, 9, 15, 16, 17, 1000] {
            let kinds: Vec<_> =
                (0..rows).map(|row| if row % 3 == 1 { CellKind::Null } else { CellKind::Real }).collect();
            let mut out = Vec::new();
            write_bitmap(&kinds, &mut out);
            let present = read_bitmap(&mut Cursor::new(&out, Layer::Cells), rows).unwrap();
            assert!(present.iter().zip(&kinds).all(|(present, kind)| *present == (*kind != CellKind::Null)));
        }
    }

    #[test]
    fn other_forms_of_kinds_are_refused() {
        let bad: [(&[u8], u32); 9] = [
            (&[3, 1, 0], 2),
            (&[UNIFORM, 6], 2),
            (&[MIXED, 1, 1], 2),
            (&[MIXED, 1, 9], 2),
            (&[MIXED, 1], 1),
            (&[NULLABLE, 0, 0b01], 2),
            (&[NULLABLE, 1, 0b11], 2),
            (&[NULLABLE, 1, 0b00], 2),
            (&[NULLABLE, 1, 0b101], 2),
        ];
        for (bytes, rows) in bad {
            assert!(read_kinds(&mut Cursor::new(bytes, Layer::Cells), rows).unwrap_err().is_damaged(), "{bytes:?}");
        }
    }

    #[test]
    fn rows_have_limits() {
        let read = |stated: u32, rows| read_rows(&mut Cursor::new(&stated.to_le_bytes(), Layer::Cells), rows);
        read(MAX_GROUP_ROWS, MAX_GROUP_ROWS).unwrap();
        assert!(read(0, 0).is_err());
        assert!(read(2, 1).is_err());
        assert!(read(MAX_GROUP_ROWS + 1, MAX_GROUP_ROWS + 1).is_err());
        let counts = Counts { rows: 3, fixed: 1, variable: 1 };
        assert_eq!(counts.row_bytes(2), 1 + 9 + 7);
        counts.check_row_bytes(MAX_GROUP_BYTES - 15).unwrap();
        assert!(counts.check_row_bytes(MAX_GROUP_BYTES - 14).is_err());
        assert!(!are_within_limits(&Cells::new()));
        assert!(are_within_limits(&Cells::of(&[Cell::Null])));
    }

    #[test]
    fn payloads_come_back() {
        let mut out = Vec::new();
        write_fixed(&[7, u64::MAX], &mut out);
        write_variable(&[2, 2, 5], b"abcde", &mut out);
        let mut cursor = Cursor::new(&out, Layer::Cells);
        assert_eq!(read_fixed(&mut cursor, 2).unwrap(), [7, u64::MAX]);
        assert_eq!(read_variable(&mut cursor, 3).unwrap(), (vec![2, 2, 5], &b"abcde"[..]));
        cursor.finish().unwrap();
        for length in 0..out.len() {
            let mut cursor = Cursor::new(&out[..length], Layer::Cells);
            assert!(read_fixed(&mut cursor, 2).and_then(|_| read_variable(&mut cursor, 3)).is_err());
        }
        let too_many = [[0xff; 4], [0xff; 4]].concat();
        assert!(read_variable(&mut Cursor::new(&too_many, Layer::Cells), 2).is_err());
    }
}
