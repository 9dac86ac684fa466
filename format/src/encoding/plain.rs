//! The canonical form of a column (`spec/format.md` §7.3), which is also the plain encoding.

use crate::error::{Error, Layer, Result};
use crate::model::{CellKind, Cells, CellsParts, Kinds};
use crate::wire::Cursor;

const UNIFORM: u8 = 0;
const MIXED: u8 = 1;

/// The canonical form: a function of the cells alone, whatever they are stored as.
pub(crate) fn canonical(cells: &Cells) -> Vec<u8> {
    let mut out = Vec::new();
    write(cells, &mut out);
    out
}

/// Writes the canonical form.
pub(super) fn write(cells: &Cells, out: &mut Vec<u8>) {
    out.reserve(usize::try_from(cells.logical_bytes()).unwrap_or(0));
    for_each_part(cells, |part| out.extend_from_slice(part));
}

/// Bytes of a part that is put together: what hashes well, and stays in a near cache.
const PART: usize = 64 << 10;

/// Hands out the canonical form in parts, without making it as a whole. What stands in one piece is not copied.
pub(crate) fn for_each_part(cells: &Cells, hand_out: impl FnMut(&[u8])) {
    let bytes = usize::try_from(cells.logical_bytes()).unwrap_or(PART);
    let mut parts = Parts { bytes: vec![0; PART.min(bytes)], filled: 0, hand_out };
    parts.add(&cells.rows().to_le_bytes());
    match cells.kinds() {
        Kinds::Uniform(kind) => parts.add(&[UNIFORM, kind.number()]),
        Kinds::Mixed(kinds) => {
            parts.add(&[MIXED]);
            parts.add_each(kinds, |kind| [kind.number()]);
        }
    }
    parts.add_each(cells.fixed(), |bits| bits.to_le_bytes());
    let mut start = 0;
    parts.add_each(cells.ends(), |end| (end - std::mem::replace(&mut start, *end)).to_le_bytes());
    parts.add(cells.data());
    parts.flush();
}

/// Bytes on their way out.
struct Parts<F> {
    /// Room, of which the first `filled` are to be handed out.
    bytes: Vec<u8>,
    filled: usize,
    hand_out: F,
}

impl<F: FnMut(&[u8])> Parts<F> {
    /// Adds elements of `N` bytes.
    fn add_each<T, const N: usize>(&mut self, elements: &[T], mut bytes_of: impl FnMut(&T) -> [u8; N]) {
        let mut rest = elements;
        while !rest.is_empty() {
            let room = self.bytes.get_mut(self.filled..).unwrap_or_default().as_chunks_mut::<N>().0;
            let (some, others) = rest.split_at(rest.len().min(room.len()));
            for (to, from) in room.iter_mut().zip(some) {
                *to = bytes_of(from);
            }
            self.filled += N * some.len();
            rest = others;
            if !rest.is_empty() {
                self.flush();
            }
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.filled..self.filled + bytes.len()) {
            room.copy_from_slice(bytes);
            self.filled += bytes.len();
        } else {
            self.flush();
            (self.hand_out)(bytes);
        }
    }

    fn flush(&mut self) {
        if let Some(bytes) = self.bytes.get(..self.filled).filter(|bytes| !bytes.is_empty()) {
            (self.hand_out)(bytes);
        }
        self.filled = 0;
    }
}

/// The cells whose canonical form this is; they must be `rows`.
pub(super) fn decode(bytes: &[u8], rows: u32) -> Result<Cells> {
    let mut cursor = Cursor::new(bytes, Layer::Cells);
    let stated = cursor.u32()?;
    if stated != rows {
        let why = format!("{stated} rows in a block of a row group of {rows}");
        return Err(Error::damaged(Layer::Block, why));
    }
    read(cursor, rows)
}

/// The cells whose canonical form this part of a block is; they must be `count`.
pub(super) fn decode_part(bytes: &[u8], count: u32) -> Result<Cells> {
    let mut cursor = Cursor::new(bytes, Layer::Cells);
    let stated = cursor.u32()?;
    if stated != count {
        return Err(Error::damaged(Layer::Cells, format!("{stated} cells in a part that should have {count}")));
    }
    read(cursor, count)
}

