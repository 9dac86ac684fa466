//! An existing archive file that a snapshot is appended to, under an advisory lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::early_sync::EarlySync;
use super::mapped::MappedFile;
use super::storage::WriteStorage;
use crate::error::{Error, Result};

/// An archive that exists. While this is alive it is locked against other writers; readers need no lock.
#[derive(Debug)]
pub struct AppendFile {
    path: PathBuf,
    file: File,
    /// End of the last commit, once it is known: what is behind it is ours to cut.
    end: Option<u64>,
    /// Has anything been changed?
    begun: bool,
    early: EarlySync,
}

impl AppendFile {
    /// Opens and locks an archive. Fails at once if another writer holds the lock.
    ///
    /// The archive must then be read through [`AppendFile::reader`], which sees the file that is locked whatever has
    /// its name by now, and [`AppendFile::start_at`] told where its last commit ends.
    pub fn lock(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|cause| Error::io(format!("opening archive {} for writing", path.display()), cause))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::request(format!("another program is writing to {}", path.display()))
                    .with_hint("wait until it is done, then run the command again"));
            }
            Err(TryLockError::Error(cause)) => {
                return Err(Error::io(format!("locking {}", path.display()), cause));
            }
        }
        let early = EarlySync::of(path);
        let locked = Self { path: path.to_owned(), file, end: None, begun: false, early };
        locked.check_name()?;
        Ok(locked)
    }

    /// The locked file for reading.
    pub fn reader(&self) -> Result<MappedFile> {
        let file = self.file.try_clone();
        file.and_then(MappedFile::of)
            .map_err(|cause| Error::io(format!("reading archive {}", self.path.display()), cause))
    }

    /// Appending will start here, behind the last commit. What stands behind it is cut off when the first bytes are
    /// appended, and not before: until then, everything may still be refused.
    pub fn start_at(&mut self, end: u64) {
        self.end = Some(end);
    }

    fn begin(&mut self) -> io::Result<()> {
        let end = self.end.ok_or_else(|| io::Error::other("appending before the end of the last commit is known"))?;
        let length = self.file.metadata()?.len();
        if length < end {
            return Err(io::Error::other("the archive became shorter while it was open"));
        }
        self.begun = true;
        if length > end {
            self.file.set_len(end)?;
        }
        self.file.seek(SeekFrom::Start(end)).map(drop)
    }

    /// Does the path still lead to the locked file? Another one under its name would not get the snapshot.
    #[cfg(unix)]
    pub(super) fn check_name(&self) -> Result<()> {
        use std::os::unix::fs::MetadataExt;
        let looking = |cause| Error::io(format!("looking at {}", self.path.display()), cause);
        let mine = self.file.metadata().map_err(looking)?;
        let named = self.path.metadata().map_err(looking)?;
        if (mine.dev(), mine.ino()) == (named.dev(), named.ino()) {
            return Ok(());
        }
        Err(Error::request(format!("{} was replaced by another file meanwhile", self.path.display()))
            .with_hint("run the command again"))
    }

    /// Elsewhere a file that is open cannot be replaced.
    #[cfg(not(unix))]
    pub(super) fn check_name(&self) -> Result<()> {
        Ok(())
    }
}

impl WriteStorage for AppendFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.begun {
            self.begin()?;
        }
        self.file.write_all(bytes)?;
        self.early.appended(bytes.len());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn publish(&mut self) -> Result<()> {
        // The commit frame itself publishes: it was the last thing appended and synced. It must be under the name, though.
        self.check_name()?;
        self.end = None;
        Ok(())
    }

    fn abandon(&mut self) {
        if let Some(end) = self.end.take().filter(|_| self.begun) {
            // Failing to cut leaves a tail that belongs to no snapshot; readers pass over it and the next writer cuts it.
            let _ = self.file.set_len(end);
        }
    }
}
