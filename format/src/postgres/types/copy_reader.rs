//! COPY BINARY as a server streams it, to rows of cells.

use super::column_type::ColumnType;
use super::encode::MAX_FIELD;
use super::{Checked, Wrong};
use crate::error::{Error, Result};
use crate::model::{Cell, RowSink};

/// What a stream begins with.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Flags of which a reader must know the meaning.
const CRITICAL_FLAGS: u32 = 0xffff_0000;
/// The most bytes of a row: PostgreSQL itself makes none that is longer.
const MAX_ROW: usize = 1 << 30;
/// The most bytes of a header's extension; none has one so far.
const MAX_EXTENSION: usize = 1 << 16;

/// A column of the rows that are copied.
#[derive(Debug, Clone)]
pub(crate) struct CopyColumn {
    /// Its name, for errors.
    pub(crate) name: String,
    /// Its type.
    pub(crate) column_type: ColumnType,
}

/// Turns the bytes of a stream, in pieces of any size, into rows.
pub(crate) struct CopyReader {
    columns: Vec<CopyColumn>,
    /// Per column, room for what has to be made of a value.
    scratch: Vec<Vec<u8>>,
    /// The beginning of a row, or of the header, whose end has not come yet.
    started: Vec<u8>,
    spare: Vec<Cell<'static>>,
    state: State,
    rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    Ended,
}

/// A step along the bytes.
enum Step {
    /// So many bytes are done.
    Done(usize),
    /// More bytes are needed.
    Short,
}

impl CopyReader {
    /// For rows of these columns.
    pub(crate) fn new(columns: Vec<CopyColumn>) -> Self {
        let scratch = vec![Vec::new(); columns.len()];
        Self { columns, scratch, started: Vec::new(), spare: Vec::new(), state: State::Header, rows: 0 }
    }

    /// Takes the next bytes, and gives the rows that end in them to `sink`.
    pub(crate) fn piece<S: RowSink + ?Sized>(&mut self, bytes: &[u8], sink: &mut S) -> Result<()> {
        if self.started.is_empty() {
            let used = self.take(bytes, sink)?;
            self.started.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            let mut started = std::mem::take(&mut self.started);
            started.extend_from_slice(bytes);
            // A long row comes in many pieces: nothing of it is decoded before it is whole.
            let used =
                if self.state == State::Rows && !self.is_whole(&started)? { 0 } else { self.take(&started, sink)? };
            started.drain(..used);
            self.started = started;
        }
        if self.started.len() > MAX_ROW {
            Err(Error::database("a row is longer than PostgreSQL allows"))
        } else {
            Ok(())
        }
    }

    /// Ends reading; the number of rows. A stream that does not end as it must was cut off.
    pub(crate) fn finish(self) -> Result<u64> {
        if self.state == State::Ended && self.started.is_empty() {
            return Ok(self.rows);
        }
        Err(Error::database(format!("the server's rows were cut off after {}", self.rows)))
    }

