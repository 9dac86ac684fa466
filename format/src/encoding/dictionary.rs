//! Columns of few different cells: each of them once, and for each row which one it is (`spec/format.md` §6.3).

use super::codec_choice::{self, Choice};
use super::distinct::{Text, distinct};
use super::parts::{self, Counts, damaged};
use super::{Encoding, numbers, plain};
use crate::error::{Layer, Result};
use crate::limits::MAX_GROUP_BYTES;
use crate::model::{Cell, Cells, CellsParts, Kinds};
use crate::wire::Cursor;

/// The different cells of a column, and which one each row has.
pub(super) struct Dictionary {
    pub(super) entries: Cells,
    pub(super) indexes: Vec<u64>,
}

impl Dictionary {
    /// The dictionary in the order of first appearance; `None` as soon as there are more than `most` entries, or where cells
    /// collide.
    pub(super) fn of(cells: &Cells, most: usize) -> Option<Self> {
        match *cells.kinds() {
            Kinds::Uniform(kind) if kind.is_fixed() => {
                let (known, indexes) = distinct(cells.fixed().iter().copied(), most)?;
                Self::with(known.iter().map(|bits| Cell::fixed(kind, *bits)), indexes)
            }
            Kinds::Uniform(kind) if kind.is_variable() => {
                let mut start = 0;
                let texts = cells.ends().iter().map(|end| {
                    let text = Text::within(cells.data(), start, *end as usize);
                    start = *end as usize;
                    text
                });
                let (known, indexes) = distinct(texts, most)?;
                Self::with(known.iter().map(|text| Cell::variable(kind, text.bytes)), indexes)
            }
            _ => {
                let (known, indexes) = distinct(cells.iter(), most)?;
                Self::with(known.into_iter(), indexes)
            }
        }
    }

    fn with<'a>(mut known: impl Iterator<Item = Cell<'a>>, indexes: Vec<u64>) -> Option<Self> {
        let mut entries = Cells::new();
        known.try_for_each(|cell| entries.push(&cell)).ok()?;
        Some(Self { entries, indexes })
    }

    /// The same with entries in the order of their kinds, values and bytes: neighbours share more.
    pub(super) fn sorted(self) -> Self {
        let mut order: Vec<(Cell<'_>, usize)> = self.entries.iter().zip(0..).collect();
        order.sort_by(|(a, _), (b, _)| by_content(a, b));
        let mut entries = Cells::new();
        let mut places = vec![0_u64; order.len()];
        for (cell, old) in order {
            if let Some(place) = places.get_mut(old) {
                *place = u64::from(entries.rows());
            }
            // The entries fitted before.
            let _ = entries.push(&cell);
        }
        let mut indexes = self.indexes;
        for index in &mut indexes {
            *index = usize::try_from(*index).ok().and_then(|index| places.get(index)).copied().unwrap_or(0);
        }
        Self { entries, indexes }
    }
}

fn by_content(a: &Cell<'_>, b: &Cell<'_>) -> std::cmp::Ordering {
    let number = |cell: &Cell<'_>| match cell {
        Cell::Integer(value) => *value,
        // The order of bits is that of values within either sign; it need be no better.
        Cell::Real(value) => value.to_bits().cast_signed(),
        _ => 0,
    };
    (a.kind(), number(a)).cmp(&(b.kind(), number(b))).then_with(|| a.variable_bytes().cmp(&b.variable_bytes()))
}

