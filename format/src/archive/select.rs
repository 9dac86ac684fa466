//! Choosing a snapshot by what a person says: `latest`, a number, a date, a tag, or the beginning of a root.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::snapshots::SnapshotSummary;
use crate::error::{Error, Result};

/// Which snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SnapshotSelector {
    /// The newest.
    #[default]
    Latest,
    /// The one with this number.
    Number(u64),
    /// Digits that may be a number or the beginning of a root: the snapshot with this number, or else the one whose root
    /// begins so. No number is written with zeros in front, so with them the root comes first.
    NumberOrRoot(String),
    /// The newest at or before this time, in microseconds since 1970-01-01T00:00:00Z.
    AtOrBefore(i64),
    /// The newest with this tag.
    Tag(String, String),
    /// The one whose root begins with these hex digits.
    Root(String),
}

/// Fewest hex digits of a root, so that a misspelt word is not taken for one.
const ROOT_DIGITS: usize = 4;

impl FromStr for SnapshotSelector {
    type Err = Error;

    /// `latest`, a number, `YYYY-MM-DD[THH:MM[:SS][Z]]` (UTC; a date means its end, a minute its last second), `tag:K=V`, or at
    /// least four hex digits that a root begins with.
    fn from_str(text: &str) -> Result<Self> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if let Some(tag) = text.strip_prefix("tag:") {
            return match tag.split_once('=') {
                Some((key, value)) if !key.is_empty() => Ok(Self::Tag(key.into(), value.into())),
                _ => Err(Error::request(format!("\"{text}\" is not a tag; write tag:KEY=VALUE"))),
            };
        }
        if let Some(time) = parse_time(text) {
            return Ok(Self::AtOrBefore(time));
        }
        let is_root = text.len() >= ROOT_DIGITS && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        match text.parse() {
            Ok(_) if is_root && text.len() < 64 => Ok(Self::NumberOrRoot(text.to_owned())),
            Ok(number) if !is_root => Ok(Self::Number(number)),
            _ if is_root => Ok(Self::Root(text.to_ascii_lowercase())),
            _ => Err(Error::request(format!("\"{text}\" names no snapshot")).with_hint(
                "write latest, a number, YYYY-MM-DD[THH:MM[:SS]], tag:KEY=VALUE, or the beginning of a root",
            )),
        }
    }
}

