//! What a snapshot adds to the file.

use super::evolving::{Evolving, Shape};
use super::tables::{TestTable, column, fixed_options, header, open, with_snapshot};
use super::{archive_of, check};
use tabark::archive::SnapshotSelector;
use tabark::model::Value;

/// The snapshot manifest and the commit, with their frame headers, of a database with few settings.
const UNCHANGED: usize = 900;

fn add(bytes: &[u8], time: i64, tables: &[TestTable]) -> Vec<u8> {
    with_snapshot(bytes.to_vec(), header(time), tables, fixed_options(1))
}

#[test]
fn an_unchanged_database_adds_a_few_hundred_bytes() {
    for rows in [0, 1, 1000, 200_000] {
        let tables = Evolving::of_shape(1, rows, Shape::Narrow).state();
        let once = add(&[], 1, &tables);
        let twice = add(&once, 2, &tables);
        assert!(twice.len() - once.len() < UNCHANGED, "{rows} rows: {} bytes", twice.len() - once.len());
        let archive = open(&twice);
        let place = |number| {
            let snapshot = archive.select(&SnapshotSelector::Number(number)).unwrap();
            (snapshot.manifest().catalog, snapshot.catalog().tables[0].manifest)
        };
        assert_eq!(place(1), place(2), "one catalog and one manifest for both");
    }
}

#[test]
fn unchanged_tables_cost_nothing_beside_changed_ones() {
    let mut tables = Evolving::new(5, 1000).state();
    let once = add(&[], 1, &tables);
    tables[0].rows[500][1] = Value::Integer(-1);
    let twice = add(&once, 2, &tables);
    let archive = open(&twice);
    let places = |number| {
        let snapshot = archive.select(&SnapshotSelector::Number(number)).unwrap();
        let tables = snapshot.catalog().tables.clone();
        tables.into_iter().map(|table| (table.name, table.manifest)).collect::<Vec<_>>()
    };
    let kept: Vec<_> = places(1).into_iter().filter(|place| places(2).contains(place)).map(|(name, _)| name).collect();
    assert_eq!(kept, ["heap", "wide"]);
    assert!(twice.len() - once.len() < 3000, "{}", twice.len() - once.len());
}

#[test]
fn scattered_changes_cost_what_they_are() {
    let mut tables = Evolving::of_shape(2, 200_000, Shape::Wide);
    let first = tables.state();
    let once = add(&[], 1, &first);
    // One row in 200, all over the table.
    tables.update(1000);
    let second = tables.state();
    let twice = add(&once, 2, &second);
    let added = twice.len() - once.len();
    assert!(added < once.len() / 20, "{added} of {}", once.len());
    check(&open(&twice), &[(1, first), (2, second)]);
}

#[test]
fn a_table_is_found_again_behind_snapshots_without_it() {
    let tables = Evolving::new(6, 3000).state();
    let mut bytes = add(&[], 1, &tables);
    for time in 2..=9 {
        bytes = add(&bytes, time, &tables[..1]);
    }
    let before = bytes.len();
    bytes = add(&bytes, 10, &tables);
    assert!(bytes.len() - before < 2 * UNCHANGED, "{}", bytes.len() - before);
    check(&open(&bytes), &[(1, tables.clone()), (10, tables)]);
}

#[test]
fn a_new_column_costs_itself() {
    let mut tables = Evolving::of_shape(4, 100_000, Shape::Wide).state();
    let once = add(&[], 1, &tables);
    let first = tables.clone();
    tables[0].schema.columns.insert(3, column("new"));
    for (number, row) in (0..).zip(&mut tables[0].rows) {
        row.insert(3, Value::Integer(number % 2));
    }
    let twice = add(&once, 2, &tables);
    let added = twice.len() - once.len();
    assert!(added < once.len() / 20, "{added} of {}", once.len());
    check(&open(&twice), &[(1, first), (2, tables)]);
}

#[test]
fn pages_of_row_groups_that_stay_are_shared() {
    // A row group of one row, since two would be too large, and so many columns that a page holds one row group.
    let columns: Vec<String> = (0..9000).map(|number| format!("c{number}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let wide = |id: i64, salt: u8| {
        let mut row = vec![Value::Null; columns.len()];
        row[0] = Value::Integer(id);
        row[1] = Value::Bytes(vec![salt; 40_000_000]);
        row
    };
    let schema = super::tables::schema("wide", &columns, &[0]);
    let mut table = TestTable { schema, rows: (0..4).map(|id| wide(id, 3)).collect() };
    let first = vec![table.clone()];
    let once = add(&[], 1, &first);
    table.rows[3] = wide(3, 5);
    let second = vec![table];
    let twice = add(&once, 2, &second);
    let archive = open(&twice);
    let pages = |number| {
        let snapshot = archive.select(&SnapshotSelector::Number(number)).unwrap();
        snapshot.table("wide").unwrap().manifest().pages.clone()
    };
    let (before, after) = (pages(1), pages(2));
    assert!(before.len() > 1, "{} pages", before.len());
    assert_eq!(before[..before.len() - 1], after[..after.len() - 1]);
    assert_ne!(before.last(), after.last());
}

#[test]
fn snapshots_of_the_same_rows_in_turn_are_all_the_same_table() {
    let states: Vec<_> = {
        let state = Evolving::of_shape(9, 5000, Shape::Heap).state();
        (1..=20).map(|number| (number, state.clone())).collect()
    };
    let bytes = archive_of(&states);
    let one = archive_of(&states[..1]);
    assert!(bytes.len() < one.len() + 19 * UNCHANGED);
    check(&open(&bytes), &states);
}
