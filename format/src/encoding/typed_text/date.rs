//! Dates as people write them: `YYYY-MM-DD`, years 0000 to 9999, proleptic Gregorian.

use super::digits::{four_pairs, pair};
use super::pattern::AsNumber;

/// Bytes of a date.
pub(super) const LENGTH: usize = 10;
/// 0000-01-01 and 9999-12-31, in days since 1970-01-01.
const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;
/// Days from 0000-03-01, moved back by one cycle of 400 years so that none is negative, to 1970-01-01.
const EPOCH: i64 = 719_468 + 146_097;

/// The pattern of a date alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::encoding) struct Date;

impl AsNumber for Date {
    fn parse(&self, text: &[u8]) -> Option<i64> {
        parse(text.try_into().ok()?)
    }

    fn append(&self, value: i64, out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(&format(value)?);
        Some(())
    }

    fn length(&self, _value: i64) -> usize {
        LENGTH
    }
}

/// Days since 1970-01-01; `None` for what [`format`] would not write.
pub(super) fn parse(text: &[u8; LENGTH]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let [century, year, month, day] = four_pairs([y1, y2, y3, y4, m1, m2, d1, d2])?;
    let longest = *LENGTHS.get(month as usize)?;
    let is_leap = || year % 4 == 0 && (year != 0 || century % 4 == 0);
    if day == 0 || day > longest || (month == 2 && day == longest && !is_leap()) {
        return None;
    }
    let year = 100 * century + year;
    // Years that begin in March end in their leap day.
    let (year, month) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some(i64::from(days) - EPOCH)
}

/// Days of each month from the first on, in a leap year.
const LENGTHS: [u32; 13] = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The date so many days after 1970-01-01, if it is one of these years.
pub(super) fn format(days: i64) -> Option<[u8; LENGTH]> {
    if !DAYS.contains(&days) {
        return None;
    }
    let days = u32::try_from(days + EPOCH).ok()?;
    // Whole centuries, then whole years, then months of a year that begins in March.
    let quarters = 4 * days + 3;
    let century = quarters / 146_097;
    let quarters = (quarters % 146_097) | 3;
    let year = quarters / 1_461;
    let day_of_year = quarters % 1_461 / 4;
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (carry, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    let year = 100 * century + year + carry - 400;
    let [[y1, y2], [y3, y4], [m1, m2], [d1, d2]] = [pair(year / 100), pair(year % 100), pair(month), pair(day)];
    Some([y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn known_days_are_right() {
        let days = [
            ("0000-01-01", -719_528),
            ("0000-02-29", -719_469),
            ("0000-03-01", -719_468),
            ("1969-12-31", -1),
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("2024-12-31", 20_088),
            ("9999-12-31", 2_932_896),
        ];
        for (text, day) in days {
            assert_eq!(Date.parse(text.as_bytes()), Some(day), "{text}");
            assert_eq!(format(day).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn every_day_comes_back_and_follows_the_one_before() {
        let mut before = format(*DAYS.start()).unwrap();
        assert_eq!(parse(&before), Some(*DAYS.start()));
        for day in DAYS.skip(1) {
            let text = format(day).unwrap();
            assert_eq!(parse(&text), Some(day));
            assert!(before < text);
            before = text;
        }
        assert_eq!(format(DAYS.start() - 1), None);
        assert_eq!(format(DAYS.end() + 1), None);
        assert_eq!(format(i64::MIN), None);
        assert_eq!(format(i64::MAX), None);
    }

    #[test]
    fn texts_that_are_no_dates_are_not_taken_for_one() {
        let texts = [
            "2023-02-29",
            "1900-02-29",
            "2023-04-31",
            "2023-00-10",
            "2023-13-01",
            "2023-01-00",
            "2023-01-32",
            "2023-1-01",
            "2023-01-1",
            "+023-01-01",
            "-023-01-01",
            "2023/01/01",
            "2023-01-01 ",
            " 2023-01-01",
            "",
            "2023-01-0:",
            "2023-01-/1",
            "２023-01-1",
        ];
        for text in texts {
            assert_eq!(Date.parse(text.as_bytes()), None, "{text}");
        }
    }
}
