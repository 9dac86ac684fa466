//! Restoring into SQLite databases.
//!
//! Every stored byte of the chosen tables is verified before the target is touched. The target then changes as a whole or
//! not at all: a new file appears under its name when it is complete, an existing database changes in one transaction.
//! Before either happens, what was written is read back and compared with the snapshot.
//!
//! Where the traps of restoring are handled:
//!
//! | trap | where |
//! |---|---|
//! | damage found after half the tables were written | `chosen` (all stored bytes first) |
//! | stale `-wal`, hot `-journal`, links, temp files left behind, overwriting | `new_file`, `connection` |
//! | definitions that do something else than they say | `definitions`, `settings` |
//! | texts that are invalid, or that SQLite's converter alters; ON CONFLICT clauses; NaN | `rows` |
//! | virtual tables without their module | `virtual_tables` |
//! | triggers that fire, functions that run | `connection` (switched off) |
//! | sqlite_sequence, sqlite_stat1, sqlite_stat4 | `bookkeeping` |
//! | rows that refer to nothing | `foreign_keys` |
//! | CHECK constraints of the snapshot and of the target, indexes that disagree | `integrity` |
//! | schema drift, names that are taken | `target` |
//! | rows that are too old | `kept` |
//! | values that changed on the way | `proof`, `row_sum` |
//! | affinity, spilled payloads, the page of the lock bytes, keys that are the same | `pages` |
//! | CHECK constraints that a read-only connection does not look at | `connection`, `checks` |

mod bookkeeping;
mod checks;
pub(super) mod chosen;
pub(super) mod connection;
pub(super) mod definitions;
mod existing;
pub(super) mod failure;
mod foreign_keys;
mod integrity;
mod load;
mod new_file;
mod pages;
mod proof;
mod recorded_keys;
mod rows;
mod settings;
mod target;
mod virtual_tables;

use std::io::ErrorKind;
use std::path::Path;

use self::chosen::Chosen;
pub(super) use self::recorded_keys::foreign_keys;
#[cfg(feature = "postgres")]
use super::across;
use super::is_from_other;
use super::options::{RestoreMode, RestoreOptions};
use super::plan::{RestorePlan, RestoreReport};
use crate::archive::Snapshot;
use crate::container::folder_of;
use crate::error::{Error, Result};
use crate::observer::Observer;

/// Says what [`restore`] would do, or why it would not. Reads metadata and the target's schema, and changes nothing: not the
/// target, and not the log that another program left beside it (`-wal`), nor does it leave files there. (SQLite uses a
/// `-shm` that is there already, as every reader does, and removes a `-wal` without content.)
///
/// Refuses a target whose `-journal` holds a write that did not end, which SQLite would undo in the target in order to read
/// it.
///
/// A snapshot of a PostgreSQL database is translated (`spec/across.md`); what has no counterpart is among the warnings.
pub fn plan(snapshot: &Snapshot<'_>, target: &Path, options: &RestoreOptions) -> Result<RestorePlan> {
    if is_from_other(snapshot, "sqlite")? {
        #[cfg(feature = "postgres")]
        return across::plan_into_sqlite(snapshot, target, options);
    }
    let chosen = Chosen::of(snapshot, &options.tables, &options.expire)?;
    let place = Place::of(target)?;
    if matches!(place, Place::Database) {
        connection::refuse_unfinished_write(target)?;
    }
    plan_chosen(&chosen, target, place, options.mode)
}

/// Restores the chosen tables of a snapshot into the database at `target`, which is made if it does not exist.
///
/// Fails without having changed anything: if stored bytes of a chosen table are damaged (`is_damaged`), if the request
/// cannot be met (`is_request`), if SQLite refuses (`is_database`), if what is read back is not what the snapshot holds
/// (`is_not_proven`), or if the observer asks to stop (`is_interrupted`). But SQLite undoes what a killed writer left half
/// done in the target, as it does for every program that opens it.
pub fn restore(
    snapshot: &Snapshot<'_>,
    target: &Path,
    options: &RestoreOptions,
    observer: &dyn Observer,
) -> Result<RestoreReport> {
    if is_from_other(snapshot, "sqlite")? {
        #[cfg(feature = "postgres")]
        return across::restore_into_sqlite(snapshot, target, options, observer);
    }
    let mut chosen = Chosen::of(snapshot, &options.tables, &options.expire)?;
    let place = Place::of(target)?;
    // What can be refused at once is refused before gigabytes are verified.
    let plan = plan_chosen(&chosen, target, place, options.mode)?;
    chosen.check_stored(observer)?;
    chosen.settle(observer)?;
    let (plan, loaded) = match place {
        Place::New => (plan, new_file::create(&chosen, target, observer)?),
        Place::Empty => existing::restore(&chosen, target, options.mode, true, observer)?,
        Place::Database => existing::restore(&chosen, target, options.mode, false, observer)?,
    };
    Ok(RestoreReport { plan, tables: loaded.tables, warnings: loaded.warnings })
}

fn plan_chosen(chosen: &Chosen<'_>, path: &Path, place: Place, mode: RestoreMode) -> Result<RestorePlan> {
    if !chosen.everything && chosen.tables.is_empty() && chosen.objects().next().is_none() {
        return Err(Error::request("nothing of the snapshot is chosen").with_hint("leave less out"));
    }
    if mode == RestoreMode::Upsert {
        return Err(Error::request("rows take the place of others by their key (upsert) in PostgreSQL only")
            .with_hint("replace the tables (--mode replace), or add the rows (--mode append)"));
    }
    match place {
        Place::New => target::plan(chosen, path, mode, None, true),
        Place::Empty => existing::plan(chosen, path, mode, true),
        Place::Database => existing::plan(chosen, path, mode, false),
    }
}

/// What stands where the target is to be.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Nothing.
    New,
    /// A file without bytes, which to SQLite is a database without content.
    Empty,
    /// A file, which SQLite will say more about.
    Database,
}

impl Place {
    fn of(target: &Path) -> Result<Self> {
        let looking = |cause| Error::io(format_args!("looking at {}", target.display()), cause);
        let link = match target.symlink_metadata() {
            Ok(_) => true,
            Err(cause) if cause.kind() == ErrorKind::NotFound => false,
            Err(cause) => return Err(looking(cause)),
        };
        match target.metadata() {
            Ok(found) if !found.is_file() => Err(Error::request(format!("{} is not a file", target.display()))
                .with_hint("give the path of an SQLite database, or of one that is to be made")),
            Ok(found) if found.len() > 0 => Ok(Self::Database),
            Ok(_) => connection::refuse_stale_side_files(target).map(|()| Self::Empty),
            Err(_) if link => Err(Error::request(format!("{} is a link that leads nowhere", target.display()))),
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(looking(cause)),
            Err(_) => {
                let folder = folder_of(target);
                folder.metadata().map_err(|cause| {
                    Error::io(format_args!("looking at folder {}", folder.display()), cause)
                        .with_hint("make the folder first")
                })?;
                connection::refuse_stale_side_files(target).map(|()| Self::New)
            }
        }
    }
}
