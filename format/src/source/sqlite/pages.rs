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
    /// Reads the pages of b-trees.
    pub(super) tree: PageReader<'c>,
    /// Reads overflow pages while a page of a b-tree is being looked at.
    pub(super) overflow: PageReader<'c>,
    count: u32,
    longest: u64,
}

/// Reads one page at a time.
pub(super) struct PageReader<'c> {
    connection: &'c Connection,
    statement: Statement<'c>,
    /// Those bytes of a page that SQLite uses.
    usable: usize,
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
        let count = connection.query_row("PRAGMA main.page_count", [], |row| row.get(0)).ok()?;
        let longest = u64::try_from(connection.limit(Limit::SQLITE_LIMIT_LENGTH).ok()?).ok()?;
        let mut tree = PageReader { connection, statement: connection.prepare(ONE_PAGE).ok()?, usable: usize::MAX };
        let (size, reserved) = tree.look_at(1, |page| Some((page?.len(), usize::from(*page?.get(20)?)))).ok()??;
        tree.usable = size.checked_sub(reserved).filter(|usable| *usable >= MIN_USABLE)?;
        let overflow = PageReader { connection, statement: connection.prepare(ONE_PAGE).ok()?, usable: tree.usable };
        let longest = longest.min(u64::from(count) * size as u64);
        Some(Self { tree, overflow, count, longest })
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The most bytes that a record can have: SQLite's limit, and no more than all pages hold.
    pub(super) fn longest_record(&self) -> u64 {
        self.longest
    }
}

impl PageReader<'_> {
    /// Shows a page to `look`, without copying it: its usable bytes, or all where these are not known yet; `None` if it is no
    /// page of the database.
    pub(super) fn look_at<T>(&mut self, number: u32, look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T> {
        let failed = |cause| failure("reading rows", cause);
        // SQLite interrupts statements that run, and forgets it when the next begins. Between two pages none runs.
        if self.connection.is_interrupted() {
            return Err(failed(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None)));
        }
        let mut rows = self.statement.query([number]).map_err(failed)?;
        let Some(row) = rows.next().map_err(failed)? else { return Ok(look(None)) };
        let ValueRef::Blob(bytes) = row.get_ref(0).map_err(failed)? else {
            return Err(Error::database("reading rows: SQLite gave a page that is no bytes"));
        };
        Ok(look(Some(bytes.get(..self.usable).unwrap_or(bytes))))
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
        let is_first =
            |page: Option<&[u8]>| page.map(|page| page.starts_with(b"SQLite format 3\0") && page.len() == 1024);
        for reader in [&mut pages.tree, &mut pages.overflow] {
            assert_eq!(reader.look_at(1, is_first).unwrap(), Some(true));
            assert!(
                reader.look_at(0, |page| page.is_none()).unwrap() && reader.look_at(3, |page| page.is_none()).unwrap()
            );
        }
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
