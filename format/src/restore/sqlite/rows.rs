//! Writing rows: each cell is bound as what it is, so that the target stores what the source stored.
//!
//! Two things would alter texts in a UTF-16 database. Binding text to it converts it, and SQLite's converter has not always
//! kept U+FFFE and U+FFFF; and raw text must not be converted at all. There such cells are bound as stored bytes and cast
//! to text, which changes no byte.

use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};

use super::failure::failure;
use crate::archive::Table;
use crate::error::{Error, Result};
use crate::model::Cell;
use crate::observer::{Observer, check_cancelled};
use crate::restore::passing::Passing;
use crate::source::sqlite::names::quote;

/// How the target and the source of the snapshot store texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encodings {
    /// Is the target's encoding UTF-16, and of which byte order?
    target: Stored,
    /// Is the source's the same, so that raw text can be kept?
    pub(super) same: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encodings {
    /// Those of a connection, given what the snapshot says of its source.
    pub(super) fn of(connection: &Connection, source: &str) -> Result<Self> {
        let name: String = connection
            .query_row("PRAGMA main.encoding", [], |row| row.get(0))
            .map_err(|cause| failure("reading the target's encoding", cause))?;
        let target = match name.as_str() {
            "UTF-8" => Stored::Utf8,
            "UTF-16le" => Stored::Utf16Le,
            "UTF-16be" => Stored::Utf16Be,
            _ => return Err(Error::database(format!("the target has the unknown text encoding {name}"))),
        };
        Ok(Self { target, same: name == source })
    }

    /// Does the target store texts as the model has them?
    pub(super) fn is_utf8(self) -> bool {
        self.target == Stored::Utf8
    }

    /// Refuses a cell that the target cannot store.
    pub(super) fn refuse(self, cell: &Cell<'_>) -> Result<()> {
        match cell {
            Cell::RawText(_) if !self.same => Err(Error::database(
                "a text that is not valid can only be restored into a database of the source's encoding",
            )
            .with_hint("restore into a new file, which gets the source's encoding")),
            Cell::RawText(bytes) if self.target != Stored::Utf8 && bytes.len() % 2 == 1 => {
                Err(Error::database("a UTF-16 text of an odd number of bytes, which SQLite would shorten"))
            }
            Cell::Real(value) if value.is_nan() => Err(Error::database("a NaN, which SQLite would store as NULL")),
            _ => Ok(()),
        }
    }

    /// The bytes that the target stores for a text; `buffer` is for those that are not the text's own.
    pub(super) fn stored<'b>(self, cell: &Cell<'b>, buffer: &'b mut Vec<u8>) -> &'b [u8] {
        match *cell {
            Cell::Text(_) if !self.is_utf8() => {
                *buffer = self.stored_bytes(cell);
                buffer
            }
            _ => cell.variable_bytes().unwrap_or_default(),
        }
    }

    /// Must this cell go in as stored bytes?
    fn needs_stored_bytes(self, cell: &Cell<'_>) -> bool {
        match cell {
            _ if self.target == Stored::Utf8 => false,
            Cell::RawText(_) => true,
            // U+FFFE and U+FFFF in UTF-8.
            Cell::Text(bytes) => bytes.windows(3).any(|three| matches!(three, [0xef, 0xbf, 0xbe | 0xbf])),
            _ => false,
        }
    }

    /// The bytes that the target stores for a text.
    fn stored_bytes(self, cell: &Cell<'_>) -> Vec<u8> {
        match (cell, self.target) {
            (Cell::Text(bytes), Stored::Utf16Le) => units(bytes).flat_map(u16::to_le_bytes).collect(),
            (Cell::Text(bytes), Stored::Utf16Be) => units(bytes).flat_map(u16::to_be_bytes).collect(),
            _ => cell.variable_bytes().unwrap_or_default().to_vec(),
        }
    }
}

/// The UTF-16 code units of a text, which is valid UTF-8.
fn units(text: &[u8]) -> impl Iterator<Item = u16> {
    text.utf8_chunks().flat_map(|chunk| chunk.valid().encode_utf16())
}

/// The rows of a table on their way into the target.
pub(super) struct Insert<'a> {
    /// The table in the snapshot.
    pub(super) table: &'a Table<'a>,
    /// Indexes of the snapshot's columns that are written.
    pub(super) columns: &'a [usize],
    /// Row ids given to the rows: the name by which they are written, and the first.
    pub(super) row_ids: Option<(&'a str, i64)>,
    /// How texts are stored.
    pub(super) encodings: Encodings,
    /// Is this row written?
    pub(super) keeps: &'a dyn Fn(&[Cell<'_>]) -> bool,
}

