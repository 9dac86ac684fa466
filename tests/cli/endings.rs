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

fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
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
    // Who runs the tests with hangups ignored hands that on to the program.
    let hangup: &[&str] = if hangups_are_ignored() { &[] } else { &["HUP"] };
    for name in [&["INT", "TERM"], hangup].concat() {
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
fn a_hangup_that_was_to_be_ignored_is() {
    let folder = large();
    let mut command = Command::new("sh");
    let script = format!("trap '' HUP; exec '{}' dump app.sqlite app.tabark --level 9", super::PROGRAM);
    command.args(["-c", &script]).current_dir(folder.folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    wait_until(&mut child, || folder.names().len() > 1);
    signal(&child, "HUP");
    Ran::of(child.wait_with_output().unwrap()).ended(0);
    assert!(folder.has("app.tabark"));
}

fn run_into_full_output(folder: &Folder, arguments: &[&str]) -> Ran {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    Ran::of(folder.command(arguments).stdout(full).output().unwrap())
}

#[test]
fn a_full_standard_output_is_an_error_where_it_is_all_the_work() {
    let folder = Folder::dumped();
    for arguments in [
        &["list", "app.tabark"][..],
        &["show", "app.tabark"],
        &["verify", "app.tabark"],
        &["restore", "app.tabark", "new.sqlite", "--dry-run"],
    ] {
        run_into_full_output(&folder, arguments).ended(1).says("error: writing standard output: ");
    }
    run_into_full_output(&folder, &["cat", "app.tabark", "-t", "users"]).ended(1).says("No space left");
    assert!(!folder.has("new.sqlite"));
}

#[test]
fn work_that_is_done_stands_without_its_report() {
    let folder = Folder::new();
    for (json, number) in [(None, "1"), (Some("--json"), "2")] {
        let with = |arguments: &[&'static str]| [arguments, json.as_slice()].concat();
        let ran = run_into_full_output(&folder, &with(&["dump", "app.sqlite", "app.tabark"])).ended(0);
        ran.says("warning: the work is done, but its report is incomplete: writing standard output: ");
        folder.run(&["verify", "app.tabark", "--full", "--at", number]).ended(0);
        let target = if json.is_some() { "two.sqlite" } else { "one.sqlite" };
        let ran = run_into_full_output(&folder, &with(&["restore", "app.tabark", target])).ended(0);
        ran.says("warning: the work is done");
        assert!(folder.has(target));
    }
}
