//! Dates and times: PostgreSQL counts from 2000, cells from 1970.

use super::{Checked, Wrong};
use crate::model::calendar::{self, DAY};
use crate::model::{AFTER_ALL_TIMES, BEFORE_ALL_TIMES, Cell};

/// Days from 1970-01-01 to 2000-01-01.
const DAYS_TO_2000: i64 = 10_957;
/// Microseconds from 1970-01-01 to 2000-01-01.
const MICROS_TO_2000: i64 = DAYS_TO_2000 * DAY;
/// The text of the time after all others.
pub(super) const INFINITY: &[u8] = b"infinity";
const MINUS_INFINITY: &[u8] = b"-infinity";
/// How the server writes UTC behind a time.
pub(super) const UTC: &[u8] = b"+00";

const NO_DATE: Wrong = Wrong("this is no date");
const NO_TIME: Wrong = Wrong("this is no time of day");
const NO_TIMESTAMP: Wrong = Wrong("this is no timestamp");
const TOO_FAR: Wrong = Wrong("the time is further away than PostgreSQL's calendar reaches");

pub(super) fn date_cell(days: i32) -> Cell<'static> {
    match days {
        i32::MAX => AFTER_ALL_TIMES,
        i32::MIN => BEFORE_ALL_TIMES,
        days => Cell::Integer(i64::from(days) + DAYS_TO_2000),
    }
}

/// The days since 2000 of a cell of a date.
pub(super) fn date_of(cell: &Cell<'_>) -> Checked<i32> {
    match cell {
        Cell::Integer(i64::MIN) => Ok(i32::MIN),
        Cell::Integer(days) => {
            let days = days.checked_sub(DAYS_TO_2000).and_then(|days| i32::try_from(days).ok());
            days.filter(|days| !matches!(*days, i32::MIN | i32::MAX)).ok_or(TOO_FAR)
        }
        Cell::Text(text) => date_of_text(text),
        _ => Err(NO_DATE),
    }
}

/// The days since 2000 of a date as the server prints it.
pub(super) fn date_of_text(text: &[u8]) -> Checked<i32> {
    match text {
        INFINITY => Ok(i32::MAX),
        MINUS_INFINITY => Ok(i32::MIN),
        _ => date_of(&Cell::Integer(calendar::parse_date(text).ok_or(NO_DATE)?)),
    }
}

/// A timestamp of so many microseconds since 2000. Years that no cell of integers reaches are text, made in `scratch`.
pub(super) fn timestamp_cell<'s>(micros: i64, zone: &[u8], scratch: &'s mut Vec<u8>) -> Checked<Cell<'s>> {
    match micros {
        i64::MAX => return Ok(AFTER_ALL_TIMES),
        i64::MIN => return Ok(BEFORE_ALL_TIMES),
        _ => {}
    }
    if let Some(micros) = micros.checked_add(MICROS_TO_2000) {
        return Ok(Cell::Integer(micros));
    }
    scratch.clear();
    let since_1970 = i128::from(micros) + i128::from(MICROS_TO_2000);
    if calendar::push_timestamp(scratch, since_1970, b' ', zone) { Ok(Cell::Text(scratch)) } else { Err(NO_TIMESTAMP) }
}

/// The microseconds since 2000 of a cell of a timestamp.
pub(super) fn timestamp_of(cell: &Cell<'_>, zone: &[u8]) -> Checked<i64> {
    match cell {
        Cell::Integer(i64::MIN) => Ok(i64::MIN),
        Cell::Integer(micros) => micros.checked_sub(MICROS_TO_2000).filter(|micros| *micros != i64::MIN).ok_or(TOO_FAR),
        Cell::Text(text) => timestamp_of_text(text, zone),
        _ => Err(NO_TIMESTAMP),
    }
}

/// The microseconds since 2000 of a timestamp as the server prints it.
pub(super) fn timestamp_of_text(text: &[u8], zone: &[u8]) -> Checked<i64> {
    match text {
        INFINITY => return Ok(i64::MAX),
        MINUS_INFINITY => return Ok(i64::MIN),
        _ => {}
    }
    let micros = calendar::parse_timestamp(text, zone).ok_or(NO_TIMESTAMP)? - i128::from(MICROS_TO_2000);
    i64::try_from(micros).ok().filter(|micros| !matches!(*micros, i64::MIN | i64::MAX)).ok_or(TOO_FAR)
}

/// The microseconds of a time of day, if it is one.
pub(super) fn time_of(micros: i64) -> Checked<i64> {
    if (0..=DAY).contains(&micros) { Ok(micros) } else { Err(NO_TIME) }
}

/// The microseconds of a time of day as the server prints it.
pub(super) fn time_of_text(text: &[u8]) -> Checked<i64> {
    calendar::parse_time(text).ok_or(NO_TIME)
}

/// Appends a date as the server prints it.
pub(super) fn push_date(text: &mut Vec<u8>, days: i32) -> Checked<()> {
    match days {
        i32::MAX => text.extend_from_slice(INFINITY),
        i32::MIN => text.extend_from_slice(MINUS_INFINITY),
        days if calendar::push_date(text, i64::from(days) + DAYS_TO_2000) => {}
        _ => return Err(NO_DATE),
    }
    Ok(())
}

/// Appends a timestamp as the server prints it.
pub(super) fn push_timestamp(text: &mut Vec<u8>, micros: i64, zone: &[u8]) -> Checked<()> {
    let since_1970 = i128::from(micros) + i128::from(MICROS_TO_2000);
    match micros {
        i64::MAX => text.extend_from_slice(INFINITY),
        i64::MIN => text.extend_from_slice(MINUS_INFINITY),
        _ if calendar::push_timestamp(text, since_1970, b' ', zone) => {}
        _ => return Err(NO_TIMESTAMP),
    }
    Ok(())
}
