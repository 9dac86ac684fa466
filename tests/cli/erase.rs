//! `tabark erase` and `tabark erasures`: what is to go is told before it goes, and remembered after.

use serde_json::json;

use super::{Folder, fields};

const SCRIPT: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user INT REFERENCES users, what TEXT);
CREATE TABLE notes (user INT, day TEXT, note TEXT, PRIMARY KEY (user, day)) WITHOUT ROWID;
CREATE TABLE log (line TEXT);
INSERT INTO users VALUES (1, 'ada@example.org', 'Ada'), (2, 'bo@example.org', 'Bo Marker'), (-3, NULL, 'x');
INSERT INTO orders VALUES (10, 1, 'tea'), (20, 2, 'Marker tea'), (21, 2, 'Marker milk');
INSERT INTO notes VALUES (1, 'a', 'n'), (1, 'b', 'n'), (2, 'a', 'n');
INSERT INTO log VALUES ('one'), ('--two');
";

fn dumped() -> Folder {
    let folder = Folder::with(SCRIPT);
    for tag in ["n=1", "n=2"] {
        folder.run(&["dump", "app.sqlite", "app.tabark", "--tag", tag]).ended(0);
    }
    folder
}

fn lines(folder: &Folder, at: &str, table: &str) -> usize {
    folder.run(&["cat", "app.tabark", "--at", at, "-t", table, "--format", "jsonl"]).ended(0).out.lines().count()
}

#[test]
fn the_plan_is_told_then_done_and_listed() {
    let folder = dumped();
    let before = folder.bytes("app.tabark");
    let erase = ["erase", "app.tabark", "-t", "users", "--key", "2", "--cascade", "--reason", "asked to"];
    let plan = folder.run(&[&erase[..], &["--dry-run"]].concat()).ended(0);
    let told = "\
erase from users by id: 1 key found
snapshots  table   rows in each
1 to 2     orders             2
           users              1
6 rows to erase, from 2 of 2 snapshots
";
    assert_eq!(plan.out, format!("{told}nothing was changed (--dry-run)\n"));
    assert!(folder.bytes("app.tabark") == before);
    let done = folder.run(&erase).ended(0);
    assert!(done.out.starts_with(&format!("{told}erased 6 rows: ")), "{done:?}");
    for at in ["1", "2"] {
        assert_eq!((lines(&folder, at, "users"), lines(&folder, at, "orders")), (2, 1));
    }
    let listed = folder.run(&["list", "app.tabark"]).ended(0).out;
    assert!(listed.ends_with(" 2 rows of users, 4 rows of orders in 2 of 2 snapshots: asked to\n"), "{listed}");
    let listed = folder.run(&["list", "app.tabark", "--json"]).json();
    let expected = ["time", "time_micros", "table", "columns", "keys", "rows", "others", "snapshots", "reason"];
    assert_eq!(fields(&listed["erasures"][0]), expected);
    assert!(folder.run(&["erasures", "app.tabark"]).ended(0).out.ends_with("asked to\n1 erasure\n"));
    folder.run(&["verify", "app.tabark", "--full"]).ended(0);
    let again = folder.run(&erase).ended(0);
    assert!(again.out.ends_with("no snapshot holds such rows\nnothing was changed\n"), "{again:?}");
}

