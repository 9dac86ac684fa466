//! Verification: every stored byte, and on request every cell, with all findings instead of the first.
//!
//! Two walks make it up. The first goes through the file frame by frame and hashes bodies on all cores: it sees every
//! stored byte. The second goes down the references from the snapshots: it sees that all is there and says which tables and
//! rows a damaged frame takes with it.

mod cells;
mod claims;
mod frames;
mod references;

use std::collections::HashSet;
use std::ops::Range;

use self::references::ReferenceWalk;
use super::reader::{Archive, Snapshot};
use super::select::SnapshotSelector;
use super::snapshots::SnapshotList;
use crate::error::{Error, Layer, Result};
use crate::observer::Observer;
use crate::selection::Selection;

/// What to verify.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Also decode everything, and check content digests, counts, bounds, key order and fingerprints.
    pub full: bool,
    /// One snapshot only; all of the archive where absent.
    pub at: Option<SnapshotSelector>,
    /// Some tables only.
    pub tables: Selection,
    /// The root that the chosen (or newest) snapshot must have.
    pub root: Option<[u8; 32]>,
}

impl VerifyOptions {
    /// Decode everything too.
    pub fn full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }

    /// This snapshot only.
    pub fn at(mut self, at: Option<SnapshotSelector>) -> Self {
        self.at = at;
        self
    }

    /// These tables only.
    pub fn tables(mut self, tables: Selection) -> Self {
        self.tables = tables;
        self
    }

    /// The chosen (or newest) snapshot must have this root.
    pub fn root(mut self, root: Option<[u8; 32]>) -> Self {
        self.root = root;
        self
    }
}

/// One thing that is wrong.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong, with table and offset where they are known.
    pub error: Error,
    /// The first snapshot concerned, if one is.
    pub snapshot: Option<u64>,
    /// The rows of the table that cannot be trusted, from 0.
    pub rows: Option<Range<u64>>,
    /// The column concerned, if it is one.
    pub column: Option<String>,
}

impl Finding {
    fn new(error: Error, snapshot: Option<u64>) -> Self {
        Self { error, snapshot, rows: None, column: None }
    }
}

/// What is left of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableVerdict {
    /// The first snapshot that holds the table in this form.
    pub snapshot: u64,
    /// Its name.
    pub table: String,
    /// Rows it should have.
    pub rows: u64,
    /// Rows all of whose cells are intact.
    pub intact_rows: u64,
    /// Is all of it as it should be?
    pub intact: bool,
}

/// What verification found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct VerifyReport {
    /// All that is wrong; empty for an undamaged archive.
    pub findings: Vec<Finding>,
    /// Frames whose every byte was hashed.
    pub frames: u64,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Snapshots looked at.
    pub snapshots: u64,
    /// The newest snapshot looked at: number and root.
    pub newest: Option<(u64, [u8; 32])>,
    /// Was a writer adding a snapshot meanwhile? What it had written by then was not looked at.
    pub being_written: bool,
    /// What is left of each table, each once however many snapshots share it.
    pub tables: Vec<TableVerdict>,
}

impl VerifyReport {
    /// Is nothing wrong?
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies an archive, or the part that the options choose. Fails only where it cannot go on; damage is reported.
pub fn verify(archive: &Archive, options: &VerifyOptions, observer: &dyn Observer) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    let whole = options.at.is_none() && options.tables.is_everything();
    let frames = if whole { Some(frames::hash_all(archive.container(), &mut report, observer)?) } else { None };
    let snapshots = chosen_snapshots(archive, options, &mut report)?;
    if let Some(frames) = &frames {
        let contradictions = snapshots.iter().flatten().filter_map(|snapshot| frames.contradiction(snapshot.summary()));
        report.findings.extend(contradictions.map(|error| Finding::new(error, None)));
        report.findings.extend(frames.wrong_erasures(archive.container()).map(|error| Finding::new(error, None)));
    }
    check_patterns(&snapshots, &options.tables)?;
    let mut walk = ReferenceWalk::new(archive.container(), options.full, frames, &mut report, observer);
    for snapshot in snapshots {
        match snapshot {
            Ok(snapshot) => walk.snapshot(&snapshot, &options.tables)?,
            Err(error) => walk.find(error, None),
        }
    }
    drop(walk);
    check_root(&mut report, options.root);
    sort_out(&mut report.findings);
    Ok(report)
}

fn chosen_snapshots<'a>(
    archive: &'a Archive,
    options: &VerifyOptions,
    report: &mut VerifyReport,
) -> Result<Vec<Result<Snapshot<'a>>>> {
    if let Some(selector) = &options.at {
        return Ok(vec![Ok(archive.select(selector)?)]);
    }
    let SnapshotList { snapshots, damaged } = archive.list()?;
    let none = snapshots.is_empty();
    report.findings.extend(damaged.into_iter().map(|error| Finding::new(error, None)));
    if none {
        // The list is damaged; the newest snapshot may still be whole.
        return Ok(vec![archive.select(&SnapshotSelector::Latest)]);
    }
    Ok(snapshots.into_iter().map(|summary| archive.snapshot(summary)).collect())
}

fn check_patterns(snapshots: &[Result<Snapshot<'_>>], tables: &Selection) -> Result<()> {
    let catalogs = snapshots.iter().flatten().map(Snapshot::catalog);
    let names: Vec<&str> =
        catalogs.flat_map(|catalog| catalog.tables.iter().map(|table| table.name.as_str())).collect();
    if names.is_empty() { Ok(()) } else { tables.check(names.iter().copied()) }
}

fn check_root(report: &mut VerifyReport, root: Option<[u8; 32]>) {
    if let (Some(expected), Some((number, found))) = (root, report.newest)
        && expected != found
    {
        let why = format!("snapshot {number} has the root {}, not the expected one", crate::hex::encode(&found));
        report.findings.push(Finding::new(Error::damaged(Layer::Manifest, why), Some(number)));
    }
}

/// A damaged frame is found by the first walk without a table and by the second with one: the second tells more.
fn sort_out(findings: &mut Vec<Finding>) {
    let named: HashSet<u64> = findings
        .iter()
        .filter(|finding| finding.error.table().is_some())
        .filter_map(|finding| finding.error.offset())
        .collect();
    findings.retain(|finding| {
        finding.error.table().is_some() || finding.error.offset().is_none_or(|offset| !named.contains(&offset))
    });
    findings.sort_by_key(|finding| {
        (finding.error.offset().unwrap_or(u64::MAX), finding.rows.as_ref().map(|rows| rows.start))
    });
    // Several snapshots, or the frame walk and the reference walk, may meet the same fault.
    let mut told = HashSet::new();
    findings.retain(|finding| told.insert((finding.error.to_string(), finding.rows.clone(), finding.column.clone())));
}
