//! The order in which rows of a table stand: that of its key (`spec/format.md` §10).

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::model::{Cell, SourceDescription, TableSchema, order_numbers_of};

/// Compares rows of one table by key.
#[derive(Debug, Clone)]
pub struct KeyOrder {
    parts: Vec<Part>,
    encoding: TextEncoding,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    column: usize,
    descending: bool,
    collation: Collation,
}

/// How texts compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Collation {
    Binary,
    NoCase,
    RightTrim,
}

/// How the source stores texts: BINARY compares those bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextEncoding {
    Utf8,
    Utf16Little,
    Utf16Big,
}

impl KeyOrder {
    /// For tables of this schema from this source; `None` where the order is nobody's business but the source's: there is
    /// no key, a collation is unknown, or the engine is.
    pub fn new(schema: &TableSchema, source: &SourceDescription) -> Option<Self> {
        let is_sqlite = match source.engine.as_str() {
            "sqlite" => true,
            "postgresql" => false,
            _ => return None,
        };
        if schema.key.is_empty() {
            return None;
        }
        let encoding = match source.setting("encoding") {
            Some("UTF-16le") if is_sqlite => TextEncoding::Utf16Little,
            Some("UTF-16be") if is_sqlite => TextEncoding::Utf16Big,
            _ => TextEncoding::Utf8,
        };
        let parts = schema.key.iter().map(|part| {
            let collation = match part.collation.as_str() {
                "BINARY" => Collation::Binary,
                "NOCASE" if is_sqlite => Collation::NoCase,
                "RTRIM" if is_sqlite => Collation::RightTrim,
                _ => return None,
            };
            Some(Part { column: part.column as usize, descending: part.descending, collation })
        });
        Some(Self { parts: parts.collect::<Option<_>>()?, encoding })
    }

