//! The keys of an index in order, in bounded memory: runs are sorted in memory, written to a temp file beside the target,
//! and merged. Keys that come in order already are not sorted.

mod runs;

use std::cmp::Ordering;
use std::path::Path;

use rayon::prelude::*;

use self::runs::{Runs, append_lengths};
use crate::error::Result;
use crate::observer::Observer;
use crate::sqlite_file::read_varint;

/// A key: how it compares, how much of that makes it distinct (0: whatever it is), and what the index stores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'e> {
    pub(super) key: &'e [u8],
    pub(super) distinct: usize,
    pub(super) record: &'e [u8],
}

/// Where an entry stands, with the beginning of its key, which mostly decides.
#[derive(Debug, Clone, Copy)]
struct Place {
    beginning: u64,
    at: usize,
}

impl Place {
    /// The order of two places in `entries`.
    fn compare(&self, other: &Self, entries: &[u8]) -> Ordering {
        self.beginning.cmp(&other.beginning).then_with(|| key_at(entries, self.at).cmp(key_at(entries, other.at)))
    }
}

/// The most that the lengths before a key take.
const MAX_LENGTHS: usize = 3 * 9;

/// The keys of one index on their way.
pub(super) struct IndexSort<'o> {
    budget: usize,
    entries: Vec<u8>,
    places: Vec<Place>,
    longest_key: usize,
    ascending: bool,
    runs: Runs<'o>,
}

impl<'o> IndexSort<'o> {
    /// No keys yet. Those in memory take `budget` bytes, or one entry; a temp file is made in `folder` for more.
    pub(super) fn new(folder: &Path, budget: usize, observer: &'o dyn Observer) -> Self {
        let runs = Runs::new(folder.to_owned(), observer);
        Self { budget, entries: Vec::new(), places: Vec::new(), longest_key: 0, ascending: true, runs }
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: Entry<'_>) -> Result<()> {
        let bytes = MAX_LENGTHS + entry.key.len() + entry.record.len();
        if !self.has_room(bytes) {
            self.write_run()?;
            self.runs.settle()?;
        }
        let place = Place { beginning: beginning(entry.key), at: self.entries.len() };
        if self.ascending
            && let Some(last) = self.places.last()
        {
            let last = last.beginning.cmp(&place.beginning).then_with(|| key_at(&self.entries, last.at).cmp(entry.key));
            self.ascending = last != Ordering::Greater;
        }
        if self.places.is_empty() {
            // Whatever it takes, but not twice that.
            self.entries.reserve_exact(bytes);
        }
        append_lengths(entry, &mut self.entries);
        self.entries.extend_from_slice(entry.key);
        self.entries.extend_from_slice(entry.record);
        self.places.push(place);
        self.longest_key = self.longest_key.max(entry.key.len());
        Ok(())
    }

    /// Whether one more entry fits. Both vectors grow together within the budget, each by its share of what is used.
    fn has_room(&mut self, bytes: usize) -> bool {
        if self.places.is_empty()
            || self.entries.capacity() - self.entries.len() >= bytes && self.places.capacity() > self.places.len()
        {
            return true;
        }
        let places = self.places.len() + 1;
        let used = self.entries.len() + bytes + places * size_of::<Place>();
        // For the last sixteenth, it is not worth moving all.
        if used > self.budget - self.budget / 16 {
            return false;
        }
        let grown = used.saturating_mul(2).min(self.budget);
        // Rounded down, but not below what is used.
        let more_places = (places as u64 * grown as u64 / used as u64).try_into().unwrap_or(places).max(places);
        let more_entries = grown - more_places * size_of::<Place>();
        self.entries.shrink_to(more_entries);
        self.places.shrink_to(more_places);
        self.entries.reserve_exact(more_entries - self.entries.len());
        self.places.reserve_exact(more_places - self.places.len());
        true
    }

    fn sort(&mut self) {
        if self.ascending {
            return;
        }
        let entries = &self.entries;
        self.places.par_sort_unstable_by(|a, b| a.compare(b, entries));
        self.ascending = true;
    }

    fn write_run(&mut self) -> Result<()> {
        self.sort();
        let entries = self.places.iter().map(|place| {
            let length = entry_at(&self.entries, place.at).map_or(0, |(_, length)| length);
            self.entries.get(place.at..place.at + length).unwrap_or_default()
        });
        self.runs.add(entries, self.entries.len(), self.longest_key)?;
        self.entries.clear();
        self.places.clear();
        self.longest_key = 0;
        // One entry may have taken more.
        self.entries.shrink_to(self.budget.saturating_sub(self.places.capacity() * size_of::<Place>()));
        Ok(())
    }

