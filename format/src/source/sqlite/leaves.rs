//! Reading rows from the pages of a table's b-tree: each record becomes one row of cells.
//!
//! Nothing is allocated per cell or per row once the buffers have grown. Rows are put together by column, some hundreds at a
//! time, and go one by one where that would not do: wide ones, which need not be copied once more, and UTF-16, which is
//! converted. `rows.rs` reads the same rows by SQL,
//! two to four times as slowly, and is what the tests compare with.

use rusqlite::Connection;

use super::batch::Batch;
use super::failure::failure;
use super::layout::{Field, Layout};
use super::pages::Pages;
use super::rows::{self, Which, recycled};
use super::tree::{Stop, Walk, Walked};
use super::types::{ByteOrder, TextEncoding, append_utf16};
use crate::error::Result;
use crate::model::{Cell, TableSchema, Value};
use crate::source::RowSink;
use crate::sqlite_file::{Fields, Malformed, Tree, Value as Stored};

/// SQLite's cache while pages are walked, each of which is wanted once: 256 KiB, which stay in the processor's own cache.
const WALKING_CACHE: i64 = -256;

fn cache_size(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "cache_size", |row| row.get(0))
}

/// What reads a table by its pages: all was found that makes it possible.
pub(super) struct Leaves<'c> {
    connection: &'c Connection,
    pages: Pages<'c>,
    layout: Layout,
    encoding: TextEncoding,
}

impl<'c> Leaves<'c> {
    /// `None` if `table` cannot be read by its pages.
    pub(super) fn of(connection: &'c Connection, table: &TableSchema, encoding: TextEncoding) -> Option<Self> {
        let mut pages = Pages::of(connection)?;
        let layout = Layout::of(connection, table).ok()??;
        // A root page that is none is SQL's to explain.
        Walk::from(&mut pages, layout.root, layout.tree)?;
        Some(Self { connection, pages, layout, encoding })
    }

    /// Sends all rows to `sink`, in the order of the key.
    pub(super) fn read(mut self, table: &TableSchema, key_index: Option<&str>, sink: &mut dyn RowSink) -> Result<()> {
        let connection = self.connection;
        let usual: i64 = cache_size(connection).map_err(|cause| failure("reading rows", cause))?;
        let set = |size: i64| {
            connection.pragma_update(None, "cache_size", size).map_err(|cause| failure("reading rows", cause))
        };
        set(WALKING_CACHE)?;
        let walked = self.walk(table, key_index, sink).map_err(|stop| match stop {
            Stop::Damage(finding) => rows::damaged(finding, table),
            Stop::Unread(error) => error.in_table(&table.name),
            Stop::Failed(error) => error,
        });
        walked.and_then(|()| set(usual))
    }

    fn walk(&mut self, table: &TableSchema, key_index: Option<&str>, sink: &mut dyn RowSink) -> Walked<()> {
        let Self { connection, pages, layout, encoding } = self;
        let mut order = Ascending { is_by_row_id: layout.tree == Tree::Table, last: None };
        let mut batch = Batch::new(layout);
        let mut converted = Converted::default();
        let mut added = Added::default();
        let mut place = 0_i64;
        let mut spare: Vec<Cell<'static>> = Vec::with_capacity(layout.columns);
        let mut walk = Walk::from(pages, layout.root, layout.tree).ok_or(Stop::Damage("its first page has gone"))?;
        walk.run(&mut |row_id, record| {
            order.check(row_id)?;
            let by_sql =
                |sink: &mut dyn RowSink| rows::read(connection, table, *encoding, key_index, Which::At(place), sink);
            if *encoding == TextEncoding::Utf8 && !Batch::is_too_small_for(record) {
                let found = batch.add(row_id, record)?;
                if found < layout.defaults_end && added.knows_not(found) {
                    let mut cells = recycled(std::mem::take(&mut spare));
                    fill(layout, row_id, record, &mut cells, utf8_text)?;
                    added.complete(found, layout, &mut cells, by_sql)?;
                    spare = recycled(cells);
                }
                if batch.is_full() {
                    batch.send(layout, |column| added.cell(column), sink)?;
                }
            } else {
                batch.send(layout, |column| added.cell(column), sink)?;
                let mut cells = recycled(std::mem::take(&mut spare));
                let found = match *encoding {
                    TextEncoding::Utf8 => fill(layout, row_id, record, &mut cells, utf8_text)?,
                    TextEncoding::Utf16(order) => converted.fill(layout, row_id, record, order, &mut cells)?,
                };
                if found < layout.defaults_end {
                    added.complete(found, layout, &mut cells, by_sql)?;
                }
                sink.row(&cells)?;
                spare = recycled(cells);
            }
            place += 1;
            Ok(())
        })?;
        Ok(batch.send(layout, |column| added.cell(column), sink)?)
    }
}

impl From<Malformed> for Stop {
    fn from(_: Malformed) -> Self {
        Self::Damage("a record contradicts itself")
    }
}

