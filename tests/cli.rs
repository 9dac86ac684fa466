//! The program as scripts see it: what goes in as arguments, what comes out as text, JSON and exit codes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "cli/cat.rs"]
mod cat;
#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/diff.rs"]
mod diff;
#[path = "cli/dump.rs"]
mod dump;
#[path = "cli/endings.rs"]
mod endings;
#[path = "cli/erase.rs"]
mod erase;
#[path = "cli/filters.rs"]
mod filters;
#[path = "cli/list_and_show.rs"]
mod list_and_show;
#[path = "cli/logical_types.rs"]
mod logical_types;
#[path = "cli/restore.rs"]
mod restore;
#[path = "cli/rewrite.rs"]
mod rewrite;
#[path = "cli/spec.rs"]
mod spec;
#[path = "cli/usage.rs"]
mod usage;
#[path = "cli/verify.rs"]
mod verify;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use serde_json::Value as Json;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tabark");

/// The time of the first snapshot in most tests.
const FIRST: &str = "2026-03-01T12:00:00Z";
/// The time of the second.
const SECOND: &str = "2026-03-02T12:00:00.5Z";

/// A database with all kinds of cells, and odd names.
const SCRIPT: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, score REAL, photo BLOB);
INSERT INTO users VALUES (1, 'ada@example.org', 1.5, x'00ff'), (2, NULL, -0.25, NULL), (3, '', 9e999, x'');
CREATE INDEX users_by_score ON users (score);
CREATE TRIGGER users_added AFTER INSERT ON users BEGIN SELECT 1; END;
CREATE TABLE \"odd\x1b[31m\" (\"a,b\" TEXT, c);
INSERT INTO \"odd\x1b[31m\" VALUES ('x\"y' || char(10) || 'z', 9007199254740993), ('Zoë', 1.0);
CREATE TABLE venues (name TEXT PRIMARY KEY, city TEXT COLLATE NOCASE, twice AS (name || name)) WITHOUT ROWID;
INSERT INTO venues VALUES ('b', 'Oslo'), ('a', 'Rome');
CREATE VIEW rich AS SELECT * FROM users WHERE score > 1;
";

/// How a run of the program ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// It must have ended with this code.
    #[track_caller]
    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The one object on its one line.
    #[track_caller]
    fn json(&self) -> Json {
        assert_eq!(self.out.lines().count(), 1, "{self:#?}");
        serde_json::from_str(&self.out).unwrap()
    }

    /// Its standard error must contain this.
    #[track_caller]
    fn says(&self, what: &str) -> &Self {
        assert!(self.err.contains(what), "no \"{what}\" in {self:#?}");
        self
    }
}

/// A folder of its own with `app.sqlite` in it; the program runs there.
struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self::with(SCRIPT)
    }

    fn with(script: &str) -> Self {
        let folder = Self { folder: tempfile::tempdir().unwrap() };
        folder.sql("app.sqlite", script);
        folder
    }

    /// With one snapshot of it in `app.tabark`.
    fn dumped() -> Self {
        let folder = Self::new();
        folder.run(&["dump", "app.sqlite", "app.tabark", "--time", FIRST, "--tag", "deploy=v1"]).ended(0);
        folder
    }

    /// With another one after some changes.
    fn dumped_twice() -> Self {
        let folder = Self::dumped();
        folder.sql("app.sqlite", "DELETE FROM users WHERE id = 2; INSERT INTO venues VALUES ('c', 'Lima');");
        folder.run(&["dump", "app.sqlite", "app.tabark", "--time", SECOND, "--tag", "deploy=v2"]).ended(0);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sql(&self, database: &str, script: &str) {
        Connection::open(self.path(database)).unwrap().execute_batch(script).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Names of the files, sorted: what a command that failed must not have added to.
    fn names(&self) -> Vec<String> {
        names_in(self.folder.path())
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The names of an object's fields, in their order.
fn fields(object: &Json) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}
