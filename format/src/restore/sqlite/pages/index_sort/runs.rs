//! Sorted runs of entries in one temp file, merged level by level: no entry is written more often than there are levels.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::Entry;
use crate::error::{Error, Result};
use crate::observer::{Observer, check_cancelled};
use crate::sqlite_file::append_varint;

/// Runs that are merged at once.
const MAX_RUNS: usize = 64;

/// Bytes read of a run, or written to one, at once.
const BUFFER: usize = 256 << 10;

/// Memory for what is read ahead of all runs of a merge.
const BUFFERS: usize = 8 << 20;

/// Memory for the keys at the front of all runs of a merge; two runs are merged whatever their keys take.
const FRONT_KEYS: usize = 24 << 20;

/// Entries, or KiB of them, merged before cancellation is asked.
const WORK_AT_ONCE: usize = 1024;

/// A sorted range of the temp file.
#[derive(Debug, Clone, Copy)]
struct Run {
    offset: u64,
    length: u64,
    longest_key: usize,
    level: u32,
}

/// The runs of one index.
pub(super) struct Runs<'o> {
    folder: PathBuf,
    observer: &'o dyn Observer,
    front_keys: usize,
    file: Option<File>,
    /// Runs of higher levels first.
    runs: Vec<Run>,
}

impl<'o> Runs<'o> {
    /// No runs yet; the temp file is made in `folder` with the first one.
    pub(super) fn new(folder: PathBuf, observer: &'o dyn Observer) -> Self {
        Self { folder, observer, front_keys: FRONT_KEYS, file: None, runs: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds a run: the bytes of its entries in order, `length` in all.
    pub(super) fn add<'e>(
        &mut self,
        mut entries: impl Iterator<Item = &'e [u8]>,
        length: usize,
        longest_key: usize,
    ) -> Result<()> {
        let run = Run { offset: self.room(length as u64), length: length as u64, longest_key, level: 0 };
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.folder).map_err(sorting)?,
        };
        let mut writer = BufWriter::with_capacity(BUFFER.min(length), Range::of(&run, self.file.insert(file)));
        entries.try_for_each(|entry| writer.write_all(entry)).and_then(|()| writer.flush()).map_err(sorting)?;
        self.runs.push(run);
        Ok(())
    }

    /// Merges runs of a level of which there are too many.
    pub(super) fn settle(&mut self) -> Result<()> {
        while let Some((from, many)) = self.crowded() {
            self.merge_some(from, many)?;
        }
        Ok(())
    }

    /// Where the runs of a level begin that cannot be merged at once, and how many of them can.
    fn crowded(&self) -> Option<(usize, usize)> {
        let mut from = 0;
        for alike in self.runs.chunk_by(|a, b| a.level == b.level) {
            let many = self.affordable(alike);
            if many < alike.len() {
                return Some((from, many));
            }
            from += alike.len();
        }
        None
    }

    /// How many of the first runs are merged at once.
    fn affordable(&self, runs: &[Run]) -> usize {
        let mut keys = 0_usize;
        let within = runs.iter().take(MAX_RUNS).take_while(|run| {
            keys = keys.saturating_add(run.longest_key);
            keys <= self.front_keys
        });
        within.count().max(2).min(runs.len())
    }

    /// Merges until the runs that are left can be merged at once: the shortest ones first, and no more than needed.
    fn narrow(&mut self) -> Result<()> {
        loop {
            self.runs.sort_by_key(|run| run.length);
            let many = self.affordable(&self.runs);
            let excess = self.runs.len() - many;
            if excess == 0 {
                return Ok(());
            }
            self.merge_some(0, many.min(excess + 1))?;
        }
    }

    /// Calls `visit` with all entries in order.
    pub(super) fn finish(mut self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        self.narrow()?;
        self.file.as_ref().map_or(Ok(()), |file| merge(file, &self.runs, visit))
    }

    /// Puts one run of the next level in the place of `many` runs.
    fn merge_some(&mut self, from: usize, many: usize) -> Result<()> {
        let (Some(file), Some(runs)) = (&self.file, self.runs.get(from..from + many)) else { return Ok(()) };
        let length = runs.iter().map(|run| run.length).sum();
        let merged = Run {
            offset: self.room(length),
            length,
            longest_key: runs.iter().map(|run| run.longest_key).max().unwrap_or_default(),
            level: runs.iter().map(|run| run.level).max().unwrap_or_default() + 1,
        };
        let mut writer = BufWriter::with_capacity(BUFFER, Range::of(&merged, file));
        let (mut lengths, mut work) = (Vec::new(), 0);
        check_cancelled(self.observer)?;
        merge(file, runs, &mut |entry| {
            work += 1 + (entry.key.len() + entry.record.len()) / 1024;
            if work >= WORK_AT_ONCE {
                work = 0;
                check_cancelled(self.observer)?;
            }
            lengths.clear();
            append_lengths(entry, &mut lengths);
            [&lengths, entry.key, entry.record].into_iter().try_for_each(|part| writer.write_all(part)).map_err(sorting)
        })?;
        writer.flush().map_err(sorting)?;
        drop(writer);
        self.runs.splice(from..from + many, [merged]);
        Ok(())
    }

    /// Where the temp file has room for a run: between others, where merged ones were, or after them all.
    fn room(&self, length: u64) -> u64 {
        let mut taken: Vec<(u64, u64)> = self.runs.iter().map(|run| (run.offset, run.length)).collect();
        taken.sort_unstable();
        let mut free = 0;
        for (offset, taken) in taken {
            if offset - free >= length {
                break;
            }
            free = offset + taken;
        }
        free
    }
}

