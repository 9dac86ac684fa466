//! Reading rows by SQL: steps the statements of a table together and turns each row into cells.
//!
//! Nothing is allocated per cell or per row once the buffers have grown. A row is held as SQLite holds it: all values of
//! the row are in memory, and the value being fetched perhaps twice (SQLite makes a contiguous copy of what spans pages;
//! UTF-16 is converted into a buffer). A value is at most 1 GB, SQLite's own limit.

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::limits::Limit;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, Rows, params_from_iter};

use super::condition;
use super::failure::failure;
use super::names::{TABLE_ALIAS, quote};
use super::select::Select;
use super::types::{ByteOrder, TextEncoding, append_utf16, cell};
use crate::error::{Error, Result};
use crate::model::{Cell, TableSchema};
use crate::source::RowSink;

/// Which rows of a table are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'f> {
    All,
    /// Those for which an SQL expression, with these parameters, is true.
    Where(&'f str, &'f [Value]),
    /// Those for which a checked condition of a user's is true, which calls the table by its name.
    Satisfying(&'f str),
    /// The one at this place of the key's order, from 0.
    At(i64),
}

/// Sends rows of `table` to `sink` in the order of its key.
pub(super) fn read(
    connection: &Connection,
    table: &TableSchema,
    encoding: TextEncoding,
    primary_key_index: Option<&str>,
    which: Which<'_>,
    sink: &mut dyn RowSink,
) -> Result<()> {
    let failed = |cause| failure("reading rows", cause).in_table(&table.name);
    let limit = result_columns(connection, table)?;
    let place;
    let mut alias = TABLE_ALIAS.to_owned();
    let (filter, parameters, end) = match which {
        Which::All => (None, &[][..], ""),
        Which::Where(filter, parameters) => (Some(filter), parameters, ""),
        Which::Satisfying(condition) => {
            alias = quote(&table.name);
            (Some(condition), &[][..], "")
        }
        Which::At(index) => {
            place = [Value::Integer(index)];
            (None, &place[..], " LIMIT 1 OFFSET ?1")
        }
    };
    let select = Select::new(table, encoding, limit, primary_key_index, filter, &alias);
    if matches!(which, Which::Satisfying(_)) && select.parts.len() > 1 {
        return Err(condition::too_wide(table));
    }
    let mut statements = Vec::with_capacity(select.parts.len());
    for (sql, columns) in &select.parts {
        statements.push((connection.prepare(&format!("{sql}{end}")).map_err(failed)?, *columns));
    }
    let mut cursors = Vec::with_capacity(statements.len());
    for (statement, columns) in &mut statements {
        cursors.push((statement.query(params_from_iter(parameters)).map_err(failed)?, *columns));
    }

    let mut order = RowIdOrder::of(table);
    let mut converted = Converted::default();
    let mut spare: Vec<Cell<'static>> = Vec::with_capacity(table.columns.len());
    while advance(&mut cursors, table)? {
        let mut cells = recycled(spare);
        match encoding {
            TextEncoding::Utf8 => utf8_cells(&cursors, &mut cells),
            TextEncoding::Utf16(order) => utf16_cells(&cursors, order, &mut converted, &mut cells),
        }
        .map_err(failed)?;
        order.check(&cells, table)?;
        sink.row(&cells)?;
        spare = recycled(cells);
    }
    Ok(())
}

/// Can the rows of this table be read by one statement?
pub(super) fn takes_one_statement(
    connection: &Connection,
    table: &TableSchema,
    encoding: TextEncoding,
) -> Result<bool> {
    let limit = result_columns(connection, table)?;
    Ok(Select::new(table, encoding, limit, None, None, TABLE_ALIAS).parts.len() <= 1)
}

/// The most columns that a result may have.
fn result_columns(connection: &Connection, table: &TableSchema) -> Result<usize> {
    let limit = connection
        .limit(Limit::SQLITE_LIMIT_COLUMN)
        .map_err(|cause| failure("reading rows", cause).in_table(&table.name))?;
    Ok(usize::try_from(limit).unwrap_or(1))
}

