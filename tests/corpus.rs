//! Real databases through archives and back, compared by SQL; and damage to a large archive.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "common/contents.rs"]
mod contents;
#[path = "common/corpus.rs"]
mod corpus;
#[path = "corpus/damage.rs"]
mod damage;
#[path = "common/note.rs"]
mod note;

use std::path::Path;
use std::process::Command;

use contents::Contents;
use corpus::{Sample, samples};
use tabark::archive::{Archive, SnapshotSelector, VerifyOptions, WriterOptions, verify};
use tabark::dump::{DumpOptions, dump};
use tabark::model::{Cell, TableSchema};
use tabark::restore::{RestoreOptions, restore};
use tabark::selection::Selection;
use tabark::source::Source as _;
use tabark::source::sqlite::{Reading, SqliteSource};

/// Adds a snapshot of a database to an archive.
fn dump_into(archive: &Path, sample: &Sample, time: i64) {
    let source = SqliteSource::open(&sample.path).unwrap();
    let options = DumpOptions {
        tables: Selection::everything(),
        filters: vec![],
        tags: vec![("name".into(), sample.name.clone())],
        time,
        writer: "test".into(),
        archive: WriterOptions::default().with_level(1),
    };
    let report = dump(&source, archive, &options, &()).unwrap();
    assert!(report.omitted.is_empty(), "{}: {:?}", sample.name, report.omitted);
}

/// Restores a snapshot and compares it with the database it was made of.
fn check(archive: &Archive, at: &SnapshotSelector, sample: &Sample, folder: &Path) {
    let target = folder.join(format!("{}.sqlite", sample.name));
    let report = restore(&archive.select(at).unwrap(), &target, &RestoreOptions::default(), &()).unwrap();
    assert!(report.tables.iter().all(|table| table.proved), "{}: {report:?}", sample.name);
    let (before, after) = (Contents::of(&sample.path), Contents::of(&target));
    assert_eq!(before.difference(&after), "", "{}", sample.name);
    assert!(before.tables.values().map(|(rows, _)| rows).sum::<u64>() > 10_000);
    assert_same_for_other_tools(&sample.path, &target);
    std::fs::remove_file(target).unwrap();
}

/// The opinions of SQLite's own tools, which we did not write. `tests/run` installs the shell and `sqldiff`; `dbhash`, the
/// same idea as the shell's `.sha3sum`, is asked where there is one (Debian 12 builds none).
fn assert_same_for_other_tools(before: &Path, after: &Path) {
    if let Ok(output) = Command::new("sqldiff").args([before, after]).output() {
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.is_empty(), "sqldiff {}: {:.500}", after.display(), told);
    }
    let digests = [before, after].map(|path| told_by(Command::new("sqlite3").arg(path).arg(".sha3sum --schema")));
    assert_eq!(digests[0], digests[1], ".sha3sum of {}", after.display());
    let digests = [before, after].map(|path| {
        let line = told_by(Command::new("dbhash").arg(path))?;
        line.split_whitespace().next().map(str::to_owned)
    });
    assert_eq!(digests[0], digests[1], "dbhash of {}", after.display());
}

/// What a tool prints; `None` where it is not installed.
fn told_by(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !told.trim().is_empty(), "{command:?}: {told}");
    Some(told)
}

#[test]
fn each_database_goes_in_and_comes_out() {
    for sample in samples() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.tabark");
        dump_into(&path, sample, 1);
        let archive = Archive::open(&path).unwrap();
        let report = verify(&archive, &VerifyOptions::default().full(true), &()).unwrap();
        assert!(report.is_intact(), "{}: {:?}", sample.name, report.findings);
        let packed = std::fs::metadata(&path).unwrap().len();
        assert!(packed < std::fs::metadata(&sample.path).unwrap().len() / 2, "{}: {packed} bytes", sample.name);
        check(&archive, &SnapshotSelector::Latest, sample, folder.path());
    }
}

#[test]
fn one_archive_of_all_databases_restores_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.tabark");
    for (sample, time) in samples().iter().zip(1..) {
        dump_into(&path, sample, time);
    }
    for sample in samples() {
        let archive = Archive::open(&path).unwrap();
        assert_eq!(archive.snapshots().unwrap().len(), samples().len());
        let at = SnapshotSelector::Tag("name".into(), sample.name.clone());
        check(&archive, &at, sample, folder.path());
    }
}

/// Every cell of every table, in order.
#[test]
fn pages_and_sql_give_the_same_rows() {
    for sample in samples() {
        let source = SqliteSource::open(&sample.path).unwrap();
        let by_sql = source.with_reading(Reading::Sql);
        for table in &source.catalog().tables {
            assert_eq!(source.reading_of(table), Reading::Pages, "{}: {}", sample.name, table.name);
            assert_eq!(digest(&source, table), digest(&by_sql, table), "{}: {}", sample.name, table.name);
        }
    }
}

fn digest(source: &SqliteSource<'_>, table: &TableSchema) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut row = Vec::new();
    let mut take = |cells: &[Cell<'_>]| {
        row.clear();
        for cell in cells {
            row.push(cell.kind().number());
            row.extend(cell.fixed_bits().unwrap_or_default().to_le_bytes());
            let bytes = cell.variable_bytes().unwrap_or_default();
            row.extend((bytes.len() as u64).to_le_bytes());
            row.extend(bytes);
        }
        hasher.update(&row);
        Ok(())
    };
    source.read_table(table, &mut take).unwrap();
    hasher.finalize()
}
