//! A cell to the text that COPY TEXT takes: the type's text, escaped.

use std::io::Write;

use super::column_type::ColumnType;
use super::encode::narrowed;
use super::time::{self, UTC};
use super::wire::Wire;
use super::{Checked, Wrong};
use crate::model::{Cell, calendar, decimal};

const UNFIT: Wrong = Wrong("the cell is of a kind that its type has not");

impl ColumnType {
    /// Appends a cell as a field of COPY TEXT.
    pub(crate) fn push_text(&self, cell: &Cell<'_>, out: &mut Vec<u8>) -> Checked<()> {
        match cell {
            Cell::Null => out.extend_from_slice(b"\\N"),
            Cell::Text(text) | Cell::RawText(text) => push_escaped(out, text)?,
            // A backslash is escaped by another.
            Cell::Bytes(bytes) if self.wire == Wire::Bytea => {
                out.extend_from_slice(b"\\\\x");
                push_hexadecimal(out, bytes);
            }
            Cell::Integer(value) => self.push_integer(*value, out)?,
            Cell::Real(value) => self.push_real(*value, out)?,
            Cell::Bytes(_) => return Err(UNFIT),
        }
        Ok(())
    }

    fn push_integer(&self, value: i64, out: &mut Vec<u8>) -> Checked<()> {
        let cell = Cell::Integer(value);
        match &self.wire {
            Wire::Bool if matches!(value, 0 | 1) => out.push(if value == 1 { b't' } else { b'f' }),
            Wire::Int2 | Wire::Int4 | Wire::Int8 | Wire::Oid => {
                // Writing to a vector cannot fail.
                let _ = write!(out, "{value}");
            }
            Wire::Money => decimal::push_scaled(out, value, 2),
            Wire::Date => time::push_date(out, time::date_of(&cell)?)?,
            Wire::Time => calendar::push_time(out, time::time_of(value)?),
            Wire::Timestamp => time::push_timestamp(out, time::timestamp_of(&cell, b"")?, b"")?,
            Wire::TimestampWithZone => time::push_timestamp(out, time::timestamp_of(&cell, UTC)?, UTC)?,
            Wire::Numeric { scale, .. } => decimal::push_scaled(out, value, scale.unwrap_or(0)),
            _ => return Err(UNFIT),
        }
        Ok(())
    }

    fn push_real(&self, value: f64, out: &mut Vec<u8>) -> Checked<()> {
        let is_single = match self.wire {
            Wire::Float4 => true,
            Wire::Float8 => false,
            _ => return Err(UNFIT),
        };
        if value.is_nan() {
            if value.to_bits() != f64::NAN.to_bits() {
                return Err(Wrong("text has one NaN only, and this is another"));
            }
            out.extend_from_slice(b"NaN");
        } else if value.is_infinite() {
            out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
        } else if is_single {
            // The shortest digits that read back as the same number.
            let _ = write!(out, "{:?}", f32::from_bits(narrowed(value)?));
        } else {
            let _ = write!(out, "{value:?}");
        }
        Ok(())
    }
}

fn push_hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |number: u8| DIGITS.get(usize::from(number & 15)).copied().unwrap_or(b'0');
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]));
}

/// Appends a text so that COPY reads it as it is.
fn push_escaped(out: &mut Vec<u8>, text: &[u8]) -> Checked<()> {
    let mut rest = text;
    while let Some(place) = rest.iter().position(|byte| matches!(byte, 0 | b'\\' | 8..=13)) {
        let Some((before, [byte, after @ ..])) = rest.split_at_checked(place) else { break };
        out.extend_from_slice(before);
        let letter = match byte {
            0 => return Err(Wrong("PostgreSQL has no text with a zero byte")),
            8 => b'b',
            9 => b't',
            10 => b'n',
            11 => b'v',
            12 => b'f',
            13 => b'r',
            _ => b'\\',
        };
        out.extend_from_slice(&[b'\\', letter]);
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(())
}
