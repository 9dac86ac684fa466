//! Keys of an index as bytes that compare as SQLite compares the keys: nulls, numbers by value whatever their kind, texts
//! by collation, bytes.
//!
//! Numbers are written as the integer at or below them in as few bytes as it needs, then what is above it. Equal keys have
//! equal bytes, and no key is the beginning of another.

use super::record_builder::whole;

/// Collations that every SQLite has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collation {
    /// Bytes as they are stored.
    Binary,
    /// ASCII letters of either case are the same. Of UTF-8.
    NoCase,
    /// Spaces at the end do not count. Of UTF-8.
    RTrim,
}

impl Collation {
    /// The collation of this name, if it is one of the three.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [("BINARY", Self::Binary), ("NOCASE", Self::NoCase), ("RTRIM", Self::RTrim)]
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, collation)| collation)
    }
}

const NULL: u8 = 0x01;
const BELOW_INTEGERS: u8 = 0x08;
/// Integers of n bytes have this plus n, negative ones this less n.
const ZERO: u8 = 0x20;
const ABOVE_INTEGERS: u8 = 0x30;
const TEXT: u8 = 0x40;
const BYTES: u8 = 0x50;

/// A key in the making.
#[derive(Debug, Default)]
pub(crate) struct SortKey {
    bytes: Vec<u8>,
}

impl SortKey {
    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// What was added.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Turns the order of what was added since the key had `from` bytes.
    pub(crate) fn descend(&mut self, from: usize) {
        for byte in self.bytes.iter_mut().skip(from) {
            *byte = !*byte;
        }
    }

    /// Adds a null.
    pub(crate) fn null(&mut self) {
        self.bytes.push(NULL);
    }

    /// Adds an integer.
    pub(crate) fn integer(&mut self, value: i64) {
        self.whole_part(value);
        self.bytes.push(0);
    }

    /// Adds a real number, which is not NaN.
    pub(crate) fn real(&mut self, value: f64) {
        // Bits that compare as the numbers do.
        let bits = value.to_bits();
        let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        if let Some(whole) = whole(value) {
            return self.integer(whole);
        }
        match whole(value.floor()) {
            // Not whole: beyond 2^53 all numbers are.
            Some(floor) => {
                self.whole_part(floor);
                self.bytes.push(1);
            }
            // The lowest integer; SQLite itself does not look at it as one.
            None if value.to_bits() == (-9_223_372_036_854_775_808.0_f64).to_bits() => return self.integer(i64::MIN),
            None => self.bytes.push(if value < 0.0 { BELOW_INTEGERS } else { ABOVE_INTEGERS }),
        }
        self.bytes.extend_from_slice(&ordered.to_be_bytes());
    }

    fn whole_part(&mut self, value: i64) {
        let magnitude = if value < 0 { !value } else { value };
        let bits = 64 - magnitude.leading_zeros();
        let length = bits.div_ceil(8).to_le_bytes()[0];
        // -1 to -256 take one byte, as 1 to 255 do; 0 takes none.
        let length = if value < 0 { length.max(1) } else { length };
        self.bytes.push(if value < 0 { ZERO - length } else { ZERO + length });
        let start = 8 - usize::from(length);
        self.bytes.extend_from_slice(value.to_be_bytes().get(start..).unwrap_or_default());
    }

    /// Adds a text: its stored bytes, or for collations other than BINARY its UTF-8.
    pub(crate) fn text(&mut self, text: &[u8], collation: Collation) {
        self.bytes.push(TEXT);
        match collation {
            Collation::Binary => self.escaped(text),
            Collation::RTrim => {
                let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
                self.escaped(text.get(..end).unwrap_or(text));
            }
            Collation::NoCase => {
                // SQLite's comparison ends at a NUL, and then only lengths count.
                let end = text.iter().position(|byte| *byte == 0);
                let seen = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
                self.bytes.extend(seen.iter().map(u8::to_ascii_lowercase));
                match end {
                    None => self.bytes.extend_from_slice(&[0, 1]),
                    Some(_) => {
                        self.bytes.extend_from_slice(&[0, 2]);
                        self.bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
                    }
                }
            }
        }
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.push(BYTES);
        self.escaped(bytes);
    }

