//! Which rows are too old to be kept, and what of a cell is understood as a time (`spec/format.md` §5.1).
//!
//! Nothing is dropped on a guess: a cell that is no time beyond doubt keeps its row.

use crate::error::{Error, Result};
use crate::model::calendar::{self, DAY, SECOND};
use crate::model::{Cell, Expire, Logical, TableSchema};

/// Magnitudes below which a number is no time, and units of those that are: seconds, milliseconds, microseconds. Each
/// begins three years from 1970 and ends in the year 5138, so that no number is two times.
const NUMBERS: [(u64, i64); 3] = [(100_000_000, SECOND), (100_000_000_000, 1_000), (100_000_000_000_000, 1)];
/// The magnitude from which on a number is no time again.
const TOO_LARGE: u64 = 100_000_000_000_000_000;

/// The expire rules of one table, ready to judge its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// Per rule: the column's index, what its cells stand for, and the first time that is kept.
    limits: Vec<(usize, Logical, i64)>,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is young enough.
    Kept,
    /// It is kept because the column of a rule holds no time that is understood; no other rule finds it too old.
    KeptWithoutTime,
    /// It is too old.
    Expired,
}

impl Expiry {
    /// The rules for tables of this schema. Fails if a column does not exist (`is_request`).
    pub fn of<'r>(schema: &TableSchema, rules: impl IntoIterator<Item = &'r Expire>) -> Result<Self> {
        let limit = |rule: &Expire| {
            let mut columns = schema.columns.iter().enumerate();
            let (index, column) = columns.find(|(_, column)| column.name == rule.column).ok_or_else(|| {
                Error::request(format!("there is no column \"{}\"", rule.column)).in_table(&schema.name)
            })?;
            // No time lies before the least one.
            let first_kept = i64::try_from(i128::from(rule.instant) - i128::from(rule.age)).unwrap_or(i64::MIN);
            Ok((index, column.logical_type(), first_kept))
        };
        Ok(Self { limits: rules.into_iter().map(limit).collect::<Result<_>>()? })
    }

    /// Is there no rule? Then every row is kept.
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    /// Judges a row: one cell per column of the schema.
    pub fn judge(&self, row: &[Cell<'_>]) -> Verdict {
        let mut verdict = Verdict::Kept;
        for (column, logical, first_kept) in &self.limits {
            match row.get(*column).and_then(|cell| time_of(cell, *logical)) {
                Some(time) if time < *first_kept => return Verdict::Expired,
                Some(_) => {}
                None => verdict = Verdict::KeptWithoutTime,
            }
        }
        verdict
    }
}

/// The time that a cell of a column of this type holds, in microseconds since 1970-01-01T00:00:00Z; `None` where there is any doubt.
pub fn time_of(cell: &Cell<'_>, logical: Logical) -> Option<i64> {
    match (logical, cell) {
        // Before all times is before all limits.
        (Logical::Date | Logical::Timestamp | Logical::TimestampWithZone, Cell::Integer(i64::MIN)) => Some(i64::MIN),
        (Logical::Date, Cell::Integer(day)) => day.checked_mul(DAY),
        (Logical::Timestamp | Logical::TimestampWithZone, Cell::Integer(micros)) => Some(*micros),
        // What no integer holds lies in the future; what is no time at all is no time by its digits.
        (Logical::Date | Logical::Timestamp | Logical::TimestampWithZone, _) => None,
        (Logical::Boolean | Logical::Time | Logical::Interval | Logical::DecimalText | Logical::Decimal(_), _) => None,
        _ => time_by_form(cell),
    }
}

/// The time that a cell holds by the way it is written.
fn time_by_form(cell: &Cell<'_>) -> Option<i64> {
    match *cell {
        Cell::Text(text) => text_time(text),
        Cell::Integer(number) => number.checked_mul(unit(number.unsigned_abs())?),
        Cell::Real(number) => real_time(number),
        Cell::Null | Cell::Bytes(_) | Cell::RawText(_) => None,
    }
}

/// Microseconds per unit of a Unix time of this magnitude.
fn unit(magnitude: u64) -> Option<i64> {
    if magnitude >= TOO_LARGE {
        return None;
    }
    NUMBERS.iter().rev().find(|(least, _)| magnitude >= *least).map(|(_, unit)| *unit)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "magnitudes are below 2^63")]
fn real_time(number: f64) -> Option<i64> {
    // Saturates, and a NaN is 0: neither is the magnitude of a time.
    let factor = match unit(number.abs() as u64)? {
        SECOND => 1e6,
        1_000 => 1e3,
        _ => 1.0,
    };
    Some((number * factor).floor() as i64)
}

