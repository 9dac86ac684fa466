//! Cells of one engine as cells of the other. A conversion gives each cell another one, and two never the same: it is taken back
//! as soon as it is made, and a cell that does not come back is refused.

use std::io::Write;

use crate::model::calendar;
use crate::model::{AFTER_ALL_TIMES, BEFORE_ALL_TIMES, Cell, Logical, decimal};

/// Text of what is before all times, as PostgreSQL writes it.
const BEFORE: &[u8] = b"-infinity";
/// The zone of all times that have one, in a form that SQLite's functions of time read.
const UTC: &[u8] = b"+00:00";
/// The same as PostgreSQL writes it, and as it stands in cells that are texts.
const SHORT_UTC: &[u8] = b"+00";
/// Integers up to this are reals without loss.
const EXACT: u64 = 1 << 53;

/// How the cells of a column become those of the other engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Of a column of this type of PostgreSQL: what SQLite keeps as it is.
    Kept(Logical),
    /// Of a date, time or timestamp: its text.
    Time(Logical),
    /// Of a decimal of this scale: its text.
    Decimal(u8),
    /// Of a decimal without a scale: its text.
    DecimalText,
    /// Of SQLite: what PostgreSQL keeps as it is. Of texts, those that it can keep.
    Stored,
    /// Of SQLite: integers become reals, beside reals that are not whole.
    AllReal,
    /// Of SQLite: numbers become texts, beside texts that are no numbers.
    AllText,
}

/// Why a cell cannot be had in the other engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused(pub(super) &'static str);

type Converted<'c> = Result<Cell<'c>, Refused>;

impl Conversion {
    /// The conversion for a column of PostgreSQL of this type.
    pub(super) const fn of(logical: Logical) -> Self {
        match logical {
            Logical::Date | Logical::Time | Logical::Timestamp | Logical::TimestampWithZone => Self::Time(logical),
            Logical::Decimal(scale) => Self::Decimal(scale),
            Logical::DecimalText => Self::DecimalText,
            other => Self::Kept(other),
        }
    }

    /// The other engine's cell; `buffer` is for texts that are made.
    pub(super) fn convert<'c>(self, cell: Cell<'c>, buffer: &'c mut Vec<u8>) -> Converted<'c> {
        buffer.clear();
        if matches!(cell, Cell::Null) {
            return Ok(cell);
        }
        match self {
            Self::Kept(logical) => kept(cell, logical),
            Self::Stored => stored(cell),
            Self::AllReal => {
                let real = as_real(cell)?;
                same(cell, as_number(real)).map(|()| real)
            }
            Self::AllText => {
                let is_made = push_number(buffer, cell);
                let text = if is_made { Cell::Text(buffer) } else { stored(cell)? };
                let Cell::Text(bytes) = text else {
                    return Err(Refused("bytes beside numbers and texts have no type of PostgreSQL"));
                };
                match (same(cell, from_text(bytes)), is_made) {
                    (Ok(()), _) => Ok(text),
                    (_, true) => Err(Refused("a number would become a text that is read as another")),
                    (_, false) => Err(Refused("a text that looks like a number, beside numbers that become texts")),
                }
            }
            Self::Time(_) | Self::Decimal(_) | Self::DecimalText => {
                if !self.push_value(buffer, cell) {
                    return Err(Refused("a cell that is no value of its column's type"));
                }
                // A text became a text in a way of its own, as long as it is not that of an integer.
                let back = self.value(buffer);
                let is_text = matches!((cell, back), (Cell::Text(_), Cell::Text(_)));
                if !is_text && !cell.is_identical(&back) {
                    return Err(Refused("a value that its text would not give back"));
                }
                Ok(Cell::Text(buffer))
            }
        }
    }

