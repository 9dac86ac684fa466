//! Verification: every stored byte, and on request every cell, with all findings instead of the first.
//!
//! Two walks make it up. The first goes through the file frame by frame and hashes bodies on all cores: it sees every
//! stored byte. The second goes down the references from the snapshots: it sees that all is there and says which tables and
//! rows a damaged frame takes with it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use rayon::prelude::*;

use super::full::TableCheck;
use super::manifest::{SliceReference, TableEntry};
use super::reader::{Archive, Snapshot};
use super::table_reader::{Table, group_places};
use crate::archive::SnapshotSelector;
use crate::container::{ContainerReader, FrameHeader, FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::observer::{Observer, Phase, check_cancelled};
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
    let mut walk = Walk {
        container: archive.container(),
        full: options.full,
        hashed: None,
        seen: HashMap::new(),
        report: VerifyReport::default(),
        observer,
    };
    if options.at.is_none() && options.tables.is_everything() {
        walk.hash_all_frames()?;
    }
    let snapshots = match &options.at {
        None => match archive.snapshots() {
            Ok(list) => list.into_iter().map(|summary| archive.snapshot(summary)).collect(),
            Err(error) => {
                walk.find(error, None);
                vec![archive.select(&SnapshotSelector::Latest)]
            }
        },
        Some(selector) => vec![Ok(archive.select(selector)?)],
    };
    walk.check_patterns(&snapshots, &options.tables)?;
    for snapshot in &snapshots {
        match snapshot {
            Ok(snapshot) => walk.snapshot(snapshot, &options.tables)?,
            Err(error) => walk.find_copy(error),
        }
    }
    walk.check_root(options.root);
    let mut report = walk.report;
    sort_out(&mut report.findings);
    Ok(report)
}

/// The state of a verification.
struct Walk<'a> {
    container: &'a ContainerReader,
    full: bool,
    /// Damaged frames by offset, where the first walk has been through the whole file.
    hashed: Option<BTreeMap<u64, Span>>,
    /// Tables looked at: later snapshots may share them.
    seen: HashMap<SliceReference, ()>,
    report: VerifyReport,
    observer: &'a dyn Observer,
}

/// A stretch of the file that cannot be trusted.
struct Span {
    end: u64,
}

/// Frames hashed before progress is told and cancellation asked.
const BATCH: usize = 1024;

impl<'a> Walk<'a> {
    fn find(&mut self, error: Error, snapshot: Option<u64>) {
        self.report.findings.push(Finding { error, snapshot, rows: None, column: None });
    }

    fn find_copy(&mut self, error: &Error) {
        self.find(error.copy(), None);
    }

