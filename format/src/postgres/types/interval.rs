//! Intervals: months, days and microseconds to the text of `IntervalStyle = postgres`, and back.

use std::io::Write;

use super::{Checked, Wrong};
use crate::model::calendar::{self, SECOND};

const NO_INTERVAL: Wrong = Wrong("this is no interval");
const HOUR: i64 = 3_600 * SECOND;

/// An interval. The three parts are kept apart: a month has no fixed number of days, a day no fixed number of hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) micros: i64,
    pub(super) days: i32,
    pub(super) months: i32,
}

const INFINITY: Interval = Interval { micros: i64::MAX, days: i32::MAX, months: i32::MAX };
const MINUS_INFINITY: Interval = Interval { micros: i64::MIN, days: i32::MIN, months: i32::MIN };

impl Interval {
    /// From the 16 bytes of its binary form.
    pub(super) fn of(field: &[u8]) -> Checked<Self> {
        let (micros, rest) = field.split_first_chunk::<8>().ok_or(NO_INTERVAL)?;
        let (days, rest) = rest.split_first_chunk::<4>().ok_or(NO_INTERVAL)?;
        let months = rest.try_into().map_err(|_| NO_INTERVAL)?;
        Ok(Self {
            micros: i64::from_be_bytes(*micros),
            days: i32::from_be_bytes(*days),
            months: i32::from_be_bytes(months),
        })
    }

    /// Appends its binary form.
    pub(super) fn push(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.micros.to_be_bytes());
        out.extend_from_slice(&self.days.to_be_bytes());
        out.extend_from_slice(&self.months.to_be_bytes());
    }

    /// Appends it as the server prints it. (Servers before 17 know no infinite intervals and print those as very long ones.)
    pub(super) fn push_printed(self, text: &mut Vec<u8>) {
        match self {
            INFINITY => return text.extend_from_slice(b"infinity"),
            MINUS_INFINITY => return text.extend_from_slice(b"-infinity"),
            _ => {}
        }
        let start = text.len();
        let mut after_negative = false;
        let parts =
            [(self.months / 12, "year", "years"), (self.months % 12, "mon", "mons"), (self.days, "day", "days")];
        for (value, one, many) in parts.into_iter().filter(|(value, ..)| *value != 0) {
            let space = if text.len() > start { " " } else { "" };
            // What follows a negative part says that it is not one.
            let sign = if after_negative && value > 0 { "+" } else { "" };
            // Writing to a vector cannot fail.
            let _ = write!(text, "{space}{sign}{value} {}", if value == 1 { one } else { many });
            after_negative = value < 0;
        }
        if text.len() > start && self.micros == 0 {
            return;
        }
        let space = if text.len() > start { " " } else { "" };
        let sign = match (self.micros < 0, after_negative) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        let seconds = self.micros.unsigned_abs() / SECOND.unsigned_abs();
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let _ = write!(text, "{space}{sign}{hours:02}:{minutes:02}:{seconds:02}");
        calendar::push_fraction(text, self.micros % SECOND);
    }

    /// The interval that is printed so; other ways of writing it are refused.
    pub(super) fn parse(text: &[u8]) -> Checked<Self> {
        let interval = match text {
            b"infinity" => INFINITY,
            b"-infinity" => MINUS_INFINITY,
            _ => Self::of_parts(text).ok_or(NO_INTERVAL)?,
        };
        let mut printed = Vec::with_capacity(text.len());
        interval.push_printed(&mut printed);
        if printed == text { Ok(interval) } else { Err(NO_INTERVAL) }
    }

    /// What the words of a text say together, however they are arranged.
    fn of_parts(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let mut interval = Self { micros: 0, days: 0, months: 0 };
        let mut words = text.split(' ');
        while let Some(word) = words.next() {
            if word.contains(':') {
                interval.micros = micros_of(word)?;
                continue;
            }
            let value: i32 = word.parse().ok()?;
            match words.next()? {
                "year" | "years" => interval.months = interval.months.checked_add(value.checked_mul(12)?)?,
                "mon" | "mons" => interval.months = interval.months.checked_add(value)?,
                "day" | "days" => interval.days = value,
                _ => return None,
            }
        }
        Some(interval)
    }
}

/// The microseconds of `[+-]HH:MM:SS[.ffffff]`, of any number of hours.
fn micros_of(word: &str) -> Option<i64> {
    let (negative, word) = match word.strip_prefix('-') {
        Some(word) => (true, word),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let (hours, rest) = word.split_once(':')?;
    // The rest is a time of day after midnight.
    let of_hour = calendar::parse_time(format!("00:{rest}").as_bytes())?;
    let micros = hours.parse::<i64>().ok().map(|hours| i128::from(hours) * i128::from(HOUR) + i128::from(of_hour))?;
    i64::try_from(if negative { -micros } else { micros }).ok()
}
