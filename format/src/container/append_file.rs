//! An existing archive file that a snapshot is appended to, under an advisory lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::storage::WriteStorage;
use crate::error::{Error, Result};

/// An archive that exists. While this is alive it is locked against other writers; readers need no lock.
#[derive(Debug)]
pub struct AppendFile {
    path: PathBuf,
    file: File,
    /// End of the last commit: what is behind it is ours to cut.
    end: Option<u64>,
}

impl AppendFile {
    /// Opens and locks an archive. Fails at once if another writer holds the lock.
    ///
    /// [`AppendFile::start_at`] must say where the last commit ends before anything is appended, and the archive must be
    /// read for that under this lock.
    pub fn lock(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|cause| Error::io(format!("opening archive {} for writing", path.display()), cause))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), file, end: None }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::request(format!("another program is adding to {}", path.display()))
                    .with_hint("wait until it is done, then run the command again"))
            }
            Err(TryLockError::Error(cause)) => Err(Error::io(format!("locking {}", path.display()), cause)),
        }
    }

    /// Cuts off what stands behind the last commit, and appends from there.
    pub fn start_at(&mut self, end: u64) -> Result<()> {
        let doing = || format!("preparing {} for a new snapshot", self.path.display());
        let length = self.file.metadata().map_err(|cause| Error::io(doing(), cause))?.len();
        if length < end {
            return Err(Error::request(format!("{} became shorter while it was open", self.path.display())));
        }
        if length > end {
            self.file.set_len(end).map_err(|cause| Error::io(doing(), cause))?;
        }
        self.file.seek(SeekFrom::Start(end)).map_err(|cause| Error::io(doing(), cause))?;
        self.end = Some(end);
        Ok(())
    }
}

impl WriteStorage for AppendFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.end.is_none() {
            return Err(io::Error::other("appending before the end of the last commit is known"));
        }
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn publish(&mut self) -> Result<()> {
        // The commit frame itself publishes: it was the last thing appended and synced.
        self.end = None;
        Ok(())
    }

    fn abandon(&mut self) {
        if let Some(end) = self.end.take() {
            // Failing to cut leaves a tail that belongs to no snapshot; readers pass over it and the next writer cuts it.
            let _ = self.file.set_len(end);
        }
    }
}
