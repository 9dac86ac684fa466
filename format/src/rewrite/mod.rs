//! Rewriting: an archive is written anew with some or all of its snapshots, and takes the place of the old one when it is
//! proven to hold what that held.
//!
//! Kept snapshots go, oldest first, through the same writer that a dump uses, so that the new archive is one that dumps of
//! just these snapshots would have left. Numbers, times, tags and fingerprints stay; roots change, for they commit to bytes.

mod engine;
pub mod erase;
mod proof;
mod recut;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use crate::archive::{Archive, ErasureRecord, SnapshotSummary, WriterOptions};
use crate::container::Replacement;
use crate::error::{Error, Result};
use crate::model::{RowGroup, TableSchema};
use crate::observer::{Observer, check_cancelled};

/// Which rows go. It is asked snapshot by snapshot, table by table and row group by row group, in order: once when rows are
/// copied, and once more when what is left is proven, where it must say the same.
///
/// What it says of a row must not depend on the snapshot, as long as its edition stays what it is: a table that is the same in
/// two snapshots is looked at once.
pub trait RowRule {
    /// The columns (indexes into the schema's) that tell which rows of this table go; `None` if all rows stay.
    fn columns(&mut self, snapshot: &SnapshotSummary, table: &TableSchema) -> Result<Option<Vec<usize>>>;

    /// A number that is another one where the rule says something else of rows of the table that it was asked about last than
    /// it said of a table of that name before.
    fn edition(&mut self) -> u64 {
        0
    }

    /// May rows of this row group go, by what is known of it without reading it? Blocks stand in the schema's order. Of those
    /// for which this is false, no cell is read if their rows stay together.
    fn may_drop(&mut self, group: &crate::archive::RowGroupEntry) -> Result<bool> {
        let _ = group;
        Ok(true)
    }

    /// The rows to drop, by number in the row group, ascending. `group` has the columns that were asked for, in that order.
    fn rows_to_drop(&mut self, group: &RowGroup) -> Result<Vec<u32>>;
}

/// Which snapshots stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept<'n> {
    /// All.
    All,
    /// Those of these numbers.
    Only(&'n [u64]),
    /// Those of other numbers than these; also what is appended before the archive is locked.
    AllBut(&'n [u64]),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RewriteReport {
    /// Bytes of the old file.
    pub bytes_before: u64,
    /// Bytes of the new one.
    pub bytes_after: u64,
    /// Snapshots that are no longer there.
    pub dropped: u64,
    /// Those that are, oldest first.
    pub snapshots: Vec<RewrittenSnapshot>,
}

/// A snapshot that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RewrittenSnapshot {
    /// Its number, which it keeps.
    pub number: u64,
    /// Its root until now.
    pub root_before: [u8; 32],
    /// Its root from now on.
    pub root: [u8; 32],
    /// Its fingerprint from now on; the old one, where no row was dropped.
    pub fingerprint: [u8; 32],
    /// Its rows from now on.
    pub rows: u64,
    /// By table, in the catalog's order, the rows that were dropped; tables that lost none are not named.
    pub rows_dropped: Vec<(String, u64)>,
}

/// Writes the archive at `path` anew with all its snapshots: without the bytes that belong to none of them.
///
/// With a level in `options`, every block is encoded and compressed anew; without one, blocks that stand as they are in the
/// old file are copied. `options.archive_id` is not used: the archive keeps its id.
pub fn compact(path: &Path, options: WriterOptions, observer: &dyn Observer) -> Result<RewriteReport> {
    rewrite(path, Kept::All, None, options, observer)
}

/// Writes the archive at `path` anew with the snapshots of these numbers only, of which there must be one at least.
/// `options` is as for [`compact`].
pub fn prune(path: &Path, keep: &[u64], options: WriterOptions, observer: &dyn Observer) -> Result<RewriteReport> {
    rewrite(path, Kept::Only(keep), None, options, observer)
}

