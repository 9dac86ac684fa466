//! The file that pages are appended to, while SQLite does not have it open.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::sqlite_file::{Layout, PageSink};

/// Bytes written at once.
const BUFFER: usize = 1 << 20;

/// Bytes of the file's header, at the beginning of the first page.
pub(super) const HEADER: usize = 100;

/// A database file that SQLite made and closed, to which pages are appended in the order of their numbers.
pub(super) struct PageFile {
    layout: Layout,
    appending: Mutex<Appending>,
    /// For pages in the middle; with a position of its own.
    placing: Mutex<File>,
}

struct Appending {
    file: File,
    buffer: Vec<u8>,
    /// The last page, in the file or in the buffer.
    last: u32,
}

impl PageFile {
    /// Opens the file, which has whole pages.
    pub(super) fn open(path: &Path, layout: Layout) -> Result<Self> {
        let open = || OpenOptions::new().read(true).write(true).open(path).map_err(writing);
        let mut file = open()?;
        let length = file.seek(SeekFrom::End(0)).map_err(writing)?;
        let last = u32::try_from(length / layout.page_size() as u64).ok();
        let last = last.filter(|last| layout.offset(*last) + layout.page_size() as u64 == length);
        let last = last.ok_or_else(|| Error::database("SQLite made a file that does not end with a whole page"))?;
        let appending = Appending { file, buffer: Vec::with_capacity(BUFFER + layout.page_size()), last };
        Ok(Self { layout, appending: Mutex::new(appending), placing: Mutex::new(open()?) })
    }

    /// Writes what is buffered, and tells in the header how many pages there are.
    pub(super) fn finish(self) -> Result<()> {
        let mut appending = self.appending.into_inner().unwrap_or_else(PoisonError::into_inner);
        appending.flush()?;
        // Each number was given to one page, in order; so the file has these pages and no others.
        let length = appending.file.metadata().map_err(writing)?.len();
        if length != u64::from(appending.last) * self.layout.page_size() as u64 {
            return Err(Error::not_proven(format!("the new database has {length} bytes for {} pages", appending.last)));
        }
        let mut file = self.placing.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut header = [0; HEADER];
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut header)).map_err(writing)?;
        // The count of pages is valid if the change counter is the one that it was written with.
        let changes = header.get(24..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let changes = changes.wrapping_add(1).to_be_bytes();
        for (at, bytes) in [(24, changes), (28, appending.last.to_be_bytes()), (92, changes)] {
            if let Some(place) = header.get_mut(at..at + 4) {
                place.copy_from_slice(&bytes);
            }
        }
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&header)).map_err(writing)
    }
}

impl Appending {
    /// Takes the next page number and room for its bytes.
    fn append(&mut self, layout: Layout, parts: &[&[u8]]) -> Result<u32> {
        let next = next(layout, self.last)?;
        if next > self.last + 1 {
            // The page of the lock bytes, which is there and never used.
            self.buffer.resize(self.buffer.len() + layout.page_size(), 0);
        }
        let end = self.buffer.len() + layout.page_size();
        parts.iter().for_each(|part| self.buffer.extend_from_slice(part));
        self.buffer.resize(end, 0);
        self.last = next;
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(next)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer).map_err(writing)?;
        self.buffer.clear();
        Ok(())
    }
}

fn next(layout: Layout, last: u32) -> Result<u32> {
    layout.page_after(last).ok_or_else(|| {
        Error::database("the database would have more pages than SQLite allows")
            .with_hint("restore fewer tables into each database; larger pages cannot be chosen")
    })
}

impl PageSink for PageFile {
    fn append(&self, page: &[u8]) -> Result<u32> {
        let mut appending = self.appending.lock().unwrap_or_else(PoisonError::into_inner);
        appending.append(self.layout, &[page])
    }

    fn append_overflow(&self, bytes: &[u8]) -> Result<u32> {
        let mut appending = self.appending.lock().unwrap_or_else(PoisonError::into_inner);
        let first = next(self.layout, appending.last)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(self.layout.usable() - 4));
            let here = next(self.layout, appending.last)?;
            let following = if after.is_empty() { 0 } else { next(self.layout, here)? };
            appending.append(self.layout, &[&following.to_be_bytes(), part])?;
            rest = after;
        }
        Ok(first)
    }

    fn put(&self, number: u32, page: &[u8]) -> Result<()> {
        let mut file = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.layout.offset(number))).and_then(|_| file.write_all(page)).map_err(writing)
    }
}

fn writing(cause: std::io::Error) -> Error {
    Error::io("writing pages of the new database", cause)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// A file with holes instead of a gigabyte of pages.
    #[test]
    fn nothing_stands_in_the_page_of_the_lock_bytes() {
        const PAGE: usize = 65_536;
        const LOCK: usize = 1 << 30;
        let layout = Layout::new(PAGE, 0).unwrap();
        let temp = tempfile::NamedTempFile::new().unwrap();
        temp.as_file().set_len((LOCK - 2 * PAGE) as u64).unwrap();
        let file = PageFile::open(temp.path(), layout).unwrap();
        assert_eq!(file.append(&[1; PAGE]).unwrap(), 16_383);
        // An overflow chain of three pages around it.
        let long = vec![2; 2 * (PAGE - 4) + 10];
        assert_eq!(file.append_overflow(&long).unwrap(), 16_384);
        assert_eq!(file.append(&[3; PAGE]).unwrap(), 16_388);
        file.put(2, &[4; PAGE]).unwrap();
        file.finish().unwrap();
        let mut written = File::open(temp.path()).unwrap();
        let mut page = |number: u64| {
            let mut bytes = vec![0; PAGE];
            written.seek(SeekFrom::Start((number - 1) * PAGE as u64)).unwrap();
            written.read_exact(&mut bytes).unwrap();
            bytes
        };
        let next = |page: &[u8]| u32::from_be_bytes(page[..4].try_into().unwrap());
        assert!(page(16_383) == [1; PAGE] && page(16_388) == [3; PAGE] && page(2) == [4; PAGE]);
        assert!(page(16_385) == [0; PAGE], "the page of the lock bytes");
        assert_eq!([page(16_384), page(16_386), page(16_387)].map(|page| next(&page)), [16_386, 16_387, 0]);
        assert_eq!(page(16_387)[4..16], [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0]);
        assert_eq!(page(1)[24..32], [0, 0, 0, 1, 0, 0, 0x40, 0x04]);
        assert_eq!(written.metadata().unwrap().len(), (16_388 * PAGE) as u64);
    }

    #[test]
    fn a_file_that_is_no_whole_pages_is_refused() {
        let temp = tempfile::NamedTempFile::new().unwrap();
        temp.as_file().set_len(4097).unwrap();
        assert!(PageFile::open(temp.path(), Layout::new(4096, 0).unwrap()).is_err_and(|error| error.is_database()));
    }
}
