//! Two runs of rows beside each other, of which no row has its counterpart elsewhere.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::slice;
use std::sync::Arc;

use super::columns::Pairing;
use super::groups::Loaded;
use super::report::{ChangeKind, ChangeSink, NamedCell, RowChange, RowCounts};
use crate::error::Result;
use crate::history::align::{align, row_hashes};
use crate::history::patch::changed_rows;
use crate::model::{Cell, Cells, CellsIter, Places, TableSchema};

/// Takes down what differs in a table.
pub(crate) struct Tally<'p, 's, 'k> {
    pub(crate) pairing: &'p Pairing<'s>,
    pub(crate) counts: RowCounts,
    /// By common column: rows that changed in it.
    pub(crate) by_column: Vec<u64>,
    pub(crate) sink: Option<&'k mut dyn ChangeSink>,
}

impl<'p, 's, 'k> Tally<'p, 's, 'k> {
    pub(crate) fn new(pairing: &'p Pairing<'s>, sink: Option<&'k mut dyn ChangeSink>) -> Self {
        Self { pairing, counts: RowCounts::default(), by_column: vec![0; pairing.common.len()], sink }
    }

    /// The counts, by names of columns.
    pub(crate) fn finish(self) -> RowCounts {
        let mut counts = self.counts;
        for ((_, column), rows) in self.pairing.common.iter().zip(&self.by_column) {
            if let Some(column) = self.pairing.after.columns.get(*column).filter(|_| *rows > 0) {
                counts.columns.push((column.name.clone(), *rows));
            }
        }
        counts
    }

    /// Rows that only one side has: of all columns, if rows are asked for.
    pub(crate) fn alone(&mut self, rows: &Loaded, kind: ChangeKind) -> Result<()> {
        self.count_alone(u64::from(rows.rows), kind);
        if self.sink.is_none() {
            return Ok(());
        }
        let (nothing, all) = (Loaded::default(), (0..rows.rows).collect());
        if kind == ChangeKind::Removed {
            self.send(rows, &nothing, &Places { deleted: all, inserted: Vec::new() }, &[])
        } else {
            self.send(&nothing, rows, &Places { deleted: Vec::new(), inserted: all }, &[])
        }
    }

    /// The same for rows that nobody wants to see.
    pub(crate) fn count_alone(&mut self, rows: u64, kind: ChangeKind) {
        let count = if kind == ChangeKind::Removed { &mut self.counts.removed } else { &mut self.counts.added };
        *count = count.saturating_add(rows);
    }

    /// One row that only one side has: one cell per column of that side's schema.
    pub(crate) fn one(&mut self, row: &[Cell<'_>], kind: ChangeKind) -> Result<()> {
        self.count_alone(1, kind);
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let pairing = self.pairing;
        let is_old = kind == ChangeKind::Removed;
        let schema = if is_old { pairing.before } else { pairing.after };
        let row: Vec<Option<Cell<'_>>> = row.iter().copied().map(Some).collect();
        let side: fn(&(usize, usize)) -> usize = if is_old { |pair| pair.0 } else { |pair| pair.1 };
        let (key, cells) = (key_of(pairing, &row, side, schema), all_of(schema, &row));
        let (before, after): (&[_], &[_]) = if is_old { (&cells, &[]) } else { (&[], &cells) };
        sink.row(&RowChange { table: &pairing.after.name, kind, key: &key, before, after })
    }

    /// Rows of both sides with the same keys in the same order; of the other columns, those that were read are compared.
    pub(crate) fn in_step(&mut self, before: &Loaded, after: &Loaded) -> Result<()> {
        self.compare(before, after, &Places::default())
    }

    /// Rows of both sides, which their keys tell apart.
    pub(crate) fn by_key(&mut self, before: &Loaded, after: &Loaded) -> Result<()> {
        let keys = |loaded: &'_ Loaded, of: fn(&(usize, usize)) -> usize| -> Vec<_> {
            self.pairing.key.iter().filter_map(|pair| loaded.column(of(pair)).cloned()).collect()
        };
        let (old, new) = (keys(before, |pair| pair.0), keys(after, |pair| pair.1));
        let hashes = |keys: &[Arc<Cells>]| row_hashes(&keys.iter().map(AsRef::as_ref).collect::<Vec<_>>());
        let mut places = align(&hashes(&old), &hashes(&new));
        let mut collided: Vec<u32> =
            old.iter().zip(&new).flat_map(|(old, new)| changed_rows(old, new, &places)).collect();
        if !collided.is_empty() {
            collided.sort_unstable();
            collided.dedup();
            part(&mut places, &collided);
        }
        self.count_alone(places.deleted.len() as u64, ChangeKind::Removed);
        self.count_alone(places.inserted.len() as u64, ChangeKind::Added);
        self.compare(before, after, &places)
    }

