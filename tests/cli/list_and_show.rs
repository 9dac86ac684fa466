//! `tabark list` and `tabark show`, and all forms of `--at`.

use serde_json::{Value as Json, json};

use super::{FIRST, Folder, SECOND, fields};

#[test]
fn a_list_shows_all_snapshots() {
    let folder = Folder::dumped_twice();
    let ran = folder.run(&["list", "app.tabark"]).ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ran.out);
    assert!(lines[1].starts_with("1  2026-03-01T12:00:00Z       3     7"), "{}", ran.out);
    assert!(lines[2].ends_with("deploy=v2"), "{}", ran.out);
    assert!(lines[3].starts_with("2 snapshots, "), "{}", ran.out);
    assert!(lines.iter().all(|line| line.chars().count() < 100), "{}", ran.out);
    assert_eq!(ran.err, "");
}

#[test]
fn a_list_as_json() {
    let folder = Folder::dumped_twice();
    let list = folder.run(&["list", "app.tabark", "--json"]).ended(0).json();
    assert_eq!(fields(&list).join(" "), "archive archive_id bytes tail_bytes snapshots damaged erasures");
    assert_eq!(list["bytes"], json!(folder.bytes("app.tabark").len()));
    let snapshots = list["snapshots"].as_array().unwrap();
    let expected = "number time time_micros tags tables rows bytes_added root";
    assert!(snapshots.iter().all(|snapshot| fields(snapshot).join(" ") == expected));
    assert_eq!((&snapshots[0]["time"], &snapshots[1]["time"]), (&json!(FIRST), &json!(SECOND)));
    assert_eq!(snapshots[1]["tags"], json!({ "deploy": "v2" }));
}

#[test]
fn a_list_shows_what_is_intact_beside_a_damaged_snapshot() {
    let folder = Folder::dumped_twice();
    let archive = tabark::archive::Archive::open(&folder.path("app.tabark")).unwrap();
    let place = usize::try_from(archive.snapshots().unwrap()[0].manifest.offset).unwrap() + 110;
    drop(archive);
    let mut bytes = folder.bytes("app.tabark");
    bytes[place] ^= 1;
    folder.write("app.tabark", &bytes);
    let ran = folder.run(&["list", "app.tabark"]).ended(3);
    assert!(ran.out.contains("2026-03-02") && !ran.out.contains("2026-03-01"), "{}", ran.out);
    ran.says("warning: a snapshot cannot be listed: damaged archive:");
    let list = folder.run(&["list", "app.tabark", "--json"]).ended(3).json();
    assert_eq!(list["damaged"].as_array().unwrap().len(), 1);
    folder.run(&["restore", "app.tabark", "new.sqlite", "--at", "2"]).ended(0);
    folder.run(&["restore", "app.tabark", "old.sqlite", "--at", "1"]).ended(3);
}

#[test]
fn every_form_of_at_finds_its_snapshot() {
    let folder = Folder::dumped_twice();
    let list = folder.run(&["list", "app.tabark", "--json"]).json();
    let root = |index: usize| list["snapshots"][index]["root"].as_str().unwrap().to_owned();
    let number = |at: &str| {
        folder.run(&["show", "app.tabark", "--json", "--at", at]).ended(0).json()["snapshot"]["number"].clone()
    };
    for at in [
        "1",
        "2026-03-01",
        "2026-03-01T12:00",
        "2026-03-01T12:00:00",
        FIRST,
        "2026-03-02T12:00:00Z".replace("02T", "01T").as_str(),
        "2026-03-02T11:59",
        "tag:deploy=v1",
        &root(0),
        &root(0)[..10],
    ] {
        assert_eq!(number(at), json!(1), "{at}");
    }
    for at in ["latest", "2", "2026-03-02", "2026-03-02T12:00:00Z", "2030-01-01", "tag:deploy=v2", &root(1)[..12]] {
        assert_eq!(number(at), json!(2), "{at}");
    }
    for at in ["3", "2026-02-28", "tag:deploy=v3", "tag:other=v1", "beefbeefbeef"] {
        let ran = folder.run(&["show", "app.tabark", "--json", "--at", at]).ended(1);
        ran.says("error: the archive does not hold").says("hint: `tabark list ARCHIVE`");
        assert_eq!(ran.json()["error"]["exit_code"], json!(1));
    }
}

