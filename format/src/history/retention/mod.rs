//! Which snapshots are kept and which dropped: a pure function of the snapshots, the time now, and a policy.
//!
//! The rules have restic's names and meanings, with these differences. Periods are of the calendar in UTC, not of the zone
//! that a snapshot was made in. The oldest snapshot is not kept only because a rule could keep more than there are. A
//! snapshot dated in the future takes no place that another would have. The newest snapshot is kept if no rule keeps any.

mod period;
mod policy;
#[cfg(test)]
mod properties;

use std::cmp::Reverse;
use std::fmt;

pub use self::period::Period;
pub use self::policy::{Count, Policy, TagRule, parse_within};
use super::duration::Duration;
use crate::error::Result;

/// A snapshot, as far as a policy looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its number, which no other has.
    pub number: u64,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// Keys and values.
    pub tags: &'a [(String, String)],
}

/// What becomes of every snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// One for each candidate, in their order.
    pub decisions: Vec<Decision>,
    /// Rules about tags that no snapshot has: a misspelt one keeps nothing.
    pub unmatched_tags: Vec<TagRule>,
}

/// What becomes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The snapshot's number.
    pub number: u64,
    /// All reasons to keep it, in the order of a policy's rules; a snapshot without one is dropped.
    pub reasons: Vec<Reason>,
}

/// Why a snapshot is kept. `Display` gives it in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is among the newest so many.
    Last(Count),
    /// It is the newest in this period.
    NewestIn {
        /// The kind of period.
        period: Period,
        /// Its name, such as `2026-11-22`, `2026-W47` or `2026-11`.
        name: String,
    },
    /// It is at most this much older than the newest.
    Within(Duration),
    /// It has a tag.
    Tag(TagRule),
    /// It is dated after now: no rule looks at it.
    InFuture,
    /// No rule keeps any snapshot, and this is the newest.
    OnlyOneLeft,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last(count) => write!(f, "last {count}"),
            Self::NewestIn { period, name } => write!(f, "{period} {name}"),
            Self::Within(within) => write!(f, "within {within}"),
            Self::Tag(tag) => write!(f, "tag {tag}"),
            Self::InFuture => f.write_str("dated in the future"),
            Self::OnlyOneLeft => f.write_str("the only one left"),
        }
    }
}

impl Decision {
    /// Is the snapshot kept?
    pub fn keeps(&self) -> bool {
        !self.reasons.is_empty()
    }
}

impl Plan {
    /// Numbers of the snapshots that are kept, in the order of the candidates; of some, never none.
    pub fn kept(&self) -> Vec<u64> {
        self.decisions.iter().filter(|decision| decision.keeps()).map(|decision| decision.number).collect()
    }

    /// Numbers of the snapshots that are dropped, in the order of the candidates.
    pub fn dropped(&self) -> Vec<u64> {
        self.decisions.iter().filter(|decision| !decision.keeps()).map(|decision| decision.number).collect()
    }
}

