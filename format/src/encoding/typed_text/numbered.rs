//! A prefix that is always the same and a decimal number: `item-7`, `item-12`, `Customer#000000123`; or numbers alone.

use super::digits::{count, fill, number};
use super::pattern::AsNumber;
use crate::encoding::parts::damaged;
use crate::error::Result;
use crate::wire::Cursor;

/// Digits of which every number fits an i64.
const MAX_DIGITS: usize = 18;

/// Numbers behind this prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::encoding) struct Numbered {
    prefix: Vec<u8>,
    /// How many digits all numbers have; 0 if each has as many as it needs.
    digits: u8,
}

impl Numbered {
    /// How this text may be written, with as many digits as it needs or with just as many as these: the digits at its end
    /// are its number, and what stands before them is the prefix.
    pub(super) fn of(text: &[u8]) -> impl Iterator<Item = Self> {
        let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let prefix = text.get(..text.len() - digits).filter(|prefix| prefix.len() <= usize::from(u8::MAX));
        let form = move |digits: usize| {
            let form = Self { prefix: prefix?.to_vec(), digits: u8::try_from(digits).ok()? };
            form.parse(text).map(|_| form)
        };
        let exact = (1..=MAX_DIGITS).contains(&digits).then_some(digits);
        [Some(0), exact].into_iter().flatten().filter_map(form)
    }

    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let length = usize::from(cursor.u8()?);
        let prefix = cursor.take(length)?.to_vec();
        let digits = cursor.u8()?;
        if usize::from(digits) > MAX_DIGITS {
            return Err(damaged(format!("numbered texts of {digits} digits")));
        }
        Ok(Self { prefix, digits })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.prefix.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(&self.prefix);
        out.push(self.digits);
    }

    fn digits_of(&self, value: u64) -> usize {
        if self.digits == 0 { count(value) } else { usize::from(self.digits) }
    }
}

impl AsNumber for Numbered {
    fn parse(&self, text: &[u8]) -> Option<i64> {
        let digits = text.strip_prefix(self.prefix.as_slice())?;
        if self.digits > 0 {
            return if digits.len() == usize::from(self.digits) { number(digits) } else { None };
        }
        if digits.is_empty() || (digits.len() > 1 && digits.first() == Some(&b'0')) {
            return None;
        }
        let (sure, rest) = digits.split_at_checked(MAX_DIGITS).unwrap_or((digits, &[]));
        let value = number(sure)?;
        match rest {
            [] => Some(value),
            [last] => value.checked_mul(10)?.checked_add(number(&[*last])?),
            _ => None,
        }
    }

    fn append(&self, value: i64, out: &mut Vec<u8>) -> Option<()> {
        let value = u64::try_from(value).ok()?;
        out.extend_from_slice(&self.prefix);
        let mut digits = [0; MAX_DIGITS + 1];
        let digits = digits.get_mut(..self.digits_of(value))?;
        let left = fill(digits, value);
        out.extend_from_slice(digits);
        (left == 0).then_some(())
    }

    fn length(&self, value: i64) -> usize {
        self.prefix.len() + self.digits_of(value.unsigned_abs())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::error::Layer;

    /// The number of digits of each way to write this text, which must come back from all of them.
    fn ways(text: &str) -> Vec<u8> {
        let bytes = text.as_bytes();
        let way = |form: Numbered| {
            let value = form.parse(bytes).unwrap();
            let mut out = Vec::new();
            form.append(value, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
            assert_eq!(form.length(value), text.len());
            let mut parameters = Vec::new();
            form.write(&mut parameters);
            assert_eq!(Numbered::read(&mut Cursor::new(&parameters, Layer::Cells)).unwrap(), form);
            form.digits
        };
        Numbered::of(bytes).map(way).collect()
    }

    #[test]
    fn numbers_come_back() {
        for (text, digits) in [("0", 1), ("7", 1), ("item-12", 2), ("item0", 1), ("v1.2.13", 2), ("é5", 1)] {
            assert_eq!(ways(text), [0, digits], "{text}");
        }
        assert_eq!(ways("999999999999999999"), [0, 18]);
        for text in ["9223372036854775807", "x1000000000000000000"] {
            assert_eq!(ways(text), [0], "{text}");
        }
        for (text, digits) in [("007", 3), ("Customer#000000123", 9), ("item-00", 2), ("000000000000000000", 18)] {
            assert_eq!(ways(text), [digits], "{text}");
        }
    }

    #[test]
    fn other_ways_to_write_numbers_are_not_taken() {
        for text in ["", "item-", "9223372036854775808", "0000000000000000000", "99999999999999999999", "٣"] {
            assert!(ways(text).is_empty(), "{text}");
        }
        let bare = Numbered { prefix: Vec::new(), digits: 0 };
        let two = Numbered { prefix: b"-".to_vec(), digits: 2 };
        for text in ["+5", "-5", " 5", "5 ", "5.0", "1e3", "-123", "--12", "-+1", "05"] {
            assert_eq!(bare.parse(text.as_bytes()), None, "{text}");
            assert_eq!(two.parse(text.as_bytes()), None, "{text}");
        }
        for value in [-1, i64::MIN, 100, i64::MAX] {
            assert_eq!(two.append(value, &mut Vec::new()), None);
            assert_eq!(bare.append(value, &mut Vec::new()).is_some(), value > 0);
        }
    }
}
