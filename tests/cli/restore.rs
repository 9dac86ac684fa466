//! `tabark restore`.

use serde_json::json;

use super::{Folder, fields};

fn count(folder: &Folder, database: &str, table: &str) -> i64 {
    let connection = rusqlite::Connection::open(folder.path(database)).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn a_restore_is_proved() {
    let folder = Folder::dumped_twice();
    let ran = folder.run(&["restore", "app.tabark", "new.sqlite", "--at", "1"]).ended(0);
    assert!(ran.out.starts_with("restored snapshot 1 (2026-03-01T12:00:00Z) into new.sqlite"), "{}", ran.out);
    assert!(ran.out.ends_with("proved: 3 of 3 tables equal the snapshot\n"), "{}", ran.out);
    assert_eq!(ran.err, "");
    assert_eq!(count(&folder, "new.sqlite", "users"), 3);
    assert_eq!(count(&folder, "new.sqlite", "rich"), 2, "the view is there too");
    // A dump of what was restored has the fingerprint of what was dumped.
    folder.run(&["dump", "new.sqlite", "new.tabark"]).ended(0);
    let fingerprint = |archive: &str| {
        folder.run(&["show", archive, "--json", "--at", "1"]).ended(0).json()["snapshot"]["fingerprint"].clone()
    };
    assert_eq!(fingerprint("new.tabark"), fingerprint("app.tabark"));
}

#[test]
fn a_restore_as_json() {
    let folder = Folder::dumped();
    let report = folder.run(&["restore", "app.tabark", "new.sqlite", "--json", "-t", "users"]).ended(0).json();
    let expected = "archive target dry_run snapshot mode new_file plan tables proved warnings";
    assert_eq!(fields(&report).join(" "), expected);
    assert_eq!(fields(&report["snapshot"]), ["number", "time", "time_micros", "root"]);
    assert_eq!(fields(&report["plan"]), ["tables", "objects", "bookkeeping", "settings", "definitions"]);
    assert_eq!(
        fields(&report["plan"]["tables"][0]),
        ["name", "role", "rows", "stored_bytes", "filters", "expire", "action"]
    );
    assert_eq!(fields(&report["plan"]["objects"][0]), ["kind", "name", "table", "replaces"]);
    assert_eq!(
        fields(&report["tables"][0]),
        ["name", "rows", "fingerprint", "filters", "expire", "expired", "without_time", "proved", "as_pages"]
    );
    assert_eq!(report["tables"][0]["as_pages"], json!(true));
    assert_eq!((&report["mode"], &report["new_file"]), (&json!("create"), &json!(true)));
    assert_eq!((&report["dry_run"], &report["proved"]), (&json!(false), &json!(true)));
}

#[test]
fn a_restore_leaves_out_what_is_not_wanted() {
    let folder = Folder::dumped();
    folder.sql("docs.sqlite", "CREATE TABLE t (a); CREATE VIRTUAL TABLE docs USING fts5(a);");
    folder.run(&["dump", "docs.sqlite", "docs.tabark"]).ended(0);
    let restored = |archive: &str, extra: &[&str]| {
        let ran = folder.run(&[&["restore", archive, "new.sqlite", "--json", "--dry-run"], extra].concat()).ended(0);
        let tables = ran.json()["plan"]["tables"].as_array().unwrap().clone();
        tables.iter().map(|table| table["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(restored("app.tabark", &["-T", "users", "-T", "odd*", "-T", "rich"]), ["venues"]);
    assert_eq!(restored("app.tabark", &["-t", "*s", "--exclude-table", "users"]), ["venues"]);
    assert_eq!(restored("docs.tabark", &["-T", "docs"]), ["t"], "the storage is left out too");
    folder.run(&["restore", "app.tabark", "new.sqlite", "-T", "usrs"]).ended(1).says("did you mean \"users\"");
    folder.run(&["restore", "docs.tabark", "new.sqlite", "-T", "docs"]).ended(0);
    assert_eq!(count(&folder, "new.sqlite", "sqlite_schema"), 1);
}

#[test]
fn a_dry_run_changes_nothing() {
    let folder = Folder::dumped();
    let names = folder.names();
    let ran = folder.run(&["restore", "app.tabark", "new.sqlite", "--dry-run"]).ended(0);
    assert!(ran.out.starts_with("would restore snapshot 1"), "{}", ran.out);
    assert!(ran.out.lines().all(|line| line.chars().count() < 100), "{}", ran.out);
    assert!(ran.out.contains("create") && ran.out.ends_with("nothing was changed (--dry-run)\n"), "{}", ran.out);
    let report = folder.run(&["restore", "app.tabark", "new.sqlite", "--dry-run", "--json"]).ended(0).json();
    assert_eq!((&report["tables"], &report["proved"]), (&json!(null), &json!(null)));
    assert_eq!(folder.names(), names);
}

#[test]
fn modes_decide_about_tables_that_exist() {
    let folder = Folder::dumped();
    let restore = |mode: &str| folder.run(&["restore", "app.tabark", "app.sqlite", "-t", "users", "--mode", mode]);
    let before = folder.bytes("app.sqlite");
    let refused = restore("create").ended(1);
    refused.says("users").says("hint: ");
    assert!(folder.bytes("app.sqlite") == before);
    folder.sql("app.sqlite", "DELETE FROM users");
    restore("append").ended(0);
    assert_eq!(count(&folder, "app.sqlite", "users"), 3);
    folder.sql("app.sqlite", "DELETE FROM users WHERE id = 1");
    restore("replace").ended(0);
    assert_eq!(count(&folder, "app.sqlite", "users"), 3);
    assert_eq!(count(&folder, "app.sqlite", "venues"), 2, "what was not chosen stays");
}

#[test]
fn an_unknown_mode_is_an_error() {
    let folder = Folder::dumped();
    folder
        .run(&["restore", "app.tabark", "x", "--mode", "overwrite"])
        .ended(2)
        .says("create, replace, append or upsert");
    assert_eq!(folder.names(), ["app.sqlite", "app.tabark"]);
}

#[test]
fn what_is_worth_knowing_is_told() {
    let folder = Folder::with(
        "CREATE TABLE users (id INTEGER PRIMARY KEY);
         CREATE TABLE sessions (user_id REFERENCES users (id));
         INSERT INTO users VALUES (1); INSERT INTO sessions VALUES (1);",
    );
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    let ran = folder.run(&["restore", "app.tabark", "new.sqlite", "-t", "sessions", "--json"]).ended(0);
    ran.says("warning: ").says("\"users\"");
    assert_eq!(ran.json()["warnings"].as_array().unwrap().len(), 1);
}

#[test]
fn targets_that_cannot_be_are_refused() {
    let folder = Folder::dumped();
    let archive = folder.bytes("app.tabark");
    folder.run(&["restore", "app.tabark", "app.tabark"]).ended(1).says("is the archive itself");
    let ran = folder.run(&["restore", "app.tabark", "postgres://ada:secret@127.0.0.1:1/app"]).ended(1);
    assert!(!ran.err.contains("secret"), "{}", ran.err);
    for name in ["new.sqlite-journal", "new.sqlite-wal"] {
        std::fs::copy(folder.path("app.tabark"), folder.path(name)).unwrap();
        folder.run(&["restore", &format!("./{name}"), "new.sqlite"]).ended(1).says("SQLite uses");
        assert!(folder.bytes(name) == archive, "the archive is as it was");
        std::fs::remove_file(folder.path(name)).unwrap();
    }
    folder.run(&["restore", "app.tabark", "."]).ended(1).says("error: ");
    folder.run(&["restore", "app.tabark", "new.sqlite", "-t", "usrs"]).ended(1).says("did you mean \"users\"");
    folder.run(&["restore", "app.tabark", "new.sqlite", "--at", "7"]).ended(1).says("error: ");
    assert!(folder.bytes("app.tabark") == archive && !folder.has("new.sqlite"));
}

#[test]
fn damage_stops_a_restore_before_it_begins() {
    let folder = Folder::dumped();
    let mut bytes = folder.bytes("app.tabark");
    bytes[64 + 104 + 50] ^= 1;
    folder.write("app.tabark", &bytes);
    let ran = folder.run(&["restore", "app.tabark", "new.sqlite", "--json"]).ended(3);
    ran.says("error: damaged archive: ");
    assert_eq!(ran.json()["error"]["exit_code"], json!(3));
    assert!(!folder.has("new.sqlite"));
}
