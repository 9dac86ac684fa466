//! When a cell equals a value: as `column = value` says in SQLite, by the column's affinity and collation.

use std::cmp::Ordering;

use super::typed_key;
use crate::archive::BlockEntry;
use crate::history::affinity::Affinity;
use crate::model::{Bound, Cell, Logical, TableSchema, Value};

/// How cells of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Comparison {
    conversion: Conversion,
    collation: Collation,
}

/// What becomes of a value before it is compared with the column's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Conversion {
    None,
    /// Integers become texts.
    ToText,
    /// Texts that are numbers become numbers.
    ToNumber,
    /// What is written becomes a cell of this logical type; cells stay as they are.
    Typed(Logical),
}

/// Which texts are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Collation {
    Binary,
    NoCase,
    RightTrim,
}

impl Comparison {
    /// Of a column of a table; `None` if its texts are compared in a way that only the source knows. `collation` is that of
    /// columns which the key does not name.
    pub(super) fn of(schema: &TableSchema, column: usize, collation: Option<&str>) -> Option<Self> {
        let part = schema.key.iter().find(|part| part.column as usize == column);
        let collation = match part.map(|part| part.collation.as_str()).or(collation) {
            None | Some("BINARY") => Collation::Binary,
            Some("NOCASE") => Collation::NoCase,
            Some("RTRIM") => Collation::RightTrim,
            Some(_) => return None,
        };
        let declared = schema.columns.get(column)?;
        let logical = declared.logical_type();
        if logical != Logical::Any {
            return Some(Self { conversion: Conversion::Typed(logical), collation });
        }
        let conversion = match Affinity::of(&declared.declared_type, schema.option("strict").is_some()) {
            Affinity::Blob => Conversion::None,
            Affinity::Text => Conversion::ToText,
            Affinity::Numeric | Affinity::Real => Conversion::ToNumber,
        };
        Some(Self { conversion, collation })
    }

    /// Of columns that hold names, which SQLite compares without regard to case.
    pub(super) fn of_names() -> Self {
        Self { conversion: Conversion::None, collation: Collation::NoCase }
    }

    /// Adds to `out` what is the same for all cells that are equal, and another thing for all others. `false` for a cell that
    /// equals nothing: null, and a NaN.
    pub(super) fn add_identity(self, cell: &Cell<'_>, out: &mut Vec<u8>) -> bool {
        match *cell {
            Cell::Null => return false,
            Cell::Integer(value) if self.conversion == Conversion::ToText => {
                add(out, TEXT, value.to_string().as_bytes());
            }
            Cell::Integer(value) => add(out, INTEGER, &value.to_le_bytes()),
            Cell::Real(value) => {
                if value.is_nan() {
                    return false;
                }
                match whole(value) {
                    Some(whole) => add(out, INTEGER, &whole.to_le_bytes()),
                    None => add(out, REAL, &value.to_bits().to_le_bytes()),
                }
            }
            Cell::Text(text) => match number(text).filter(|_| self.conversion == Conversion::ToNumber) {
                Some(number) => return self.add_identity(&number.as_cell(), out),
                None => self.add_text(text, out),
            },
            Cell::Bytes(bytes) => add(out, BYTES, bytes),
            Cell::RawText(bytes) => add(out, RAW_TEXT, bytes),
        }
        true
    }

    fn add_text(self, text: &[u8], out: &mut Vec<u8>) {
        match self.collation {
            Collation::Binary => add(out, TEXT, text),
            Collation::NoCase => add(out, TEXT, &text.to_ascii_lowercase()),
            Collation::RightTrim => add(out, TEXT, trimmed(text)),
        }
    }

    /// What a value that a person wrote may be in this column: a text, a number, or both where the column converts neither.
    pub(super) fn readings(self, written: &str) -> Vec<Value> {
        if let Conversion::Typed(logical) = self.conversion {
            return vec![typed_key::reading(written, logical)];
        }
        let text = Value::Text(written.as_bytes().to_vec());
        match (self.conversion, number(written.as_bytes())) {
            (Conversion::ToNumber, Some(number)) => vec![number],
            (Conversion::None, Some(number)) => vec![number, text],
            _ => vec![text],
        }
    }

