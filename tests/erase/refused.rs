//! What is not erased: what cannot be done as it is asked for, and what was not asked for.

use tabark::archive::{ArchiveWriter, WriterOptions};
use tabark::container::Memory;
use tabark::model::{SchemaObject, TableSchema, Value};
use tabark::rewrite::erase::{erase, plan_erasure};

use super::scene::{Scene, key, request};
use super::tables::{TestTable, fixed_options, header, key_part, open, rows_of, schema};

fn state(name: &str, columns: &[&str], key: &[u32]) -> TestTable {
    let row = |id: i64| {
        let cell = |at: usize| if at == 0 { Value::Integer(id) } else { Value::Text(format!("v{id}").into()) };
        (0..columns.len()).map(cell).collect()
    };
    TestTable { schema: schema(name, columns, key), rows: (1..=5).map(row).collect() }
}

#[test]
fn requests_that_cannot_be_met_change_nothing() {
    let mut hidden = state("h", &["rowid", "v"], &[0]);
    hidden.schema.columns[0].hidden = true;
    let mut shadow = state("s", &["id"], &[0]);
    shadow.schema.role = "shadow".into();
    let mut strange = state("c", &["id", "v"], &[]);
    strange.schema.key = vec![key_part(0, false, "ours")];
    let now = vec![strange, hidden, state("n", &["id", "more"], &[]), shadow, state("t", &["id", "v"], &[1])];
    let before = vec![state("n", &["id"], &[]), state("t", &["id", "v"], &[0])];
    let scene = Scene::of_tables(vec![before, now]);
    let bytes = scene.bytes();
    let by = |table: &str, column: Option<&str>, values: &[&str]| {
        let mut asked = request(table, [key(values)]);
        asked.columns = column.iter().map(ToString::to_string).collect();
        scene.erase(&asked).unwrap_err()
    };
    for (error, says) in [
        (by("nowhere", None, &["1"]), "nowhere"),
        (by("s", None, &["1"]), "belongs to another object"),
        (by("h", None, &["1"]), "row ids"),
        (by("n", None, &["1"]), "row ids"),
        (by("n", Some("more"), &["v1"]), "snapshot 1 stores no column \"more\""),
        (by("t", None, &["1"]), "(v) in snapshot 2, and (id) before it"),
        (by("t", Some("id"), &["1", "2"]), "2 values"),
        (by("c", None, &["1"]), "only their source knows"),
    ] {
        assert!(error.is_request() && error.to_string().contains(says), "{error}");
    }
    assert!(scene.erase(&request("t", [])).unwrap_err().is_request());
    assert!(scene.bytes() == bytes);
    // What the plan's reader refuses is not done either.
    let mut asked = request("t", [key(&["2"])]);
    asked.columns = vec!["id".into()];
    let stop = &mut |_: &_| Err(tabark::Error::request("no"));
    assert!(erase(&scene.path(), &asked, WriterOptions::default(), stop, &()).is_err());
    assert!(scene.bytes() == bytes);
}

#[test]
fn nothing_found_is_nothing_written() {
    let scene = Scene::of_tables(vec![vec![state("other", &["id"], &[0])], vec![state("t", &["id", "v"], &[0])]]);
    let bytes = scene.bytes();
    for value in ["6", "v1", "", "NULL", "x'01'", "'1'"] {
        assert!(scene.erase(&request("t", [key(&[value])])).unwrap().is_none(), "{value}");
    }
    assert!(scene.bytes() == bytes);
    // In snapshots without the table nothing happens.
    let plan = plan_erasure(&open(&bytes), &request("t", [key(&["1"]), key(&["9"])]), &()).unwrap();
    let rows: Vec<_> = plan.snapshots.iter().map(|of| (of.number, of.rows.clone())).collect();
    assert_eq!(rows, [(1, vec![]), (2, vec![("t".to_owned(), 1)])]);
    assert_eq!((plan.keys, plan.is_nothing()), (1, false));
    assert!(scene.bytes() == bytes);
    scene.erase(&request("t", [key(&["1"])])).unwrap().unwrap();
    scene.assert_holds(|table, row| table != "t" || row[0] != Value::Integer(1));
}

#[test]
fn samples_of_keys_go_with_the_rows() {
    let sample = |table: &str, sample: &str| vec![Value::Text(table.into()), Value::Bytes(sample.into())];
    let samples = TestTable {
        schema: TableSchema { role: "internal".into(), ..schema("sqlite_stat4", &["tbl", "sample"], &[]) },
        rows: vec![sample("T", "MARKER-7f3a"), sample("other", "kept"), sample("t", "MARKER-7f3a")],
    };
    let scene = Scene::of_tables(vec![vec![samples.clone(), state("t", &["id"], &[0])], vec![samples]]);
    let report = scene.erase(&request("t", [key(&["1"])])).unwrap().unwrap();
    assert!(!super::files::bodies_hold(&scene.bytes(), "MARKER-7f3a"));
    for number in [1, 2] {
        let left = rows_of(&open(&scene.bytes()), number, "sqlite_stat4").unwrap();
        assert_eq!(left, [sample("other", "kept")]);
    }
    assert_eq!(report.record.others, [("sqlite_stat4".to_owned(), 4)]);
}

#[test]
fn full_text_indexes_of_the_table_are_a_reason_to_refuse() {
    let object = |kind: &str, name: &str, table: &str, definition: &str| SchemaObject {
        kind: kind.into(),
        name: name.into(),
        table: table.into(),
        definition: definition.into(),
        position: 9,
    };
    let by_trigger = object(
        "trigger",
        "ins",
        "t",
        "CREATE TRIGGER ins AFTER INSERT ON t BEGIN INSERT INTO words VALUES (new.v); END",
    );
    for (definition, trigger, refused) in [
        ("CREATE VIRTUAL TABLE words USING fts5(v, content='t')", None, true),
        ("CREATE VIRTUAL TABLE words USING fts5(v)", Some(by_trigger), true),
        ("CREATE VIRTUAL TABLE words USING fts5(v, content=tt)", None, false),
    ] {
        let mut table = state("t", &["id", "v"], &[0]);
        table.schema.attached.extend(trigger);
        let mut storage = Memory::new(Vec::new());
        let writer = ArchiveWriter::create(&mut storage, fixed_options(3)).unwrap();
        let mut snapshot = writer.begin_snapshot(header(1)).unwrap();
        let mut rows = snapshot.begin_table(&table.schema).unwrap();
        table.send(&mut rows);
        rows.finish().unwrap();
        snapshot.add_object(object("virtual table", "words", "words", definition));
        snapshot.commit().unwrap();
        let scene = Scene::new(vec![table]);
        scene.put(&storage.bytes);
        let mut asked = request("t", [key(&["1"])]);
        match scene.erase(&asked) {
            Err(error) => assert!(refused && error.is_request() && error.to_string().contains("\"words\""), "{error}"),
            Ok(done) => assert!(!refused && done.is_some(), "{definition}"),
        }
        if refused {
            assert!(scene.bytes() == storage.bytes);
            asked.keeps_indexes = true;
            scene.erase(&asked).unwrap().unwrap();
        }
        scene.assert_holds(|_, row| row[0] != Value::Integer(1));
    }
}
