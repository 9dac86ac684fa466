//! Signals, and other ends that a program does not choose.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Folder, Ran, names_in};

/// Enough rows for a dump of some seconds at this level.
const LEVEL: &str = "15";

fn large() -> Folder {
    Folder::with(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000)
         INSERT INTO t SELECT i, hex(i * 104729 % 1000003), hex(i * 7919) || ' and so on' FROM n;",
    )
}

fn start_dump(folder: &Folder) -> Child {
    let mut command = folder.command(&["dump", "app.sqlite", "app.tabark", "--level", LEVEL]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits until the program has written something.
fn wait_until(child: &mut Child, what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be stopped");
        assert!(start.elapsed() < Duration::from_secs(60), "it does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_interrupted_append_leaves_the_archive_at_its_last_commit() {
    let folder = large();
    folder.sql("small.sqlite", "CREATE TABLE s (a); INSERT INTO s VALUES (1);");
    folder.run(&["dump", "small.sqlite", "app.tabark"]).ended(0);
    let before = folder.bytes("app.tabark");
    for name in ["INT", "TERM"] {
        let mut child = start_dump(&folder);
        let length = || std::fs::metadata(folder.path("app.tabark")).unwrap().len();
        wait_until(&mut child, || length() > before.len() as u64);
        signal(&child, name);
        let ran = Ran::of(child.wait_with_output().unwrap()).ended(1);
        ran.says("error: interrupted; nothing was changed");
        assert_eq!(ran.out, "");
        assert!(folder.bytes("app.tabark") == before, "the archive is not what it was");
    }
    folder.run(&["verify", "app.tabark", "--full"]).ended(0);
}

#[test]
fn an_interrupted_first_dump_leaves_nothing() {
    let folder = large();
    let mut child = start_dump(&folder);
    // The archive in the making stands beside its place.
    wait_until(&mut child, || folder.names().len() > 1);
    signal(&child, "INT");
    Ran::of(child.wait_with_output().unwrap()).ended(1).says("error: interrupted");
    assert_eq!(names_in(folder.folder.path()), ["app.sqlite"]);
}

#[test]
fn an_interrupted_restore_leaves_nothing() {
    let folder = large();
    folder.run(&["dump", "app.sqlite", "app.tabark", "--level", "1"]).ended(0);
    let names = folder.names();
    let mut command = folder.command(&["restore", "app.tabark", "new.sqlite"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(&mut child, || folder.names().len() > names.len());
    signal(&child, "TERM");
    Ran::of(child.wait_with_output().unwrap()).ended(1).says("error: interrupted");
    assert_eq!(folder.names(), names);
}

#[test]
fn a_full_standard_output_is_an_error() {
    let folder = Folder::dumped();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = folder.command(&["list", "app.tabark"]);
    let ran = Ran::of(command.stdout(full).output().unwrap()).ended(1);
    ran.says("error: writing standard output: ");
}
