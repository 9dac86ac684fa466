//! A new archive file: a temp file beside the target until it is complete, then renamed without overwriting.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::early_sync::EarlySync;
use super::storage::WriteStorage;
use crate::error::{Error, Result};

/// An archive that does not exist yet.
#[derive(Debug)]
pub struct NewFile {
    target: PathBuf,
    temp: Option<NamedTempFile>,
    early: EarlySync,
}

impl NewFile {
    /// Starts a new archive that is to appear at `target`, which must not exist.
    pub fn create(target: &Path) -> Result<Self> {
        if target.symlink_metadata().is_ok() {
            return Err(Error::request(format!("{} exists already", target.display())));
        }
        let temp = temp_beside(target)?;
        let early = EarlySync::of(temp.path());
        Ok(Self { target: target.to_owned(), temp: Some(temp), early })
    }

    fn temp(&mut self) -> io::Result<&mut File> {
        match &mut self.temp {
            Some(temp) => Ok(temp.as_file_mut()),
            None => Err(io::Error::other("the archive was already published or abandoned")),
        }
    }
}

impl WriteStorage for NewFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.temp()?.write_all(bytes)?;
        self.early.appended(bytes.len());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.temp()?.sync_all()
    }

    fn publish(&mut self) -> Result<()> {
        let doing = format!("publishing {}", self.target.display());
        let Some(temp) = self.temp.take() else {
            return Err(Error::request(format!("{} was already published or abandoned", self.target.display())));
        };
        temp.persist_noclobber(&self.target).map_err(|failure| {
            let hint = "another program made it meanwhile; run the command again to add to it";
            let exists = failure.error.kind() == io::ErrorKind::AlreadyExists;
            let error = Error::io(&doing, failure.error);
            if exists { error.with_hint(hint) } else { error }
        })?;
        sync_folder(&self.target)
    }

    fn abandon(&mut self) {
        // Dropping a temp file removes it.
        self.temp = None;
    }
}

/// The folder a file stands in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes a file's appearance under its name durable.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|cause| Error::io(format!("syncing folder {}", folder.display()), cause))
}

/// A temp file beside `target`, readable as the process's umask lets new files be; removed when dropped.
pub(crate) fn temp_beside(target: &Path) -> Result<NamedTempFile> {
    temp_file(target, |builder| {
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        #[cfg(not(unix))]
        let _ = builder;
    })
}

/// A temp file beside `target` that nobody else may read; removed when dropped.
pub(super) fn private_temp_beside(target: &Path) -> Result<NamedTempFile> {
    temp_file(target, |_| ())
}

fn temp_file(target: &Path, prepare: impl FnOnce(&mut tempfile::Builder<'_, '_>)) -> Result<NamedTempFile> {
    let folder = folder_of(target);
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    prepare(&mut builder);
    builder
        .tempfile_in(folder)
        .map_err(|cause| Error::io(format!("creating a temp file in {}", folder.display()), cause))
}
