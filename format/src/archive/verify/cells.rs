//! Full verification of a table: cells are decoded, and all that manifests say of them is worked out again.

use std::sync::Arc;

use rayon::prelude::*;

use super::super::column_totals::ColumnTotals;
use super::super::fingerprint::FingerprintBuilder;
use super::super::manifest::{BlockEntry, ColumnSummary, Label, SliceEntry, SnapshotManifest, label};
use super::super::pack::{Claim, Writing};
use super::super::table_reader::{GroupPlace, Table};
use super::super::tree::Leaf;
use super::frames::ChainFrames;
use crate::block::{self, BlockFacts};
use crate::container::Reference;
use crate::error::{Error, Layer, Result};
use crate::history::boundaries::Boundaries;
use crate::history::key_order::KeyOrder;
use crate::model::{Bound, Cell, Cells, Column, Kinds, Logical, RowGroup};

/// Collects what a table's blocks hold and compares it with what is said of them.
pub(super) struct TableCheck<'t, 'a> {
    table: &'t Table<'a>,
    snapshot: u64,
    frames: Option<Arc<ChainFrames>>,
    fingerprint: FingerprintBuilder,
    boundaries: Boundaries,
    order: Option<KeyOrder>,
    previous_key: Vec<OwnedCell>,
    totals: Vec<ColumnTotals>,
    /// Stored bytes of the places of layers.
    places_bytes: u64,
    claims: Vec<Claim>,
    complete: bool,
    any_group: bool,
}

/// A block that was decoded, and what is known of it.
struct Decoded {
    cells: Cells,
    facts: BlockFacts,
    stored_bytes: u64,
}

/// A key cell kept beyond its row group.
type OwnedCell = Cells;

fn owned(cell: &Cell<'_>) -> Result<OwnedCell> {
    let mut owned = Cells::new();
    owned.push(cell).map(|()| owned)
}

/// Something wrong in a row group.
pub(super) struct GroupFinding {
    pub(super) error: Error,
    pub(super) column: Option<String>,
}

impl<'t, 'a> TableCheck<'t, 'a> {
    /// For a table of this snapshot.
    pub(super) fn new(table: &'t Table<'a>, snapshot: &SnapshotManifest, frames: Option<Arc<ChainFrames>>) -> Self {
        let schema = table.schema();
        Self {
            table,
            snapshot: snapshot.number,
            frames,
            fingerprint: FingerprintBuilder::new(schema.columns.len()),
            boundaries: Boundaries::new(schema),
            order: KeyOrder::new(schema, &snapshot.source),
            previous_key: Vec::new(),
            totals: schema.columns.iter().map(|_| ColumnTotals::default()).collect(),
            places_bytes: 0,
            claims: Vec::new(),
            complete: true,
            any_group: false,
        }
    }

    /// A row group could not be looked at: totals and fingerprints of the table are out of reach.
    pub(super) fn skip(&mut self) {
        self.complete = false;
        self.previous_key.clear();
    }

    /// Checks what the directory says of a leaf page.
    pub(super) fn page(&mut self, leaf: &Leaf) -> Result<()> {
        self.claims.extend(self.table.check_page_label(leaf, self.writing(&leaf.page.frame))?);
        Ok(())
    }

    /// Takes out what directories said of slices that were met elsewhere.
    pub(super) fn take_claims(&mut self) -> Vec<Claim> {
        std::mem::take(&mut self.claims)
    }

    fn writing(&self, frame: &Reference) -> Writing {
        let writer = self.frames.as_ref().and_then(|frames| frames.writer_of(frame.offset));
        Writing { referrer: self.snapshot, writer }
    }

