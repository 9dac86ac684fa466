//! Records: the values of a row or key, one after another.

use super::serial_type::SerialType;
use super::varint::{append_varint, varint_length};

/// A record in the making; the buffers are used again.
#[derive(Debug, Default)]
pub(crate) struct RecordBuilder {
    types: Vec<u8>,
    values: Vec<u8>,
    record: Vec<u8>,
}

impl RecordBuilder {
    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.types.clear();
        self.values.clear();
    }

    /// Adds no value.
    pub(crate) fn null(&mut self) {
        self.types.push(0);
    }

    /// Adds an integer.
    pub(crate) fn integer(&mut self, value: i64) {
        let serial = SerialType::of_integer(value);
        self.serial(serial);
        if let SerialType::Integer(bytes) = serial {
            let start = 8 - usize::from(bytes);
            self.values.extend_from_slice(value.to_be_bytes().get(start..).unwrap_or_default());
        }
    }

    /// Adds a real number, bit for bit.
    pub(crate) fn real(&mut self, value: f64) {
        self.serial(SerialType::Real);
        self.values.extend_from_slice(&value.to_bits().to_be_bytes());
    }

    /// Adds a real number to a column of affinity REAL, where SQLite keeps whole ones of at most six bytes as integers.
    /// (-0.0 is none: SQLite would take its sign away.)
    pub(crate) fn real_in_real_column(&mut self, value: f64) {
        match whole(value).filter(|_| value.to_bits() != (-0.0_f64).to_bits()) {
            Some(whole) if SerialType::of_integer(whole) != SerialType::Integer(8) => self.integer(whole),
            _ => self.real(value),
        }
    }

    /// Adds a text in the database's encoding.
    pub(crate) fn text(&mut self, bytes: &[u8]) {
        self.serial(SerialType::Text(bytes.len() as u64));
        self.values.extend_from_slice(bytes);
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.serial(SerialType::Bytes(bytes.len() as u64));
        self.values.extend_from_slice(bytes);
    }

    fn serial(&mut self, serial: SerialType) {
        append_varint(serial.number(), &mut self.types);
    }

    /// The record of all that was added.
    pub(crate) fn finish(&mut self) -> &[u8] {
        // The header's length counts itself.
        let types = self.types.len() as u64;
        let mut header = types + 1;
        while varint_length(header) as u64 + types != header {
            header = types + varint_length(header) as u64;
        }
        self.record.clear();
        append_varint(header, &mut self.record);
        self.record.extend_from_slice(&self.types);
        self.record.extend_from_slice(&self.values);
        &self.record
    }
}

/// The integer that equals a real number, if there is one and it is none of the two extremes, as SQLite looks at it.
pub(crate) fn whole(value: f64) -> Option<i64> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if !(value > -BOUND && value < BOUND) || value.trunc().to_bits() != value.to_bits() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    let whole = value as i64;
    (whole > i64::MIN && whole < i64::MAX).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_sqlites() {
        let mut record = RecordBuilder::default();
        record.null();
        record.integer(1);
        record.integer(-2);
        record.integer(300);
        record.text(b"ab");
        record.bytes(b"");
        record.real(0.5);
        assert_eq!(
            record.finish(),
            [8, 0, 9, 1, 2, 17, 12, 7, 0xFE, 1, 0x2C, b'a', b'b', 0x3F, 0xE0, 0, 0, 0, 0, 0, 0]
        );
        record.clear();
        assert_eq!(record.finish(), [1]);
    }

    #[test]
    fn a_long_header_counts_its_own_length() {
        for (columns, length) in [(126, 127), (127, 129), (128, 130), (16_381, 16_383), (16_382, 16_385)] {
            let mut record = RecordBuilder::default();
            (0..columns).for_each(|_| record.null());
            let bytes = record.finish();
            assert_eq!(bytes.len(), length);
            assert_eq!(super::super::read_varint(bytes).map(|(header, _)| header), Some(length as u64));
        }
    }

    #[test]
    fn whole_reals_are_kept_as_integers_where_sqlite_does() {
        for (value, kept) in [
            (0.0, &[2, 8][..]),
            (-1.0, &[2, 1, 0xFF]),
            (140_737_488_355_327.0, &[2, 5, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            (140_737_488_355_328.0, &[2, 7, 0x42, 0xE0, 0, 0, 0, 0, 0, 0]),
            (-0.0, &[2, 7, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            (f64::INFINITY, &[2, 7, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0]),
        ] {
            let mut record = RecordBuilder::default();
            record.real_in_real_column(value);
            assert_eq!(record.finish(), kept, "{value}");
        }
        assert_eq!(whole(-9_223_372_036_854_775_808.0), None);
        assert_eq!(whole(-9_223_372_036_854_774_784.0), Some(-9_223_372_036_854_774_784));
        assert_eq!(whole(f64::NAN), None);
    }
}
