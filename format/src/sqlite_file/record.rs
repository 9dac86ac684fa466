//! Reading records: the header's serial types and the values they describe, side by side.

use super::serial_type::SerialType;
use super::varint::read_varint;

/// A value of a record. Text is in the database's encoding, unchecked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    /// Never NaN: SQLite takes a stored NaN for NULL.
    Real(f64),
    Text(&'a [u8]),
    Bytes(&'a [u8]),
}

/// The fields of one record, in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    header: &'a [u8],
    body: &'a [u8],
}

/// The record contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<'a> Fields<'a> {
    /// The fields of the record that these bytes are.
    #[inline]
    pub(crate) fn of(record: &'a [u8]) -> Result<Self, Malformed> {
        let (length, used) = read_varint(record).ok_or(Malformed)?;
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (header, body) = record.split_at_checked(length).ok_or(Malformed)?;
        Ok(Self { header: header.get(used..).ok_or(Malformed)?, body })
    }

    /// The next field; `None` after the last.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<Option<Value<'a>>, Malformed> {
        let number = match self.header {
            // What nearly all are: one byte.
            [byte, rest @ ..] if *byte < 0x80 => {
                self.header = rest;
                u64::from(*byte)
            }
            // As SQLite has it: values end where the record ends.
            [] if self.body.is_empty() => return Ok(None),
            header => {
                let (number, used) = read_varint(header).ok_or(Malformed)?;
                self.header = header.get(used..).ok_or(Malformed)?;
                number
            }
        };
        value(number, &mut self.body).map(Some)
    }

    /// After as many fields as the table has: no bytes may be left unless there are more fields, which SQLite passes over.
    #[inline]
    pub(crate) fn check_end(&self) -> Result<(), Malformed> {
        if self.header.is_empty() && !self.body.is_empty() { Err(Malformed) } else { Ok(()) }
    }
}

/// The value of this serial type whose payload the bytes begin with; leaves what follows.
#[inline(always)]
pub(super) fn value<'a>(number: u64, bytes: &mut &'a [u8]) -> Result<Value<'a>, Malformed> {
    Ok(match SerialType::from_number(number).ok_or(Malformed)? {
        SerialType::Null => Value::Null,
        SerialType::Zero => Value::Integer(0),
        SerialType::One => Value::Integer(1),
        SerialType::Integer(1) => Value::Integer(i64::from(i8::from_be_bytes(array(bytes)?))),
        SerialType::Integer(2) => Value::Integer(i64::from(i16::from_be_bytes(array(bytes)?))),
        SerialType::Integer(3) => {
            let [a, b, c] = array(bytes)?;
            Value::Integer(i64::from(i32::from_be_bytes([a, b, c, 0]) >> 8))
        }
        SerialType::Integer(4) => Value::Integer(i64::from(i32::from_be_bytes(array(bytes)?))),
        SerialType::Integer(6) => {
            let [a, b, c, d, e, f] = array(bytes)?;
            Value::Integer(i64::from_be_bytes([a, b, c, d, e, f, 0, 0]) >> 16)
        }
        SerialType::Integer(_) => Value::Integer(i64::from_be_bytes(array(bytes)?)),
        SerialType::Real => {
            let real = f64::from_be_bytes(array(bytes)?);
            if real.is_nan() { Value::Null } else { Value::Real(real) }
        }
        SerialType::Bytes(length) => Value::Bytes(slice(length, bytes)?),
        SerialType::Text(length) => Value::Text(slice(length, bytes)?),
    })
}

#[inline]
fn array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
    *bytes = rest;
    Ok(*taken)
}

#[inline]
fn slice<'a>(length: u64, bytes: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(length).map_err(|_| Malformed)?;
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Malformed)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(record: &[u8]) -> Result<Vec<Value<'_>>, Malformed> {
        let mut fields = Fields::of(record)?;
        let mut values = Vec::new();
        while let Some(value) = fields.next()? {
            values.push(value);
        }
        Ok(values)
    }

    #[test]
    fn every_serial_type_is_read() {
        let mut record = vec![13, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 15];
        record.extend([0xFF]);
        record.extend([0x80, 0]);
        record.extend([0xFF, 0xFF, 0xFE]);
        record.extend((-5_i32).to_be_bytes());
        record.extend([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFA]);
        record.extend(i64::MIN.to_be_bytes());
        record.extend((-0.5_f64).to_be_bytes());
        record.extend(b"\x00\xFFz");
        let expected = [
            Value::Null,
            Value::Integer(-1),
            Value::Integer(-32_768),
            Value::Integer(-2),
            Value::Integer(-5),
            Value::Integer(-6),
            Value::Integer(i64::MIN),
            Value::Real(-0.5),
            Value::Integer(0),
            Value::Integer(1),
            Value::Bytes(b"\x00\xFF"),
            Value::Text(b"z"),
        ];
        assert_eq!(values(&record).as_deref(), Ok(&expected[..]));
        for end in 0..record.len() {
            assert_eq!(values(record.get(..end).unwrap_or_default()), Err(Malformed), "cut at {end}");
        }
    }

    #[test]
    fn a_long_text_takes_a_serial_type_of_two_bytes() {
        let mut record = vec![3, 0x81, 0x0D];
        record.extend([b'x'; 64]);
        assert_eq!(values(&record), Ok(vec![Value::Text(&[b'x'; 64])]));
    }

    #[test]
    fn a_stored_nan_is_null() {
        let mut record = vec![2, 7];
        record.extend(f64::NAN.to_be_bytes());
        assert_eq!(values(&record), Ok(vec![Value::Null]));
    }

    #[test]
    fn what_sqlite_never_writes_is_malformed() {
        assert_eq!(values(&[2, 10]), Err(Malformed), "a reserved serial type");
        assert_eq!(values(&[2, 9, 0]), Err(Malformed), "more bytes than values");
        assert_eq!(values(&[0]), Err(Malformed), "a header shorter than its own length");
        assert_eq!(values(&[1]), Ok(vec![]));
    }
}