    /// Checks a row group whose frames are intact.
    pub(super) fn group(&mut self, place: &GroupPlace) -> Vec<GroupFinding> {
        let Ok(rows) = u32::try_from(place.entry.rows) else { return Vec::new() };
        let table = self.table;
        let reader = table.reader();
        let read = || Ok((reader.read_places(place)?, table.stored_bytes(place, place.entry.places())?));
        let places = match read() {
            Ok((places, bytes)) => {
                self.places_bytes = self.places_bytes.saturating_add(bytes);
                places
            }
            Err(error) => return vec![GroupFinding { error, column: None }],
        };
        let decoded: Vec<Result<Decoded>> = place
            .entry
            .blocks
            .par_iter()
            .enumerate()
            .map(|(column, entry)| {
                let (encoding, cells) = reader.read_block(place, column, &places)?;
                let facts = block::facts(&cells, encoding);
                compare(entry, &facts).map_err(|error| {
                    match entry.base().and_then(|base| place.frame_of(&base.slice)) {
                        Some(frame) => error.at(frame.offset),
                        None => error,
                    }
                })?;
                check_kinds(table.schema().columns.get(column), &cells)
                    .map_err(|error| error.at(place.page_offset()))?;
                Ok(Decoded { cells, facts, stored_bytes: table.stored_bytes(place, entry.slices())? })
            })
            .collect();
        let claims = self.claims(place);
        table.release(place);
        let mut findings = Vec::new();
        let mut columns = Vec::with_capacity(decoded.len());
        for ((result, column), totals) in decoded.into_iter().zip(&table.schema().columns).zip(&mut self.totals) {
            match result {
                Ok(decoded) => {
                    totals.add(&decoded.facts, decoded.stored_bytes);
                    columns.push(decoded.cells);
                }
                Err(error) => findings.push(GroupFinding { error, column: Some(column.name.clone()) }),
            }
        }
        for claim in claims {
            match claim {
                Ok(claim) => self.claims.extend(claim),
                Err(error) => findings.push(error),
            }
        }
        if findings.is_empty() {
            self.fingerprint.add_group(place.entry.rows, place.entry.blocks.iter().map(|block| &block.content));
            if let Err(error) = RowGroup::from_columns(rows, columns).and_then(|group| self.rows(&group, place)) {
                findings.push(GroupFinding { error: error.at(place.page_offset()), column: None });
            }
        }
        findings
    }

    /// What directories say of the slices of a row group.
    fn claims(&self, place: &GroupPlace) -> Vec<std::result::Result<Option<Claim>, GroupFinding>> {
        let labels: Vec<_> = place.labels().collect();
        let check = |(label, slice): &(Label, &SliceEntry)| {
            let claim = self.table.check_label(place, slice, *label, |frame| self.writing(frame));
            claim.map_err(|error| {
                let column = self.table.schema().columns.get(label.column as usize);
                let column = column.filter(|_| label.what != label::PLACES).map(|column| column.name.clone());
                GroupFinding { error, column }
            })
        };
        labels.par_iter().map(check).collect()
    }

