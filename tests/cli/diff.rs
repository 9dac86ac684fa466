//! `tabark diff` and `tabark compare`.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value as Json, json};

use super::{FIRST, Folder, SECOND};

/// With one snapshot, and a database that has changed since.
fn changed() -> Folder {
    let folder = Folder::dumped();
    folder.sql(
        "app.sqlite",
        "UPDATE users SET score = 2, email = x'01' WHERE id = 1; DELETE FROM users WHERE id = 2;
         INSERT INTO users VALUES (9, 'new', NULL, NULL); DROP TRIGGER users_added; CREATE TABLE more (a);
         INSERT INTO more VALUES (1); DROP VIEW rich;",
    );
    folder
}

/// Its rows that differ.
const ROWS: &str = concat!(
    r#"{"table":"more","change":"added","key":{"rowid":1},"before":null,"after":{"rowid":1,"a":1}}"#,
    "\n",
    r#"{"table":"users","change":"changed","key":{"id":1},"before":{"email":"ada@example.org","score":1.5},"after":{"email":{"bytes":"01"},"score":2.0}}"#,
    "\n",
    r#"{"table":"users","change":"removed","key":{"id":2},"before":{"id":2,"email":null,"score":-0.25,"photo":null},"after":null}"#,
    "\n",
    r#"{"table":"users","change":"added","key":{"id":9},"before":null,"after":{"id":9,"email":"new","score":null,"photo":null}}"#,
    "\n",
);

/// What both commands tell people.
const TOLD: &str = concat!(
    "  more   +1          table added\n",
    "  users  +1  -1  ~1  email (1), score (1)\n",
    "    trigger users_added removed\n",
    "  view rich removed\n",
    "2 tables differ; the same: 2 tables\n",
);

#[test]
fn people_see_a_line_for_each_table_that_differs() {
    let folder = changed();
    let ran = folder.run(&["compare", "app.tabark", "app.sqlite"]).ended(1);
    assert_eq!((ran.out, ran.err.as_str()), (format!("from snapshot 1 ({FIRST}) to app.sqlite\n{TOLD}"), ""));
    folder.run(&["dump", "app.sqlite", "app.tabark", "--time", SECOND]).ended(0);
    let ran = folder.run(&["diff", "app.tabark", "1", "latest"]).ended(1);
    let from = "from snapshot 1 (2026-03-01T12:00:00Z) to snapshot 2 (2026-03-02T12:00:00Z)";
    assert_eq!((ran.out, ran.err.as_str()), (format!("{from}\n{TOLD}"), ""));
    let same = folder.run(&["compare", "app.tabark", "app.sqlite"]).ended(0);
    assert!(same.out.ends_with("nothing differs: 4 tables\n"), "{same:?}");
    folder.run(&["compare", "app.tabark", "app.sqlite", "--at", "1"]).ended(1);
    folder.run(&["compare", "app.tabark", "app.sqlite", "--at", "1", "-t", "venues"]).ended(0);
    folder.run(&["diff", "app.tabark", "1", "2", "-t", "venues"]).ended(0);
    folder.run(&["diff", "app.tabark", "2", "2"]).ended(0);
}

#[test]
fn rows_are_lines_of_json() {
    let folder = changed();
    let live = folder.run(&["compare", "app.tabark", "app.sqlite", "--rows"]).ended(1);
    assert_eq!((live.out.as_str(), live.err.as_str()), (ROWS, ""));
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    let stored = folder.run(&["diff", "app.tabark", "1", "2", "--rows"]).ended(1);
    assert_eq!(stored.out, ROWS);
    let back = folder.run(&["diff", "app.tabark", "2", "1", "--rows", "-t", "more"]).ended(1);
    assert_eq!(
        back.out,
        "{\"table\":\"more\",\"change\":\"removed\",\"key\":{\"rowid\":1},\"before\":{\"rowid\":1,\"a\":1},\"after\":null}\n"
    );
    assert_eq!(folder.run(&["diff", "app.tabark", "1", "2", "--rows", "-t", "venues"]).ended(0).out, "");
}

#[test]
fn programs_get_an_object() {
    let folder = changed();
    let live = folder.run(&["compare", "app.tabark", "app.sqlite", "--json"]).ended(1).json();
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    let stored = folder.run(&["diff", "app.tabark", "1", "2", "--json"]).ended(1).json();
    for part in ["same", "tables", "objects", "settings"] {
        assert_eq!(live[part], stored[part], "{part}");
    }
    assert_eq!((&stored["before"]["number"], &stored["after"]["number"]), (&json!(1), &json!(2)));
    assert_eq!((&live["snapshot"], &live["source"]), (&stored["before"], &json!("app.sqlite")));
    assert_eq!(stored["same"], json!(false));
    let table = |name: &str| -> Json {
        stored["tables"].as_array().unwrap().iter().find(|table| table["name"] == name).unwrap().clone()
    };
    let users = table("users");
    assert_eq!(users["change"], "changed");
    assert_eq!((&users["rows_before"], &users["rows_after"]), (&json!(3), &json!(3)));
    assert_eq!([&users["added"], &users["removed"], &users["changed"]], [&json!(1); 3]);
    assert_eq!(users["columns"], json!([{ "name": "email", "rows": 1 }, { "name": "score", "rows": 1 }]));
    let trigger = &users["schema"][0];
    assert_eq!(
        (&trigger["what"], &trigger["change"], &trigger["after"]),
        (&json!("trigger"), &json!("removed"), &json!(null))
    );
    assert!(trigger["before"].as_str().unwrap().starts_with("CREATE TRIGGER"));
    assert_eq!((&table("more")["change"], &table("more")["rows_before"]), (&json!("added"), &json!(null)));
    assert_eq!((&table("venues")["change"], &table("venues")["schema"]), (&json!("same"), &json!([])));
    assert_eq!(stored["objects"][0]["name"], "rich");
}