    fn compare(&mut self, before: &Loaded, after: &Loaded, places: &Places) -> Result<()> {
        let mut by_column = Vec::new();
        for (pair, count) in self.pairing.common.iter().zip(&mut self.by_column) {
            let (Some(old), Some(new)) = (before.column(pair.0), after.column(pair.1)) else { continue };
            if self.pairing.is_key(*pair) || (places.is_empty() && Arc::ptr_eq(old, new)) {
                continue;
            }
            let rows = changed_rows(old, new, places);
            *count = count.saturating_add(rows.len() as u64);
            if !rows.is_empty() {
                by_column.push(Changed { pair: *pair, rows });
            }
        }
        let mut rows: Vec<u32> = by_column.iter().flat_map(|changed| changed.rows.iter().copied()).collect();
        rows.sort_unstable();
        rows.dedup();
        self.counts.changed = self.counts.changed.saturating_add(rows.len() as u64);
        if !rows.is_empty() || !places.is_empty() {
            self.send(before, after, places, &by_column)?;
        }
        Ok(())
    }

    /// Sends the rows that differ, in the order of their keys as far as that is known.
    fn send(&mut self, before: &Loaded, after: &Loaded, places: &Places, changed: &[Changed]) -> Result<()> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let mut sender = Sender {
            pairing: self.pairing,
            old: RowReader::new(self.pairing.before, before),
            new: RowReader::new(self.pairing.after, after),
            changed: changed.iter().map(|column| (column.pair, column.rows.iter().peekable())).collect(),
            sink: *sink,
        };
        let (mut deleted, mut inserted) = (places.deleted.iter().peekable(), places.inserted.iter().peekable());
        // How many rows of the state after stand before a deleted one, and the other way round, follows from how many of
        // either sort came before: all others are in step.
        let (mut gone, mut come) = (0_u32, 0_u32);
        loop {
            let removal = deleted.peek().map(|row| (row.saturating_sub(gone), **row));
            let addition = inserted.peek().map(|row| (row.saturating_sub(come), **row));
            let change = sender.next_changed().map(|row| (row.saturating_sub(come), row));
            // Ordinals among the rows that both states have: a row that went or came stands before the one of its ordinal.
            let step = |place: Option<(u32, u32)>| place.map(|(step, _)| step);
            let first = [step(removal), step(addition), step(change)].into_iter().flatten().min();
            let Some(first) = first else { return Ok(()) };
            let removal = removal.filter(|(step, _)| *step == first);
            let addition = addition.filter(|(step, _)| *step == first);
            match (removal, addition, change) {
                (Some((_, old)), Some((_, new)), _) if sender.comes_after(old, new) => {
                    sender.added(new)?;
                    inserted.next();
                    come += 1;
                }
                (Some((_, old)), _, _) => {
                    sender.removed(old)?;
                    deleted.next();
                    gone += 1;
                }
                (None, Some((_, new)), _) => {
                    sender.added(new)?;
                    inserted.next();
                    come += 1;
                }
                (None, None, Some((_, new))) => sender.changed((new - come) + gone, new)?,
                (None, None, None) => return Ok(()),
            }
        }
    }
}

/// A common column, and the ordinals after of the rows that changed in it.
struct Changed {
    pair: (usize, usize),
    rows: Vec<u32>,
}

/// Takes rows of the state after, which were laid beside others by mistake, for new ones, and those others for deleted.
fn part(places: &mut Places, collided: &[u32]) {
    let (mut gone, mut come) = (places.deleted.iter().peekable(), places.inserted.iter().peekable());
    let (mut deleted, mut inserted) = (0_u32, 0_u32);
    let mut old_rows = Vec::new();
    for row in collided {
        while come.next_if(|new| *new < row).is_some() {
            inserted += 1;
        }
        let step = row.saturating_sub(inserted);
        while gone.next_if(|old| old.saturating_sub(deleted) <= step).is_some() {
            deleted += 1;
        }
        old_rows.push(step.saturating_add(deleted));
    }
    places.deleted.extend(old_rows);
    places.deleted.sort_unstable();
    places.inserted.extend(collided);
    places.inserted.sort_unstable();
}

/// Ordinals of rows that are still to be sent.
type RowsToCome<'r> = Peekable<slice::Iter<'r, u32>>;

