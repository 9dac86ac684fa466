//! Rules by which rows are left out of a table, for people and for programs.

use serde_json::{Map, Value as Json, json};
use tabark::model::{Expire, Filter};

use super::json::put_time;
use super::text::visible;
use super::units::{counted, time};

/// Units of ages: microseconds and name.
const UNITS: [(u64, &str); 4] = [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s")];

/// Which rows are there, as in `only rows where a > 1; without rows …`.
pub(crate) fn described(filters: &[Filter]) -> String {
    let rules: Vec<String> = filters.iter().map(rule).collect();
    rules.join("; ")
}

fn rule(filter: &Filter) -> String {
    match filter {
        Filter::Where { expression } => format!("only rows where {}", visible(expression)),
        Filter::Expire(rule) => expired(rule),
    }
}

/// Which rows are not there.
pub(crate) fn expired(rule: &Expire) -> String {
    let Expire { column, age: micros, instant } = rule;
    format!("without rows whose {} is more than {} before {}", visible(column), age(*micros), time(*instant))
}

/// How many rows were left out, and how many could not be judged.
pub(crate) fn counts(expired: u64, without_time: u64) -> String {
    let left_out = format!("{} too old and left out", counted(expired, "row"));
    match without_time {
        0 => left_out,
        kept => format!("{left_out}, {} kept for want of a time", counted(kept, "row")),
    }
}

/// In the largest unit that gives a whole number.
fn age(micros: u64) -> String {
    match UNITS.iter().find(|(unit, _)| micros.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", micros / unit),
        None => format!("{micros} µs"),
    }
}

/// All rules of a table.
pub(crate) fn objects(filters: &[Filter]) -> Json {
    let object = |filter: &Filter| match filter {
        Filter::Where { expression } => json!({ "kind": "where", "expression": expression }),
        Filter::Expire(rule) => expire_object(rule),
    };
    filters.iter().map(object).collect()
}

/// The rules of a restore.
pub(crate) fn expire_objects(rules: &[Expire]) -> Json {
    rules.iter().map(expire_object).collect()
}

fn expire_object(rule: &Expire) -> Json {
    let mut object = Map::new();
    object.insert("kind".into(), json!("expire"));
    object.insert("column".into(), json!(rule.column));
    object.insert("age_micros".into(), json!(rule.age));
    put_time(&mut object, rule.instant);
    Json::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_largest_whole_unit() {
        let ages = [3_600_000_000, 90 * 60_000_000, 2 * 86_400_000_000, 1_000_000, 1_500_000].map(age);
        assert_eq!(ages, ["1h", "90m", "2d", "1s", "1500000 µs"]);
    }

    #[test]
    fn rules_are_told_on_one_line_without_control_characters() {
        let filters = [
            Filter::Where { expression: "a = '\u{1b}\n'".into() },
            Filter::Expire(Expire { column: "made".into(), age: 60_000_000, instant: 0 }),
        ];
        let told =
            "only rows where a = '\\u{1b}\\n'; without rows whose made is more than 1m before 1970-01-01T00:00:00Z";
        assert_eq!(described(&filters), told);
        assert_eq!(counts(1, 0), "1 row too old and left out");
        assert_eq!(counts(0, 2), "0 rows too old and left out, 2 rows kept for want of a time");
    }
}
