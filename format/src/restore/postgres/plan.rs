//! What a restore into PostgreSQL will do.

use crate::restore::PlannedTable;
use crate::restore::RestoredTable;

/// What a restore into PostgreSQL will do. Making one changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresPlan {
    /// Server and database, without a secret.
    pub target: String,
    /// Tables, in order of creation.
    pub tables: Vec<PlannedTable>,
    /// All statements, in their order.
    pub steps: Vec<PlannedStep>,
    /// What of the snapshot is there already and stays as it is: kind and name.
    pub present: Vec<(String, String)>,
    /// Functions and extensions of the snapshot that the restore makes: code that will run in the database.
    pub code: Vec<(String, String)>,
    /// Partitioned tables through which the rows of their partitions go, and are proven together: what is done and why.
    pub by_root: Vec<String>,
    /// What is worth knowing before it happens.
    pub warnings: Vec<String>,
}

/// One statement, or the rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedStep {
    /// What it makes or does: "table", "rows", "index", "swap", …
    pub kind: String,
    /// The name of what it is about.
    pub name: String,
    /// The statement.
    pub sql: String,
}

/// What was restored into PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresReport {
    /// What was planned, and done.
    pub plan: PostgresPlan,
    /// The tables, in order of creation.
    pub tables: Vec<RestoredTable>,
    /// Where tables that were replaced are kept: what they were, and what they are now.
    pub kept: Vec<(String, String)>,
    /// What was found on the way and is worth knowing; the plan's own warnings are not repeated.
    pub warnings: Vec<String>,
}
