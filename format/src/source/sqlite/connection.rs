//! Opening a database that may be hostile, damaged or in use, without ever changing it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::failure;
use super::files::plain;
use crate::error::{Error, Result};

/// How long to wait for another program's lock before giving up: writers hold theirs for milliseconds, and a dump that
/// hangs is worse than one that says why it cannot be.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the database read-only and begins its read transaction: from here on, one instant is read.
///
/// Waits up to `busy` for a lock. Never creates or changes the database file; of a database in WAL mode, SQLite may
/// create the `-wal` and `-shm` beside it, as every reader does.
pub(super) fn open(path: &Path, busy: Duration) -> Result<Connection> {
    let file = openable(path)?;
    let opening = |cause| failure("opening the database", cause);
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(opening)?;
    connection.busy_timeout(busy).map_err(opening)?;
    harden(&connection).map_err(opening)?;
    begin(&connection).map_err(opening)?;
    Ok(connection)
}

/// The path as SQLite must be given it: a regular file, under a name that is nothing but a file name.
fn openable(path: &Path) -> Result<PathBuf> {
    let found = std::fs::metadata(path).map_err(|cause| {
        Error::io(format_args!("opening {}", path.display()), cause)
            .with_hint("check the path; a database that is not there is not made")
    })?;
    if !found.is_file() {
        return Err(Error::request(format!("{} is not a file", path.display()))
            .with_hint("give the path of an SQLite database file"));
    }
    Ok(plain(path))
}

/// Lets nothing that stands in the database act: no trusted functions, no views or triggers, no `"typo"` taken for a text,
/// cells of a page checked before use, no mapped memory that a truncated file would turn into a crash.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        // A reader has no business checkpointing someone else's database.
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
    ] {
        connection.set_db_config(setting, value)?;
    }
    connection.execute_batch("PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA query_only = ON")
}

/// BEGIN alone takes no lock and no snapshot; the first read does.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM main.sqlite_master", [], |_| Ok(()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_busy_writer_means_a_bounded_wait_and_an_error_that_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("busy.db");
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("CREATE TABLE t(a); BEGIN EXCLUSIVE").unwrap();
        let started = std::time::Instant::now();
        let error = open(&path, Duration::from_millis(300)).unwrap_err();
        assert!(started.elapsed() >= Duration::from_millis(250), "gave up at once");
        assert!(error.is_database() && error.message().contains("locked"), "{error}");
        assert!(error.hint().unwrap().contains("again"));
        writer.execute_batch("COMMIT").unwrap();
        open(&path, Duration::from_millis(300)).unwrap();
    }

    #[test]
    fn a_hostile_database_gets_a_hardened_connection() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hostile.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t(a)").unwrap();
        let connection = open(&path, BUSY_TIMEOUT).unwrap();
        assert!(connection.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap());
        assert!(!connection.db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA).unwrap());
        assert!(connection.db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE).unwrap());
        let pragma =
            |name: &str| -> i64 { connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap() };
        assert_eq!(pragma("cell_size_check"), 1);
        assert_eq!(pragma("mmap_size"), 0);
        assert_eq!(pragma("query_only"), 1);
        assert!(connection.is_readonly("main").unwrap());
        assert!(!connection.is_autocommit(), "no transaction");
        assert!(connection.prepare("SELECT \"typo\" FROM t").is_err());
    }
}
