//! Databases: two snapshots beside each other, and a snapshot beside the database, say the same; `sqldiff` says so too.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use tabark::archive::{Archive, SnapshotSelector, WriterOptions};
use tabark::compare::compare;
use tabark::diff::{ChangeKind, DiffReport, RowChange, RowMatching, TableState, diff};
use tabark::dump::{DumpOptions, dump};
use tabark::model::Value;
use tabark::observer::Observer;
use tabark::restore::{RestoreOptions, restore};
use tabark::selection::Selection;
use tabark::source::sqlite::SqliteSource;
use tempfile::TempDir;

use super::{Change, owned};

/// Tables of every shape, some of several row groups.
const SCRIPT: &str = "
    CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, data);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
        INSERT INTO items SELECT i, 'item ' || (i * 7919 % 1000), i / 8.0, CASE i % 3 WHEN 0 THEN x'00' WHEN 1 THEN i END FROM n;
    CREATE TABLE places (country TEXT COLLATE NOCASE, city TEXT, people, PRIMARY KEY (country, city DESC)) WITHOUT ROWID;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
        INSERT INTO places SELECT char(97 + i % 26) || CASE i % 2 WHEN 1 THEN 'X' ELSE 'x' END, 'city ' || i, i FROM n;
    CREATE TABLE log (at, what);
    INSERT INTO log VALUES (1, 'a'), (1, 'a'), (2, NULL), ('2', 'b');
    CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v UNIQUE);
    INSERT INTO counted (v) VALUES ('x'), ('y');
    CREATE INDEX items_by_name ON items (name);
    CREATE VIEW cheap AS SELECT * FROM items WHERE price < 1;
    PRAGMA user_version = 3;
";

/// A folder with a database and an archive of it.
struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new(script: &str) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        scene.change(script);
        scene.dump(&Selection::everything());
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn change(&self, script: &str) {
        let script = format!("BEGIN; {script}; COMMIT;");
        Connection::open(self.path("app.sqlite")).unwrap().execute_batch(&script).unwrap();
    }

    fn dump(&self, tables: &Selection) {
        let source = SqliteSource::open(&self.path("app.sqlite")).unwrap();
        let options = DumpOptions {
            tables: tables.clone(),
            filters: vec![],
            tags: vec![],
            time: 1,
            writer: "test".into(),
            archive: WriterOptions::default().with_level(1),
        };
        dump(&source, &self.path("app.tabark"), &options, &()).unwrap();
    }

    /// What of the database differs from a snapshot, and which rows.
    fn compared(&self, at: u64, tables: &Selection) -> (DiffReport, Vec<(String, Change)>) {
        let archive = Archive::open(&self.path("app.tabark")).unwrap();
        let snapshot = archive.select(&SnapshotSelector::Number(at)).unwrap();
        let source = SqliteSource::open(&self.path("app.sqlite")).unwrap();
        let mut rows = Vec::new();
        let mut sink = |change: &RowChange<'_>| {
            rows.push(owned_row(change));
            Ok(())
        };
        let shown = compare(&snapshot, &source, tables, Some(&mut sink), &()).unwrap();
        let counted = compare(&snapshot, &source, tables, None, &()).unwrap();
        assert_eq!(shown, counted);
        (shown, rows)
    }
}

fn owned_row(change: &RowChange<'_>) -> (String, Change) {
    let RowChange { kind, key, before, after, .. } = *change;
    (change.table.to_owned(), Change { kind, key: owned(key), before: owned(before), after: owned(after) })
}

/// What changes of a database: what it is called, and the statements.
const CHANGES: [(&str, &str); 7] = [
    ("nothing", "SELECT 1"),
    (
        "few rows",
        "UPDATE items SET price = 0.5 WHERE id % 40000 = 5; DELETE FROM items WHERE id = 77; INSERT INTO items (name) VALUES ('new')",
    ),
    (
        "kinds",
        "UPDATE items SET data = CAST(data AS TEXT) WHERE id % 9000 = 1; UPDATE items SET data = NULL WHERE id = 3",
    ),
    (
        "keys",
        "UPDATE places SET country = upper(country) WHERE people % 5000 = 0; DELETE FROM places WHERE people BETWEEN 9000 AND 9100",
    ),
    ("many rows", "DELETE FROM items WHERE id % 3 = 0; UPDATE items SET name = name || '!' WHERE id % 5 = 0"),
    (
        "schema",
        "ALTER TABLE log ADD COLUMN who; DROP INDEX items_by_name; CREATE TABLE more (a PRIMARY KEY); INSERT INTO more VALUES (1); DROP VIEW cheap; PRAGMA user_version = 4",
    ),
    ("bookkeeping", "INSERT INTO counted (v) VALUES ('z'); DELETE FROM counted WHERE v = 'z'"),
];

