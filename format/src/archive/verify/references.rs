//! The second walk: down the references from the snapshots, to see that all is there and which rows damage takes along.

use std::collections::HashSet;
use std::ops::Range;

use rayon::prelude::*;

use super::cells::TableCheck;
use super::frames::ChainFrames;
use super::{Finding, TableVerdict, VerifyReport};
use crate::archive::fingerprint::snapshot_fingerprint;
use crate::archive::manifest::{SliceReference, SnapshotManifest, TableEntry};
use crate::archive::reader::Snapshot;
use crate::archive::table_reader::{GroupPlace, Table, group_places};
use crate::archive::tree::{Leaf, Unreachable};
use crate::container::{ContainerReader, FrameKind, Reference};
use crate::error::{Error, Layer, Result};
use crate::observer::{Observer, Phase, check_cancelled};
use crate::selection::Selection;

/// The state of the walk.
pub(super) struct ReferenceWalk<'a, 'r> {
    container: &'a ContainerReader,
    full: bool,
    /// What the first walk found, if it went through the whole file.
    frames: Option<ChainFrames>,
    /// Tables looked at: later snapshots may share them.
    seen: HashSet<SliceReference>,
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
        Self { container, full, frames, seen: HashSet::new(), report, observer }
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
            if self.seen.insert(entry.manifest) {
                self.check_on_chain(&entry.manifest.frame, manifest.number);
                self.table(snapshot, entry)?;
            }
        }
        if self.full {
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

    fn table(&mut self, snapshot: &Snapshot<'a>, entry: &TableEntry) -> Result<()> {
        let number = snapshot.manifest().number;
        let before = self.report.findings.len();
        let lost = match snapshot.open_table(entry) {
            Ok(table) => {
                if self.full
                    && let Err(error) = snapshot.check_manifest_label(entry)
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
        Ok(())
    }

    /// Looks at all row groups of a table; gives the number of rows that are lost.
    fn groups(&mut self, table: &Table<'a>, snapshot: &SnapshotManifest) -> Result<u64> {
        let name = &table.schema().name;
        let mut lost = 0_u64;
        let mut check = self.full.then(|| TableCheck::new(table, snapshot));
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
            for (column, block) in table.schema().columns.iter().zip(&place.entry.blocks) {
                if let Some(Some(error)) = verdicts.get(block.frame as usize) {
                    intact = false;
                    self.in_rows(error.copy().in_table(name), snapshot, rows.clone(), Some(column.name.clone()));
                }
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
        self.observer.advance(place.entry.rows, place.entry.blocks.iter().map(|block| block.logical_bytes).sum());
        intact
    }

    /// What is wrong with each frame of a page, if anything.
    fn check_frames(&mut self, frames: &[Reference]) -> Result<Vec<Option<Error>>> {
        let (container, observer, chain) = (self.container, self.observer, self.frames.as_ref());
        let verdicts: Vec<Option<Error>> = frames
            .par_iter()
            .map(|frame| {
                let header = container.resolve(frame, FrameKind::Data)?;
                match chain {
                    Some(chain) if chain.holds(frame.offset) => Ok(()),
                    Some(_) => container.check_body(frame.offset, &header).and_then(|()| Err(off_chain(frame))),
                    None => {
                        container.check_body(frame.offset, &header)?;
                        observer.advance(0, frame.length);
                        Ok(())
                    }
                }
            })
            .map(Result::err)
            .collect();
        if chain.is_none() {
            self.report.frames += frames.len() as u64;
            self.report.bytes += frames.iter().map(|frame| frame.length).sum::<u64>();
        }
        match verdicts.iter().position(|verdict| verdict.as_ref().is_some_and(Error::is_io)) {
            Some(failed) => Err(verdicts.into_iter().nth(failed).flatten().unwrap_or_else(Error::interrupted)),
            None => Ok(verdicts),
        }
    }
}

fn off_chain(reference: &Reference) -> Error {
    Error::damaged(Layer::Reference, "a reference leads to what is no intact frame of the chain").at(reference.offset)
}
