//! `tabark dump`.

use serde_json::json;

use super::{FIRST, Folder, fields};

#[test]
fn a_dump_reports_to_people() {
    let folder = Folder::new();
    let ran = folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    assert!(ran.out.starts_with("snapshot 1 in app.tabark (new archive): 3 tables, 7 rows\n"), "{}", ran.out);
    assert!(ran.out.contains("odd\\u{1b}[31m"), "names are escaped: {}", ran.out);
    assert!(ran.out.lines().last().unwrap().starts_with("root "), "{}", ran.out);
    assert_eq!(ran.err, "", "nothing on standard error in a pipe");
    let again = folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    assert!(again.out.starts_with("snapshot 2 in app.tabark: 3 tables"), "{}", again.out);
}

#[test]
fn a_dump_reports_as_json() {
    let folder = Folder::new();
    let arguments = [
        "dump",
        "app.sqlite",
        "app.tabark",
        "--json",
        "--time",
        FIRST,
        "--tag",
        "b=2",
        "--tag",
        "a=x=y",
        "--tag",
        "c=",
    ];
    let report = folder.run(&arguments).ended(0).json();
    let expected = "archive created tail_removed reading held_seconds snapshot tables omitted";
    assert_eq!(fields(&report).join(" "), expected);
    assert_eq!((&report["created"], &report["reading"]), (&json!(true), &json!("pages")));
    assert_eq!(report["held_seconds"], json!(null));
    let whole =
        json!({ "name": "users", "rows": 3, "reading": "pages", "filters": [], "expired": 0, "without_time": 0 });
    assert_eq!(report["tables"][0], whole);
    let snapshot = &report["snapshot"];
    let expected = "number time time_micros tags tables rows logical_bytes bytes_added root fingerprint";
    assert_eq!(fields(snapshot).join(" "), expected);
    assert_eq!(snapshot["tags"], json!({ "a": "x=y", "b": "2", "c": "" }));
    assert_eq!((&snapshot["time"], &snapshot["time_micros"]), (&json!(FIRST), &json!(1_772_366_400_000_000_i64)));
    assert_eq!(snapshot["bytes_added"], json!(folder.bytes("app.tabark").len()));
    assert_eq!(snapshot["root"].as_str().unwrap().len(), 64);
}

