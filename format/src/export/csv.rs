//! CSV as RFC 4180 has it: a header row, fields parted by commas, lines ended by CR LF, quotes where they are needed.
//!
//! | cell | field |
//! |---|---|
//! | null | empty, without quotes |
//! | integer | decimal digits |
//! | real | the shortest digits that read back as the same number; `inf`, `-inf`, `nan` |
//! | text | as it is; in quotes if it is empty or holds a comma, a quote, CR or LF |
//! | bytes | `\x` and hex digits |
//! | boolean | `true`, `false` |
//! | date, time, timestamp | `2026-03-01`, `12:00:00.5`, `2026-03-01T12:00:00`; with time zone a `Z` behind it |
//! | decimal | `12.30`, with all its digits |
//! | raw text | refused, with column and row: it is no text in any encoding a CSV file could have |
//!
//! Kinds are not kept: the text `1` and the integer 1 give the same field. JSON lines keep them.

use std::io::Write;

use super::{logical, real};
use crate::archive::Table;
use crate::error::{Error, Result};
use crate::model::{Cell, Logical};

const LINE_END: &[u8] = b"\r\n";

/// Writes a header row and the given columns (indexes into the schema's) of all rows, or of the first `limit`. Gives the
/// number of rows.
pub fn write_csv(table: &Table<'_>, columns: &[usize], limit: Option<u64>, to: &mut dyn Write) -> Result<u64> {
    let names: Vec<(&str, Logical)> = columns
        .iter()
        .map(|index| {
            let column = table.schema().columns.get(*index);
            let column = column.ok_or_else(|| Error::request(format!("no column {index}")))?;
            Ok((column.name.as_str(), column.logical_type()))
        })
        .collect::<Result<_>>()?;
    let mut header = Vec::new();
    for (place, (name, _)) in names.iter().enumerate() {
        push_comma(&mut header, place);
        push_text(&mut header, name.as_bytes());
    }
    header.extend_from_slice(LINE_END);
    super::write_rows(table, columns, limit, to, header, |text, row, cells| {
        // A row that is refused must not leave half a line.
        let start = text.len();
        for (place, (cell, (name, logical))) in cells.iter().zip(&names).enumerate() {
            push_comma(text, place);
            if !push_field(text, cell, *logical) {
                text.truncate(start);
                let why =
                    format!("row {row} (from 0), column \"{name}\": text that is not valid in the source's encoding");
                return Err(Error::request(why).with_hint("CSV cannot hold it; use JSON lines (--format jsonl)"));
            }
        }
        text.extend_from_slice(LINE_END);
        Ok(())
    })
}

fn push_comma(text: &mut Vec<u8>, place: usize) {
    if place > 0 {
        text.push(b',');
    }
}

/// Appends a cell; `false` if CSV cannot hold it.
fn push_field(text: &mut Vec<u8>, cell: &Cell<'_>, logical: Logical) -> bool {
    // Nothing in such a value needs quotes.
    if logical::push_value(text, cell, logical).is_some() {
        return true;
    }
    match cell {
        Cell::Null => {}
        Cell::Integer(value) => {
            // Writing to a vector cannot fail.
            let _ = write!(text, "{value}");
        }
        Cell::Real(value) if value.is_finite() => real::push_finite(text, *value),
        Cell::Real(value) => text.extend_from_slice(real::name_of(*value).unwrap_or("nan").as_bytes()),
        Cell::Text(bytes) => push_text(text, bytes),
        Cell::Bytes(bytes) => {
            text.extend_from_slice(b"\\x");
            crate::hex::append(text, bytes);
        }
        Cell::RawText(_) => return false,
    }
    true
}

fn push_text(text: &mut Vec<u8>, field: &[u8]) {
    let quoted = field.is_empty() || field.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'));
    if !quoted {
        text.extend_from_slice(field);
        return;
    }
    text.push(b'"');
    for byte in field {
        if *byte == b'"' {
            text.push(b'"');
        }
        text.push(*byte);
    }
    text.push(b'"');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn field(cell: Cell<'_>) -> String {
        let mut text = Vec::new();
        assert!(push_field(&mut text, &cell, Logical::Any));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn null_and_empty_text_differ() {
        assert_eq!(field(Cell::Null), "");
        assert_eq!(field(Cell::Text(b"")), "\"\"");
        assert_eq!(field(Cell::Bytes(b"")), "\\x");
    }

    #[test]
    fn what_would_break_a_line_is_quoted() {
        assert_eq!(field(Cell::Text(b"a b")), "a b");
        assert_eq!(field(Cell::Text(b"a,\"b\"\r\n")), "\"a,\"\"b\"\"\r\n\"");
        assert_eq!(field(Cell::Bytes(b"\0\xff")), "\\x00ff");
    }

    #[test]
    fn numbers_read_back() {
        assert_eq!(field(Cell::Integer(i64::MIN)), "-9223372036854775808");
        assert_eq!(field(Cell::Real(1.0)), "1.0");
        assert_eq!(field(Cell::Real(f64::NEG_INFINITY)), "-inf");
    }

    #[test]
    fn raw_text_is_refused() {
        assert!(!push_field(&mut Vec::new(), &Cell::RawText(b"\xff"), Logical::Text));
    }
}
