//! Hexadecimal digits of one case, eight at a time.

use super::pattern::AsBytes;
use crate::encoding::parts::damaged;
use crate::error::Result;
use crate::wire::Cursor;

/// Bytes of a value at most.
const MAX_LENGTH: u32 = 65_536;
/// Eight times the same byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encoding) enum Case {
    Lower,
    Upper,
}

impl Case {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        match cursor.u8()? {
            0 => Ok(Self::Lower),
            1 => Ok(Self::Upper),
            number => Err(damaged(format!("unknown case {number} of hexadecimal digits"))),
        }
    }

    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Lower => 0,
            Self::Upper => 1,
        }
    }

    /// The case of the letters among these digits: lower where there is none, nothing if there is anything else.
    pub(super) fn of(digits: impl Iterator<Item = u8>) -> Option<Self> {
        let mut case = None;
        for byte in digits {
            let of_byte = match byte {
                b'0'..=b'9' => continue,
                b'a'..=b'f' => Self::Lower,
                b'A'..=b'F' => Self::Upper,
                _ => return None,
            };
            if *case.get_or_insert(of_byte) != of_byte {
                return None;
            }
        }
        Some(case.unwrap_or(Self::Lower))
    }

    /// What is between `9` and the first letter.
    const fn gap(self) -> u64 {
        match self {
            Self::Lower => (b'a' - b'9' - 1) as u64,
            Self::Upper => (b'A' - b'9' - 1) as u64,
        }
    }

    /// The digits of eight half bytes.
    const fn digits(self, halves: u64) -> u64 {
        let letters = ((halves + 6 * EACH) >> 4) & EACH;
        halves + 0x30 * EACH + letters * self.gap()
    }

    /// The four bytes that eight digits are.
    #[inline]
    pub(super) fn parse(self, text: [u8; 8]) -> Option<[u8; 4]> {
        let text = u64::from_le_bytes(text);
        let halves = (text & (0x0f * EACH)) + 9 * ((text >> 6) & EACH);
        // Whatever is not written back as it was is no digit of this case.
        if halves & (0xf0 * EACH) != 0 || self.digits(halves) != text {
            return None;
        }
        let pairs = ((halves << 4) | (halves >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs | (pairs >> 8)) & 0x0000_ffff_0000_ffff;
        let [a, b, c, d, ..] = (fours | (fours >> 16)).to_le_bytes();
        Some([a, b, c, d])
    }

    /// The eight digits of four bytes.
    #[inline]
    pub(super) fn format(self, bytes: [u8; 4]) -> [u8; 8] {
        let bytes = u64::from(u32::from_le_bytes(bytes));
        let fours = (bytes | (bytes << 16)) & 0x0000_ffff_0000_ffff;
        let pairs = (fours | (fours << 8)) & 0x00ff_00ff_00ff_00ff;
        let halves = ((pairs >> 4) & 0x000f_000f_000f_000f) | ((pairs & 0x000f_000f_000f_000f) << 8);
        self.digits(halves).to_le_bytes()
    }

    /// The byte that two digits are.
    fn parse_two(self, text: [u8; 2]) -> Option<u8> {
        let [high, low] = text;
        let [byte, ..] = self.parse([high, low, b'0', b'0', b'0', b'0', b'0', b'0'])?;
        Some(byte)
    }

    /// The two digits of a byte.
    fn format_two(self, byte: u8) -> [u8; 2] {
        let [high, low, ..] = self.format([byte, 0, 0, 0]);
        [high, low]
    }
}

/// Texts of two hexadecimal digits for each of so many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::encoding) struct Hexadecimal {
    case: Case,
    bytes: u32,
}

impl Hexadecimal {
    /// How this text is written, if it is nothing but digits of one case.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        if !text.len().is_multiple_of(2) {
            return None;
        }
        let bytes = u32::try_from(text.len() / 2).ok().filter(|bytes| (1..=MAX_LENGTH).contains(bytes))?;
        Some(Self { case: Case::of(text.iter().copied())?, bytes })
    }

    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let case = Case::read(cursor)?;
        let bytes = cursor.u32()?;
        if !(1..=MAX_LENGTH).contains(&bytes) {
            return Err(damaged(format!("hexadecimal digits of {bytes} bytes")));
        }
        Ok(Self { case, bytes })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.case.number());
        out.extend_from_slice(&self.bytes.to_le_bytes());
    }
}

impl AsBytes for Hexadecimal {
    fn parse(&self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        if text.len() != self.length() {
            return None;
        }
        let (eights, rest) = text.as_chunks::<8>();
        for eight in eights {
            out.extend_from_slice(&self.case.parse(*eight)?);
        }
        for two in rest.as_chunks::<2>().0 {
            out.push(self.case.parse_two(*two)?);
        }
        Some(())
    }

    fn append(&self, value: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let (fours, rest) = value.as_chunks::<4>();
        for four in fours {
            out.extend_from_slice(&self.case.format(*four));
        }
        for byte in rest {
            out.extend_from_slice(&self.case.format_two(*byte));
        }
        Some(())
    }

    fn width(&self) -> usize {
        self.bytes as usize
    }

    fn length(&self) -> usize {
        2 * self.width()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits_of_either_case() {
        for byte in 0..=u8::MAX {
            let lower = format!("{byte:02x}");
            let upper = format!("{byte:02X}");
            assert_eq!(Case::Lower.format_two(byte).as_slice(), lower.as_bytes());
            assert_eq!(Case::Upper.format_two(byte).as_slice(), upper.as_bytes());
            assert_eq!(Case::Lower.format([7, byte, 1, byte]).as_slice(), format!("07{lower}01{lower}").as_bytes());
        }
    }

    #[test]
    fn exactly_the_digits_of_a_case_are_read() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut text = *b"09812340";
                *text.get_mut(place).unwrap() = byte;
                for (case, letters) in [(Case::Lower, b'a'..=b'f'), (Case::Upper, b'A'..=b'F')] {
                    let parsed = case.parse(text);
                    assert_eq!(parsed.is_some(), byte.is_ascii_digit() || letters.contains(&byte), "{byte}");
                    assert!(parsed.is_none_or(|bytes| case.format(bytes) == text));
                }
            }
        }
        assert_eq!(Case::Lower.parse(*b"0123cdef"), Some([0x01, 0x23, 0xcd, 0xef]));
    }

    #[test]
    fn texts_of_any_length_come_back() {
        for text in ["0a", "00ff", "DEADBEEF", "8000001f2703e6", "dc730e1c49784c819ff94a488cf744bf", "A012345678"] {
            let form = Hexadecimal::of(text.as_bytes()).unwrap();
            let (mut value, mut out) = (Vec::new(), Vec::new());
            form.parse(text.as_bytes(), &mut value).unwrap();
            assert_eq!(value.len(), form.width());
            form.append(&value, &mut out).unwrap();
            assert_eq!(out, text.as_bytes());
            assert_eq!(form.length(), text.len());
        }
    }

    #[test]
    fn what_would_not_come_back_is_none() {
        for text in ["", "a", "abc", "aB", "0x", "0g", "+1", "é", "dead beef!", "DEADBEEf"] {
            assert_eq!(Hexadecimal::of(text.as_bytes()), None, "{text}");
        }
        let form = Hexadecimal::of(b"dead").unwrap();
        for text in ["DEAD", "dea", "deadd", "de d", ""] {
            assert_eq!(form.parse(text.as_bytes(), &mut Vec::new()), None, "{text}");
        }
        assert_eq!(Hexadecimal::of(&[b'0'; 131_074]), None);
    }
}
