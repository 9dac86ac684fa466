//! Opening the database that is written, letting nothing in it or in the snapshot act, and stopping when asked.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::failure;
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::source::sqlite::interruption::interruptible;
use crate::source::sqlite::{plain, side_files};

/// How long to wait for another program's lock: writers hold theirs for milliseconds, and a restore that hangs is worse
/// than one that says why it cannot be.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens an existing file for reading and writing. Nothing is locked or read yet.
pub(super) fn open(path: &Path) -> Result<Connection> {
    let opening = |cause| failure(format_args!("opening {}", path.display()), cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(plain(path), flags).map_err(opening)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
    harden(&connection).map_err(opening)?;
    Ok(connection)
}

/// Opens a file that is only to be looked at. Not as one that cannot be written: for such SQLite leaves the CHECK
/// constraints of its tables out, which are to be looked at too.
pub(super) fn open_to_check(path: &Path) -> Result<Connection> {
    let connection = open(path)?;
    connection
        .execute_batch("PRAGMA query_only = ON")
        .map_err(|cause| failure(format_args!("opening {}", path.display()), cause))?;
    Ok(connection)
}

/// What stands in the target or comes from the snapshot must not act: no triggers fire, no view is read, no function is
/// trusted. Foreign keys are looked at when all rows are there, not row by row. So are CHECK constraints of tables that are
/// made: rows that break them are in the snapshot. Whoever adds rows to a table of the target has them heeded
/// (`integrity::heed_check_constraints`).
///
/// Double-quoted texts stay allowed in definitions, because databases have such definitions.
pub(in crate::restore) fn harden(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, value) in [
        // Shadow tables are written as the tables they are, and virtual tables declared without their module.
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_LEGACY_FILE_FORMAT, false),
    ] {
        connection.set_db_config(setting, value)?;
    }
    connection.execute_batch("PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA ignore_check_constraints = ON")
}

/// Refuses a file that is to be made where such files of an earlier one stand: SQLite would apply them to it.
pub(super) fn refuse_stale_side_files(database: &Path) -> Result<()> {
    match side_files(database).into_iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(stale) => Err(Error::request(format!(
            "{} stands where {} is to be made; SQLite would apply it to the new database",
            stale.display(),
            database.display()
        ))
        .with_hint("move it away, with the database it belongs to, or restore to another path")),
        None => Ok(()),
    }
}

/// Refuses a database that SQLite would roll back when it is opened, because a write did not end.
pub(super) fn refuse_unfinished_write(database: &Path) -> Result<()> {
    let [_, _, journal] = side_files(database);
    // A journal that is kept for later writes begins with zeros; SQLite does not apply it.
    let mut first = [0_u8];
    let read = File::open(&journal).and_then(|mut file| file.read(&mut first));
    match read {
        Ok(_) if first == [0] => Ok(()),
        Ok(_) => Err(Error::request(format!(
            "{} holds a write that did not end; reading {} would undo it there",
            journal.display(),
            database.display()
        ))
        .with_hint(
            "if no program is writing, one was killed: open the database once with sqlite3 and read a table, which rolls it \
             back; then plan again",
        )),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(Error::io(format_args!("looking at {}", journal.display()), cause)),
    }
}

/// Does `work`, and interrupts the connection's statements when the observer asks to stop.
pub(super) fn watched<T>(
    connection: &mut Connection,
    observer: &dyn Observer,
    work: impl FnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    interruptible(connection.get_interrupt_handle(), observer, || work(connection))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Stop(AtomicBool);

    impl Observer for Stop {
        fn is_cancelled(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn one_long_statement_is_interrupted() {
        let mut connection = Connection::open_in_memory().unwrap();
        let observer = Stop(AtomicBool::new(true));
        let error = watched(&mut connection, &observer, |connection| {
            let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
            connection.query_row(endless, [], |_| Ok(())).map_err(|cause| failure("counting", cause))
        })
        .unwrap_err();
        assert!(error.is_interrupted(), "{error}");
    }

    #[test]
    fn stale_side_files_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("new.db");
        refuse_stale_side_files(&target).unwrap();
        for stale in side_files(&target) {
            std::fs::write(&stale, b"").unwrap();
            let error = refuse_stale_side_files(&target).unwrap_err();
            assert!(error.is_request() && error.message().starts_with(&format!("{} ", stale.display())), "{error}");
            std::fs::remove_file(&stale).unwrap();
        }
    }
}
