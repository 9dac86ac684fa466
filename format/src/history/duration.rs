//! Lengths of time as people write them, one notation for the whole program: `90d`, `12h`, `1y6mo`.
//!
//! `m` is minutes and `mo` is months, everywhere; nothing else is taken for either.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::error::{Error, Result};

/// Units in the order in which they are written: name, calendar months, microseconds.
const UNITS: [(&str, i64, i64); 7] = [
    ("y", 12, 0),
    ("mo", 1, 0),
    ("w", 0, 7 * DAY),
    ("d", 0, DAY),
    ("h", 0, 3_600 * SECOND),
    (MINUTES, 0, 60 * SECOND),
    ("s", 0, SECOND),
];
const MINUTES: &str = "m";
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A length of time, longer than nothing. Weeks, days, hours, minutes and seconds are always equally long; months and years
/// are those of the calendar in UTC, so how long they are depends on when they end.
///
/// Two are equal if they are written with the same numbers: `7d` is not `1w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Duration {
    /// How many of each unit, in the order of `UNITS`.
    counts: [u32; UNITS.len()],
}

impl Duration {
    /// The time that lies this long before `time`; both are in microseconds since 1970-01-01T00:00:00Z.
    ///
    /// Months and years go back to the same day of an earlier month, or to its last day if it is shorter; what else there is
    /// goes back from there. What would lie before all times is `i64::MIN`, so that everything is later. Only with
    /// months or years does the calendar matter: a time outside its years -9999 to 9999 then counts as the nearest in it.
    pub fn before(&self, time: i64) -> i64 {
        let (mut months, mut micros) = (0_i64, 0_i128);
        for ((_, unit_months, unit_micros), count) in UNITS.iter().zip(self.counts) {
            months = months.saturating_add(unit_months.saturating_mul(count.into()));
            micros = micros.saturating_add(i128::from(*unit_micros).saturating_mul(count.into()));
        }
        let start = if months == 0 { Some(time) } else { months_before(time, months) };
        start.and_then(|start| i64::try_from(i128::from(start).saturating_sub(micros)).ok()).unwrap_or(i64::MIN)
    }

    /// Is any of it written in minutes (`m`)? Where other programs take `m` for months, whoever asks may want to refuse it.
    pub fn has_minutes(&self) -> bool {
        UNITS.iter().zip(self.counts).any(|((name, ..), count)| *name == MINUTES && count > 0)
    }
}

/// The same day of an earlier month at the same time of day; `None` before the calendar begins.
fn months_before(time: i64, months: i64) -> Option<i64> {
    let nearest = if time < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let time = TimeZone::UTC.to_datetime(Timestamp::from_microsecond(time).unwrap_or(nearest));
    let earlier = time.checked_sub(Span::new().try_months(months).ok()?).ok()?;
    Some(TimeZone::UTC.to_timestamp(earlier).ok()?.as_microsecond())
}

impl FromStr for Duration {
    type Err = Error;

    /// Whole numbers, each with its unit, the larger units first, without spaces: `y` (years), `mo` (months), `w`, `d`, `h`,
    /// `m` (minutes), `s`. No unit twice, and not nothing at all.
    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Error::request(format!("\"{text}\" is no duration: {why}")).with_hint(
                "write numbers with units, the largest first: y, mo (months), w, d, h, m (minutes), s; as in 90d, 12h or 1y6mo",
            )
        };
        let mut counts = [0; UNITS.len()];
        let mut free = counts.iter_mut().zip(UNITS);
        let mut rest = text;
        while !rest.is_empty() {
            let (digits, after) = split(rest, |character| !character.is_ascii_digit());
            let (unit, after) = split(after, |character| character.is_ascii_digit());
            if digits.is_empty() {
                return Err(refuse("a number is missing"));
            }
            if unit.is_empty() {
                return Err(refuse("a unit is missing"));
            }
            if !UNITS.iter().any(|(name, ..)| *name == unit) {
                return Err(refuse(&format!("there is no unit \"{unit}\"")));
            }
            let Some((count, _)) = free.find(|(_, (name, ..))| *name == unit) else {
                return Err(refuse("each unit may stand once, the larger before the smaller"));
            };
            *count = digits.parse().map_err(|_| refuse("a number is too large"))?;
            rest = after;
        }
        if counts == [0; UNITS.len()] {
            return Err(refuse("it must be longer than nothing"));
        }
        Ok(Self { counts })
    }
}

/// What stands before the first such character, and the rest.
fn split(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at_checked(text.find(is_end).unwrap_or(text.len())).unwrap_or((text, ""))
}