/// Puts the cells of a record into `cells`, NULL for fields that it does not have, and says how many it has. `text` makes
/// cells of texts.
#[inline]
fn fill<'a>(
    layout: &Layout,
    row_id: i64,
    record: &'a [u8],
    cells: &mut Vec<Cell<'a>>,
    mut text: impl FnMut(&'a [u8]) -> Cell<'a>,
) -> std::result::Result<usize, Malformed> {
    cells.clear();
    cells.resize(layout.columns, Cell::Null);
    if let Some(cell) = layout.row_id.and_then(|index| cells.get_mut(index)) {
        *cell = Cell::Integer(row_id);
    }
    let mut fields = Fields::of(record)?;
    for (found, field) in layout.fields.iter().enumerate() {
        let Some(value) = fields.next()? else { return Ok(found) };
        let (index, cell) = match (*field, value) {
            (Field::Skip, _) => continue,
            (Field::Real(index), Stored::Integer(value)) => (index, Cell::Real(value as f64)),
            (Field::Cell(index), Stored::Integer(value)) => (index, Cell::Integer(value)),
            (Field::Cell(index) | Field::Real(index), value) => match value {
                Stored::Null => continue,
                Stored::Integer(value) => (index, Cell::Integer(value)),
                Stored::Real(value) => (index, Cell::Real(value)),
                Stored::Text(bytes) => (index, text(bytes)),
                Stored::Bytes(bytes) => (index, Cell::Bytes(bytes)),
            },
        };
        if let Some(place) = cells.get_mut(index) {
            *place = cell;
        }
    }
    fields.check_end()?;
    Ok(layout.fields.len())
}

#[inline]
fn utf8_text(bytes: &[u8]) -> Cell<'_> {
    // Most texts are ASCII, for which there is the quicker test.
    if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() { Cell::Text(bytes) } else { Cell::RawText(bytes) }
}

/// Texts of one UTF-16 record as UTF-8; the buffers are used again for the next.
#[derive(Default)]
struct Converted {
    text: Vec<u8>,
    /// Where each text ends in `text`; `None` if it is not valid and the stored bytes stand for it.
    ends: Vec<Option<usize>>,
}

impl Converted {
    fn fill<'a>(
        &'a mut self,
        layout: &Layout,
        row_id: i64,
        record: &'a [u8],
        order: ByteOrder,
        cells: &mut Vec<Cell<'a>>,
    ) -> std::result::Result<usize, Malformed> {
        self.text.clear();
        self.ends.clear();
        fill(layout, row_id, record, cells, |bytes| {
            let valid = append_utf16(bytes, order, &mut self.text);
            self.ends.push(valid.then_some(self.text.len()));
            Cell::Null
        })?;
        let Self { text, ends } = &*self;
        let (mut ends, mut start) = (ends.iter(), 0);
        fill(layout, row_id, record, cells, |bytes| match ends.next() {
            Some(Some(end)) => Cell::Text(text.get(std::mem::replace(&mut start, *end)..*end).unwrap_or_default()),
            _ => Cell::RawText(bytes),
        })
    }
}

/// Cells of columns that were added to the table after some of its rows. SQLite gives those rows the column's default, which
/// stands in no page: SQL is asked once for a row that lacks it.
#[derive(Default)]
struct Added {
    /// The row that lacks the most fields so far, whole, and the fields that it has.
    shortest: Option<(Vec<Value>, usize)>,
}

impl Added {
    /// Is there a field from this one on whose default is not known yet?
    fn knows_not(&self, found: usize) -> bool {
        self.shortest.as_ref().is_none_or(|(_, fields)| found < *fields)
    }

    /// The cell of a column that a record does not have. Until a default was asked for, there is none but NULL.
    fn cell(&self, column: usize) -> Cell<'_> {
        self.shortest.as_ref().and_then(|(row, _)| row.get(column)).map_or(Cell::Null, Value::as_cell)
    }

    /// Gives a row that has `found` fields the others. `read` reads it by SQL.
    fn complete<'a>(
        &'a mut self,
        found: usize,
        layout: &Layout,
        cells: &mut [Cell<'a>],
        read: impl FnOnce(&mut dyn RowSink) -> Result<()>,
    ) -> Walked<()> {
        let is_new = self.knows_not(found);
        if is_new {
            let mut row = Vec::new();
            read(&mut |cells: &[Cell<'_>]| {
                row = cells.iter().map(Value::of).collect();
                Ok(())
            })?;
            self.shortest = Some((row, found));
        }
        let Some((row, _)) = &self.shortest else { return Ok(()) };
        for field in layout.fields.iter().skip(found) {
            let (Field::Cell(index) | Field::Real(index)) = *field else { continue };
            if let (Some(cell), Some(value)) = (cells.get_mut(index), row.get(index)) {
                *cell = value.as_cell();
            }
        }
        let is_same = || cells.iter().zip(row).all(|(cell, value)| cell.is_identical(&value.as_cell()));
        if is_new && (cells.len() != row.len() || !is_same()) {
            return Err(Stop::Damage("SQL and the pages give different rows"));
        }
        Ok(())
    }
}

/// Checks that row ids ascend: the pages of a damaged b-tree may each be sound and lead back.
struct Ascending {
    is_by_row_id: bool,
    last: Option<i64>,
}

impl Ascending {
    #[inline]
    fn check(&mut self, row_id: i64) -> Walked<()> {
        if self.is_by_row_id && self.last.replace(row_id).is_some_and(|last| last >= row_id) {
            return Err(Stop::Damage("row ids do not ascend"));
        }
        Ok(())
    }
}
