//! Which different cells there are among many, and which of them each one is.

use crate::model::Cell;

/// An open hash table from keys to their places among those that are known.
struct Places {
    /// Upper half of the hash and the place plus one; 0 where there is none.
    slots: Vec<(u32, u32)>,
    mask: u64,
}

/// What a search in the table ends at.
enum Found {
    /// The key's place.
    Place(u32),
    /// The slot where it would go.
    Free(usize),
}

/// Slots that are looked at for one key. In a table that is half full, hashes that spread need a few; who has chosen cells
/// so that they collide gets no dictionary.
const MOST_PROBES: usize = 256;

/// Keys that a table has room for at first.
const FIRST: usize = 1024;

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

    /// Have so many keys, of which one more may come, as much room as hashes that spread want?
    fn are_half_full(&self, keys: usize) -> bool {
        keys * 2 >= self.slots.len()
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

/// A cell as the table compares it: cheaply, where all cells are of one kind.
pub(super) trait Key: Copy {
    fn hash(self) -> u64;
    fn is_same(self, other: Self) -> bool;
}

fn step(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

/// A fixed payload.
impl Key for u64 {
    fn hash(self) -> u64 {
        let hash = step(0, self);
        hash ^ hash >> 32
    }

    fn is_same(self, other: Self) -> bool {
        self == other
    }
}

/// A variable payload. Its beginning, as two numbers with zeros behind it, is all there is to a short one.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    first: u64,
    second: u64,
    pub(super) bytes: &'a [u8],
}

/// Bytes of a payload of which the beginning leaves nothing out.
const SHORT: usize = 16;

impl<'a> Text<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self::within(bytes, 0, bytes.len())
    }

    /// The payload at this place of all payloads: with others behind it, its beginning is read at once and cut off.
    pub(super) fn within(data: &'a [u8], start: usize, end: usize) -> Self {
        let bytes = data.get(start..end).unwrap_or_default();
        let beginning = match data.get(start..).and_then(<[u8]>::first_chunk::<SHORT>) {
            Some(beginning) if !bytes.is_empty() => {
                let cut_off = 8 * (SHORT - bytes.len().min(SHORT));
                u128::from_le_bytes(*beginning) & u128::MAX >> cut_off
            }
            _ => {
                let mut padded = [0; SHORT];
                for (to, from) in padded.iter_mut().zip(bytes) {
                    *to = *from;
                }
                u128::from_le_bytes(padded)
            }
        };
        let [first, second] = [beginning, beginning >> 64].map(|half| {
            let [a, b, c, d, e, f, g, h, ..] = half.to_le_bytes();
            u64::from_le_bytes([a, b, c, d, e, f, g, h])
        });
        Self { first, second, bytes }
    }
}

impl Key for Text<'_> {
    fn hash(self) -> u64 {
        let mut hash = step(step(self.bytes.len() as u64, self.first), self.second);
        if self.bytes.len() > SHORT {
            for word in self.bytes.as_chunks::<8>().0 {
                hash = step(hash, u64::from_le_bytes(*word));
            }
            let last = self.bytes.last_chunk().map_or(0, |last| u64::from_le_bytes(*last));
            hash = step(hash, last);
        }
        hash ^ hash >> 32
    }

    fn is_same(self, other: Self) -> bool {
        self.first == other.first
            && self.second == other.second
            && self.bytes.len() == other.bytes.len()
            && (self.bytes.len() <= SHORT || self.bytes == other.bytes)
    }
}

/// Any cell.
impl Key for Cell<'_> {
    fn hash(self) -> u64 {
        let payload = match self.variable_bytes() {
            Some(bytes) => Text::of(bytes).hash(),
            None => self.fixed_bits().unwrap_or(0),
        };
        step(u64::from(self.kind().number()), payload).hash()
    }

    fn is_same(self, other: Self) -> bool {
        self.is_identical(&other)
    }
}

/// Different keys in the order of first appearance.
pub(super) struct Distinct<K> {
    places: Places,
    known: Vec<K>,
    most: usize,
}

impl<K: Key> Distinct<K> {
    pub(super) fn new(most: usize) -> Self {
        Self { places: Places::new(most.min(FIRST)), known: Vec::new(), most }
    }

    /// The place of a key among the different ones; `None` where it would be one more than there may be, or hashes collide.
    pub(super) fn place(&mut self, key: K) -> Option<u32> {
        let hash = key.hash();
        let is_at = |place: u32| self.known.get(place as usize).is_some_and(|other| other.is_same(key));
        match self.places.find(hash, is_at)? {
            Found::Place(place) => Some(place),
            Found::Free(_) if self.known.len() >= self.most => None,
            Found::Free(slot) => {
                let place = u32::try_from(self.known.len()).ok()?;
                self.known.push(key);
                self.places.put(slot, hash, place);
                if self.places.are_half_full(self.known.len()) {
                    self.grow()?;
                }
                Some(place)
            }
        }
    }

    pub(super) fn known(&self) -> &[K] {
        &self.known
    }

    /// Twice the room. A table is as large as its keys need: small ones stay in the nearest cache.
    fn grow(&mut self) -> Option<()> {
        let mut places = Places::new(self.known.len() * 2);
        for (key, place) in self.known.iter().zip(0..) {
            let hash = key.hash();
            match places.find(hash, |_| false)? {
                Found::Free(slot) => places.put(slot, hash, place),
                Found::Place(_) => {}
            }
        }
        self.places = places;
        Some(())
    }
}

/// The different keys in the order of first appearance, and the index of each; `None` as soon as there are more than `most`,
/// or where hashes collide.
pub(super) fn distinct<K: Key>(keys: impl ExactSizeIterator<Item = K>, most: usize) -> Option<(Vec<K>, Vec<u64>)> {
    let mut distinct = Distinct::new(most);
    let mut indexes = Vec::with_capacity(keys.len());
    for key in keys {
        indexes.push(u64::from(distinct.place(key)?));
    }
    Some((distinct.known, indexes))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_only_with_all_their_bytes() {
        let mut texts: Vec<Vec<u8>> = Vec::new();
        for length in 0..40 {
            texts.push(vec![0; length]);
            for place in 0..length {
                let mut text = vec![0; length];
                text[place] = 7;
                texts.push(text);
            }
        }
        let twice: Vec<Text<'_>> = texts.iter().chain(&texts).map(|text| Text::of(text)).collect();
        let (known, indexes) = distinct(twice.iter().copied(), texts.len()).unwrap();
        assert!(known.iter().map(|text| text.bytes).eq(texts.iter().map(Vec::as_slice)));
        let count = texts.len() as u64;
        assert!(indexes.into_iter().eq((0..count).chain(0..count)));
        assert!(distinct(twice.iter().copied(), texts.len() - 1).is_none());
    }
}
