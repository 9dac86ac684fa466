//! Columns whose fixed payloads are numbers in one codec: the encodings "frame of reference", "delta" and "pco".

use super::Encoding;
use super::numbers::{self, Codec};
use super::parts::{self, damaged};
use crate::error::{Layer, Result};
use crate::model::{Cells, CellsParts};
use crate::wire::Cursor;

/// The block in the codec that has the encoding's number. There is at least one fixed payload.
pub(super) fn encode(cells: &Cells, codec: Codec) -> Vec<u8> {
    around(cells, codec, |out| numbers::write(cells.fixed(), codec, out))
}

/// The block whose numbers are packed already.
pub(super) fn encode_packed(cells: &Cells, packed: &[u8]) -> Vec<u8> {
    around(cells, Codec::Pco, |out| numbers::write_packed(packed, out))
}

fn around(cells: &Cells, codec: Codec, write_numbers: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![codec.number()];
    parts::write_rows(cells, &mut out);
    parts::write_kinds(cells, &mut out);
    write_numbers(&mut out);
    parts::write_variable(cells.ends(), cells.data(), &mut out);
    out
}

pub(super) fn decode(bytes: &[u8], rows: u32, encoding: Encoding) -> Result<Cells> {
    let mut cursor = Cursor::new(bytes, Layer::Cells);
    let (kinds, counts) = parts::read_head(&mut cursor, rows)?;
    if counts.fixed == 0 {
        return Err(damaged(format!("the encoding {} without a number", encoding.name())));
    }
    counts.check_row_bytes(0)?;
    let codec = bytes.get(cursor.position());
    if codec.is_some_and(|codec| *codec != encoding.number()) {
        return Err(damaged(format!("the encoding {} with numbers in another codec", encoding.name())));
    }
    let fixed = numbers::read(&mut cursor, counts.fixed)?;
    let (ends, data) = parts::read_variable(&mut cursor, counts.variable)?;
    counts.check_row_bytes(data.len() as u64)?;
    cursor.finish()?;
    Cells::from_parts(CellsParts { rows, kinds, fixed, ends, data: data.to_vec() }).map_err(damaged)
}
