//! Which tables and indexes are written as pages: all but those for which SQLite must be asked what a value becomes or how
//! two compare. SQLite has made them, empty; what it says of them is taken as it stands.

use rusqlite::{Connection, Row};

use super::super::failure::failure;
use super::affinity::Affinity;
use crate::archive::Table;
use crate::error::{Error, Result};
use crate::source::sqlite::names::quote;
use crate::sqlite_file::Collation;

/// A table that is written as pages.
#[derive(Debug)]
pub(in crate::restore) struct TablePages {
    /// Where its b-tree has its root.
    pub(super) root: u32,
    /// Of each column of the snapshot.
    pub(super) affinities: Vec<Affinity>,
    /// How its rows are held.
    pub(super) rows: Rows,
    /// Its indexes, with those that SQLite made for its constraints.
    pub(super) indexes: Vec<IndexPages>,
}

/// How rows are held.
#[derive(Debug)]
pub(super) enum Rows {
    /// By row id.
    ById {
        /// Index of the snapshot's column, or `None` where no name reaches it.
        row_id: Option<usize>,
        /// Is it a column that records have too, without value?
        alias: bool,
    },
    /// By primary key: records begin with it.
    ByKey(Vec<Part>),
}

/// An index that is written as pages.
#[derive(Debug)]
pub(super) struct IndexPages {
    pub(super) name: String,
    pub(super) root: u32,
    /// May no two rows have the same key?
    pub(super) unique: bool,
    /// What its records hold, in order.
    pub(super) parts: Vec<Part>,
}

/// A part of an index's records.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Index of the snapshot's column; `None` for a row id that no name reaches.
    pub(super) column: Option<usize>,
    /// Name of the column.
    pub(super) name: String,
    /// Is it of the key, or added to tell rows apart?
    pub(super) key: bool,
    pub(super) descending: bool,
    pub(super) collation: Collation,
}

/// Is a table written as pages? Asked before it has the indexes that it gets later.
pub(in crate::restore) fn covers(connection: &Connection, table: &Table<'_>, utf8: bool) -> Result<bool> {
    let schema = table.schema();
    if !schema.generated.is_empty() {
        return Ok(false);
    }
    if schema.option("without_rowid").is_none() {
        return Ok(true);
    }
    Ok(primary_key(connection, table, utf8)?.is_some())
}

/// What is needed to write a covered table, and the names of its indexes that SQLite must fill.
pub(in crate::restore) fn describe(
    connection: &Connection,
    table: &Table<'_>,
    utf8: bool,
) -> Result<(TablePages, Vec<String>)> {
    let schema = table.schema();
    let strict = schema.option("strict").is_some();
    let affinities = schema.columns.iter().map(|column| Affinity::of(&column.declared_type, strict)).collect();
    let gone = || Error::database("the table has gone").in_table(&schema.name);
    let rows = if schema.option("without_rowid").is_some() {
        Rows::ByKey(primary_key(connection, table, utf8)?.ok_or_else(gone)?)
    } else {
        let alias = schema.option("rowid");
        let is_row_id = |name: &str| alias == Some(name);
        let row_id = schema.columns.iter().position(|column| column.hidden || is_row_id(&column.name));
        Rows::ById { row_id, alias: alias.is_some() }
    };
    let (mut indexes, mut left) = (Vec::new(), Vec::new());
    for Listed { name, unique, primary_key, partial } in listed(connection, table)? {
        if primary_key && matches!(rows, Rows::ByKey(_)) {
            continue;
        }
        let parts = if partial { None } else { parts(connection, table, &name, utf8)? };
        match parts {
            Some(parts) => indexes.push(IndexPages { root: root(connection, "index", &name)?, name, unique, parts }),
            None => left.push(name),
        }
    }
    Ok((TablePages { root: root(connection, "table", &schema.name)?, affinities, rows, indexes }, left))
}

/// The parts of the records of a table without row ids, if all their collations are covered.
fn primary_key(connection: &Connection, table: &Table<'_>, utf8: bool) -> Result<Option<Vec<Part>>> {
    match listed(connection, table)?.into_iter().find(|index| index.primary_key) {
        Some(index) => parts(connection, table, &index.name, utf8),
        None => Ok(None),
    }
}

struct Listed {
    name: String,
    unique: bool,
    primary_key: bool,
    partial: bool,
}

fn listed(connection: &Connection, table: &Table<'_>) -> Result<Vec<Listed>> {
    let name = &table.schema().name;
    rows(connection, name, &format!("PRAGMA main.index_list({})", quote(name)), |row| {
        Ok(Listed {
            name: row.get(1)?,
            unique: row.get(2)?,
            primary_key: row.get::<_, String>(3)? == "pk",
            partial: row.get(4)?,
        })
    })
}

/// The parts of an index's records, or `None` if one is an expression or of a collation that is not covered.
fn parts(connection: &Connection, table: &Table<'_>, index: &str, utf8: bool) -> Result<Option<Vec<Part>>> {
    let schema = table.schema();
    let sql = format!("PRAGMA main.index_xinfo({})", quote(index));
    let found = rows(connection, &schema.name, &sql, |row| {
        Ok((row.get(1)?, row.get::<_, Option<String>>(2)?, row.get(3)?, row.get::<_, Option<String>>(4)?, row.get(5)?))
    })?;
    let hidden = schema.columns.iter().position(|column| column.hidden);
    let alias = || schema.columns.iter().position(|column| schema.option("rowid") == Some(&column.name));
    let part = |(number, name, descending, collation, key): (i64, Option<String>, bool, Option<String>, bool)| {
        let column = match number {
            -1 => hidden.or_else(alias),
            // A hidden row id stands before the columns that SQLite counts.
            _ => Some(usize::try_from(number).ok()? + usize::from(hidden.is_some())),
        };
        if let (Some(column), Some(name)) = (column, &name)
            && schema.columns.get(column).is_none_or(|found| found.name != *name)
        {
            return None;
        }
        let collation = Collation::named(&collation?).filter(|known| utf8 || *known == Collation::Binary)?;
        Some(Part { column, name: name.unwrap_or_default(), key, descending, collation })
    };
    Ok(found.into_iter().map(part).collect())
}

fn root(connection: &Connection, kind: &str, name: &str) -> Result<u32> {
    connection
        .query_row("SELECT rootpage FROM main.sqlite_master WHERE type = ?1 AND name = ?2", (kind, name), |row| {
            row.get(0)
        })
        .map_err(|cause| failure(format_args!("looking for {kind} \"{name}\""), cause))
}

fn rows<T>(
    connection: &Connection,
    table: &str,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    connection
        .prepare(sql)
        .and_then(|mut statement| statement.query_map([], read).and_then(Iterator::collect))
        .map_err(|cause| failure("reading the new table's indexes", cause).in_table(table))
}