#[test]
fn copies_from_before_are_not_restored() {
    let folder = dumped();
    folder.write("copy.tabark", &folder.bytes("app.tabark"));
    folder.run(&["erase", "app.tabark", "-t", "users", "--key", "2", "--reason", "asked\x1b to"]).ended(0);
    let records = folder.run(&["erasures", "app.tabark", "--json"]).ended(0).out;
    folder.write("records.json", records.as_bytes());
    let refused = |archive: &str| {
        let restore = ["restore", archive, "new.sqlite", "--erasures", "records.json"];
        let ran = folder.run(&restore).ended(1);
        ran.says("rows of users were erased at ").says("may still hold them");
        ran
    };
    let error = refused("copy.tabark");
    assert!(error.err.contains("hint: ") && !error.err.contains('\x1b'), "{error:?}");
    // Roots are others by now; the archive is the same, and does not know of the erasure.
    folder.run(&["compact", "copy.tabark", "--level", "9"]).ended(0);
    refused("copy.tabark");
    assert!(!folder.names().contains(&"new.sqlite".to_owned()));
    folder.run(&["restore", "copy.tabark", "other.sqlite"]).ended(0);
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    folder.run(&["restore", "app.tabark", "new.sqlite", "--erasures", "records.json", "--at", "1"]).ended(0);
    for (text, says) in
        [("", "records.json is not"), ("{}", "archive_id"), (r#"{"archive_id":"","erasures":[{}]}"#, "salt")]
    {
        folder.write("records.json", text.as_bytes());
        folder.run(&["restore", "app.tabark", "z.sqlite", "--erasures", "records.json"]).ended(1).says(says);
    }
    folder.run(&["restore", "app.tabark", "z.sqlite", "--erasures", "none.json"]).ended(1).says("none.json");
}

#[test]
fn values_are_taken_in_turn_for_the_columns() {
    let folder = dumped();
    folder.run(&["erase", "app.tabark", "-t", "notes", "--key", "1", "b", "2", "a"]).ended(0);
    assert_eq!(lines(&folder, "1", "notes"), 1);
    folder.run(&["erase", "app.tabark", "-t", "users", "--key", "-3", "--key", "1"]).ended(0);
    assert_eq!(lines(&folder, "latest", "users"), 1);
    folder
        .run(&["erase", "app.tabark", "-t", "users", "--key", "1", "2", "--column", "name", "--column", "email"])
        .ended(0);
    folder.run(&["erase", "app.tabark", "-t", "log", "--key", "one"]).ended(1).says("--column");
    folder.run(&["erase", "app.tabark", "-t", "log", "--column", "line", "--key=--two"]).ended(0);
    assert_eq!(lines(&folder, "1", "log"), 1);
    folder.run(&["erase", "app.tabark", "-t", "notes", "--key", "1"]).ended(1).says("a key of 1 values");
    folder.run(&["erase", "app.tabark", "-t", "users"]).ended(2).says("--key");
    folder.run(&["erase", "app.tabark", "-t", "users", "--key", "x'0'"]).ended(2).says("x'00ff'");
    folder.run(&["erase", "app.tabark", "-t", "nowhere", "--key", "1"]).ended(1).says("nowhere");
}

#[test]
fn as_json_and_with_files_left_behind() {
    let folder = dumped();
    folder.write(".app.tabark.abc.tmp", b"left");
    let erase = ["erase", "app.tabark", "-t", "users", "--key", "2", "9", "--json"];
    let expected = [
        "archive",
        "dry_run",
        "table",
        "columns",
        "keys_found",
        "rows",
        "kept_shadow",
        "plan",
        "erasure",
        "bytes_before",
        "bytes_after",
        "snapshots",
        "left_behind",
    ];
    let plan = folder.run(&[&erase[..], &["--dry-run"]].concat()).ended(0).json();
    assert_eq!(fields(&plan), expected);
    assert_eq!((&plan["dry_run"], &plan["keys_found"], &plan["erasure"]), (&json!(true), &json!(1), &json!(null)));
    assert_eq!(plan["plan"][1]["erase"], json!([{ "table": "users", "rows": 1 }]));
    let ran = folder.run(&erase).ended(0);
    let done = ran.says(".app.tabark.abc.tmp").json();
    assert_eq!((fields(&done), &done["left_behind"]), (expected.to_vec(), &json!([".app.tabark.abc.tmp"])));
    let records = folder.run(&["erasures", "app.tabark", "--json"]).ended(0).json();
    assert_eq!(fields(&records), ["archive", "archive_id", "erasures"]);
    assert_eq!(records["erasures"][0], done["erasure"]);
    let now = folder.run(&["list", "app.tabark", "--json"]).json();
    assert_eq!(records["erasures"][0]["roots"][1]["root"], now["snapshots"][1]["root"]);
    assert_eq!(done["snapshots"][1]["root"], now["snapshots"][1]["root"]);
}
