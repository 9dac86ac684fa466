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
