//! What SQLite itself says of the tables of a snapshot: their definitions are made in a database in memory, and SQLite is asked.

use rusqlite::Connection;

use crate::error::Result;
use crate::model::{SchemaObject, TableSchema};
use crate::restore::sqlite::connection::harden;
use crate::restore::sqlite::definitions::{self, Wanted};
use crate::restore::sqlite::failure::failure;

/// A database in memory with the tables of a snapshot.
pub(super) struct Asked {
    connection: Connection,
}

/// A column of the primary key, or one with a default.
#[derive(Debug, Clone)]
pub(super) struct ColumnFacts {
    pub(super) name: String,
    pub(super) default: Option<String>,
    /// Its place in the primary key, from 1; 0 for others.
    pub(super) in_key: i64,
}

/// An index.
#[derive(Debug, Clone)]
pub(super) struct IndexFacts {
    pub(super) name: String,
    pub(super) unique: bool,
    /// "c" for one that a statement made, "u" for one of a UNIQUE, "pk" for one of a PRIMARY KEY.
    pub(super) origin: String,
    pub(super) partial: bool,
    /// `None` where one of them is an expression.
    pub(super) parts: Option<Vec<PartFacts>>,
}

/// A part of an index.
#[derive(Debug, Clone)]
pub(super) struct PartFacts {
    pub(super) column: String,
    pub(super) descending: bool,
    pub(super) collation: String,
}

/// A foreign key.
#[derive(Debug, Clone)]
pub(super) struct ReferenceFacts {
    pub(super) parent: String,
    pub(super) columns: Vec<String>,
    /// `None` for the parent's primary key.
    pub(super) parent_columns: Option<Vec<String>>,
    pub(super) on_update: String,
    pub(super) on_delete: String,
}

impl Asked {
    pub(super) fn new() -> Result<Self> {
        let opening = |cause| failure("opening a database in memory", cause);
        let connection = Connection::open_in_memory().map_err(opening)?;
        harden(&connection).map_err(opening)?;
        Ok(Self { connection })
    }

    /// Makes a table.
    pub(super) fn make(&mut self, table: &TableSchema) -> Result<()> {
        let TableSchema { name, definition, .. } = table;
        let wanted = Wanted { kind: "table", name, table: name, definition };
        definitions::create(&mut self.connection, &wanted).map_err(|error| error.in_table(name.as_str()))
    }

    /// Makes an index.
    pub(super) fn make_index(&mut self, index: &SchemaObject) -> Result<()> {
        let SchemaObject { name, table, definition, .. } = index;
        definitions::create(&mut self.connection, &Wanted { kind: "index", name, table, definition })
    }

    pub(super) fn columns(&self, table: &str) -> Result<Vec<ColumnFacts>> {
        self.rows("SELECT name, dflt_value, pk FROM pragma_table_xinfo(?1) ORDER BY cid", table, |row| {
            Ok(ColumnFacts { name: row.get(0)?, default: row.get(1)?, in_key: row.get(2)? })
        })
    }

    pub(super) fn indexes(&self, table: &str) -> Result<Vec<IndexFacts>> {
        let sql = "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1) ORDER BY seq DESC";
        let mut indexes = self.rows(sql, table, |row| {
            Ok(IndexFacts {
                name: row.get(0)?,
                unique: row.get(1)?,
                origin: row.get(2)?,
                partial: row.get(3)?,
                parts: None,
            })
        })?;
        for index in &mut indexes {
            let sql = "SELECT name, \"desc\", coll FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno";
            let parts = self.rows(sql, &index.name, |row| {
                let column: Option<String> = row.get(0)?;
                let (descending, collation) = (row.get(1)?, row.get(2)?);
                Ok(column.map(|column| PartFacts { column, descending, collation }))
            })?;
            index.parts = parts.into_iter().collect();
        }
        Ok(indexes)
    }

    pub(super) fn references(&self, table: &str) -> Result<Vec<ReferenceFacts>> {
        let sql = "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?1) ORDER BY id, seq";
        type Part = (i64, String, String, Option<String>, String, String);
        let parts: Vec<Part> = self.rows(sql, table, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        })?;
        let mut found: Vec<(i64, ReferenceFacts)> = Vec::new();
        for (id, parent, from, to, on_update, on_delete) in parts {
            match found.last_mut().filter(|(last, _)| *last == id) {
                Some((_, last)) => {
                    last.columns.push(from);
                    last.parent_columns = last.parent_columns.take().zip(to).map(|(mut columns, to)| {
                        columns.push(to);
                        columns
                    });
                }
                None => {
                    let parent_columns = to.map(|to| vec![to]);
                    let columns = vec![from];
                    found.push((id, ReferenceFacts { parent, columns, parent_columns, on_update, on_delete }));
                }
            }
        }
        Ok(found.into_iter().map(|(_, facts)| facts).collect())
    }

    fn rows<T>(
        &self,
        sql: &str,
        of: &str,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.connection
            .prepare(sql)
            .and_then(|mut statement| statement.query_map([of], read).and_then(Iterator::collect))
            .map_err(|cause| failure("asking what a table is", cause))
    }
}