    /// Order, boundaries and first and last keys.
    fn rows(&mut self, group: &RowGroup, place: &GroupPlace) -> Result<()> {
        let first_group = !self.any_group;
        self.any_group = true;
        let carried = std::mem::take(&mut self.previous_key);
        let mut previous: Vec<Cell<'_>> = carried.iter().filter_map(Cells::first).collect();
        let (mut wrong_order, mut wrong_boundary) = (None, None);
        let mut number = place.first_row;
        group.for_each_row(|row| {
            let starts = self.boundaries.starts_group(row);
            if self.complete && starts != (number == place.first_row && !first_group) {
                wrong_boundary.get_or_insert(number);
            }
            if let Some(order) = &self.order {
                let follows = previous.is_empty() || order.may_follow(&previous, row) != Some(false);
                if !follows || order.has_nan(row) {
                    wrong_order.get_or_insert(number);
                }
                previous.clear();
                previous.extend(order.key_of(row));
            }
            number += 1;
            Ok(())
        })?;
        self.previous_key = previous.iter().map(owned).collect::<Result<_>>()?;
        if let Some(row) = wrong_order {
            return Err(Error::damaged(Layer::Order, format!("row {row} does not come after the row before it")));
        }
        if let Some(row) = wrong_boundary {
            return Err(Error::damaged(
                Layer::Boundaries,
                format!("row groups are not cut where they should be, at row {row}"),
            ));
        }
        let key = |end: fn(&Cells) -> Option<Cell<'_>>| -> Vec<Bound> {
            let parts = self.table.schema().key.iter();
            let columns = parts.filter_map(|part| group.columns().get(part.column as usize));
            columns.filter_map(|cells| end(cells).map(|cell| Bound::of(&cell))).collect()
        };
        if key(Cells::first) != place.entry.first_key || key(Cells::last) != place.entry.last_key {
            return Err(Error::damaged(Layer::Totals, "a row group's first or last key is not the one stated"));
        }
        Ok(())
    }

    /// Compares totals and fingerprints, if all row groups could be looked at.
    pub(super) fn finish(self) -> Vec<Error> {
        let mut errors = Vec::new();
        if !self.complete {
            return errors;
        }
        let manifest = self.table.manifest();
        for ((column, totals), summary) in manifest.schema.columns.iter().zip(&self.totals).zip(&manifest.columns) {
            // Fingerprints are compared below.
            let agrees = totals.clone().summary(summary.fingerprint) == *summary;
            if !agrees {
                let why = format!("the summary of column \"{}\" is not that of its blocks", column.name);
                errors.push(Error::damaged(Layer::Totals, why));
            }
        }
        let sum = |of: fn(&ColumnSummary) -> u64| {
            manifest.columns.iter().try_fold(0_u64, |sum, column| sum.checked_add(of(column)))
        };
        let stored = sum(|column| column.stored_bytes).and_then(|bytes| bytes.checked_add(self.places_bytes));
        let sizes = (sum(|column| column.logical_bytes), stored);
        if sizes != (Some(manifest.logical_bytes), Some(manifest.stored_bytes)) {
            errors.push(Error::damaged(Layer::Totals, "a table's sizes are not the sums of its columns'"));
        }
        let found = self.fingerprint.finish(&manifest.schema);
        let columns_agree =
            found.columns.iter().zip(&manifest.columns).all(|(found, column)| *found == column.fingerprint);
        if found.table != manifest.fingerprint || !columns_agree {
            errors.push(Error::damaged(Layer::Fingerprint, "a fingerprint is not that of the table's rows"));
        }
        errors
    }
}

/// Looks for cells of kinds that the column's logical type has not.
fn check_kinds(column: Option<&Column>, cells: &Cells) -> Result<()> {
    let logical = column.map_or(Logical::Any, Column::logical_type);
    let fits = match cells.kinds() {
        _ if logical == Logical::Any => true,
        Kinds::Uniform(kind) => logical.may_hold(*kind),
        Kinds::Mixed(kinds) => kinds.iter().all(|kind| logical.may_hold(*kind)),
    };
    if fits {
        return Ok(());
    }
    Err(Error::damaged(Layer::Cells, format!("a column of the logical type {logical} holds cells of other kinds")))
}

/// Compares what a page says of a block with what it holds.
fn compare(entry: &BlockEntry, facts: &BlockFacts) -> Result<()> {
    let (minimum, maximum) = facts.range.clone().unzip();
    if entry.content != facts.content {
        return Err(Error::damaged(Layer::Content, "a block's cells differ from their content digest"));
    }
    if entry.nulls != facts.nulls || entry.logical_bytes != facts.logical_bytes {
        return Err(Error::damaged(Layer::Totals, "a block has other counts than its entry states"));
    }
    if entry.minimum != minimum || entry.maximum != maximum {
        return Err(Error::damaged(Layer::Totals, "a block has other bounds than its entry states"));
    }
    Ok(())
}