#[test]
fn a_snapshot_is_shown_with_its_tables() {
    let folder = Folder::dumped();
    let ran = folder.run(&["show", "app.tabark"]).ended(0);
    for part in
        ["snapshot 1, 2026-03-01T12:00:00Z", "app.sqlite (sqlite 3.", "deploy=v1", "3 tables, 7 rows", "view rich"]
    {
        assert!(ran.out.contains(part), "no \"{part}\" in {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}') && ran.out.contains("odd\\u{1b}[31m"), "{}", ran.out);
    assert!(ran.out.lines().all(|line| line.chars().count() < 100), "{}", ran.out);
}

#[test]
fn a_table_is_shown_with_its_columns() {
    let folder = Folder::dumped();
    let ran = folder.run(&["show", "app.tabark", "-t", "users"]).ended(0);
    for part in [
        "table users",
        "3 in 1 row group",
        "rowid=id",
        "\"\" .. \"ada@examp…\"",
        "-0.25 .. inf",
        "x'' .. x'00ff'",
        "index users_by_score",
        "trigger users_added",
        "CREATE TABLE users (id INTEGER PRIMARY KEY",
    ] {
        assert!(ran.out.contains(part), "no \"{part}\" in {}", ran.out);
    }
    let odd = folder.run(&["show", "app.tabark", "-t", "odd*"]).ended(0);
    assert!(!odd.out.contains('\u{1b}'), "{}", odd.out);
    assert!(odd.out.contains("rowid (hidden)"), "{}", odd.out);
    let venues = folder.run(&["show", "app.tabark", "-t", "venues"]).ended(0);
    assert!(venues.out.contains("computed, not stored  twice"), "{}", venues.out);
    folder.run(&["show", "app.tabark", "-t", "user"]).ended(1).says("hint: did you mean \"users\"");
}

#[test]
fn a_snapshot_as_json() {
    let folder = Folder::dumped();
    let shown = folder.run(&["show", "app.tabark", "--json"]).ended(0).json();
    assert_eq!(fields(&shown), ["archive", "tail_bytes", "snapshot", "tables", "objects", "omitted"]);
    let expected = "number time time_micros tags tables rows bytes_added root logical_bytes fingerprint writer source";
    assert_eq!(fields(&shown["snapshot"]).join(" "), expected);
    assert_eq!(fields(&shown["snapshot"]["source"]), ["engine", "engine_version", "name", "settings"]);
    assert_eq!(shown["snapshot"]["source"]["name"], json!("app.sqlite"));
    assert_eq!(shown["objects"][0]["kind"], json!("view"));
    let table = &shown["tables"][1];
    let brief = "name role rows filters row_groups column_count logical_bytes stored_bytes key fingerprint";
    assert_eq!(fields(table).join(" "), brief);
    assert_eq!(table["key"], json!([{ "column": "id", "descending": false, "collation": "BINARY" }]));
}

#[test]
fn a_table_as_json() {
    let folder = Folder::dumped();
    let shown = folder.run(&["show", "app.tabark", "--json", "-t", "users"]).ended(0).json();
    let table = &shown["tables"][0];
    let details = ["columns", "generated", "options", "attached", "definition"];
    assert!(fields(table).ends_with(&details), "{table}");
    assert_eq!(table["attached"][0]["name"], json!("users_by_score"));
    let score = &table["columns"][2];
    let expected = "name declared_type logical nullable hidden nulls logical_bytes stored_bytes encodings minimum maximum fingerprint";
    assert_eq!(fields(score).join(" "), expected);
    assert_eq!(score["minimum"], json!({ "value": -0.25, "exact": true }));
    assert_eq!(score["maximum"], json!({ "value": { "real": "inf" }, "exact": true }));
    assert_eq!(table["columns"][3]["maximum"]["value"], json!({ "bytes": "00ff" }));
    assert_eq!(table["columns"][1]["nulls"], json!(1));
    assert_eq!(score["encodings"][0]["blocks"], json!(1));
}

#[test]
fn a_tail_is_told_of() {
    let folder = Folder::dumped();
    let mut bytes = folder.bytes("app.tabark");
    bytes.extend_from_slice(&[0; 55]);
    folder.write("app.tabark", &bytes);
    for arguments in [&["list", "app.tabark"][..], &["show", "app.tabark"], &["cat", "app.tabark", "-t", "users"]] {
        folder.run(arguments).ended(0).says("warning: 55 bytes after the last commit belong to no snapshot");
    }
    let tail = |command: &str| folder.run(&[command, "app.tabark", "--json"]).json()["tail_bytes"].clone();
    assert_eq!([tail("list"), tail("show")], [Json::from(55), Json::from(55)]);
}
