//! The small files that libpq's users keep: read whole, if they are what they should be.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// The most bytes of a file of passwords, services or certificates: a bundle of all roots has a quarter of that.
const MOST: u64 = 1 << 20;

/// The text of a file, or nothing if there is none. `fits` sees what kind of file it is before it is read.
pub(in crate::postgres) fn text(path: &Path, fits: impl FnOnce(&Metadata) -> bool) -> Result<Option<String>> {
    let failed = |cause| Error::io(format_args!("reading {}", path.display()), cause);
    // Looked at before it is opened: to open a pipe would wait for whoever writes to it.
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(cause) if is_absent(&cause) => return Ok(None),
        Err(cause) => return Err(failed(cause)),
    };
    if !fits(&metadata) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MOST {
        return Err(Error::request(format!("{} has more than {MOST} bytes", path.display())));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| Error::request(format!("{} is no UTF-8 text", path.display())))
}

fn is_absent(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// May anyone but the owner do anything with a file?
#[cfg(unix)]
pub(in crate::postgres) fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

/// May anyone but the owner do anything with a file? Elsewhere the folder of a user's files keeps others out.
#[cfg(not(unix))]
pub(in crate::postgres) fn is_open_to_others(_: &Metadata) -> bool {
    false
}
