//! `--where` and `--expire`: rows that are left out, and who says so.

use rusqlite::Connection;
use serde_json::{Value as Json, json};

use super::{FIRST, Folder};

/// Sessions around noon of the first of March, the time of `FIRST`.
const SESSIONS: &str = "
CREATE TABLE sessions (id INTEGER PRIMARY KEY, seen TEXT, \"order\" INTEGER);
INSERT INTO sessions VALUES (1, '2026-03-01 10:59:59', 5), (2, '2026-03-01 11:00:00', 6), (3, '2026-03-01T12:00:00Z', 7),
    (4, NULL, 8), (5, 'soon', 9), (6, '1969-12-31', 10);
CREATE TABLE visits (id INTEGER PRIMARY KEY, session INTEGER REFERENCES sessions(id));
INSERT INTO visits VALUES (1, 1), (2, 3);
";

fn ids(folder: &Folder, database: &str, table: &str) -> Vec<i64> {
    let connection = Connection::open(folder.path(database)).unwrap();
    let mut statement = connection.prepare(&format!("SELECT id FROM {table} ORDER BY id")).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The table of this name in a list of objects.
fn named<'j>(tables: &'j Json, name: &str) -> &'j Json {
    tables.as_array().unwrap().iter().find(|table| table["name"] == name).unwrap()
}

#[test]
fn an_expired_dump_says_what_it_left_out_and_so_does_everyone_after_it() {
    let folder = Folder::with(SESSIONS);
    let dump = ["dump", "app.sqlite", "app.tabark", "--time", FIRST, "--expire", "sessions.seen=60m"];
    let ran = folder.run(&dump).ended(0);
    let rule = "without rows whose seen is more than 1h before 2026-03-01T12:00:00Z";
    assert!(
        ran.out.contains(&format!(
            "partial: sessions: {rule}\n  2 rows too old and left out, 2 rows kept for want of a time\n"
        )),
        "{}",
        ran.out
    );

    let report = folder.run(&[&dump[..], &["--json"]].concat()).ended(0).json();
    let filter = json!({ "kind": "expire", "column": "seen", "age_micros": 3_600_000_000_u64, "time": FIRST, "time_micros": 1_772_366_400_000_000_i64 });
    let sessions = json!({ "name": "sessions", "rows": 4, "reading": "pages", "filters": [filter], "expired": 2, "without_time": 2 });
    assert_eq!(*named(&report["tables"], "sessions"), sessions);
    assert_eq!(named(&report["tables"], "visits")["filters"], json!([]));

    let shown = folder.run(&["show", "app.tabark"]).ended(0);
    assert!(shown.out.contains("sessions (partial)"), "{}", shown.out);
    assert!(shown.out.contains(&format!("partial: sessions: {rule}\n")), "{}", shown.out);
    let shown = folder.run(&["show", "app.tabark", "-t", "sessions"]).ended(0);
    assert!(shown.out.contains(rule), "{}", shown.out);
    let shown = folder.run(&["show", "app.tabark", "--json"]).ended(0).json();
    assert_eq!(named(&shown["tables"], "sessions")["filters"], json!([filter]));

    folder.run(&["verify", "app.tabark", "--full"]).ended(0);
    let restored = folder.run(&["restore", "app.tabark", "new.sqlite"]).ended(0);
    assert!(restored.out.contains(&format!("partial in the snapshot: sessions: {rule}\n")), "{}", restored.out);
    restored.says("warning: ").says("visits");
    assert_eq!(ids(&folder, "new.sqlite", "sessions"), [2, 3, 4, 5]);
    let plan = folder.run(&["restore", "app.tabark", "x.sqlite", "--dry-run", "--json"]).ended(0).json();
    assert_eq!(named(&plan["plan"]["tables"], "sessions")["filters"], json!([filter]));
}

#[test]
fn conditions_are_evaluated_by_the_source_and_kept_as_they_are_written() {
    let folder = Folder::with(SESSIONS);
    let condition =
        "\"order\" > 5 AND (sessions.seen <> ')' OR EXISTS (SELECT 1 FROM visits WHERE session = sessions.id))";
    let arguments = [
        "dump",
        "app.sqlite",
        "app.tabark",
        "--json",
        "--where",
        &format!("sessions={condition}"),
        "--where",
        "sessions=id<>3",
    ];
    let report = folder.run(&arguments).ended(0).json();
    let filters = json!([{ "kind": "where", "expression": condition }, { "kind": "where", "expression": "id<>3" }]);
    let sessions = named(&report["tables"], "sessions");
    assert_eq!((&sessions["filters"], &sessions["rows"]), (&filters, &json!(3)));
    assert_eq!(
        (&sessions["reading"], &named(&report["tables"], "visits")["reading"]),
        (&json!("sql"), &json!("pages"))
    );
    folder.run(&["restore", "app.tabark", "new.sqlite", "-t", "sessions"]).ended(0);
    assert_eq!(ids(&folder, "new.sqlite", "sessions"), [2, 5, 6]);
}

