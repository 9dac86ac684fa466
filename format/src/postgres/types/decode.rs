//! A field of COPY BINARY to a cell.

use super::column_type::ColumnType;
use super::interval::Interval;
use super::time::{self, UTC};
use super::wire::Wire;
use super::{Checked, Wrong, numeric};
use crate::model::Cell;

/// The version byte before the text of a jsonb.
pub(super) const JSONB_VERSION: u8 = 1;

const WRONG_LENGTH: Wrong = Wrong("a value of another length than its type has");

impl ColumnType {
    /// The cell of a field that is not null. What has to be made is made in `scratch`, and what was there goes.
    #[inline]
    pub(crate) fn decode<'f>(&self, field: &'f [u8], scratch: &'f mut Vec<u8>) -> Checked<Cell<'f>> {
        Ok(match &self.wire {
            Wire::Int4 => Cell::Integer(i64::from(i32::from_be_bytes(fixed(field)?))),
            Wire::Int8 | Wire::Money => Cell::Integer(i64::from_be_bytes(fixed(field)?)),
            Wire::Text | Wire::Padded | Wire::Json | Wire::Enum | Wire::Printed(_) | Wire::Opaque => text(field),
            Wire::Numeric { scale, .. } => return numeric::cell(field, scale.unwrap_or(0), scratch),
            Wire::Timestamp => {
                return time::timestamp_cell(i64::from_be_bytes(fixed(field)?), b"", scratch);
            }
            Wire::TimestampWithZone => {
                return time::timestamp_cell(i64::from_be_bytes(fixed(field)?), UTC, scratch);
            }
            Wire::Bool => match fixed(field)? {
                [value @ (0 | 1)] => Cell::Integer(i64::from(value)),
                _ => return Err(Wrong("a boolean that is neither true nor false")),
            },
            Wire::Int2 => Cell::Integer(i64::from(i16::from_be_bytes(fixed(field)?))),
            Wire::Oid => Cell::Integer(i64::from(u32::from_be_bytes(fixed(field)?))),
            Wire::Float4 => Cell::Real(f64::from_bits(widened(u32::from_be_bytes(fixed(field)?)))),
            Wire::Float8 => Cell::Real(f64::from_bits(u64::from_be_bytes(fixed(field)?))),
            Wire::Bytea => Cell::Bytes(field),
            Wire::Date => time::date_cell(i32::from_be_bytes(fixed(field)?)),
            Wire::Time => Cell::Integer(time::time_of(i64::from_be_bytes(fixed(field)?))?),
            Wire::Uuid => uuid(fixed(field)?, scratch),
            Wire::Jsonb => match field {
                [JSONB_VERSION, field @ ..] => text(field),
                _ => return Err(Wrong("a jsonb of a version that is not known")),
            },
            Wire::Interval => {
                scratch.clear();
                Interval::of(field)?.push_printed(scratch);
                Cell::Text(scratch)
            }
            Wire::Byte => byte(field, scratch)?,
        })
    }
}

/// A field of exactly so many bytes.
#[inline]
fn fixed<const N: usize>(field: &[u8]) -> Checked<[u8; N]> {
    field.try_into().map_err(|_| WRONG_LENGTH)
}

/// A text, or what a server without an encoding calls one.
#[inline]
fn text(field: &[u8]) -> Cell<'_> {
    if field.is_ascii() || str::from_utf8(field).is_ok() { Cell::Text(field) } else { Cell::RawText(field) }
}

/// The bits of an f64 of the same value as an f32 of these bits; of a NaN, with the same sign and payload. (A conversion of the
/// processor would make a signalling NaN a quiet one.)
#[expect(clippy::cast_lossless, reason = "the conversion of numbers is the point here")]
pub(super) fn widened(bits: u32) -> u64 {
    let value = f32::from_bits(bits);
    if value.is_nan() {
        let (sign, payload) = (u64::from(bits >> 31), u64::from(bits & 0x007f_ffff));
        return sign << 63 | 0x7ff << 52 | payload << 29;
    }
    (value as f64).to_bits()
}

fn uuid(bytes: [u8; 16], scratch: &mut Vec<u8>) -> Cell<'_> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |number: u8| DIGITS.get(usize::from(number & 15)).copied().unwrap_or(b'0');
    scratch.clear();
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            scratch.push(b'-');
        }
        scratch.extend_from_slice(&[digit(byte >> 4), digit(*byte)]);
    }
    Cell::Text(scratch)
}

/// A `"char"`: a byte that is a character by itself, nothing for the byte 0, or a backslash and three octal digits.
fn byte<'f>(field: &'f [u8], scratch: &'f mut Vec<u8>) -> Checked<Cell<'f>> {
    let [byte] = fixed(field)?;
    Ok(match byte {
        0 => Cell::Text(b""),
        1..=0x7f => Cell::Text(field),
        _ => {
            let digit = |shift: u32| b'0' | (byte >> shift & 7);
            scratch.clear();
            scratch.extend_from_slice(&[b'\\', digit(6), digit(3), digit(0)]);
            Cell::Text(scratch)
        }
    })
}
