//! Row groups of one side: what is known of the next one before anything of it is read, and its columns.

use std::sync::Arc;

use crate::archive::{GroupPlace, GroupWalk};
use crate::error::{Error, Layer, Result};
use crate::model::{Bound, Cells, CellsCursor};

/// What is known of a row group without its cells.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) rows: u32,
    pub(crate) first_key: Vec<Bound>,
    pub(crate) last_key: Vec<Bound>,
    /// The content digest of each column of the side's schema.
    pub(crate) contents: Vec<[u8; 32]>,
}

/// The row groups of a table, one after the other.
pub(crate) trait Groups {
    /// What is known of the next row group; `None` after the last one.
    fn peek(&mut self) -> Result<Option<&Facts>>;

    /// Reads columns of the next row group, in the order asked for.
    fn read(&mut self, columns: &[usize]) -> Result<Vec<Arc<Cells>>>;

    /// Takes the next row group.
    fn pass(&mut self) -> Result<()>;

    /// Does one of the row groups behind the next one begin with this key? `false` where that cannot be known yet, or it is far.
    fn is_ahead(&mut self, first_key: &[Bound]) -> Result<bool>;
}

/// Row groups that are looked at to find one again.
const LOOK_AHEAD: usize = 64;

/// The row groups of a table of a snapshot.
pub(crate) struct SnapshotGroups<'t, 'a> {
    pub(super) walk: GroupWalk<'t, 'a>,
    next: Option<(GroupPlace, Facts)>,
}

impl<'t, 'a> SnapshotGroups<'t, 'a> {
    pub(crate) fn new(walk: GroupWalk<'t, 'a>) -> Self {
        Self { walk, next: None }
    }

    /// Passes over what both tables hold in the same pages; gives the rows of it.
    pub(super) fn pass_shared(&mut self, other: &mut SnapshotGroups<'_, '_>) -> Result<u64> {
        // A row group that was looked at is not taken, so its page has begun.
        if self.next.is_some() || other.next.is_some() {
            return Ok(0);
        }
        self.walk.pass_shared(&mut other.walk)
    }
}

impl Groups for SnapshotGroups<'_, '_> {
    fn peek(&mut self) -> Result<Option<&Facts>> {
        if self.next.is_none() && self.walk.peek()?.is_some() {
            self.next = self.walk.pass().map(|place| facts_of(&place).map(|facts| (place, facts))).transpose()?;
        }
        Ok(self.next.as_ref().map(|(_, facts)| facts))
    }

    fn read(&mut self, columns: &[usize]) -> Result<Vec<Arc<Cells>>> {
        self.peek()?;
        let Some((place, _)) = &self.next else { return Ok(Vec::new()) };
        let group = self.walk.table().read_group(place, columns)?;
        Ok(group.into_columns().into_iter().map(Arc::new).collect())
    }

    fn pass(&mut self) -> Result<()> {
        self.peek()?;
        self.next = None;
        Ok(())
    }

    fn is_ahead(&mut self, first_key: &[Bound]) -> Result<bool> {
        self.peek()?;
        self.walk.is_ahead(first_key, LOOK_AHEAD)
    }
}

fn facts_of(place: &GroupPlace) -> Result<Facts> {
    let rows = u32::try_from(place.entry.rows);
    Ok(Facts {
        rows: rows.map_err(|_| Error::damaged(Layer::Page, "a row group of more than 2^32 rows"))?,
        first_key: place.entry.first_key.clone(),
        last_key: place.entry.last_key.clone(),
        contents: place.entry.blocks.iter().map(|block| block.content).collect(),
    })
}

/// Rows of one side that were read, column by column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loaded {
    pub(crate) rows: u32,
    /// By number of the column in the side's schema; `None` where it was not read.
    pub(crate) columns: Vec<Option<Arc<Cells>>>,
}

impl Loaded {
    /// Reads columns of the next row group of a side.
    pub(crate) fn read(groups: &mut dyn Groups, all: usize, columns: &[usize]) -> Result<Self> {
        let rows = groups.peek()?.map_or(0, |facts| facts.rows);
        let mut loaded = Self { rows, columns: vec![None; all] };
        for (index, cells) in columns.iter().zip(groups.read(columns)?) {
            loaded.put(*index, cells);
        }
        Ok(loaded)
    }

    pub(crate) fn put(&mut self, column: usize, cells: Arc<Cells>) {
        if let Some(place) = self.columns.get_mut(column) {
            *place = Some(cells);
        }
    }

    pub(crate) fn column(&self, column: usize) -> Option<&Arc<Cells>> {
        self.columns.get(column)?.as_ref()
    }

    /// Takes the first `rows` rows out.
    pub(crate) fn take_front(&mut self, rows: u32) -> Result<Self> {
        if rows >= self.rows {
            return Ok(std::mem::take(self));
        }
        let mut front = Self { rows, columns: vec![None; self.columns.len()] };
        for (column, taken) in self.columns.iter_mut().zip(&mut front.columns) {
            let Some(cells) = column else { continue };
            let mut cursor = CellsCursor::new(cells);
            let (mut first, mut rest) = (Cells::new(), Cells::new());
            cursor.append_to(&mut first, rows)?;
            let left = cursor.rows_left();
            cursor.append_to(&mut rest, left)?;
            *taken = Some(Arc::new(first));
            *column = Some(Arc::new(rest));
        }
        self.rows -= rows;
        Ok(front)
    }
}
