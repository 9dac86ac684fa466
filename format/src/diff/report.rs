//! What two states differ in.

use super::columns::RowMatching;
use crate::model::{Cell, Logical};

/// What differs between two snapshots, or between a snapshot and a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffReport {
    /// All tables looked at, by name.
    pub tables: Vec<TableDiff>,
    /// Views, virtual tables and others that belong to no table.
    pub objects: Vec<SchemaChange>,
    /// Settings of the database; looked at only where no table is left out.
    pub settings: Vec<SchemaChange>,
}

impl DiffReport {
    /// Does nothing differ?
    pub fn is_same(&self) -> bool {
        self.objects.is_empty()
            && self.settings.is_empty()
            && self.tables.iter().all(|table| table.state == TableState::Same)
    }
}

/// In which of the two states a table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableState {
    /// In both, and nothing of it differs.
    Same,
    /// In both, and something differs.
    Changed,
    /// In the state before only.
    OnlyBefore,
    /// In the state after only.
    OnlyAfter,
}

impl TableState {
    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::OnlyBefore => "removed",
            Self::OnlyAfter => "added",
        }
    }
}

/// What of a table differs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableDiff {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: TableState,
    /// Its rows in the state before; `None` if it does not stand there.
    pub rows_before: Option<u64>,
    /// Its rows in the state after; `None` if it does not stand there.
    pub rows_after: Option<u64>,
    /// What differs in the rows.
    pub rows: RowCounts,
    /// How rows were found again; of a table that both refer to, whose rows were not looked at, always by key.
    pub matching: RowMatching,
    /// Are the rows the same ones in another order? Only where they were not found again by key.
    pub reordered: bool,
    /// What differs in columns, key, definition, indexes and triggers.
    pub schema: Vec<SchemaChange>,
}

/// How many rows differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RowCounts {
    /// Rows whose key only the state after has.
    pub added: u64,
    /// Rows whose key only the state before has.
    pub removed: u64,
    /// Rows with the same key in both and other cells.
    pub changed: u64,
    /// Columns that both states have and in which rows changed: name, and how many rows. In the order of the state after.
    pub columns: Vec<(String, u64)>,
}

impl RowCounts {
    /// Does no row differ?
    pub fn is_empty(&self) -> bool {
        self.added == 0 && self.removed == 0 && self.changed == 0
    }
}

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Only the state after has it.
    Added,
    /// Only the state before has it.
    Removed,
    /// Both have it, and it is not the same.
    Changed,
}

impl ChangeKind {
    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A change of what is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaChange {
    /// "column", "computed column", "column order", "key", "role", "definition", "option", "filter" (a rule by which
    /// rows were left out), "setting", or the kind of an object: "index", "trigger", "view", "virtual table".
    pub what: String,
    /// Its name; empty for what a table has one of.
    pub name: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// What it was: a column's type, a key's columns, an object's definition.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

/// A cell and its column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamedCell<'a> {
    /// The column's name.
    pub column: &'a str,
    /// What the column's cells stand for, in the state that the cell is of.
    pub logical: Logical,
    /// The cell.
    pub cell: Cell<'a>,
}

/// A row that differs.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowChange<'a> {
    /// The table's name.
    pub table: &'a str,
    /// What happened to it.
    pub kind: ChangeKind,
    /// Its key; empty where rows are not found again by key.
    pub key: &'a [NamedCell<'a>],
    /// Of a removed row all cells, of a changed one the old cells of the columns in which it changed.
    pub before: &'a [NamedCell<'a>],
    /// Of an added row all cells, of a changed one the new cells of the columns in which it changed.
    pub after: &'a [NamedCell<'a>],
}

/// Takes rows that differ, table by table. Within a table they come in the order of its key where that order is known,
/// else as near to it as goes.
pub trait ChangeSink {
    /// Takes one row.
    fn row(&mut self, change: &RowChange<'_>) -> crate::Result<()>;
}

impl<F: FnMut(&RowChange<'_>) -> crate::Result<()>> ChangeSink for F {
    fn row(&mut self, change: &RowChange<'_>) -> crate::Result<()> {
        self(change)
    }
}