/// Writes the archive at `path` anew: with the snapshots that are kept, of which there must be one at least, and without the
/// rows that a rule drops.
///
/// The old file is locked meanwhile, and is replaced when every snapshot of the new one was read back and found to be what
/// it was, cell by cell. Whoever has the old file open goes on reading it. Where anything fails, the old archive stays.
pub fn rewrite(
    path: &Path,
    keep: Kept<'_>,
    rule: Option<&mut dyn RowRule>,
    options: WriterOptions,
    observer: &dyn Observer,
) -> Result<RewriteReport> {
    let rewriting = Rewriting::begin(path)?;
    let kept = chosen(&rewriting.all, keep)?;
    rewriting.write(&kept, rule, &|_| Ok(Vec::new()), options, observer, &|_| Ok(()))
}

/// An archive that is locked and about to be written anew.
struct Rewriting {
    file: Replacement,
    old: Arc<Archive>,
    all: Vec<SnapshotSummary>,
    /// Of what was erased before.
    records: Vec<ErasureRecord>,
}

impl Rewriting {
    fn begin(path: &Path) -> Result<Self> {
        let file = Replacement::begin(path)?;
        let old = Arc::new(Archive::from_storage(Arc::new(file.old()?))?);
        old.container().last().commit.check_writer_features()?;
        old.check_tail()?;
        let all = old.snapshots()?;
        let records = old.erasures().map_err(|error| {
            error.with_hint(
                "the archive's erasure records would be lost; restore its snapshots, and dump them into a new one",
            )
        })?;
        Ok(Self { file, old, all, records })
    }

    /// Writes the snapshots that are kept, and replaces the archive. `more` gives the erasure records that come to those of before;
    /// `check` has the last word on whether what was done is what was wanted.
    fn write(
        self,
        kept: &[SnapshotSummary],
        rule: Option<&mut dyn RowRule>,
        more: &engine::Records<'_>,
        options: WriterOptions,
        observer: &dyn Observer,
        check: &dyn Fn(&RewriteReport) -> Result<()>,
    ) -> Result<RewriteReport> {
        let Self { mut file, old, all, records } = self;
        let options = options.with_archive_id(old.container().header().id);
        let told = RefCell::new(Vec::new());
        let all_records = |roots: &[(u64, [u8; 32], [u8; 32])]| {
            let all: Vec<ErasureRecord> = records.iter().cloned().chain(more(roots)?).collect();
            told.replace(all.clone());
            Ok(all)
        };
        let mut rule = rule;
        let copied = engine::copy(&old, kept, &mut file, reborrowed(&mut rule), &all_records, options, observer)?;
        let new = Archive::from_storage(Arc::new(file.reader()?))?;
        proof::prove(&old, &new, &copied, reborrowed(&mut rule), observer)?;
        proof::check_records(&new, &told.into_inner())?;
        check_cancelled(observer)?;
        let report = RewriteReport {
            bytes_before: old.container().storage_length(),
            bytes_after: new.container().storage_length(),
            dropped: (all.len() - kept.len()) as u64,
            snapshots: proof::report(&new, &copied)?,
        };
        check(&report)?;
        // Some systems do not replace a file that is mapped.
        drop((old, new));
        file.finish()?;
        Ok(report)
    }
}

/// The rule, to be used once more after.
fn reborrowed<'s>(rule: &'s mut Option<&mut dyn RowRule>) -> Option<&'s mut dyn RowRule> {
    match rule {
        Some(rule) => Some(&mut **rule),
        None => None,
    }
}

/// The snapshots that stay, oldest first.
fn chosen(all: &[SnapshotSummary], keep: Kept<'_>) -> Result<Vec<SnapshotSummary>> {
    let (named, stay) = match keep {
        Kept::All => return Ok(all.to_vec()),
        Kept::Only(named) => (named, true),
        Kept::AllBut(named) => (named, false),
    };
    let hint = "`tabark list ARCHIVE` shows what it holds";
    if let Some(number) = named.iter().find(|number| !all.iter().any(|snapshot| snapshot.number == **number)) {
        return Err(Error::request(format!("the archive does not hold snapshot {number}")).with_hint(hint));
    }
    let kept: Vec<_> = all.iter().filter(|of| named.contains(&of.number) == stay).cloned().collect();
    if kept.is_empty() {
        return Err(Error::request("an archive must keep at least one snapshot").with_hint(hint));
    }
    Ok(kept)
}
