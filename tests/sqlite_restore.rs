//! Restoring SQLite databases: dump, restore, and compare both databases by reading them here, without the library. Each
//! trap that has bitten a real tool is a test of that name.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "sqlite_restore/cancellation.rs"]
mod cancellation;
#[path = "sqlite_restore/cells.rs"]
mod cells;
#[path = "sqlite_restore/damage.rs"]
mod damage;
#[path = "sqlite_restore/existing.rs"]
mod existing;
#[path = "sqlite_restore/foreign_keys.rs"]
mod foreign_keys;
#[path = "sqlite_restore/hostile.rs"]
mod hostile;
#[path = "sqlite_restore/internal.rs"]
mod internal;
#[path = "sqlite_restore/objects.rs"]
mod objects;
#[path = "sqlite_restore/pages.rs"]
mod pages;
#[path = "sqlite_restore/reading.rs"]
mod reading;
#[path = "sqlite_restore/tables.rs"]
mod tables;
#[path = "sqlite_restore/targets.rs"]
mod targets;
#[path = "sqlite_restore/virtual_tables.rs"]
mod virtual_tables;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tabark::archive::{Archive, SnapshotSelector, WriterOptions};
use tabark::dump::{DumpOptions, dump};
use tabark::observer::Observer;
use tabark::restore::{RestoreMode, RestoreOptions, RestorePlan, RestoreReport, plan, restore};
use tabark::selection::Selection;
use tabark::source::sqlite::SqliteSource;
use tempfile::TempDir;

use reading::read_everything;

/// A source, its archive and a target, in a directory of their own.
struct Case {
    directory: TempDir,
}

impl Case {
    /// A source made by this script, dumped.
    fn new(script: &str) -> Self {
        Self::made(|connection| connection.execute_batch(script).unwrap())
    }

    /// A source made by this function, dumped.
    fn made(make: impl FnOnce(&Connection)) -> Self {
        let case = Self { directory: tempfile::tempdir().unwrap() };
        let connection = Connection::open(case.source()).unwrap();
        make(&connection);
        drop(connection);
        case.dump(Selection::everything());
        case
    }

    fn dump(&self, tables: Selection) {
        let source = SqliteSource::open(&self.source()).unwrap();
        let options = DumpOptions {
            tables,
            filters: vec![],
            tags: vec![],
            time: 1,
            writer: "test".into(),
            archive: WriterOptions::default(),
        };
        dump(&source, &self.archive(), &options, &()).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn source(&self) -> PathBuf {
        self.file("source.db")
    }

    fn archive(&self) -> PathBuf {
        self.file("archive.tabark")
    }

    fn target(&self) -> PathBuf {
        self.file("target.db")
    }

    /// Makes the target by this script.
    fn make_target(&self, script: &str) -> Connection {
        let connection = Connection::open(self.target()).unwrap();
        connection.execute_batch(script).unwrap();
        connection
    }

    fn open_target(&self) -> Connection {
        Connection::open(self.target()).unwrap()
    }

    fn restore_with(&self, options: &RestoreOptions, observer: &dyn Observer) -> tabark::Result<RestoreReport> {
        let archive = Archive::open(&self.archive())?;
        restore(&archive.select(&SnapshotSelector::Latest)?, &self.target(), options, observer)
    }

    fn restore(&self, mode: RestoreMode, tables: &[&str]) -> tabark::Result<RestoreReport> {
        self.restore_with(&RestoreOptions::default().mode(mode).tables(Selection::new(tables, &[]).unwrap()), &())
    }

    fn plan(&self, mode: RestoreMode, tables: &[&str]) -> tabark::Result<RestorePlan> {
        let options = RestoreOptions::default().mode(mode).tables(Selection::new(tables, &[]).unwrap());
        let archive = Archive::open(&self.archive())?;
        plan(&archive.select(&SnapshotSelector::Latest)?, &self.target(), &options)
    }

    /// Restores everything into a new file and compares the two databases.
    fn round_trip(&self) -> RestoreReport {
        let before = files(self.directory.path());
        let (source, archive) = (bytes(&self.source()), bytes(&self.archive()));
        let report = self.restore(RestoreMode::Create, &[]).unwrap();
        assert!(report.plan.new_file);
        assert!(report.tables.iter().all(|table| table.proved));
        assert_eq!(bytes(&self.source()), source, "the source changed");
        assert_eq!(bytes(&self.archive()), archive, "the archive changed");
        let mut expected = before;
        expected.push("target.db".into());
        expected.sort();
        assert_eq!(files(self.directory.path()), expected, "files were left");
        assert_eq!(read_everything(&self.target()), read_everything(&self.source()));
        report
    }

    /// Expects a refusal that leaves the target as it is, and gives it.
    fn refused(&self, mode: RestoreMode, tables: &[&str]) -> tabark::Error {
        let before = (files(self.directory.path()), std::fs::read(self.target()).ok());
        let error = self.restore(mode, tables).expect_err("was not refused");
        let after = (files(self.directory.path()), std::fs::read(self.target()).ok());
        assert!(after == before, "the target changed, or files were left: {:?} {:?}", before.0, after.0);
        error
    }
}

/// Names of the files in a folder, but for those that reading a source in WAL mode leaves beside it.
fn files(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = std::fs::read_dir(folder).unwrap().map(name).collect();
    names.retain(|name| !name.starts_with("source.db-"));
    names.sort();
    names
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}
