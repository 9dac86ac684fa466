//! Rows as lines of JSON, the form in which programs compare what they read (`spec/vectors/README.md`).
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fmt::Write;

use tabark::archive::{Archive, SnapshotSelector};
use tabark::hex;
use tabark::model::{Cell, TableSchema};

/// All rows of a table of one snapshot.
pub(crate) fn of_table(archive: &Archive, at: &SnapshotSelector, table: &str) -> tabark::Result<String> {
    let snapshot = archive.select(at)?;
    let table = snapshot.table(table)?;
    let columns: Vec<usize> = (0..table.schema().columns.len()).collect();
    let mut lines = String::new();
    for group in table.scan(&columns) {
        group?.for_each_row(|row| {
            push_row(&mut lines, table.schema(), row);
            Ok(())
        })?;
    }
    Ok(lines)
}

/// Adds the line of one row.
pub(crate) fn push_row(lines: &mut String, schema: &TableSchema, row: &[Cell<'_>]) {
    assert_eq!(row.len(), schema.columns.len());
    lines.push('{');
    for (index, (column, cell)) in schema.columns.iter().zip(row).enumerate() {
        if index > 0 {
            lines.push(',');
        }
        push_string(lines, &column.name);
        lines.push(':');
        push_cell(lines, cell);
    }
    lines.push_str("}\n");
}

fn push_cell(lines: &mut String, cell: &Cell<'_>) {
    match cell {
        Cell::Null => lines.push_str("null"),
        Cell::Integer(value) => write!(lines, "{value}").unwrap(),
        Cell::Real(value) => write!(lines, "{{\"real\":\"{:016x}\"}}", value.to_bits()).unwrap(),
        Cell::Text(bytes) => push_string(lines, std::str::from_utf8(bytes).unwrap()),
        Cell::Bytes(bytes) => write!(lines, "{{\"bytes\":\"{}\"}}", hex::encode(bytes)).unwrap(),
        Cell::RawText(bytes) => write!(lines, "{{\"rawtext\":\"{}\"}}", hex::encode(bytes)).unwrap(),
    }
}

fn push_string(lines: &mut String, text: &str) {
    lines.push('"');
    for c in text.chars() {
        match c {
            '"' => lines.push_str("\\\""),
            '\\' => lines.push_str("\\\\"),
            '\u{8}' => lines.push_str("\\b"),
            '\t' => lines.push_str("\\t"),
            '\n' => lines.push_str("\\n"),
            '\u{c}' => lines.push_str("\\f"),
            '\r' => lines.push_str("\\r"),
            c if c < ' ' => write!(lines, "\\u{:04x}", u32::from(c)).unwrap(),
            c => lines.push(c),
        }
    }
    lines.push('"');
}