#[test]
fn a_snapshot_beside_another_or_beside_the_database_is_the_same() {
    for (what, script) in CHANGES {
        let scene = Scene::new(SCRIPT);
        scene.change(script);
        let (live, live_rows) = scene.compared(1, &Selection::everything());
        scene.dump(&Selection::everything());
        let archive = Archive::open(&scene.path("app.tabark")).unwrap();
        let at = |number| archive.select(&SnapshotSelector::Number(number)).unwrap();
        let mut rows = Vec::new();
        let mut sink = |change: &RowChange<'_>| {
            rows.push(owned_row(change));
            Ok(())
        };
        let stored = diff(&at(1), &at(2), &Selection::everything(), Some(&mut sink), &()).unwrap();
        assert_eq!(live, stored, "{what}");
        assert!(live_rows == rows, "{what}: the same rows in the same order");
        assert_eq!(stored.is_same(), what == "nothing", "{what}");
        assert!(scene.compared(2, &Selection::everything()).0.is_same(), "{what}");
        check_rows(&stored, &rows);
        assert_told(what, &stored);
    }
}

/// Rows shown are rows counted.
fn check_rows(report: &DiffReport, rows: &[(String, Change)]) {
    for table in &report.tables {
        let of = |kind| rows.iter().filter(|(name, change)| *name == table.name && change.kind == kind).count() as u64;
        let counts = (table.rows.added, table.rows.removed, table.rows.changed);
        assert_eq!(counts, (of(ChangeKind::Added), of(ChangeKind::Removed), of(ChangeKind::Changed)), "{}", table.name);
    }
}

/// What the statements did, by hand.
fn assert_told(what: &str, report: &DiffReport) {
    let table = |name: &str| report.tables.iter().find(|table| table.name == name).unwrap();
    let counts = |name: &str| {
        let rows = &table(name).rows;
        (rows.added, rows.removed, rows.changed)
    };
    match what {
        "few rows" => {
            assert_eq!(counts("items"), (1, 1, 3));
            assert_eq!(table("items").rows.columns, [("price".to_owned(), 3)]);
            assert_eq!(table("places").state, TableState::Same);
        }
        // 1 and then every 9000th, of which those that were NULL stay so; and the blob of row 3.
        "kinds" => assert_eq!(table("items").rows.columns, [("data".to_owned(), 15)]),
        "keys" => assert_eq!(counts("places"), (8, 8 + 101, 0)),
        "many rows" => assert_eq!((counts("items").0, counts("items").1, counts("items").2), (0, 40_000, 16_000)),
        "schema" => {
            let schema = |name: &str| {
                table(name).schema.iter().map(|change| (change.what.as_str(), change.kind)).collect::<Vec<_>>()
            };
            assert!(schema("log").contains(&("column", ChangeKind::Added)) && table("log").rows.is_empty());
            assert_eq!(schema("items"), [("index", ChangeKind::Removed)]);
            assert_eq!((table("more").state, table("more").rows.added), (TableState::OnlyAfter, 1));
            assert!(report.objects.iter().any(|change| change.name == "cheap" && change.kind == ChangeKind::Removed));
            assert!(report.settings.iter().any(|change| change.name == "user_version"));
        }
        "bookkeeping" => {
            assert_eq!((counts("counted"), counts("sqlite_sequence")), ((0, 0, 0), (0, 0, 1)));
        }
        _ => {}
    }
}

