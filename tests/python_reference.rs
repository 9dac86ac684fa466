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
#[path = "properties/strategies.rs"]
mod strategies;
#[path = "common/tables.rs"]
mod tables;
#[path = "common/tree.rs"]
mod tree;

use std::path::PathBuf;
use std::process::Command;

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tabark::model::{Cell, Value};
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
        let mut sorted: Vec<&TestTable> = tables.iter().collect();
        sorted.sort_by(|a, b| a.schema.name.cmp(&b.schema.name));
        for table in sorted {
            text.push_str(&format!("-- {number} {}\n", python_ascii(&table.schema.name)));
            for row in &table.rows {
                let cells: Vec<Cell<'_>> = row.iter().map(Value::as_cell).collect();
                json_lines::push_row(&mut text, &table.schema, &cells);
            }
        }
    }
    text
}

/// What Python's `ascii()` gives for a text.
fn python_ascii(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c == quote => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if u32::from(c) < 0x100 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push(quote);
    out
}

#[test]
fn the_python_reference_reads_the_same_rows() {
    let Some(python) = std::env::var_os("TABARK_PYTHON") else {
        note::note(
            "skipped: the Python reference reads no archives of this run, as TABARK_PYTHON is not set; tests/run sets it",
        );
        return;
    };
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
    let script = tree::root().join("tests/python_reference/read_all.py");
    let reference = tree::root().join("spec/reference");
    let output = Command::new(&python).arg(script).arg(reference).args(&paths).output();
    let output = output.unwrap_or_else(|cause| panic_with(&format!("TABARK_PYTHON cannot be run: {cause}")));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the reference refuses what the library wrote, or lacks its packages:\n{told}");
    let read = String::from_utf8(output.stdout).unwrap();
    let read: Vec<&str> = read.split_inclusive('\n').collect();
    let wanted: String = all.iter().map(|snapshots| expected(snapshots)).collect();
    let wanted: Vec<&str> = wanted.split_inclusive('\n').collect();
    if let Some(at) = (0..read.len().max(wanted.len())).find(|at| read.get(*at) != wanted.get(*at)) {
        let line = |lines: &[&str]| lines.get(at).map_or("the end".to_owned(), |line| (*line).to_owned());
        panic_with::<()>(&format!(
            "line {at}: the reference read\n{}where the library wrote\n{}",
            line(&read),
            line(&wanted)
        ));
    }
    assert!(wanted.len() > 90_000 + ARCHIVES, "{} lines are too few to tell", wanted.len());
}

#[expect(clippy::panic, reason = "tests")]
fn panic_with<T>(message: &str) -> T {
    panic!("{message}")
}