    /// Bytes with an end that comes before all that could follow.
    fn escaped(&mut self, bytes: &[u8]) {
        let mut parts = bytes.split(|byte| *byte == 0);
        self.bytes.extend_from_slice(parts.next().unwrap_or_default());
        for part in parts {
            self.bytes.extend_from_slice(&[0, 0xFF]);
            self.bytes.extend_from_slice(part);
        }
        self.bytes.extend_from_slice(&[0, 0]);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rusqlite::Connection;
    use rusqlite::types::{Value, ValueRef};

    use super::*;

    fn key(value: ValueRef<'_>, collation: Collation, descending: bool) -> Vec<u8> {
        let mut key = SortKey::default();
        match value {
            ValueRef::Null => key.null(),
            ValueRef::Integer(value) => key.integer(value),
            ValueRef::Real(value) => key.real(value),
            ValueRef::Text(text) => key.text(text, collation),
            ValueRef::Blob(bytes) => key.bytes(bytes),
        }
        if descending {
            key.descend(0);
        }
        key.as_bytes().to_vec()
    }

    fn values() -> Vec<Value> {
        let mut values = vec![Value::Null];
        let edges = [0, 1, 2, 127, 128, 255, 256, 257, 65_535, 65_536, 1 << 24, 1 << 47, 1 << 53, 1 << 62, i64::MAX];
        for edge in edges {
            for near in [edge.saturating_sub(1), edge, edge.saturating_add(1)] {
                values.extend([near, -near, !near].map(Value::Integer));
                #[expect(clippy::cast_precision_loss, reason = "tests")]
                let real = near as f64;
                let reals = [real, -real, real + 0.5, -real - 0.5, real.next_up(), real.next_down(), -real.next_up()];
                values.extend(reals.map(Value::Real));
            }
        }
        let reals = [f64::MIN, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, 5e-324, -5e-324, -0.0, 1e19, -1e19, 0.1];
        values.extend(reals.map(Value::Real));
        let texts = [
            "", "a", "A", "ab", "aB ", "ab  ", "ab\0", "AB\0x", "ab\0y", "a\0", "\0", " ", "b", "[", "_", "é",
            "\u{ffff}",
        ];
        values.extend(texts.map(|text| Value::Text(text.into())));
        let blobs: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"a", b"\xff", b"\0\xff"];
        values.extend(blobs.map(|bytes| Value::Blob(bytes.to_vec())));
        values
    }

    #[test]
    fn bytes_compare_as_sqlite_compares_the_values() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE v(n INTEGER PRIMARY KEY, x BLOB)").unwrap();
        for value in values() {
            connection.execute("INSERT INTO v(x) VALUES (?1)", [value]).unwrap();
        }
        for (name, collation) in
            [("BINARY", Collation::Binary), ("NOCASE", Collation::NoCase), ("RTRIM", Collation::RTrim)]
        {
            assert_eq!(Collation::named(name), Some(collation));
            for descending in [false, true] {
                // NULLs are equal here: `IS` and the order of ORDER BY.
                let sql = format!(
                    "SELECT x, x COLLATE {name} IS lag(x) OVER w FROM v WINDOW w AS (ORDER BY x COLLATE {name}
                    {}) ORDER BY x COLLATE {name} {}",
                    if descending { "DESC" } else { "" },
                    if descending { "DESC" } else { "" }
                );
                let mut statement = connection.prepare(&sql).unwrap();
                let mut rows = statement.query([]).unwrap();
                let mut last: Option<Vec<u8>> = None;
                while let Some(row) = rows.next().unwrap() {
                    let here = key(row.get_ref(0).unwrap(), collation, descending);
                    if let Some(last) = &last {
                        let same = row.get::<_, bool>(1).unwrap();
                        assert_eq!(*last == here, same, "{name} {:?}", row.get_ref(0));
                        assert!(*last <= here, "{name} {:?}", row.get_ref(0));
                        assert!(same || !here.starts_with(last) && !last.starts_with(&here));
                    }
                    last = Some(here);
                }
            }
        }
    }
}