/// Appends what comes before the key and the record of an entry.
pub(super) fn append_lengths(entry: Entry<'_>, to: &mut Vec<u8>) {
    append_varint(entry.key.len() as u64, to);
    append_varint(entry.distinct as u64, to);
    append_varint(entry.record.len() as u64, to);
}

/// Calls `visit` with the entries of some runs in order.
fn merge(file: &File, runs: &[Run], visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
    let buffer = BUFFER.min(BUFFERS / runs.len().max(1));
    // Runs that have an entry, the one with the lowest last.
    let mut waiting: Vec<RunReader<'_>> = Vec::with_capacity(runs.len());
    for run in runs {
        let mut reader = RunReader::new(BufReader::with_capacity(buffer, Range::of(run, file)));
        if reader.advance()? {
            insert(&mut waiting, reader);
        }
    }
    // Only the lowest needs its record.
    let mut record = Vec::new();
    while let Some(mut lowest) = waiting.pop() {
        record.resize(lowest.record, 0);
        lowest.bytes.read_exact(&mut record).map_err(sorting)?;
        visit(Entry { key: &lowest.key, distinct: lowest.distinct, record: &record })?;
        if lowest.advance()? {
            insert(&mut waiting, lowest);
        }
    }
    Ok(())
}

fn insert<'f>(waiting: &mut Vec<RunReader<'f>>, reader: RunReader<'f>) {
    // A run mostly stays the lowest for a while.
    if waiting.last().is_none_or(|next| reader.key <= next.key) {
        return waiting.push(reader);
    }
    let at = waiting.partition_point(|other| other.key > reader.key);
    waiting.insert(at, reader);
}

/// A range of the file, whose one position all ranges share: each read and write begins with its own.
struct Range<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl<'f> Range<'f> {
    fn of(run: &Run, file: &'f File) -> Self {
        Self { file, at: run.offset, end: run.offset + run.length }
    }

    /// How many of `bytes` bytes are within the range, with the file at its position.
    fn seek(&mut self, bytes: usize) -> std::io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.at))?;
        Ok(usize::try_from(self.end - self.at).map_or(bytes, |left| left.min(bytes)))
    }
}

impl Read for Range<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let within = self.seek(to.len())?;
        let read = self.file.read(to.get_mut(..within).unwrap_or_default())?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Write for Range<'_> {
    fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
        let within = self.seek(from.len())?;
        let written = self.file.write(from.get(..within).unwrap_or_default())?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One run as it is read: the key of an entry, with its record next.
struct RunReader<'f> {
    bytes: BufReader<Range<'f>>,
    key: Vec<u8>,
    distinct: usize,
    record: usize,
}

impl<'f> RunReader<'f> {
    fn new(bytes: BufReader<Range<'f>>) -> Self {
        Self { bytes, key: Vec::new(), distinct: 0, record: 0 }
    }

    /// Reads the next key, after the record of the one before was read; false at the end.
    fn advance(&mut self) -> Result<bool> {
        let Some(key) = self.number()? else { return Ok(false) };
        let cut = || sorting(std::io::ErrorKind::UnexpectedEof.into());
        self.distinct = self.number()?.ok_or_else(cut)?;
        self.record = self.number()?.ok_or_else(cut)?;
        if key > self.key.capacity() {
            // Exactly, for the longest keys are what is counted.
            self.key = Vec::with_capacity(key);
        }
        self.key.resize(key, 0);
        self.bytes.read_exact(&mut self.key).map_err(sorting)?;
        Ok(true)
    }

