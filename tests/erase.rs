//! Rows that are erased from every snapshot: no byte of them is left, and every other row is what it was.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "erase/cascade.rs"]
mod cascade;
#[path = "rewrite/files.rs"]
mod files;
#[path = "rewrite/model.rs"]
mod model;
#[path = "erase/records.rs"]
mod records;
#[path = "erase/refused.rs"]
mod refused;
#[path = "erase/scene.rs"]
mod scene;
#[path = "common/tables.rs"]
mod tables;

use model::Evolving;
use proptest::prelude::*;
use scene::{Scene, key, request};
use tabark::model::Value;
use tables::{TestTable, column, key_part, open, schema};

const MARKER: &str = "MARKER-7f3a-Zebra";

/// Ids of rows, spread over all states.
fn some_ids(states: &[TestTable], picks: &[(usize, usize)]) -> Vec<i64> {
    let mut ids = Vec::new();
    for (state, row) in picks {
        let rows = &states[state % states.len()].rows;
        if !rows.is_empty() {
            let Value::Integer(id) = rows[row % rows.len()][0] else { continue };
            ids.push(id);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn has_id(row: &[Value], ids: &[i64]) -> bool {
    matches!(row[0], Value::Integer(id) if ids.contains(&id))
}

/// The same states, with the marker in the rows of these ids.
fn marked(states: Vec<TestTable>, ids: &[i64]) -> Vec<TestTable> {
    let mark = |mut state: TestTable| {
        for row in state.rows.iter_mut().filter(|row| has_id(row, ids)) {
            row[1] = Value::Text(format!("{MARKER}{:?}", row[0]).into());
        }
        state
    };
    states.into_iter().map(mark).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_left_of_erased_rows_and_all_else_is_what_it_was(
        evolving in any::<Evolving>(),
        picks in prop::collection::vec((any::<usize>(), prop_oneof![Just(0), any::<usize>()]), 1..6),
    ) {
        let states = evolving.states();
        let ids = some_ids(&states, &picks);
        let scene = Scene::new(marked(states, &ids));
        let lost = |state: &TestTable| state.rows.iter().filter(|row| has_id(row, &ids)).count() as u64;
        let mut request = request("t", ids.iter().map(|id| key(&[&id.to_string()])));
        request.columns = vec!["id".into()];
        if ids.is_empty() {
            return Ok(());
        }
        let report = scene.erase(&request).unwrap().unwrap();
        scene.assert_holds(|_, row| !has_id(row, &ids));
        prop_assert!(!files::bodies_hold(&scene.bytes(), MARKER));
        let record = &report.record;
        prop_assert_eq!(record.rows, scene.states.iter().map(|tables| lost(&tables[0])).sum::<u64>());
        prop_assert_eq!(record.snapshots, scene.states.iter().filter(|tables| lost(&tables[0]) > 0).count() as u64);
        prop_assert_eq!(record.keys.len(), ids.len());
        prop_assert_eq!(&open(&scene.bytes()).erasures().unwrap(), &vec![record.clone()]);
        // Nothing is found a second time.
        prop_assert!(scene.erase(&request).unwrap().is_none());
    }
}

#[test]
fn the_search_for_bytes_would_find_them() {
    let scene = Scene::new(marked(Evolving::large(2).states(), &[1, 2, 3, 4]));
    assert!(files::bodies_hold(&scene.bytes(), MARKER));
}

#[test]
fn rows_that_begin_end_and_are_a_row_group() {
    let rows = |count: i64, ids: &[i64]| {
        let name = |id| if ids.contains(&id) { format!("{id} {MARKER}") } else { format!("name {}", id % 1000) };
        let row = |id| vec![Value::Integer(id), Value::Text(name(id).into()), Value::Integer(id % 7)];
        TestTable { schema: schema("t", &["id", "name", "n"], &[0]), rows: (0..count).map(row).collect() }
    };
    let groups = {
        let scene = Scene::new(vec![rows(150_000, &[])]);
        scene.group_rows(&open(&scene.bytes()), 1)
    };
    assert!(groups.len() > 1, "{groups:?}");
    let second = i64::try_from(groups[0]).unwrap();
    let ids = [0, second - 1, second, second + 1, 149_999, 150_000];
    let scene = Scene::new(vec![rows(150_000, &ids), rows(150_001, &ids)]);
    assert!(files::bodies_hold(&scene.bytes(), MARKER));
    scene.erase(&request("t", ids.iter().map(|id| key(&[&id.to_string()])))).unwrap().unwrap();
    scene.assert_holds(|_, row| !has_id(row, &ids));
    assert!(!files::bodies_hold(&scene.bytes(), MARKER));
}

#[test]
fn the_only_row_of_a_table_and_one_that_some_snapshots_hold() {
    let state = |names: &[&str]| {
        let rows = names.iter().map(|name| vec![Value::Text((*name).into()), Value::Real(0.5)]).collect();
        TestTable { schema: schema("t", &["name", "x"], &[0]), rows }
    };
    let scene = Scene::new(vec![state(&[MARKER]), state(&[]), state(&["Apple", MARKER, "zoo"])]);
    let report = scene.erase(&request("t", [key(&[MARKER])])).unwrap().unwrap();
    scene.assert_holds(|_, row| row[0].as_cell().variable_bytes() != Some(MARKER.as_bytes()));
    assert!(!files::bodies_hold(&scene.bytes(), MARKER));
    assert_eq!((report.record.rows, report.record.snapshots, report.record.roots.len()), (2, 2, 3));
}

#[test]
fn values_in_bounds_and_dictionaries_go_with_their_row() {
    // The greatest key, the least name and a word that few rows have.
    let row = |id: i64| {
        let (name, word) = if id == 900 { ("AAA-MARKER-7f3a-Zebra", "WORD-MARKER-7f3a-Zebra") } else { ("b", "few") };
        vec![Value::Integer(id), Value::Text(name.into()), Value::Text(word.into())]
    };
    let state = |to: i64| TestTable { schema: schema("t", &["id", "a", "b"], &[0]), rows: (1..=to).map(row).collect() };
    let scene = Scene::new(vec![state(899), state(900), state(900)]);
    scene.erase(&request("t", [key(&["900"])])).unwrap().unwrap();
    scene.assert_holds(|_, row| !has_id(row, &[900]));
    assert!(!files::bodies_hold(&scene.bytes(), MARKER));
    let archive = open(&scene.bytes());
    let roots: Vec<_> = archive.snapshots().unwrap().iter().map(|of| of.rows).collect();
    assert_eq!(roots, [899, 899, 899]);
}

#[test]
fn keys_of_several_columns_and_collations() {
    let mut of = schema("t", &["place", "number", "what"], &[]);
    of.key = vec![key_part(0, false, "NOCASE"), key_part(1, true, "BINARY")];
    of.columns[1] = tabark::model::Column { declared_type: "INTEGER".into(), ..column("number") };
    let row = |place: &str, number: i64| {
        vec![Value::Text(place.into()), Value::Integer(number), Value::Text(format!("{place}{number}{MARKER}").into())]
    };
    let rows = vec![row("a", 2), row("A", 1), row("B", 2), row("b", 1), row("c", 2)];
    let scene = Scene::new(vec![TestTable { schema: of, rows }]);
    let keys = [key(&["A", " 2.0"]), key(&["b", "1"]), key(&["'c'", "'x'"]), key(&["c", "1"])];
    let report = scene.erase(&request("t", keys)).unwrap().unwrap();
    let left = |row: &[Value]| row[2].as_cell().variable_bytes().unwrap()[..2].to_vec();
    scene.assert_holds(|_, row| ![b"a2".to_vec(), b"b1".to_vec()].contains(&left(row)));
    assert!(!files::bodies_hold(&scene.bytes(), "a2MARKER") && !files::bodies_hold(&scene.bytes(), "b1MARKER"));
    assert_eq!((report.record.rows, report.record.keys.len()), (2, 2));
    assert_eq!(report.record.columns, ["place", "number"]);
}

#[test]
fn a_number_is_the_number_and_the_text_where_a_column_takes_both() {
    let values = [Value::Integer(5), Value::Real(5.5), Value::Text(b"5".to_vec()), Value::Bytes(vec![5])];
    let state =
        || TestTable { schema: schema("t", &["v"], &[0]), rows: values.iter().map(|v| vec![v.clone()]).collect() };
    for (written, left) in [("5", vec![1, 3]), ("'5'", vec![0, 1, 3]), ("5.5", vec![0, 2, 3]), ("x'05'", vec![0, 1, 2])]
    {
        let scene = Scene::new(vec![state()]);
        scene.erase(&request("t", [key(&[written])])).unwrap().unwrap();
        let rows = tables::rows_of(&open(&scene.bytes()), 1, "t").unwrap();
        let expected: Vec<Vec<Value>> = left.iter().map(|at: &usize| vec![values[*at].clone()]).collect();
        assert_eq!(rows, expected, "{written}");
    }
}
