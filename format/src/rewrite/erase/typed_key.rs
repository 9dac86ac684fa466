//! Values of logical types as people write them.

use crate::model::calendar;
use crate::model::{Logical, Value};

/// The cell that a written value is in a column of this type: what is no value of it is a text, which no such cell equals.
pub(super) fn reading(written: &str, logical: Logical) -> Value {
    let integer = match logical {
        Logical::Boolean => match written {
            "true" | "t" | "1" => Some(1),
            "false" | "f" | "0" => Some(0),
            _ => None,
        },
        Logical::Integer | Logical::DecimalText => written.parse().ok(),
        Logical::Date => time(written, calendar::parse_date),
        Logical::Time => calendar::parse_time(written.as_bytes()),
        Logical::Timestamp | Logical::TimestampWithZone => time(written, timestamp),
        Logical::Decimal(scale) => scaled(written, scale),
        Logical::Real => return written.parse().map_or_else(|_| text(written), Value::Real),
        Logical::Uuid => return text(&written.to_ascii_lowercase()),
        _ => None,
    };
    integer.map_or_else(|| text(written), Value::Integer)
}

fn text(written: &str) -> Value {
    Value::Text(written.as_bytes().to_vec())
}

fn time(written: &str, parse: impl Fn(&[u8]) -> Option<i64>) -> Option<i64> {
    if written == "-infinity" { Some(i64::MIN) } else { parse(written.as_bytes()) }
}

/// A timestamp with a space or a `T` in it, in UTC whether it says so or not; a date is its midnight.
fn timestamp(text: &[u8]) -> Option<i64> {
    if let Some(day) = calendar::parse_date(text) {
        return day.checked_mul(calendar::DAY);
    }
    let mut text = text.to_vec();
    if let Some(separator) = text.iter_mut().find(|byte| matches!(**byte, b' ' | b'T')) {
        *separator = b' ';
    }
    let zones: [&[u8]; 4] = [b"", b"Z", b"+00", b"+00:00"];
    let micros = zones.into_iter().find_map(|zone| calendar::parse_timestamp(&text, zone))?;
    i64::try_from(micros).ok()
}

/// A decimal number times ten to the power of the scale, if that is whole.
fn scaled(written: &str, scale: u8) -> Option<i64> {
    let (whole, behind) = written.split_once('.').unwrap_or((written, ""));
    let behind = behind.trim_end_matches('0');
    let missing = usize::from(scale).checked_sub(behind.len())?;
    if whole.is_empty() || !behind.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{behind}{}", "0".repeat(missing)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_their_columns_hold_them() {
        for (written, logical, value) in [
            ("true", Logical::Boolean, 1),
            ("7", Logical::Integer, 7),
            ("1970-01-02", Logical::Date, 1),
            ("-infinity", Logical::Date, i64::MIN),
            ("00:00:01.5", Logical::Time, 1_500_000),
            ("1970-01-01 00:00:01", Logical::Timestamp, 1_000_000),
            ("1970-01-01T00:00:01Z", Logical::TimestampWithZone, 1_000_000),
            ("1970-01-02", Logical::TimestampWithZone, calendar::DAY),
            ("12.5", Logical::Decimal(2), 1_250),
            ("-0.05", Logical::Decimal(2), -5),
            ("7", Logical::Decimal(2), 700),
            ("7.000", Logical::Decimal(2), 700),
        ] {
            assert_eq!(reading(written, logical), Value::Integer(value), "{written}");
        }
        for (written, logical) in [
            ("infinity", Logical::Date),
            ("soon", Logical::TimestampWithZone),
            ("0.001", Logical::Decimal(2)),
            ("NaN", Logical::Decimal(2)),
            ("7", Logical::Text),
            ("7", Logical::Opaque),
        ] {
            assert_eq!(reading(written, logical), text(written), "{written}");
        }
        let uuid = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
        assert_eq!(reading(uuid, Logical::Uuid), text(&uuid.to_lowercase()));
        assert_eq!(reading("1.5", Logical::Real), Value::Real(1.5));
    }
}