#[test]
fn patterns_choose_tables_and_views() {
    let folder = Folder::new();
    let names = |extra: &[&str]| {
        let ran = folder.run(&[&["dump", "app.sqlite", "app.tabark", "--json"], extra].concat()).ended(0);
        let tables = ran.json()["tables"].as_array().unwrap().clone();
        tables.iter().map(|table| table["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["-t", "us*", "-t", "venues"]), ["users", "venues"]);
    assert_eq!(names(&["-T", "users", "-T", "odd*"]), ["venues"]);
    assert_eq!(names(&["--table", "*s", "--exclude-table", "users"]), ["venues"]);
    let ran = folder.run(&["dump", "app.sqlite", "app.tabark", "-t", "usrs"]).ended(1);
    ran.says("error: no table matches \"usrs\"").says("hint: did you mean \"users\"");
}

#[test]
fn what_is_left_out_leaves_nothing_under_another_name() {
    let folder = Folder::with(
        "CREATE VIRTUAL TABLE docs USING fts5(word); INSERT INTO docs VALUES ('secret');
         CREATE TABLE kept (a); CREATE TABLE docs_of_others (a);",
    );
    let names = |extra: &[&str]| {
        let ran = folder.run(&[&["dump", "app.sqlite", "app.tabark", "--json"], extra].concat()).ended(0);
        let mut names: Vec<String> =
            ran.json()["tables"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&["-T", "docs"]), ["docs_of_others", "kept"]);
    assert_eq!(names(&["-t", "docs", "-T", "docs_content"]), ["docs_config", "docs_data", "docs_docsize", "docs_idx"]);
    assert_eq!(names(&["-t", "docs"]).len(), 5);
}

#[test]
fn a_table_whose_name_reads_like_a_schema_can_be_chosen() {
    let folder =
        Folder::with("CREATE TABLE \"main.orders\" (a); CREATE TABLE \"temp.x\" (a); CREATE TABLE orders (a);");
    let ran = folder.run(&["dump", "app.sqlite", "x", "-t", "main.orders", "-t", "temp.*", "--json"]).ended(0);
    assert_eq!(ran.json()["tables"].as_array().unwrap().len(), 2);
    let ran = folder.run(&["dump", "app.sqlite", "y", "-t", "temp.orders"]).ended(1);
    ran.says("only tables of the main schema are kept").says("write the table's name alone");
}

#[test]
fn the_time_is_now() {
    let folder = Folder::new();
    let seconds = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let before = seconds();
    let report = folder.run(&["dump", "app.sqlite", "app.tabark", "--json"]).ended(0).json();
    let micros = report["snapshot"]["time_micros"].as_u64().unwrap();
    assert!((before..=seconds()).contains(&(micros / 1_000_000)), "{micros}");
}

#[test]
fn the_same_rows_and_time_give_the_same_root() {
    let roots: Vec<_> = ["1", "19"]
        .into_iter()
        .map(|level| {
            let folder = Folder::new();
            let arguments = ["dump", "app.sqlite", "app.tabark", "--json", "--time", FIRST, "--level", level];
            folder.run(&arguments).ended(0).json()["snapshot"]["fingerprint"].clone()
        })
        .collect();
    assert_eq!(roots[0], roots[1]);
}

#[test]
fn jobs_change_no_byte() {
    let archives: Vec<_> = ["1", "2", "1024"]
        .into_iter()
        .map(|jobs| {
            let folder = Folder::new();
            folder.sql(
                "app.sqlite",
                "CREATE TABLE many (id INTEGER PRIMARY KEY, v, w);
                 WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 90000)
                 INSERT INTO many SELECT id, id * 2654435761 % 4294967296, 'text ' || id % 1000 FROM n;",
            );
            folder.run(&["dump", "app.sqlite", "app.tabark", "--time", FIRST, "--jobs", jobs]).ended(0);
            folder.run(&["verify", "app.tabark", "--full", "--jobs", jobs]).ended(0);
            folder.run(&["restore", "app.tabark", "new.sqlite", "--jobs", jobs]).ended(0);
            // The archive's id is random, and with it references and root; sizes and fingerprints are not.
            folder.run(&["show", "app.tabark", "-t", "*", "--json"]).json()["tables"].clone()
        })
        .collect();
    assert_eq!(archives[0], archives[1]);
    assert_eq!(archives[0], archives[2]);
    let folder = Folder::new();
    for jobs in ["0", "-1", "1025", "many", ""] {
        folder.run(&["dump", "app.sqlite", "x.tabark", "--jobs", jobs]).ended(2);
    }
    assert_eq!(folder.names(), ["app.sqlite"]);
}

#[test]
fn a_source_that_cannot_be_read_changes_nothing() {
    let folder = Folder::new();
    folder.write("text.sqlite", b"this is no database, but long enough to look at it twice");
    folder.run(&["dump", "nope.sqlite", "x.tabark"]).ended(1).says("error: ");
    folder.run(&["dump", "text.sqlite", "x.tabark"]).ended(1).says("not an SQLite database").says("hint: ");
    assert_eq!(folder.names(), ["app.sqlite", "text.sqlite"]);
}

#[test]
fn addresses_where_nobody_answers_are_told_without_their_passwords() {
    let folder = Folder::new();
    for address in ["postgres://ada:secret@127.0.0.1:1/app", "postgresql://ada:secret@127.0.0.1:1/app"] {
        let ran = folder.run(&["dump", address, "x.tabark", "--json"]).ended(1);
        ran.says("error: cannot connect to a PostgreSQL server").says("hint: ");
        assert!(!format!("{ran:?}").contains("secret"), "{ran:?}");
        assert_eq!(ran.json()["error"]["kind"], json!("database"));
    }
    folder.run(&["dump", "mysql://db/app", "x.tabark"]).ended(2).says("\"mysql://\"");
    assert_eq!(folder.names(), ["app.sqlite"]);
}

#[test]
fn the_archive_never_takes_the_place_of_the_database() {
    let folder = Folder::new();
    let before = folder.bytes("app.sqlite");
    std::fs::hard_link(folder.path("app.sqlite"), folder.path("same.sqlite")).unwrap();
    for archive in ["app.sqlite", "./app.sqlite", "same.sqlite"] {
        folder.run(&["dump", "app.sqlite", archive]).ended(1).says("is the database itself");
    }
    for archive in ["app.sqlite-wal", "app.sqlite-journal", "app.sqlite-shm"] {
        folder.run(&["dump", "app.sqlite", archive]).ended(1).says("SQLite uses");
    }
    // Neither a longer way to the same place nor a link to the database makes it another name.
    std::fs::create_dir(folder.path("sub")).unwrap();
    std::os::unix::fs::symlink(folder.path("app.sqlite"), folder.path("sub/link.sqlite")).unwrap();
    for (source, archive) in [
        ("app.sqlite", "./app.sqlite-journal"),
        ("./app.sqlite", "app.sqlite-wal"),
        ("app.sqlite", "sub/../app.sqlite-wal"),
        ("sub/link.sqlite", "app.sqlite-shm"),
        ("sub/link.sqlite", "./app.sqlite-wal"),
    ] {
        folder.run(&["dump", source, archive]).ended(1).says("SQLite uses");
    }
    std::fs::remove_dir_all(folder.path("sub")).unwrap();
    folder.run(&["dump", "app.sqlite", "."]).ended(1).says("is a folder");
    folder.run(&["dump", "app.sqlite", "no/such/folder.tabark"]).ended(1).says("error: ");
    // Another database is no archive either, and stays as it is.
    folder.sql("other.sqlite", "CREATE TABLE t (a)");
    let other = folder.bytes("other.sqlite");
    folder.run(&["dump", "app.sqlite", "other.sqlite"]).ended(3).says("not a tabark archive");
    assert_eq!((folder.bytes("app.sqlite"), folder.bytes("other.sqlite")), (before, other));
    assert_eq!(folder.names(), ["app.sqlite", "other.sqlite", "same.sqlite"]);
}

#[test]
fn a_tail_is_cut_off_and_told_of() {
    let folder = Folder::dumped();
    let mut bytes = folder.bytes("app.tabark");
    bytes.extend_from_slice(&[7; 100]);
    folder.write("app.tabark", &bytes);
    let ran = folder.run(&["dump", "app.sqlite", "app.tabark", "--json"]).ended(0);
    ran.says("warning: 100 bytes after the last commit");
    assert_eq!(ran.json()["tail_removed"], json!(100));
    folder.run(&["verify", "app.tabark"]).ended(0);
}

#[test]
fn what_is_not_kept_is_told() {
    let folder = Folder::with("CREATE TABLE t (rowid, _rowid_, oid); INSERT INTO t VALUES (1, 2, 3);");
    let ran = folder.run(&["dump", "app.sqlite", "app.tabark", "--json"]).ended(0);
    ran.says("warning: not in the snapshot: ");
    assert_eq!(fields(&ran.json()["omitted"][0]), ["what", "reason"]);
    assert!(folder.run(&["show", "app.tabark"]).ended(0).out.contains("not in the snapshot: "));
}
