//! A local file for reading: committed bytes are mapped into memory, others are copied out.
//!
//! This is the one file with `unsafe`. Mapping is sound as long as the mapped bytes do not change under the references
//! handed out. What is relied on:
//!
//! - only bytes before the end of the last commit are mapped ([`ReadStorage::settle`]). tabark never changes or cuts those:
//!   appends go behind them, and rewriting replaces the file under its name and leaves the mapped one as it is;
//! - the bytes behind the last commit may be cut at any time by a writer that clears an unfinished append. They are only
//!   read into memory of our own, where a file that became shorter is an error and no more;
//! - everything read is decoded by bounds-checked code that assumes nothing of values, so another program that scribbles
//!   over the file makes digests fail, and breaks no rule of ours further than any mapped file's.
//!
//! What has been read is given back (`release`), so that memory in use does not grow with the archive: many frames at a
//! time, because each time all threads are interrupted.
//!
//! A program that truncates a committed archive while it is read makes the kernel send SIGBUS, as with every mapped file;
//! `spec/rationale.md` says why that is accepted.

use std::borrow::Cow;
use std::fs::{File, TryLockError};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::storage::{ReadStorage, slice};
use crate::error::{Error, Result};

/// Bytes that are kept until they are given back together.
const RELEASE_AT: usize = 32 << 20;

/// A local archive, opened for reading.
#[derive(Debug)]
pub struct MappedFile {
    file: File,
    length: u64,
    /// The committed part, once it is known.
    map: OnceLock<memmap2::Mmap>,
    /// What has been read and not been given back.
    read: Mutex<Released>,
}

/// Places of the map that are no longer needed.
#[derive(Debug, Default)]
struct Released {
    ranges: Vec<Range<usize>>,
    bytes: usize,
}

impl Released {
    /// Takes a place; gives all places without overlaps, neighbours together, once they are many bytes.
    fn take(&mut self, range: Range<usize>) -> Vec<Range<usize>> {
        self.bytes = self.bytes.saturating_add(range.len());
        self.ranges.push(range);
        if self.bytes < RELEASE_AT {
            return Vec::new();
        }
        self.bytes = 0;
        let mut ranges = std::mem::take(&mut self.ranges);
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.dedup_by(|next, before| {
            let touches = next.start <= before.end;
            if touches {
                before.end = before.end.max(next.end);
            }
            touches
        });
        ranges
    }
}

impl MappedFile {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self> {
        let doing = || format!("opening archive {}", path.display());
        // Asked before opening: a pipe would be waited for.
        let metadata = path.metadata().map_err(|cause| Error::io(doing(), cause))?;
        if !metadata.is_file() {
            return Err(Error::request(format!("{} is not a file", path.display())));
        }
        let file = File::open(path).map_err(|cause| Error::io(doing(), cause))?;
        Self::of(file).map_err(|cause| Error::io(doing(), cause))
    }

    /// Reads through a file that is open already.
    pub(super) fn of(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length, map: OnceLock::new(), read: Mutex::default() })
    }
}

impl ReadStorage for MappedFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        let bytes = self.map.get().map(|map| &**map).unwrap_or_default();
        if let Ok(mapped) = slice(bytes, offset, length) {
            return Ok(Cow::Borrowed(mapped));
        }
        // A length that the file does not have must not ask for memory.
        if offset.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut copy = vec![0; length];
        read_exact_at(&self.file, &mut copy, offset)?;
        Ok(Cow::Owned(copy))
    }

    fn settle(&self, end: u64) {
        let Ok(length) = usize::try_from(end.min(self.length)) else { return };
        if length == 0 {
            return;
        }
        // SAFETY: the module's documentation holds the argument.
        let map = unsafe { memmap2::MmapOptions::new().len(length).map(&self.file) };
        // What cannot be mapped is copied out, which is slower and no less right.
        if let Ok(map) = map {
            let _ = self.map.set(map);
        }
    }

    fn has_writer(&self) -> bool {
        // A shared lock is to be had only where no writer has its own. It is given back at once.
        match self.file.try_lock_shared() {
            Ok(()) => {
                let _ = self.file.unlock();
                false
            }
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => false,
        }
    }

    #[cfg(unix)]
    fn release(&self, offset: u64, length: u64) {
        let Some(map) = self.map.get() else { return };
        let length = length.min((map.len() as u64).saturating_sub(offset));
        let (Ok(start), Ok(length)) = (usize::try_from(offset), usize::try_from(length)) else { return };
        if length == 0 {
            return;
        }
        let ranges = self.read.lock().unwrap_or_else(PoisonError::into_inner).take(start..start + length);
        for range in ranges {
            // SAFETY: on a mapping of a file that is only read, DontNeed drops pages from this process's memory and nothing
            // else; who reads them again, through a reference that is held or a new one, gets the same bytes of the file.
            let advised =
                unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
            // Advice that is not taken costs memory, not correctness.
            let _ = advised;
        }
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                bytes = bytes.get_mut(count..).unwrap_or_default();
                offset += count as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_together() {
        let mut released = Released::default();
        assert!(released.take(100..200).is_empty() && released.take(0..100).is_empty());
        assert!(released.take(300..400).is_empty() && released.take(350..360).is_empty());
        assert_eq!(released.take(1000..1000 + RELEASE_AT), [0..200, 300..400, 1000..1000 + RELEASE_AT]);
        assert!(released.take(0..1).is_empty(), "counted from the beginning");
    }
}
