//! The keys of an index in order, in bounded memory: runs are sorted in memory, written to temp files beside the target,
//! and merged. Keys that come in order already are not sorted.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::sqlite_file::{append_varint, read_varint};

/// Runs that are merged at once: each is an open file.
const MAX_RUNS: usize = 64;

/// Bytes read of a run, or written to one, at once.
const BUFFER: usize = 256 << 10;

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

/// The keys of one index on their way.
pub(super) struct IndexSort {
    folder: PathBuf,
    budget: usize,
    entries: Vec<u8>,
    places: Vec<Place>,
    ascending: bool,
    runs: Vec<File>,
}

impl IndexSort {
    /// No keys yet. Those in memory take about `budget` bytes; temp files are made in `folder`.
    pub(super) fn new(folder: &Path, budget: usize) -> Self {
        let folder = folder.to_owned();
        Self { folder, budget, entries: Vec::new(), places: Vec::new(), ascending: true, runs: Vec::new() }
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: Entry<'_>) -> Result<()> {
        let bytes = entry.key.len() + entry.record.len() + size_of::<Place>();
        if !self.places.is_empty() && self.entries.len() + self.places.len() * size_of::<Place>() + bytes > self.budget
        {
            self.write_run()?;
        }
        let place = Place { beginning: beginning(entry.key), at: self.entries.len() };
        if self.ascending
            && let Some(last) = self.places.last()
        {
            let last = last.beginning.cmp(&place.beginning).then_with(|| key_at(&self.entries, last.at).cmp(entry.key));
            self.ascending = last != Ordering::Greater;
        }
        append_varint(entry.key.len() as u64, &mut self.entries);
        append_varint(entry.distinct as u64, &mut self.entries);
        append_varint(entry.record.len() as u64, &mut self.entries);
        self.entries.extend_from_slice(entry.key);
        self.entries.extend_from_slice(entry.record);
        self.places.push(place);
        Ok(())
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
        let mut run = BufWriter::with_capacity(BUFFER, self.temp_file()?);
        for place in &self.places {
            let length = entry_at(&self.entries, place.at).map_or(0, |(_, length)| length);
            let bytes = self.entries.get(place.at..place.at + length).unwrap_or_default();
            run.write_all(bytes).map_err(sorting)?;
        }
        self.runs.push(rewound(run)?);
        self.entries.clear();
        self.places.clear();
        if self.runs.len() == MAX_RUNS {
            let mut merged = BufWriter::with_capacity(BUFFER, self.temp_file()?);
            let mut lengths = Vec::new();
            merge(std::mem::take(&mut self.runs), &mut |entry| {
                lengths.clear();
                append_varint(entry.key.len() as u64, &mut lengths);
                append_varint(entry.distinct as u64, &mut lengths);
                append_varint(entry.record.len() as u64, &mut lengths);
                [&lengths, entry.key, entry.record]
                    .into_iter()
                    .try_for_each(|part| merged.write_all(part))
                    .map_err(sorting)
            })?;
            self.runs.push(rewound(merged)?);
        }
        Ok(())
    }

    fn temp_file(&self) -> Result<File> {
        tempfile::tempfile_in(&self.folder).map_err(sorting)
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
        let runs = std::mem::take(&mut self.runs);
        drop(self);
        merge(runs, visit)
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

fn rewound(run: BufWriter<File>) -> Result<File> {
    let mut file = run.into_inner().map_err(|error| sorting(error.into_error()))?;
    file.seek(SeekFrom::Start(0)).map_err(sorting)?;
    Ok(file)
}

fn merge(runs: Vec<File>, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
    let mut readers: Vec<RunReader> = runs.into_iter().map(RunReader::new).collect();
    // Runs that have an entry, the one with the lowest last.
    let mut waiting: Vec<RunReader> = Vec::with_capacity(readers.len());
    while let Some(mut reader) = readers.pop() {
        if reader.advance()? {
            insert(&mut waiting, reader);
        }
    }
    while let Some(mut lowest) = waiting.pop() {
        visit(lowest.entry())?;
        if lowest.advance()? {
            insert(&mut waiting, lowest);
        }
    }
    Ok(())
}

fn insert(waiting: &mut Vec<RunReader>, reader: RunReader) {
    // A run mostly stays the lowest for a while.
    if waiting.last().is_none_or(|next| reader.key <= next.key) {
        return waiting.push(reader);
    }
    let at = waiting.partition_point(|other| other.key > reader.key);
    waiting.insert(at, reader);
}

/// One run as it is read.
struct RunReader {
    file: BufReader<File>,
    key: Vec<u8>,
    distinct: usize,
    record: Vec<u8>,
}

impl RunReader {
    fn new(file: File) -> Self {
        Self { file: BufReader::with_capacity(BUFFER, file), key: Vec::new(), distinct: 0, record: Vec::new() }
    }

    fn entry(&self) -> Entry<'_> {
        Entry { key: &self.key, distinct: self.distinct, record: &self.record }
    }

    /// Reads the next entry; false at the end.
    fn advance(&mut self) -> Result<bool> {
        let Some(key) = self.number()? else { return Ok(false) };
        let cut = || sorting(std::io::ErrorKind::UnexpectedEof.into());
        self.distinct = self.number()?.ok_or_else(cut)?;
        let record = self.number()?.ok_or_else(cut)?;
        for (part, length) in [(&mut self.key, key), (&mut self.record, record)] {
            part.resize(length, 0);
            self.file.read_exact(part).map_err(sorting)?;
        }
        Ok(true)
    }

    fn number(&mut self) -> Result<Option<usize>> {
        let mut value = 0_usize;
        let mut byte = [0];
        for read in 0..9 {
            if self.file.read(&mut byte).map_err(sorting)? == 0 {
                return if read == 0 { Ok(None) } else { Err(sorting(std::io::ErrorKind::UnexpectedEof.into())) };
            }
            value = value << 7 | usize::from(byte[0] & 0x7F);
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        Ok(Some(value))
    }
}

fn sorting(cause: std::io::Error) -> Error {
    Error::io("sorting the keys of an index in a temp file", cause)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn sorted(budget: usize, keys: impl Iterator<Item = u64>) -> Vec<(u64, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let mut sort = IndexSort::new(folder.path(), budget);
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
        let mut sort = IndexSort::new(folder.path(), 1 << 20);
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
}
