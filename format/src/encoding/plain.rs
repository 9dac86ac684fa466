//! The canonical form of a column (`spec/format.md` §7.3), which is also the plain encoding.

use crate::error::{Error, Layer, Result};
use crate::model::{CellKind, Cells, CellsParts, Kinds};
use crate::wire::Cursor;

const UNIFORM: u8 = 0;
const MIXED: u8 = 1;

/// The canonical form: a function of the cells alone, whatever they are stored as.
pub(crate) fn canonical(cells: &Cells) -> Vec<u8> {
    let mut out = Vec::with_capacity(usize::try_from(cells.logical_bytes()).unwrap_or(0));
    out.extend_from_slice(&cells.rows().to_le_bytes());
    match cells.kinds() {
        Kinds::Uniform(kind) => out.extend_from_slice(&[UNIFORM, kind.number()]),
        Kinds::Mixed(kinds) => {
            out.push(MIXED);
            out.extend(kinds.iter().map(|kind| kind.number()));
        }
    }
    for bits in cells.fixed() {
        out.extend_from_slice(&bits.to_le_bytes());
    }
    let mut start = 0;
    for end in cells.ends() {
        out.extend_from_slice(&(end - start).to_le_bytes());
        start = *end;
    }
    out.extend_from_slice(cells.data());
    out
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
}
