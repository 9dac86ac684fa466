//! Walking through the row groups of two tables, past what both of them share.

use std::collections::VecDeque;

use super::table_reader::{GroupPlace, Table, group_places};
use super::tree::LeafWalk;
use crate::error::Result;
use crate::model::Bound;

/// A walk through the row groups of a table, from the first to the last. Pages are read when a row group of theirs is asked for.
pub struct GroupWalk<'t, 'a> {
    table: &'t Table<'a>,
    walk: LeafWalk,
    /// Row groups of the pages that were read.
    places: VecDeque<GroupPlace>,
}

impl<'t, 'a> GroupWalk<'t, 'a> {
    pub(super) fn new(table: &'t Table<'a>, walk: LeafWalk) -> Self {
        Self { table, walk, places: VecDeque::new() }
    }

    /// The table.
    pub fn table(&self) -> &'t Table<'a> {
        self.table
    }

    /// The next row group; `None` after the last one.
    pub fn peek(&mut self) -> Result<Option<&GroupPlace>> {
        while self.places.is_empty() && self.walk.peek().is_some() {
            self.open()?;
        }
        Ok(self.places.front())
    }

    /// Is there a row group that begins with this key among the next so many? Their pages are read.
    pub fn is_ahead(&mut self, first_key: &[Bound], groups: usize) -> Result<bool> {
        while self.places.len() < groups && self.walk.peek().is_some() {
            self.open()?;
        }
        Ok(self.places.iter().take(groups).any(|place| place.entry.first_key == first_key))
    }

    /// Takes the next row group, once [`GroupWalk::peek`] has shown it.
    pub fn pass(&mut self) -> Option<GroupPlace> {
        self.places.pop_front()
    }

    /// Passes over the pages that come next in both walks and are the same bytes; gives the rows below them. A page that other
    /// row groups of it were taken from is not looked at.
    pub fn pass_shared(&mut self, other: &mut GroupWalk<'_, '_>) -> Result<u64> {
        let mut rows = 0_u64;
        while self.places.is_empty() && other.places.is_empty() {
            let (Some((mine, levels)), Some((theirs, other_levels))) = (self.walk.peek(), other.walk.peek()) else {
                break;
            };
            if mine.page == theirs.page && levels == other_levels {
                rows = rows.saturating_add(mine.rows);
                self.walk.pass();
                other.walk.pass();
                continue;
            }
            if levels == 0 && other_levels == 0 {
                break;
            }
            // What stands higher may have the other one, or what it refers to, below it.
            if levels >= other_levels {
                self.open()?;
            }
            if other_levels >= levels {
                other.open()?;
            }
        }
        Ok(rows)
    }

    fn open(&mut self) -> Result<()> {
        match self.walk.open(self.table.reader().container) {
            Some(Ok(Some(leaf))) => self.places.extend(group_places(leaf)),
            Some(Err(unreachable)) => return Err(unreachable.error.in_table(&self.table.schema().name)),
            Some(Ok(None)) | None => {}
        }
        Ok(())
    }
}
