//! A database file that does not exist yet: built beside its place, proven, and only then given its name.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::NamedTempFile;

use super::checks;
use super::chosen::Chosen;
use super::connection::{self, watched};
use super::failure::failure;
use super::load::{self, Loaded};
use super::pages::{self, Pages};
use super::rows::Encodings;
use super::settings;
use crate::container::{sync_folder, temp_beside};
use crate::error::{Error, Result};
use crate::model::SchemaObject;
use crate::observer::{Observer, Phase, check_cancelled};
use crate::source::sqlite::names::quote;
use crate::source::sqlite::side_files;

/// Bytes from which on a disk takes so long that it should begin early.
const LARGE: u64 = 64 << 20;

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
    let mut connection = open(temp)?;
    settings::set_before_first_page(&connection, &chosen.settings)?;
    let encodings = Encodings::of(&connection, &chosen.encoding)?;
    let (pages, indexes) = in_transaction(&mut connection, observer, |connection| {
        settings::set_in_first_page(connection, &chosen.settings)?;
        load::create_tables(connection, chosen, observer)?;
        check_cancelled(observer)?;
        make_indexes(connection, chosen, encodings)
    })?;
    if !pages.is_empty() {
        close(connection)?;
        pages.write(chosen, temp, encodings, observer)?;
        connection = open(temp)?;
    }
    let mut warnings = Vec::new();
    in_transaction(&mut connection, observer, |connection| {
        for (number, table) in chosen.tables.iter().enumerate() {
            if !pages.has(number) {
                load::insert(connection, table, encodings, observer)?;
            }
        }
        for index in &pages.left {
            check_cancelled(observer)?;
            observer.begin(Phase::Finish, None, None, None);
            connection
                .execute_batch(&format!("REINDEX main.{}", quote(index)))
                .map_err(|cause| failure(format_args!("creating index \"{index}\""), cause))?;
        }
        load::create_all(connection, indexes, observer)?;
        load::create_the_rest(connection, chosen, chosen.everything, encodings, &mut warnings, observer)?;
        settings::check(connection, &chosen.settings)
    })?;
    close(connection)?;
    begin_to_sync(temp);
    let tables = checks::run(temp, chosen, &pages, encodings, &mut warnings, observer)?;
    if settings::wants_log(&chosen.settings) {
        let connection = open(temp)?;
        settings::set_journal_mode(&connection, &chosen.settings)?;
        close(connection)?;
    }
    Ok(Loaded { tables, warnings })
}

/// Has the disk write a large file while it is checked. Whether it can is asked of the sync at the end, by another
/// descriptor, which is told of all failures. Nobody waits for this one: a restore that is given up ends at once.
///
/// (Closing the descriptor gives up this process's locks on the file. Nobody else knows of the file.)
fn begin_to_sync(temp: &Path) {
    if temp.metadata().is_ok_and(|found| found.len() >= LARGE)
        && let Ok(file) = File::open(temp)
    {
        let sync = move || drop(file.sync_all());
        let _ = std::thread::Builder::new().name("tabark-sync".to_owned()).spawn(sync);
    }
}

/// Makes indexes while their tables are empty: those of tables that are written as pages. The others are made when their
/// rows are there, and what follows one of these waits too, so that all stand in the snapshot's order. Gives what waits.
fn make_indexes<'c>(
    connection: &mut Connection,
    chosen: &'c Chosen<'_>,
    encodings: Encodings,
) -> Result<(Pages, &'c [SchemaObject])> {
    let may = pages::may_be_written(connection, encodings)?;
    let mut covered = Vec::with_capacity(chosen.tables.len());
    for table in &chosen.tables {
        covered.push(may && pages::covers(connection, table, encodings.is_utf8())?);
    }
    let is_covered = |index: &SchemaObject| {
        let mut tables = chosen.tables.iter().zip(&covered);
        tables.any(|(table, covered)| *covered && table.schema().name == index.table)
    };
    let waits = chosen.indexes.iter().position(|index| !is_covered(index)).unwrap_or(chosen.indexes.len());
    let (first, waiting) = chosen.indexes.split_at_checked(waits).unwrap_or((&chosen.indexes, &[]));
    // Empty ones are made at once: nothing to tell of.
    load::create_all(connection, first, &())?;
    Ok((Pages::of(connection, chosen, &covered, encodings.is_utf8())?, waiting))
}

/// Opens the file to build it. Nothing needs to be undone or to survive a crash: what is not finished is thrown away.
fn open(temp: &Path) -> Result<Connection> {
    let connection = connection::open(temp)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA cache_size = -32768",
        )
        .map_err(building)?;
    Ok(connection)
}

fn close(connection: Connection) -> Result<()> {
    connection.close().map_err(|(_, cause)| building(cause))
}

fn in_transaction<T>(
    connection: &mut Connection,
    observer: &dyn Observer,
    work: impl FnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(building)?;
    let done = watched(connection, observer, work)?;
    connection.execute_batch("COMMIT").map_err(building)?;
    Ok(done)
}

fn building(cause: rusqlite::Error) -> Error {
    failure("building the new database", cause)
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