    /// May a block of so many rows hold a cell that equals one of these values?
    pub(super) fn may_hold(self, block: &BlockEntry, rows: u64, values: &[Value]) -> bool {
        let (Some(minimum), Some(maximum)) = (&block.minimum, &block.maximum) else {
            // All are null, or a NaN is among them.
            return block.nulls < rows;
        };
        let is_number = |bound: &Bound| matches!(bound.value, Value::Integer(_) | Value::Real(_));
        let only_numbers = is_number(maximum);
        let is_comparable = match self.conversion {
            Conversion::None | Conversion::Typed(_) => true,
            Conversion::ToText => !is_number(minimum),
            Conversion::ToNumber => only_numbers,
        };
        if !is_comparable || (self.collation != Collation::Binary && !only_numbers) {
            return true;
        }
        values.iter().any(|value| {
            let value = Bound::of(&value.as_cell());
            value.order(minimum) != Some(Ordering::Less) && value.order(maximum) != Some(Ordering::Greater)
        })
    }
}

const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BYTES: u8 = 4;
const RAW_TEXT: u8 = 5;

fn add(out: &mut Vec<u8>, tag: u8, payload: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    out.extend_from_slice(payload);
}

fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    text.get(..end).unwrap_or(text)
}

/// The integer that a real is, if it is one.
#[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "within the bounds of i64, and whole")]
fn whole(value: f64) -> Option<i64> {
    /// 2^63, the first number above every i64.
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    (value.trunc() == value && (-ABOVE..ABOVE).contains(&value)).then_some(value as i64)
}

/// The number that a text is to SQLite, spaces around it left out.
fn number(text: &[u8]) -> Option<Value> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    if !text.bytes().all(|byte| is_part(&byte)) {
        return None;
    }
    let integer = text.parse().map(Value::Integer).ok();
    integer.or_else(|| text.parse().map(Value::Real).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Comparison = Comparison { conversion: Conversion::ToNumber, collation: Collation::Binary };
    const TEXTS: Comparison = Comparison { conversion: Conversion::ToText, collation: Collation::Binary };
    const ANY: Comparison = Comparison { conversion: Conversion::None, collation: Collation::Binary };

    fn equal(by: Comparison, a: &Cell<'_>, b: &Cell<'_>) -> bool {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        by.add_identity(a, &mut left) && by.add_identity(b, &mut right) && left == right
    }

    #[test]
    fn cells_are_equal_where_sqlite_says_so() {
        for by in [NUMBERS, TEXTS, ANY] {
            assert!(!equal(by, &Cell::Null, &Cell::Null));
            assert!(!equal(by, &Cell::Real(f64::NAN), &Cell::Real(f64::NAN)));
            assert!(equal(by, &Cell::Real(0.0), &Cell::Real(-0.0)));
            assert!(!equal(by, &Cell::Text(b"a"), &Cell::Bytes(b"a")));
            assert!(!equal(by, &Cell::Text(b"a"), &Cell::Text(b"A")));
        }
        assert!(equal(NUMBERS, &Cell::Text(b" 5.0"), &Cell::Integer(5)));
        assert!(equal(ANY, &Cell::Real(5.0), &Cell::Integer(5)));
        assert!(!equal(ANY, &Cell::Text(b"5"), &Cell::Integer(5)));
        assert!(equal(TEXTS, &Cell::Text(b"5"), &Cell::Integer(5)));
        assert!(!equal(TEXTS, &Cell::Text(b"05"), &Cell::Integer(5)));
        assert!(!equal(NUMBERS, &Cell::Real(9_007_199_254_740_992.0), &Cell::Integer(9_007_199_254_740_993)));
        let no_case = Comparison { collation: Collation::NoCase, ..TEXTS };
        assert!(equal(no_case, &Cell::Text("aÉ".as_bytes()), &Cell::Text("AÉ".as_bytes())));
        assert!(!equal(no_case, &Cell::Text("é".as_bytes()), &Cell::Text("É".as_bytes())));
        let trims = Comparison { collation: Collation::RightTrim, ..ANY };
        assert!(equal(trims, &Cell::Text(b"a  "), &Cell::Text(b"a")));
    }

    #[test]
    fn what_is_written_is_read_as_the_column_reads_it() {
        assert_eq!(NUMBERS.readings("7"), [Value::Integer(7)]);
        assert_eq!(NUMBERS.readings("1e400"), [Value::Real(f64::INFINITY)]);
        assert_eq!(NUMBERS.readings("ana"), [Value::Text(b"ana".to_vec())]);
        assert_eq!(TEXTS.readings("7"), [Value::Text(b"7".to_vec())]);
        assert_eq!(ANY.readings("7"), [Value::Integer(7), Value::Text(b"7".to_vec())]);
        for text in ["", "-", "inf", "nan", "0x1", "1_0", "e5"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }
}
