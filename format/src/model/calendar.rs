//! Days and times of day as numbers and as text, in the proleptic Gregorian calendar, far beyond years of four digits.
//!
//! Texts are those of PostgreSQL's ISO style: `2026-03-01 12:00:00.5+00`, and ` BC` behind years before 1.

use std::io::Write;

/// Microseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub(crate) const DAY: i64 = 86_400 * SECOND;
/// Days further from 1970 than this have no date here: no database goes beyond 32 bits.
const FURTHEST: i64 = 1 << 32;
/// Days in 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const TO_1970: i64 = 719_468;

/// The day of a date, counted from 1970-01-01; `None` if there is no such date. The year before 1 is 0.
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=days).contains(&day) || year.unsigned_abs() > FURTHEST.unsigned_abs() {
        return None;
    }
    // Years that begin in March have their leap day at the end; eras are of 400 years.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * ERA + of_era - TO_1970).filter(|day| day.abs() <= FURTHEST)
}

/// Year, month and day of a day counted from 1970-01-01.
fn date_of(day: i64) -> Option<(i64, i64, i64)> {
    if !(-FURTHEST..=FURTHEST).contains(&day) {
        return None;
    }
    let day = day + TO_1970;
    let (era, of_era) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    Some((year + era * 400 + next, month, day))
}

/// Appends a date without what tells years before 1 from others. Is it one of them?
fn push_day(text: &mut Vec<u8>, day: i64) -> Option<bool> {
    let (year, month, day) = date_of(day)?;
    let (year, before) = if year > 0 { (year, false) } else { (1 - year, true) };
    if let (Ok(year @ 0..=9_999), false) = (u16::try_from(year), before) {
        push_two(text, i64::from(year / 100));
        push_two(text, i64::from(year % 100));
    } else {
        // Writing to a vector cannot fail.
        let _ = write!(text, "{year:04}");
    }
    text.push(b'-');
    push_two(text, month);
    text.push(b'-');
    push_two(text, day);
    Some(before)
}

/// Appends a number of two digits.
fn push_two(text: &mut Vec<u8>, number: i64) {
    let digit = |number: i64| b'0' | u8::try_from(number % 10).unwrap_or(0);
    text.extend_from_slice(&[digit(number / 10), digit(number)]);
}

/// Appends the date of a day counted from 1970-01-01, and says whether there is one.
pub(crate) fn push_date(text: &mut Vec<u8>, day: i64) -> bool {
    let Some(before) = push_day(text, day) else { return false };
    if before {
        text.extend_from_slice(b" BC");
    }
    true
}

/// Appends a time of day of so many microseconds; of fractions only the digits that say something.
pub(crate) fn push_time(text: &mut Vec<u8>, micros: i64) {
    let seconds = micros / SECOND;
    push_two(text, seconds / 3_600);
    text.push(b':');
    push_two(text, seconds / 60 % 60);
    text.push(b':');
    push_two(text, seconds % 60);
    push_fraction(text, micros % SECOND);
}

/// Appends a point and so many microseconds, without zeros at the end; nothing if there are none.
pub(crate) fn push_fraction(text: &mut Vec<u8>, micros: i64) {
    if micros != 0 {
        // Writing to a vector cannot fail.
        let _ = write!(text, ".{:06}", micros.unsigned_abs());
        while text.last() == Some(&b'0') {
            text.pop();
        }
    }
}

/// Appends the date and time so many microseconds after 1970-01-01T00:00:00, with what stands between the two and what follows
/// them, and says whether there is one.
pub(crate) fn push_timestamp(text: &mut Vec<u8>, micros: i128, separator: u8, zone: &[u8]) -> bool {
    let day = i64::try_from(micros.div_euclid(i128::from(DAY)));
    let of_day = i64::try_from(micros.rem_euclid(i128::from(DAY))).unwrap_or(0);
    let Some(before) = day.ok().and_then(|day| push_day(text, day)) else { return false };
    text.push(separator);
    push_time(text, of_day);
    text.extend_from_slice(zone);
    if before {
        text.extend_from_slice(b" BC");
    }
    true
}

/// The day of a date as [`push_date`] writes it.
pub(crate) fn parse_date(text: &[u8]) -> Option<i64> {
    let (text, before) = without_era(text);
    match split_date(text, before)? {
        (day, []) => Some(day),
        _ => None,
    }
}

