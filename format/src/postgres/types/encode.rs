//! A cell to the field of COPY BINARY that it came from, and a value's text to the field of its type.

use super::column_type::ColumnType;
use super::decode::{JSONB_VERSION, widened};
use super::interval::Interval;
use super::time::{self, UTC};
use super::wire::{Received, Wire};
use super::{Checked, Wrong, array, bits, network, numeric_text};
use crate::model::Cell;

const UNFIT: Wrong = Wrong("the cell is of a kind that its type has not");
const OUT_OF_RANGE: Wrong = Wrong("the number is out of the range of its type");
const TOO_LONG: Wrong = Wrong("the value is longer than PostgreSQL allows");

/// The longest value of a field: PostgreSQL allocates nothing larger.
pub(super) const MAX_FIELD: usize = 0x3fff_ffff;

impl ColumnType {
    /// Appends a cell as a field of COPY BINARY, its length first.
    pub(crate) fn push_binary(&self, cell: &Cell<'_>, out: &mut Vec<u8>) -> Checked<()> {
        if matches!(cell, Cell::Null) {
            out.extend_from_slice(&(-1_i32).to_be_bytes());
            return Ok(());
        }
        with_length(out, |out| push_cell(&self.wire, cell, out))
    }
}

/// Appends what `push` appends, its length first.
pub(super) fn with_length(out: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>) -> Checked<()>) -> Checked<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    push(out)?;
    let length = out.len().saturating_sub(start).saturating_sub(4);
    let length = i32::try_from(length).ok().filter(|_| length <= MAX_FIELD).ok_or(TOO_LONG)?;
    if let Some(place) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
        *place = length.to_be_bytes();
    }
    Ok(())
}

/// Appends the binary form of a cell that is not null.
#[inline]
fn push_cell(wire: &Wire, cell: &Cell<'_>, out: &mut Vec<u8>) -> Checked<()> {
    match (wire, cell) {
        (Wire::Bool, Cell::Integer(value @ (0 | 1))) => out.push(u8::from(*value == 1)),
        (Wire::Int2, Cell::Integer(value)) => {
            out.extend_from_slice(&i16::try_from(*value).map_err(|_| OUT_OF_RANGE)?.to_be_bytes());
        }
        (Wire::Int4, Cell::Integer(value)) => {
            out.extend_from_slice(&i32::try_from(*value).map_err(|_| OUT_OF_RANGE)?.to_be_bytes());
        }
        (Wire::Int8 | Wire::Money, Cell::Integer(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Wire::Oid, Cell::Integer(value)) => {
            out.extend_from_slice(&u32::try_from(*value).map_err(|_| OUT_OF_RANGE)?.to_be_bytes());
        }
        (Wire::Float4, Cell::Real(value)) => out.extend_from_slice(&narrowed(*value)?.to_be_bytes()),
        (Wire::Float8, Cell::Real(value)) => out.extend_from_slice(&value.to_bits().to_be_bytes()),
        (Wire::Date, _) => out.extend_from_slice(&time::date_of(cell)?.to_be_bytes()),
        (Wire::Time, Cell::Integer(value)) => out.extend_from_slice(&time::time_of(*value)?.to_be_bytes()),
        (Wire::Timestamp, _) => out.extend_from_slice(&time::timestamp_of(cell, b"")?.to_be_bytes()),
        (Wire::TimestampWithZone, _) => out.extend_from_slice(&time::timestamp_of(cell, UTC)?.to_be_bytes()),
        (Wire::Numeric { scale, .. }, Cell::Integer(value)) => {
            return numeric_text::push_scaled(out, *value, scale.unwrap_or(0));
        }
        (Wire::Bytea, Cell::Bytes(bytes)) => out.extend_from_slice(bytes),
        (Wire::Bytea | Wire::Float4 | Wire::Float8, _) => return Err(UNFIT),
        (_, Cell::Text(text)) => return push_text(wire, text, out),
        (Wire::Text | Wire::Padded | Wire::Json | Wire::Jsonb | Wire::Enum, Cell::RawText(text)) => {
            return push_text(wire, text, out);
        }
        // Texts in an array of a server without an encoding.
        (Wire::Printed(Received::Array(_)), Cell::RawText(text)) => return push_text(wire, text, out),
        _ => return Err(UNFIT),
    }
    Ok(())
}

/// Appends the binary form of a value whose text, as the server prints it, is this.
pub(super) fn push_text(wire: &Wire, text: &[u8], out: &mut Vec<u8>) -> Checked<()> {
    match wire {
        Wire::Text | Wire::Padded | Wire::Json | Wire::Enum => {
            if text.contains(&0) {
                return Err(Wrong("PostgreSQL has no text with a zero byte"));
            }
            out.extend_from_slice(text);
        }
        Wire::Jsonb => {
            out.push(JSONB_VERSION);
            out.extend_from_slice(text);
        }
        Wire::Numeric { .. } => return numeric_text::push_text(out, text),
        Wire::Interval => Interval::parse(text)?.push(out),
        Wire::Uuid => return push_uuid(out, text),
        Wire::Byte => out.push(byte_of(text)?),
        Wire::Bool => match text {
            b"t" => out.push(1),
            b"f" => out.push(0),
            _ => return Err(Wrong("this is no boolean")),
        },
        Wire::Int2 => out.extend_from_slice(&number::<i16>(text)?.to_be_bytes()),
        Wire::Int4 => out.extend_from_slice(&number::<i32>(text)?.to_be_bytes()),
        Wire::Int8 => out.extend_from_slice(&number::<i64>(text)?.to_be_bytes()),
        Wire::Oid => out.extend_from_slice(&number::<u32>(text)?.to_be_bytes()),
        Wire::Float4 => out.extend_from_slice(&number::<f32>(text)?.to_bits().to_be_bytes()),
        Wire::Float8 => out.extend_from_slice(&number::<f64>(text)?.to_bits().to_be_bytes()),
        Wire::Bytea => return push_bytes(out, text),
        Wire::Date => out.extend_from_slice(&time::date_of_text(text)?.to_be_bytes()),
        Wire::Time => out.extend_from_slice(&time::time_of_text(text)?.to_be_bytes()),
        Wire::Timestamp => out.extend_from_slice(&time::timestamp_of_text(text, b"")?.to_be_bytes()),
        Wire::TimestampWithZone => out.extend_from_slice(&time::timestamp_of_text(text, UTC)?.to_be_bytes()),
        Wire::Printed(Received::Network { cidr }) => return network::push_text(out, text, *cidr),
        Wire::Printed(Received::HardwareAddress { bytes }) => return network::push_hardware(out, text, *bytes),
        Wire::Printed(Received::Bits) => return bits::push_text(out, text),
        Wire::Printed(Received::Array(element)) => return array::push_text(out, text, element),
        Wire::Money | Wire::Opaque => return Err(Wrong("no binary form of this type is known")),
    }
    Ok(())
}

/// A number as the server prints it.
fn number<N: std::str::FromStr>(text: &[u8]) -> Checked<N> {
    str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Wrong("this is no number of its type"))
}