    /// Takes what is whole; how many bytes that was.
    fn take<S: RowSink + ?Sized>(&mut self, bytes: &[u8], sink: &mut S) -> Result<usize> {
        let mut rest = bytes;
        loop {
            let step = match self.state {
                State::Header => self.header(rest)?,
                State::Rows => self.rows(rest, sink)?,
                State::Ended if rest.is_empty() => Step::Short,
                State::Ended => return Err(Error::database("the server sent something behind the last row")),
            };
            let Step::Done(used) = step else { break };
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(bytes.len().saturating_sub(rest.len()))
    }

    /// Signature, flags, and an extension that is skipped.
    fn header(&mut self, bytes: &[u8]) -> Result<Step> {
        let Some((head, rest)) = bytes.split_first_chunk::<11>() else { return Ok(Step::Short) };
        if head != SIGNATURE {
            return Err(Error::database("the server's rows do not begin as COPY BINARY does"));
        }
        let Some((flags, rest)) = rest.split_first_chunk::<4>() else { return Ok(Step::Short) };
        if u32::from_be_bytes(*flags) & CRITICAL_FLAGS != 0 {
            return Err(Error::database("the server's rows are in a form of COPY BINARY that is not known"));
        }
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(Step::Short) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_EXTENSION {
            return Err(Error::database("the header of the server's rows is too long"));
        }
        let Some(rest) = rest.get(length..) else { return Ok(Step::Short) };
        self.state = State::Rows;
        Ok(Step::Done(bytes.len().saturating_sub(rest.len())))
    }

    /// As many rows as are whole, or the trailer.
    fn rows<S: RowSink + ?Sized>(&mut self, bytes: &[u8], sink: &mut S) -> Result<Step> {
        let Self { columns, scratch, spare, state, rows, .. } = self;
        let mut rest = bytes;
        while let Some((count, fields)) = rest.split_first_chunk::<2>() {
            let count = i16::from_be_bytes(*count);
            if count == -1 {
                *state = State::Ended;
                rest = fields;
                break;
            }
            if usize::try_from(count) != Ok(columns.len()) {
                return Err(Error::database(format!("a row of {count} fields where {} were asked for", columns.len())));
            }
            let mut cells = recycled(std::mem::take(spare));
            let after = row(columns, scratch, fields, &mut cells)?;
            let Some(after) = after else {
                *spare = recycled(cells);
                break;
            };
            sink.row(&cells)?;
            *spare = recycled(cells);
            *rows += 1;
            rest = after;
        }
        let used = bytes.len().saturating_sub(rest.len());
        Ok(if used == 0 { Step::Short } else { Step::Done(used) })
    }

    /// Is there a whole row, by the lengths of its fields?
    fn is_whole(&self, bytes: &[u8]) -> Result<bool> {
        let Some((count, mut rest)) = bytes.split_first_chunk::<2>() else { return Ok(false) };
        if i16::from_be_bytes(*count) == -1 {
            return Ok(true);
        }
        for column in &self.columns {
            match field(rest).map_err(|wrong| in_column(wrong, column))? {
                Some((_, after)) => rest = after,
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// The cells of one row's fields, and the bytes behind it; `None` if the row is not whole.
#[inline]
fn row<'r, 'f: 'r>(
    columns: &[CopyColumn],
    scratch: &'r mut [Vec<u8>],
    fields: &'f [u8],
    cells: &mut Vec<Cell<'r>>,
) -> Result<Option<&'f [u8]>> {
    let mut rest = fields;
    for (column, scratch) in columns.iter().zip(scratch) {
        let (value, after) = match field(rest) {
            Ok(Some(field)) => field,
            Ok(None) => return Ok(None),
            Err(wrong) => return Err(in_column(wrong, column)),
        };
        rest = after;
        cells.push(match value {
            None => Cell::Null,
            Some(value) => column.column_type.decode(value, scratch).map_err(|wrong| in_column(wrong, column))?,
        });
    }
    Ok(Some(rest))
}

/// A field, `None` for a null, and the bytes behind it.
type Field<'a> = (Option<&'a [u8]>, &'a [u8]);

/// The next field, if it is whole.
#[inline]
fn field(bytes: &[u8]) -> Checked<Option<Field<'_>>> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = i32::from_be_bytes(*length);
    match usize::try_from(length) {
        Ok(length) if length <= MAX_FIELD => Ok(rest.split_at_checked(length).map(|(value, rest)| (Some(value), rest))),
        Err(_) if length == -1 => Ok(Some((None, rest))),
        _ => Err(Wrong("a field of a length that cannot be")),
    }
}

#[cold]
fn in_column(wrong: Wrong, column: &CopyColumn) -> Error {
    Error::database(format!("column \"{}\": {}", column.name, wrong.0))
}

/// The same vector, emptied, for cells of another lifetime: its room is used again.
fn recycled<'a>(mut cells: Vec<Cell<'_>>) -> Vec<Cell<'a>> {
    cells.clear();
    cells.into_iter().map(|_| Cell::Null).collect()
}
