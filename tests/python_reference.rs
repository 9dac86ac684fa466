//! Archives of arbitrary tables, read by the Python reference, which knows the specification and not this library.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "python_reference/edits.rs"]
mod edits;
#[path = "common/json_lines.rs"]
mod json_lines;
#[path = "common/note.rs"]
mod note;
#[path = "properties/order.rs"]
mod order;
#[path = "common/reference.rs"]
mod reference;
#[path = "properties/strategies.rs"]
mod strategies;
#[path = "common/tables.rs"]
mod tables;
#[path = "common/tree.rs"]
mod tree;

use std::path::PathBuf;

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tabark::model::Value;
use tables::{TestTable, fixed_options, header, schema, with_snapshot};

/// Archives of arbitrary tables.
const ARCHIVES: usize = 60;

/// The snapshots of the archives; the same ones in every run, so that a failure is there again the next time.
fn snapshots() -> Vec<Vec<Vec<TestTable>>> {
    let mut runner = TestRunner::deterministic();
    let strategy = vec(strategies::tables(30), 1..=3);
    let mut all: Vec<_> = (0..ARCHIVES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    // Several row groups, and more snapshots than one history page holds.
    let row = |id: i64| vec![Value::Integer(id), Value::Text(format!("row {id}").into_bytes())];
    let many = TestTable { schema: schema("many", &["id", "text"], &[0]), rows: (0..90_000).map(row).collect() };
    let mut changed = many.clone();
    changed.rows[70_000][1] = Value::Null;
    changed.rows.remove(60_000);
    all.push(vec![vec![many], vec![changed]]);
    let one = |id: i64| vec![TestTable { schema: schema("one", &["id", "text"], &[0]), rows: vec![row(id)] }];
    all.push((0..140).map(one).collect());
    // Snapshots that change a little, so that row groups become layers.
    all.push(edits::of_rows(40));
    all.push(edits::of_columns());
    all
}

/// What `read_all.py` must write of an archive.
fn expected(snapshots: &[Vec<TestTable>]) -> String {
    let mut text = String::new();
    for (tables, number) in snapshots.iter().zip(1..) {
        reference::push_snapshot(&mut text, number, tables);
    }
    text
}

#[test]
fn the_python_reference_reads_the_same_rows() {
    let Some(python) = reference::python("the Python reference reads no archives of this run") else { return };
    let folder = tempfile::tempdir().unwrap();
    let all = snapshots();
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut layers = 0;
    for (snapshots, number) in all.iter().zip(0..) {
        let mut bytes = Vec::new();
        for (tables, time) in snapshots.iter().zip(1..) {
            bytes = with_snapshot(bytes, header(time), tables, fixed_options(1 + number % 9));
        }
        layers += edits::layers_in(&bytes);
        paths.push(folder.path().join(format!("{number}.tabark")));
        std::fs::write(paths.last().unwrap(), bytes).unwrap();
    }
    assert!(layers > 500, "{layers} layers are too few to tell");
    let wanted: String = all.iter().map(|snapshots| expected(snapshots)).collect();
    reference::assert_reads(&python, &paths, &wanted, "arbitrary tables");
    let lines = wanted.lines().count();
    assert!(lines > 90_000 + ARCHIVES, "{lines} lines are too few to tell");
}
