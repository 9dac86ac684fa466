//! What a snapshot says of its source, tables and columns. These structures are stored as they stand
//! (`spec/format.md` §4 and §5), so a field added here is a change of the format.

use serde::{Deserialize, Serialize};

use super::logical::Logical;

/// Roles of tables.
pub mod roles {
    /// An ordinary table.
    pub const TABLE: &str = "table";
    /// Storage of a virtual table.
    pub const SHADOW: &str = "shadow";
    /// The database's own bookkeeping.
    pub const INTERNAL: &str = "internal";
}

/// Where rows came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDescription {
    /// "sqlite".
    pub engine: String,
    /// The engine's own version.
    pub engine_version: String,
    /// The database's name, without path or secret.
    pub name: String,
    /// Settings of the database, sorted by name, names unique.
    pub settings: Vec<(String, String)>,
}

impl SourceDescription {
    /// The value of a setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        lookup(&self.settings, name)
    }
}

/// Something that the source has and the snapshot has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omission {
    /// The object's kind and name.
    pub what: String,
    /// Why it is not kept.
    pub reason: String,
}

/// An object of the schema that holds no rows of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaObject {
    /// "index", "trigger", "view" or "virtual table".
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The table or view it belongs to; else its own name.
    pub table: String,
    /// The statement that makes it, as the source has it.
    pub definition: String,
    /// Its place in the source's order of creation.
    pub position: u64,
}

/// A table: its columns, its key and what stands on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSchema {
    /// Its name.
    pub name: String,
    /// One of [`roles`].
    pub role: String,
    /// The statement that makes it, as the source has it.
    pub definition: String,
    /// Its place in the source's order of creation.
    pub position: u64,
    /// Columns with stored cells, in the source's order; a hidden key column first.
    pub columns: Vec<Column>,
    /// Names of columns that the database computes; they are not stored.
    pub generated: Vec<String>,
    /// Rows stand in ascending order of it, and it is unique; empty: rows stand in the source's own order.
    pub key: Vec<KeyPart>,
    /// What the source has to say beyond this, sorted by name, names unique.
    pub options: Vec<(String, String)>,
    /// Its indexes and triggers, in the source's order.
    pub attached: Vec<SchemaObject>,
}

/// A column with stored cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as the source has it; may be empty.
    pub declared_type: String,
    /// What its cells stand for: the number of a [`Logical`].
    pub logical: u8,
    /// May it hold nulls?
    pub nullable: bool,
    /// Is it outside what `SELECT *` gives (a row id)?
    pub hidden: bool,
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// Index into the table's columns.
    pub column: u32,
    /// Do larger values come first?
    pub descending: bool,
    /// "BINARY", "NOCASE", "RTRIM", or a name that only the source knows.
    pub collation: String,
}

impl Column {
    /// What its cells stand for; where that is not known, themselves.
    pub fn logical_type(&self) -> Logical {
        Logical::from_number(self.logical).unwrap_or(Logical::Any)
    }
}

impl TableSchema {
    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        lookup(&self.options, name)
    }

    /// Indexes of the columns whose cells decide where row groups end: the key's, or all where there is no key.
    pub fn boundary_columns(&self) -> Vec<usize> {
        if self.key.is_empty() {
            (0..self.columns.len()).collect()
        } else {
            self.key.iter().map(|part| part.column as usize).collect()
        }
    }
}

fn lookup<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
