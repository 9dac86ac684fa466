//! JSON lines: one object per row, one row per line, ended by LF. Every kind of cell has a form of its own, and so has every value
//! of a logical type, so nothing is lost.
//!
//! | cell | JSON |
//! |---|---|
//! | null | `null` |
//! | integer | `1` |
//! | real | `1.0`: the shortest digits that read back as the same number, always with a point or an exponent |
//! | real, not finite | `{"real":"inf"}`, `{"real":"-inf"}`, `{"real":"nan"}`; other NaNs as exact reals |
//! | real, exact | `{"real":"3ff0000000000000"}`: the 64 IEEE bits, most significant first |
//! | text | `"a"`: escaped as JSON demands, all else (non-ASCII too) as it is |
//! | bytes | `{"bytes":"00ff"}` |
//! | raw text | `{"rawtext":"ff"}` |
//! | boolean | `true`, `false` |
//! | date, time | `"2026-03-01"`, `"12:00:00.5"` |
//! | timestamp, with time zone | `"2026-03-01T12:00:00"`, `"2026-03-01T12:00:00Z"` |
//! | decimal | `12.30`, with all its digits; `"NaN"` and infinities are strings |
//! | JSON document | a string: so a document `null` is not a null, and no digit of it is lost |
//!
//! There are no spaces, and keys stand in the order of the columns, so equal rows give equal lines.

use std::io::Write;

use super::logical::{self, Form};
use super::real;
use crate::archive::Table;
use crate::error::{Error, Result};
use crate::model::{Cell, Logical};

/// Writes the given columns (indexes into the schema's) of all rows, or of the first `limit`. With `exact`, reals are
/// written as their bits. Gives the number of rows.
pub fn write_json_lines(
    table: &Table<'_>,
    columns: &[usize],
    limit: Option<u64>,
    exact: bool,
    to: &mut dyn Write,
) -> Result<u64> {
    let keys: Vec<(Vec<u8>, Logical)> = columns
        .iter()
        .enumerate()
        .map(|(place, index)| {
            let column = table.schema().columns.get(*index);
            let column = column.ok_or_else(|| Error::request(format!("no column {index}")))?;
            let mut key = vec![if place == 0 { b'{' } else { b',' }];
            push_json_string(&mut key, &column.name);
            key.push(b':');
            Ok((key, column.logical_type()))
        })
        .collect::<Result<_>>()?;
    super::write_rows(table, columns, limit, to, Vec::new(), |text, _, cells| {
        if keys.is_empty() {
            text.push(b'{');
        }
        for ((key, logical), cell) in keys.iter().zip(cells) {
            text.extend_from_slice(key);
            push_json_cell(text, cell, *logical, exact);
        }
        text.extend_from_slice(b"}\n");
        Ok(())
    })
}

/// Appends a cell of a column of this type in its form above. With `exact`, a real is written as its bits.
pub fn push_json_cell(text: &mut Vec<u8>, cell: &Cell<'_>, logical: Logical, exact: bool) {
    let start = text.len();
    match logical::push_value(text, cell, logical) {
        Some(Form::Bare) => return,
        // Nothing in it has to be escaped.
        Some(Form::Quoted) => {
            text.insert(start, b'"');
            text.push(b'"');
            return;
        }
        None => {}
    }
    match cell {
        Cell::Null => text.extend_from_slice(b"null"),
        Cell::Integer(value) => {
            // Writing to a vector cannot fail.
            let _ = write!(text, "{value}");
        }
        Cell::Real(value) if value.is_finite() && !exact => real::push_finite(text, *value),
        Cell::Real(value) => match real::name_of(*value).filter(|_| !exact) {
            Some(name) => push_tagged(text, "real", |text| text.extend_from_slice(name.as_bytes())),
            None => push_tagged(text, "real", |text| crate::hex::append(text, &value.to_bits().to_be_bytes())),
        },
        Cell::Text(bytes) => push_string(text, bytes),
        Cell::Bytes(bytes) => push_tagged(text, "bytes", |text| crate::hex::append(text, bytes)),
        Cell::RawText(bytes) => push_tagged(text, "rawtext", |text| crate::hex::append(text, bytes)),
    }
}

