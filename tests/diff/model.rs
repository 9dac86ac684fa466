//! Random states of tables, against maps by key.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tabark::diff::{ChangeKind, RowMatching};
use tabark::model::{TableSchema, Value};

use super::tables::{key_part, schema};
use super::{Change, int, table, table_differences, text};

/// Rows by name of column: what a state is, whatever the order of its columns.
type Row = BTreeMap<String, String>;

fn shown(value: &Value) -> String {
    match value {
        Value::Real(value) => format!("real {:x}", value.to_bits()),
        other => format!("{other:?}"),
    }
}

fn row_of(schema: &TableSchema, row: &[Value]) -> Row {
    schema.columns.iter().zip(row).map(|(column, value)| (column.name.clone(), shown(value))).collect()
}

fn of_pairs(pairs: &[(String, Value)]) -> Row {
    pairs.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
}

fn by_key(schema: &TableSchema, rows: &[Vec<Value>]) -> BTreeMap<Vec<String>, Row> {
    let key = |row: &[Value]| schema.key.iter().map(|part| shown(&row[part.column as usize])).collect();
    rows.iter().map(|row| (key(row), row_of(schema, row))).collect()
}

/// What a careful person would say differs: counts, and rows by columns.
fn expected(
    before: &BTreeMap<Vec<String>, Row>,
    after: &BTreeMap<Vec<String>, Row>,
) -> (u64, u64, BTreeMap<Vec<String>, (Row, Row)>) {
    let added = after.keys().filter(|key| !before.contains_key(*key)).count() as u64;
    let removed = before.keys().filter(|key| !after.contains_key(*key)).count() as u64;
    let mut changed = BTreeMap::new();
    for (key, new) in after {
        let Some(old) = before.get(key) else { continue };
        let differing = |(name, value): &(&String, &String)| new.get(*name).is_some_and(|other| other != *value);
        let names: Vec<&String> = old.iter().filter(differing).map(|(name, _)| name).collect();
        if !names.is_empty() {
            let part = |row: &Row| names.iter().map(|name| ((*name).clone(), row[*name].clone())).collect();
            changed.insert(key.clone(), (part(old), part(new)));
        }
    }
    (added, removed, changed)
}

/// Compares what is told of two states of a table with a key with what the model says.
fn check(old: &TableSchema, old_rows: Vec<Vec<Value>>, new: &TableSchema, new_rows: Vec<Vec<Value>>) -> Vec<Change> {
    let (before, after) = (by_key(old, &old_rows), by_key(new, &new_rows));
    let (added, removed, changed) = expected(&before, &after);
    let (told, rows) = table_differences(table(old, old_rows), table(new, new_rows));
    assert_eq!(told.matching, RowMatching::ByKey);
    assert_eq!((told.rows.added, told.rows.removed), (added, removed));
    assert_eq!(told.rows.changed, changed.len() as u64);
    let mut by_column: BTreeMap<String, u64> = BTreeMap::new();
    for name in changed.values().flat_map(|(old, _)| old.keys()) {
        *by_column.entry(name.clone()).or_default() += 1;
    }
    assert_eq!(told.rows.columns.iter().cloned().collect::<BTreeMap<_, _>>(), by_column);
    for change in &rows {
        let key: Vec<String> = change.key.iter().map(|(_, value)| shown(value)).collect();
        match change.kind {
            ChangeKind::Added => {
                assert_eq!((&of_pairs(&change.after), change.before.len()), (&after[&key], 0));
                assert!(!before.contains_key(&key));
            }
            ChangeKind::Removed => {
                assert_eq!((&of_pairs(&change.before), change.after.len()), (&before[&key], 0));
                assert!(!after.contains_key(&key));
            }
            ChangeKind::Changed => {
                assert_eq!((of_pairs(&change.before), of_pairs(&change.after)), changed[&key]);
            }
        }
    }
    rows
}

fn cell() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (0_i64..3).prop_map(Value::Integer),
        1 => Just(Value::Null),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(1.0)].prop_map(Value::Real),
        1 => prop_oneof![Just("1"), Just("")].prop_map(text),
        1 => prop_oneof![Just("1"), Just("")].prop_map(|value| Value::Bytes(value.into())),
    ]
}