    fn check_patterns(&self, snapshots: &[Result<Snapshot<'a>>], tables: &Selection) -> Result<()> {
        let names: Vec<&str> = snapshots
            .iter()
            .flatten()
            .flat_map(|snapshot| snapshot.catalog().tables.iter().map(|table| table.name.as_str()))
            .collect();
        if names.is_empty() { Ok(()) } else { tables.check(names.iter().copied()) }
    }

    fn check_root(&mut self, root: Option<[u8; 32]>) {
        if let (Some(expected), Some((number, found))) = (root, self.report.newest)
            && expected != found
        {
            let why = format!("snapshot {number} has the root {}, not the expected one", crate::hex::encode(&found));
            self.find(Error::damaged(Layer::Manifest, why), Some(number));
        }
    }

    /// The first walk: from the archive header to the end of the file, every byte.
    fn hash_all_frames(&mut self) -> Result<()> {
        let end = self.container.last().end();
        self.observer.begin(Phase::Verify, None, None, Some(end));
        let mut damaged = BTreeMap::new();
        let mut offset = crate::container::layout::HEADER_LENGTH as u64;
        self.report.bytes += offset;
        while offset < end {
            check_cancelled(self.observer)?;
            let mut batch: Vec<(u64, FrameHeader)> = Vec::with_capacity(BATCH);
            while offset < end && batch.len() < BATCH {
                match self.container.header_at(offset) {
                    Ok(header) => {
                        let length = header.frame_length().unwrap_or(u64::MAX);
                        batch.push((offset, header));
                        offset = offset.saturating_add(length);
                    }
                    Err(error) => {
                        let next = self.container.next_frame_after(offset)?.unwrap_or(end).min(end);
                        damaged.insert(offset, Span { end: next });
                        let lost = next - offset;
                        self.find(error.at(offset).noting(format!("{lost} bytes cannot be read as frames")), None);
                        offset = next;
                    }
                }
            }
            self.hash_batch(&batch, &mut damaged)?;
        }
        self.hashed = Some(damaged);
        let tail = self.container.last().tail;
        if tail > 0 {
            let why = format!("{tail} bytes after the last commit belong to no snapshot");
            let hint =
                "an append that did not finish, or a damaged commit; the next dump into the archive cuts them off";
            self.find(Error::damaged(Layer::Tail, why).at(end).with_hint(hint), None);
        }
        Ok(())
    }

    fn hash_batch(&mut self, batch: &[(u64, FrameHeader)], damaged: &mut BTreeMap<u64, Span>) -> Result<()> {
        let container = self.container;
        let observer = self.observer;
        let results: Vec<Result<()>> = batch
            .par_iter()
            .map(|(offset, header)| {
                container.check_body(*offset, header)?;
                observer.advance(0, header.frame_length().unwrap_or(0));
                Ok(())
            })
            .collect();
        for ((offset, header), result) in batch.iter().zip(results) {
            let length = header.frame_length().unwrap_or(0);
            self.report.frames += 1;
            self.report.bytes += length;
            match result {
                Ok(()) => {}
                Err(error) if error.is_damaged() => {
                    damaged.insert(*offset, Span { end: offset + length });
                    self.find(error, None);
                }
                Err(error) => return Err(error),
            }
            if let Err(error) = header.known_kind()
                && !header.is_optional()
            {
                self.find(error.at(*offset), None);
            }
        }
        Ok(())
    }

    /// The second walk: down from one snapshot.
    fn snapshot(&mut self, snapshot: &Snapshot<'a>, tables: &Selection) -> Result<()> {
        let number = snapshot.summary().number;
        self.report.snapshots += 1;
        self.report.newest = Some((number, snapshot.summary().root()));
        for entry in snapshot.catalog().tables.iter().filter(|entry| tables.takes(&entry.name)) {
            check_cancelled(self.observer)?;
            if self.seen.insert(entry.manifest, ()).is_none() {
                self.table(snapshot, entry, number)?;
            }
        }
        if self.full && tables.is_everything() {
            let entries = &snapshot.catalog().tables;
            let fingerprints = entries.iter().map(|entry| (entry.name.as_str(), &entry.fingerprint));
            let manifest = snapshot.manifest();
            if super::fingerprint::snapshot_fingerprint(fingerprints) != manifest.fingerprint {
                let error = Error::damaged(Layer::Fingerprint, "the snapshot's fingerprint is not that of its tables");
                self.find(error.at(snapshot.summary().manifest.offset), Some(number));
            }
        }
        Ok(())
    }

    fn table(&mut self, snapshot: &Snapshot<'a>, entry: &TableEntry, number: u64) -> Result<()> {
        let before = self.report.findings.len();
        let mut lost = 0;
        match snapshot.open_table(entry) {
            Ok(table) => lost = self.groups(&table, number)?,
            Err(error) => {
                let error = error.noting("the whole table cannot be read");
                let finding = Finding { error, snapshot: Some(number), rows: Some(0..entry.rows), column: None };
                self.report.findings.push(finding);
                lost += entry.rows;
            }
        }
        self.report.tables.push(TableVerdict {
            snapshot: number,
            table: entry.name.clone(),
            rows: entry.rows,
            intact_rows: entry.rows.saturating_sub(lost),
            intact: self.report.findings.len() == before,
        });
        Ok(())
    }

    /// Looks at all row groups of a table; gives the number of rows that are lost.
    fn groups(&mut self, table: &Table<'a>, number: u64) -> Result<u64> {
        let name = &table.schema().name;
        let mut lost = 0;
        let mut check = self.full.then(|| TableCheck::new(table, number));
        if self.full {
            self.observer.begin(Phase::Check, Some(name), Some(table.manifest().rows), None);
        }
        for leaf in table.leaves() {
            check_cancelled(self.observer)?;
            let leaf = match leaf {
                Ok(leaf) => leaf,
                Err(unreachable) => {
                    let rows = unreachable.first_row..unreachable.first_row.saturating_add(unreachable.rows);
                    lost += unreachable.rows;
                    let error = unreachable.error.in_table(name);
                    self.report.findings.push(Finding {
                        error,
                        snapshot: Some(number),
                        rows: Some(rows),
                        column: None,
                    });
                    check = None;
                    continue;
                }
            };
            let verdicts = self.check_frames(&leaf.frames);
            for place in group_places(leaf) {
                let rows = place.first_row..place.first_row.saturating_add(place.entry.rows);
                let mut group_lost = false;
                for (column, block) in table.schema().columns.iter().zip(&place.entry.blocks) {
                    if let Some(Err(error)) = verdicts.get(block.frame as usize) {
                        group_lost = true;
                        self.report.findings.push(Finding {
                            error: error.copy().in_table(name),
                            snapshot: Some(number),
                            rows: Some(rows.clone()),
                            column: Some(column.name.clone()),
                        });
                    }
                }
                if !group_lost && let Some(check) = &mut check {
                    for finding in check.group(&place) {
                        group_lost = true;
                        let error = finding.error.in_table(name);
                        self.report.findings.push(Finding {
                            error,
                            snapshot: Some(number),
                            rows: Some(rows.clone()),
                            column: finding.column,
                        });
                    }
                    self.observer
                        .advance(place.entry.rows, place.entry.blocks.iter().map(|block| block.logical_bytes).sum());
                }
                if group_lost {
                    lost += place.entry.rows;
                    if let Some(check) = &mut check {
                        check.skip();
                    }
                }
            }
        }
        for error in check.map(TableCheck::finish).unwrap_or_default() {
            self.report.findings.push(Finding {
                error: error.in_table(name),
                snapshot: Some(number),
                rows: None,
                column: None,
            });
        }
        Ok(lost)
    }

    /// Checks that the frames of a page are there, and that their bodies are intact.
    fn check_frames(&mut self, frames: &[Reference]) -> Vec<Result<()>> {
        let (container, observer, hashed) = (self.container, self.observer, self.hashed.as_ref());
        let verdicts: Vec<Result<()>> = frames
            .par_iter()
            .map(|frame| {
                let header = container.resolve(frame, FrameKind::Data)?;
                match hashed {
                    Some(damaged) if !overlaps(damaged, frame) => Ok(()),
                    _ => {
                        container.check_body(frame.offset, &header)?;
                        observer.advance(0, frame.length);
                        Ok(())
                    }
                }
            })
            .collect();
        if hashed.is_none() {
            self.report.frames += frames.len() as u64;
            self.report.bytes += frames.iter().map(|frame| frame.length).sum::<u64>();
        }
        verdicts
    }
}

fn overlaps(damaged: &BTreeMap<u64, Span>, frame: &Reference) -> bool {
    let end = frame.end().unwrap_or(u64::MAX);
    damaged.range(..end).next_back().is_some_and(|(_, span)| span.end > frame.offset)
}

/// A damaged frame is found by the first walk without a table and by the second with one: the second tells more.
fn sort_out(findings: &mut Vec<Finding>) {
    let named: std::collections::HashSet<u64> = findings
        .iter()
        .filter(|finding| finding.error.table().is_some())
        .filter_map(|finding| finding.error.offset())
        .collect();
    findings.retain(|finding| {
        finding.error.table().is_some() || finding.error.offset().is_none_or(|offset| !named.contains(&offset))
    });
    findings
        .sort_by_key(|finding| (finding.error.offset().unwrap_or(u64::MAX), finding.rows.as_ref().map(|r| r.start)));
}
