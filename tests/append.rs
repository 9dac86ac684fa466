//! Adding snapshots to an archive that others use, or that is not as it should be.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};

use tabark::archive::{Archive, VerifyOptions, WriterOptions, verify};
use tabark::container::{AppendFile, WriteStorage};
use tabark::dump::{DumpOptions, DumpReport, dump};
use tabark::selection::Selection;
use tabark::source::sqlite::SqliteSource;

/// A folder with a small database and an archive of it.
struct Scene {
    _folder: tempfile::TempDir,
    database: PathBuf,
    archive: PathBuf,
}

impl Scene {
    fn new(snapshots: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (database, archive) = (folder.path().join("a.sqlite"), folder.path().join("a.tabark"));
        let connection = rusqlite::Connection::open(&database).unwrap();
        connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'x')").unwrap();
        let scene = Self { _folder: folder, database, archive };
        for _ in 0..snapshots {
            scene.dump(&[]).unwrap();
        }
        scene
    }

    fn dump(&self, tags: &[(&str, &str)]) -> tabark::Result<DumpReport> {
        self.dump_tables(Selection::everything(), tags)
    }

    fn dump_tables(&self, tables: Selection, tags: &[(&str, &str)]) -> tabark::Result<DumpReport> {
        let options = DumpOptions {
            tables,
            filters: vec![],
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            time: 1,
            writer: "test".into(),
            archive: WriterOptions::default(),
        };
        dump(&SqliteSource::open(&self.database).unwrap(), &self.archive, &options, &())
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.archive).unwrap()
    }
}

fn count(archive: &Path) -> usize {
    Archive::open(archive).unwrap().snapshots().unwrap().len()
}

#[test]
fn a_damaged_last_commit_is_not_taken_for_an_unfinished_append() {
    let scene = Scene::new(2);
    let sound = scene.bytes();
    for place in [sound.len() - 1, sound.len() - 100, sound.len() - 300, sound.len() - 360] {
        let mut damaged = sound.clone();
        damaged[place] ^= 1;
        std::fs::write(&scene.archive, &damaged).unwrap();
        let error = scene.dump(&[]).unwrap_err();
        assert!(error.is_damaged() && error.hint().is_some(), "{error}");
        assert_eq!(scene.bytes(), damaged, "a flip at {place}");
        assert_eq!(count(&scene.archive), 1);
    }
}

#[test]
fn an_append_killed_anywhere_is_cleared_by_the_next_one() {
    let scene = Scene::new(1);
    let first = scene.bytes().len();
    scene.dump(&[]).unwrap();
    let whole = scene.bytes();
    for length in first + 1..whole.len() {
        std::fs::write(&scene.archive, &whole[..length]).unwrap();
        let report = scene.dump(&[]).unwrap();
        assert_eq!((report.tail_removed, report.snapshot.number), ((length - first) as u64, 2));
        assert_eq!(count(&scene.archive), 2);
    }
}

#[test]
fn a_refused_dump_cuts_nothing_off() {
    let scene = Scene::new(1);
    let mut with_tail = scene.bytes();
    with_tail.extend_from_slice(&[7; 500]);
    std::fs::write(&scene.archive, &with_tail).unwrap();
    assert!(scene.dump(&[("a", "1"), ("a", "2")]).unwrap_err().is_request());
    let large = "x".repeat(70_000);
    assert!(scene.dump(&[("a", &large)]).unwrap_err().is_request());
    let nothing = Selection::new(&["t"], &["t"]).unwrap();
    assert!(scene.dump_tables(nothing, &[]).unwrap_err().is_request());
    assert_eq!(scene.bytes(), with_tail);
    scene.dump(&[("a", "1")]).unwrap();
    assert_eq!(count(&scene.archive), 2);
}

#[cfg(unix)]
#[test]
fn an_archive_that_is_replaced_meanwhile_is_neither_harmed_nor_claimed() {
    let scene = Scene::new(2);
    let other = Scene::new(1);
    let mut locked = AppendFile::lock(&scene.archive).unwrap();
    // What is locked is what is read, whatever has the name by then.
    let kept = scene.archive.with_extension("kept");
    std::fs::rename(&scene.archive, &kept).unwrap();
    std::fs::rename(&other.archive, &scene.archive).unwrap();
    let archive = Archive::from_storage(std::sync::Arc::new(locked.reader().unwrap())).unwrap();
    assert_eq!(archive.snapshots().unwrap().len(), 2);
    locked.start_at(archive.container().last().end());
    locked.append(b"a frame").unwrap();
    assert!(locked.publish().unwrap_err().is_request());
    locked.abandon();
    assert_eq!((count(&kept), Archive::open(&kept).unwrap().tail()), (2, 0));
    assert_eq!(count(&scene.archive), 1);
}

#[test]
fn a_verification_beside_a_writer_tells_it_from_damage() {
    let scene = Scene::new(1);
    let mut writer = AppendFile::lock(&scene.archive).unwrap();
    writer.start_at(scene.bytes().len() as u64);
    writer.append(&[7; 500]).unwrap();
    let check = || verify(&Archive::open(&scene.archive).unwrap(), &VerifyOptions::default(), &()).unwrap();
    let report = check();
    assert!(report.is_intact() && report.being_written, "{report:?}");
    drop(writer);
    let report = check();
    assert!(!report.being_written);
    assert_eq!(report.findings.len(), 1, "{report:?}");
}

#[test]
fn two_writers_do_not_meet() {
    let scene = Scene::new(1);
    let first = AppendFile::lock(&scene.archive).unwrap();
    let error = scene.dump(&[]).unwrap_err();
    assert!(error.is_request() && error.to_string().contains("another program"), "{error}");
    drop(first);
    scene.dump(&[]).unwrap();
    assert_eq!(count(&scene.archive), 2);
}