/// Steps all statements to their next row. They are of one transaction and must end together.
fn advance(cursors: &mut [(Rows<'_>, usize)], table: &TableSchema) -> Result<bool> {
    let mut ended = 0;
    for (rows, _) in cursors.iter_mut() {
        rows.advance().map_err(|cause| failure("reading rows", cause).in_table(&table.name))?;
        ended += usize::from(rows.get().is_none());
    }
    if ended > 0 && ended < cursors.len() {
        return Err(damaged("two scans of the table gave different numbers of rows", table));
    }
    Ok(ended == 0)
}

fn utf8_cells<'a>(cursors: &'a [(Rows<'_>, usize)], cells: &mut Vec<Cell<'a>>) -> rusqlite::Result<()> {
    for (row, columns) in current(cursors) {
        for index in 0..columns {
            cells.push(cell(row.get_ref(index)?));
        }
    }
    Ok(())
}

/// Texts of one row, converted to UTF-8; the buffers are used again for the next row.
#[derive(Default)]
struct Converted {
    text: Vec<u8>,
    /// Per column: `None` if the value stands as SQLite gives it; else where the text ends in `text`, or that it is raw.
    texts: Vec<Option<Text>>,
}

#[derive(Clone, Copy)]
enum Text {
    /// The text begins where the one before it ends, and ends here.
    EndsAt(usize),
    /// Not valid; the stored bytes stand for it.
    Raw,
}

fn utf16_cells<'a>(
    cursors: &'a [(Rows<'_>, usize)],
    order: ByteOrder,
    converted: &'a mut Converted,
    cells: &mut Vec<Cell<'a>>,
) -> rusqlite::Result<()> {
    converted.text.clear();
    converted.texts.clear();
    for (row, columns) in current(cursors) {
        for index in 0..columns {
            let is_text = row.get_ref(2 * index)? == ValueRef::Integer(1);
            converted.texts.push(match row.get_ref(2 * index + 1)? {
                ValueRef::Blob(bytes) if is_text => Some(if append_utf16(bytes, order, &mut converted.text) {
                    Text::EndsAt(converted.text.len())
                } else {
                    Text::Raw
                }),
                _ => None,
            });
        }
    }
    let converted = &*converted;
    let mut texts = converted.texts.iter();
    let mut start = 0;
    for (row, columns) in current(cursors) {
        for (index, text) in (0..columns).zip(&mut texts) {
            let value = cell(row.get_ref(2 * index + 1)?);
            cells.push(match (text, value) {
                (Some(Text::EndsAt(end)), _) => {
                    let text = converted.text.get(start..*end).unwrap_or_default();
                    start = *end;
                    Cell::Text(text)
                }
                (Some(Text::Raw), Cell::Bytes(stored)) => Cell::RawText(stored),
                (_, value) => value,
            });
        }
    }
    Ok(())
}

/// The rows that the statements stand on, each with the number of the table's columns in it.
fn current<'a>(cursors: &'a [(Rows<'_>, usize)]) -> impl Iterator<Item = (&'a Row<'a>, usize)> {
    cursors.iter().filter_map(|(rows, columns)| Some((rows.get()?, *columns)))
}

/// The same buffer, empty, for cells that live elsewhere. (Collecting in place keeps the allocation.)
pub(super) fn recycled<'a>(mut cells: Vec<Cell<'_>>) -> Vec<Cell<'a>> {
    cells.clear();
    cells.into_iter().map(|_| Cell::Null).collect()
}

/// Checks that row ids ascend: in a damaged b-tree SQLite may walk in circles or back without noticing.
struct RowIdOrder {
    column: Option<usize>,
    last: Option<i64>,
}

impl RowIdOrder {
    fn of(table: &TableSchema) -> Self {
        let by_row_id = table.option("without_rowid").is_none();
        let column = table.key.first().filter(|_| by_row_id).map(|part| part.column as usize);
        Self { column, last: None }
    }

    fn check(&mut self, cells: &[Cell<'_>], table: &TableSchema) -> Result<()> {
        let Some(cell) = self.column.and_then(|column| cells.get(column)) else { return Ok(()) };
        match *cell {
            Cell::Integer(id) if self.last.is_none_or(|last| last < id) => {
                self.last = Some(id);
                Ok(())
            }
            _ => Err(damaged("row ids do not ascend", table)),
        }
    }
}

/// The error for damage that SQLite itself does not notice.
pub(super) fn damaged(finding: &str, table: &TableSchema) -> Error {
    Error::database(format!("reading rows: the database is damaged ({finding})"))
        .in_table(&table.name)
        .with_hint("run PRAGMA integrity_check; sqlite3's .recover saves what can be read into a new database")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_buffer_is_used_again() {
        let cells: Vec<Cell<'_>> = (0..100).map(Cell::Integer).collect();
        let (place, capacity) = (cells.as_ptr().addr(), cells.capacity());
        let again: Vec<Cell<'static>> = recycled(cells);
        assert!(again.is_empty());
        assert_eq!((again.as_ptr().addr(), again.capacity()), (place, capacity));
    }
}
