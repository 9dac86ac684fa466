//! Restoring tables of a snapshot of a PostgreSQL database into a PostgreSQL database, with proof before and after.
//!
//! Every stored byte of the chosen tables is verified before the server is asked for anything that changes. The restore is then
//! one transaction: things that tables need, tables, rows by COPY, keys and indexes, the proof that what is read back is what
//! was to be restored, foreign keys, triggers, views; and, where tables are replaced, the swap. Until it is committed nobody
//! sees anything of it.
//!
//! | trap | where |
//! |---|---|
//! | damage found after half the tables were written | `chosen` (all stored bytes first) |
//! | definitions that do something else than they say, or two things | `phases`, `Client::run_one` |
//! | tables, types and functions that are there already, or are others | `steps` |
//! | schema drift when rows are added | `append` |
//! | triggers that fire; `--disable-triggers` that was interrupted | `append` (in the transaction), `steps` (made after the rows) |
//! | views, foreign keys and privileges on what is replaced | `swap` |
//! | sequences that go back to numbers that were given out | `append`, `steps` |
//! | roles that do not exist here | `steps` |
//! | values that changed on the way | `proof` |

mod adding;
mod append;
mod append_order;
mod by_root;
mod chosen;
mod family;
mod given;
mod load;
mod locks;
mod made;
mod needs;
mod one_partition;
mod options;
mod parallel;
mod partition_key;
mod phases;
mod placement;
mod plan;
mod proof;
mod references;
mod run;
mod steps;
mod swap;
mod target;
mod tasks;

pub use self::options::{Part, PostgresRestoreOptions};
pub use self::plan::{PlannedStep, PostgresPlan, PostgresReport};
pub(in crate::restore) use self::references::foreign_keys;

use self::chosen::Chosen;
use self::run::Run;
use crate::archive::Snapshot;
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::postgres::client::Client;
use crate::postgres::settings::ConnectionSettings;
#[cfg(feature = "sqlite")]
use crate::restore::across;
use crate::restore::{RestoreMode, is_from_other};

/// Stored bytes that are hashed sooner than a server's catalog is read.
const LONG_TO_VERIFY: u64 = 256 << 20;

/// Says what [`restore`] would do, or why it would not. Reads metadata and the target's catalog, and changes nothing.
///
/// A snapshot of an SQLite database is translated (`spec/across.md`), for which its cells are read too; what has no counterpart is
/// among the warnings.
pub fn plan(
    snapshot: &Snapshot<'_>,
    settings: &ConnectionSettings,
    options: &PostgresRestoreOptions,
) -> Result<PostgresPlan> {
    check(options)?;
    if is_from_other(snapshot, "postgresql")? {
        #[cfg(feature = "sqlite")]
        return across::plan_into_postgres(snapshot, settings, options);
    }
    let chosen = Chosen::of(snapshot, options)?;
    refuse_nothing(&chosen)?;
    let mut client = Client::connect(settings)?;
    client.run("BEGIN READ ONLY")?;
    Run::new(snapshot, &chosen, options).plan(&mut client, settings)
}

/// Restores the chosen tables of a snapshot into the database that the settings lead to.
///
/// Fails without having changed anything: if stored bytes of a chosen table are damaged (`is_damaged`), if the request cannot be
/// met (`is_request`), if the server refuses (`is_database`), if what is read back is not what the snapshot holds
/// (`is_not_proven`), or if the observer asks to stop (`is_interrupted`). A restore over several connections takes back what it had
/// made by then.
pub fn restore(
    snapshot: &Snapshot<'_>,
    settings: &ConnectionSettings,
    options: &PostgresRestoreOptions,
    observer: &dyn Observer,
) -> Result<PostgresReport> {
    check(options)?;
    if is_from_other(snapshot, "postgresql")? {
        #[cfg(feature = "sqlite")]
        return across::restore_into_postgres(snapshot, settings, options, observer);
    }
    let mut chosen = Chosen::of(snapshot, options)?;
    refuse_nothing(&chosen)?;
    let mut client = Client::connect(settings)?;
    let stored: u64 = chosen.tables.iter().map(|table| table.manifest().stored_bytes).sum();
    if stored >= LONG_TO_VERIFY {
        // What can be refused at once is refused before gigabytes are verified.
        client.run("BEGIN READ ONLY")?;
        Run::new(snapshot, &chosen, options).plan(&mut client, settings)?;
        client.run("ROLLBACK")?;
    }
    chosen.check_stored(observer)?;
    chosen.settle(observer)?;
    Run::new(snapshot, &chosen, options).run(client, settings, observer)
}

/// Options that contradict one another.
fn check(options: &PostgresRestoreOptions) -> Result<()> {
    let adds = matches!(options.mode, RestoreMode::Append | RestoreMode::Upsert);
    let refused = |why: &str, hint: &str| Err(Error::request(why).with_hint(hint));
    if options.part == Part::Schema && adds {
        return refused("to add rows, and definitions alone, is a contradiction", "leave one of the two out");
    }
    if options.part == Part::Data && options.mode == RestoreMode::Replace {
        return refused("a table is replaced with its definition", "leave --data-only out, or use --mode upsert");
    }
    if options.by_root && (adds || options.part == Part::Data) {
        return refused(
            "rows that are added go into the partitions that they come from",
            "leave --by-root out, or restore the definitions too",
        );
    }
    if options.keep_old.is_some() && options.mode != RestoreMode::Replace {
        return refused("nothing is replaced that could be kept", "use --mode replace too");
    }
    if options.connections.get() > 1 && options.mode != RestoreMode::Create {
        return refused(
            "several connections restore into a database without the tables only",
            "leave --jobs out: what is there changes in one transaction",
        );
    }
    Ok(())
}

fn refuse_nothing(chosen: &Chosen<'_>) -> Result<()> {
    if !chosen.everything && chosen.is_empty() {
        return Err(Error::request("nothing of the snapshot is chosen").with_hint("leave less out"));
    }
    Ok(())
}
