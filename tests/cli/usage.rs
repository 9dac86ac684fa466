//! The command line's form.

use super::{Folder, SCRIPT};

#[test]
fn misspelt_commands_and_options_are_errors() {
    let folder = Folder::dumped();
    folder.run(&["lst", "app.tabark"]).ended(2).says("unrecognized subcommand 'lst'").says("'list'");
    folder.run(&["list", "app.tabark", "--jsn"]).ended(2).says("'--jsn'").says("--json");
    folder.run(&["list", "app.tabark", "--full"]).ended(2).says("'--full'");
    folder.run(&["list"]).ended(2).says("<ARCHIVE>");
    folder.run(&["list", "app.tabark", "more"]).ended(2).says("'more'");
    folder.run(&["dump", "app.sqlite", "x", "--lev", "3"]).ended(2).says("'--lev'");
    folder.run(&["cat", "app.tabark", "-t", "users", "-t", "venues"]).ended(2).says("cannot be used multiple times");
    folder.run(&["cat", "app.tabark"]).ended(2).says("--table");
    folder.run(&[]).ended(2).says("Usage:");
}

#[test]
fn values_that_make_no_sense_are_errors() {
    let folder = Folder::dumped();
    for level in ["0", "23", "fast"] {
        folder.run(&["dump", "app.sqlite", "x", "--level", level]).ended(2).says("--level");
    }
    for tag in ["deploy", "=v1", ""] {
        folder.run(&["dump", "app.sqlite", "x", "--tag", tag]).ended(2).says("write KEY=VALUE");
    }
    folder.run(&["dump", "app.sqlite", "x", "--time", "noon"]).ended(2).says("--time");
    folder.run(&["show", "app.tabark", "--at", "yesterday"]).ended(2).says("YYYY-MM-DD");
    folder.run(&["verify", "app.tabark", "--root", "abcd"]).ended(2).says("64 hex digits");
    folder.run(&["cat", "app.tabark", "-t", "users", "--format", "xml"]).ended(2).says("csv, jsonl");
    folder.run(&["cat", "app.tabark", "-t", "users", "--limit", "-1"]).ended(2);
    folder.run(&["cat", "app.tabark", "-t", "users", "--exact"]).ended(2).says("--format jsonl");
    folder.run(&["cat", "app.tabark", "-t", "users", "--rowid", "--columns", "id"]).ended(2);
    assert_eq!(folder.names(), ["app.sqlite", "app.tabark"]);
}

#[test]
fn help_and_version_are_well() {
    let folder = Folder::with(SCRIPT);
    let help = folder.run(&["--help"]).ended(0);
    for command in ["dump", "list", "show", "verify", "cat", "demo", "Exit codes"] {
        assert!(help.out.contains(command), "{command}");
    }
    for command in ["dump", "restore"] {
        assert!(folder.run(&[command, "--help"]).ended(0).out.contains("--exclude-table"), "{command}");
    }
    assert_eq!(folder.run(&["--version"]).ended(0).out, format!("tabark {}\n", env!("CARGO_PKG_VERSION")));
}
