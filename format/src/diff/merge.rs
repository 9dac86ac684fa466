//! Two states of a table, row group by row group in the order of their keys.
//!
//! What both sides have in common is passed over as early as it is known: whole pages, row groups of the same contents, row
//! groups whose keys lie before all of the other side's, and of row groups with the same keys all columns of the same
//! content. What is left is read once. Of each side, the rest of one row group at most is in memory.

use std::cmp::Ordering;
use std::sync::Arc;

use super::columns::Pairing;
use super::groups::{Facts, Groups, Loaded, SnapshotGroups};
use super::report::ChangeKind;
use super::segment::Tally;
use crate::error::Result;
use crate::history::align::{align, row_hashes};
use crate::model::{Bound, Cell, Cells};
use crate::observer::{Observer, check_cancelled};

/// Lays two tables of snapshots beside each other. Rows are known by their keys: the pairing must have one.
pub(super) fn merge(
    before: &mut SnapshotGroups<'_, '_>,
    after: &mut SnapshotGroups<'_, '_>,
    tally: &mut Tally<'_, '_, '_>,
    observer: &dyn Observer,
) -> Result<()> {
    let mut merge = Merge::new(tally, observer);
    loop {
        if merge.is_between_groups() {
            let shared = before.pass_shared(after)?;
            observer.advance(shared.saturating_mul(2), 0);
        }
        if !merge.step(before, after)? {
            return Ok(());
        }
    }
}

/// Shows all rows of a table that only one side has.
pub(crate) fn all_alone(
    groups: &mut dyn Groups,
    kind: ChangeKind,
    tally: &mut Tally<'_, '_, '_>,
    observer: &dyn Observer,
) -> Result<()> {
    let all: Vec<usize> = (0..tally.pairing.after.columns.len()).collect();
    while groups.peek()?.is_some() {
        check_cancelled(observer)?;
        let rows = Loaded::read(groups, all.len(), &all)?;
        groups.pass()?;
        observer.advance(u64::from(rows.rows), 0);
        tally.alone(&rows, kind)?;
    }
    Ok(())
}

/// Columns to read of row groups of which not all is known to be the same.
struct Wanted {
    before: Vec<usize>,
    after: Vec<usize>,
    /// All columns, where rows are to be shown.
    shows_rows: bool,
}

impl Wanted {
    fn of(tally: &Tally<'_, '_, '_>) -> Self {
        let pairing = tally.pairing;
        let shows_rows = tally.sink.is_some();
        if shows_rows {
            let all = |columns: usize| (0..columns).collect();
            return Self {
                before: all(pairing.before.columns.len()),
                after: all(pairing.after.columns.len()),
                shows_rows,
            };
        }
        let (before, after) = pairing.common.iter().copied().unzip();
        Self { before, after, shows_rows }
    }
}

/// Where two sides are that are laid beside each other.
pub(crate) struct Merge<'m, 'p, 's, 'k> {
    tally: &'m mut Tally<'p, 's, 'k>,
    observer: &'m dyn Observer,
    wanted: Wanted,
    /// Rows that were read and not yet laid beside others.
    old: Option<Loaded>,
    new: Option<Loaded>,
    /// Of which side rows are left over from a row group that others were laid beside already.
    rest: Option<Side>,
}

impl<'m, 'p, 's, 'k> Merge<'m, 'p, 's, 'k> {
    /// At the beginning. Rows are known by their keys: the pairing must have one.
    pub(crate) fn new(tally: &'m mut Tally<'p, 's, 'k>, observer: &'m dyn Observer) -> Self {
        Self { wanted: Wanted::of(tally), tally, observer, old: None, new: None, rest: None }
    }

    /// Are all rows of the row groups that were taken laid beside others?
    pub(crate) fn is_between_groups(&self) -> bool {
        self.old.is_none() && self.new.is_none()
    }

    /// Are there rows of the state after that were taken and not yet laid beside others? Then the next step does not ask
    /// for more of them.
    pub(crate) fn has_rest_after(&self) -> bool {
        self.new.is_some()
    }

