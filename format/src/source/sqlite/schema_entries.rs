//! The entries of `sqlite_schema` as they stand, and what SQLite makes of them.
//!
//! Nothing promises that an entry is what it should be: any program may have edited the table. So each field is taken as
//! the cell it is.

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::failure::failure;
use super::rows;
use super::types::{TextEncoding, lossy};
use crate::error::Result;
use crate::model::{Cell, Column, KeyPart, TableSchema, roles};

/// One field of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// Text.
    Text(String),
    /// Text that is not valid in the database's encoding, as well as it can be shown.
    Invalid(String),
    /// NULL.
    Absent,
    /// A blob or a number, where text should be.
    Odd,
}

impl Field {
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it looks like, for messages.
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Text(text) | Self::Invalid(text) => text,
            Self::Absent => "NULL",
            Self::Odd => "not a text",
        }
    }
}

/// One entry of `sqlite_schema`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its place, from 0.
    pub(super) position: u64,
    /// "table", "index", "view" or "trigger", in lower case.
    pub(super) kind: Field,
    pub(super) name: Field,
    /// The table that an index or trigger belongs to.
    pub(super) table: Field,
    pub(super) definition: Field,
}

/// All entries, in the order of their creation.
pub(super) fn entries(connection: &Connection, encoding: TextEncoding) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    rows::read(connection, &schema_table(), encoding, None, rows::Which::All, &mut |cells: &[Cell<'_>]| {
        let field = |index: usize| match cells.get(index) {
            Some(Cell::Text(bytes)) => Field::Text(lossy(bytes, TextEncoding::Utf8)),
            Some(Cell::RawText(bytes)) => Field::Invalid(lossy(bytes, encoding)),
            Some(Cell::Null) | None => Field::Absent,
            Some(_) => Field::Odd,
        };
        let kind = match field(1) {
            Field::Text(kind) => Field::Text(kind.to_ascii_lowercase()),
            other => other,
        };
        let position = entries.len() as u64;
        entries.push(Entry { position, kind, name: field(2), table: field(3), definition: field(4) });
        Ok(())
    })?;
    Ok(entries)
}

/// `sqlite_schema` as a table like others, so that its texts are read with the same care.
fn schema_table() -> TableSchema {
    let column = |name: &str| Column {
        name: name.to_owned(),
        declared_type: String::new(),
        logical: 0,
        nullable: true,
        hidden: name == "rowid",
    };
    TableSchema {
        // Its first name, which older versions know and no other table can have.
        name: "sqlite_master".to_owned(),
        role: roles::INTERNAL.to_owned(),
        definition: String::new(),
        position: 0,
        columns: ["rowid", "type", "name", "tbl_name", "sql"].map(column).into(),
        generated: Vec::new(),
        key: vec![KeyPart { column: 0, descending: false, collation: "BINARY".to_owned() }],
        options: Vec::new(),
        attached: Vec::new(),
    }
}

/// A table as `PRAGMA table_list` has it: what SQLite made of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) kind: ListedKind,
    pub(super) without_rowid: bool,
    pub(super) strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListedKind {
    Table,
    Shadow,
    Virtual,
    View,
}

/// What SQLite knows in `main`, by name in lower case (SQLite's names differ by more than the case of A to Z).
pub(super) fn listed(connection: &Connection) -> Result<HashMap<String, Listed>> {
    let failed = |cause| failure("reading the schema", cause);
    let mut statement = connection.prepare("PRAGMA main.table_list").map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut listed = HashMap::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let text = |index: usize| match row.get_ref(index) {
            Ok(ValueRef::Text(bytes)) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            Ok(_) => Ok(String::new()),
            Err(cause) => Err(failed(cause)),
        };
        let flag = |index: usize| row.get::<_, i64>(index).map(|value| value != 0).map_err(failed);
        let kind = match text(2)?.as_str() {
            "table" => ListedKind::Table,
            "shadow" => ListedKind::Shadow,
            "virtual" => ListedKind::Virtual,
            _ => ListedKind::View,
        };
        if text(0)? == "main" {
            let found = Listed { kind, without_rowid: flag(4)?, strict: flag(5)? };
            listed.insert(text(1)?.to_ascii_lowercase(), found);
        }
    }
    Ok(listed)
}