    /// Writes the text of a value of PostgreSQL, and says whether it has one.
    fn push_value(self, text: &mut Vec<u8>, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Decimal(scale), Cell::Integer(value)) => decimal::push_scaled(text, value, scale),
            (Self::DecimalText, Cell::Integer(value)) => decimal::push_scaled(text, value, 0),
            (Self::Time(Logical::Time), Cell::Integer(micros)) => {
                if !(0..=calendar::DAY).contains(&micros) {
                    return false;
                }
                calendar::push_time(text, micros);
            }
            (Self::Time(Logical::Time), _) => return false,
            (Self::Time(_), cell) if cell.is_identical(&BEFORE_ALL_TIMES) => text.extend_from_slice(BEFORE),
            (Self::Time(Logical::Date), Cell::Integer(day)) => return calendar::push_date(text, day),
            (Self::Time(logical), Cell::Integer(micros)) => {
                return calendar::push_timestamp(text, i128::from(micros), b' ', zone(logical));
            }
            (Self::Time(Logical::TimestampWithZone), Cell::Text(written)) if !cell.is_identical(&AFTER_ALL_TIMES) => {
                let (time, era) = split_era(written);
                let Some(time) = time.strip_suffix(SHORT_UTC) else { return false };
                for part in [time, UTC, era] {
                    text.extend_from_slice(part);
                }
            }
            (_, Cell::Text(written)) => text.extend_from_slice(written),
            _ => return false,
        }
        true
    }

    /// The cell of PostgreSQL that a text stands for; the text itself where no integer is it.
    fn value(self, text: &[u8]) -> Cell<'_> {
        let integer = match self {
            _ if text == BEFORE && matches!(self, Self::Time(_)) => return BEFORE_ALL_TIMES,
            Self::Decimal(scale) => decimal_of(text, usize::from(scale)),
            Self::DecimalText => decimal_of(text, 0),
            Self::Time(Logical::Date) => calendar::parse_date(text),
            Self::Time(Logical::Time) => calendar::parse_time(text),
            Self::Time(logical) => {
                calendar::parse_timestamp(text, zone(logical)).and_then(|micros| i64::try_from(micros).ok())
            }
            _ => None,
        };
        match integer {
            // That number stands for another thing.
            Some(i64::MIN) if matches!(self, Self::Time(_)) => Cell::Null,
            Some(integer) => Cell::Integer(integer),
            None => Cell::Text(text),
        }
    }
}

/// A cell of PostgreSQL that SQLite keeps as it is.
fn kept(cell: Cell<'_>, logical: Logical) -> Converted<'_> {
    match (cell, logical) {
        (Cell::Real(value), Logical::Real) if value.is_nan() => Err(Refused("a NaN, which SQLite would store as NULL")),
        // The bits of a real that is no number.
        (Cell::Bytes(_), Logical::Real) => Err(Refused("a NaN, which SQLite would store as NULL")),
        (Cell::Integer(value), Logical::Boolean) if !(0..=1).contains(&value) => {
            Err(Refused("a boolean that is neither true nor false"))
        }
        _ if logical.may_hold(cell.kind()) => Ok(cell),
        _ => Err(Refused("a cell that is no value of its column's type")),
    }
}

/// A cell of SQLite that PostgreSQL keeps as it is.
fn stored(cell: Cell<'_>) -> Converted<'_> {
    match cell {
        Cell::Text(text) if text.contains(&0) => Err(Refused("a text with a NUL, which PostgreSQL cannot store")),
        Cell::RawText(_) => Err(Refused("a text that is not valid in its encoding, which PostgreSQL cannot store")),
        cell => Ok(cell),
    }
}

/// What a conversion was taken back to must be what it was made of.
fn same(cell: Cell<'_>, back: Cell<'_>) -> Result<(), Refused> {
    if cell.is_identical(&back) { Ok(()) } else { Err(Refused("a number that would become another")) }
}

#[expect(clippy::cast_precision_loss, reason = "integers so small are reals exactly")]
fn as_real(cell: Cell<'_>) -> Converted<'_> {
    match cell {
        Cell::Integer(value) if value.unsigned_abs() <= EXACT => Ok(Cell::Real(value as f64)),
        Cell::Integer(_) => Err(Refused("an integer beyond 2^53 beside reals, which no real is exactly")),
        Cell::Real(value) if matches!(as_number(cell), Cell::Integer(_)) && value.fract() == 0.0 => {
            Err(Refused("a real that is whole, in a column that has integers too"))
        }
        Cell::Real(_) => Ok(cell),
        _ => Err(Refused("a cell that is no number")),
    }
}

/// The number that a real stands for in a column in which whole numbers are integers.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "only what is whole and within 2^53 is cast"
)]
fn as_number(cell: Cell<'_>) -> Cell<'_> {
    match cell {
        Cell::Real(value) if value.fract() == 0.0 && value.abs() <= EXACT as f64 => Cell::Integer(value as i64),
        cell => cell,
    }
}

/// Writes a number as a text from which it can be told. Is the cell a number?
fn push_number(text: &mut Vec<u8>, cell: Cell<'_>) -> bool {
    // Writing to a vector cannot fail. Reals have a point or an exponent, and the fewest digits that are that real.
    let _ = match cell {
        Cell::Integer(value) => write!(text, "{value}"),
        // Real data has the text `inf` beside numbers.
        Cell::Real(f64::INFINITY) => write!(text, "Infinity"),
        Cell::Real(f64::NEG_INFINITY) => write!(text, "-Infinity"),
        Cell::Real(value) => write!(text, "{value:?}"),
        _ => return false,
    };
    true
}

/// The number that a text is, if it is just as [`push_number`] writes it; else the text.
fn from_text(text: &[u8]) -> Cell<'_> {
    let Ok(written) = std::str::from_utf8(text) else { return Cell::Text(text) };
    let mut again = Vec::new();
    let numbers = [written.parse().ok().map(Cell::Integer), written.parse().ok().map(Cell::Real)];
    for number in numbers.into_iter().flatten() {
        again.clear();
        if push_number(&mut again, number) && again == text {
            return number;
        }
    }
    Cell::Text(text)
}

/// The integer of a decimal with so many digits behind the point.
fn decimal_of(text: &[u8], scale: usize) -> Option<i64> {
    if !decimal::is_number(text) {
        return None;
    }
    let point = text.iter().position(|byte| *byte == b'.');
    let behind = point.map_or(0, |point| text.len() - point - 1);
    let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'.').collect();
    if behind != scale || (scale == 0) != point.is_none() {
        return None;
    }
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

const fn zone(logical: Logical) -> &'static [u8] {
    if matches!(logical, Logical::TimestampWithZone) { UTC } else { b"" }
}

