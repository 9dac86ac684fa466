//! SQLite databases.
//!
//! Where the traps of reading SQLite are handled:
//!
//! | trap | where |
//! |---|---|
//! | one instant over all tables, WAL included; busy writers; hot journals; hostile schemas; files that are none | `connection` |
//! | what an error means and what to do about it | `failure` |
//! | names that SQLite takes for something else; files beside a database | `files` |
//! | settings that a restore must repeat | `settings` |
//! | entries of the schema that someone edited | `schema_entries` |
//! | shadow and internal tables, virtual tables without their module, broken views, names that are no text | `catalog` |
//! | what is the row id, hidden row ids, keys with directions and collations, generated columns | `columns` |
//! | names with quotes, newlines, keywords, nothing at all | `names` |
//! | order without a sort, damaged or missing indexes, 2,000 columns and a row id | `select` |
//! | collations that are not here | [`SqliteSource::read_table`], `stand_ins` |
//! | conditions that are more than one expression | `condition` |
//! | storage class per value, invalid text, UTF-16 | `types` |
//! | damage found while reading names the table; wide rows without copies | `rows` |
//! | reading by pages: pages of one instant, a build without them | `pages` |
//! | where cells stand in records: the row id's place, computed columns, WITHOUT ROWID, REAL affinity | `layout` |
//! | b-trees that go in circles, records that span pages | `tree` |
//! | columns added later, short records, NaN | `leaves` |

mod batch;
mod catalog;
mod columns;
mod condition;
mod connection;
mod failure;
mod files;
pub(crate) mod interruption;
mod layout;
mod leaves;
pub(crate) mod names;
mod pages;
mod rows;
mod schema_entries;
mod select;
mod settings;
mod stand_ins;
mod tree;
mod types;

use std::collections::HashSet;
use std::path::Path;

use rusqlite::Connection;

use self::failure::failure;
pub(crate) use self::files::plain;
pub use self::files::side_files;
use self::interruption::interruptible;
use self::leaves::Leaves;
use self::rows::Which;
use self::stand_ins::StandIns;
use self::types::TextEncoding;
use super::{RowSink, Source, SourceCatalog};
use crate::error::{Error, Result};
use crate::model::{Cell, TableSchema};
use crate::observer::Observer;

/// The database `main` of one connection at the instant of its transaction.
pub struct SqliteSource<'c> {
    connection: Held<'c>,
    encoding: TextEncoding,
    catalog: SourceCatalog,
    reading: Reading,
}

/// How the rows of a table are read. The rows are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// From the pages of the b-tree that holds them, as the connection sees these: several times as fast as SQL. SQLite must
    /// have been compiled with `SQLITE_ENABLE_DBPAGE_VTAB`.
    Pages,
    /// With SELECT. Nothing of the file format is known but to SQLite.
    Sql,
}

enum Held<'c> {
    Own(Connection),
    Callers(&'c Connection),
}

impl SqliteSource<'static> {
    /// Opens a database file read-only, begins the read transaction and reads the catalog. The transaction ends when the
    /// source is dropped.
    ///
    /// The database file is never changed. Beside one in WAL mode, SQLite makes the `-wal` and `-shm` files that are
    /// missing, as for every reader; they stay, empty, because only a writer may remove them.
    ///
    /// Fails if the file is not there or not a database, if it is damaged, if another program keeps it locked for more
    /// than ten seconds, or if a writer was killed and only a writer can undo what it left.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::new(Held::Own(connection::open(path, connection::BUSY_TIMEOUT)?), name)
    }
}

impl<'c> SqliteSource<'c> {
    /// Reads what an open connection sees inside its current transaction, what it wrote itself included. Begins and ends
    /// nothing, and changes no setting of the connection; collations that a key needs and the connection lacks are
    /// registered as stand-ins while it is read (see [`Source::read_table`]).
    ///
    /// Fails if the connection is in no transaction: several statements would not see one instant.
    pub fn over(connection: &'c Connection) -> Result<Self> {
        if connection.is_autocommit() {
            return Err(Error::request("the connection is in no transaction").with_hint("begin one before reading"));
        }
        let path = Path::new(connection.path().unwrap_or_default());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::new(Held::Callers(connection), name)
    }

    fn new(connection: Held<'c>, name: String) -> Result<Self> {
        let (description, encoding) = settings::describe(connection.get(), name)?;
        let catalog = catalog::read(connection.get(), description, encoding)?;
        Ok(Self { connection, encoding, catalog, reading: Reading::Pages })
    }

