//! What differs, for people, for programs, and row by row.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::archive::SnapshotSummary;
use tabark::diff::{
    ChangeKind, ChangeSink, DiffReport, NamedCell, RowChange, RowMatching, SchemaChange, TableDiff, TableState,
};
use tabark::export::{push_json_cell, push_json_string};

use super::aligned::{Aligned, Side};
use super::json as as_json;
use super::text::{name, shorten, visible};
use super::units::{count, counted, time};

const NAME_WIDTH: usize = 40;
const COLUMNS_WIDTH: usize = 80;
const VALUE_WIDTH: usize = 60;

/// Bytes of text collected before they are written out.
const WRITE_AT: usize = 64 << 10;

/// A snapshot as people are told which one it is.
pub(crate) fn snapshot(summary: &SnapshotSummary) -> String {
    format!("snapshot {} ({})", summary.number, time(summary.time))
}

/// The same for programs.
pub(crate) fn snapshot_object(summary: &SnapshotSummary) -> Json {
    let mut head = Map::new();
    head.insert("number".into(), json!(summary.number));
    as_json::put_time(&mut head, summary.time);
    head.insert("root".into(), as_json::digest(&summary.root()));
    Json::Object(head)
}

/// Writes one line for each table that differs, what of its schema differs below it, and how many are the same.
pub(crate) fn print(report: &DiffReport, out: &mut dyn Write) -> io::Result<()> {
    let different: Vec<&TableDiff> = report.tables.iter().filter(|table| table.state != TableState::Same).collect();
    let mut lines = Aligned::headless(&[Side::Left, Side::Right, Side::Right, Side::Right, Side::Left]).indented(2);
    for table in &different {
        let told = |sign: &str, rows: u64| if rows == 0 { String::new() } else { format!("{sign}{}", count(rows)) };
        let rows = &table.rows;
        lines.row(vec![
            name(&table.name, NAME_WIDTH),
            told("+", rows.added),
            told("-", rows.removed),
            told("~", rows.changed),
            notes(table),
        ]);
    }
    let mut text = Vec::new();
    lines.write(&mut text)?;
    for (line, table) in String::from_utf8_lossy(&text).lines().zip(&different) {
        writeln!(out, "{line}")?;
        print_changes(&table.schema, 4, out)?;
    }
    print_changes(&report.objects, 2, out)?;
    print_changes(&report.settings, 2, out)?;
    let same = counted((report.tables.len() - different.len()) as u64, "table");
    if report.is_same() {
        writeln!(out, "nothing differs: {same}")
    } else {
        let verb = if different.len() == 1 { "differs" } else { "differ" };
        writeln!(out, "{} {verb}; the same: {same}", counted(different.len() as u64, "table"))
    }
}

fn notes(table: &TableDiff) -> String {
    let mut notes = Vec::new();
    match table.state {
        TableState::OnlyBefore => notes.push("table removed".to_owned()),
        TableState::OnlyAfter => notes.push("table added".to_owned()),
        TableState::Same | TableState::Changed => {}
    }
    if !table.rows.columns.is_empty() {
        let columns = table.rows.columns.iter().map(|(column, rows)| format!("{} ({})", visible(column), count(*rows)));
        notes.push(columns.collect::<Vec<_>>().join(", "));
    }
    if table.matching == RowMatching::KeyChanged {
        notes.push("another key: rows are told apart by all their cells".to_owned());
    }
    if table.reordered {
        notes.push("the same rows in another order".to_owned());
    }
    if table.rows.is_empty() && table.rows_before == table.rows_after && !table.reordered {
        notes.push("rows the same".to_owned());
    }
    shorten(&notes.join("; "), COLUMNS_WIDTH).into_owned()
}