impl fmt::Display for Duration {
    /// As it was written, without units of which there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = UNITS.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        written.try_for_each(|((name, ..), count)| write!(f, "{count}{name}"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn micros(time: &str) -> i64 {
        time.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn before(duration: &str, time: &str) -> i64 {
        duration.parse::<Duration>().unwrap().before(micros(time))
    }

    #[test]
    fn minutes_are_not_months() {
        assert_eq!(before("60m", "2026-03-31T12:00:00Z"), micros("2026-03-31T11:00:00Z"));
        assert_eq!(before("2mo", "2026-03-31T12:00:00Z"), micros("2026-01-31T12:00:00Z"));
        assert!("60m".parse::<Duration>().unwrap().has_minutes());
        assert!(!"2mo3h".parse::<Duration>().unwrap().has_minutes());
    }

    #[test]
    fn every_unit_is_as_long_as_it_says() {
        let now = "2026-11-22T12:00:00.000001Z";
        for (duration, then) in [
            ("1s", "2026-11-22T11:59:59.000001Z"),
            ("90m", "2026-11-22T10:30:00.000001Z"),
            ("36h", "2026-11-21T00:00:00.000001Z"),
            ("90d", "2026-08-24T12:00:00.000001Z"),
            ("2w", "2026-11-08T12:00:00.000001Z"),
            ("1y6mo", "2025-05-22T12:00:00.000001Z"),
            ("18mo", "2025-05-22T12:00:00.000001Z"),
            ("1y1mo1w1d1h1m1s", "2025-10-14T10:58:59.000001Z"),
        ] {
            assert_eq!(before(duration, now), micros(then), "{duration}");
        }
    }

    #[test]
    fn a_month_ends_no_later_than_its_last_day() {
        assert_eq!(before("1mo", "2026-03-31T00:00:00Z"), micros("2026-02-28T00:00:00Z"));
        assert_eq!(before("1y", "2024-02-29T00:00:00Z"), micros("2023-02-28T00:00:00Z"));
        // Months first, then days: the other way round would give February 28, and January 28.
        assert_eq!(before("1mo1d", "2026-03-30T00:00:00Z"), micros("2026-02-27T00:00:00Z"));
        assert_eq!(before("1mo1d", "2026-03-01T00:00:00Z"), micros("2026-01-31T00:00:00Z"));
    }

    #[test]
    fn no_length_and_no_time_is_too_much() {
        let longest: Duration = "4294967295y4294967295mo4294967295w4294967295d".parse().unwrap();
        for time in [i64::MIN, -1, 0, micros("2026-11-22T12:00:00Z"), i64::MAX] {
            assert_eq!(longest.before(time), i64::MIN);
        }
        let weeks: Duration = "4294967295w".parse().unwrap();
        assert_eq!([weeks.before(0), weeks.before(i64::MAX)], [i64::MIN; 2]);
        let day: Duration = "1d".parse().unwrap();
        assert_eq!([day.before(i64::MIN), day.before(i64::MAX)], [i64::MIN, i64::MAX - DAY]);
        let month: Duration = "1mo".parse().unwrap();
        assert_eq!(month.before(i64::MIN), i64::MIN);
        assert_eq!(month.before(i64::MAX), month.before(Timestamp::MAX.as_microsecond()));
    }

    #[test]
    fn what_is_written_is_shown_again() {
        for text in ["90d", "12h", "2w", "1y6mo", "60m", "1y2mo3w4d5h6m7s"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
        assert_eq!("0y007d".parse::<Duration>().unwrap().to_string(), "7d");
    }

    #[test]
    fn what_could_mean_something_else_is_refused() {
        for (text, why) in [
            ("", "longer than nothing"),
            ("0d", "longer than nothing"),
            ("90", "a unit is missing"),
            ("1d12", "a unit is missing"),
            ("d", "a number is missing"),
            ("-90d", "a number is missing"),
            (" 90d", "a number is missing"),
            ("90 d", "no unit \" d\""),
            ("90D", "no unit \"D\""),
            ("6M", "no unit \"M\""),
            ("6months", "no unit \"months\""),
            ("1.5d", "no unit \".\""),
            ("1d1d", "each unit may stand once"),
            ("1h1d", "the larger before the smaller"),
            ("6m1y", "the larger before the smaller"),
            ("4294967296s", "too large"),
            ("٣d", "a number is missing"),
            ("1ä2d", "no unit \"ä\""),
        ] {
            let error = text.parse::<Duration>().unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
            assert!(error.is_request() && error.hint().is_some_and(|hint| hint.contains("mo (months)")), "{text}");
        }
    }
}
