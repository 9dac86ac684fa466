//! Tables of several row groups: rows that go and come where row groups begin and end.

use std::collections::{BTreeMap, BTreeSet};

use tabark::archive::SnapshotSelector;
use tabark::diff::{ChangeKind, RowMatching};
use tabark::model::{TableSchema, Value};

use super::tables::{key_part, schema};
use super::{Change, archive_of, int, table, table_differences};

const ROWS: i64 = 300_000;

fn plain(collation: &str) -> TableSchema {
    let mut schema = schema("t", &["id", "v", "constant"], &[]);
    schema.key = vec![key_part(0, false, collation)];
    schema
}

fn rows(values: impl Iterator<Item = (i64, i64)>) -> Vec<Vec<Value>> {
    values.map(|(id, value)| vec![int(id), int(value), Value::Null]).collect()
}

/// First and last keys of the row groups of all rows.
fn edges() -> Vec<(i64, i64)> {
    let all = table(&plain("BINARY"), rows((0..ROWS).map(|id| (id, id))));
    let archive = archive_of(&[all], &[]);
    let snapshot = archive.select(&SnapshotSelector::Number(1)).unwrap();
    let key = |bounds: &[tabark::model::Bound]| match bounds[0].value {
        Value::Integer(id) => id,
        _ => unreachable_key(),
    };
    let table = snapshot.table("t").unwrap();
    let groups = table.groups().map(|place| place.unwrap().entry);
    groups.map(|entry| (key(&entry.first_key), key(&entry.last_key))).collect()
}

fn unreachable_key() -> i64 {
    assert_eq!("a key", "an integer");
    0
}

/// Lays all rows beside the rows after some events, and compares what is told with what happened.
fn check(deleted: &BTreeSet<i64>, added: &BTreeSet<i64>, updated: &BTreeSet<i64>, collation: &str) {
    let before = rows((0..ROWS).map(|id| (id, id)));
    let kept = (0..ROWS).filter(|id| !deleted.contains(id));
    let mut after: BTreeMap<i64, i64> = kept.map(|id| (id, if updated.contains(&id) { -1 } else { id })).collect();
    after.extend(added.iter().map(|id| (*id, 0)));
    let schema = plain(collation);
    let (told, changes) = table_differences(table(&schema, before), table(&schema, rows(after.into_iter())));
    let of = |kind: ChangeKind| -> BTreeSet<i64> {
        let key = |change: &Change| match change.key[0].1 {
            Value::Integer(id) => id,
            _ => unreachable_key(),
        };
        changes.iter().filter(|change| change.kind == kind).map(key).collect()
    };
    let still: BTreeSet<i64> = updated.difference(deleted).copied().collect();
    for (kind, wanted) in [(ChangeKind::Removed, deleted), (ChangeKind::Added, added), (ChangeKind::Changed, &still)] {
        let found = of(kind);
        let odd: Vec<_> = found.symmetric_difference(wanted).take(9).collect();
        assert!(odd.is_empty(), "{collation} {kind:?}: {} for {} rows, {odd:?} …", found.len(), wanted.len());
    }
    let columns = if still.is_empty() { vec![] } else { vec![("v".to_owned(), still.len() as u64)] };
    assert_eq!(told.rows.columns, columns);
}

#[test]
fn rows_at_the_edges_of_row_groups() {
    let edges = edges();
    assert!(edges.len() >= 3, "{edges:?}");
    let none = BTreeSet::new();
    let ids = |ids: &[i64]| -> BTreeSet<i64> { ids.iter().copied().collect() };
    for collation in ["BINARY", "ELSEWHERE"] {
        let (first, last) = edges[1];
        // The first row of a row group joins it to the one before; the last one stands before the next one's first.
        check(&ids(&[first]), &none, &ids(&[first + 1]), collation);
        check(&ids(&[last]), &none, &none, collation);
        check(&ids(&[last, last + 1]), &none, &ids(&[last - 1, last + 2]), collation);
        check(&(first..=last).collect(), &none, &ids(&[0, ROWS - 1]), collation);
        check(&none, &(ROWS..ROWS + 70_000).collect(), &none, collation);
        check(&none, &(-70_000..0).collect(), &none, collation);
        check(&(0..edges[0].1 + 1).collect(), &none, &ids(&[ROWS - 1]), collation);
    }
}

#[test]
fn rows_all_over() {
    let every = |step: usize, from: i64| -> BTreeSet<i64> { (from..ROWS).step_by(step).collect() };
    check(&every(3, 0), &BTreeSet::new(), &every(50, 1), "BINARY");
    check(&every(997, 5), &(ROWS..ROWS + 9).collect(), &every(30_011, 0), "BINARY");
    check(&(0..ROWS).collect(), &(ROWS..2 * ROWS).collect(), &BTreeSet::new(), "BINARY");
}

#[test]
fn everything_is_replaced_by_rows_in_between() {
    let schema = plain("BINARY");
    let even = rows((0..ROWS / 2).map(|id| (2 * id, 1)));
    let odd = rows((0..ROWS / 2).map(|id| (2 * id + 1, 1)));
    let (told, changes) = table_differences(table(&schema, even), table(&schema, odd));
    assert_eq!((told.rows.added, told.rows.removed, told.rows.changed), (150_000, 150_000, 0));
    let keys = changes.iter().map(|change| match change.key[0].1 {
        Value::Integer(id) => id,
        _ => unreachable_key(),
    });
    assert!(keys.eq(0..ROWS), "rows that went and came stand in the order of their keys");
}

#[test]
fn many_rows_without_a_key() {
    let schema = schema("t", &["v", "w"], &[]);
    let row = |id: i64| vec![int(id % 100_003), int(id % 7)];
    let before: Vec<Vec<Value>> = (0..ROWS).map(row).collect();
    let mut after = before.clone();
    after.remove(150_000);
    after.insert(20, vec![int(-1), int(-1)]);
    after.push(row(3));
    let (told, changes) = table_differences(table(&schema, before.clone()), table(&schema, after));
    assert_eq!(told.matching, RowMatching::ByContent);
    assert_eq!((told.rows.added, told.rows.removed, told.reordered), (2, 1, false));
    assert_eq!(changes.len(), 3);
    let mut reversed = before.clone();
    reversed.reverse();
    let (told, _) = table_differences(table(&schema, before), table(&schema, reversed));
    assert!(told.rows.is_empty() && told.reordered);
}