/// The block, its indexes written as chosen.
pub(super) fn encode(cells: &Cells, dictionary: &Dictionary, choice: Choice) -> Vec<u8> {
    let canonical = plain::canonical(&dictionary.entries);
    let mut out = vec![Encoding::Dictionary.number()];
    parts::write_rows(cells, &mut out);
    out.extend_from_slice(&dictionary.entries.rows().to_le_bytes());
    // A block within the limits has far less than 4 GiB.
    out.extend_from_slice(&u32::try_from(canonical.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&canonical);
    codec_choice::write_chosen(&dictionary.indexes, choice, &mut out);
    out
}

pub(super) fn decode(bytes: &[u8], rows: u32) -> Result<Cells> {
    let mut cursor = Cursor::new(bytes, Layer::Cells);
    parts::read_rows(&mut cursor, rows)?;
    let count = cursor.u32()?;
    if !(1..=rows).contains(&count) {
        return Err(damaged(format!("a dictionary of {count} cells for {rows} rows")));
    }
    let length = cursor.u32()? as usize;
    let entries = plain::decode_part(cursor.take(length)?, count)?;
    check_different(&entries)?;
    let indexes = numbers::read(&mut cursor, rows as usize)?;
    cursor.finish()?;
    expand(&entries, &indexes, rows)
}

/// No entry may stand twice. What is read may have been chosen so that hashes collide: it is sorted.
fn check_different(entries: &Cells) -> Result<()> {
    let mut cells: Vec<Cell<'_>> = entries.iter().collect();
    // A writer's entries are sorted already.
    cells.sort_by(by_content);
    if cells.windows(2).any(|pair| matches!(pair, [a, b] if a.is_identical(b))) {
        return Err(damaged("a dictionary with a cell twice"));
    }
    Ok(())
}

/// The rows' cells. Their row bytes are added up before they get room.
fn expand(entries: &Cells, indexes: &[u64], rows: u32) -> Result<Cells> {
    let known: Vec<Cell<'_>> = entries.iter().collect();
    let mut cells: Vec<&Cell<'_>> = Vec::with_capacity(indexes.len());
    let mut row_bytes = 0_u64;
    for index in indexes {
        let cell = usize::try_from(*index).ok().and_then(|index| known.get(index));
        let cell = cell.ok_or_else(|| damaged(format!("cell {index} of a dictionary of {}", known.len())))?;
        row_bytes = row_bytes.saturating_add(cell.weight());
        cells.push(cell);
    }
    if row_bytes > MAX_GROUP_BYTES {
        return Err(damaged(format!("a block of {row_bytes} row bytes; at most {MAX_GROUP_BYTES} are allowed")));
    }
    let kinds = Kinds::of(cells.iter().map(|cell| cell.kind()).collect());
    let counts = Counts::of(&kinds, rows);
    let fixed = match counts.fixed {
        0 => Vec::new(),
        _ => cells.iter().filter_map(|cell| cell.fixed_bits()).collect(),
    };
    let mut ends = Vec::with_capacity(counts.variable);
    let mut data = Vec::new();
    if counts.variable > 0 {
        data.reserve_exact(usize::try_from(row_bytes).unwrap_or(0));
        for bytes in cells.iter().filter_map(|cell| cell.variable_bytes()) {
            data.extend_from_slice(bytes);
            // At most `MAX_GROUP_BYTES`.
            ends.push(u32::try_from(data.len()).unwrap_or(u32::MAX));
        }
        data.shrink_to_fit();
    }
    Cells::from_parts(CellsParts { rows, kinds, fixed, ends, data }).map_err(damaged)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    const PLANES: Choice = Choice::planes(0);

    fn mixed() -> Cells {
        let few = [
            Cell::Text(b"red"),
            Cell::Null,
            Cell::Integer(-1),
            Cell::Real(-0.0),
            Cell::Bytes(b"red"),
            Cell::RawText(b"\xff"),
            Cell::Text(b""),
            Cell::Real(0.0),
        ];
        let cells: Vec<Cell<'_>> = (0..40).map(|row| few[row * row % 8 + row % 3 % (8 - row * row % 8)]).collect();
        Cells::of(&cells)
    }

    fn encoded(cells: &Cells) -> Vec<u8> {
        let dictionary = Dictionary::of(cells, cells.rows() as usize).unwrap().sorted();
        encode(cells, &dictionary, PLANES)[1..].to_vec()
    }

    #[test]
    fn cells_of_all_kinds_come_back() {
        for cells in [mixed(), Cells::of(&[Cell::Null; 3]), Cells::of(&[Cell::Real(f64::NAN), Cell::Real(f64::NAN)])] {
            assert_eq!(canonical_of(&decode(&encoded(&cells), cells.rows()).unwrap()), canonical_of(&cells));
            let unsorted = Dictionary::of(&cells, 99).unwrap();
            let bytes = encode(&cells, &unsorted, PLANES);
            assert_eq!(canonical_of(&decode(&bytes[1..], cells.rows()).unwrap()), canonical_of(&cells));
        }
    }

    fn canonical_of(cells: &Cells) -> Vec<u8> {
        plain::canonical(cells)
    }

    #[test]
    fn many_different_cells_are_given_up() {
        let cells: Vec<Cell<'_>> = (0..1000).map(Cell::Integer).collect();
        assert!(Dictionary::of(&Cells::of(&cells), 999).is_none());
        assert_eq!(Dictionary::of(&Cells::of(&cells), 1000).unwrap().entries.rows(), 1000);
    }

    #[test]
    fn every_cut_is_refused_and_every_flip_is_other_cells_or_refused() {
        let cells = mixed();
        let bytes = encoded(&cells);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], cells.rows()).is_err(), "{length}");
        }
        assert!(decode(&[&bytes[..], &[0]].concat(), cells.rows()).is_err());
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[place] ^= 1 << bit;
                if let Ok(other) = decode(&flipped, cells.rows()) {
                    let parts = other.clone().into_parts();
                    assert_eq!(Cells::from_parts(parts).unwrap(), other);
                }
            }
        }
    }

    #[test]
    fn what_no_writer_makes_is_refused() {
        let of = |entries: &[Cell<'_>], count: u32, indexes: &[u64]| {
            let dictionary = Dictionary { entries: Cells::of(entries), indexes: indexes.to_vec() };
            let rows = Cells::of(&vec![Cell::Null; indexes.len()]);
            let mut bytes = encode(&rows, &dictionary, PLANES)[1..].to_vec();
            bytes[4..8].copy_from_slice(&count.to_le_bytes());
            decode(&bytes, rows.rows())
        };
        let (a, b) = (Cell::Text(b"a"), Cell::Text(b"b"));
        assert_eq!(of(&[a, b], 2, &[1, 0, 1]).unwrap(), Cells::of(&[b, a, b]));
        assert_eq!(of(&[a, b], 2, &[1, 1, 1]).unwrap(), Cells::of(&[b, b, b]));
        assert!(of(&[a, b], 2, &[1, 2, 0]).unwrap_err().to_string().contains("cell 2 of a dictionary of 2"));
        assert!(of(&[a, a], 2, &[1, 0, 0]).unwrap_err().to_string().contains("twice"));
        assert!(of(&[a, b], 3, &[1, 0, 0]).is_err());
        assert!(of(&[a, b], 0, &[1, 0, 0]).is_err());
        assert!(of(&[a, b], 4, &[1, 0, 0]).is_err());
    }

    #[test]
    fn a_few_bytes_do_not_become_gigabytes() {
        let large = vec![7; 1 << 20];
        let dictionary = Dictionary { entries: Cells::of(&[Cell::Bytes(&large)]), indexes: vec![0; 100] };
        let rows = Cells::of(&[Cell::Null; 100]);
        let bytes = encode(&rows, &dictionary, PLANES);
        assert!(decode(&bytes[1..], 100).unwrap_err().to_string().contains("row bytes"));
    }
}
