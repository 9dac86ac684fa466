//! Erasing: rows are taken out of every snapshot of an archive, so that no byte of theirs is left in the file.
//!
//! Row groups that rows leave are cut, encoded and summed up anew; bounds, key ranges and dictionaries are then those of the
//! rows that stay. What the archive says of tables (names, definitions, rules by which rows were left out), of objects and of
//! snapshots (tags, omissions) stays as it is: an erased value that stands there is not looked for.

mod choice;
mod comparison;
mod followed;
mod indexes;
mod key;
mod plan;
mod rule;
mod target;
mod typed_key;

use std::path::Path;

pub use self::key::KeyValue;
pub use self::plan::{ErasePlan, PlannedSnapshot};
use self::rule::Erasing;
use super::{RewriteReport, Rewriting};
use crate::archive::{Archive, ErasureRecord, WriterOptions};
use crate::error::{Error, Result};
use crate::model::{ForeignKey, SchemaObject, SourceDescription, TableSchema};
use crate::observer::Observer;

/// Gives the foreign keys among the tables of a snapshot, given its source, the tables and the objects of its catalog.
pub type ForeignKeys<'a> = dyn Fn(&SourceDescription, &[TableSchema], &[SchemaObject]) -> Result<Vec<ForeignKey>> + 'a;

/// What to erase.
pub struct EraseRequest<'a> {
    /// The table's exact name.
    pub table: String,
    /// Columns to choose rows by; those of the table's key where empty.
    pub columns: Vec<String>,
    /// Keys of rows: for each of these columns, a value.
    pub keys: Vec<Vec<KeyValue>>,
    /// Erase also the rows that refer to erased ones, by these foreign keys, and those that refer to them in turn.
    pub cascade: Option<&'a ForeignKeys<'a>>,
    /// Leave virtual tables as they are which may hold words of erased rows. Without it, they are a reason to refuse.
    pub keeps_indexes: bool,
    /// Why, for the record. May be empty.
    pub reason: String,
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
}

impl std::fmt::Debug for EraseRequest<'_> {
    /// Without the keys: what is to be forgotten is not to be written anywhere.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.keys.len();
        f.debug_struct("EraseRequest").field("table", &self.table).field("keys", &keys).finish_non_exhaustive()
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EraseReport {
    /// The record that the archive keeps of it.
    pub record: ErasureRecord,
    /// What became of the file and its snapshots.
    pub rewrite: RewriteReport,
}

/// Says what [`erase`] would do; nothing is written.
pub fn plan_erasure(archive: &Archive, request: &EraseRequest<'_>, observer: &dyn Observer) -> Result<ErasePlan> {
    plan::plan(archive, request, observer)
}

/// Writes the archive at `path` anew without the rows that the request names, in any snapshot, and adds a record of it.
///
/// `planned` is told what is to be done before anything is; what it fails with ends the work. Gives `None`, and changes
/// nothing, if no snapshot has such rows. The archive is replaced as by [`super::rewrite`].
pub fn erase(
    path: &Path,
    request: &EraseRequest<'_>,
    options: WriterOptions,
    planned: &mut dyn FnMut(&ErasePlan) -> Result<()>,
    observer: &dyn Observer,
) -> Result<Option<EraseReport>> {
    let rewriting = Rewriting::begin(path)?;
    let plan = plan::plan(&rewriting.old, request, observer)?;
    planned(&plan)?;
    if plan.is_nothing() {
        return Ok(None);
    }
    let kept = rewriting.all.clone();
    let mut record = plan.record(request);
    let records =
        |roots: &[(u64, [u8; 32], [u8; 32])]| Ok(vec![ErasureRecord { roots: roots.to_vec(), ..record.clone() }]);
    let rewrite = rewriting.write(&kept, Some(&mut Erasing::new(&plan)), &records, options, observer, &|report| {
        let done = report.snapshots.iter().map(|snapshot| (snapshot.number, snapshot.rows_dropped.as_slice()));
        if done.eq(plan.snapshots.iter().map(|snapshot| (snapshot.number, snapshot.rows.as_slice()))) {
            return Ok(());
        }
        let why = "other rows were taken out than was planned; the archive was not changed";
        Err(Error::not_proven(why).with_hint("`tabark verify --full` tells whether it is intact"))
    })?;
    record.roots = rewrite.snapshots.iter().map(|of| (of.number, of.root_before, of.root)).collect();
    Ok(Some(EraseReport { record, rewrite }))
}