    /// Whether there are entries in a temp file.
    pub(super) fn is_spilled(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Calls `visit` with all entries in order.
    pub(super) fn finish(mut self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        if self.runs.is_empty() {
            self.sort();
            for place in &self.places {
                if let Some((entry, _)) = entry_at(&self.entries, place.at) {
                    visit(entry)?;
                }
            }
            return Ok(());
        }
        self.write_run()?;
        let Self { runs, entries, places, .. } = self;
        drop((entries, places));
        runs.finish(visit)
    }
}

/// The first eight bytes as a number; a shorter key comes before those that it begins.
fn beginning(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(first)
}

/// The key of the entry at a place. Its length is mostly one byte.
fn key_at(entries: &[u8], at: usize) -> &[u8] {
    match entries.get(at..at + 3) {
        Some([length @ ..0x80, ..0x80, ..0x80]) => {
            entries.get(at + 3..at + 3 + usize::from(*length)).unwrap_or_default()
        }
        _ => entry_at(entries, at).map_or(&[], |(entry, _)| entry.key),
    }
}

/// The entry at a place, and its bytes in all.
fn entry_at(entries: &[u8], at: usize) -> Option<(Entry<'_>, usize)> {
    let bytes = entries.get(at..)?;
    let (key, first) = read_varint(bytes)?;
    let (distinct, second) = read_varint(bytes.get(first..)?)?;
    let (record, third) = read_varint(bytes.get(first + second..)?)?;
    let start = first + second + third;
    let middle = start + usize::try_from(key).ok()?;
    let end = middle + usize::try_from(record).ok()?;
    let distinct = usize::try_from(distinct).ok()?;
    Some((Entry { key: bytes.get(start..middle)?, distinct, record: bytes.get(middle..end)? }, end))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn sorted(budget: usize, keys: impl Iterator<Item = u64>) -> Vec<(u64, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let mut sort = IndexSort::new(folder.path(), budget, &());
        for key in keys {
            let record = key.to_string();
            sort.push(Entry { key: &key.to_be_bytes(), distinct: 3, record: record.as_bytes() }).unwrap();
        }
        let mut found = Vec::new();
        sort.finish(&mut |entry| {
            assert_eq!(entry.distinct, 3);
            found.push((u64::from_be_bytes(entry.key.try_into().unwrap()), entry.record.to_vec()));
            Ok(())
        })
        .unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        found
    }

    #[test]
    fn entries_come_in_order_whatever_the_memory() {
        let scattered = |count: u64| (0..count).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for (budget, count) in [(1 << 20, 0), (1 << 20, 5000), (20_000, 5000), (1000, 5000), (1, 300)] {
            let mut wanted: Vec<(u64, Vec<u8>)> = scattered(count).map(|key| (key, key.to_string().into())).collect();
            wanted.sort();
            assert!(sorted(budget, scattered(count)) == wanted, "{budget}");
            wanted = (0..count).map(|key| (key, key.to_string().into())).collect();
            assert!(sorted(budget, 0..count) == wanted, "{budget}");
        }
    }

    #[test]
    fn keys_that_begin_alike_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let mut sort = IndexSort::new(folder.path(), 1 << 20, &());
        let keys = [&b"12345678b"[..], b"12345678", b"12345678a", b"1\0", b"1", b"12345678b"];
        for key in keys {
            sort.push(Entry { key, distinct: 0, record: b"" }).unwrap();
        }
        let mut found = Vec::new();
        sort.finish(&mut |entry| {
            found.push(entry.key.to_vec());
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [&b"1"[..], b"1\0", b"12345678", b"12345678a", b"12345678b", b"12345678b"]);
    }

    #[test]
    fn memory_stays_within_the_budget() {
        let folder = tempfile::tempdir().unwrap();
        let budget = 100_000;
        let mut sort = IndexSort::new(folder.path(), budget, &());
        let mut spilled = 0;
        for number in 0..20_000_usize {
            // The share of the places changes on the way.
            let record = vec![7; if number % 3000 < 1500 { 5 } else { 300 }];
            sort.push(Entry { key: &number.to_be_bytes(), distinct: 0, record: &record }).unwrap();
            assert!(sort.entries.capacity() + sort.places.capacity() * size_of::<Place>() <= budget);
            spilled += usize::from(sort.places.len() == 1);
        }
        // Runs are long: little of the budget stays unused.
        let bytes = 10_000 * (5 + 300 + 2 * (8 + 3 + size_of::<Place>()));
        assert!(sort.is_spilled() && spilled < bytes * 5 / 4 / budget, "{spilled}");
        // Of one entry that takes more, nothing stays.
        for record in [vec![7; 3 * budget], vec![7; 5]] {
            sort.push(Entry { key: &[0], distinct: 0, record: &record }).unwrap();
        }
        assert!(sort.entries.capacity() + sort.places.capacity() * size_of::<Place>() <= budget);
    }
}
