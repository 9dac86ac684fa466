//! Several records of one table, read field by field: the fields of one column are mostly of one sort, and a loop over them
//! has nothing to guess. `record.rs` reads one record from its first field to its last, and the same values.

use super::record::{Malformed, Value, value};
use super::varint::read_varint;

/// Zeros behind the last record, so that a short value can be read as a longer one.
const PADDING: usize = 32;

/// The serial type of a field that a record does not have; no file holds it.
const MISSING: u32 = 10;

/// A value of a record: its serial type, and where its payload begins.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: u32,
    start: u32,
}

/// Some records with so many fields each, copied together. They are read by [`Records::read`].
#[derive(Debug, Default)]
pub(crate) struct Records {
    fields: usize,
    bytes: Vec<u8>,
    /// Row by row.
    places: Vec<Place>,
}

impl Records {
    pub(crate) fn new(fields: usize) -> Self {
        Self { fields, ..Self::default() }
    }

    /// Bytes of the records so far.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Takes all records out.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    /// Adds a record, and says how many of the fields it has; those that it has beside them are passed over. After an error
    /// the records are of no use.
    pub(crate) fn add(&mut self, record: &[u8]) -> Result<usize, Malformed> {
        let (length, used) = read_varint(record).ok_or(Malformed)?;
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let mut header = record.get(used..length).ok_or(Malformed)?;
        let base = self.bytes.len() as u64;
        let end = base + record.len() as u64;
        let mut start = base + length as u64;
        self.bytes.extend_from_slice(record);
        let row = self.places.len();
        self.places.resize(row + self.fields, Place { number: MISSING, start: 0 });
        let mut found = 0;
        for place in self.places.get_mut(row..).unwrap_or_default() {
            let number = match header {
                // What nearly all are: one byte.
                [byte, rest @ ..] if *byte < 0x80 => {
                    header = rest;
                    u32::from(*byte)
                }
                // As SQLite has it: values end where the record ends.
                [] if start == end => break,
                _ => {
                    let (number, used) = read_varint(header).ok_or(Malformed)?;
                    header = header.get(used..).ok_or(Malformed)?;
                    u32::try_from(number).map_err(|_| Malformed)?
                }
            };
            // All records together are far below 4 GiB: whoever adds them has room for them.
            *place = Place { number, start: u32::try_from(start).map_err(|_| Malformed)? };
            start += payload_length(number);
            found += 1;
        }
        // What no file holds is too long for any.
        if start > end || (found == self.fields && header.is_empty() && start < end) {
            return Err(Malformed);
        }
        Ok(found)
    }

    /// Reads the records that were added.
    pub(crate) fn read(&mut self) -> Columns<'_> {
        self.bytes.resize(self.bytes.len() + PADDING, 0);
        Columns { fields: self.fields, bytes: &self.bytes, places: &self.places }
    }
}

/// Bytes of the payload of a serial type; more than there can be of those that no file holds.
#[inline]
fn payload_length(number: u32) -> u64 {
    /// Of those that take one byte.
    const LENGTHS: [u64; 128] = {
        let mut lengths = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, NONE, NONE].as_slice();
        let mut all = [0; 128];
        let (mut rest, mut length) = (all.as_mut_slice(), 0);
        while let Some((place, others)) = rest.split_first_mut() {
            match lengths.split_first() {
                Some((known, unknown)) => {
                    *place = *known;
                    lengths = unknown;
                }
                None => {
                    *place = length / 2;
                    length += 1;
                }
            }
            rest = others;
        }
        all
    };
    match LENGTHS.get(number as usize) {
        Some(length) => *length,
        None => u64::from(number - 12) / 2,
    }
}

/// Longer than all records together.
const NONE: u64 = 1 << 40;

/// Records that can be read field by field.
pub(crate) struct Columns<'a> {
    fields: usize,
    bytes: &'a [u8],
    places: &'a [Place],
}

