//! What a restore into PostgreSQL is asked to do.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::Expire;
use crate::restore::RestoreMode;
use crate::selection::Selection;

/// Which part of the chosen tables is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// Definitions and rows.
    #[default]
    Everything,
    /// Rows, into tables that exist.
    Data,
    /// Definitions alone: tables without rows.
    Schema,
}

/// What to restore into PostgreSQL, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostgresRestoreOptions {
    /// Tables and views to take from the snapshot. What stands on a table, and what it needs, goes with it.
    pub tables: Selection,
    /// What happens to tables that the target may already have.
    pub mode: RestoreMode,
    /// Definitions, rows or both.
    pub part: Part,
    /// Are owners restored, where the target has the role and lets us give things to it?
    pub owners: bool,
    /// Are privileges restored, where the target has the roles?
    pub privileges: bool,
    /// The schema that all tables and views go to, whatever the one they come from.
    pub into_schema: Option<String>,
    /// Tables that get another name: the one in the snapshot, and the new one without a schema.
    pub rename: Vec<(String, String)>,
    /// Names of tables, each with a rule by which rows are not restored.
    pub expire: Vec<(String, Expire)>,
    /// Do rows of all partitions go through the partitioned table, so that the server says which one they belong to? Where that is
    /// known to depend on the server they do in any case.
    pub by_root: bool,
    /// The schema in which tables that were replaced are kept; without it they are dropped.
    pub keep_old: Option<String>,
    /// Connections that restore at the same time. More than one needs a database without any of the tables, and what was made
    /// is dropped again if the restore fails.
    pub connections: NonZero<usize>,
    /// A folder for the translation of a snapshot of another engine, which is gone when the restore ends; memory without one.
    pub scratch: Option<PathBuf>,
    /// How long to wait for those who use a table that is replaced or added to.
    pub lock_timeout: Duration,
}

impl Default for PostgresRestoreOptions {
    fn default() -> Self {
        Self {
            tables: Selection::everything(),
            mode: RestoreMode::default(),
            part: Part::default(),
            owners: true,
            privileges: true,
            into_schema: None,
            rename: Vec::new(),
            expire: Vec::new(),
            by_root: false,
            keep_old: None,
            connections: NonZero::<usize>::MIN,
            scratch: None,
            lock_timeout: Duration::from_secs(30),
        }
    }
}

impl PostgresRestoreOptions {
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
}
