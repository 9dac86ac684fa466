//! What is to be kept, as whoever prunes says it.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::history::duration::Duration;

/// Rules that keep snapshots. A snapshot is kept if any of them keeps it; without a rule nothing is decided, and
/// [`plan`](super::plan) refuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// The newest ones.
    pub last: Count,
    /// The newest of each of the newest hours that have one.
    pub hourly: Count,
    /// The newest of each of the newest days that have one.
    pub daily: Count,
    /// The newest of each of the newest weeks (ISO 8601, from Monday) that have one.
    pub weekly: Count,
    /// The newest of each of the newest months that have one.
    pub monthly: Count,
    /// The newest of each of the newest years that have one.
    pub yearly: Count,
    /// All that are at most this much older than the newest one. Not older than now: when dumps stop coming, what there is
    /// does not melt away.
    pub within: Option<Duration>,
    /// All that have any of these tags.
    pub tags: Vec<TagRule>,
}

impl Policy {
    /// Does it keep nothing, because it has no rule or only rules that keep none?
    pub fn is_empty(&self) -> bool {
        let counts = [self.last, self.hourly, self.daily, self.weekly, self.monthly, self.yearly];
        counts == [Count::default(); 6] && self.within.is_none() && self.tags.is_empty()
    }

    /// Refuses an empty policy.
    pub fn check(&self) -> Result<()> {
        if self.is_empty() {
            return Err(Error::request("no rule says what to keep")
                .with_hint("say what to keep, such as --keep-last 7, --keep-daily 30 or --keep-within 90d"));
        }
        Ok(())
    }
}

impl fmt::Display for Policy {
    /// The rules in one line, as in `the last 3, 7 daily, all within 90d of the newest, all tagged deploy`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rules = Vec::new();
        match self.last {
            Count::Newest(0) => {}
            Count::Newest(count) => rules.push(format!("the last {count}")),
            Count::Unlimited => rules.push("all".to_owned()),
        }
        for (count, period) in [
            (self.hourly, "hourly"),
            (self.daily, "daily"),
            (self.weekly, "weekly"),
            (self.monthly, "monthly"),
            (self.yearly, "yearly"),
        ] {
            match count {
                Count::Newest(0) => {}
                Count::Newest(count) => rules.push(format!("{count} {period}")),
                Count::Unlimited => rules.push(format!("all {period}")),
            }
        }
        rules.extend(self.within.map(|within| format!("all within {within} of the newest")));
        rules.extend(self.tags.iter().map(|tag| format!("all tagged {tag}")));
        f.write_str(&rules.join(", "))
    }
}

/// How many a rule keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// The newest so many; 0 is a rule that keeps none, as if it were not there.
    Newest(u32),
    /// All of them.
    Unlimited,
}

impl Default for Count {
    /// None.
    fn default() -> Self {
        Self::Newest(0)
    }
}

impl Count {
    /// The most that are kept.
    pub(super) fn most(self) -> usize {
        match self {
            Self::Newest(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Self::Unlimited => usize::MAX,
        }
    }
}

impl FromStr for Count {
    type Err = Error;

    /// A whole number, or `unlimited` (also `-1`, as restic takes it).
    fn from_str(text: &str) -> Result<Self> {
        if text == "unlimited" || text == "-1" {
            return Ok(Self::Unlimited);
        }
        let number = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.and_then(|number| number.parse().ok()).map(Self::Newest).ok_or_else(|| {
            Error::request(format!("\"{text}\" is not a number of snapshots"))
                .with_hint("write a whole number, or unlimited")
        })
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest(count) => write!(f, "{count}"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// A tag that keeps the snapshots that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRule {
    /// The tag's key, to the letter.
    pub key: String,
    /// The tag's value, to the letter; any value where absent.
    pub value: Option<String>,
}

impl TagRule {
    /// Is it among these tags?
    pub fn matches(&self, tags: &[(String, String)]) -> bool {
        tags.iter().any(|(key, value)| *key == self.key && self.value.as_ref().is_none_or(|wanted| wanted == value))
    }
}

impl FromStr for TagRule {
    type Err = Error;

    /// `KEY`, or `KEY=VALUE`; nothing in it is special but the first `=`.
    fn from_str(text: &str) -> Result<Self> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (text, None),
        };
        if key.is_empty() {
            return Err(Error::request(format!("\"{text}\" is not a tag")).with_hint("write KEY or KEY=VALUE"));
        }
        Ok(Self { key: key.to_owned(), value })
    }
}

impl fmt::Display for TagRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.key),
            None => f.write_str(&self.key),
        }
    }
}

/// Reads the duration of [`Policy::within`]. Minutes are refused: where restic reads `6m` as six months, six minutes would
/// throw half a year away.
pub fn parse_within(text: &str) -> Result<Duration> {
    let within: Duration = text.parse()?;
    if within.has_minutes() {
        return Err(Error::request(format!("\"{text}\" could mean minutes or months"))
            .with_hint("write mo for months, h for hours or s for seconds"));
    }
    Ok(within)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_numbers_or_unlimited() {
        assert_eq!("3".parse::<Count>().unwrap(), Count::Newest(3));
        assert_eq!("0".parse::<Count>().unwrap(), Count::default());
        assert_eq!(["unlimited", "-1"].map(|text| text.parse::<Count>().unwrap()), [Count::Unlimited; 2]);
        for text in ["", "-2", "+3", "3.0", "all", "Unlimited", "4294967296", " 3"] {
            let error = text.parse::<Count>().unwrap_err();
            assert!(error.is_request() && error.hint().is_some(), "{text}");
        }
    }

    #[test]
    fn tags_match_to_the_letter() {
        let tags = [("deploy".to_owned(), "v1=a,b".to_owned()), ("kept".to_owned(), String::new())];
        for (rule, expected) in [
            ("deploy", true),
            ("deploy=v1=a,b", true),
            ("deploy=v1", false),
            ("deploy=", false),
            ("kept=", true),
            ("Deploy", false),
            ("deploy,kept", false),
            ("v1", false),
        ] {
            let rule: TagRule = rule.parse().unwrap();
            assert_eq!(rule.matches(&tags), expected, "{rule}");
        }
        assert!("".parse::<TagRule>().is_err() && "=v1".parse::<TagRule>().is_err());
    }

    #[test]
    fn months_of_restic_are_not_taken_for_minutes() {
        let error = parse_within("6m").unwrap_err();
        assert!(error.is_request() && error.hint().is_some_and(|hint| hint.contains("mo for months")));
        assert!(parse_within("1d6m").is_err() && parse_within("90").is_err());
        assert_eq!(parse_within("6mo").unwrap().to_string(), "6mo");
    }

    #[test]
    fn a_policy_tells_its_rules() {
        let mut policy = Policy::default();
        assert!(policy.is_empty());
        policy.tags = vec!["deploy".parse().unwrap(), "stage=live".parse().unwrap()];
        assert!(!policy.is_empty());
        policy.last = Count::Newest(3);
        policy.daily = Count::Newest(7);
        policy.yearly = Count::Unlimited;
        policy.within = Some(parse_within("90d").unwrap());
        let told =
            "the last 3, 7 daily, all yearly, all within 90d of the newest, all tagged deploy, all tagged stage=live";
        assert_eq!(policy.to_string(), told);
    }
}
