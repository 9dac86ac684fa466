//! The periods of which one snapshot each is kept. All are of the calendar in UTC: which snapshots share one depends neither on
//! where nor on when somebody asks.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A kind of period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// From one full hour to the next.
    Hourly,
    /// From midnight to midnight.
    Daily,
    /// From Monday to Sunday, numbered as ISO 8601 does: the days around New Year may be in a week of the other year.
    Weekly,
    /// From the first to the last day.
    Monthly,
    /// From January to December.
    Yearly,
}

impl Period {
    /// The name of the period of this kind that has this time (microseconds since 1970-01-01T00:00:00Z) in it, such as
    /// `2026-W48`. A time outside the years -9999 to 9999 is in their first or last period.
    pub(super) fn name_at(self, time: i64) -> String {
        let nearest = if time < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let time = TimeZone::UTC.to_datetime(Timestamp::from_microsecond(time).unwrap_or(nearest));
        let date = time.date();
        match self {
            Self::Hourly => format!("{date}T{:02}", time.hour()),
            Self::Daily => date.to_string(),
            Self::Weekly => {
                let week = date.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Monthly => format!("{:04}-{:02}", date.year(), date.month()),
            Self::Yearly => format!("{:04}", date.year()),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn names(time: &str) -> [String; 5] {
        let time = time.parse::<Timestamp>().unwrap().as_microsecond();
        [Period::Hourly, Period::Daily, Period::Weekly, Period::Monthly, Period::Yearly].map(|p| p.name_at(time))
    }

    #[test]
    fn names_are_those_of_the_calendar_in_utc() {
        let expected = ["2026-11-22T23", "2026-11-22", "2026-W47", "2026-11", "2026"];
        assert_eq!(names("2026-11-22T23:59:59.999999Z"), expected);
        assert_eq!(names("2026-11-23T02:59:59+03:00"), expected);
        assert_eq!(names("2026-11-23T00:00:00Z"), ["2026-11-23T00", "2026-11-23", "2026-W48", "2026-11", "2026"]);
    }

    #[test]
    fn weeks_cross_new_year() {
        assert_eq!(names("2024-12-30T00:00:00Z")[2], "2025-W01");
        assert_eq!(names("2027-01-03T23:00:00Z")[2], "2026-W53");
        assert_eq!(names("2027-01-04T00:00:00Z")[2], "2027-W01");
    }

    #[test]
    fn every_time_has_a_period() {
        assert_eq!(Period::Yearly.name_at(i64::MIN), "-9999");
        assert_eq!(Period::Yearly.name_at(i64::MAX), "9999");
        assert_eq!(Period::Daily.name_at(-1), "1969-12-31");
    }
}