#[test]
fn what_is_no_rule_is_refused_before_anything_is_written() {
    let folder =
        Folder::with(&format!("{SESSIONS} CREATE VIEW v AS SELECT 1; CREATE VIRTUAL TABLE docs USING fts5(word);"));
    for (option, value, says) in [
        ("--where", "sessions=id) OR (1", "not one SQL expression: a parenthesis closes"),
        ("--where", "sessions=id -- all", "a comment"),
        ("--where", "sessions=id; DROP TABLE visits", "a semicolon"),
        ("--where", "sessions=", "not one SQL expression"),
        ("--where", "sessions=1 ORDER BY id", "not one SQL expression"),
        ("--where", "sessions=nope > 1", "no such column: nope"),
        ("--where", "sessions=id = ?", "a parameter"),
        ("--where", "sesions=id", "did you mean \"sessions\""),
        ("--where", "sessions", "write TABLE=SQL"),
        ("--where", "v=1", "no table matches \"v\""),
        ("--where", "docs_content=1", "storage of a virtual table"),
        ("--expire", "docs_content.c0=60m", "storage of a virtual table"),
        ("--expire", "sessions.sen=60m", "did you mean \"seen\""),
        ("--expire", "session.seen=60m", "did you mean \"sessions\""),
    ] {
        folder.run(&["dump", "app.sqlite", "x.tabark", option, value]).ended(1).says(says).says("error: ");
    }
    let ran =
        folder.run(&["dump", "app.sqlite", "x.tabark", "-T", "sessions", "--expire", "sessions.seen=1d"]).ended(1);
    ran.says("the table is not chosen");
    for value in ["sessions.seen", "sessions.seen=60", "sessions.seen=60 m", "sessions.seen=", "sessions.seen=0s"] {
        folder.run(&["dump", "app.sqlite", "x.tabark", "--expire", value]).ended(2);
    }
    assert_eq!(folder.names(), ["app.sqlite"]);
}

#[test]
fn a_restore_leaves_out_what_is_too_old_by_now() {
    let folder = Folder::with(SESSIONS);
    folder.sql("app.sqlite", "INSERT INTO sessions VALUES (7, '9999-01-01', 0)");
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    let restore = ["restore", "app.tabark", "new.sqlite", "-t", "sessions", "--expire", "sessions.seen=1s"];
    let planned = folder.run(&[&restore[..], &["--dry-run"]].concat()).ended(0);
    assert!(
        planned.out.contains("partial: sessions: without rows whose seen is more than 1s before "),
        "{}",
        planned.out
    );
    let ran = folder.run(&restore).ended(0);
    assert!(ran.out.contains("4 rows too old and left out, 2 rows kept for want of a time\n"), "{}", ran.out);
    assert!(
        ran.out.ends_with("proved: 1 of 1 table equals the snapshot, less the rows that are too old\n"),
        "{}",
        ran.out
    );
    assert_eq!(ids(&folder, "new.sqlite", "sessions"), [4, 5, 7]);

    let json = folder.run(&[&restore[..], &["--mode", "replace", "--json"]].concat()).ended(0).json();
    let table = &json["tables"][0];
    assert_eq!((&table["rows"], &table["expired"], &table["without_time"]), (&json!(3), &json!(4), &json!(2)));
    assert_eq!((&table["filters"], &table["expire"][0]["column"]), (&json!([]), &json!("seen")));
    assert_eq!(json["proved"], json!(true));
    assert_eq!(json["plan"]["tables"][0]["rows"], json!(7));

    let all = ["restore", "app.tabark", "all.sqlite", "--expire", "sessions.seen=1s"];
    folder.run(&all).ended(0).says("warning: ").says("visits");
    for (value, says) in [("visits.nope=1d", "no column \"nope\""), ("nope.seen=1d", "no table matches")] {
        folder.run(&["restore", "app.tabark", "x.sqlite", "--expire", value]).ended(1).says(says);
    }
    folder
        .run(&["restore", "app.tabark", "x.sqlite", "-t", "visits", "--expire", "sessions.seen=1d"])
        .ended(1)
        .says("not restored");
    assert!(!folder.has("x.sqlite"));
}
