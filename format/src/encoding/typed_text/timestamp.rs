//! Timestamps: a date, a separator, `HH:MM:SS`, a fraction of fixed length and a suffix that is always the same.

use super::date;
use super::digits::{digit, fill, number, pair, two};
use super::pattern::AsNumber;
use crate::encoding::parts::damaged;
use crate::error::Result;
use crate::wire::Cursor;

/// Digits of a second's fraction at most: nanoseconds.
const MAX_DIGITS: u8 = 9;
/// Bytes of a suffix at most; `+00:00` has 6.
const MAX_SUFFIX: usize = 8;
/// Bytes of the separator and the time of day.
const TIME: usize = 9;
const SECONDS_A_DAY: i64 = 86_400;

/// How the timestamps of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::encoding) struct Timestamp {
    separator: u8,
    digits: u8,
    suffix: Vec<u8>,
}

impl Timestamp {
    /// How this text is written, if it is a timestamp.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let (_, rest) = text.split_at_checked(date::LENGTH)?;
        let (time, rest) = rest.split_at_checked(TIME)?;
        let fraction = rest.strip_prefix(b".").unwrap_or_default();
        let digits = fraction.iter().take_while(|byte| digit(**byte).is_some()).count();
        let suffix = if digits == 0 { rest } else { fraction.get(digits..)? };
        if suffix.len() > MAX_SUFFIX {
            return None;
        }
        let digits = u8::try_from(digits).ok().filter(|digits| *digits <= MAX_DIGITS)?;
        let form = Self { separator: *time.first()?, digits, suffix: suffix.to_vec() };
        (is_separator(form.separator) && form.parse(text).is_some()).then_some(form)
    }

    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let refuse = |what: &str, number: usize| damaged(format!("timestamps with {what} {number}"));
        let (separator, digits) = (cursor.u8()?, cursor.u8()?);
        if !is_separator(separator) {
            return Err(refuse("separator", usize::from(separator)));
        }
        if digits > MAX_DIGITS {
            return Err(refuse("digits of a second", usize::from(digits)));
        }
        let length = usize::from(cursor.u8()?);
        if length > MAX_SUFFIX {
            return Err(refuse("a suffix of length", length));
        }
        Ok(Self { separator, digits, suffix: cursor.take(length)?.to_vec() })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let length = u8::try_from(self.suffix.len()).unwrap_or(u8::MAX);
        out.extend_from_slice(&[self.separator, self.digits, length]);
        out.extend_from_slice(&self.suffix);
    }

    const fn scale(&self) -> i64 {
        10_i64.pow(self.digits as u32)
    }
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'T')
}

impl AsNumber for Timestamp {
    fn parse(&self, text: &[u8]) -> Option<i64> {
        let (date, rest) = text.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk::<TIME>()?;
        let [separator, h1, h2, b':', m1, m2, b':', s1, s2] = *time else { return None };
        let (hours, minutes, seconds) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
        if separator != self.separator || hours > 23 || minutes > 59 || seconds > 59 {
            return None;
        }
        let (fraction, suffix) = match self.digits {
            0 => (0, rest),
            digits => {
                let (fraction, suffix) = rest.strip_prefix(b".")?.split_at_checked(usize::from(digits))?;
                (number(fraction)?, suffix)
            }
        };
        if suffix != self.suffix {
            return None;
        }
        let seconds = SECONDS_A_DAY * date::parse(date)? + i64::from(3_600 * hours + 60 * minutes + seconds);
        // Nanoseconds of an i64 end in the years 1677 and 2262.
        seconds.checked_mul(self.scale())?.checked_add(fraction)
    }