    /// The key cells of a row.
    pub fn key_of<'r, 'c>(&self, row: &'r [Cell<'c>]) -> impl Iterator<Item = Cell<'c>> + use<'_, 'r, 'c> {
        self.parts.iter().filter_map(|part| row.get(part.column).copied())
    }

    /// Is there a NaN in the row's key? It has no place in any order.
    pub fn has_nan(&self, row: &[Cell<'_>]) -> bool {
        self.key_of(row).any(|cell| matches!(cell, Cell::Real(value) if value.is_nan()))
    }

    /// May `row` come directly after a row with this key (as [`KeyOrder::key_of`] gives it)? `None` if they cannot be
    /// compared: a raw text under a collation that is not BINARY in a UTF-16 source.
    pub fn may_follow(&self, key: &[Cell<'_>], row: &[Cell<'_>]) -> Option<bool> {
        let is_raw = |cell: Option<&Cell<'_>>| matches!(cell, Some(Cell::RawText(_)));
        let mut parts = self.parts.iter().zip(key).filter(|(part, _)| part.collation != Collation::Binary);
        if self.encoding != TextEncoding::Utf8
            && parts.any(|(part, before)| is_raw(Some(before)) || is_raw(row.get(part.column)))
        {
            return None;
        }
        let mut any_null = false;
        for (part, before) in self.parts.iter().zip(key) {
            let cell = row.get(part.column)?;
            any_null |= matches!(cell, Cell::Null);
            let order = match self.compare(before, cell, part.collation)? {
                Some(order) if part.descending => order.reverse(),
                Some(order) => order,
                // A NaN has no place in a key.
                None => return Some(false),
            };
            if order != Ordering::Equal {
                return Some(order == Ordering::Less);
            }
        }
        // Nulls are not equal to one another.
        Some(any_null)
    }

    /// Do both order rows in the same way, wherever their key columns stand?
    pub fn is_like(&self, other: &Self) -> bool {
        let order = |part: &Part| (part.descending, part.collation);
        self.encoding == other.encoding && self.parts.iter().map(order).eq(other.parts.iter().map(order))
    }

    /// The order of two keys (as [`KeyOrder::key_of`] gives them). `None` if they cannot be compared: a raw text under a
    /// collation that is not BINARY in a UTF-16 source, or a NaN. Keys that are equal to the collation are equal here.
    pub fn order(&self, a: &[Cell<'_>], b: &[Cell<'_>]) -> Option<Ordering> {
        for ((a, b), part) in a.iter().zip(b).zip(&self.parts) {
            let order = match self.compare(a, b, part.collation)?? {
                order if part.descending => order.reverse(),
                order => order,
            };
            if order != Ordering::Equal {
                return Some(order);
            }
        }
        Some(Ordering::Equal)
    }

    /// null < numbers < texts < bytes. The outer `None`: not to be compared; the inner one: a NaN.
    #[expect(clippy::option_option, reason = "two different ways of having no order")]
    fn compare(&self, a: &Cell<'_>, b: &Cell<'_>, collation: Collation) -> Option<Option<Ordering>> {
        let rank = |cell: &Cell<'_>| match cell {
            Cell::Null => 0,
            Cell::Integer(_) | Cell::Real(_) => 1,
            Cell::Text(_) | Cell::RawText(_) => 2,
            Cell::Bytes(_) => 3,
        };
        let is_nan = |cell: &Cell<'_>| matches!(cell, Cell::Real(value) if value.is_nan());
        if is_nan(a) || is_nan(b) {
            return Some(None);
        }
        if rank(a) != rank(b) {
            return Some(Some(rank(a).cmp(&rank(b))));
        }
        Some(match rank(a) {
            0 => Some(Ordering::Equal),
            1 => order_numbers_of(a, b),
            2 => Some(self.compare_texts(a, b, collation)?),
            _ => Some(a.variable_bytes().cmp(&b.variable_bytes())),
        })
    }

    fn compare_texts(&self, a: &Cell<'_>, b: &Cell<'_>, collation: Collation) -> Option<Ordering> {
        if collation == Collation::Binary {
            return Some(self.stored(a).cmp(&self.stored(b)));
        }
        let any_raw = matches!(a, Cell::RawText(_)) || matches!(b, Cell::RawText(_));
        if any_raw && self.encoding != TextEncoding::Utf8 {
            return None;
        }
        let (a, b) = (a.variable_bytes()?, b.variable_bytes()?);
        Some(match collation {
            Collation::RightTrim => trimmed(a).cmp(trimmed(b)),
            _ => order_no_case(a, b),
        })
    }

    /// A text's bytes as the source stores them.
    fn stored<'c>(&self, cell: &Cell<'c>) -> Cow<'c, [u8]> {
        let bytes = cell.variable_bytes().unwrap_or_default();
        let convert: fn(u16) -> [u8; 2] = match (self.encoding, cell) {
            (TextEncoding::Utf16Little, Cell::Text(_)) => u16::to_le_bytes,
            (TextEncoding::Utf16Big, Cell::Text(_)) => u16::to_be_bytes,
            _ => return Cow::Borrowed(bytes),
        };
        String::from_utf8_lossy(bytes).encode_utf16().flat_map(convert).collect::<Vec<u8>>().into()
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    let kept = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    text.get(..kept).unwrap_or(text)
}