    /// The same source at the same instant, which reads tables this way. [`Reading::Pages`], with which every source begins,
    /// is a wish: where it cannot be, SQL reads (see [`SqliteSource::reading`]).
    #[must_use]
    pub fn with_reading(&self, reading: Reading) -> SqliteSource<'_> {
        let connection = Held::Callers(self.connection.get());
        SqliteSource { connection, encoding: self.encoding, catalog: self.catalog.clone(), reading }
    }

    /// How tables are read: by their pages if that is wanted and SQLite shows them. A table whose pages are not certain to
    /// hold what its schema says, and a part of a table, are read by SQL all the same.
    #[must_use]
    pub fn reading(&self) -> Reading {
        if self.reading == Reading::Pages && pages::are_shown(self.connection.get()) {
            Reading::Pages
        } else {
            Reading::Sql
        }
    }

    /// How this table is read: as [`SqliteSource::reading`] says, or by SQL where the table is not one for it.
    #[must_use]
    pub fn reading_of(&self, table: &TableSchema) -> Reading {
        match self.leaves(table) {
            Some(_) => Reading::Pages,
            None => Reading::Sql,
        }
    }

    /// The index that holds the rows of a WITHOUT ROWID table; `None` for others.
    fn key_index(&self, table: &TableSchema) -> Result<Option<String>> {
        match table.option("without_rowid") {
            Some(_) => columns::primary_key_index(self.connection.get(), &table.name),
            None => Ok(None),
        }
    }

    fn leaves(&self, table: &TableSchema) -> Option<Leaves<'_>> {
        match self.reading {
            Reading::Pages => Leaves::of(self.connection.get(), table, self.encoding),
            Reading::Sql => None,
        }
    }

    /// Sends the rows of a table for which an SQL expression is true to `sink`, in the order of the table's key; all rows
    /// without one. `filter` is the expression, with `?` for parameters, and the parameters.
    ///
    /// The expression is SQL as it stands: it must come from the program, never from the data. It is not indexed other
    /// than by the row id or the primary key.
    pub fn read_rows(
        &self,
        table: &TableSchema,
        filter: Option<(&str, &[rusqlite::types::Value])>,
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        let connection = self.connection.get();
        let index = self.key_index(table)?;
        let _stand_ins = StandIns::for_key_of(connection, table)
            .map_err(|cause| failure("registering a collation", cause).in_table(&table.name))?;
        let index = index.as_deref();
        match filter {
            Some((condition, parameters)) => {
                rows::read(connection, table, self.encoding, index, Which::Where(condition, parameters), sink)
            }
            None => match self.leaves(table) {
                Some(leaves) => leaves.read(table, index, sink),
                None => rows::read(connection, table, self.encoding, index, Which::All, sink),
            },
        }
    }
}

impl Source for SqliteSource<'_> {
    fn catalog(&self) -> &SourceCatalog {
        &self.catalog
    }

    /// A key's collation that this program does not have is stood in for: SQLite will not open an index without one, but
    /// a walk from its first row to its last compares nothing.
    fn read_table(&self, table: &TableSchema, sink: &mut dyn RowSink) -> Result<()> {
        self.read_rows(table, None, sink)
    }

    /// A condition may name the table, as in `events.created`, and ask other tables in subqueries: at the same instant.
    fn read_where(
        &self,
        table: &TableSchema,
        conditions: &[&str],
        observer: &dyn Observer,
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        let connection = self.connection.get();
        let condition = condition::checked(connection, table, conditions)?;
        let index = self.key_index(table)?;
        let which = Which::Satisfying(&condition);
        interruptible(connection.get_interrupt_handle(), observer, || {
            rows::read(connection, table, self.encoding, index.as_deref(), which, sink)
        })
    }

    fn check_condition(&self, table: &TableSchema, condition: &str) -> Result<()> {
        let connection = self.connection.get();
        condition::checked(connection, table, &[condition])?;
        match rows::takes_one_statement(connection, table, self.encoding)? {
            true => Ok(()),
            false => Err(condition::too_wide(table)),
        }
    }

    /// `sqlite_sequence`, `sqlite_stat1` and `sqlite_stat4` are such tables. The first declared column names the table; names are compared byte by byte.
    fn read_internal(&self, internal: &TableSchema, about: &[&str], sink: &mut dyn RowSink) -> Result<()> {
        let wanted: HashSet<&[u8]> = about.iter().map(|name| name.as_bytes()).collect();
        let owner = internal.columns.iter().position(|column| !column.hidden).unwrap_or(0);
        self.read_rows(internal, None, &mut |cells: &[Cell<'_>]| match cells.get(owner) {
            Some(Cell::Text(name)) if wanted.contains(name) => sink.row(cells),
            _ => Ok(()),
        })
    }
}

impl Held<'_> {
    fn get(&self) -> &Connection {
        match self {
            Self::Own(connection) => connection,
            Self::Callers(connection) => connection,
        }
    }
}