fn split_era(text: &[u8]) -> (&[u8], &[u8]) {
    text.strip_suffix(b" BC").map_or((text, b""), |time| (time, b" BC"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONVERSIONS: [Conversion; 10] = [
        Conversion::Time(Logical::Date),
        Conversion::Time(Logical::Time),
        Conversion::Time(Logical::Timestamp),
        Conversion::Time(Logical::TimestampWithZone),
        Conversion::Decimal(0),
        Conversion::Decimal(2),
        Conversion::Decimal(18),
        Conversion::DecimalText,
        Conversion::AllReal,
        Conversion::AllText,
    ];

    fn converted(conversion: Conversion, cell: Cell<'_>) -> Result<String, &'static str> {
        let mut buffer = Vec::new();
        match conversion.convert(cell, &mut buffer) {
            Ok(Cell::Text(text)) => Ok(String::from_utf8(text.to_vec()).unwrap()),
            Ok(other) => Ok(format!("{other:?}")),
            Err(Refused(why)) => Err(why),
        }
    }

    #[test]
    fn values_are_written_as_people_read_them() {
        let zoned = Conversion::Time(Logical::TimestampWithZone);
        let far = b"294276-12-31 23:59:59.999999+00";
        for (conversion, cell, text) in [
            (Conversion::Time(Logical::Date), Cell::Integer(20_513), "2026-03-01"),
            (Conversion::Time(Logical::Date), Cell::Integer(-719_528), "0001-01-01 BC"),
            (Conversion::Time(Logical::Date), BEFORE_ALL_TIMES, "-infinity"),
            (Conversion::Time(Logical::Date), AFTER_ALL_TIMES, "infinity"),
            (Conversion::Time(Logical::Time), Cell::Integer(43_200_500_000), "12:00:00.5"),
            (Conversion::Time(Logical::Timestamp), Cell::Integer(-1), "1969-12-31 23:59:59.999999"),
            (zoned, Cell::Integer(0), "1970-01-01 00:00:00+00:00"),
            (zoned, Cell::Text(far), "294276-12-31 23:59:59.999999+00:00"),
            (zoned, AFTER_ALL_TIMES, "infinity"),
            (Conversion::Decimal(2), Cell::Integer(-5), "-0.05"),
            (Conversion::Decimal(2), Cell::Text(b"NaN"), "NaN"),
            (Conversion::DecimalText, Cell::Integer(7), "7"),
            (Conversion::DecimalText, Cell::Text(b"1.10"), "1.10"),
            (Conversion::AllReal, Cell::Integer(5), "Real(5.0)"),
            (Conversion::AllReal, Cell::Real(5.99), "Real(5.99)"),
            (Conversion::AllText, Cell::Integer(5), "5"),
            (Conversion::AllText, Cell::Real(1e300), "1e300"),
            (Conversion::AllText, Cell::Text(b"05"), "05"),
            (Conversion::AllText, Cell::Text(b"inf"), "inf"),
            (Conversion::AllText, Cell::Real(f64::NEG_INFINITY), "-Infinity"),
            (Conversion::Stored, Cell::Text(b"x"), "x"),
        ] {
            assert_eq!(converted(conversion, cell).as_deref(), Ok(text), "{conversion:?} {cell:?}");
        }
    }

    #[test]
    fn what_would_become_another_value_is_refused() {
        for (conversion, cell) in [
            (Conversion::Kept(Logical::Real), Cell::Real(f64::NAN)),
            (Conversion::Kept(Logical::Real), Cell::Bytes(b"\x7f\xc0\0\x01")),
            (Conversion::Kept(Logical::Boolean), Cell::Integer(2)),
            (Conversion::Kept(Logical::Integer), Cell::Text(b"1")),
            (Conversion::Stored, Cell::Text(b"a\0b")),
            (Conversion::Stored, Cell::RawText(b"\xff")),
            (Conversion::AllReal, Cell::Real(5.0)),
            (Conversion::AllReal, Cell::Real(-0.0)),
            (Conversion::AllReal, Cell::Integer((1 << 53) + 1)),
            (Conversion::AllText, Cell::Text(b"5")),
            (Conversion::AllText, Cell::Text(b"5.0")),
            (Conversion::AllText, Cell::Text(b"NaN")),
            (Conversion::AllText, Cell::Bytes(b"5")),
            (Conversion::Decimal(2), Cell::Text(b"1.10")),
            (Conversion::DecimalText, Cell::Text(b"7")),
            (Conversion::Time(Logical::Date), Cell::Text(b"2026-03-01")),
            (Conversion::Time(Logical::Timestamp), Cell::Text(b"-infinity")),
            (Conversion::Time(Logical::Time), Cell::Integer(-1)),
        ] {
            assert!(converted(conversion, cell).is_err(), "{conversion:?} {cell:?}");
        }
    }

    /// Cells that collide easily.
    fn cells() -> impl Strategy<Value = (u8, i64, String)> {
        let near = prop_oneof![any::<i64>(), -1_000_i64..1_000, Just(i64::MIN), Just(i64::MAX)];
        let texts = prop_oneof![
            "[-]?[0-9]{1,3}([.][0-9]{0,3})?",
            "[0-9]{4}-0[1-9]-0[1-9]( 0[0-9]:00:00(\\.5)?)?([+]00(:00)?)?( BC)?",
            "-?infinity|NaN|inf|1e[0-9]{1,3}|",
            "[a-z]{0,3}",
        ];
        (0_u8..3, near, texts)
    }

    fn cell(parts: &(u8, i64, String)) -> Cell<'_> {
        match parts.0 {
            0 => Cell::Integer(parts.1),
            1 => Cell::Real(if parts.1 % 2 == 0 {
                f64::from_bits(parts.1.cast_unsigned())
            } else {
                parts.1 as f64 / 4.0
            }),
            _ => Cell::Text(parts.2.as_bytes()),
        }
    }

    proptest! {
        #[test]
        fn no_two_cells_become_the_same(left in cells(), right in cells(), which in 0..CONVERSIONS.len()) {
            let conversion = *CONVERSIONS.get(which).unwrap();
            let (left, right) = (cell(&left), cell(&right));
            let (mut one, mut other) = (Vec::new(), Vec::new());
            if let (Ok(one), Ok(other)) = (conversion.convert(left, &mut one), conversion.convert(right, &mut other)) {
                prop_assert_eq!(one.is_identical(&other), left.is_identical(&right));
            }
        }
    }
}
