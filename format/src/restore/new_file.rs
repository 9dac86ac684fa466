//! A database file that does not exist yet: built beside its place, proven, and only then given its name.

use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::chosen::Chosen;
use super::connection::{self, watched};
use super::failure::failure;
use super::foreign_keys::Before;
use super::load::{self, Loaded};
use super::settings;
use crate::container::{sync_folder, temp_beside};
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::source::sqlite::side_files;

/// Makes the database. If anything fails, nothing is left of it.
pub(super) fn create(chosen: &Chosen<'_>, target: &Path, observer: &dyn Observer) -> Result<Loaded> {
    let temp = temp_beside(target)?;
    let side_files = SideFiles { database: temp.path().to_owned() };
    let loaded = fill(chosen, temp.path(), observer)?;
    temp.as_file().sync_all().map_err(|cause| Error::io("syncing the new database", cause))?;
    if let Some(left) = side_files.find() {
        return Err(Error::database(format!("SQLite left {} beside the new database", left.display())));
    }
    // Another program may have begun to use that name, and its log would be taken for the new database's.
    connection::refuse_stale_side_files(target)?;
    publish(temp, target)?;
    Ok(loaded)
}

fn publish(temp: NamedTempFile, target: &Path) -> Result<()> {
    temp.persist_noclobber(target).map_err(|failure| {
        let exists = failure.error.kind() == std::io::ErrorKind::AlreadyExists;
        let error = Error::io(format_args!("publishing {}", target.display()), failure.error);
        if exists {
            error.with_hint("another program made it meanwhile; look at it and run the command again")
        } else {
            error
        }
    })?;
    sync_folder(target)
}

fn fill(chosen: &Chosen<'_>, temp: &Path, observer: &dyn Observer) -> Result<Loaded> {
    let building = |cause| failure("building the new database", cause);
    let mut connection = connection::open(temp)?;
    // Nothing needs to be undone or to survive a crash: what is not finished is thrown away.
    connection
        .execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA cache_size = -32768",
        )
        .map_err(building)?;
    settings::set_before_first_page(&connection, &chosen.settings)?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(building)?;
    let loaded = watched(&mut connection, observer, |connection| {
        settings::set_in_first_page(connection, &chosen.settings)?;
        let loaded = load::create(connection, chosen, chosen.everything, &Before::default(), observer)?;
        settings::check(connection, &chosen.settings)?;
        Ok(loaded)
    })?;
    connection.execute_batch("COMMIT").map_err(building)?;
    settings::set_journal_mode(&connection, &chosen.settings)?;
    connection.close().map_err(|(_, cause)| building(cause))?;
    Ok(loaded)
}

/// What SQLite puts beside the database that is built; what is left of it goes when this does.
struct SideFiles {
    database: PathBuf,
}

impl SideFiles {
    fn find(&self) -> Option<PathBuf> {
        side_files(&self.database).into_iter().find(|path| path.symlink_metadata().is_ok())
    }
}

impl Drop for SideFiles {
    fn drop(&mut self) {
        for path in side_files(&self.database) {
            // Mostly there is none, and what cannot be removed is told by whatever failed before.
            let _ = std::fs::remove_file(path);
        }
    }
}
