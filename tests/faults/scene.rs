//! A folder with what a command works on, and what is left of it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, io};

use rusqlite::Connection;
use tabark::Layer;
use tabark::archive::{Archive, VerifyOptions, verify};
use tempfile::TempDir;

use super::contents::Contents;
use super::tracer::{self, Fault, Outcome, succeed};

/// A folder, a command, and what the command found.
pub(crate) struct Scene {
    /// The source database stands beside the folder in which operations count.
    outside: TempDir,
    pub(crate) arguments: Vec<PathBuf>,
    pub(crate) old_archive: Vec<u8>,
}

/// An archive as it stands.
#[derive(Debug)]
pub(crate) enum Stored {
    Nothing,
    Snapshots { count: usize, tail: u64 },
}

/// A small database with something of everything.
fn source() -> &'static Path {
    static SOURCE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = SOURCE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("source.sqlite");
        make_source(&path);
        (folder, path)
    });
    path
}

/// What the source holds.
pub(crate) fn source_contents() -> Contents {
    Contents::of(source())
}

fn make_source(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, note);
             CREATE TABLE pairs (a TEXT, b REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
             CREATE TABLE loose (x, y BLOB);
             CREATE INDEX by_name ON users (name);
             CREATE VIEW names AS SELECT name FROM users;
             CREATE TRIGGER grow AFTER INSERT ON loose BEGIN UPDATE users SET note = 1 WHERE id = 1; END;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
             INSERT INTO users (name, note) SELECT 'user ' || i, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN i / 7.0 ELSE 'n' END FROM n;
             INSERT INTO pairs SELECT name, id * 0.5 FROM users;
             INSERT INTO loose SELECT id, randomblob(300) FROM users WHERE id % 10 = 0;
             PRAGMA user_version = 7;",
        )
        .unwrap();
}

impl Scene {
    fn empty() -> Self {
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(outside.path().join("work")).unwrap();
        Self { outside, arguments: Vec::new(), old_archive: Vec::new() }
    }

    /// The folder below which operations count, without links in its path.
    pub(crate) fn folder(&self) -> PathBuf {
        self.outside.path().canonicalize().unwrap().join("work")
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.folder().join("a.tabark")
    }

    /// A dump into an archive that does not exist.
    pub(crate) fn new_archive() -> Self {
        let mut scene = Self::empty();
        scene.arguments = scene.dump();
        scene
    }

    /// A dump into an archive of one snapshot.
    pub(crate) fn append() -> Self {
        let mut scene = Self::new_archive();
        succeed(&scene.arguments);
        scene.old_archive = scene.archive_bytes();
        scene
    }

    /// Pruning an archive of three snapshots, of which the newest two stay.
    pub(crate) fn prune() -> Self {
        let mut scene = Self::append();
        succeed(&scene.arguments);
        succeed(&scene.arguments);
        scene.old_archive = scene.archive_bytes();
        scene.arguments = vec!["prune".into(), scene.archive(), "--keep-last".into(), "2".into()];
        scene
    }

    fn dump(&self) -> Vec<PathBuf> {
        vec!["dump".into(), source().into(), self.archive()]
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.folder().join("target.sqlite")
    }

    /// A restore into a database that does not exist.
    pub(crate) fn restore_new() -> Self {
        let mut scene = Self::append();
        scene.arguments = vec!["restore".into(), scene.archive(), scene.target()];
        scene
    }

    /// A restore that replaces tables of a database that exists, and has one more.
    pub(crate) fn restore_replace() -> Self {
        let mut scene = Self::restore_new();
        let connection = Connection::open(scene.target()).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE kept (a);
                 INSERT INTO kept VALUES (1), ('two'), (x'03');
                 CREATE TABLE users (id INTEGER PRIMARY KEY, other);
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
                 INSERT INTO users SELECT i, 'old ' || i FROM n;
                 CREATE INDEX by_other ON users (other);",
            )
            .unwrap();
        scene.arguments.extend(["--mode".into(), "replace".into()]);
        scene
    }

    /// What the target holds; `None` if it is not there.
    pub(crate) fn restored(&self) -> Option<Contents> {
        self.target().exists().then(|| Contents::of(&self.target()))
    }

    /// Runs the command; `None` where faults cannot be made.
    pub(crate) fn run(&self, fault: Option<(usize, Fault)>) -> Option<Outcome> {
        tracer::run(&self.folder(), fault, &self.arguments)
    }

    pub(crate) fn archive_bytes(&self) -> Vec<u8> {
        fs::read(self.archive()).unwrap()
    }

    /// What stands in the archive. All snapshots that are there must be whole.
    pub(crate) fn stored(&self) -> Stored {
        if fs::metadata(self.archive()).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Stored::Nothing;
        }
        let archive = Archive::open(&self.archive()).unwrap();
        let report = verify(&archive, &VerifyOptions::default().full(true), &()).unwrap();
        let real: Vec<_> = report.findings.iter().filter(|found| found.error.layer() != Some(Layer::Tail)).collect();
        assert!(real.is_empty(), "{real:?}");
        Stored::Snapshots { count: archive.snapshots().unwrap().len(), tail: archive.tail() }
    }

    /// The next dump succeeds, whatever was left, and leaves an archive without a flaw.
    pub(crate) fn dump_again(&self, before: &Stored) {
        succeed(&self.dump());
        let wanted = match before {
            Stored::Nothing => 1,
            Stored::Snapshots { count, .. } => count + 1,
        };
        match self.stored() {
            Stored::Snapshots { count, tail: 0 } => assert_eq!(count, wanted),
            other => assert_eq!(format!("{other:?}"), "snapshots without a tail"),
        }
    }

    /// Nothing stands in the folder but these.
    pub(crate) fn assert_only(&self, names: &[&str]) {
        for entry in fs::read_dir(self.folder()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(names.contains(&name.as_str()), "{name} was left behind");
        }
    }
}
