//! `tabark cat`: exact text, since other programs read it.

use std::io::Read;
use std::process::Stdio;

use super::{Folder, Ran};

#[test]
fn csv_by_the_book() {
    let folder = Folder::dumped();
    let ran = folder.run(&["cat", "app.tabark", "-t", "users"]).ended(0);
    let rows = "id,email,score,photo\r\n1,ada@example.org,1.5,\\x00ff\r\n2,,-0.25,\r\n3,\"\",inf,\\x\r\n";
    assert_eq!((ran.out.as_str(), ran.err.as_str()), (rows, ""));
    let odd = folder.run(&["cat", "app.tabark", "-t", "odd\u{1b}[31m"]).ended(0);
    assert_eq!(odd.out, "\"a,b\",c\r\n\"x\"\"y\nz\",9007199254740993\r\nZoë,1.0\r\n");
}

#[test]
fn json_lines_keep_every_kind() {
    let folder = Folder::dumped();
    let users = ["cat", "app.tabark", "-t", "users", "--format", "jsonl"];
    let ran = folder.run(&users).ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], r#"{"id":1,"email":"ada@example.org","score":1.5,"photo":{"bytes":"00ff"}}"#);
    assert_eq!(lines[1], r#"{"id":2,"email":null,"score":-0.25,"photo":null}"#);
    assert_eq!(lines[2], r#"{"id":3,"email":"","score":{"real":"inf"},"photo":{"bytes":""}}"#);
    let exact = folder.run(&[&users[..], &["--exact", "--limit", "1"]].concat()).ended(0);
    assert!(exact.out.contains(r#""score":{"real":"3ff8000000000000"}"#), "{}", exact.out);
    let odd = folder.run(&["cat", "app.tabark", "-t", "odd\u{1b}[31m", "--format", "jsonl", "--rowid"]).ended(0);
    assert_eq!(
        odd.out,
        "{\"rowid\":1,\"a,b\":\"x\\\"y\\nz\",\"c\":9007199254740993}\n{\"rowid\":2,\"a,b\":\"Zoë\",\"c\":1.0}\n"
    );
}

#[test]
fn columns_in_the_order_asked_for() {
    let folder = Folder::dumped();
    let out = |extra: &[&str]| folder.run(&[&["cat", "app.tabark"], extra].concat()).ended(0).out;
    assert_eq!(out(&["-t", "users", "--columns", "score,id", "--limit", "1"]), "score,id\r\n1.5,1\r\n");
    assert_eq!(out(&["-t", "users", "--columns", "id", "--columns", "email", "--limit", "0"]), "id,email\r\n");
    assert_eq!(out(&["-t", "odd\u{1b}[31m", "--columns", "a,b", "--limit", "0"]), "\"a,b\"\r\n");
    assert_eq!(
        out(&["-t", "odd\u{1b}[31m", "--columns", "c,rowid", "--limit", "1"]),
        "c,rowid\r\n9007199254740993,1\r\n"
    );
    assert_eq!(out(&["-t", "users", "--limit", "99"]).lines().count(), 4);
    let refused = |columns: &str| folder.run(&["cat", "app.tabark", "-t", "users", "--columns", columns]).ended(1);
    refused("emial").says("no column is named \"emial\"").says("hint: did you mean \"email\"");
    refused("id,id").says("chosen twice");
    let computed = folder.run(&["cat", "app.tabark", "-t", "venues", "--columns", "twice"]).ended(1);
    computed.says("computed by the database");
}

#[test]
fn rows_of_an_older_snapshot() {
    let folder = Folder::dumped_twice();
    let ids = |at: &str| folder.run(&["cat", "app.tabark", "-t", "users", "--columns", "id", "--at", at]).ended(0).out;
    assert_eq!((ids("1").as_str(), ids("latest").as_str()), ("id\r\n1\r\n2\r\n3\r\n", "id\r\n1\r\n3\r\n"));
    folder.run(&["cat", "app.tabark", "-t", "user*"]).ended(1).says("no table matches \"user*\"");
}

#[test]
fn csv_refuses_what_it_cannot_hold() {
    let folder = Folder::with(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'ok'), (2, CAST(x'ff' AS TEXT));",
    );
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    let ran = folder.run(&["cat", "app.tabark", "-t", "t"]).ended(1);
    ran.says("row 1 (from 0), column \"b\"").says("(table \"t\")").says("hint: ").says("--format jsonl");
    assert_eq!(ran.out, "a,b\r\n1,ok\r\n", "no half row");
    let lines = folder.run(&["cat", "app.tabark", "-t", "t", "--format", "jsonl"]).ended(0).out;
    assert_eq!(lines, "{\"a\":1,\"b\":\"ok\"}\n{\"a\":2,\"b\":{\"rawtext\":\"ff\"}}\n");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::with(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
         INSERT INTO t SELECT i, 'a text that makes the pipe fill up soon' FROM n;",
    );
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    let mut command = folder.command(&["cat", "app.tabark", "-t", "t"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 5];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"a,b\r\n");
    let ran = Ran::of(child.wait_with_output().unwrap()).ended(0);
    assert_eq!(ran.err, "");
}
