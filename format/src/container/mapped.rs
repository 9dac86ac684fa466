//! A local file, mapped into memory for reading.
//!
//! This is the one file with `unsafe`. Mapping is sound as long as the mapped bytes do not change under the references
//! handed out. What is relied on:
//!
//! - tabark never changes or cuts a byte before the end of the last commit of an archive: appends go behind it, and
//!   rewriting replaces the file under its name and leaves the mapped one as it is;
//! - the bytes behind the last commit may be cut by a writer that clears an unfinished append. The reader looks at them
//!   once while it opens, for frame magic and digests, and hands out no reference to them;
//! - everything read is copied out or decoded by bounds-checked code that assumes nothing of values, so another
//!   program that scribbles over the file makes digests fail, not memory safety rules of ours bend further than any
//!   mapped file's.
//!
//! What has been read is given back (`release`), so that memory in use does not grow with the archive.
//!
//! A program that truncates a committed archive while it is read makes the kernel send SIGBUS, as with every mapped file;
//! `spec/rationale.md` says why that is accepted.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

use super::storage::{ReadStorage, slice};
use crate::error::{Error, Result};

/// A local archive, opened for reading.
#[derive(Debug)]
pub struct MappedFile {
    /// `None` for an empty file, which cannot be mapped.
    map: Option<memmap2::Mmap>,
}

impl MappedFile {
    /// Opens and maps a file.
    pub fn open(path: &Path) -> Result<Self> {
        let doing = format!("opening archive {}", path.display());
        let file = File::open(path).map_err(|cause| Error::io(&doing, cause))?;
        let metadata = file.metadata().map_err(|cause| Error::io(&doing, cause))?;
        if !metadata.is_file() {
            return Err(Error::request(format!("{} is not a file", path.display())));
        }
        if metadata.len() == 0 {
            return Ok(Self { map: None });
        }
        // SAFETY: the module's documentation holds the argument.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|cause| Error::io(&doing, cause))?;
        Ok(Self { map: Some(map) })
    }
}

impl ReadStorage for MappedFile {
    fn len(&self) -> u64 {
        self.map.as_ref().map_or(0, |map| map.len() as u64)
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        let bytes = self.map.as_deref().unwrap_or_default();
        slice(bytes, offset, length).map(Cow::Borrowed)
    }

    #[cfg(unix)]
    fn release(&self, offset: u64, length: u64) {
        let Some(map) = &self.map else { return };
        let length = length.min((map.len() as u64).saturating_sub(offset));
        let (Ok(start), Ok(length)) = (usize::try_from(offset), usize::try_from(length)) else { return };
        if length == 0 {
            return;
        }
        // SAFETY: on a mapping of a file that is only read, DontNeed drops pages from this process's memory and nothing
        // else; who reads them again, through a reference that is held or a new one, gets the same bytes of the file.
        let advised = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, length) };
        // Advice that is not taken costs memory, not correctness.
        let _ = advised;
    }
}