fn push_tagged(text: &mut Vec<u8>, tag: &str, content: impl FnOnce(&mut Vec<u8>)) {
    text.extend_from_slice(b"{\"");
    text.extend_from_slice(tag.as_bytes());
    text.extend_from_slice(b"\":\"");
    content(text);
    text.extend_from_slice(b"\"}");
}

/// Appends a string in quotes, in the form of a text cell.
pub fn push_json_string(text: &mut Vec<u8>, string: &str) {
    push_string(text, string.as_bytes());
}

/// `string` is UTF-8, as text cells are.
fn push_string(text: &mut Vec<u8>, string: &[u8]) {
    text.push(b'"');
    for byte in string {
        match byte {
            b'"' => text.extend_from_slice(b"\\\""),
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            b'\t' => text.extend_from_slice(b"\\t"),
            0x08 => text.extend_from_slice(b"\\b"),
            0x0c => text.extend_from_slice(b"\\f"),
            0..=0x1f => {
                let _ = write!(text, "\\u{byte:04x}");
            }
            _ => text.push(*byte),
        }
    }
    text.push(b'"');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn json(cell: Cell<'_>, exact: bool) -> String {
        let mut text = Vec::new();
        push_json_cell(&mut text, &cell, Logical::Any, exact);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn every_kind_has_its_form() {
        assert_eq!(json(Cell::Null, false), "null");
        assert_eq!(json(Cell::Integer(-5), false), "-5");
        assert_eq!(json(Cell::Real(1.0), false), "1.0");
        assert_eq!(json(Cell::Bytes(b"\0\xff"), false), r#"{"bytes":"00ff"}"#);
        assert_eq!(json(Cell::RawText(b"\xfe"), false), r#"{"rawtext":"fe"}"#);
        assert_eq!(
            json(Cell::Text("Zoë \"q\" \\ \u{1}\u{7f}\n".as_bytes()), false),
            "\"Zoë \\\"q\\\" \\\\ \\u0001\u{7f}\\n\""
        );
    }

    #[test]
    fn values_of_logical_types_are_what_they_stand_for() {
        let json = |cell, logical| {
            let mut text = b",".to_vec();
            push_json_cell(&mut text, &cell, logical, true);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(json(Cell::Integer(0), Logical::Boolean), ",false");
        assert_eq!(json(Cell::Integer(0), Logical::Date), ",\"1970-01-01\"");
        assert_eq!(json(Cell::Text(b"infinity"), Logical::Date), ",\"infinity\"");
        assert_eq!(json(Cell::Integer(0), Logical::TimestampWithZone), ",\"1970-01-01T00:00:00Z\"");
        assert_eq!(json(Cell::Integer(-5), Logical::Decimal(2)), ",-0.05");
        assert_eq!(
            json(Cell::Text(b"123456789012345678901234.50"), Logical::Decimal(2)),
            ",123456789012345678901234.50"
        );
        assert_eq!(json(Cell::Text(b"NaN"), Logical::DecimalText), ",\"NaN\"");
        assert_eq!(json(Cell::Text(b"1.5"), Logical::Text), ",\"1.5\"");
        assert_eq!(json(Cell::Text(b"null"), Logical::Json), ",\"null\"");
        assert_eq!(json(Cell::Null, Logical::Json), ",null");
    }

    #[test]
    fn reals_that_json_has_not_and_exact_ones() {
        assert_eq!(json(Cell::Real(f64::INFINITY), false), r#"{"real":"inf"}"#);
        assert_eq!(json(Cell::Real(f64::from_bits(0x7ff8_0000_0000_0001)), false), r#"{"real":"7ff8000000000001"}"#);
        assert_eq!(json(Cell::Real(1.0), true), r#"{"real":"3ff0000000000000"}"#);
        assert_eq!(json(Cell::Real(f64::INFINITY), true), r#"{"real":"7ff0000000000000"}"#);
    }
}