/// SQLite's NOCASE: up to the first NUL or the shorter length, then by length.
fn order_no_case(a: &[u8], b: &[u8]) -> Ordering {
    for (x, y) in a.iter().zip(b) {
        let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
        if order != Ordering::Equal {
            return order;
        }
        if *x == 0 {
            break;
        }
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::KeyPart;

    fn order(encoding: TextEncoding, collation: Collation) -> KeyOrder {
        KeyOrder { parts: vec![Part { column: 0, descending: false, collation }], encoding }
    }

    fn check(order: &KeyOrder, a: Cell<'_>, b: Cell<'_>) {
        assert_eq!(order.may_follow(&[a], &[b]), Some(true), "{a:?} {b:?}");
        assert_eq!(order.may_follow(&[b], &[a]), Some(false), "{b:?} {a:?}");
    }

    #[test]
    fn kinds_and_collations_order_as_sqlite_does() {
        let binary = order(TextEncoding::Utf8, Collation::Binary);
        check(&binary, Cell::Null, Cell::Integer(i64::MIN));
        check(&binary, Cell::Real(1.5), Cell::Integer(2));
        check(&binary, Cell::Integer(i64::MAX), Cell::Text(b""));
        check(&binary, Cell::RawText(b"zz\xff"), Cell::Bytes(b""));
        check(&binary, Cell::Text(b"B"), Cell::Text(b"a"));
        let no_case = order(TextEncoding::Utf8, Collation::NoCase);
        check(&no_case, Cell::Text(b"a"), Cell::Text(b"B"));
        check(&no_case, Cell::Text(b"a\0z"), Cell::Text(b"a\0bb"));
        check(&no_case, Cell::Text("É".as_bytes()), Cell::Text("é".as_bytes()));
        let right_trim = order(TextEncoding::Utf8, Collation::RightTrim);
        check(&right_trim, Cell::Text(b"a  "), Cell::Text(b"a!"));
    }

    #[test]
    fn equal_keys_may_not_follow_one_another_but_nulls_may() {
        let no_case = order(TextEncoding::Utf8, Collation::NoCase);
        assert_eq!(no_case.may_follow(&[Cell::Text(b"A\0b")], &[Cell::Text(b"a\0z")]), Some(false));
        let trim = order(TextEncoding::Utf8, Collation::RightTrim);
        assert_eq!(trim.may_follow(&[Cell::Text(b"a  ")], &[Cell::Text(b"a")]), Some(false));
        assert_eq!(trim.may_follow(&[Cell::Null], &[Cell::Null]), Some(true));
        assert_eq!(trim.may_follow(&[Cell::Real(f64::NAN)], &[Cell::Integer(1)]), Some(false));
    }

    #[test]
    fn keys_are_ordered_without_their_rows() {
        let no_case = order(TextEncoding::Utf8, Collation::NoCase);
        let descending =
            KeyOrder { parts: vec![Part { column: 3, descending: true, ..no_case.parts[0] }], ..no_case.clone() };
        assert_eq!(no_case.order(&[Cell::Text(b"a")], &[Cell::Text(b"B")]), Some(Ordering::Less));
        assert_eq!(no_case.order(&[Cell::Text(b"b")], &[Cell::Text(b"B")]), Some(Ordering::Equal));
        assert_eq!(descending.order(&[Cell::Text(b"a")], &[Cell::Text(b"B")]), Some(Ordering::Greater));
        assert_eq!(no_case.order(&[Cell::Real(f64::NAN)], &[Cell::Null]), None);
        let elsewhere = KeyOrder { parts: vec![Part { column: 9, ..no_case.parts[0] }], ..no_case.clone() };
        assert!(no_case.is_like(&elsewhere) && !no_case.is_like(&descending));
        assert!(!no_case.is_like(&order(TextEncoding::Utf16Big, Collation::NoCase)));
    }

    #[test]
    fn engines_have_their_own_collations() {
        let of = |engine: &str, collation: &str| {
            let source = SourceDescription {
                engine: engine.into(),
                engine_version: String::new(),
                name: String::new(),
                settings: vec![("encoding".into(), "UTF-16le".into())],
            };
            let schema = TableSchema {
                name: "t".into(),
                role: "table".into(),
                definition: String::new(),
                position: 0,
                columns: vec![],
                generated: vec![],
                key: vec![KeyPart { column: 0, descending: false, collation: collation.into() }],
                options: vec![],
                attached: vec![],
            };
            KeyOrder::new(&schema, &source)
        };
        assert!(of("sqlite", "NOCASE").is_some() && of("postgresql", "NOCASE").is_none());
        assert!(of("other", "BINARY").is_none());
        assert_eq!(of("sqlite", "BINARY").map(|order| order.encoding), Some(TextEncoding::Utf16Little));
        assert_eq!(of("postgresql", "BINARY").map(|order| order.encoding), Some(TextEncoding::Utf8));
    }

    #[test]
    fn utf16_databases_compare_their_own_bytes() {
        let little = order(TextEncoding::Utf16Little, Collation::Binary);
        check(&little, Cell::Text("Ā".as_bytes()), Cell::Text("ȁ".as_bytes()));
        check(&little, Cell::Text("ȁ".as_bytes()), Cell::Text(b"b"));
        let big = order(TextEncoding::Utf16Big, Collation::Binary);
        check(&big, Cell::Text(b"b"), Cell::Text("Ā".as_bytes()));
        let no_case = order(TextEncoding::Utf16Little, Collation::NoCase);
        assert_eq!(no_case.may_follow(&[Cell::RawText(b"\0\xd8")], &[Cell::Text(b"a")]), None);
    }
}
