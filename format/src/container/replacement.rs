//! An archive that is written anew: a temp file beside the old one, which takes its name when all of it is there.
//!
//! The old file is locked from before it is read until after the new one has its name, so that no snapshot is appended to
//! a file that is about to be replaced. Who has the old file open goes on reading it: it stays what it was until the last
//! of them closes it. A process that is killed may leave the temp file (`.NAME.….tmp`), which nobody reads.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::append_file::AppendFile;
use super::early_sync::EarlySync;
use super::mapped::MappedFile;
use super::new_file::{private_temp_beside, sync_folder};
use super::storage::WriteStorage;
use crate::error::{Error, Result};

/// An archive on its way to take the place of another one. Dropped before [`Replacement::finish`], it changes nothing.
#[derive(Debug)]
pub struct Replacement {
    old: AppendFile,
    /// Without links: a link to the archive goes on leading to it.
    target: PathBuf,
    temp: NamedTempFile,
    early: EarlySync,
    /// After a snapshot that was taken back the file is not whole.
    is_abandoned: bool,
}

impl Replacement {
    /// Locks the archive at `path`, and starts the one that will replace it. Fails at once if another writer holds the lock.
    pub fn begin(path: &Path) -> Result<Self> {
        let target = path
            .canonicalize()
            .map_err(|cause| Error::io(format!("opening archive {} for writing", path.display()), cause))?;
        let old = AppendFile::lock(&target)?;
        let temp = private_temp_beside(&target)?;
        take_permissions(temp.as_file(), &target)?;
        let early = EarlySync::of(temp.path());
        Ok(Self { old, target, temp, early, is_abandoned: false })
    }

    /// The locked archive for reading, whatever has its name by now.
    pub fn old(&self) -> Result<MappedFile> {
        self.old.reader()
    }

    /// What was written so far, for reading.
    pub fn reader(&self) -> Result<MappedFile> {
        let reading = |cause| Error::io(format!("reading back {}", self.temp.path().display()), cause);
        // Opened anew: a second handle of the one that writes would share its place in the file.
        self.temp.reopen().and_then(MappedFile::of).map_err(reading)
    }

    /// Makes the new archive durable, and gives it the old one's name.
    pub fn finish(self) -> Result<()> {
        let Self { old, target, temp, early: _, is_abandoned } = self;
        if is_abandoned {
            return Err(Error::request(format!("what was to replace {} is not complete", target.display())));
        }
        let file = temp.as_file();
        file.sync_all().map_err(|cause| Error::io(format!("syncing {}", temp.path().display()), cause))?;
        old.check_name()?;
        temp.persist(&target).map_err(|failure| Error::io(format!("replacing {}", target.display()), failure.error))?;
        sync_folder(&target)
    }
}

impl WriteStorage for Replacement {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.temp.as_file_mut().write_all(bytes)?;
        self.early.appended(bytes.len());
        Ok(())
    }

    /// Nothing is durable before [`Replacement::finish`].
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Nothing is visible before [`Replacement::finish`].
    fn publish(&mut self) -> Result<()> {
        Ok(())
    }

    fn abandon(&mut self) {
        self.is_abandoned = true;
    }
}

/// Gives a new file the owner and the permissions of the one at `path`.
#[cfg(unix)]
fn take_permissions(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let looking = |cause| Error::io(format!("looking at {}", path.display()), cause);
    let old = path.metadata().map_err(looking)?;
    let new = file.metadata().map_err(looking)?;
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid())).map_err(|cause| {
            Error::io(format!("giving the new file the owner of {}", path.display()), cause)
                .with_hint("run the command as the archive's owner")
        })?;
    }
    file.set_permissions(old.permissions())
        .map_err(|cause| Error::io(format!("giving the new file the permissions of {}", path.display()), cause))
}

/// Elsewhere a file has those of its folder.
#[cfg(not(unix))]
fn take_permissions(_: &File, _: &Path) -> Result<()> {
    Ok(())
}