impl Insert<'_> {
    /// Writes the rows that are kept and calls `written` with each. Gives their number.
    pub(super) fn run(
        &self,
        connection: &Connection,
        observer: &dyn Observer,
        mut written: impl FnMut(&[Cell<'_>]) -> Result<()>,
    ) -> Result<u64> {
        let schema = self.table.schema();
        let named = |error: Error| error.in_table(&schema.name);
        let mut writer = Writer::new(connection, self).map_err(|cause| writing(cause).in_table(&schema.name))?;
        let all: Vec<usize> = (0..schema.columns.len()).collect();
        let (mut read, mut rows) = (0_u64, 0_u64);
        check_cancelled(observer)?;
        let mut passing = Passing::new(observer);
        for group in self.table.scan(&all) {
            group?.for_each_row(|row| {
                read += 1;
                passing.row(row)?;
                if !(self.keeps)(row) {
                    return Ok(());
                }
                writer.write(row, rows).map_err(named)?;
                rows += 1;
                written(row)
            })?;
        }
        if read == self.table.manifest().rows {
            return Ok(rows);
        }
        Err(named(Error::not_proven(format!("{read} rows were read of {}", self.table.manifest().rows))))
    }
}

/// The statements that write one row.
struct Writer<'c, 'i> {
    connection: &'c Connection,
    insert: &'i Insert<'i>,
    plain: Statement<'c>,
    /// The same with a choice per cell: bound as it is, or as stored bytes that are text. Made when it is first needed.
    choosing: Option<Statement<'c>>,
}

impl<'c, 'i> Writer<'c, 'i> {
    fn new(connection: &'c Connection, insert: &'i Insert<'i>) -> rusqlite::Result<Self> {
        let plain = connection.prepare(&insert_sql(insert, |index| format!("?{index}")))?;
        Ok(Self { connection, insert, plain, choosing: None })
    }

    /// Writes a row; `number` counts them from 0.
    fn write(&mut self, row: &[Cell<'_>], number: u64) -> Result<()> {
        let encodings = self.insert.encodings;
        let mut chosen = self.insert.columns.iter().filter_map(|column| row.get(*column));
        chosen.try_for_each(|cell| encodings.refuse(cell))?;
        let mut cells = self.insert.columns.iter().filter_map(|column| row.get(*column));
        let row_id = match self.insert.row_ids {
            Some((_, first)) => i64::try_from(number).ok().and_then(|number| first.checked_add(number)).map(Some),
            None => Some(None),
        };
        let row_id = row_id.ok_or_else(|| Error::database("the target's row ids are used up"))?;
        if cells.clone().any(|cell| encodings.needs_stored_bytes(cell)) {
            self.write_choosing(cells, row_id)
        } else {
            bind(&mut self.plain, &mut cells, row_id).and_then(|_| self.plain.raw_execute()).map_err(writing)?;
            Ok(())
        }
    }

    fn write_choosing<'v>(
        &mut self,
        cells: impl Iterator<Item = &'v Cell<'v>> + Clone,
        row_id: Option<i64>,
    ) -> Result<()> {
        let encodings = self.insert.encodings;
        let count = self.insert.columns.len();
        let statement = match &mut self.choosing {
            Some(statement) => statement,
            none => {
                let variables = self.connection.limit(Limit::SQLITE_LIMIT_VARIABLE_NUMBER).map_err(writing)?;
                if usize::try_from(variables).is_ok_and(|limit| 2 * count + 1 > limit) {
                    return Err(Error::database("too many columns for texts that must be kept as stored bytes"));
                }
                let sql = insert_sql(self.insert, |index| {
                    format!("CASE WHEN ?{} THEN CAST(?{index} AS TEXT) ELSE ?{index} END", count + index)
                });
                none.insert(self.connection.prepare(&sql).map_err(writing)?)
            }
        };
        // Values first (as if there were no stored bytes), then those that differ, then the choices.
        let mut plain = cells.clone();
        bind_at(statement, &mut plain, 2 * count + 1, row_id).map_err(writing)?;
        for (index, cell) in (1..).zip(cells) {
            let stored = encodings.needs_stored_bytes(cell);
            if stored {
                let bytes = encodings.stored_bytes(cell);
                statement.raw_bind_parameter(index, value(ValueRef::Blob(&bytes))).map_err(writing)?;
            }
            statement.raw_bind_parameter(count + index, stored).map_err(writing)?;
        }
        statement.raw_execute().map_err(writing)?;
        Ok(())
    }
}

/// The statement; `value` gives the expression for the parameter of a column, counted from 1.
fn insert_sql(insert: &Insert<'_>, value: impl Fn(usize) -> String) -> String {
    let schema = insert.table.schema();
    let count = insert.columns.len();
    let mut names: Vec<String> = insert
        .columns
        .iter()
        .filter_map(|column| schema.columns.get(*column))
        .map(|column| quote(&column.name))
        .collect();
    let mut values: Vec<String> = (1..=count).map(&value).collect();
    if let Some((name, _)) = insert.row_ids {
        names.push(quote(name));
        // Behind the values, and behind their choices where there are such.
        let place = if value(1) == "?1" { count + 1 } else { 2 * count + 1 };
        values.push(format!("?{place}"));
    }
    // A conflict must be an error, whatever the table's own ON CONFLICT clauses say.
    format!("INSERT OR ABORT INTO main.{}({}) VALUES ({})", quote(&schema.name), names.join(", "), values.join(", "))
}

/// Binds a row to a statement without choices.
fn bind<'v>(
    statement: &mut Statement<'_>,
    cells: &mut (impl Iterator<Item = &'v Cell<'v>> + Clone),
    row_id: Option<i64>,
) -> rusqlite::Result<()> {
    let place = cells.clone().count() + 1;
    bind_at(statement, cells, place, row_id)
}

fn bind_at<'v>(
    statement: &mut Statement<'_>,
    cells: &mut impl Iterator<Item = &'v Cell<'v>>,
    row_id_place: usize,
    row_id: Option<i64>,
) -> rusqlite::Result<()> {
    for (index, cell) in (1..).zip(cells) {
        let bound = match *cell {
            Cell::Null => ValueRef::Null,
            Cell::Integer(number) => ValueRef::Integer(number),
            Cell::Real(number) => ValueRef::Real(number),
            Cell::Text(bytes) | Cell::RawText(bytes) => ValueRef::Text(bytes),
            Cell::Bytes(bytes) => ValueRef::Blob(bytes),
        };
        statement.raw_bind_parameter(index, value(bound))?;
    }
    match row_id {
        Some(row_id) => statement.raw_bind_parameter(row_id_place, row_id),
        None => Ok(()),
    }
}

fn value(borrowed: ValueRef<'_>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(borrowed)
}

fn writing(cause: rusqlite::Error) -> Error {
    failure("writing rows", cause)
}