    /// Comes nearer to the end; `false` if it is reached.
    pub(crate) fn step(&mut self, before: &mut dyn Groups, after: &mut dyn Groups) -> Result<bool> {
        check_cancelled(self.observer)?;
        match (self.old.take(), self.new.take()) {
            (None, None) => return self.next_pair(before, after),
            (Some(old), None) => match after.peek()? {
                Some(facts) if !self.ends_before(&old, Side::Before, facts) => {
                    let new = self.load(after, Side::After)?;
                    self.rest = Some(Side::Before);
                    self.lay(old, new)?;
                }
                _ => self.tally.alone(&old, ChangeKind::Removed)?,
            },
            (None, Some(new)) => match before.peek()? {
                Some(facts) if !self.ends_before(&new, Side::After, facts) => {
                    let old = self.load(before, Side::Before)?;
                    self.rest = Some(Side::After);
                    self.lay(old, new)?;
                }
                _ => self.tally.alone(&new, ChangeKind::Added)?,
            },
            (Some(old), Some(new)) => self.lay(old, new)?,
        }
        Ok(true)
    }

    /// Nothing is left of the row groups before: looks at the next ones.
    fn next_pair(&mut self, before: &mut dyn Groups, after: &mut dyn Groups) -> Result<bool> {
        let (old, new) = match (before.peek()?, after.peek()?) {
            (None, None) => return Ok(false),
            (Some(_), None) => return self.whole(before, Side::Before).map(|()| true),
            (None, Some(_)) => return self.whole(after, Side::After).map(|()| true),
            (Some(old), Some(new)) => (old, new),
        };
        if self.lies_before(old, new) {
            return self.whole(before, Side::Before).map(|()| true);
        }
        if self.lies_before(new, old) {
            return self.whole(after, Side::After).map(|()| true);
        }
        let pairing = self.tally.pairing;
        if pairing.order.is_none() && old.first_key != new.first_key {
            let (old_key, new_key) = (old.first_key.clone(), new.first_key.clone());
            if before.is_ahead(&new_key)? {
                return self.whole(before, Side::Before).map(|()| true);
            }
            if after.is_ahead(&old_key)? {
                return self.whole(after, Side::After).map(|()| true);
            }
        }
        let (Some(old), Some(new)) = (before.peek()?, after.peek()?) else { return Ok(true) };
        let is_same = |pair: &(usize, usize)| {
            let (a, b) = (old.contents.get(pair.0), new.contents.get(pair.1));
            old.rows == new.rows && a.is_some() && a == b
        };
        let same: Vec<(usize, usize)> = pairing.common.iter().copied().filter(is_same).collect();
        if pairing.key.iter().all(|pair| same.contains(pair)) {
            return self.same_keys(before, after, &same).map(|()| true);
        }
        let old = self.load_without_pass(before, Side::Before)?;
        let others: Vec<usize> =
            self.wanted.after.iter().copied().filter(|column| !same.iter().any(|pair| pair.1 == *column)).collect();
        let mut new = Loaded::read(after, pairing.after.columns.len(), &others)?;
        for (a, b) in same {
            // Of the same content: read once.
            if let Some(cells) = old.column(a) {
                new.put(b, Arc::clone(cells));
            }
        }
        before.pass()?;
        after.pass()?;
        self.advance(&[old.rows, new.rows]);
        self.rest = None;
        self.lay(old, new)?;
        Ok(true)
    }

