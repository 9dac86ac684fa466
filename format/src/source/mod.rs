//! Databases that snapshots are taken of.
//!
//! A source reads one consistent instant: everything it gives, from the catalog to the last row, is of that instant.
//! It knows no archive: rows go to a [`RowSink`].

#[cfg(feature = "sqlite")]
pub mod sqlite;

use crate::error::Result;
pub use crate::model::RowSink;
use crate::model::{Omission, SchemaObject, SourceDescription, TableSchema};

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

    /// Sends those rows of a table of role "internal" that are about the tables of these names, in the order of its key.
    fn read_internal(&self, table: &TableSchema, about: &[&str], sink: &mut dyn RowSink) -> Result<()>;
}