struct Sender<'r> {
    pairing: &'r Pairing<'r>,
    old: RowReader<'r>,
    new: RowReader<'r>,
    changed: Vec<((usize, usize), RowsToCome<'r>)>,
    sink: &'r mut dyn ChangeSink,
}

impl<'r> Sender<'r> {
    fn next_changed(&mut self) -> Option<u32> {
        self.changed.iter_mut().filter_map(|(_, rows)| rows.peek().map(|row| **row)).min()
    }

    /// Does the key of a removed row come after that of an added one?
    fn comes_after(&mut self, old: u32, new: u32) -> bool {
        let Some(order) = &self.pairing.order else { return false };
        let keys = &self.pairing.key;
        let (old, new) = (self.old.row(old), self.new.row(new));
        let cells = |row: &[Option<Cell<'r>>], columns: Vec<usize>| -> Vec<Cell<'r>> {
            columns.into_iter().filter_map(|column| row.get(column).copied().flatten()).collect()
        };
        let old = cells(old, keys.iter().map(|pair| pair.0).collect());
        let new = cells(new, keys.iter().map(|pair| pair.1).collect());
        order.order(&old, &new) == Some(Ordering::Greater)
    }

    fn removed(&mut self, old: u32) -> Result<()> {
        let row = self.old.row(old);
        let (key, all) =
            (key_of(self.pairing, row, |pair| pair.0, self.pairing.before), all_of(self.pairing.before, row));
        self.tell(ChangeKind::Removed, &key, &all, &[])
    }

    fn added(&mut self, new: u32) -> Result<()> {
        let row = self.new.row(new);
        let (key, all) =
            (key_of(self.pairing, row, |pair| pair.1, self.pairing.after), all_of(self.pairing.after, row));
        self.tell(ChangeKind::Added, &key, &[], &all)
    }

    fn changed(&mut self, old: u32, new: u32) -> Result<()> {
        let (old, new_cells) = (self.old.row(old), self.new.row(new));
        let key = key_of(self.pairing, new_cells, |pair| pair.1, self.pairing.after);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for ((a, b), rows) in &mut self.changed {
            if rows.next_if(|row| **row == new).is_some() {
                before.extend(named(self.pairing.before, old, *a));
                after.extend(named(self.pairing.after, new_cells, *b));
            }
        }
        self.tell(ChangeKind::Changed, &key, &before, &after)
    }

    fn tell(
        &mut self,
        kind: ChangeKind,
        key: &[NamedCell<'_>],
        before: &[NamedCell<'_>],
        after: &[NamedCell<'_>],
    ) -> Result<()> {
        self.sink.row(&RowChange { table: &self.pairing.after.name, kind, key, before, after })
    }
}

fn named<'r>(schema: &'r TableSchema, row: &[Option<Cell<'r>>], column: usize) -> Option<NamedCell<'r>> {
    let cell = row.get(column).copied().flatten()?;
    let column = schema.columns.get(column)?;
    Some(NamedCell { column: &column.name, logical: column.logical_type(), cell })
}

fn all_of<'r>(schema: &'r TableSchema, row: &[Option<Cell<'r>>]) -> Vec<NamedCell<'r>> {
    (0..schema.columns.len()).filter_map(|column| named(schema, row, column)).collect()
}

fn key_of<'r>(
    pairing: &Pairing<'_>,
    row: &[Option<Cell<'r>>],
    side: fn(&(usize, usize)) -> usize,
    schema: &'r TableSchema,
) -> Vec<NamedCell<'r>> {
    pairing.key.iter().filter_map(|pair| named(schema, row, side(pair))).collect()
}

/// The cells of rows, asked for in ascending order.
struct RowReader<'r> {
    columns: Vec<Option<CellsIter<'r>>>,
    /// Rows passed, of which the last one's cells are held.
    passed: u32,
    cells: Vec<Option<Cell<'r>>>,
}

impl<'r> RowReader<'r> {
    fn new(schema: &TableSchema, loaded: &'r Loaded) -> Self {
        let all = 0..schema.columns.len();
        let columns: Vec<_> = all.map(|column| loaded.column(column).map(|cells| cells.iter())).collect();
        Self { cells: vec![None; columns.len()], columns, passed: 0 }
    }

    /// By column: the cell, where the column was read.
    fn row(&mut self, row: u32) -> &[Option<Cell<'r>>] {
        if let Some(skipped) = row.checked_sub(self.passed) {
            for (cell, column) in self.cells.iter_mut().zip(&mut self.columns) {
                *cell = column.as_mut().and_then(|column| column.nth(skipped as usize));
            }
            self.passed = row + 1;
        }
        &self.cells
    }
}
