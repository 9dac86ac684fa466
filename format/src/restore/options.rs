//! What a restore is asked to do.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::model::Expire;
use crate::selection::Selection;

/// What happens to tables that the target may already have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestoreMode {
    /// Tables are made; one that exists already is refused.
    #[default]
    Create,
    /// Tables that exist already are dropped and made again as the snapshot has them.
    Replace,
    /// Rows are added to tables that exist already, by what these demand (keys, NOT NULL, CHECK); no definition of the snapshot
    /// is run.
    Append,
    /// Rows take the place of those with the same key in tables that exist already, or are added; no definition of the snapshot
    /// is run. For PostgreSQL only.
    Upsert,
}

impl RestoreMode {
    /// Its name, as [`FromStr`] reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Upsert => "upsert",
        }
    }
}

impl FromStr for RestoreMode {
    type Err = Error;

    /// `create`, `replace`, `append` or `upsert`.
    fn from_str(text: &str) -> Result<Self> {
        [Self::Create, Self::Replace, Self::Append, Self::Upsert]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| {
                Error::request(format!("\"{text}\" is no way to restore"))
                    .with_hint("write create, replace, append or upsert")
            })
    }
}

/// What to restore, and how.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RestoreOptions {
    /// Tables, views and virtual tables to take from the snapshot. Indexes and triggers go with their table.
    pub tables: Selection,
    /// What happens to tables that the target may already have.
    pub mode: RestoreMode,
    /// Names of tables, each with a rule by which rows are not restored. Of one table, a row is kept that all its rules keep.
    pub expire: Vec<(String, Expire)>,
}

impl RestoreOptions {
    /// The same options, for these tables.
    #[must_use]
    pub fn tables(mut self, tables: Selection) -> Self {
        self.tables = tables;
        self
    }

    /// The same options, in this mode.
    #[must_use]
    pub fn mode(mut self, mode: RestoreMode) -> Self {
        self.mode = mode;
        self
    }

    /// The same options, without rows that are too old by these rules, each with its table's name.
    #[must_use]
    pub fn expire(mut self, rules: Vec<(String, Expire)>) -> Self {
        self.expire = rules;
        self
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_by_their_names_only() {
        for mode in [RestoreMode::Create, RestoreMode::Replace, RestoreMode::Append, RestoreMode::Upsert] {
            assert_eq!(mode.name().parse::<RestoreMode>().unwrap(), mode);
        }
        for text in ["", "Create", "overwrite", "append "] {
            assert!(text.parse::<RestoreMode>().unwrap_err().is_request(), "{text}");
        }
    }
}