    fn number(&mut self) -> Result<Option<usize>> {
        let mut value = 0_usize;
        let mut byte = [0];
        for read in 0..9 {
            if self.bytes.read(&mut byte).map_err(sorting)? == 0 {
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
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Cancels when it is asked for the last time of some.
    struct CancelAfter(AtomicUsize);

    impl Observer for CancelAfter {
        fn is_cancelled(&self) -> bool {
            self.0.fetch_sub(1, Ordering::Relaxed) <= 1
        }
    }

    fn add(runs: &mut Runs<'_>, keys: &[&[u8]]) {
        let mut bytes = Vec::new();
        for key in keys {
            append_lengths(Entry { key, distinct: 0, record: b"r" }, &mut bytes);
            bytes.extend_from_slice(key);
            bytes.push(b'r');
        }
        let longest = keys.iter().map(|key| key.len()).max().unwrap();
        runs.add([&bytes[..]].into_iter(), bytes.len(), longest).unwrap();
    }

    fn keys(runs: Runs<'_>) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        runs.finish(&mut |entry| {
            assert_eq!(entry.record, b"r");
            found.push(entry.key.to_vec());
            Ok(())
        })
        .unwrap();
        found
    }

    /// Open files in a folder, also such without a name.
    #[cfg(target_os = "linux")]
    fn open_files(folder: &std::path::Path) -> usize {
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        open.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok())
            .filter(|to| to.starts_with(folder))
            .count()
    }

    #[test]
    fn runs_of_several_levels_are_in_order_in_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = Runs::new(folder.path().to_owned(), &());
        let mut wanted = Vec::new();
        for number in 0..8190_u64 {
            let key = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            add(&mut runs, &[&key]);
            runs.settle().unwrap();
            wanted.push(key.to_vec());
            assert!(runs.runs.is_sorted_by(|a, b| a.level >= b.level));
        }
        assert!(runs.runs.iter().any(|run| run.level == 2));
        assert!(runs.runs.len() > MAX_RUNS, "the last merge takes a narrowing");
        #[cfg(target_os = "linux")]
        assert_eq!(open_files(folder.path()), 1);
        // Room of merged runs is taken again.
        let bytes: u64 = runs.runs.iter().map(|run| run.length).sum();
        assert!(runs.file.as_ref().unwrap().metadata().unwrap().len() <= 2 * bytes + 64 * 64);
        wanted.sort();
        assert!(keys(runs) == wanted);
    }

    #[test]
    fn long_keys_are_merged_few_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = Runs::new(folder.path().to_owned(), &());
        runs.front_keys = 13_000;
        let mut wanted = Vec::new();
        for number in 0..40_u8 {
            // First short ones, then three of which are affordable, then such of which not even one is.
            let key = vec![number ^ 0x15; [10, 4000, 4000, 20_000][usize::from(number / 10)]];
            add(&mut runs, &[&key]);
            runs.settle().unwrap();
            wanted.push(key);
            for alike in runs.runs.chunk_by(|a, b| a.level == b.level) {
                let taken: usize = alike.iter().map(|run| run.longest_key).sum();
                assert!(alike.len() <= 2 || taken <= runs.front_keys);
            }
        }
        runs.narrow().unwrap();
        assert_eq!(runs.runs.len(), 2);
        wanted.sort();
        assert!(keys(runs) == wanted);
    }

    #[test]
    fn cancellation_is_heard_inside_a_merge() {
        let folder = tempfile::tempdir().unwrap();
        let numbers: Vec<[u8; 2]> = (0..2000_u16).map(u16::to_be_bytes).collect();
        let all: Vec<&[u8]> = numbers.iter().map(|key| &key[..]).collect();
        // One merge asks at its beginning and after 1024, 2048 and 3072 entries.
        for (asked, cancelled) in [(1, true), (2, true), (4, true), (5, false)] {
            let observer = CancelAfter(AtomicUsize::new(asked));
            let mut runs = Runs::new(folder.path().to_owned(), &observer);
            runs.front_keys = 1;
            (0..3).for_each(|_| add(&mut runs, &all));
            assert_eq!(runs.settle().is_err(), cancelled, "{asked}");
        }
    }
}
