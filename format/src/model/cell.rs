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

/// The first 8 bytes of a payload as a number that compares as they do; where there are fewer, zeros stand for those that are
/// missing.
pub(super) fn beginning(payload: &[u8]) -> u64 {
    if let Some(bytes) = payload.first_chunk::<8>() {
        return u64::from_be_bytes(*bytes);
    }
    // Parts that overlap say the same of the bytes that both have.
    let length = payload.len();
    if let (Some(first), Some(last)) = (payload.first_chunk::<4>(), payload.last_chunk::<4>()) {
        let (first, last) = (u64::from(u32::from_be_bytes(*first)), u64::from(u32::from_be_bytes(*last)));
        return first << 32 | last << (8 * (8 - length));
    }
    let at = |place: usize| payload.get(place).map_or(0, |byte| u64::from(*byte) << (56 - 8 * place));
    at(0) | at(1) | at(2)
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

    /// A cell with this fixed payload; `kind` has one.
    pub(crate) const fn fixed(kind: CellKind, bits: u64) -> Self {
        match kind {
            CellKind::Real => Self::Real(f64::from_bits(bits)),
            _ => Self::Integer(bits.cast_signed()),
        }
    }

    /// A cell with this variable payload; `kind` has one.
    pub(crate) const fn variable(kind: CellKind, bytes: &'a [u8]) -> Self {
        match kind {
            CellKind::Text => Self::Text(bytes),
            CellKind::Bytes => Self::Bytes(bytes),
            _ => Self::RawText(bytes),
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
    fn beginnings_compare_as_bytes_do() {
        let payload: [u8; 10] = [0x81, 2, 0xF3, 4, 0, 6, 0x87, 8, 9, 10];
        for length in 0..=payload.len() {
            let payload = payload.get(..length).unwrap_or_default();
            let expected = (0..8).fold(0, |number, at| number << 8 | u64::from(payload.get(at).copied().unwrap_or(0)));
            assert_eq!(beginning(payload), expected, "{length}");
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
