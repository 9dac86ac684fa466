//! Rows that stay when others go, cut into row groups again: boundaries are a function of content (`spec/format.md` §7.2),
//! so that a table that rows were dropped from is cut as one that never had them.

use std::sync::Arc;

use super::RowRule;
use super::engine::size;
use crate::archive::{Archive, GroupPlace, Table, TableWriter};
use crate::container::WriteStorage;
use crate::error::{Error, Result};
use crate::history::boundaries::RowGrouper;
use crate::model::{Cell, Cells, RowGroup};
use crate::observer::{Observer, check_cancelled};

/// The rows of a table that a rule looks at.
pub(super) struct Rows<'a, 't> {
    pub(super) old: &'a Arc<Archive>,
    pub(super) table: &'a Table<'t>,
    pub(super) recodes: bool,
    pub(super) observer: &'a dyn Observer,
}

/// A row group, and the rows of it that go.
struct Judged {
    place: GroupPlace,
    /// Numbers in the row group, ascending.
    drops: Vec<u32>,
}

impl Judged {
    fn drops_first(&self) -> bool {
        self.drops.first() == Some(&0)
    }
}

impl Rows<'_, '_> {
    /// Copies the rows that stay. Gives the number of those that go.
    ///
    /// A row group passes whole if it begins where one begins without the dropped rows too, loses none, and the row that
    /// ended it, the next group's first, stays. Others go row by row until the cuts are in step again.
    pub(super) fn copy<S: WriteStorage>(
        &mut self,
        rule: &mut dyn RowRule,
        columns: &[usize],
        writer: &mut TableWriter<'_, S>,
    ) -> Result<u64> {
        let mut places = self.table.groups();
        let mut judge = || places.next().map(|place| self.judge(place?, rule, columns)).transpose();
        let mut grouper = RowGrouper::new(self.table.schema());
        let mut dropped = 0;
        let mut next = judge()?;
        while let Some(group) = next.take() {
            check_cancelled(self.observer)?;
            next = judge()?;
            dropped += group.drops.len() as u64;
            let (rows, bytes) = size(&group.place.entry);
            let cells = if grouper.has_rows() { Some(self.read(&group.place)?) } else { None };
            if let Some(cells) = &cells
                && !group.drops_first()
                && grouper.would_end_before(&first_row(cells))
            {
                self.end_group(&mut grouper, writer)?;
            }
            let next_stays = next.as_ref().is_none_or(|next| !next.drops_first());
            if !grouper.has_rows() && group.drops.is_empty() && next_stays {
                writer.add_stored(self.old, group.place, self.recodes)?;
            } else {
                let cells = match cells {
                    Some(cells) => cells,
                    None => self.read(&group.place)?,
                };
                push_rows(&cells, &group.drops, &mut grouper, writer)?;
            }
            self.observer.advance(rows, bytes);
        }
        self.end_group(&mut grouper, writer)?;
        Ok(dropped)
    }

    fn judge(&self, place: GroupPlace, rule: &mut dyn RowRule, columns: &[usize]) -> Result<Judged> {
        if !rule.may_drop(&place.entry)? {
            return Ok(Judged { place, drops: Vec::new() });
        }
        let drops = rule.rows_to_drop(&self.table.read_group(&place, columns)?)?;
        let ascends = drops.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        if !ascends || drops.last().is_some_and(|last| u64::from(*last) >= place.entry.rows) {
            return Err(Error::request("a rule named rows that are not there, or not in order"));
        }
        Ok(Judged { place, drops })
    }

    fn read(&self, place: &GroupPlace) -> Result<RowGroup> {
        let all: Vec<usize> = (0..self.table.schema().columns.len()).collect();
        self.table.read_group(place, &all)
    }

    /// Hands on the row group that is being filled, and starts the next one from nothing.
    fn end_group<S: WriteStorage>(&self, grouper: &mut RowGrouper, writer: &mut TableWriter<'_, S>) -> Result<()> {
        if let Some(group) = grouper.take() {
            writer.add_group(group)?;
            *grouper = RowGrouper::new(self.table.schema());
        }
        Ok(())
    }
}

fn first_row(group: &RowGroup) -> Vec<Cell<'_>> {
    group.columns().iter().filter_map(Cells::first).collect()
}

/// Takes the rows that stay.
fn push_rows<S: WriteStorage>(
    group: &RowGroup,
    drops: &[u32],
    grouper: &mut RowGrouper,
    writer: &mut TableWriter<'_, S>,
) -> Result<()> {
    let mut drops = drops.iter().copied().peekable();
    let mut number = 0;
    group.for_each_row(|row| {
        let goes = drops.next_if_eq(&number).is_some();
        number += 1;
        if !goes && let Some(complete) = grouper.push(row)? {
            writer.add_group(complete)?;
        }
        Ok(())
    })
}
