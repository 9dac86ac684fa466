//! Properties of plans, and a second opinion that was written from the rules alone.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// A number, a time and tags.
type Snapshot = (u64, i64, Vec<(String, String)>);

const HOUR: i64 = 3_600_000_000;
/// 2024-12-31T18:00:00Z, in a week that belongs to the next year.
const NOW: i64 = 1_735_668_000_000_000;

/// Near enough to now that periods are shared, and equal times happen.
fn snapshots() -> impl Strategy<Value = Vec<Snapshot>> {
    let far = prop_oneof![4 => -80_i64..3, 4 => -2_000_i64..0, 3 => -60_000_i64..0];
    let time = prop_oneof![
        20 => (far, prop_oneof![Just(0_i64), -HOUR..HOUR]).prop_map(|(hours, micros)| NOW + hours * HOUR + micros),
        1 => any::<i64>(),
    ];
    let tags = proptest::sample::subsequence(vec![("deploy", "v1"), ("kept", ""), ("stage", "live")], 0..=3);
    proptest::collection::vec((time, tags), 0..40).prop_map(|snapshots| {
        let owned = |tags: Vec<(&str, &str)>| tags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        (1..).zip(snapshots).map(|(number, (time, tags))| (number * 3, time, owned(tags))).collect()
    })
}

fn count() -> impl Strategy<Value = Count> {
    prop_oneof![5 => Just(Count::Newest(0)), 4 => (1_u32..6).prop_map(Count::Newest), 1 => Just(Count::Unlimited)]
}

fn policy() -> impl Strategy<Value = Policy> {
    let within = proptest::option::weighted(0.3, (1_u32..2_000).prop_map(|hours| format!("{hours}h").parse().unwrap()));
    let rules = vec!["deploy", "deploy=v2", "kept=", "stage=live", "nowhere"];
    let tags = proptest::sample::subsequence(rules, 0..3);
    let tags = tags.prop_map(|tags| tags.into_iter().map(|tag| tag.parse().unwrap()).collect());
    (count(), count(), count(), count(), count(), count(), within, prop_oneof![Just(Vec::new()), tags])
        .prop_map(|(last, hourly, daily, weekly, monthly, yearly, within, tags)| Policy {
            last,
            hourly,
            daily,
            weekly,
            monthly,
            yearly,
            within,
            tags,
        })
        .prop_filter("an empty policy is refused", |policy| !policy.is_empty())
}

fn planned(snapshots: &[Snapshot], policy: &Policy) -> Plan {
    let candidates: Vec<Candidate<'_>> =
        snapshots.iter().map(|(number, time, tags)| Candidate { number: *number, time: *time, tags }).collect();
    plan(&candidates, NOW, policy).unwrap()
}

