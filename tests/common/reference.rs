//! What the Python reference reads of archives, beside what they must hold.

use std::path::{Path, PathBuf};
use std::process::Command;

use tabark::model::{Cell, Value};

use super::tables::TestTable;
use super::{json_lines, note, tree};

/// The Python that has what the reference needs; without one says what `skips` of this run.
pub(crate) fn python(skips: &str) -> Option<PathBuf> {
    let python = std::env::var_os("TABARK_PYTHON");
    if python.is_none() {
        note::note(&format!("skipped: {skips}, as TABARK_PYTHON is not set; tests/run sets it"));
    }
    python.map(PathBuf::from)
}

/// Adds what `read_all.py` must write of a snapshot.
pub(crate) fn push_snapshot(text: &mut String, number: u64, tables: &[TestTable]) {
    let mut sorted: Vec<&TestTable> = tables.iter().collect();
    sorted.sort_by(|a, b| a.schema.name.cmp(&b.schema.name));
    for table in sorted {
        text.push_str(&format!("-- {number} {}\n", python_ascii(&table.schema.name)));
        for row in &table.rows {
            let cells: Vec<Cell<'_>> = row.iter().map(Value::as_cell).collect();
            json_lines::push_row(text, &table.schema, &cells);
        }
    }
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

/// The reference verifies these archives in full and reads of all of them together what is wanted. `what` tells whoever sees
/// it fail what they are archives of.
pub(crate) fn assert_reads(python: &Path, archives: &[PathBuf], wanted: &str, what: &str) {
    let script = tree::root().join("tests/python_reference/read_all.py");
    let reference = tree::root().join("spec/reference");
    let output = Command::new(python).arg(script).arg(reference).args(archives).output();
    let output = output.unwrap_or_else(|cause| panic_with(&format!("TABARK_PYTHON cannot be run: {cause}")));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: the reference refuses them, or lacks its packages:\n{told}");
    let read = String::from_utf8(output.stdout).unwrap();
    let read: Vec<&str> = read.split_inclusive('\n').collect();
    let wanted: Vec<&str> = wanted.split_inclusive('\n').collect();
    if let Some(at) = (0..read.len().max(wanted.len())).find(|at| read.get(*at) != wanted.get(*at)) {
        let line = |lines: &[&str]| lines.get(at).map_or("the end".to_owned(), |line| (*line).to_owned());
        panic_with::<()>(&format!(
            "{what}: line {at}: the reference read\n{}where the library wrote\n{}",
            line(&read),
            line(&wanted)
        ));
    }
}

#[expect(clippy::panic, reason = "tests")]
fn panic_with<T>(message: &str) -> T {
    panic!("{message}")
}