fn print_changes(changes: &[SchemaChange], indent: usize, out: &mut dyn Write) -> io::Result<()> {
    for change in changes {
        let called =
            if change.name.is_empty() { String::new() } else { format!(" {}", name(&change.name, NAME_WIDTH)) };
        write!(out, "{:indent$}{}{called} {}", "", visible(&change.what), change.kind.name())?;
        // Definitions have many lines; --json has them.
        let is_short =
            ["column", "column order", "filter", "key", "option", "role", "setting"].contains(&change.what.as_str());
        let value = |value: &Option<String>| {
            let text = value.as_deref().filter(|text| is_short && !text.is_empty());
            text.map(|text| name(text, VALUE_WIDTH))
        };
        match (value(&change.before), value(&change.after)) {
            (Some(before), Some(after)) => writeln!(out, ": {before} -> {after}")?,
            (Some(value), None) | (None, Some(value)) => writeln!(out, ": {value}")?,
            (None, None) => writeln!(out)?,
        }
    }
    Ok(())
}

/// The fields of a report that both commands have.
pub(crate) fn put(object: &mut Map<String, Json>, report: &DiffReport) {
    object.insert("same".into(), json!(report.is_same()));
    object.insert("tables".into(), report.tables.iter().map(table_object).collect());
    object.insert("objects".into(), report.objects.iter().map(change_object).collect());
    object.insert("settings".into(), report.settings.iter().map(change_object).collect());
}

fn table_object(table: &TableDiff) -> Json {
    let columns = table.rows.columns.iter().map(|(name, rows)| json!({ "name": name, "rows": rows }));
    json!({
        "name": table.name,
        "change": table.state.name(),
        "rows_before": table.rows_before,
        "rows_after": table.rows_after,
        "added": table.rows.added,
        "removed": table.rows.removed,
        "changed": table.rows.changed,
        "columns": columns.collect::<Vec<Json>>(),
        "matching": table.matching.name(),
        "reordered": table.reordered,
        "schema": table.schema.iter().map(change_object).collect::<Vec<Json>>(),
    })
}

fn change_object(change: &SchemaChange) -> Json {
    let SchemaChange { what, name, kind, before, after, .. } = change;
    json!({ "what": what, "name": name, "change": kind.name(), "before": before, "after": after })
}

/// Writes rows that differ as JSON lines.
pub(crate) struct RowLines<W: Write> {
    to: W,
    text: Vec<u8>,
}

impl<W: Write> RowLines<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to, text: Vec::new() }
    }

    /// After the last row.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.write_out()?;
        self.to.flush().map_err(failed)
    }

    fn write_out(&mut self) -> Result<(), Error> {
        self.to.write_all(&self.text).map_err(failed)?;
        self.text.clear();
        Ok(())
    }

    /// `null` where there is nothing to tell.
    fn push_cells(&mut self, name: &str, cells: Option<&[NamedCell<'_>]>) {
        push_name(&mut self.text, b',', name);
        let Some(cells) = cells else {
            self.text.extend_from_slice(b"null");
            return;
        };
        self.text.push(b'{');
        for (place, NamedCell { column, logical, cell }) in cells.iter().enumerate() {
            if place > 0 {
                self.text.push(b',');
            }
            push_json_string(&mut self.text, column);
            self.text.push(b':');
            push_json_cell(&mut self.text, cell, *logical, false);
        }
        self.text.push(b'}');
    }
}

impl<W: Write> ChangeSink for RowLines<W> {
    fn row(&mut self, change: &RowChange<'_>) -> Result<(), Error> {
        push_name(&mut self.text, b'{', "table");
        push_json_string(&mut self.text, change.table);
        push_name(&mut self.text, b',', "change");
        push_json_string(&mut self.text, change.kind.name());
        self.push_cells("key", Some(change.key).filter(|key| !key.is_empty()));
        self.push_cells("before", (change.kind != ChangeKind::Added).then_some(change.before));
        self.push_cells("after", (change.kind != ChangeKind::Removed).then_some(change.after));
        self.text.extend_from_slice(b"}\n");
        if self.text.len() >= WRITE_AT { self.write_out() } else { Ok(()) }
    }
}

fn push_name(text: &mut Vec<u8>, before: u8, name: &str) {
    text.push(before);
    push_json_string(text, name);
    text.push(b':');
}

fn failed(cause: io::Error) -> Error {
    Error::io("writing rows", cause)
}