/// What follows the number of rows.
fn read(mut cursor: Cursor<'_>, rows: u32) -> Result<Cells> {
    let refuse = |why: String| Error::damaged(Layer::Cells, why);
    let kind_of =
        |number: &u8| CellKind::from_number(*number).ok_or_else(|| refuse(format!("unknown cell kind {number}")));
    let kinds = match cursor.u8()? {
        UNIFORM => Kinds::Uniform(kind_of(&cursor.u8()?)?),
        MIXED => Kinds::Mixed(cursor.take(rows as usize)?.iter().map(kind_of).collect::<Result<_>>()?),
        form => return Err(refuse(format!("unknown form {form}"))),
    };
    let count = |of: fn(CellKind) -> bool| match &kinds {
        Kinds::Uniform(kind) if of(*kind) => rows as usize,
        Kinds::Uniform(_) => 0,
        Kinds::Mixed(kinds) => kinds.iter().filter(|kind| of(**kind)).count(),
    };
    let fixed_bytes = cursor.take(8 * count(CellKind::is_fixed))?;
    let fixed = fixed_bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    let length_bytes = cursor.take(4 * count(CellKind::is_variable))?;
    let mut end = 0_u32;
    let ends = length_bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| {
            end = end
                .checked_add(u32::from_le_bytes(*bytes))
                .ok_or_else(|| refuse("variable payloads of more than 4 GiB".into()))?;
            Ok(end)
        })
        .collect::<Result<_>>()?;
    let data = cursor.take(end as usize)?.to_vec();
    cursor.finish()?;
    Cells::from_parts(CellsParts { rows, kinds, fixed, ends, data }).map_err(refuse)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Cell;

    fn mixed() -> Cells {
        let mut cells = Cells::new();
        for cell in [Cell::Integer(-2), Cell::Null, Cell::Text("é".as_bytes()), Cell::Bytes(b""), Cell::Real(-0.0)] {
            cells.push(&cell).unwrap();
        }
        cells
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let mut expected = vec![5, 0, 0, 0, 1, 1, 0, 3, 4, 2];
        expected.extend((-2_i64).to_le_bytes());
        expected.extend((-0.0_f64).to_le_bytes());
        expected.extend([2, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend("é".bytes());
        let bytes = canonical(&mixed());
        assert_eq!(bytes, expected);
        assert_eq!(bytes.len() as u64, mixed().logical_bytes());
        assert_eq!(decode(&bytes, 5).unwrap(), mixed());
    }

    #[test]
    fn every_cut_and_every_addition_is_refused() {
        let bytes = canonical(&mixed());
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], 5).is_err(), "{length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(decode(&longer, 5).is_err());
        assert!(decode(&bytes, 4).is_err());
    }

    #[test]
    fn every_flip_gives_other_cells_or_an_error() {
        let bytes = canonical(&mixed());
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[place] ^= 1 << bit;
                if let Ok(cells) = decode(&flipped, 5) {
                    assert_eq!(canonical(&cells), flipped, "canonical form is one to one");
                }
            }
        }
    }

    #[test]
    fn parts_make_the_whole() {
        let texts: Vec<Vec<u8>> = (0..30_000_usize).map(|row| row.to_string().repeat(row % 5).into_bytes()).collect();
        let mut cells = Cells::new();
        for (row, text) in texts.iter().enumerate() {
            cells.push(&if row % 3 == 0 { Cell::Real(row as f64) } else { Cell::Text(text) }).unwrap();
        }
        let mut expected = [&30_000_u32.to_le_bytes()[..], &[MIXED]].concat();
        expected.extend(cells.iter().map(|cell| cell.kind().number()));
        expected.extend(cells.iter().filter_map(|cell| cell.fixed_bits()).flat_map(u64::to_le_bytes));
        let lengths = cells.iter().filter_map(|cell| cell.variable_bytes()).map(<[u8]>::len);
        expected.extend(lengths.flat_map(|length| u32::try_from(length).unwrap().to_le_bytes()));
        expected.extend(cells.iter().filter_map(|cell| cell.variable_bytes()).flatten());
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for_each_part(&cells, |part| parts.push(part.to_vec()));
        assert!(parts.len() > 3 && parts.iter().all(|part| !part.is_empty()));
        assert!(parts.last().unwrap() == cells.data(), "texts are not copied");
        assert!(parts.concat() == expected && canonical(&cells) == expected);
    }
}