    fn append(&self, value: i64, out: &mut Vec<u8>) -> Option<()> {
        let seconds = value.div_euclid(self.scale());
        let date = date::format(seconds.div_euclid(SECONDS_A_DAY))?;
        let of_day = u32::try_from(seconds.rem_euclid(SECONDS_A_DAY)).ok()?;
        let minutes = of_day / 60;
        let [[h1, h2], [m1, m2], [s1, s2]] = [pair(minutes / 60), pair(minutes % 60), pair(of_day % 60)];
        let mut text = [0; date::LENGTH + TIME];
        let (date_place, time_place) = text.split_at_mut(date::LENGTH);
        date_place.copy_from_slice(&date);
        time_place.copy_from_slice(&[self.separator, h1, h2, b':', m1, m2, b':', s1, s2]);
        out.extend_from_slice(&text);
        if self.digits > 0 {
            let mut fraction = [b'.'; 1 + MAX_DIGITS as usize];
            let fraction = fraction.get_mut(..=usize::from(self.digits))?;
            if let [_, digits @ ..] = fraction {
                fill(digits, value.rem_euclid(self.scale()).cast_unsigned());
            }
            out.extend_from_slice(fraction);
        }
        out.extend_from_slice(&self.suffix);
        Some(())
    }

    fn length(&self, _value: i64) -> usize {
        let fraction = if self.digits == 0 { 0 } else { 1 + usize::from(self.digits) };
        date::LENGTH + TIME + fraction + self.suffix.len()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::error::Layer;

    fn round_trip(text: &str) -> i64 {
        let form = Timestamp::of(text.as_bytes()).unwrap();
        let value = form.parse(text.as_bytes()).unwrap();
        let mut out = Vec::new();
        form.append(value, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text);
        assert_eq!(form.length(value), text.len());
        let mut parameters = Vec::new();
        form.write(&mut parameters);
        assert_eq!(Timestamp::read(&mut Cursor::new(&parameters, Layer::Cells)).unwrap(), form);
        value
    }

    #[test]
    fn known_timestamps_are_right() {
        assert_eq!(round_trip("1970-01-01 00:00:00"), 0);
        assert_eq!(round_trip("1969-12-31T23:59:59.9Z"), -1);
        assert_eq!(round_trip("2024-01-01T05:16:22.040Z"), 1_704_086_182_040);
        assert_eq!(round_trip("2024-01-01 05:16:22.123456+00:00"), 1_704_086_182_123_456);
        assert_eq!(round_trip("2262-04-11T23:47:16.854775807"), i64::MAX);
        assert_eq!(round_trip("1677-09-21T00:12:44.000000000"), -9_223_372_036_000_000_000);
        assert_eq!(round_trip("0000-01-01 00:00:00.00000"), -62_167_219_200 * 100_000);
        assert_eq!(round_trip("9999-12-31 23:59:59.999999"), 253_402_300_799_999_999);
        assert_eq!(round_trip("2024-01-01 05:16:22."), 1_704_086_182, "a dot alone is a suffix");
    }

    #[test]
    fn texts_that_would_not_come_back_are_no_timestamps() {
        let texts = [
            "2024-01-01 24:00:00",
            "2024-01-01 23:60:00",
            "2024-01-01 23:59:60",
            "2023-02-29 00:00:00",
            "2024-01-01_00:00:00",
            "2024-01-01t00:00:00",
            "2024-01-01 00.00.00",
            "2024-01-01 00:00",
            "2024-01-01 00:00:00 Europe/Berlin",
            "2024-01-01 00:00:00.1234567890",
            "2262-04-11T23:47:16.854775808",
            "1677-09-21T00:12:42.999999999",
            "2024-01-01  1:00:00",
        ];
        for text in texts {
            assert_eq!(Timestamp::of(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn values_of_other_years_are_not_written() {
        for digits in 0..=9_u32 {
            let zeros = "0".repeat(digits as usize);
            let text =
                if digits == 0 { "2000-01-01 00:00:00".to_owned() } else { format!("2000-01-01 00:00:00.{zeros}") };
            let form = Timestamp::of(text.as_bytes()).unwrap();
            let scale = 10_i64.pow(digits);
            let mut out = Vec::new();
            if let Some(behind) = 253_402_300_800_i64.checked_mul(scale) {
                assert_eq!(form.append(behind, &mut out), None);
                assert_eq!(form.append(-62_167_219_200 * scale - 1, &mut out), None);
                assert_eq!(form.append(i64::MAX, &mut out), None);
            }
            assert_eq!(form.append(i64::MIN, &mut out).is_some(), digits == 9);
        }
    }
}