/// The bits of the f32 that has exactly this value.
#[expect(clippy::cast_possible_truncation, reason = "what does not come back is refused")]
pub(super) fn narrowed(value: f64) -> Checked<u32> {
    let bits = value.to_bits();
    let narrow = if value.is_nan() {
        ((bits >> 63) as u32) << 31 | 0xff << 23 | ((bits >> 29) as u32 & 0x007f_ffff)
    } else {
        (value as f32).to_bits()
    };
    if widened(narrow) == bits { Ok(narrow) } else { Err(OUT_OF_RANGE) }
}

fn push_uuid(out: &mut Vec<u8>, text: &[u8]) -> Checked<()> {
    const NO_UUID: Wrong = Wrong("this is no UUID");
    let dashes = text.len() == 36 && [8, 13, 18, 23].iter().all(|place| text.get(*place) == Some(&b'-'));
    let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'-').collect();
    if !dashes || digits.len() != 32 {
        return Err(NO_UUID);
    }
    push_hexadecimal(out, &digits).map_err(|_| NO_UUID)
}

/// Appends the bytes of `\x` and hexadecimal digits.
fn push_bytes(out: &mut Vec<u8>, text: &[u8]) -> Checked<()> {
    push_hexadecimal(out, text.strip_prefix(b"\\x").ok_or(Wrong("these are no bytes"))?)
}

fn push_hexadecimal(out: &mut Vec<u8>, digits: &[u8]) -> Checked<()> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(Wrong("this is no hexadecimal digit")),
    };
    let (pairs, left_over) = digits.as_chunks::<2>();
    if !left_over.is_empty() {
        return Err(Wrong("an odd number of hexadecimal digits"));
    }
    for [high, low] in pairs {
        out.push(digit(*high)? << 4 | digit(*low)?);
    }
    Ok(())
}

/// The byte of a `"char"`.
fn byte_of(text: &[u8]) -> Checked<u8> {
    match *text {
        [] => Ok(0),
        [byte @ 1..=0x7f] => Ok(byte),
        [b'\\', high @ b'2'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7'] => {
            Ok((high & 7) << 6 | (middle & 7) << 3 | (low & 7))
        }
        _ => Err(Wrong("this is no single byte")),
    }
}
