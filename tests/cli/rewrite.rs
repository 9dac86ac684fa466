//! `tabark compact` and `tabark prune`: an archive takes the place of another one, and says so.

use serde_json::json;

use super::{FIRST, Folder, SECOND, fields};

/// The lines of a table in one snapshot.
fn lines(folder: &Folder, at: &str, table: &str) -> String {
    folder.run(&["cat", "app.tabark", "--at", at, "-t", table, "--format", "jsonl"]).ended(0).out
}

#[test]
fn compact_keeps_all_and_says_what_it_gained() {
    let folder = Folder::dumped_twice();
    let before = ["1", "2"].map(|at| lines(&folder, at, "users"));
    let mut bytes = folder.bytes("app.tabark");
    bytes.extend_from_slice(&[7; 2000]);
    folder.write("app.tabark", &bytes);
    let ran = folder.run(&["compact", "app.tabark"]).ended(0);
    let (first, second) = ran.out.split_once('\n').unwrap();
    assert!(first.starts_with("app.tabark: 2 snapshots, ") && first.ends_with(" after"), "{ran:?}");
    let root = folder.run(&["list", "app.tabark", "--json"]).json()["snapshots"][1]["root"].clone();
    assert_eq!(second, format!("new root of snapshot 2: {}\n", root.as_str().unwrap()));
    assert_eq!(["1", "2"].map(|at| lines(&folder, at, "users")), before);
    assert!(folder.bytes("app.tabark").len() + 1500 < bytes.len());
    folder.run(&["verify", "app.tabark", "--full"]).ended(0);
    assert_eq!(folder.names(), ["app.sqlite", "app.tabark"]);
}

#[test]
fn compact_as_json() {
    let folder = Folder::dumped_twice();
    let old = folder.run(&["list", "app.tabark", "--json"]).json();
    for extra in [&[][..], &["--level", "19"], &["--fast", "--jobs", "1"]] {
        let report = folder.run(&[&["compact", "app.tabark", "--json"], extra].concat()).ended(0).json();
        assert_eq!(fields(&report), ["archive", "bytes_before", "bytes_after", "snapshots"]);
        assert_eq!(report["bytes_after"], json!(folder.bytes("app.tabark").len()));
        let snapshot = &report["snapshots"][1];
        assert_eq!(fields(snapshot), ["number", "rows", "fingerprint", "root_before", "root"]);
        let now = folder.run(&["list", "app.tabark", "--json"]).json();
        assert_eq!(snapshot["root"], now["snapshots"][1]["root"]);
        assert_eq!((&now["archive_id"], &now["snapshots"][1]["time"]), (&old["archive_id"], &json!(SECOND)));
    }
    folder.run(&["compact", "app.tabark", "--level", "23"]).ended(2);
    folder.run(&["compact", "none.tabark"]).ended(1).says("none.tabark");
}

#[test]
fn prune_drops_what_no_rule_keeps() {
    let folder = Folder::dumped_twice();
    let kept = lines(&folder, "2", "users");
    let before = folder.bytes("app.tabark");
    let plan = folder.run(&["prune", "app.tabark", "--keep-last", "1", "--dry-run"]).ended(0);
    assert!(plan.out.contains(FIRST) && plan.out.ends_with("nothing was changed (--dry-run)\n"), "{plan:?}");
    assert!(folder.bytes("app.tabark") == before);
    folder.run(&["prune", "app.tabark"]).ended(2).says("--keep");
    let ran = folder.run(&["prune", "app.tabark", "--keep-last", "1"]).ended(0);
    assert!(ran.out.contains("dropped 1 snapshot: "), "{ran:?}");
    let list = folder.run(&["list", "app.tabark", "--json"]).json();
    assert_eq!((list["snapshots"].as_array().unwrap().len(), &list["snapshots"][0]["number"]), (1, &json!(2)));
    assert_eq!(lines(&folder, "2", "users"), kept);
    folder.run(&["verify", "app.tabark", "--full"]).ended(0);
    // The next dump goes on from what is there.
    folder.run(&["dump", "app.sqlite", "app.tabark"]).ended(0);
    let list = folder.run(&["list", "app.tabark", "--json"]).json();
    assert_eq!(list["snapshots"][1]["number"], json!(3));
}

#[test]
fn a_damaged_archive_stays_as_it_is() {
    let folder = Folder::dumped_twice();
    let mut bytes = folder.bytes("app.tabark");
    bytes[200] ^= 1;
    folder.write("app.tabark", &bytes);
    let error = folder.run(&["compact", "app.tabark", "--json"]).ended(3).json()["error"].clone();
    assert_eq!(error["kind"], json!("damaged"));
    assert!(folder.bytes("app.tabark") == bytes);
    assert_eq!(folder.names(), ["app.sqlite", "app.tabark"]);
}