/// The microseconds of a time of day as [`push_time`] writes it; the end of a day is 24:00:00.
pub(crate) fn parse_time(text: &[u8]) -> Option<i64> {
    let ([h, hour, b':', m, minute, b':', s, second], rest) = text.split_first_chunk::<8>()? else { return None };
    let number = |tens: &u8, ones: &u8| digits(&[*tens, *ones]);
    let (hours, minutes, seconds) = (number(h, hour)?, number(m, minute)?, number(s, second)?);
    let fraction = match rest {
        [] => 0,
        [b'.', fraction @ ..] if (1..=6).contains(&fraction.len()) => {
            let missing = u32::try_from(6 - fraction.len()).ok()?;
            digits(fraction)? * 10_i64.pow(missing)
        }
        _ => return None,
    };
    let micros = ((hours * 60 + minutes) * 60 + seconds) * SECOND + fraction;
    (minutes < 60 && seconds < 60 && micros <= DAY).then_some(micros)
}

/// Microseconds since 1970-01-01T00:00:00 of a timestamp as [`push_timestamp`] writes it with a space and this zone.
pub(crate) fn parse_timestamp(text: &[u8], zone: &[u8]) -> Option<i128> {
    let (text, before) = without_era(text);
    let text = text.strip_suffix(zone)?;
    match split_date(text, before)? {
        (day, [b' ', time @ ..]) => Some(i128::from(day) * i128::from(DAY) + i128::from(parse_time(time)?)),
        _ => None,
    }
}

/// The text without ` BC`, and whether it had it.
fn without_era(text: &[u8]) -> (&[u8], bool) {
    text.strip_suffix(b" BC").map_or((text, false), |text| (text, true))
}

/// The day of the date that a text begins with, and what follows it.
fn split_date(text: &[u8], before: bool) -> Option<(i64, &[u8])> {
    let (year, rest) = text.split_at_checked(text.iter().take_while(|byte| byte.is_ascii_digit()).count())?;
    let ([b'-', m, month, b'-', d, day], rest) = rest.split_first_chunk::<6>()? else { return None };
    let (year, month, day) = (digits(year)?, digits(&[*m, *month])?, digits(&[*d, *day])?);
    let year = if before { 1 - year } else { year };
    Some((day_of(year, month, day)?, rest))
}

/// A number of one to nine digits.
fn digits(text: &[u8]) -> Option<i64> {
    let sound = (1..=9).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    sound.then(|| text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn date_text(day: i64) -> String {
        let mut text = Vec::new();
        assert!(push_date(&mut text, day));
        String::from_utf8(text).unwrap()
    }

    fn timestamp_text(micros: i128) -> String {
        let mut text = Vec::new();
        assert!(push_timestamp(&mut text, micros, b' ', b"+00"));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn every_day_of_the_calendar_is_the_one_that_another_calendar_gives() {
        let (mut day, mut days) = (date(1, 1, 1), -719_162);
        while day < date(9999, 12, 31) {
            assert_eq!(date_text(days), day.to_string());
            assert_eq!(parse_date(day.to_string().as_bytes()), Some(days), "{day}");
            day = day.tomorrow().unwrap();
            days += 1;
        }
    }

    #[test]
    fn dates_before_year_1_and_after_9999() {
        for (day, text) in [
            (-719_163, "0001-12-31 BC"),
            (-719_528, "0001-01-01 BC"),
            (-719_529, "0002-12-31 BC"),
            (-2_440_588, "4714-11-24 BC"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "10000-01-01"),
            (2_145_042_905, "5874897-12-31"),
        ] {
            assert_eq!(date_text(day), text);
            assert_eq!(parse_date(text.as_bytes()), Some(day), "{text}");
        }
        assert!(!push_date(&mut Vec::new(), i64::MAX) && !push_date(&mut Vec::new(), i64::MIN));
    }

    #[test]
    fn timestamps_come_back() {
        for (micros, text) in [
            (0, "1970-01-01 00:00:00+00"),
            (-1, "1969-12-31 23:59:59.999999+00"),
            (1_500_000, "1970-01-01 00:00:01.5+00"),
            (9_224_318_015_999_999_999, "294276-12-31 23:59:59.999999+00"),
            (-210_866_803_200_000_000, "4714-11-24 00:00:00+00 BC"),
        ] {
            assert_eq!(timestamp_text(micros), text);
            assert_eq!(parse_timestamp(text.as_bytes(), b"+00"), Some(micros), "{text}");
        }
        assert!(!push_timestamp(&mut Vec::new(), i128::MAX, b' ', b""));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "2026-02-29", "2026-13-01", "2026-3-01", "-2026-03-01", "2026-03-01 ", "2026-03-01 AD"] {
            assert_eq!(parse_date(text.as_bytes()), None, "{text}");
        }
        for text in ["", "24:00:00.1", "12:60:00", "12:00:60", "12:00", "12:00:00.", "12:00:00.1234567"] {
            assert_eq!(parse_time(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_time(b"24:00:00"), Some(DAY));
        assert_eq!(parse_timestamp(b"2026-03-01T00:00:00", b""), None);
    }
}
