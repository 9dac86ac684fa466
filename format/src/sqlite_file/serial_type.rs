//! Serial types: what a record's header says of each value.

/// The kind of a value in a record and how many bytes its payload has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SerialType {
    /// No value.
    Null,
    /// A big-endian two's complement integer of 1, 2, 3, 4, 6 or 8 bytes.
    Integer(u8),
    /// A big-endian IEEE 754 number.
    Real,
    /// The integer 0, without payload.
    Zero,
    /// The integer 1, without payload.
    One,
    /// Bytes.
    Bytes(u64),
    /// Text in the database's encoding.
    Text(u64),
}

impl SerialType {
    /// The serial type of this number; `None` for the two that no file holds.
    pub(crate) const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            1 => Self::Integer(1),
            2 => Self::Integer(2),
            3 => Self::Integer(3),
            4 => Self::Integer(4),
            5 => Self::Integer(6),
            6 => Self::Integer(8),
            7 => Self::Real,
            8 => Self::Zero,
            9 => Self::One,
            10 | 11 => return None,
            _ if number.is_multiple_of(2) => Self::Bytes((number - 12) / 2),
            _ => Self::Text((number - 13) / 2),
        })
    }

    /// The shortest serial type of an integer.
    pub(crate) const fn of_integer(value: i64) -> Self {
        // The magnitude's bits and a sign bit.
        let bits = 65 - (if value < 0 { !value } else { value }).leading_zeros();
        match bits {
            _ if value == 0 => Self::Zero,
            _ if value == 1 => Self::One,
            0..=8 => Self::Integer(1),
            9..=16 => Self::Integer(2),
            17..=24 => Self::Integer(3),
            25..=32 => Self::Integer(4),
            33..=48 => Self::Integer(6),
            _ => Self::Integer(8),
        }
    }

    /// Its number in the file.
    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::Null => 0,
            Self::Integer(6) => 5,
            Self::Integer(8) => 6,
            Self::Integer(bytes) => bytes as u64,
            Self::Real => 7,
            Self::Zero => 8,
            Self::One => 9,
            Self::Bytes(length) => 12 + 2 * length,
            Self::Text(length) => 13 + 2 * length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in (0..10).chain(12..1000) {
            assert_eq!(SerialType::from_number(number).map(SerialType::number), Some(number));
        }
        assert_eq!((SerialType::from_number(10), SerialType::from_number(11)), (None, None));
    }

    #[test]
    fn integers_take_the_fewest_bytes() {
        for (value, bytes) in [
            (0, 0),
            (1, 0),
            (-1, 1),
            (2, 1),
            (127, 1),
            (-128, 1),
            (128, 2),
            (-129, 2),
            (32_767, 2),
            (32_768, 3),
            (-8_388_608, 3),
            (8_388_608, 4),
            (i64::from(i32::MAX), 4),
            (i64::from(i32::MIN) - 1, 6),
            ((1 << 47) - 1, 6),
            (1 << 47, 8),
            (i64::MIN, 8),
        ] {
            let expected = match (value, bytes) {
                (0, 0) => SerialType::Zero,
                (1, 0) => SerialType::One,
                _ => SerialType::Integer(bytes),
            };
            assert_eq!(SerialType::of_integer(value), expected, "{value}");
        }
    }
}
