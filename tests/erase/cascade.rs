//! Rows that refer to erased rows.

use tabark::model::{SourceDescription, TableSchema, Value};
use tabark::restore::foreign_keys;

use super::files;
use super::scene::{Scene, key, request};
use super::tables::{TestTable, open, schema};

const MARKER: &str = "MARKER-7f3a";

fn table(name: &str, columns: &[&str], definition: &str, rows: &[&[&str]]) -> TestTable {
    let of = TableSchema { definition: definition.into(), ..schema(name, columns, &[0]) };
    let value = |text: &&str| match text.parse() {
        Ok(number) => Value::Integer(number),
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => Value::Text((*text).into()),
    };
    TestTable { schema: of, rows: rows.iter().map(|row| row.iter().map(value).collect()).collect() }
}

fn people(rows: &[&[&str]]) -> TestTable {
    let definition =
        "CREATE TABLE people(id INTEGER PRIMARY KEY, mail TEXT COLLATE NOCASE UNIQUE, boss INT REFERENCES people, x)";
    table("people", &["id", "mail", "boss", "x"], definition, rows)
}

fn orders(rows: &[&[&str]]) -> TestTable {
    let definition =
        "CREATE TABLE orders(id INTEGER PRIMARY KEY, person INT REFERENCES People(ID) ON DELETE CASCADE, x)";
    table("orders", &["id", "person", "x"], definition, rows)
}

fn lines(rows: &[&[&str]]) -> TestTable {
    let definition = "CREATE TABLE lines(id INTEGER PRIMARY KEY, ord INT, x, FOREIGN KEY(ord) REFERENCES orders)";
    table("lines", &["id", "ord", "x"], definition, rows)
}

fn letters(rows: &[&[&str]]) -> TestTable {
    let definition = "CREATE TABLE letters(id INTEGER PRIMARY KEY, sender REFERENCES people(mail), x)";
    table("letters", &["id", "sender", "x"], definition, rows)
}

fn ids(scene: &Scene, number: u64, table: &str) -> Vec<i64> {
    let rows = super::tables::rows_of(&open(&scene.bytes()), number, table).unwrap();
    rows.iter().map(|row| if let Value::Integer(id) = row[0] { id } else { -1 }).collect()
}

#[test]
fn references_are_followed_over_levels_in_each_snapshot_as_it_stands() {
    let first = vec![
        letters(&[&["1", "ANA@x", MARKER], &["2", "bo@x", "b"], &["3", "", "none"]]),
        lines(&[&["1", "10", MARKER], &["2", "11", MARKER], &["3", "20", "b"], &["4", "", "none"]]),
        orders(&[&["10", "1", MARKER], &["11", "1", MARKER], &["20", "2", "b"]]),
        people(&[&["1", "ana@x", "", MARKER], &["2", "bo@x", "", "b"]]),
    ];
    // Order 11 is Bo's by now, and so are its lines. Ana is gone, and order 10 still refers to her.
    let second = vec![
        lines(&[&["1", "10", MARKER], &["2", "11", "b"], &["3", "20", "b"]]),
        orders(&[&["10", "1", MARKER], &["11", "2", "b"], &["20", "2", "b"]]),
        people(&[&["2", "bo@x", "", "b"]]),
    ];
    let scene = Scene::of_tables(vec![first, second]);
    let mut asked = request("people", [key(&["1"])]);
    asked.cascade = Some(&foreign_keys);
    let report = scene.erase(&asked).unwrap().unwrap();
    assert!(!files::bodies_hold(&scene.bytes(), MARKER));
    files::assert_intact(&open(&scene.bytes()));
    assert_eq!([ids(&scene, 1, "people"), ids(&scene, 2, "people")], [[2], [2]]);
    assert_eq!(ids(&scene, 1, "orders"), [20]);
    assert_eq!(ids(&scene, 2, "orders"), [11, 20]);
    assert_eq!(ids(&scene, 1, "lines"), [3, 4]);
    assert_eq!(ids(&scene, 2, "lines"), [2, 3]);
    assert_eq!(ids(&scene, 1, "letters"), [2, 3]);
    let record = report.record;
    let others = [("letters", 1), ("lines", 3), ("orders", 3)].map(|(name, rows)| (name.to_owned(), rows));
    assert_eq!((record.rows, record.others, record.keys.len()), (1, others.to_vec(), 1));
}

#[test]
fn references_that_go_in_a_circle_end() {
    let state = people(&[
        &["1", "a@x", "3", MARKER],
        &["2", "b@x", "1", MARKER],
        &["3", "c@x", "2", MARKER],
        &["4", "d@x", "3", MARKER],
        &["5", "e@x", "5", "own"],
        &["6", "f@x", "", "free"],
    ]);
    let scene = Scene::new(vec![state]);
    let mut asked = request("people", [key(&["1"])]);
    asked.cascade = Some(&foreign_keys);
    let report = scene.erase(&asked).unwrap().unwrap();
    assert_eq!(ids(&scene, 1, "people"), [5, 6]);
    assert!(!files::bodies_hold(&scene.bytes(), MARKER));
    assert_eq!((report.record.rows, report.record.keys.len()), (4, 1));
}

#[test]
fn without_it_only_the_row_goes() {
    let scene = Scene::of_tables(vec![vec![orders(&[&["10", "1", "o"]]), people(&[&["1", "a", "", MARKER]])]]);
    scene.erase(&request("people", [key(&["1"])])).unwrap().unwrap();
    assert_eq!((ids(&scene, 1, "people"), ids(&scene, 1, "orders")), (vec![], vec![10]));
}

#[test]
fn definitions_that_do_something_else_are_refused() {
    let mut evil = orders(&[&["10", "1", "o"]]);
    evil.schema.definition = "DROP TABLE people -- REFERENCES people".into();
    let scene = Scene::of_tables(vec![vec![evil, people(&[&["1", "a", "", "p"]])]]);
    let before = scene.bytes();
    let mut asked = request("people", [key(&["1"])]);
    asked.cascade = Some(&foreign_keys);
    let error = scene.erase(&asked).unwrap_err();
    assert!(error.hint().unwrap().contains("--cascade"), "{error}");
    assert!(scene.bytes() == before);
}

#[test]
fn the_columns_of_foreign_keys_are_those_that_sqlite_means() {
    let tables = [people(&[]).schema, orders(&[]).schema, letters(&[]).schema, lines(&[]).schema];
    let source = SourceDescription {
        engine: "sqlite".into(),
        engine_version: String::new(),
        name: String::new(),
        settings: vec![],
    };
    let found: Vec<_> = foreign_keys(&source, &tables, &[])
        .unwrap()
        .into_iter()
        .map(|key| (key.child, key.child_columns, key.parent, key.parent_columns, key.collations))
        .collect();
    let text = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<String>>();
    let key = |child: &str, from: &str, parent: &str, to: &str, collation: &str| {
        (child.to_owned(), text(&[from]), parent.to_owned(), text(&[to]), text(&[collation]))
    };
    assert_eq!(
        found,
        [
            key("people", "boss", "people", "id", "BINARY"),
            key("orders", "person", "people", "id", "BINARY"),
            key("letters", "sender", "people", "mail", "NOCASE"),
            key("lines", "ord", "orders", "id", "BINARY"),
        ]
    );
}
