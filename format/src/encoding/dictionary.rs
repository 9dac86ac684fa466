//! Columns of few different cells: each of them once, and for each row which one it is (`spec/format.md` §6.3).

use super::codec_choice::{self, Choice};
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

/// An open hash table from cells to their places among the entries.
struct Places {
    /// Upper half of the hash and the place plus one; 0 where there is none.
    slots: Vec<(u32, u32)>,
    mask: u64,
}

/// What a search in the table ends at.
enum Found {
    /// The cell's place.
    Place(u32),
    /// The slot where it would go.
    Free(usize),
}

/// Slots that are looked at for one cell. In a table that is half full, hashes that spread need a few; who has chosen cells
/// so that they collide gets no dictionary.
const MOST_PROBES: usize = 256;

impl Places {
    fn new(most: usize) -> Self {
        let slots = (most.max(4) * 2).next_power_of_two();
        Self { slots: vec![(0, 0); slots], mask: slots as u64 - 1 }
    }

    /// Where a cell with this hash stands, if `is_at` holds for a place, or where it would go. `None` where too many others
    /// are in the way.
    fn find(&self, hash: u64, is_at: impl Fn(u32) -> bool) -> Option<Found> {
        let tag = upper(hash);
        let mut at = hash & self.mask;
        for _ in 0..MOST_PROBES {
            // The mask is below the number of slots, which is a `usize`.
            let slot = usize::try_from(at).unwrap_or(0);
            match self.slots.get(slot) {
                Some((kept, place)) if *place > 0 => {
                    if *kept == tag && is_at(place - 1) {
                        return Some(Found::Place(place - 1));
                    }
                }
                _ => return Some(Found::Free(slot)),
            }
            at = (at + 1) & self.mask;
        }
        None
    }

    fn put(&mut self, slot: usize, hash: u64, place: u32) {
        if let Some(free) = self.slots.get_mut(slot) {
            *free = (upper(hash), place + 1);
        }
    }
}

fn upper(hash: u64) -> u32 {
    let [.., a, b, c, d] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn hash(cell: &Cell<'_>) -> u64 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    let mut hash = u64::from(cell.kind().number());
    if let Some(bits) = cell.fixed_bits() {
        hash = step(hash, bits);
    } else if let Some(bytes) = cell.variable_bytes() {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            hash = step(hash, u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        hash = step(step(hash, u64::from_le_bytes(last)), bytes.len() as u64);
    }
    hash ^ hash >> 32
}

impl Dictionary {
    /// The dictionary in the order of first appearance; `None` as soon as there are more than `most` entries, or where cells
    /// collide.
    pub(super) fn of(cells: &Cells, most: usize) -> Option<Self> {
        let mut places = Places::new(most);
        let mut known: Vec<Cell<'_>> = Vec::new();
        let mut entries = Cells::new();
        let mut indexes = Vec::with_capacity(cells.rows() as usize);
        for cell in cells.iter() {
            let hash = hash(&cell);
            let is_at = |place: u32| known.get(place as usize).is_some_and(|other| other.is_identical(&cell));
            let place = match places.find(hash, is_at)? {
                Found::Place(place) => place,
                Found::Free(_) if known.len() >= most => return None,
                Found::Free(slot) => {
                    let place = entries.rows();
                    entries.push(&cell).ok()?;
                    known.push(cell);
                    places.put(slot, hash, place);
                    place
                }
            };
            indexes.push(u64::from(place));
        }
        Some(Self { entries, indexes })
    }

    /// The same with entries in the order of their kinds, values and bytes: neighbours share more.
    pub(super) fn sorted(&self) -> Self {
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
        let place = |index: &u64| usize::try_from(*index).ok().and_then(|index| places.get(index)).copied();
        Self { entries, indexes: self.indexes.iter().filter_map(place).collect() }
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
    use crate::encoding::numbers::Codec;
    use crate::encoding::pco::Steps;

    const PLANES: Choice = Choice { codec: Codec::FrameOfReference, steps: Steps::None, cost: 0 };

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
