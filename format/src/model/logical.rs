//! What the cells of a column mean. The numbers are those of the file (`spec/format.md` §5.1).

use std::fmt;

use super::cell::{Cell, CellKind};

/// The largest scale of a decimal whose cells are integers: ten to the power of it fits an `i64`.
pub const MAX_DECIMAL_SCALE: u8 = 18;

/// The number of a decimal of scale 0; those of other scales follow.
const DECIMAL: u8 = 32;

/// The logical type of a column: what its cells stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Logical {
    /// Each cell is of its own kind and means itself.
    Any,
    /// 0 is false, 1 is true.
    Boolean,
    /// Whole numbers.
    Integer,
    /// IEEE 754 numbers.
    Real,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since midnight.
    Time,
    /// Microseconds since 1970-01-01T00:00:00 of a clock that nobody has named.
    Timestamp,
    /// Microseconds since 1970-01-01T00:00:00Z.
    TimestampWithZone,
    /// The 36 characters of a UUID, in lower case.
    Uuid,
    /// A JSON document.
    Json,
    /// Decimals without a common scale: whole ones as integers, others as texts.
    DecimalText,
    /// An interval as PostgreSQL prints it in its own style.
    Interval,
    /// A value of any other type, as the type prints it.
    Opaque,
    /// Decimals of this scale, at most [`MAX_DECIMAL_SCALE`]: the integer is the value times ten to the power of it.
    Decimal(u8),
}

impl Logical {
    /// The type with this number, if it is known.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Any,
            1 => Self::Boolean,
            2 => Self::Integer,
            3 => Self::Real,
            4 => Self::Text,
            5 => Self::Bytes,
            6 => Self::Date,
            7 => Self::Time,
            8 => Self::Timestamp,
            9 => Self::TimestampWithZone,
            10 => Self::Uuid,
            11 => Self::Json,
            12 => Self::DecimalText,
            13 => Self::Interval,
            14 => Self::Opaque,
            DECIMAL.. if number - DECIMAL <= MAX_DECIMAL_SCALE => Self::Decimal(number - DECIMAL),
            _ => return None,
        })
    }

    /// Its number in the file.
    pub const fn number(self) -> u8 {
        match self {
            Self::Any => 0,
            Self::Boolean => 1,
            Self::Integer => 2,
            Self::Real => 3,
            Self::Text => 4,
            Self::Bytes => 5,
            Self::Date => 6,
            Self::Time => 7,
            Self::Timestamp => 8,
            Self::TimestampWithZone => 9,
            Self::Uuid => 10,
            Self::Json => 11,
            Self::DecimalText => 12,
            Self::Interval => 13,
            Self::Opaque => 14,
            Self::Decimal(scale) => DECIMAL.saturating_add(scale),
        }
    }

    /// May a column of this type hold cells of this kind? Nulls stand in columns of every type.
    pub const fn may_hold(self, kind: CellKind) -> bool {
        use CellKind::{Bytes, Integer, Null, RawText, Real, Text};
        if matches!(kind, Null) {
            return true;
        }
        match self {
            Self::Any => true,
            Self::Boolean | Self::Integer | Self::Time => matches!(kind, Integer),
            Self::Real => matches!(kind, Real),
            Self::Bytes => matches!(kind, Bytes),
            Self::Uuid | Self::Interval => matches!(kind, Text),
            // Where a database knows no encoding, any bytes are a text.
            Self::Text | Self::Json | Self::Opaque => matches!(kind, Text | RawText),
            // What no integer can hold stands as it is written: `infinity`, `NaN`, long numbers.
            Self::Date | Self::Timestamp | Self::TimestampWithZone | Self::DecimalText | Self::Decimal(_) => {
                matches!(kind, Integer | Text)
            }
        }
    }
}

impl fmt::Display for Logical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampWithZone => "timestamp with time zone",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::DecimalText => "decimal",
            Self::Interval => "interval",
            Self::Opaque => "opaque",
            Self::Decimal(scale) => return write!(f, "decimal of scale {scale}"),
        })
    }
}

/// The cell of a date or timestamp before all others, `-infinity`.
pub const BEFORE_ALL_TIMES: Cell<'static> = Cell::Integer(i64::MIN);
/// The cell of a date or timestamp after all others. It is a text, since texts stand behind integers.
pub const AFTER_ALL_TIMES: Cell<'static> = Cell::Text(b"infinity");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_types_agree() {
        let mut known = 0;
        for number in 0..=u8::MAX {
            if let Some(logical) = Logical::from_number(number) {
                assert_eq!(logical.number(), number);
                assert!(logical.may_hold(CellKind::Null));
                known += 1;
            }
        }
        assert_eq!(known, 15 + 19);
        assert_eq!(Logical::from_number(50), Some(Logical::Decimal(18)));
        assert_eq!((Logical::from_number(51), Logical::from_number(15)), (None, None));
    }

    #[test]
    fn integers_are_kept_out_of_texts() {
        assert!(!Logical::Text.may_hold(CellKind::Integer));
        assert!(!Logical::Real.may_hold(CellKind::Bytes));
        assert!(Logical::Date.may_hold(CellKind::Text) && !Logical::Date.may_hold(CellKind::RawText));
        assert!(Logical::Any.may_hold(CellKind::RawText));
        assert_eq!(Logical::Decimal(2).to_string(), "decimal of scale 2");
    }
}
