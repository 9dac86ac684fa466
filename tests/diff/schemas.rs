//! Tables that come and go, and schemas that change.

use tabark::archive::SnapshotSelector;
use tabark::diff::{ChangeKind, RowMatching, TableState, diff};
use tabark::model::{SchemaObject, TableSchema};
use tabark::selection::Selection;

use super::tables::{key_part, schema};
use super::{archive_of, differences, int, table, table_differences, text};

fn object(kind: &str, name: &str, definition: &str) -> SchemaObject {
    SchemaObject { kind: kind.into(), name: name.into(), table: "t".into(), definition: definition.into(), position: 9 }
}

#[test]
fn tables_that_come_and_go_bring_and_take_their_rows() {
    let schema = |name| schema(name, &["id"], &[0]);
    let rows = |count| (0..count).map(|id| vec![int(id)]).collect::<Vec<_>>();
    let before = [table(&schema("gone"), rows(3)), table(&schema("same"), rows(5))];
    let after = [table(&schema("new"), rows(2)), table(&schema("same"), rows(5))];
    let archive = archive_of(&before, &after);
    let (report, changes) = differences(&archive);
    let told: Vec<_> = report
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table.state, table.rows_before, table.rows_after))
        .collect();
    assert_eq!(
        told,
        [
            ("gone", TableState::OnlyBefore, Some(3), None),
            ("new", TableState::OnlyAfter, None, Some(2)),
            ("same", TableState::Same, Some(5), Some(5)),
        ]
    );
    assert_eq!((changes["gone"].len(), changes["new"].len(), changes.len()), (3, 2, 2));
    assert!(changes["gone"].iter().all(|change| change.kind == ChangeKind::Removed && change.before.len() == 1));
    assert!(!report.is_same());
    let at = |number| archive.select(&SnapshotSelector::Number(number)).unwrap();
    let of = |pattern| diff(&at(1), &at(2), &Selection::new(&[pattern], &[]).unwrap(), None, &());
    assert!(of("same").unwrap().is_same());
    assert_eq!(of("gone").unwrap().tables.len(), 1);
    assert!(of("nothing").unwrap_err().is_request());
    let itself = diff(&at(2), &at(2), &Selection::everything(), None, &()).unwrap();
    assert!(itself.is_same() && itself.tables.len() == 2);
}

/// What is told of two schemas, with the same row in each.
fn told(before: &TableSchema, after: &TableSchema) -> Vec<(String, String, ChangeKind)> {
    let row = |schema: &TableSchema| schema.columns.iter().map(|_| int(1)).collect::<Vec<_>>();
    let (told, rows) = table_differences(table(before, vec![row(before)]), table(after, vec![row(after)]));
    assert!(rows.is_empty() || told.matching == RowMatching::KeyChanged, "{rows:?}");
    assert_eq!(told.state, TableState::Changed);
    told.schema.into_iter().map(|change| (change.what, change.name, change.kind)).collect()
}

#[test]
fn schemas_are_compared_part_by_part() {
    use ChangeKind::{Added, Changed, Removed};
    let base = schema("t", &["id", "a", "b"], &[0]);
    let with = |change: fn(&mut TableSchema)| {
        let mut schema = base.clone();
        change(&mut schema);
        told(&base, &schema)
    };
    let one = |what: &str, name: &str, kind| vec![(what.to_owned(), name.to_owned(), kind)];
    assert_eq!(with(|schema| schema.columns[1].declared_type = "TEXT".into()), one("column", "a", Changed));
    assert_eq!(with(|schema| schema.columns[2].nullable = false), one("column", "b", Changed));
    assert_eq!(with(|schema| drop(schema.columns.remove(1))), one("column", "a", Removed));
    assert_eq!(with(|schema| schema.columns.swap(1, 2)), one("column order", "", Changed));
    assert_eq!(with(|schema| schema.definition.push(' ')), one("definition", "", Changed));
    assert_eq!(with(|schema| schema.generated.push("twice".into())), one("computed column", "twice", Added));
    assert_eq!(with(|schema| schema.options.push(("strict".into(), String::new()))), one("option", "strict", Added));
    assert_eq!(with(|schema| schema.attached.push(object("index", "i", "x"))), one("index", "i", Added));
    assert_eq!(with(|schema| schema.attached.push(object("trigger", "i", "x"))), one("trigger", "i", Added));
    assert_eq!(with(|schema| schema.key[0].descending = true), one("key", "", Changed));
    // The first column goes, the key stands elsewhere: it is the same key all the same.
    let (wide, narrow) = (schema("t", &["first", "id"], &[1]), schema("t", &["id"], &[0]));
    let mut told_of = told(&wide, &narrow);
    told_of.retain(|(what, ..)| what != "definition");
    assert_eq!(told_of, one("column", "first", Removed));
}

#[test]
fn another_key_is_said_and_rows_are_counted_by_their_cells() {
    let rows = || vec![vec![int(1), text("a")], vec![int(2), text("b")], vec![int(3), text("c")]];
    let mut after = rows();
    after[1][1] = text("x");
    let (old, mut new) = (schema("t", &["id", "v"], &[0]), schema("t", &["id", "v"], &[1]));
    let (told, _) = table_differences(table(&old, rows()), table(&new, after));
    assert_eq!(told.matching, RowMatching::KeyChanged);
    assert_eq!((told.rows.added, told.rows.removed, told.rows.changed), (1, 1, 0));
    assert!(told.schema.iter().any(|change| change.what == "key"));
    // The same columns under another collation are another key too.
    new.key = vec![key_part(0, false, "NOCASE")];
    let (told, changes) = table_differences(table(&old, rows()), table(&new, rows()));
    assert!(changes.is_empty() && !told.reordered && told.matching == RowMatching::KeyChanged);
}

#[test]
fn a_row_id_is_the_same_whatever_it_is_called() {
    let of = |name: &str| {
        let mut schema = schema("t", &[name, "v"], &[0]);
        schema.columns[0].hidden = true;
        schema
    };
    let (told, changes) = table_differences(
        table(&of("rowid"), vec![vec![int(1), int(1)], vec![int(2), int(2)]]),
        table(&of("oid"), vec![vec![int(1), int(1)], vec![int(2), int(9)]]),
    );
    assert_eq!((told.matching, told.rows.changed, changes.len()), (RowMatching::ByKey, 1, 1));
}