fn states() -> impl Strategy<Value = BTreeMap<i64, (Value, Value, Value)>> {
    btree_map(0_i64..24, (cell(), cell(), cell()), 0..20)
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(300))]

    /// Of columns that come, go and change places too.
    #[test]
    fn two_states_of_a_table_with_a_key(before in states(), after in states(), shape in 0_u8..4, descending: bool) {
        let rows = |state: &BTreeMap<i64, (Value, Value, Value)>, columns: &[&str]| -> Vec<Vec<Value>> {
            let row = |(id, (a, b, c)): (&i64, &(Value, Value, Value))| {
                let cell = |name: &&str| match *name { "id" => int(*id), "a" => a.clone(), "b" => b.clone(), _ => c.clone() };
                columns.iter().map(cell).collect::<Vec<Value>>()
            };
            let mut rows: Vec<_> = state.iter().map(row).collect();
            if descending {
                rows.reverse();
            }
            rows
        };
        let of = |columns: &[&str]| {
            let key = columns.iter().position(|name| *name == "id").unwrap();
            let mut schema = schema("t", columns, &[]);
            schema.key = vec![key_part(u32::try_from(key).unwrap(), descending, "BINARY")];
            schema
        };
        let columns: &[&str] = [&["id", "a", "b"][..], &["id", "b"], &["b", "id", "c", "a"], &["id", "c"]][usize::from(shape)];
        let changes = check(&of(&["id", "a", "b"]), rows(&before, &["id", "a", "b"]), &of(columns), rows(&after, columns));
        let keys: Vec<i64> = changes.iter().map(|change| match change.key[0].1 { Value::Integer(id) => id, _ => 0 }).collect();
        prop_assert!(keys.is_sorted_by(|a, b| if descending { a > b } else { a < b }), "{:?}", keys);
    }

    /// Rows that nothing tells apart are counted, whatever their order.
    #[test]
    fn two_states_of_a_table_without_a_key(
        before in vec((cell(), cell()), 0..20),
        after in vec((cell(), cell()), 0..20),
        has_key in 0_u8..3,
    ) {
        let of = |with_key| schema("t", &["a", "b"], if with_key { &[0] } else { &[] });
        // A key that is another one is as good as none.
        let (old, new) = (of(has_key == 1), of(has_key == 2));
        let rows = |state: &[(Value, Value)]| state.iter().map(|(a, b)| vec![a.clone(), b.clone()]).collect::<Vec<_>>();
        let (told, changes) = table_differences(table(&old, rows(&before)), table(&new, rows(&after)));
        let wanted = if has_key == 0 { RowMatching::ByContent } else { RowMatching::KeyChanged };
        prop_assert_eq!(told.matching, wanted);
        let mut more: BTreeMap<Row, i64> = BTreeMap::new();
        for row in rows(&after) {
            *more.entry(row_of(&new, &row)).or_default() += 1;
        }
        for row in rows(&before) {
            *more.entry(row_of(&old, &row)).or_default() -= 1;
        }
        let same_rows = more.values().all(|more| *more == 0);
        for change in &changes {
            prop_assert!(change.key.is_empty());
            let (row, one) = match change.kind {
                ChangeKind::Added => (&change.after, 1),
                _ => (&change.before, -1),
            };
            *more.entry(of_pairs(row)).or_default() -= one;
        }
        prop_assert!(more.values().all(|more| *more == 0), "{:?}", more);
        prop_assert_eq!(told.rows.changed, 0);
        let in_order = rows(&before).iter().map(|row| row_of(&old, row)).eq(rows(&after).iter().map(|row| row_of(&new, row)));
        prop_assert_eq!(told.reordered, same_rows && !in_order);
    }

    /// Keys of two columns, one of them a text that a collation orders.
    #[test]
    fn keys_of_a_collation(before in btree_map(("[a-c]{0,2}", 0_i64..3), (cell(), any::<bool>()), 0..20),
                           after in btree_map(("[a-c]{0,2}", 0_i64..3), (cell(), any::<bool>()), 0..20),
                           unknown: bool) {
        let collation = if unknown { "ELSEWHERE" } else { "NOCASE" };
        let mut schema = schema("t", &["v", "n", "name"], &[]);
        schema.key = vec![key_part(2, false, collation), key_part(1, false, "BINARY")];
        let rows = |state: &BTreeMap<(String, i64), (Value, bool)>| -> Vec<Vec<Value>> {
            let row = |((name, n), (value, upper)): (&(String, i64), &(Value, bool))| {
                let name = if *upper { name.to_uppercase() } else { name.clone() };
                vec![value.clone(), int(*n), text(&name)]
            };
            state.iter().map(row).collect()
        };
        check(&schema, rows(&before), &schema, rows(&after));
    }
}
