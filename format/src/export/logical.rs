//! What cells of logical types stand for, as people write it (`spec/cli.md`).
//!
//! A cell that is no value of its type is written as the cell that it is.

use std::io::Write;

use crate::model::calendar::{self, DAY};
use crate::model::{Cell, Logical, decimal};

/// How a value stands in a text that has strings and what is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A number, `true` or `false`.
    Bare,
    /// A string.
    Quoted,
}

/// Appends what a cell stands for, if that is not the cell itself.
pub(super) fn push_value(text: &mut Vec<u8>, cell: &Cell<'_>, logical: Logical) -> Option<Form> {
    match (logical, *cell) {
        (Logical::Any, _) => None,
        (Logical::Decimal(_) | Logical::DecimalText, Cell::Text(number)) if decimal::is_number(number) => {
            text.extend_from_slice(number);
            Some(Form::Bare)
        }
        (_, Cell::Integer(value)) => push_integer(text, value, logical),
        _ => None,
    }
}

fn push_integer(text: &mut Vec<u8>, value: i64, logical: Logical) -> Option<Form> {
    let is_written = match (logical, value) {
        (Logical::Boolean, 0) => return bare(text, b"false"),
        (Logical::Boolean, 1) => return bare(text, b"true"),
        (Logical::Decimal(scale), _) => {
            decimal::push_scaled(text, value, scale);
            return Some(Form::Bare);
        }
        (Logical::Date | Logical::Timestamp | Logical::TimestampWithZone, i64::MIN) => {
            text.extend_from_slice(b"-infinity");
            true
        }
        (Logical::Date, _) => calendar::push_date(text, value),
        (Logical::Time, 0..=DAY) => {
            calendar::push_time(text, value);
            true
        }
        (Logical::Timestamp, _) => calendar::push_timestamp(text, i128::from(value), b'T', b""),
        (Logical::TimestampWithZone, _) => calendar::push_timestamp(text, i128::from(value), b'T', b"Z"),
        _ => false,
    };
    is_written.then_some(Form::Quoted)
}

fn bare(text: &mut Vec<u8>, value: &[u8]) -> Option<Form> {
    text.extend_from_slice(value);
    Some(Form::Bare)
}

/// An integer of a column of this type as people write what it stands for: a date, a decimal, a boolean.
pub fn integer_text(value: i64, logical: Logical) -> String {
    let mut text = Vec::new();
    if push_integer(&mut text, value, logical).is_none() {
        // Writing to a vector cannot fail.
        let _ = write!(text, "{value}");
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_what_they_stand_for() {
        for (value, logical, text) in [
            (1, Logical::Boolean, "true"),
            (2, Logical::Boolean, "2"),
            (20_513, Logical::Date, "2026-03-01"),
            (i64::MIN, Logical::Date, "-infinity"),
            (i64::MAX, Logical::Date, "9223372036854775807"),
            (-719_528, Logical::Date, "0001-01-01 BC"),
            (43_200_500_000, Logical::Time, "12:00:00.5"),
            (-1, Logical::Time, "-1"),
            (0, Logical::Timestamp, "1970-01-01T00:00:00"),
            (-1, Logical::TimestampWithZone, "1969-12-31T23:59:59.999999Z"),
            (1_230, Logical::Decimal(2), "12.30"),
            (5, Logical::Integer, "5"),
            (5, Logical::Any, "5"),
        ] {
            assert_eq!(integer_text(value, logical), text);
        }
    }
}
