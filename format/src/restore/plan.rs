//! What a restore will do, and what it did.

use std::path::PathBuf;

use super::options::RestoreMode;
use crate::model::{Expire, Filter};

/// What a restore will do. Making one changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestorePlan {
    /// The database file.
    pub target: PathBuf,
    /// Will the file be made? Otherwise it exists.
    pub new_file: bool,
    /// What happens to tables that exist already.
    pub mode: RestoreMode,
    /// Tables, in order of creation. SQLite's own bookkeeping is not among them.
    pub tables: Vec<PlannedTable>,
    /// Indexes, virtual tables, views and triggers, in order of creation.
    pub objects: Vec<PlannedObject>,
    /// Tables of SQLite's own bookkeeping whose rows about the restored tables are restored with them.
    pub bookkeeping: Vec<String>,
    /// Settings that a database without content of its own is given: name and value.
    pub settings: Vec<(String, String)>,
    /// The statements that make the tables and indexes of a snapshot of another engine; none for one of SQLite, which has its own.
    pub definitions: Vec<String>,
    /// What is worth knowing before it happens.
    pub warnings: Vec<String>,
}

/// A table to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedTable {
    /// Its name.
    pub name: String,
    /// Its role, one of [`crate::model::roles`].
    pub role: String,
    /// Rows in the snapshot.
    pub rows: u64,
    /// Rules by which the snapshot left rows out; none: it has the whole table.
    pub filters: Vec<Filter>,
    /// Rules by which this restore leaves rows out; how many is known when they were read.
    pub expire: Vec<Expire>,
    /// Bytes in the archive.
    pub stored_bytes: u64,
    /// What will be done.
    pub action: TableAction,
}

/// What will be done about a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableAction {
    /// It does not exist and is made.
    CreateTable,
    /// It exists, is dropped and made again.
    ReplaceTable,
    /// It exists and rows are added.
    AppendTo,
}

/// An index, trigger, view or virtual table to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedObject {
    /// "index", "trigger", "view" or "virtual table".
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The table or view it belongs to; else its own name.
    pub table: String,
    /// Does the target have one of this name, which is dropped first?
    pub replaces: bool,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreReport {
    /// What was planned, and done.
    pub plan: RestorePlan,
    /// The tables, in order of creation.
    pub tables: Vec<RestoredTable>,
    /// What was found on the way and is worth knowing; the plan's own warnings are not repeated.
    pub warnings: Vec<String>,
}

/// A table that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoredTable {
    /// Its name.
    pub name: String,
    /// Rows written.
    pub rows: u64,
    /// The fingerprint of the rows that were restored: the snapshot's, but where this restore leaves rows out.
    pub fingerprint: [u8; 32],
    /// Rules by which the snapshot left rows out; none: it has the whole table.
    pub filters: Vec<Filter>,
    /// Rules by which this restore left rows out.
    pub expire: Vec<Expire>,
    /// Rows of the snapshot that were too old and not restored.
    pub expired: u64,
    /// Rows that were restored although a rule asks for their age, because they hold no time that is understood.
    pub without_time: u64,
    /// Were the rows read back from the target and found to be those that were to be restored?
    pub proved: bool,
    /// Were its pages written as they are, with those of its indexes? Else each row was inserted by a statement.
    pub as_pages: bool,
}
