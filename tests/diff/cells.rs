//! What is the same cell, and what is the same key.

use tabark::diff::{ChangeKind, TableState};
use tabark::model::Value;

use super::tables::{key_part, schema};
use super::{int, table, table_differences, text};

/// Kinds of changes of the one row of a table whose cell was one and is another.
fn changes(before: Value, after: Value) -> Vec<ChangeKind> {
    let schema = schema("t", &["id", "v"], &[0]);
    let (_, changes) =
        table_differences(table(&schema, vec![vec![int(1), before]]), table(&schema, vec![vec![int(1), after]]));
    changes.iter().map(|change| change.kind).collect()
}

#[test]
fn cells_are_the_same_to_the_last_bit() {
    let bytes = |value: &str| Value::Bytes(value.into());
    let all = [
        Value::Null,
        int(0),
        int(1),
        Value::Real(0.0),
        Value::Real(-0.0),
        Value::Real(1.0),
        Value::Real(f64::from_bits(0x7ff8_0000_0000_0001)),
        text(""),
        text("1"),
        text("1\0"),
        bytes(""),
        bytes("1"),
        Value::RawText(vec![0xff]),
        Value::Bytes(vec![0xff]),
    ];
    for (a, one) in all.iter().enumerate() {
        for (b, other) in all.iter().enumerate() {
            let wanted = if a == b { vec![] } else { vec![ChangeKind::Changed] };
            assert_eq!(changes(one.clone(), other.clone()), wanted, "{one:?} {other:?}");
        }
    }
}

#[test]
fn a_null_is_not_a_missing_column() {
    let (with, without) = (schema("t", &["id", "v"], &[0]), schema("t", &["id"], &[0]));
    let (told, rows) =
        table_differences(table(&without, vec![vec![int(1)]]), table(&with, vec![vec![int(1), Value::Null]]));
    assert!(rows.is_empty() && told.rows.is_empty());
    assert_eq!(told.state, TableState::Changed);
    assert!(told.schema.iter().any(|change| (change.what.as_str(), change.name.as_str()) == ("column", "v")));
}

#[test]
fn a_key_in_other_letters_is_another_key() {
    let mut schema = schema("t", &["name", "v"], &[]);
    schema.key = vec![key_part(0, false, "NOCASE")];
    let rows = |names: &[&str]| names.iter().map(|name| vec![text(name), int(1)]).collect::<Vec<_>>();
    let before = table(&schema, rows(&["a", "Bee", "c"]));
    let (told, changes) = table_differences(before, table(&schema, rows(&["a", "bee", "c", "D"])));
    assert_eq!((told.rows.added, told.rows.removed, told.rows.changed), (2, 1, 0));
    let names: Vec<_> = changes.iter().map(|change| (change.kind, change.key[0].1.clone())).collect();
    assert_eq!(
        names,
        [(ChangeKind::Removed, text("Bee")), (ChangeKind::Added, text("bee")), (ChangeKind::Added, text("D"))]
    );
}

#[test]
fn long_keys_are_told_apart_behind_their_beginnings() {
    // Bounds hold 64 bytes: whole row groups have the same bounds.
    let schema = schema("t", &["name", "v"], &[0]);
    let rows = |ids: &mut dyn Iterator<Item = i64>, value: i64| -> Vec<Vec<Value>> {
        ids.map(|id| vec![text(&format!("{}{id:09}", "x".repeat(70))), int(value)]).collect()
    };
    let before = rows(&mut (0..80_000), 1);
    let mut after = rows(&mut (0..80_000).filter(|id| id % 40_000 != 7), 1);
    after[70_000][1] = int(2);
    let (told, _) = table_differences(table(&schema, before), table(&schema, after));
    assert_eq!((told.rows.added, told.rows.removed, told.rows.changed), (0, 2, 1));
}