/// Which numbers are kept: every rule by itself, by sorting and grouping all there is.
fn kept_by_the_book(snapshots: &[Snapshot], policy: &Policy) -> BTreeSet<u64> {
    let mut past: Vec<&Snapshot> = snapshots.iter().filter(|snapshot| snapshot.1 <= NOW).collect();
    past.sort_by_key(|snapshot| (snapshot.1, snapshot.0));
    let at_most = |count: Count| match count {
        Count::Newest(count) => usize::try_from(count).unwrap(),
        Count::Unlimited => usize::MAX,
    };
    let mut kept: BTreeSet<u64> = past.iter().rev().take(at_most(policy.last)).map(|snapshot| snapshot.0).collect();
    for (count, format) in [
        (policy.hourly, "%Y-%m-%d %H"),
        (policy.daily, "%Y-%m-%d"),
        (policy.weekly, "%G-%V"),
        (policy.monthly, "%Y-%m"),
        (policy.yearly, "%Y"),
    ] {
        let mut groups: BTreeMap<String, (i64, u64)> = BTreeMap::new();
        for (number, time, _) in &past {
            let in_calendar = Timestamp::from_microsecond(*time).unwrap_or(Timestamp::MIN);
            let newest = groups.entry(in_calendar.strftime(format).to_string()).or_insert((*time, *number));
            *newest = (*newest).max((*time, *number));
        }
        let mut newest_of_groups: Vec<(i64, u64)> = groups.into_values().collect();
        newest_of_groups.sort_unstable();
        kept.extend(newest_of_groups.iter().rev().take(at_most(count)).map(|(_, number)| number));
    }
    if let (Some(within), Some((_, newest, _))) = (policy.within, past.last()) {
        let hours: i128 = within.to_string().trim_end_matches('h').parse().unwrap();
        let young = |time: i64| i128::from(*newest) - i128::from(time) <= hours * i128::from(HOUR);
        kept.extend(past.iter().filter(|(_, time, _)| young(*time)).map(|(number, ..)| number));
    }
    for rule in policy.tags.iter().map(TagRule::to_string) {
        let has = |(key, value): &(String, String)| rule == *key || rule == format!("{key}={value}");
        kept.extend(past.iter().filter(|(.., tags)| tags.iter().any(has)).map(|(number, ..)| number));
    }
    if kept.is_empty() {
        kept.extend(past.last().map(|snapshot| snapshot.0));
    }
    kept.extend(snapshots.iter().filter(|snapshot| snapshot.1 > NOW).map(|snapshot| snapshot.0));
    kept
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_what_the_rules_say_one_by_one(snapshots in snapshots(), policy in policy()) {
        let plan = planned(&snapshots, &policy);
        let kept: BTreeSet<u64> = plan.kept().into_iter().collect();
        prop_assert_eq!(&kept, &kept_by_the_book(&snapshots, &policy));
        prop_assert_eq!(plan.decisions.len(), snapshots.len());
        prop_assert_eq!(plan.kept().len() + plan.dropped().len(), snapshots.len());
        prop_assert!(snapshots.is_empty() || !kept.is_empty());
    }

    #[test]
    fn order_does_not_matter(snapshots in snapshots(), policy in policy()) {
        let reversed: Vec<Snapshot> = snapshots.iter().rev().cloned().collect();
        let mut plan = planned(&reversed, &policy);
        plan.decisions.reverse();
        prop_assert_eq!(plan, planned(&snapshots, &policy));
    }

    #[test]
    fn to_plan_again_drops_nothing(snapshots in snapshots(), policy in policy()) {
        let first = planned(&snapshots, &policy);
        let kept = first.kept();
        let left: Vec<Snapshot> = snapshots.into_iter().filter(|snapshot| kept.contains(&snapshot.0)).collect();
        let again = planned(&left, &policy);
        let decisions: Vec<Decision> = first.decisions.into_iter().filter(Decision::keeps).collect();
        prop_assert_eq!(again.decisions, decisions);
    }

    /// Only what was left over by rules that kept nothing may go once a rule keeps something.
    #[test]
    fn one_more_rule_drops_no_more(snapshots in snapshots(), policy in policy(), more in policy()) {
        let larger = |a: Count, b: Count| match (a, b) {
            (Count::Newest(a), Count::Newest(b)) => Count::Newest(a.max(b)),
            _ => Count::Unlimited,
        };
        let both = Policy {
            last: larger(policy.last, more.last),
            hourly: larger(policy.hourly, more.hourly),
            daily: larger(policy.daily, more.daily),
            weekly: larger(policy.weekly, more.weekly),
            monthly: larger(policy.monthly, more.monthly),
            yearly: larger(policy.yearly, more.yearly),
            within: policy.within.or(more.within),
            tags: policy.tags.iter().chain(&more.tags).cloned().collect(),
        };
        let kept_by_rules = |policy: &Policy| -> BTreeSet<u64> {
            let mut decisions = planned(&snapshots, policy).decisions;
            decisions.retain(|decision| decision.keeps() && decision.reasons != [Reason::OnlyOneLeft]);
            decisions.into_iter().map(|decision| decision.number).collect()
        };
        prop_assert!(kept_by_rules(&both).is_superset(&kept_by_rules(&policy)));
    }
}