/// The last microsecond of the day, minute or second that the text names.
fn parse_time(text: &str) -> Option<i64> {
    // A time as `tabark list` prints it.
    let text = text.strip_suffix('Z').filter(|rest| rest.contains('T')).unwrap_or(text);
    let end = match text.len() {
        10 => text.parse::<Date>().ok()?.at(23, 59, 59, 999_999_000),
        16 => text.parse::<DateTime>().ok()?.with().second(59).subsec_nanosecond(999_999_000).build().ok()?,
        19 => text.parse::<DateTime>().ok()?.with().subsec_nanosecond(999_999_000).build().ok()?,
        _ => return None,
    };
    Some(end.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

impl SnapshotSelector {
    /// Picks from all snapshots, oldest first.
    pub(super) fn pick(&self, snapshots: &[SnapshotSummary]) -> Result<SnapshotSummary> {
        let newest = |fits: &dyn Fn(&&SnapshotSummary) -> bool| snapshots.iter().rev().find(fits).cloned();
        let (found, what) = match self {
            Self::Latest => (newest(&|_| true), "any snapshot".to_owned()),
            Self::Number(number) => (newest(&|snapshot| snapshot.number == *number), format!("snapshot {number}")),
            Self::NumberOrRoot(text) => {
                let numbered = newest(&|snapshot| text.parse() == Ok(snapshot.number));
                let found = match numbered {
                    Some(found) if !text.starts_with('0') => Some(found),
                    numbered => unique_root(snapshots, text)?.or(numbered),
                };
                (found, format!("snapshot {text}, nor one whose root begins so"))
            }
            Self::AtOrBefore(time) => (
                snapshots
                    .iter()
                    .rev()
                    .filter(|snapshot| snapshot.time <= *time)
                    .max_by_key(|s| (s.time, s.number))
                    .cloned(),
                "a snapshot at or before that time".to_owned(),
            ),
            Self::Tag(key, value) => (
                newest(&|snapshot| snapshot.tags.iter().any(|(k, v)| k == key && v == value)),
                format!("a snapshot with the tag {key}={value}"),
            ),
            Self::Root(prefix) => {
                (unique_root(snapshots, prefix)?, format!("a snapshot whose root begins with {prefix}"))
            }
        };
        found.ok_or_else(|| {
            Error::request(format!("the archive does not hold {what}"))
                .with_hint("`tabark list ARCHIVE` shows what it holds")
        })
    }
}

fn has_root_prefix(snapshot: &SnapshotSummary, prefix: &str) -> bool {
    crate::hex::encode(&snapshot.root()).starts_with(prefix)
}

/// The snapshot whose root begins so. Several are an error: which one is meant cannot be told.
fn unique_root(snapshots: &[SnapshotSummary], prefix: &str) -> Result<Option<SnapshotSummary>> {
    let matching: Vec<&SnapshotSummary> = snapshots.iter().filter(|s| has_root_prefix(s, prefix)).collect();
    match matching.as_slice() {
        [] => Ok(None),
        [found] => Ok(Some((*found).clone())),
        several => Err(Error::request(format!("{} snapshots have a root that begins with {prefix}", several.len()))
            .with_hint("write more digits of the root")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::container::Reference;

    fn snapshot(number: u64, time: i64, first_root_byte: u8) -> SnapshotSummary {
        SnapshotSummary {
            number,
            time,
            tags: vec![("deploy".into(), format!("v{}", number / 2))],
            tables: 0,
            rows: 0,
            bytes_added: 0,
            manifest: Reference { offset: 64, length: 104, digest: [first_root_byte; 32] },
        }
    }

    fn pick(text: &str) -> Result<u64> {
        let all = [snapshot(1, 0, 0xab), snapshot(2, 86_400_000_000, 0xab), snapshot(3, 2 * 86_400_000_000, 0x12)];
        text.parse::<SnapshotSelector>()?.pick(&all).map(|found| found.number)
    }

    #[test]
    fn all_forms_find_their_snapshot() {
        assert_eq!(pick("latest").unwrap(), 3);
        assert_eq!(pick("2").unwrap(), 2);
        assert_eq!(pick("1970-01-01").unwrap(), 1);
        assert_eq!(pick("1970-01-02").unwrap(), 2);
        assert_eq!(pick("1970-01-02T00:00").unwrap(), 2);
        assert_eq!(pick("1970-01-01T23:59:59").unwrap(), 1);
        assert_eq!(pick("1970-01-02T00:00:00Z").unwrap(), 2);
        assert_eq!(pick("tag:deploy=v1").unwrap(), 3);
        assert_eq!(pick("1212").unwrap(), 3);
        assert_eq!(pick("1212AB".get(..4).unwrap()).unwrap(), 3);
    }

    #[test]
    fn digits_are_a_number_or_the_beginning_of_a_root() {
        let all = [snapshot(49, 0, 0x11), snapshot(50, 0, 0x00), snapshot(2222, 0, 0x33), snapshot(3, 0, 0x22)];
        let pick = |text: &str| text.parse::<SnapshotSelector>()?.pick(&all).map(|found| found.number);
        assert_eq!(pick("49").unwrap(), 49);
        assert_eq!(pick("049").unwrap(), 49, "too short for a root");
        assert_eq!(pick("0049").unwrap(), 49, "no root begins so");
        assert_eq!(pick("0000").unwrap(), 50, "a root whose zeros count");
        assert_eq!(pick("2222").unwrap(), 2222, "the number before the root");
        assert_eq!(pick("22222").unwrap(), 3);
        assert_eq!(pick(&"3".repeat(40)).unwrap(), 2222, "more digits than a number has");
        assert_eq!(pick(&"0".repeat(64)).unwrap(), 50, "a whole root");
        assert_eq!("0".repeat(64).parse::<SnapshotSelector>().unwrap(), SnapshotSelector::Root("0".repeat(64)));
        let error = pick("00491").unwrap_err();
        assert!(error.is_request() && error.message().contains("00491"), "{error}");
        // Where zeros in front begin a root, they do not mean the number.
        let mut rooted = snapshot(7, 0, 0);
        rooted.manifest.digest[1] = 0x49;
        let all = [snapshot(49, 0, 0x11), rooted];
        assert_eq!("0049".parse::<SnapshotSelector>().unwrap().pick(&all).unwrap().number, 7);
        // Which of two roots is meant cannot be told, and the number is not put in their place.
        let all = [snapshot(1, 0, 0), snapshot(2, 0, 0)];
        assert!("0000".parse::<SnapshotSelector>().unwrap().pick(&all).is_err());
    }

    #[test]
    fn what_finds_nothing_says_so() {
        for text in ["9", "1969-12-31", "tag:deploy=x", "beef", "abab"] {
            assert!(pick(text).unwrap_err().is_request(), "{text}");
        }
        for text in ["yesterday", "tag:deploy", "tag:=1", "2026-13-01", "2026-01-01Z", "ab", ""] {
            assert!(text.parse::<SnapshotSelector>().is_err(), "{text}");
        }
    }
}
