//! The second walk: down the references from the snapshots, to see that all is there and which rows damage takes along.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::cells::TableCheck;
use super::claims;
use super::frames::ChainFrames;
use super::{Finding, TableVerdict, VerifyReport};
use crate::archive::fingerprint::snapshot_fingerprint;
use crate::archive::manifest::{SliceEntry, SliceReference, SnapshotManifest, TableEntry};
use crate::archive::pack::Claim;
use crate::archive::reader::Snapshot;
use crate::archive::table_reader::{GroupPlace, Table, group_places};
use crate::archive::tree::{Leaf, Unreachable};
use crate::container::{ContainerReader, FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::observer::{Observer, Phase, check_cancelled};
use crate::selection::Selection;

/// Bytes of a frame that come into memory when its header is looked at, about: a mapped file is read in pieces.
const HEADER_READ: u64 = 64 << 10;

/// The state of the walk.
pub(super) struct ReferenceWalk<'a, 'r> {
    container: &'a ContainerReader,
    full: bool,
    /// What the first walk found, if it went through the whole file.
    frames: Option<Arc<ChainFrames>>,
    /// Tables looked at, with their logical bytes: later snapshots may share them.
    seen: HashMap<SliceReference, Option<u64>>,
    /// What directories say of slices of this snapshot that were met elsewhere.
    claims: Vec<Claim>,
    report: &'r mut VerifyReport,
    observer: &'r dyn Observer,
}

impl<'a, 'r> ReferenceWalk<'a, 'r> {
    pub(super) fn new(
        container: &'a ContainerReader,
        full: bool,
        frames: Option<ChainFrames>,
        report: &'r mut VerifyReport,
        observer: &'r dyn Observer,
    ) -> Self {
        Self {
            container,
            full,
            frames: frames.map(Arc::new),
            seen: HashMap::new(),
            claims: Vec::new(),
            report,
            observer,
        }
    }

    pub(super) fn find(&mut self, error: Error, snapshot: Option<u64>) {
        self.report.findings.push(Finding::new(error, snapshot));
    }

    /// Looks at one snapshot, and at those of its tables that the selection takes.
    pub(super) fn snapshot(&mut self, snapshot: &Snapshot<'a>, tables: &Selection) -> Result<()> {
        let manifest = snapshot.manifest();
        self.report.snapshots += 1;
        self.report.newest = Some((manifest.number, snapshot.summary().root()));
        for reference in [&snapshot.summary().manifest, &manifest.catalog] {
            self.check_on_chain(reference, manifest.number);
        }
        for entry in snapshot.catalog().tables.iter().filter(|entry| tables.takes(&entry.name)) {
            check_cancelled(self.observer)?;
            if !self.seen.contains_key(&entry.manifest) {
                self.check_on_chain(&entry.manifest.frame, manifest.number);
                let logical_bytes = self.table(snapshot, entry)?;
                self.seen.insert(entry.manifest, logical_bytes);
            }
        }
        for error in claims::check(snapshot, std::mem::take(&mut self.claims))? {
            self.find(error, Some(manifest.number));
        }
        if self.full {
            let tables = snapshot.catalog().tables.iter();
            let known: Option<Vec<u64>> = tables.map(|entry| *self.seen.get(&entry.manifest)?).collect();
            if known.is_some_and(|bytes| total(bytes.into_iter()) != manifest.logical_bytes) {
                let error = Error::damaged(Layer::Totals, "the snapshot's logical bytes are not those of its tables");
                self.find(error.at(snapshot.summary().manifest.offset), Some(manifest.number));
            }
            let entries = &snapshot.catalog().tables;
            let found = snapshot_fingerprint(entries.iter().map(|entry| (entry.name.as_str(), &entry.fingerprint)));
            if found != manifest.fingerprint {
                let error = Error::damaged(Layer::Fingerprint, "the snapshot's fingerprint is not that of its tables");
                self.find(error.at(snapshot.summary().manifest.offset), Some(manifest.number));
            }
        }
        Ok(())
    }

    /// A reference may lead to bytes in a frame's body that look like a frame; it must not.
    fn check_on_chain(&mut self, reference: &Reference, snapshot: u64) {
        if self.frames.as_ref().is_some_and(|frames| !frames.holds(reference.offset)) {
            self.find(off_chain(reference), Some(snapshot));
        }
    }

    /// Looks at one table; gives its logical bytes, if its manifest can be read.
    fn table(&mut self, snapshot: &Snapshot<'a>, entry: &TableEntry) -> Result<Option<u64>> {
        let number = snapshot.manifest().number;
        let before = self.report.findings.len();
        let mut logical_bytes = None;
        let lost = match snapshot.open_table(entry) {
            Ok(table) => {
                logical_bytes = Some(table.manifest().logical_bytes);
                let writer = self.frames.as_ref().and_then(|frames| frames.writer_of(entry.manifest.frame.offset));
                if self.full
                    && let Err(error) = snapshot.check_manifest_label(entry, writer)
                {
                    self.find(error.in_table(&entry.name), Some(number));
                }
                self.groups(&table, snapshot.manifest())?
            }
            Err(error) if error.is_io() => return Err(error),
            Err(error) => {
                let error = error.noting("the whole table cannot be read");
                self.report.findings.push(Finding {
                    error,
                    snapshot: Some(number),
                    rows: Some(0..entry.rows),
                    column: None,
                });
                entry.rows
            }
        };
        self.report.tables.push(TableVerdict {
            snapshot: number,
            table: entry.name.clone(),
            rows: entry.rows,
            intact_rows: entry.rows.saturating_sub(lost),
            intact: self.report.findings.len() == before,
        });
        Ok(logical_bytes)
    }

    /// Looks at all row groups of a table; gives the number of rows that are lost.
    fn groups(&mut self, table: &Table<'a>, snapshot: &SnapshotManifest) -> Result<u64> {
        let name = &table.schema().name;
        let mut lost = 0_u64;
        let mut check = self.full.then(|| TableCheck::new(table, snapshot, self.frames.clone()));
        if self.full {
            self.observer.begin(Phase::Check, Some(name), Some(table.manifest().rows), None);
        }
        for leaf in table.leaves() {
            check_cancelled(self.observer)?;
            match leaf {
                Ok(leaf) => lost = lost.saturating_add(self.leaf(table, leaf, check.as_mut(), snapshot)?),
                Err(Unreachable { error, .. }) if error.is_io() => return Err(error),
                Err(Unreachable { error, first_row, rows }) => {
                    lost = lost.saturating_add(rows);
                    let rows = first_row..first_row.saturating_add(rows);
                    self.in_rows(error.in_table(name), snapshot, rows, None);
                    if let Some(check) = &mut check {
                        check.skip();
                    }
                }
            }
        }
        if let Some(check) = &mut check {
            self.claims.extend(check.take_claims());
        }
        for error in check.map(TableCheck::finish).unwrap_or_default() {
            self.find(error.in_table(name), Some(snapshot.number));
        }
        Ok(lost)
    }

    fn in_rows(&mut self, error: Error, snapshot: &SnapshotManifest, rows: Range<u64>, column: Option<String>) {
        self.report.findings.push(Finding { error, snapshot: Some(snapshot.number), rows: Some(rows), column });
    }

    fn leaf(
        &mut self,
        table: &Table<'a>,
        leaf: Leaf,
        mut check: Option<&mut TableCheck<'_, 'a>>,
        snapshot: &SnapshotManifest,
    ) -> Result<u64> {
        let name = &table.schema().name;
        let mut lost = 0;
        self.check_on_chain(&leaf.page.frame, snapshot.number);
        if let Some(check) = &mut check
            && let Err(error) = check.page(&leaf)
        {
            self.find(error.in_table(name), Some(snapshot.number));
        }
        let verdicts = self.check_frames(&leaf.frames)?;
        for place in group_places(leaf) {
            let rows = place.first_row..place.first_row.saturating_add(place.entry.rows);
            let mut intact = true;
            for (column, error) in broken_slices(table, &place, &verdicts) {
                intact = false;
                self.in_rows(error.in_table(name), snapshot, rows.clone(), column);
            }
            if intact && let Some(check) = &mut check {
                intact = self.check_cells(check, &place, name, snapshot);
            }
            if !intact {
                lost += place.entry.rows;
                if let Some(check) = &mut check {
                    check.skip();
                }
            }
        }
        Ok(lost)
    }

    fn check_cells(
        &mut self,
        check: &mut TableCheck<'_, 'a>,
        place: &GroupPlace,
        name: &str,
        snapshot: &SnapshotManifest,
    ) -> bool {
        let rows = place.first_row..place.first_row.saturating_add(place.entry.rows);
        let findings = check.group(place);
        let intact = findings.is_empty();
        for finding in findings {
            self.in_rows(finding.error.in_table(name), snapshot, rows.clone(), finding.column);
        }
        let bytes = total(place.entry.blocks.iter().map(|block| block.logical_bytes));
        self.observer.advance(place.entry.rows, bytes);
        intact
    }

    /// Of each frame of a page: its raw length, or what is wrong with it.
    fn check_frames(&mut self, frames: &[Reference]) -> Result<Vec<Result<u64>>> {
        let (container, observer, chain) = (self.container, self.observer, self.frames.as_ref());
        // What the first walk kept of a frame is all that is asked here: neither its bytes nor other threads are needed.
        let known: Option<Vec<Result<u64>>> = frames
            .iter()
            .map(|frame| {
                let header = chain?.header(frame.offset)?;
                Some(container.check_leads_to(frame, FrameKind::Data, header).map(|()| header.raw_length))
            })
            .collect();
        if let Some(known) = known {
            return Ok(known);
        }
        let verdicts: Vec<Result<u64>> = frames
            .par_iter()
            .map(|frame| {
                let header = container.resolve(frame, FrameKind::Data)?;
                let mut read = frame.length;
                match chain {
                    Some(chain) if chain.holds(frame.offset) => read = read.min(HEADER_READ),
                    Some(_) => {
                        container.check_body(frame.offset, &header)?;
                        return Err(off_chain(frame));
                    }
                    None => {
                        container.check_body(frame.offset, &header)?;
                        observer.advance(0, frame.length);
                    }
                }
                container.release(frame.offset, read);
                Ok(header.raw_length)
            })
            .collect();
        if chain.is_none() {
            self.report.frames += frames.len() as u64;
            self.report.bytes += frames.iter().map(|frame| frame.length).sum::<u64>();
        }
        verdicts
            .into_iter()
            .map(|verdict| match verdict {
                // Damage is a finding; a medium that fails ends the verification.
                Err(error) if error.is_io() => Err(error),
                verdict => Ok(verdict),
            })
            .collect()
    }
}

/// A sum of what a file states: too much is as wrong as anything else, and must not end the program.
fn total(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

/// What of a row group is not intact: a column by its name, or all of it. `verdicts` are those of the page's frames.
fn broken_slices(table: &Table<'_>, place: &GroupPlace, verdicts: &[Result<u64>]) -> Vec<(Option<String>, Error)> {
    let verdict = |slice: &SliceEntry| match verdicts.get(slice.frame as usize) {
        Some(Ok(raw_length)) if !fits(slice, *raw_length) => {
            let why = "a column block that is not inside its frame";
            Some(Error::damaged(Layer::Block, why).at(place.page_offset()))
        }
        Some(Err(error)) => Some(error.copy()),
        _ => None,
    };
    let places = place.entry.places().find_map(verdict).map(|error| (None, error));
    let columns = table.schema().columns.iter().zip(&place.entry.blocks);
    let blocks =
        columns.filter_map(|(column, block)| Some((Some(column.name.clone()), block.slices().find_map(verdict)?)));
    places.into_iter().chain(blocks).collect()
}

/// Does a slice lie inside a raw body of this length, behind at least the directory's length?
fn fits(slice: &SliceEntry, raw_length: u64) -> bool {
    slice.start >= 4 && slice.start.checked_add(slice.length).is_some_and(|end| end <= raw_length)
}

fn off_chain(reference: &Reference) -> Error {
    Error::damaged(Layer::Reference, "a reference leads to what is no intact frame of the chain").at(reference.offset)
}