impl<'a> Columns<'a> {
    fn places(&self, field: usize) -> impl ExactSizeIterator<Item = Place> + Clone + use<'a> {
        let missing = Place { number: MISSING, start: 0 };
        let rows = self.places.chunks_exact(self.fields.max(1));
        rows.map(move |row| row.get(field).copied().unwrap_or(missing))
    }

    /// Integers and reals, if all values of a field are these: is it a real, and its 64 bits.
    pub(crate) fn numbers(&self, field: usize) -> Option<impl ExactSizeIterator<Item = (bool, u64)> + Clone + use<'a>> {
        let is_real = |place: Place| place.number == 7;
        if !self.places(field).all(|place| (1..=9).contains(&place.number)) {
            return None;
        }
        let bytes = self.bytes;
        let numbers = self.places(field).map(move |place| {
            // A real is 8 bytes as an integer of 8 bytes is; what stands behind a shorter one is shifted out.
            const SHIFTS: [u32; 8] = [0, 56, 48, 40, 32, 16, 0, 0];
            let word = bytes.get(place.start as usize..).and_then(|rest| rest.first_chunk());
            let word = word.map_or(0, |word| i64::from_be_bytes(*word));
            let bits = match SHIFTS.get(place.number as usize) {
                Some(shift) => (word >> shift).cast_unsigned(),
                None => u64::from(place.number & 1),
            };
            (is_real(place), bits)
        });
        // SQLite takes a stored NaN for NULL.
        let is_nan = |(is_real, bits): (bool, u64)| is_real & f64::from_bits(bits).is_nan();
        let has_nan = self.places(field).any(is_real) && numbers.clone().any(is_nan);
        (!has_nan).then_some(numbers)
    }

    /// Texts, if all values of a field are these: the bytes from where each begins to the end of all, and its length.
    pub(crate) fn texts(
        &self,
        field: usize,
    ) -> Option<impl ExactSizeIterator<Item = (&'a [u8], usize)> + Clone + use<'a>> {
        if !self.places(field).all(|place| place.number >= 13 && place.number % 2 == 1) {
            return None;
        }
        let bytes = self.bytes;
        Some(self.places(field).map(move |place| {
            let rest = bytes.get(place.start as usize..).unwrap_or_default();
            (rest, ((place.number - 13) / 2) as usize)
        }))
    }

    /// Any values; `None` of a field that a record does not have.
    pub(crate) fn values(&self, field: usize) -> impl Iterator<Item = Option<Value<'a>>> + use<'a> {
        let bytes = self.bytes;
        self.places(field).map(move |place| {
            let mut rest = bytes.get(place.start as usize..)?;
            // Malformed are only those that no record holds.
            value(u64::from(place.number), &mut rest).ok()
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::record::Fields;
    use super::*;

    /// The fields of a record as `Fields` reads them, `fields` at most; `None` where it finds them malformed.
    fn expected(record: &[u8], fields: usize) -> Option<Vec<Value<'_>>> {
        let mut reader = Fields::of(record).ok()?;
        let mut values = Vec::new();
        while values.len() < fields {
            match reader.next().ok()? {
                Some(value) => values.push(value),
                None => return Some(values),
            }
        }
        reader.check_end().ok()?;
        Some(values)
    }

    /// Records of every sort, sound and not.
    fn records() -> Vec<Vec<u8>> {
        let mut whole = vec![14, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 15, 13];
        for length in [1, 2, 3, 4, 6, 8] {
            whole.extend((0..length).map(|at| 0x85_u8.wrapping_add(at)));
        }
        whole.extend((-0.5_f64).to_be_bytes());
        whole.extend(b"\x00\xFFz");
        let mut all: Vec<Vec<u8>> = (0..=whole.len()).map(|end| whole.iter().take(end).copied().collect()).collect();
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                *flipped.get_mut(place).unwrap() ^= 1 << bit;
                all.push(flipped);
            }
        }
        let mut long = vec![4, 0x81, 0x0D, 7];
        long.extend([b'x'; 64]);
        long.extend(f64::NAN.to_be_bytes());
        all.extend([long, vec![1], vec![2, 1, 0x80], vec![2, 7, 0x40, 0, 0, 0, 0, 0, 0, 1]]);
        all
    }

    #[test]
    fn every_record_is_read_as_one_alone_is() {
        for fields in 0..16 {
            let mut sound = Vec::new();
            let mut records = Records::new(fields);
            for record in self::records() {
                let found = Records::new(fields).add(&record).ok();
                assert_eq!(found, expected(&record, fields).map(|values| values.len()), "{record:?}");
                if found.is_some() {
                    assert_eq!(records.add(&record).ok(), found);
                    sound.push(record);
                }
            }
            let columns = records.read();
            let mut by_field: Vec<_> = (0..fields).map(|field| columns.values(field)).collect();
            for record in &sound {
                let values = expected(record, fields).unwrap();
                for (field, column) in by_field.iter_mut().enumerate() {
                    assert_eq!(column.next().unwrap(), values.get(field).copied(), "{record:?} {field}");
                }
            }
        }
    }

    #[test]
    fn columns_of_one_sort_are_read_as_such() {
        let mut records = Records::new(3);
        for (number, payload) in
            [(1, &[0xFE][..]), (9, &[]), (6, &[0x80, 0, 0, 0, 0, 0, 0, 1]), (5, &[1, 2, 3, 4, 5, 6])]
        {
            let mut record = vec![4, number, 7, 17];
            record.extend(payload);
            record.extend(1.5_f64.to_be_bytes());
            record.extend(b"ab");
            assert_eq!(records.add(&record), Ok(3));
        }
        let columns = records.read();
        let numbers: Vec<i64> = columns.numbers(0).unwrap().map(|(_, bits)| bits.cast_signed()).collect();
        assert_eq!(numbers, [-2, 1, i64::MIN + 1, 0x0102_0304_0506]);
        assert!(columns.numbers(1).unwrap().all(|number| number == (true, 1.5_f64.to_bits())));
        assert!(columns.texts(2).unwrap().all(|(rest, length)| rest.starts_with(b"ab") && length == 2));
        assert!(columns.texts(0).is_none() && columns.numbers(2).is_none());
        let mut with_nan = Records::new(1);
        with_nan.add(&[&[2, 7][..], &f64::NAN.to_be_bytes()].concat()).unwrap();
        assert!(with_nan.read().numbers(0).is_none());
    }
}