#[test]
fn failures_do_not_look_like_differences() {
    let folder = Folder::dumped();
    folder.run(&["diff", "app.tabark", "1", "7"]).ended(2).says("7");
    folder.run(&["diff", "nothing.tabark", "1", "1"]).ended(2);
    folder.run(&["diff", "app.tabark", "1"]).ended(2).says("<AFTER>");
    folder.run(&["diff", "app.tabark", "1", "1", "-t", "usrs"]).ended(2).says("did you mean \"users\"");
    folder.run(&["diff", "app.tabark", "1", "1", "--rows", "--json"]).ended(2).says("--json");
    folder.run(&["compare", "app.tabark", "nothing.sqlite"]).ended(2);
    assert!(!folder.has("nothing.sqlite"));
    folder.run(&["compare", "app.tabark", "postgres://u:secret@host/db"]).ended(2).says("PostgreSQL");
    let error = folder.run(&["compare", "app.tabark", "nothing.sqlite", "--json"]).ended(2).json();
    assert_eq!(error["error"]["exit_code"], 2);
    folder.run(&["diff", "app.sqlite", "1", "1"]).ended(3);
    let mut bytes = folder.bytes("app.tabark");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    folder.write("hurt.tabark", &bytes);
    folder.sql(
        "app.sqlite",
        "UPDATE users SET score = 7; UPDATE venues SET city = 'x'; UPDATE \"odd\x1b[31m\" SET c = 1",
    );
    folder.run(&["compare", "hurt.tabark", "app.sqlite"]).ended(3);
}

#[test]
fn names_and_keys_are_shown_without_harm() {
    let folder = Folder::dumped();
    folder.sql("app.sqlite", "DELETE FROM \"odd\x1b[31m\"; CREATE VIEW \"a\x1b[2J\" AS SELECT 1;");
    let ran = folder.run(&["compare", "app.tabark", "app.sqlite"]).ended(1);
    assert!(!ran.out.contains('\x1b'), "{ran:?}");
    assert!(ran.out.contains("odd\\u{1b}[31m") && ran.out.contains("-2"), "{ran:?}");
}

#[test]
fn another_key_is_said() {
    let folder = Folder::with("CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO t VALUES (1, 2), (2, 3)");
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    folder.sql(
        "app.sqlite",
        "DROP TABLE t; CREATE TABLE t (a, b PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES (1, 2), (5, 5)",
    );
    let ran = folder.run(&["compare", "app.tabark", "app.sqlite"]).ended(1);
    assert!(ran.out.contains("another key: rows are told apart by all their cells"), "{ran:?}");
    assert!(ran.out.contains("key changed: a -> b"), "{ran:?}");
    let rows = folder.run(&["compare", "app.tabark", "app.sqlite", "--rows"]).ended(1);
    assert!(rows.out.contains(r#"{"table":"t","change":"added","key":null,"before":null,"after":{"a":5,"b":5}}"#));
}

#[test]
fn a_reader_that_goes_away_leaves_the_exit_code() {
    let folder = Folder::with(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
         INSERT INTO t SELECT i, 'row ' || i FROM n;",
    );
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    folder.sql("app.sqlite", "DELETE FROM t");
    let mut child =
        folder.command(&["compare", "app.tabark", "app.sqlite", "--rows"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 10]).unwrap();
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_part_of_a_table_is_compared_with_that_part() {
    let folder = Folder::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, v);
         INSERT INTO t VALUES (1, '2026-02-01', 'old'), (2, '2026-03-01', 'new'), (3, '2026-03-01', 'draft');",
    );
    let dump =
        ["dump", "app.sqlite", "app.tabark", "--time", FIRST, "--expire", "t.at=1d", "--where", "t=v <> 'draft'"];
    folder.run(&dump).ended(0);
    let same = folder.run(&["compare", "app.tabark", "app.sqlite"]).ended(0);
    assert!(same.out.contains("t was compared as it was dumped: "), "{same:?}");
    let object = folder.run(&["compare", "app.tabark", "app.sqlite", "--json"]).ended(0).json();
    assert_eq!((&object["partial"][0]["name"], &object["tables"][0]["rows_after"]), (&json!("t"), &json!(1)));
    folder.sql("app.sqlite", "UPDATE t SET v = 'changed' WHERE id < 3");
    let rows = folder.run(&["compare", "app.tabark", "app.sqlite", "--rows"]).ended(1);
    assert_eq!(
        rows.out,
        "{\"table\":\"t\",\"change\":\"changed\",\"key\":{\"id\":2},\"before\":{\"v\":\"new\"},\"after\":{\"v\":\"changed\"}}\n"
    );
}