/// Decides about every snapshot. `now` is in microseconds since 1970-01-01T00:00:00Z.
///
/// The newer of two snapshots is the one of the later time, of equal times the one of the higher number. Snapshots dated
/// after `now` are kept and count for no rule. Of the others at least one is kept: the newest, if no rule keeps any. To
/// plan again for what was kept, at the same time, drops nothing.
///
/// An empty policy is refused.
pub fn plan(snapshots: &[Candidate<'_>], now: i64, policy: &Policy) -> Result<Plan> {
    policy.check()?;
    let decide = |candidate: &Candidate<'_>| Decision { number: candidate.number, reasons: Vec::new() };
    let mut decisions: Vec<Decision> = snapshots.iter().map(decide).collect();
    let (mut newest_first, future): (Vec<_>, Vec<_>) =
        snapshots.iter().zip(&mut decisions).partition(|(candidate, _)| candidate.time <= now);
    for (_, decision) in future {
        decision.reasons.push(Reason::InFuture);
    }
    newest_first.sort_by_key(|(candidate, _)| Reverse((candidate.time, candidate.number)));

    keep_last(&mut newest_first, policy.last);
    for (period, count) in [
        (Period::Hourly, policy.hourly),
        (Period::Daily, policy.daily),
        (Period::Weekly, policy.weekly),
        (Period::Monthly, policy.monthly),
        (Period::Yearly, policy.yearly),
    ] {
        keep_periods(&mut newest_first, period, count);
    }
    keep_within(&mut newest_first, policy.within);
    for tag in &policy.tags {
        let tagged = newest_first.iter_mut().filter(|(candidate, _)| tag.matches(candidate.tags));
        tagged.for_each(|(_, decision)| decision.reasons.push(Reason::Tag(tag.clone())));
    }

    let none_is_kept = newest_first.iter().all(|(_, decision)| !decision.keeps());
    if none_is_kept && let Some((_, newest)) = newest_first.first_mut() {
        newest.reasons.push(Reason::OnlyOneLeft);
    }
    let is_unmatched = |tag: &&TagRule| !snapshots.iter().any(|candidate| tag.matches(candidate.tags));
    let unmatched_tags = policy.tags.iter().filter(is_unmatched).cloned().collect();
    Ok(Plan { decisions, unmatched_tags })
}

/// Snapshots that rules look at, newest first, with what was decided so far.
type NewestFirst<'a, 'c> = [(&'a Candidate<'c>, &'a mut Decision)];

fn keep_last(newest_first: &mut NewestFirst<'_, '_>, count: Count) {
    for (_, decision) in newest_first.iter_mut().take(count.most()) {
        decision.reasons.push(Reason::Last(count));
    }
}

/// Periods without a snapshot take no place: days on which nothing was dumped do not shorten what is kept.
fn keep_periods(newest_first: &mut NewestFirst<'_, '_>, period: Period, count: Count) {
    let mut kept = 0_usize;
    let mut last_name = None;
    for (candidate, decision) in newest_first {
        if kept >= count.most() {
            return;
        }
        let name = period.name_at(candidate.time);
        if last_name.as_ref() != Some(&name) {
            kept = kept.saturating_add(1);
            decision.reasons.push(Reason::NewestIn { period, name: name.clone() });
            last_name = Some(name);
        }
    }
}

fn keep_within(newest_first: &mut NewestFirst<'_, '_>, within: Option<Duration>) {
    let (Some(within), Some((newest, _))) = (within, newest_first.first()) else { return };
    let oldest_time = within.before(newest.time);
    for (_, decision) in newest_first.iter_mut().take_while(|(candidate, _)| candidate.time >= oldest_time) {
        decision.reasons.push(Reason::Within(within));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// Each snapshot has the number of its place from 1; what stands after a space are tags.
    fn planned(snapshots: &[&str], now: &str, policy: &Policy) -> Plan {
        let micros = |time: &str| time.parse::<Timestamp>().unwrap().as_microsecond();
        let parsed: Vec<(i64, Vec<(String, String)>)> = snapshots
            .iter()
            .map(|text| {
                let mut words = text.split(' ');
                let time = micros(words.next().unwrap());
                let pair =
                    |tag: &str| tag.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap();
                (time, words.map(pair).collect())
            })
            .collect();
        let candidates: Vec<Candidate<'_>> =
            (1..).zip(&parsed).map(|(number, (time, tags))| Candidate { number, time: *time, tags }).collect();
        plan(&candidates, micros(now), policy).unwrap()
    }

    /// The reasons for each snapshot, parted by commas.
    fn reasons(plan: &Plan) -> Vec<String> {
        let told = |decision: &Decision| decision.reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join(", ");
        plan.decisions.iter().map(told).collect()
    }

    const NOW: &str = "2026-11-23T12:00:00Z";

    #[test]
    fn every_reason_stands_beside_its_snapshot() {
        let policy = Policy {
            last: Count::Newest(1),
            hourly: Count::Newest(2),
            daily: Count::Newest(2),
            weekly: Count::Newest(2),
            monthly: Count::Newest(2),
            yearly: Count::Newest(2),
            within: Some("2d".parse().unwrap()),
            tags: vec!["deploy".parse().unwrap(), "stage=live".parse().unwrap()],
        };
        let snapshots = [
            "2024-12-30T10:00:00Z",
            "2025-06-01T10:00:00Z deploy=v1 stage=live",
            "2025-12-31T10:00:00Z",
            "2026-11-21T09:00:00Z",
            "2026-11-21T10:00:00Z stage=test",
            "2026-11-22T10:00:00Z",
            "2026-11-23T10:30:00Z",
            "2026-11-23T10:40:00Z",
            "2026-11-24T10:00:00Z deploy=v2",
        ];
        let expected = [
            "",
            "tag deploy, tag stage=live",
            "monthly 2025-12, yearly 2025",
            "",
            "",
            "hourly 2026-11-22T10, daily 2026-11-22, weekly 2026-W47, within 2d",
            "within 2d",
            "last 1, hourly 2026-11-23T10, daily 2026-11-23, weekly 2026-W48, monthly 2026-11, yearly 2026, within 2d",
            "dated in the future",
        ];
        let plan = planned(&snapshots, NOW, &policy);
        assert_eq!(reasons(&plan), expected);
        assert_eq!((plan.kept(), plan.dropped()), (vec![2, 3, 6, 7, 8, 9], vec![1, 4, 5]));
        assert_eq!(plan.unmatched_tags, []);
    }

    #[test]
    fn days_without_a_snapshot_take_no_place() {
        let sundays = ["2026-11-01T11:00:00Z", "2026-11-08T11:00:00Z", "2026-11-15T11:00:00Z", "2026-11-22T11:00:00Z"];
        let policy = Policy { daily: Count::Newest(3), ..Policy::default() };
        assert_eq!(planned(&sundays, NOW, &policy).dropped(), [1]);
        // A rule that could keep more than there are does not keep the oldest of an hour.
        let one_hour = ["2026-11-22T11:00:00Z", "2026-11-22T11:30:00Z"];
        let policy = Policy { hourly: Count::Newest(24), ..Policy::default() };
        assert_eq!(planned(&one_hour, NOW, &policy).dropped(), [1]);
    }

    #[test]
    fn unlimited_keeps_one_of_every_period() {
        let snapshots =
            ["1970-01-01T00:00:00Z", "1999-12-31T00:00:00Z", "1999-12-31T01:00:00Z", "2026-01-01T00:00:00Z"];
        let policy = Policy { yearly: Count::Unlimited, ..Policy::default() };
        assert_eq!(planned(&snapshots, NOW, &policy).kept(), [1, 3, 4]);
        let policy = Policy { last: Count::Unlimited, ..Policy::default() };
        assert_eq!(reasons(&planned(&snapshots, NOW, &policy)), ["last unlimited"; 4]);
    }

    #[test]
    fn of_equal_times_the_higher_number_is_newer() {
        let same = ["2026-11-22T11:00:00Z", "2026-11-22T11:00:00Z", "2026-11-21T11:00:00Z"];
        let policy = Policy { last: Count::Newest(1), ..Policy::default() };
        assert_eq!(planned(&same, NOW, &policy).kept(), [2]);
        let policy = Policy { daily: Count::Newest(9), ..Policy::default() };
        assert_eq!(planned(&same, NOW, &policy).kept(), [2, 3]);
    }

    #[test]
    fn the_future_takes_no_place_and_moves_no_end() {
        let policy = Policy { last: Count::Newest(1), within: Some("1d".parse().unwrap()), ..Policy::default() };
        let snapshots =
            ["2026-11-21T11:00:00Z", "2026-11-22T11:00:00Z", "2026-11-23T11:00:00Z", "2099-01-01T00:00:00Z"];
        assert_eq!(
            reasons(&planned(&snapshots, NOW, &policy)),
            ["", "within 1d", "last 1, within 1d", "dated in the future"]
        );
        // A clock that was never set drops nothing.
        assert_eq!(reasons(&planned(&snapshots, "1970-01-01T00:00:00Z", &policy)), ["dated in the future"; 4]);
        // The future is not what is left.
        let policy = Policy { tags: vec!["none".parse().unwrap()], ..Policy::default() };
        assert_eq!(planned(&snapshots, NOW, &policy).kept(), [3, 4]);
        // Now is not the future.
        assert_eq!(reasons(&planned(&[NOW], NOW, &policy)), ["the only one left"]);
    }

    #[test]
    fn within_ends_at_the_newest_snapshot_and_not_at_now() {
        let policy = Policy { within: Some("1mo".parse().unwrap()), ..Policy::default() };
        let snapshots = ["2020-02-28T23:59:59.999999Z", "2020-02-29T00:00:00Z", "2020-03-31T00:00:00Z"];
        assert_eq!(planned(&snapshots, NOW, &policy).kept(), [2, 3]);
    }

    #[test]
    fn something_is_always_left() {
        let policy = Policy { tags: vec!["relase".parse().unwrap()], ..Policy::default() };
        let snapshots = ["2026-11-22T00:00:00Z release=1", "2026-11-21T00:00:00Z"];
        let plan = planned(&snapshots, NOW, &policy);
        assert_eq!(reasons(&plan), ["the only one left", ""]);
        assert_eq!(plan.unmatched_tags, policy.tags);
        assert_eq!(planned(&[], NOW, &policy).decisions, []);
    }

    #[test]
    fn an_empty_policy_is_refused() {
        for policy in [Policy::default(), Policy { daily: Count::Newest(0), ..Policy::default() }] {
            let error = plan(&[], 0, &policy).unwrap_err();
            assert!(error.is_request() && error.hint().is_some_and(|hint| hint.contains("--keep-last 7")));
        }
    }
}
