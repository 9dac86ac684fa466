//! Rows that no key tells apart: how often each stands on either side, by its cells.
//!
//! Row groups of the same contents on both sides are not read. Of the other rows, digests are held, a million at a time: of a
//! table with more, each part of the digests takes a pass over the rows.

use std::collections::HashMap;

use super::columns::Pairing;
use super::report::ChangeKind;
use super::segment::Tally;
use crate::archive::{GroupPlace, Table};
use crate::error::Result;
use crate::model::Cell;
use crate::observer::{Observer, check_cancelled};

/// Rows whose digests are held at a time.
const ROWS_HELD: u64 = 1 << 20;

/// Rows that can be read several times, in the same order.
pub(crate) trait Rows {
    /// Sends every row: one cell per column of the side's schema, in its order.
    fn read(&self, visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()>;
}

/// The rows of a table of a snapshot, but for some row groups.
pub(crate) struct SnapshotRows<'t, 'a> {
    table: &'t Table<'a>,
    /// Numbers of the row groups to read, ascending.
    groups: Vec<u64>,
    rows: u64,
    observer: &'t dyn Observer,
}

impl<'t, 'a> SnapshotRows<'t, 'a> {
    /// All rows.
    pub(crate) fn all(table: &'t Table<'a>, observer: &'t dyn Observer) -> Result<Self> {
        let groups = table.groups().map(|place| Ok(place?.number)).collect::<Result<_>>()?;
        Ok(Self { table, groups, rows: table.manifest().rows, observer })
    }
}

impl Rows for SnapshotRows<'_, '_> {
    fn read(&self, visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
        let columns: Vec<usize> = (0..self.table.schema().columns.len()).collect();
        let mut wanted = self.groups.iter().peekable();
        for place in self.table.groups() {
            let place = place?;
            if wanted.next_if_eq(&&place.number).is_none() {
                continue;
            }
            check_cancelled(self.observer)?;
            let group = self.table.read_group(&place, &columns)?;
            self.observer.advance(u64::from(group.rows()), 0);
            group.for_each_row(&mut *visit)?;
        }
        Ok(())
    }
}

/// The rows of two tables, without row groups that both have, as far as the columns go that both have.
pub(crate) fn without_common<'t, 'a, 'b>(
    pairing: &Pairing<'_>,
    (before, after): (&'t Table<'a>, &'t Table<'b>),
    observer: &'t dyn Observer,
) -> Result<(SnapshotRows<'t, 'a>, SnapshotRows<'t, 'b>)> {
    let mut known: HashMap<[u8; 32], u64> = HashMap::new();
    let contents = |place: &GroupPlace, columns: &mut dyn Iterator<Item = usize>| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&place.entry.rows.to_le_bytes());
        for block in columns.filter_map(|column| place.entry.blocks.get(column)) {
            hasher.update(&block.content);
        }
        *hasher.finalize().as_bytes()
    };
    for place in after.groups() {
        let key = contents(&place?, &mut pairing.common.iter().map(|pair| pair.1));
        *known.entry(key).or_default() += 1;
    }
    let mut rest = (
        SnapshotRows { table: before, groups: Vec::new(), rows: 0, observer },
        SnapshotRows { table: after, groups: Vec::new(), rows: 0, observer },
    );
    let mut shared: HashMap<[u8; 32], u64> = HashMap::new();
    for place in before.groups() {
        let place = place?;
        let key = contents(&place, &mut pairing.common.iter().map(|pair| pair.0));
        match known.get_mut(&key).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                *shared.entry(key).or_default() += 1;
            }
            None => {
                rest.0.groups.push(place.number);
                rest.0.rows = rest.0.rows.saturating_add(place.entry.rows);
            }
        }
    }
    for place in after.groups() {
        let place = place?;
        let key = contents(&place, &mut pairing.common.iter().map(|pair| pair.1));
        match shared.get_mut(&key).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => {
                rest.1.groups.push(place.number);
                rest.1.rows = rest.1.rows.saturating_add(place.entry.rows);
            }
        }
    }
    Ok(rest)
}

/// Counts rows that stand more often on one side than on the other, and shows them: of each part of the digests the added ones,
/// then the removed ones, which of equal rows makes no difference.
pub(crate) fn count(before: &SnapshotRows<'_, '_>, after: &dyn Rows, tally: &mut Tally<'_, '_, '_>) -> Result<()> {
    let (old, new): (Vec<usize>, Vec<usize>) = tally.pairing.common.iter().copied().unzip();
    let parts = before.rows.div_ceil(ROWS_HELD).max(1);
    for part in 0..parts {
        // How often more a row stands before than after.
        let mut more: HashMap<u128, i64> = HashMap::new();
        before.read(&mut |row| {
            if let Some(row) = digest(row, &old, part, parts) {
                *more.entry(row).or_default() += 1;
            }
            Ok(())
        })?;
        after.read(&mut |row| {
            let Some(digest) = digest(row, &new, part, parts) else { return Ok(()) };
            match more.get_mut(&digest).filter(|left| **left > 0) {
                Some(left) => *left -= 1,
                None if tally.sink.is_none() => tally.count_alone(1, ChangeKind::Added),
                None => tally.one(row, ChangeKind::Added)?,
            }
            Ok(())
        })?;
        if tally.sink.is_none() {
            let removed = more.values().map(|left| left.unsigned_abs()).sum();
            tally.count_alone(removed, ChangeKind::Removed);
            continue;
        }
        before.read(&mut |row| {
            let left = digest(row, &old, part, parts).and_then(|digest| more.get_mut(&digest));
            if let Some(left) = left.filter(|left| **left > 0) {
                *left -= 1;
                tally.one(row, ChangeKind::Removed)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The digest of some cells of a row, if it falls to this part of all digests.
fn digest(row: &[Cell<'_>], columns: &[usize], part: u64, parts: u64) -> Option<u128> {
    let mut hasher = blake3::Hasher::new();
    for cell in columns.iter().filter_map(|column| row.get(*column)) {
        hasher.update(&[cell.kind().number()]);
        if let Some(bits) = cell.fixed_bits() {
            hasher.update(&bits.to_le_bytes());
        } else if let Some(bytes) = cell.variable_bytes() {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    let digest = u128::from_le_bytes(bytes);
    (digest % u128::from(parts) == u128::from(part)).then_some(digest)
}
