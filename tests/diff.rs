//! What differs between two snapshots, against a naive model, against other tools, and at what cost.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "diff/boundaries.rs"]
mod boundaries;
#[path = "diff/cells.rs"]
mod cells;
#[path = "diff/model.rs"]
mod model;
#[path = "diff/reads.rs"]
mod reads;
#[path = "diff/schemas.rs"]
mod schemas;
#[path = "diff/sqlite.rs"]
mod sqlite;
#[path = "common/tables.rs"]
mod tables;

use std::collections::BTreeMap;

use tabark::archive::{Archive, SnapshotSelector};
use tabark::diff::{ChangeKind, DiffReport, NamedCell, RowChange, TableDiff, diff};
use tabark::model::{TableSchema, Value};
use tabark::selection::Selection;
use tables::{TestTable, fixed_options, header, open, with_snapshot};

/// A row that differs, owned.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    kind: ChangeKind,
    key: Vec<(String, Value)>,
    before: Vec<(String, Value)>,
    after: Vec<(String, Value)>,
}

fn owned(cells: &[NamedCell<'_>]) -> Vec<(String, Value)> {
    cells.iter().map(|cell| (cell.column.to_owned(), Value::of(&cell.cell))).collect()
}

/// An archive of two snapshots.
fn archive_of(before: &[TestTable], after: &[TestTable]) -> Archive {
    let first = with_snapshot(Vec::new(), header(1), before, fixed_options(1));
    open(&with_snapshot(first, header(2), after, fixed_options(1)))
}

/// What differs between snapshots 1 and 2, and the rows that do.
fn differences(archive: &Archive) -> (DiffReport, BTreeMap<String, Vec<Change>>) {
    let at = |number| archive.select(&SnapshotSelector::Number(number)).unwrap();
    let (before, after) = (at(1), at(2));
    let mut rows: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    let mut sink = |change: &RowChange<'_>| {
        let RowChange { kind, key, before, after, .. } = *change;
        let change_of = Change { kind, key: owned(key), before: owned(before), after: owned(after) };
        rows.entry(change.table.to_owned()).or_default().push(change_of);
        Ok(())
    };
    let shown = diff(&before, &after, &Selection::everything(), Some(&mut sink), &()).unwrap();
    let counted = diff(&before, &after, &Selection::everything(), None, &()).unwrap();
    assert_eq!(shown, counted, "whether rows are shown makes no difference");
    (shown, rows)
}

/// The same of two states of one table: what is told of it, and its rows that differ, which must be as many as told.
fn table_differences(before: TestTable, after: TestTable) -> (TableDiff, Vec<Change>) {
    let archive = archive_of(&[before], &[after]);
    let (report, mut rows) = differences(&archive);
    assert_eq!(report.tables.len(), 1);
    let table = report.tables.into_iter().next().unwrap();
    let rows = rows.remove(&table.name).unwrap_or_default();
    let count = |kind| rows.iter().filter(|change| change.kind == kind).count() as u64;
    assert_eq!(
        (table.rows.added, table.rows.removed, table.rows.changed),
        (count(ChangeKind::Added), count(ChangeKind::Removed), count(ChangeKind::Changed)),
        "rows shown are rows counted"
    );
    (table, rows)
}

fn table(schema: &TableSchema, rows: Vec<Vec<Value>>) -> TestTable {
    TestTable { schema: schema.clone(), rows }
}

fn text(value: &str) -> Value {
    Value::Text(value.as_bytes().to_vec())
}

fn int(value: i64) -> Value {
    Value::Integer(value)
}
