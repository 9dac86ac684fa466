//! The order in which rows of a table stand: that of its key (`spec/format.md` §10).

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::error::Result;
use crate::model::{Cell, Cells, TableSchema, order_numbers_of};

/// Compares rows of one table by key.
#[derive(Debug, Clone)]
pub struct KeyOrder {
    parts: Vec<Part>,
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

impl KeyOrder {
    /// For tables of this schema. With a collation that only the source knows, nothing can be compared.
    pub fn new(schema: &TableSchema) -> Self {
        let parts = schema.key.iter().map(|part| {
            let collation = match part.collation.as_str() {
                "BINARY" => Collation::Binary,
                "NOCASE" => Collation::NoCase,
                "RTRIM" => Collation::RightTrim,
                _ => return None,
            };
            Some(Part { column: part.column as usize, descending: part.descending, collation })
        });
        Self { parts: parts.collect::<Option<_>>().unwrap_or_default() }
    }

    /// The key cells of a row, owned; empty where nothing can be compared.
    pub fn key_of(&self, row: &[Cell<'_>]) -> Result<Vec<Cells>> {
        self.parts
            .iter()
            .filter_map(|part| row.get(part.column))
            .map(|cell| {
                let mut owned = Cells::new();
                owned.push(cell).map(|()| owned)
            })
            .collect()
    }

    /// Compares a key (as [`KeyOrder::key_of`] gives it) with a row's; `None` if they cannot be compared.
    pub fn compare(&self, key: &[Cell<'_>], row: &[Cell<'_>]) -> Option<Ordering> {
        for (part, before) in self.parts.iter().zip(key) {
            let order = compare(before, row.get(part.column)?, part.collation)?;
            let order = if part.descending { order.reverse() } else { order };
            if order != Ordering::Equal {
                return Some(order);
            }
        }
        Some(Ordering::Equal)
    }
}

/// null < numbers < texts < bytes.
fn compare(a: &Cell<'_>, b: &Cell<'_>, collation: Collation) -> Option<Ordering> {
    let rank = |cell: &Cell<'_>| match cell {
        Cell::Null => 0,
        Cell::Integer(_) | Cell::Real(_) => 1,
        Cell::Text(_) | Cell::RawText(_) => 2,
        Cell::Bytes(_) => 3,
    };
    if rank(a) != rank(b) {
        return Some(rank(a).cmp(&rank(b)));
    }
    match (a.variable_bytes(), b.variable_bytes()) {
        (Some(a_bytes), Some(b_bytes)) if rank(a) == 2 => {
            Some(collate(a_bytes, collation).cmp(&collate(b_bytes, collation)))
        }
        (Some(a_bytes), Some(b_bytes)) => Some(a_bytes.cmp(b_bytes)),
        _ if rank(a) == 1 => order_numbers_of(a, b),
        // Nulls are not equal to one another; which of two stands first is nobody's business.
        _ => Some(Ordering::Less),
    }
}

fn collate(text: &[u8], collation: Collation) -> Cow<'_, [u8]> {
    match collation {
        Collation::Binary => Cow::Borrowed(text),
        Collation::NoCase => Cow::Owned(text.to_ascii_lowercase()),
        Collation::RightTrim => {
            let kept = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
            Cow::Borrowed(text.get(..kept).unwrap_or(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_collations_order_as_sqlite_does() {
        let less = |a: Cell<'_>, b: Cell<'_>, collation| {
            assert_eq!(compare(&a, &b, collation), Some(Ordering::Less), "{a:?} {b:?}");
        };
        less(Cell::Null, Cell::Integer(i64::MIN), Collation::Binary);
        less(Cell::Real(1.5), Cell::Integer(2), Collation::Binary);
        less(Cell::Integer(i64::MAX), Cell::Text(b""), Collation::Binary);
        less(Cell::Text(b"zz"), Cell::Bytes(b""), Collation::Binary);
        less(Cell::Text(b"B"), Cell::Text(b"a"), Collation::Binary);
        less(Cell::Text(b"a"), Cell::Text(b"B"), Collation::NoCase);
        assert_eq!(compare(&Cell::Text(b"a  "), &Cell::Text(b"a"), Collation::RightTrim), Some(Ordering::Equal));
        assert_eq!(compare(&Cell::Text(b"A"), &Cell::Text(b"a"), Collation::NoCase), Some(Ordering::Equal));
        assert_eq!(
            compare(&Cell::Text("É".as_bytes()), &Cell::Text("é".as_bytes()), Collation::NoCase),
            Some(Ordering::Less)
        );
    }
}