    /// Two row groups with the same keys: of the other columns only those are read that are not of the same content.
    fn same_keys(&mut self, before: &mut dyn Groups, after: &mut dyn Groups, same: &[(usize, usize)]) -> Result<()> {
        let pairing = self.tally.pairing;
        let differing: Vec<(usize, usize)> =
            pairing.common.iter().copied().filter(|pair| !same.contains(pair)).collect();
        if !differing.is_empty() {
            let keys: &[(usize, usize)] = if self.wanted.shows_rows { &pairing.key } else { &[] };
            let (old, new): (Vec<usize>, Vec<usize>) = differing.into_iter().unzip();
            let old = Loaded::read(before, pairing.before.columns.len(), &old)?;
            let new_with_keys: Vec<usize> = new.into_iter().chain(keys.iter().map(|pair| pair.1)).collect();
            let new = Loaded::read(after, pairing.after.columns.len(), &new_with_keys)?;
            self.tally.in_step(&old, &new)?;
        }
        let rows = [before.peek()?, after.peek()?].map(|facts| facts.map_or(0, |facts| facts.rows));
        self.advance(&rows);
        before.pass()?;
        after.pass()
    }

    /// A row group that has no counterpart.
    fn whole(&mut self, groups: &mut dyn Groups, side: Side) -> Result<()> {
        if self.wanted.shows_rows {
            let rows = self.load(groups, side)?;
            return self.tally.alone(&rows, side.alone());
        }
        let rows = groups.peek()?.map_or(0, |facts| facts.rows);
        self.tally.count_alone(u64::from(rows), side.alone());
        self.advance(&[rows]);
        groups.pass()
    }

    fn load(&mut self, groups: &mut dyn Groups, side: Side) -> Result<Loaded> {
        let loaded = self.load_without_pass(groups, side)?;
        groups.pass()?;
        self.advance(&[loaded.rows]);
        Ok(loaded)
    }

    fn load_without_pass(&self, groups: &mut dyn Groups, side: Side) -> Result<Loaded> {
        let pairing = self.tally.pairing;
        match side {
            Side::Before => Loaded::read(groups, pairing.before.columns.len(), &self.wanted.before),
            Side::After => Loaded::read(groups, pairing.after.columns.len(), &self.wanted.after),
        }
    }

    fn advance(&self, rows: &[u32]) {
        self.observer.advance(rows.iter().copied().map(u64::from).sum(), 0);
    }

    /// Compares what stands beside each other of rows of both sides, and keeps what may belong to rows that come next.
    fn lay(&mut self, mut old: Loaded, mut new: Loaded) -> Result<()> {
        let (old_rows, new_rows) = self.cut(&old, &new);
        let (front, other) = (old.take_front(old_rows)?, new.take_front(new_rows)?);
        self.old = (old.rows > 0).then_some(old);
        self.new = (new.rows > 0).then_some(new);
        match (front.rows, other.rows) {
            (0, 0) => Ok(()),
            (0, _) => self.tally.alone(&other, ChangeKind::Added),
            (_, 0) => self.tally.alone(&front, ChangeKind::Removed),
            _ => self.tally.by_key(&front, &other),
        }
    }

    /// How many rows of either side, from the first, have their counterparts among each other. It is all rows of one side at
    /// least.
    fn cut(&self, old: &Loaded, new: &Loaded) -> (u32, u32) {
        let all = (old.rows, new.rows);
        let pairing = self.tally.pairing;
        let Some(order) = &pairing.order else { return self.cut_by_hashes(old, new) };
        let last_keys = (last_key(pairing, old, Side::Before), last_key(pairing, new, Side::After));
        let (Some(last_old), Some(last_new)) = last_keys else { return all };
        if is_same_key(&last_old, &last_new) {
            return all;
        }
        match order.order(&last_old, &last_new) {
            Some(Ordering::Less) => (old.rows, self.rows_until(new, Side::After, &last_old)),
            Some(Ordering::Greater) => (self.rows_until(old, Side::Before, &last_new), new.rows),
            // What is equal to a collation ends both; what cannot be compared must not be waited for.
            Some(Ordering::Equal) | None => all,
        }
    }

