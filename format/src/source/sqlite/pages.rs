//! Pages of the database as the connection sees them, through SQLite's virtual table `sqlite_dbpage`.
//!
//! Reading the file would be wrong: what a writer in WAL mode committed stands in another file, and what this connection
//! wrote and did not commit stands in its memory. The virtual table asks the connection's own page cache, inside its own
//! transaction, so pages are of the same instant as all else that is read. SQLite has it only when compiled with
//! `SQLITE_ENABLE_DBPAGE_VTAB`.

use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement, ffi};

use super::failure::failure;
use crate::error::{Error, Result};

/// The schema is named, so that an attached database never answers.
const ONE_PAGE: &str = "SELECT data FROM sqlite_dbpage('main') WHERE pgno = ?1";

/// A table of that name would answer in the virtual table's place; only an edited schema can have one.
const IMPOSTOR: &str = "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_dbpage' COLLATE NOCASE
     UNION ALL SELECT 1 FROM temp.sqlite_master WHERE name = 'sqlite_dbpage' COLLATE NOCASE";

/// The smallest number of usable bytes that SQLite accepts.
const MIN_USABLE: usize = 480;

/// Reads the pages of the database `main`.
pub(super) struct Pages<'c> {
    connection: &'c Connection,
    statement: Statement<'c>,
    /// Bytes of a page, and those of them that SQLite uses.
    size: usize,
    usable: usize,
    count: u32,
    longest: u64,
}

/// Does SQLite, as it was compiled, show its pages on this connection?
pub(super) fn are_shown(connection: &Connection) -> bool {
    connection.prepare(ONE_PAGE).is_ok()
}

impl<'c> Pages<'c> {
    /// `None` if pages cannot be read on this connection, whatever the reason: SQL then reads instead, and says what is
    /// wrong if something is.
    pub(super) fn of(connection: &'c Connection) -> Option<Self> {
        // Outside of a transaction, two pages might be of two instants.
        if connection.is_autocommit() || connection.prepare(IMPOSTOR).and_then(|mut found| found.exists([])).ok()? {
            return None;
        }
        let statement = connection.prepare(ONE_PAGE).ok()?;
        let count = connection.query_row("PRAGMA main.page_count", [], |row| row.get(0)).ok()?;
        let longest = u64::try_from(connection.limit(Limit::SQLITE_LIMIT_LENGTH).ok()?).ok()?;
        let mut pages = Self { connection, statement, size: 0, usable: 0, count, longest };
        let mut first = Vec::new();
        pages.fetch(1, &mut first).ok()?;
        let reserved = usize::from(*first.get(20)?);
        pages.size = first.len();
        pages.usable = first.len().checked_sub(reserved).filter(|usable| *usable >= MIN_USABLE)?;
        Some(pages)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The most bytes that a record can have: SQLite's limit, and no more than all pages hold.
    pub(super) fn longest_record(&self) -> u64 {
        self.longest.min(u64::from(self.count) * self.size as u64)
    }

    /// Reads a page into `out`: its usable bytes, or all where these are not known yet. Is it a page of the database?
    pub(super) fn fetch(&mut self, number: u32, out: &mut Vec<u8>) -> Result<bool> {
        let failed = |cause| failure("reading rows", cause);
        // SQLite interrupts statements that run, and forgets it when the next begins. Between two pages none runs.
        if self.connection.is_interrupted() {
            return Err(failed(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None)));
        }
        out.clear();
        let mut rows = self.statement.query([number]).map_err(failed)?;
        let Some(row) = rows.next().map_err(failed)? else { return Ok(false) };
        let ValueRef::Blob(bytes) = row.get_ref(0).map_err(failed)? else {
            return Err(Error::database("reading rows: SQLite gave a page that is no bytes"));
        };
        let usable = if self.usable == 0 { bytes } else { bytes.get(..self.usable).unwrap_or_default() };
        out.extend_from_slice(usable);
        Ok(true)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// `.cargo/config.toml` has the flag; a build from elsewhere must set it to run the tests.
    #[test]
    fn sqlite_was_compiled_with_the_table_of_pages() {
        assert!(are_shown(&Connection::open_in_memory().unwrap()));
    }

    #[test]
    fn pages_are_those_of_the_transaction_and_no_others() {
        let connection = Connection::open_in_memory().unwrap();
        assert!(Pages::of(&connection).is_none(), "without a transaction");
        connection.execute_batch("PRAGMA page_size = 1024; CREATE TABLE t(a); BEGIN").unwrap();
        let mut pages = Pages::of(&connection).unwrap();
        assert_eq!((pages.count(), pages.longest_record()), (2, 2048));
        let mut page = Vec::new();
        assert!(pages.fetch(1, &mut page).unwrap());
        assert!(page.starts_with(b"SQLite format 3\0") && page.len() == 1024);
        assert!(!pages.fetch(0, &mut page).unwrap() && !pages.fetch(3, &mut page).unwrap());
    }

    #[test]
    fn a_table_of_the_same_name_is_not_asked() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE VIRTUAL TABLE posing USING fts5(pgno, data); PRAGMA writable_schema = ON;
                 UPDATE sqlite_master SET name = 'SQLITE_DBPAGE' WHERE name = 'posing'; PRAGMA writable_schema = RESET; BEGIN",
            )
            .unwrap();
        assert!(Pages::of(&connection).is_none());
    }
}
