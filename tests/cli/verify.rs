//! `tabark verify`: what is damaged, what is not, and the exit codes that scripts go by.

use std::process::Stdio;

use serde_json::json;
use tabark::archive::{Archive, SnapshotSelector};

use super::{Folder, fields};

/// Flips a bit in the body of the frame that a column of a table stands in; gives the frame's offset.
fn damage(folder: &Folder, table: &str, column: usize) -> u64 {
    let archive = Archive::open(&folder.path("app.tabark")).unwrap();
    let found = archive.select(&SnapshotSelector::Latest).unwrap().table(table).unwrap();
    let place = found.groups().next().unwrap().unwrap();
    let frame = *place.frame_of(&place.entry.blocks[column].base().unwrap().slice).unwrap();
    let mut bytes = folder.bytes("app.tabark");
    bytes[usize::try_from(frame.offset + frame.length - 1).unwrap()] ^= 4;
    folder.write("app.tabark", &bytes);
    frame.offset
}

/// Two tables whose columns are large enough for frames of their own.
fn large() -> Folder {
    let folder = Folder::with(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE venues (id INTEGER PRIMARY KEY, name TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO users SELECT i, hex(i * 7919) || ' name' FROM n;
         INSERT INTO venues SELECT * FROM users;",
    );
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    folder
}

#[test]
fn an_intact_archive_says_so() {
    let folder = Folder::dumped_twice();
    let root = folder.run(&["list", "app.tabark", "--json"]).json()["snapshots"][1]["root"].clone();
    for extra in [&[][..], &["--full"], &["--root", root.as_str().unwrap()]] {
        let ran = folder.run(&[&["verify", "app.tabark"], extra].concat()).ended(0);
        assert!(ran.out.starts_with("intact: 2 snapshots, 5 tables, "), "{}", ran.out);
        assert!(ran.out.contains(root.as_str().unwrap()), "{}", ran.out);
        assert_eq!(ran.err, "");
    }
    let part = folder.run(&["verify", "app.tabark", "--at", "1", "-t", "users"]).ended(0);
    assert!(part.out.starts_with("intact: 1 snapshot, 1 table, "), "{}", part.out);
    folder.run(&["verify", "app.tabark", "-t", "usrs"]).ended(1).says("did you mean \"users\"");
}

#[test]
fn an_intact_archive_as_json() {
    let folder = Folder::dumped();
    let report = folder.run(&["verify", "app.tabark", "--json", "--full"]).ended(0).json();
    let expected = "archive tail_bytes being_written intact full snapshots frames bytes newest tables findings";
    assert_eq!(fields(&report).join(" "), expected);
    assert_eq!((&report["intact"], &report["full"], &report["findings"]), (&json!(true), &json!(true), &json!([])));
    assert_eq!(report["bytes"], json!(folder.bytes("app.tabark").len()));
    assert_eq!(fields(&report["newest"]), ["number", "root"]);
    let users = json!({ "name": "users", "snapshot": 1, "rows": 3, "intact_rows": 3, "intact": true });
    assert_eq!(report["tables"][1], users);
}

#[test]
fn damage_names_table_rows_and_offset_and_what_is_left() {
    let folder = large();
    let offset = damage(&folder, "venues", 1);
    let ran = folder.run(&["verify", "app.tabark"]).ended(3);
    let finding = format!("damaged: table \"venues\", rows 0 to 4999, column name, offset {offset}\n  ");
    assert!(ran.out.starts_with(&finding), "{}", ran.out);
    assert!(ran.out.contains("DAMAGED") && ran.out.ends_with("intact: 1 table\n"), "{}", ran.out);
    let report = folder.run(&["verify", "app.tabark", "--json"]).ended(3).json();
    let finding = &report["findings"][0];
    assert_eq!(fields(finding).join(" "), "kind message table offset layer hint snapshot rows column");
    assert_eq!((&finding["kind"], &finding["layer"]), (&json!("damaged"), &json!("frame")));
    assert_eq!((&finding["offset"], &finding["snapshot"]), (&json!(offset), &json!(1)));
    assert_eq!(finding["rows"], json!({ "start": 0, "end": 5000 }));
    let left = |index: usize| report["tables"][index]["intact_rows"].clone();
    assert_eq!([left(0), left(1)], [json!(5000), json!(0)]);
    // The other table is proven on its own, and read.
    folder.run(&["verify", "app.tabark", "-t", "users", "--full"]).ended(0);
    assert_eq!(folder.run(&["cat", "app.tabark", "-t", "users"]).ended(0).out.lines().count(), 5001);
    let cat = folder.run(&["cat", "app.tabark", "-t", "venues"]).ended(3);
    cat.says("error: damaged archive: ").says("table \"venues\"");
}

#[test]
fn findings_that_differ_in_the_column_only_are_one_line() {
    let folder = Folder::dumped();
    damage(&folder, "users", 0);
    let ran = folder.run(&["verify", "app.tabark"]).ended(3);
    assert!(ran.out.contains("table \"users\", rows 0 to 2, columns id email score photo, offset"), "{}", ran.out);
    let report = folder.run(&["verify", "app.tabark", "--json"]).ended(3).json();
    assert!(report["findings"].as_array().unwrap().len() > 3);
}

#[test]
fn a_reader_that_goes_away_does_not_change_the_code() {
    let folder = large();
    damage(&folder, "venues", 1);
    let mut command = folder.command(&["verify", "app.tabark"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    super::Ran::of(child.wait_with_output().unwrap()).ended(3);
}

#[test]
fn another_root_is_a_finding() {
    let folder = Folder::dumped();
    let ran = folder.run(&["verify", "app.tabark", "--root", &"ab".repeat(32)]).ended(3);
    assert!(ran.out.contains("not the expected one"), "{}", ran.out);
}

#[test]
fn a_tail_is_a_finding() {
    let folder = Folder::dumped();
    let mut bytes = folder.bytes("app.tabark");
    bytes.extend_from_slice(b"left over");
    folder.write("app.tabark", &bytes);
    let ran = folder.run(&["verify", "app.tabark"]).ended(3);
    assert!(ran.out.contains("9 bytes after the last commit belong to no snapshot"), "{}", ran.out);
    assert!(ran.out.contains("hint: "), "{}", ran.out);
    folder.run(&["verify", "app.tabark", "--at", "1"]).ended(0).says("warning: 9 bytes after the last commit");
}

#[test]
fn what_is_no_archive_and_what_is_a_newer_one() {
    let folder = Folder::dumped();
    let archive = folder.bytes("app.tabark");
    folder.write("text.tabark", b"hello");
    folder.write("empty.tabark", b"");
    folder.write("cut.tabark", &archive[..archive.len() - 1]);
    let mut newer = archive[..32].to_vec();
    newer[8] = 3;
    let digest = blake3::hash(&newer);
    newer.extend_from_slice(digest.as_bytes());
    newer.extend_from_slice(&archive[64..]);
    folder.write("newer.tabark", &newer);
    for command in ["verify", "list", "show"] {
        for file in ["text.tabark", "empty.tabark", "cut.tabark"] {
            let ran = folder.run(&[command, file, "--json"]).ended(3);
            ran.says("error: damaged archive: ");
            assert_eq!(ran.json()["error"]["kind"], json!("damaged"), "{command} {file}");
        }
        let ran = folder.run(&[command, "newer.tabark", "--json"]).ended(4);
        ran.says("error: format version 3; this program reads version 2").says("hint: use a newer tabark");
        let error = &ran.json()["error"];
        assert_eq!(fields(error).join(" "), "kind message table offset layer hint exit_code");
        assert_eq!((&error["kind"], &error["exit_code"]), (&json!("unsupported"), &json!(4)));
        folder.run(&[command, "nope.tabark"]).ended(1).says("error: opening archive nope.tabark");
    }
    folder.run(&["dump", "app.sqlite", "newer.tabark"]).ended(4);
    assert_eq!(folder.bytes("newer.tabark"), newer);
}