    /// How many rows, from the first, have keys that do not come after this one.
    fn rows_until(&self, rows: &Loaded, side: Side, key: &[Cell<'_>]) -> u32 {
        let pairing = self.tally.pairing;
        let Some(order) = &pairing.order else { return rows.rows };
        let mut columns: Vec<_> = keys_of(pairing, rows, side).map(Cells::iter).collect();
        let mut found = 0;
        let mut row: Vec<Cell<'_>> = Vec::with_capacity(columns.len());
        while found < rows.rows {
            row.clear();
            row.extend(columns.iter_mut().filter_map(Iterator::next));
            if !is_same_key(&row, key) && order.order(&row, key) == Some(Ordering::Greater) {
                break;
            }
            found += 1;
        }
        found
    }

    /// Without a known order: up to the last rows that are the same ones. What follows them on one side may be found in the next
    /// row group of the other.
    fn cut_by_hashes(&self, old: &Loaded, new: &Loaded) -> (u32, u32) {
        let all = (old.rows, new.rows);
        let hashes =
            |rows: &Loaded, side: Side| row_hashes(&keys_of(self.tally.pairing, rows, side).collect::<Vec<_>>());
        let places = align(&hashes(old, Side::Before), &hashes(new, Side::After));
        let tail = |places: &[u32], rows: u32| {
            let at_end = places.iter().rev().zip((0..rows).rev()).take_while(|(place, row)| *place == row);
            u32::try_from(at_end.count()).unwrap_or(rows)
        };
        let (old_tail, new_tail) = (tail(&places.deleted, old.rows), tail(&places.inserted, new.rows));
        match self.rest {
            // Not one row is the same: what is left over from before will not be found any more.
            Some(Side::Before) if (old_tail, new_tail) == all => (old.rows, 0),
            Some(Side::After) if (old_tail, new_tail) == all => (0, new.rows),
            // The longer one is more likely to be found in what comes next.
            _ if old_tail > new_tail => (old.rows - old_tail, new.rows),
            _ => (old.rows, new.rows - new_tail),
        }
    }

    /// Do the keys of a row group lie before those of another, as far as what is known without reading tells?
    fn lies_before(&self, first: &Facts, second: &Facts) -> bool {
        let Some(order) = &self.tally.pairing.order else { return false };
        match (whole_key(&first.last_key), whole_key(&second.first_key)) {
            (Some(last), Some(first)) if !is_same_key(&last, &first) => {
                order.order(&last, &first) == Some(Ordering::Less)
            }
            _ => false,
        }
    }

    /// The same of rows that were read, and the next row group of the other side.
    fn ends_before(&self, rows: &Loaded, side: Side, next: &Facts) -> bool {
        let pairing = self.tally.pairing;
        let Some(order) = &pairing.order else { return false };
        match (last_key(pairing, rows, side), whole_key(&next.first_key)) {
            (Some(last), Some(first)) if !is_same_key(&last, &first) => {
                order.order(&last, &first) == Some(Ordering::Less)
            }
            _ => false,
        }
    }
}

/// Which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Side {
    /// What a row is that only this state has.
    fn alone(self) -> ChangeKind {
        match self {
            Self::Before => ChangeKind::Removed,
            Self::After => ChangeKind::Added,
        }
    }
}

fn keys_of<'l>(pairing: &Pairing<'_>, rows: &'l Loaded, side: Side) -> impl Iterator<Item = &'l Cells> {
    pairing.key.iter().filter_map(move |pair| {
        let column = if side == Side::Before { pair.0 } else { pair.1 };
        rows.column(column).map(AsRef::as_ref)
    })
}

/// The key of the last row.
fn last_key<'l>(pairing: &Pairing<'_>, rows: &'l Loaded, side: Side) -> Option<Vec<Cell<'l>>> {
    keys_of(pairing, rows, side).map(Cells::last).collect()
}

/// Key cells that bounds hold whole.
fn whole_key(bounds: &[Bound]) -> Option<Vec<Cell<'_>>> {
    bounds.iter().all(|bound| bound.exact).then(|| bounds.iter().map(|bound| bound.value.as_cell()).collect())
}

fn is_same_key(a: &[Cell<'_>], b: &[Cell<'_>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_identical(b))
}
