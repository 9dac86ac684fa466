//! Values of options: what a text means, or why it means nothing.

use std::num::NonZero;

use jiff::Timestamp;
use tabark::Error;
use tabark::archive::SnapshotSelector;
use tabark::history::duration::Duration;
use tabark::history::retention::{self, Count, TagRule};
use tabark::restore::RestoreMode;

/// `OLD=NEW`, the last `=` counts.
pub(super) fn parse_rename(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => Err("write OLD=NEW".to_owned()),
    }
}

pub(super) fn parse_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

pub(super) fn parse_expire(text: &str) -> Result<(String, Duration), String> {
    // An age has no equals sign; a column's name may.
    let (place, age) =
        text.rsplit_once('=').ok_or_else(|| "write TABLE.COLUMN=AGE, as in sessions.seen=60m".to_owned())?;
    Ok((place.to_owned(), age.parse().map_err(|error: Error| with_hint(&error))?))
}

pub(super) fn parse_jobs(text: &str) -> Result<NonZero<usize>, String> {
    let number = text.parse().ok().filter(|number: &NonZero<usize>| number.get() <= 1024);
    number.ok_or_else(|| "write a number from 1 to 1024".to_owned())
}

pub(super) fn parse_time(text: &str) -> Result<i64, String> {
    text.parse::<Timestamp>().map(Timestamp::as_microsecond).map_err(|error| error.to_string())
}

pub(super) fn parse_selector(text: &str) -> Result<SnapshotSelector, String> {
    text.parse().map_err(|error: Error| with_hint(&error))
}

pub(super) fn parse_mode(text: &str) -> Result<RestoreMode, String> {
    text.parse().map_err(|error: Error| with_hint(&error))
}

pub(super) fn parse_root(text: &str) -> Result<[u8; 32], String> {
    tabark::hex::decode_digest(text).ok_or_else(|| "a root is 64 hex digits".to_owned())
}

pub(super) fn parse_count(text: &str) -> Result<Count, String> {
    text.parse().map_err(|error: Error| with_hint(&error))
}

pub(super) fn parse_within(text: &str) -> Result<Duration, String> {
    retention::parse_within(text).map_err(|error| with_hint(&error))
}

pub(super) fn parse_tag_rule(text: &str) -> Result<TagRule, String> {
    text.parse().map_err(|error: Error| with_hint(&error))
}

/// clap has one line for what is wrong with a value.
fn with_hint(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
