//! A table of SQLite in the making.

use super::postgres_text::Index;
use crate::source::sqlite::names::quote;

/// A table, and the indexes on it.
#[derive(Debug)]
pub(super) struct NewTable {
    pub(super) name: String,
    /// The clauses of its columns.
    pub(super) columns: Vec<String>,
    /// What stands behind the columns.
    pub(super) constraints: Vec<String>,
    /// Its primary key and what else is unique.
    pub(super) keys: Vec<Key>,
    pub(super) indexes: Vec<(String, Index)>,
}

/// A primary key or something unique.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) primary: bool,
    pub(super) columns: Vec<String>,
}

impl NewTable {
    /// The statement that makes it.
    pub(super) fn definition(&self) -> String {
        let clauses: Vec<&str> = self.columns.iter().chain(&self.constraints).map(String::as_str).collect();
        format!("CREATE TABLE {} (\n  {}\n)", quote(&self.name), clauses.join(",\n  "))
    }

    /// Adds an index.
    pub(super) fn add_index(&mut self, name: String, index: Index) {
        self.indexes.push((name, index));
    }

    /// Names of its indexes, and the statements that make them.
    pub(super) fn index_definitions(&self) -> impl Iterator<Item = (&str, String)> {
        self.indexes.iter().map(|(name, index)| {
            let unique = if index.unique { "UNIQUE " } else { "" };
            let parts = index
                .parts
                .iter()
                .map(|part| format!("{}{}", quote(&part.column), if part.descending { " DESC" } else { "" }));
            let parts = parts.collect::<Vec<_>>().join(", ");
            (name.as_str(), format!("CREATE {unique}INDEX {} ON {} ({parts})", quote(name), quote(&self.name)))
        })
    }
}