/// `YYYY-MM-DD`, and perhaps a time of day and what it is offset from UTC.
fn text_time(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_first_chunk::<10>()?;
    let day = day_of(date)?.checked_mul(DAY)?;
    let [b' ' | b'T' | b't', rest @ ..] = rest else {
        return rest.is_empty().then_some(day);
    };
    let ([h, hour, b':', m, minute], rest) = rest.split_first_chunk::<5>()? else { return None };
    let minutes = number([*h, *hour], 23)? * 60 + number([*m, *minute], 59)?;
    let (seconds, rest) = match rest {
        [b':', s, second, rest @ ..] => (number([*s, *second], 59)?, rest),
        _ => return Some(day + minutes * 60 * SECOND - offset(rest)?),
    };
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    Some(day + (minutes * 60 + seconds) * SECOND + fraction - offset(rest)?)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn day_of(date: &[u8; 10]) -> Option<i64> {
    let [y, ye, yea, year, b'-', m, month, b'-', d, day] = *date else { return None };
    let year = number([y, ye], 99)? * 100 + number([yea, year], 99)?;
    let (month, day) = (number([m, month], 12)?, number([d, day], 31)?);
    calendar::day_of(year, month, day)
}

/// Digits behind the point as microseconds, and what stands behind them.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(text.iter().take_while(|byte| byte.is_ascii_digit()).count())?;
    if digits.is_empty() {
        return None;
    }
    let micros = digits.iter().chain(std::iter::repeat(&b'0')).take(6);
    Some((micros.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0')), rest))
}

/// Microseconds by which a clock is ahead of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    let zone = match text {
        [] => return Some(0),
        [b' ', zone @ ..] => zone,
        zone => zone,
    };
    let (sign, rest) = match zone {
        [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let ([h, hour], rest) = rest.split_first_chunk::<2>()?;
    let (minutes, seconds) = match *rest {
        [] => (0, 0),
        [m, minute] | [b':', m, minute] => (number([m, minute], 59)?, 0),
        [b':', m, minute, b':', s, second] => (number([m, minute], 59)?, number([s, second], 59)?),
        _ => return None,
    };
    Some(sign * ((number([*h, *hour], 15)? * 60 + minutes) * 60 + seconds) * SECOND)
}

/// Two digits of at most this number.
fn number([tens, ones]: [u8; 2], most: i64) -> Option<i64> {
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0')).filter(|number| *number <= most)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::*;
    use crate::model::Column;

    fn text(text: &str) -> Option<i64> {
        time_by_form(&Cell::Text(text.as_bytes()))
    }

    #[test]
    fn every_day_of_the_calendar_is_the_one_that_another_calendar_gives() {
        let (mut day, mut days) = (date(0, 1, 1), -719_528);
        while day < date(9999, 12, 31) {
            assert_eq!(text(&day.to_string()), Some(days * DAY), "{day}");
            day = day.tomorrow().unwrap();
            days += 1;
        }
        assert_eq!(text("9999-12-31T23:59:59.999999Z"), Some(253_402_300_799_999_999));
    }

    #[test]
    fn texts_as_databases_write_them_are_times() {
        let noon = text("2026-03-01 12:00:00").unwrap();
        assert_eq!(noon, "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap().as_microsecond());
        for same in [
            "2026-03-01 12:00",
            "2026-03-01T12:00",
            "2026-03-01T12:00Z",
            "2026-03-01t12:00:00z",
            "2026-03-01 12:00:00.0",
            "2026-03-01 12:00:00.0000009",
            "2026-03-01 12:00:00+00",
            "2026-03-01 12:00:00 +0000",
            "2026-03-01 12:00:00 Z",
            "2026-03-01T17:30:00.000+05:30",
            "2026-03-01T06:00-06",
            "2026-02-28 20:01:00-15:59",
            "2026-03-01 12:19:32+00:19:32",
        ] {
            assert_eq!(text(same), Some(noon), "{same}");
        }
        assert_eq!(text("2026-03-01 12:00:00.1234567"), Some(noon + 123_456));
        assert_eq!(text("2026-03-01 12:00:00.5+00"), Some(noon + 500_000));
        assert_eq!(text("1969-12-31 23:59:59.999999"), Some(-1));
    }

    #[test]
    fn what_may_be_something_else_is_no_time() {
        for doubtful in [
            "",
            "now",
            "2026",
            "2026-03",
            "2026-3-1",
            "20260301",
            "2026-02-29",
            "2026-00-01",
            "2026-13-01",
            "2026-04-31",
            "2026-03-00",
            "2026-03-01 ",
            "2026-03-01T",
            "2026-03-01 24:00",
            "2026-03-01 12:60",
            "2026-03-01 12:00:60",
            "2026-03-01 12",
            "2026-03-01 12:00:",
            "2026-03-01 12:00:00.",
            "2026-03-01 12:00:00,5",
            "2026-03-01 12:00:00 UTC",
            "2026-03-01 12:00:00 ",
            "2026-03-01 12:00 PM",
            "2026-03-01 12:00:00+",
            "2026-03-01 12:00:00+1",
            "2026-03-01 12:00+16",
            "2026-03-01 12:00+05:3",
            "2026-03-01 12:00+05:60",
            "2026-03-01 12:00  Z",
            "2026-03-01Z",
            " 2026-03-01",
            "+2026-03-01",
            "-2026-03-01",
            "12026-03-01",
            "2026-03-01 12:00:00 BC",
            "2026/03/01",
            "12:00:00",
            "infinity",
            "1772366400",
            "２０２６-03-01",
            "2026-03-01\0",
        ] {
            assert_eq!(text(doubtful), None, "{doubtful:?}");
        }
        let bytes = b"2026-03-01";
        for cell in [Cell::Null, Cell::Bytes(bytes), Cell::RawText(bytes)] {
            assert_eq!(time_by_form(&cell), None);
        }
    }

    #[test]
    fn numbers_are_times_by_their_magnitude() {
        let integer = |number| time_by_form(&Cell::Integer(number));
        let real = |number| time_by_form(&Cell::Real(number));
        for (number, time) in [
            (100_000_000, 100_000_000_000_000),
            (99_999_999_999, 99_999_999_999_000_000),
            (100_000_000_000, 100_000_000_000_000),
            (99_999_999_999_999, 99_999_999_999_999_000),
            (100_000_000_000_000, 100_000_000_000_000),
            (99_999_999_999_999_999, 99_999_999_999_999_999),
        ] {
            assert_eq!(integer(number), Some(time));
            assert_eq!(integer(-number), Some(-time));
        }
        for number in [0, 1, -1, 2_460_000, 20_260_301, 99_999_999, 100_000_000_000_000_000, i64::MAX, i64::MIN] {
            assert_eq!((integer(number), integer(number.saturating_neg())), (None, None), "{number}");
        }
        assert_eq!(real(1_772_366_400.25), Some(1_772_366_400_250_000));
        assert_eq!(real(1_772_366_400_000.5), Some(1_772_366_400_000_500));
        assert_eq!(real(1_772_366_400_000_000.5), Some(1_772_366_400_000_000));
        assert_eq!(real(-1_772_366_400.000_000_5), Some(-1_772_366_400_000_001));
        for number in [0.0, -0.0, 2_460_000.5, 99_999_999.9, 1e17, -1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(real(number), None, "{number}");
        }
    }

    #[test]
    fn dates_and_timestamps_are_times_of_any_magnitude() {
        let time = |value, logical| time_of(&Cell::Integer(value), logical);
        assert_eq!(time(1, Logical::Date), Some(DAY));
        assert_eq!(time(0, Logical::TimestampWithZone), Some(0));
        assert_eq!(time(-5, Logical::Timestamp), Some(-5));
        assert_eq!(time(i64::MIN, Logical::Date), Some(i64::MIN));
        assert_eq!(time(i64::MAX, Logical::Date), None);
        assert_eq!(time(1_772_366_400, Logical::Integer), Some(1_772_366_400_000_000));
        for logical in [Logical::Boolean, Logical::Time, Logical::Decimal(0), Logical::DecimalText, Logical::Interval] {
            assert_eq!(time(1_772_366_400, logical), None);
        }
        assert_eq!(time_of(&Cell::Text(b"2026-03-01"), Logical::Date), None);
        assert_eq!(time_of(&Cell::Text(b"infinity"), Logical::Timestamp), None);
        assert_eq!(time_of(&Cell::Text(b"1970-01-02"), Logical::Text), Some(DAY));
    }

    #[test]
    fn a_row_exactly_at_the_limit_is_kept() {
        let column = |name: &str| Column {
            name: name.into(),
            declared_type: String::new(),
            logical: 0,
            nullable: true,
            hidden: false,
        };
        let schema = TableSchema {
            name: "t".into(),
            role: "table".into(),
            definition: String::new(),
            position: 0,
            columns: ["a", "b"].map(column).into(),
            generated: vec![],
            key: vec![],
            options: vec![],
            attached: vec![],
        };
        let rule = |column: &str, age: u64, instant: i64| Expire { column: column.into(), age, instant };
        let noon = text("2026-03-01 12:00:00").unwrap();
        let one = Expiry::of(&schema, [&rule("b", 3_600_000_000, noon)]).unwrap();
        let judge = |expiry: &Expiry, b: &str| expiry.judge(&[Cell::Null, Cell::Text(b.as_bytes())]);
        assert_eq!(judge(&one, "2026-03-01 11:00:00"), Verdict::Kept);
        assert_eq!(judge(&one, "2026-03-01 10:59:59.999999"), Verdict::Expired);
        assert_eq!(judge(&one, "2026-03-01 13:00:00+02:00"), Verdict::Kept);
        assert_eq!(judge(&one, "soon"), Verdict::KeptWithoutTime);
        let two = Expiry::of(&schema, [&rule("a", 1, noon), &rule("b", 1, noon)]).unwrap();
        assert_eq!(judge(&two, "2026-03-01"), Verdict::Expired);
        assert_eq!(judge(&two, "2027-03-01"), Verdict::KeptWithoutTime);
        let least = Expiry::of(&schema, [&rule("b", u64::MAX, i64::MIN)]).unwrap();
        assert_eq!(judge(&least, "0000-01-01"), Verdict::Kept);
        assert!(Expiry::of(&schema, [&rule("c", 1, 1)]).unwrap_err().is_request());
    }
}
