//! Databases that snapshots are taken of.
//!
//! A source reads one consistent instant: everything it gives, from the catalog to the last row, is of that instant.
//! It knows no archive: rows go to a [`RowSink`].

mod filtered;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use self::filtered::{FilteredRows, check_filters, read_filtered};
use crate::error::Result;
pub use crate::model::RowSink;
use crate::model::{Omission, SchemaObject, SourceDescription, TableSchema};
use crate::observer::Observer;

/// What a source has at its instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCatalog {
    /// The database.
    pub description: SourceDescription,
    /// All tables with rows of their own, in the source's order of creation.
    pub tables: Vec<TableSchema>,
    /// Views, virtual tables and others that belong to no table, in the source's order.
    pub objects: Vec<SchemaObject>,
    /// What the source has and cannot be kept.
    pub omitted: Vec<Omission>,
}

/// A database at one consistent instant.
pub trait Source {
    /// What there is.
    fn catalog(&self) -> &SourceCatalog;

    /// Sends all rows of a table, in the order of its key, to `sink`.
    fn read_table(&self, table: &TableSchema, sink: &mut dyn RowSink) -> Result<()>;

    /// Sends those rows of a table for which all of these conditions are true to `sink`, in the order of its key. A condition is
    /// one expression in the source's own language.
    ///
    /// Each is checked as by [`Source::check_condition`]; evaluating it may fail all the same, and may take any time before it
    /// gives a row: it stops when the observer asks to.
    fn read_where(
        &self,
        table: &TableSchema,
        conditions: &[&str],
        observer: &dyn Observer,
        sink: &mut dyn RowSink,
    ) -> Result<()>;

    /// Fails (`is_request`) if this is not one expression that can be a condition on the rows of the table, for example because
    /// it would leave its place in a statement, or names a column that is not there. Reads no row.
    fn check_condition(&self, table: &TableSchema, condition: &str) -> Result<()>;

    /// Sends those rows of a table of role "internal" that are about the tables of these names, in the order of its key.
    fn read_internal(&self, table: &TableSchema, about: &[&str], sink: &mut dyn RowSink) -> Result<()>;
}