#[test]
fn a_restored_database_is_what_the_snapshot_says() {
    let scene = Scene::new(SCRIPT);
    let archive = Archive::open(&scene.path("app.tabark")).unwrap();
    let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
    let target = scene.path("restored.sqlite");
    restore(&snapshot, &target, &RestoreOptions::default(), &()).unwrap();
    let source = SqliteSource::open(&target).unwrap();
    let report = compare(&snapshot, &source, &Selection::everything(), None, &()).unwrap();
    assert!(report.is_same(), "{report:?}");
}

#[test]
fn a_snapshot_of_chosen_tables_is_compared_with_these() {
    let scene = Scene::new(SCRIPT);
    let chosen = Selection::new(&["counted"], &[]).unwrap();
    scene.dump(&chosen);
    let (report, _) = scene.compared(2, &chosen);
    assert!(report.is_same() && report.tables.len() == 1, "{report:?}");
    let (all, _) = scene.compared(2, &Selection::everything());
    let added: Vec<_> = all.tables.iter().filter(|table| table.state == TableState::OnlyAfter).collect();
    assert_eq!(added.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["items", "log", "places"]);
    assert_eq!(added[0].rows.added, 120_000);
    let sequence = all.tables.iter().find(|table| table.name == "sqlite_sequence").unwrap();
    assert_eq!(sequence.state, TableState::Same);
}

#[test]
fn another_key_in_a_database_is_counted_by_cells() {
    let scene =
        Scene::new("CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO t VALUES (1, 2), (2, 3), (3, 4)");
    scene.change(
        "DROP TABLE t; CREATE TABLE t (a, b PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES (3, 4), (1, 2), (9, 9)",
    );
    let (report, rows) = scene.compared(1, &Selection::everything());
    assert_eq!(report.tables[0].matching, RowMatching::KeyChanged);
    assert_eq!((report.tables[0].rows.added, report.tables[0].rows.removed), (1, 1));
    let nine = Value::Integer(9);
    assert!(rows.iter().any(|(_, change)| change.after == [("a".into(), nine.clone()), ("b".into(), nine.clone())]));
}

/// Counts rows and asks to stop after some.
struct Stops;

impl Observer for Stops {
    fn is_cancelled(&self) -> bool {
        true
    }
}

#[test]
fn a_comparison_stops_when_it_is_asked_to() {
    let scene = Scene::new(SCRIPT);
    scene.change("UPDATE items SET price = 1");
    let archive = Archive::open(&scene.path("app.tabark")).unwrap();
    let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
    let source = SqliteSource::open(&scene.path("app.sqlite")).unwrap();
    let stopped = compare(&snapshot, &source, &Selection::everything(), None, &Stops).unwrap_err();
    assert!(stopped.is_interrupted());
}

/// What SQLite's own tool says of two databases: table, changes, inserts, deletes, and rows that are the same.
fn sqldiff(before: &Path, after: &Path) -> Option<Vec<(String, u64, u64, u64)>> {
    let output = Command::new("sqldiff").arg("--primarykey").arg("--summary").args([before, after]).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |line: &str| {
        let (table, counts) = line.split_once(": ").unwrap();
        let numbers: Vec<u64> =
            counts.split(", ").map(|count| count.split(' ').next().unwrap().parse().unwrap()).collect();
        (table.to_owned(), numbers[0], numbers[1], numbers[2])
    };
    Some(text.lines().map(line).collect())
}

#[test]
fn sqldiff_counts_the_same_rows() {
    for (what, script) in
        CHANGES.into_iter().filter(|(what, _)| ["nothing", "few rows", "many rows", "kinds"].contains(what))
    {
        let scene = Scene::new(SCRIPT);
        std::fs::copy(scene.path("app.sqlite"), scene.path("before.sqlite")).unwrap();
        scene.change(script);
        let Some(told) = sqldiff(&scene.path("before.sqlite"), &scene.path("app.sqlite")) else { return };
        let (report, _) = scene.compared(1, &Selection::everything());
        let mut checked = 0;
        for (name, changed, added, removed) in told {
            let Some(table) = report.tables.iter().find(|table| table.name == name && name != "log") else { continue };
            let rows = &table.rows;
            assert_eq!((rows.changed, rows.added, rows.removed), (changed, added, removed), "{what}: {name}");
            checked += 1;
        }
        assert_eq!(checked, 4, "{what}");
    }
}
