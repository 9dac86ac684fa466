//! One cell: a kind and its exact payload.

/// The kind of a cell. The numbers are those of the file (`spec/format.md` §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CellKind {
    /// No value.
    Null = 0,
    /// A 64-bit signed integer.
    Integer = 1,
    /// A 64-bit IEEE 754 number, kept bit for bit.
    Real = 2,
    /// Valid UTF-8; may contain NUL.
    Text = 3,
    /// Bytes.
    Bytes = 4,
    /// What the source calls text but is not valid in its encoding, as the source's own bytes.
    RawText = 5,
}

impl CellKind {
    /// The kind with this number, if there is one.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Null),
            1 => Some(Self::Integer),
            2 => Some(Self::Real),
            3 => Some(Self::Text),
            4 => Some(Self::Bytes),
            5 => Some(Self::RawText),
            _ => None,
        }
    }

    /// Its number in the file.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Does a cell of this kind have 8 bytes of payload?
    pub const fn is_fixed(self) -> bool {
        matches!(self, Self::Integer | Self::Real)
    }

    /// Does a cell of this kind have a payload of its own length?
    pub const fn is_variable(self) -> bool {
        matches!(self, Self::Text | Self::Bytes | Self::RawText)
    }
}

/// One cell, borrowed from wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit IEEE 754 number. `PartialEq` compares as numbers do; compare [`Cell::fixed_bits`] for identity.
    Real(f64),
    /// Valid UTF-8; may contain NUL. Whoever makes the cell has checked it.
    Text(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
    /// What the source calls text but is not valid in its encoding, as the source's own bytes.
    RawText(&'a [u8]),
}

impl<'a> Cell<'a> {
    /// The kind.
    pub const fn kind(&self) -> CellKind {
        match self {
            Self::Null => CellKind::Null,
            Self::Integer(_) => CellKind::Integer,
            Self::Real(_) => CellKind::Real,
            Self::Text(_) => CellKind::Text,
            Self::Bytes(_) => CellKind::Bytes,
            Self::RawText(_) => CellKind::RawText,
        }
    }

    /// The 8 bytes of a fixed payload as a number; `None` for other kinds.
    pub const fn fixed_bits(&self) -> Option<u64> {
        match self {
            Self::Integer(value) => Some(value.cast_unsigned()),
            Self::Real(value) => Some(value.to_bits()),
            _ => None,
        }
    }

    /// The bytes of a variable payload; `None` for other kinds.
    pub const fn variable_bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Text(bytes) | Self::Bytes(bytes) | Self::RawText(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Are these the same cell to the last bit? (−0.0 is not 0.0, and a NaN is itself.)
    pub fn is_identical(&self, other: &Cell<'_>) -> bool {
        self.kind() == other.kind()
            && self.fixed_bits() == other.fixed_bits()
            && self.variable_bytes() == other.variable_bytes()
    }

    /// Bytes this cell counts for when rows are cut into row groups (`spec/format.md` §7.2).
    pub const fn weight(&self) -> u64 {
        match self {
            Self::Null => 1,
            Self::Integer(_) | Self::Real(_) => 9,
            Self::Text(bytes) | Self::Bytes(bytes) | Self::RawText(bytes) => 5 + bytes.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_kinds_agree() {
        for number in 0..=u8::MAX {
            match CellKind::from_number(number) {
                Some(kind) => assert_eq!(kind.number(), number),
                None => assert!(number > 5),
            }
        }
    }

    #[test]
    fn identity_is_bitwise() {
        assert!(!Cell::Real(0.0).is_identical(&Cell::Real(-0.0)));
        assert!(Cell::Real(f64::NAN).is_identical(&Cell::Real(f64::NAN)));
        assert!(!Cell::Text(b"a").is_identical(&Cell::Bytes(b"a")));
        assert!(!Cell::Integer(1).is_identical(&Cell::Real(f64::from_bits(1))));
    }
}
