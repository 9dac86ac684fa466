//! The old archive and who uses it while it is replaced.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tabark::Error;
use tabark::archive::{Archive, ArchiveWriter, WriterOptions};
use tabark::container::{AppendFile, Replacement, WriteStorage};
use tabark::observer::Observer;
use tabark::rewrite::{compact, prune};

use super::model::Evolving;
use super::tables::{header, open};
use super::{Scene, files};

/// Appends a snapshot without tables.
fn append(path: &Path, time: i64) -> Result<u64, Error> {
    let mut file = AppendFile::lock(path)?;
    let archive = Arc::new(Archive::from_storage(Arc::new(file.reader()?))?);
    file.start_at(archive.container().last().end());
    let writer = ArchiveWriter::append(file, archive, WriterOptions::default())?;
    Ok(writer.begin_snapshot(header(time))?.commit()?.number)
}

#[test]
fn who_reads_the_old_file_goes_on_reading_it() {
    let scene = Scene::new(Evolving::large(3).states());
    let reader = Archive::open(&scene.path()).unwrap();
    let kept = fs::File::open(scene.path()).unwrap();
    prune(&scene.path(), &[3], WriterOptions::default(), &()).unwrap();
    assert_eq!(reader.snapshots().unwrap().len(), 3);
    files::assert_intact(&reader);
    assert!(kept.metadata().unwrap().len() > scene.bytes().len() as u64);
    scene.assert_holds(&[3]);
}

/// Tries to append, and to rewrite once more, while an archive is rewritten.
struct Meddler<'a> {
    path: &'a Path,
    refused: AtomicU64,
}

impl Observer for Meddler<'_> {
    fn is_cancelled(&self) -> bool {
        let options = WriterOptions::default();
        for error in [append(self.path, 9).unwrap_err(), compact(self.path, options, &()).unwrap_err()] {
            assert!(error.is_request() && error.hint().is_some() && error.to_string().contains("another program"));
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        false
    }
}

#[test]
fn no_snapshot_is_appended_to_a_file_that_is_about_to_be_replaced() {
    let scene = Scene::new(Evolving::small().states());
    let path = scene.path();
    let meddler = Meddler { path: &path, refused: AtomicU64::new(0) };
    prune(&scene.path(), &[2], WriterOptions::default(), &meddler).unwrap();
    assert!(meddler.refused.into_inner() > 3);
    scene.assert_holds(&[2]);
    assert_eq!(append(&path, 9).unwrap(), 3);
}

#[test]
fn appends_and_rewrites_in_turn_lose_nothing() {
    let scene = Scene::new(Evolving::small().states());
    let path = scene.path();
    let over = AtomicBool::new(false);
    let appended = std::thread::scope(|threads| {
        let appending = threads.spawn(|| {
            let mut appended = 0;
            while !over.load(Ordering::Relaxed) {
                match append(&path, 9) {
                    Ok(_) => appended += 1,
                    // Locked, or replaced between opening and locking.
                    Err(error) => assert!(error.is_request(), "{error}"),
                }
            }
            appended
        });
        let mut rewritten = 0;
        while rewritten < 15 {
            match compact(&path, WriterOptions::default(), &()) {
                Ok(_) => rewritten += 1,
                Err(error) => assert!(error.is_request(), "{error}"),
            }
        }
        over.store(true, Ordering::Relaxed);
        appending.join().unwrap()
    });
    let archive = open(&scene.bytes());
    assert_eq!(archive.snapshots().unwrap().len(), 2 + appended);
    files::assert_intact(&archive);
}

/// Stops at the so many-th question.
struct StopAt(AtomicU64);

impl Observer for StopAt {
    fn is_cancelled(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}

#[test]
fn a_rewrite_that_is_stopped_anywhere_changes_nothing() {
    let scene = Scene::new(Evolving::small().states());
    let before = scene.bytes();
    for questions in 0.. {
        match prune(&scene.path(), &[2], WriterOptions::default(), &StopAt(AtomicU64::new(questions))) {
            Ok(_) => {
                assert!(questions > 3);
                break;
            }
            Err(error) => {
                assert!(error.is_interrupted(), "{error}");
                assert!(scene.bytes() == before);
                scene.assert_holds(&[1, 2]);
            }
        }
    }
    scene.assert_holds(&[2]);
}

#[test]
fn a_damaged_archive_is_not_replaced() {
    let scene = Scene::new(Evolving::small().states());
    let sound = scene.bytes();
    let mut refused = 0;
    for place in (64..sound.len()).step_by(37) {
        let mut damaged = sound.clone();
        damaged[place] ^= 0x20;
        fs::write(scene.path(), &damaged).unwrap();
        match compact(&scene.path(), WriterOptions::default(), &()) {
            Ok(_) => {
                // Nothing that was kept was concerned: fields that no kept snapshot needs.
                files::assert_intact(&open(&scene.bytes()));
            }
            Err(error) => {
                refused += 1;
                assert!(error.is_damaged() || error.is_unsupported(), "{error}");
                assert!(scene.bytes() == damaged);
            }
        }
        assert_eq!(fs::read_dir(scene.folder.path()).unwrap().count(), 1);
    }
    assert!(refused > 10);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(Evolving::large(2).states());
    let link = scene.folder.path().join("link");
    for mode in [0o600, 0o640, 0o444 | 0o200, 0o777] {
        fs::set_permissions(scene.path(), fs::Permissions::from_mode(mode)).unwrap();
        std::os::unix::fs::symlink("a.tabark", &link).unwrap();
        compact(&link, WriterOptions::default(), &()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::symlink_metadata(scene.path()).unwrap().is_file());
        assert_eq!(fs::metadata(scene.path()).unwrap().permissions().mode() & 0o7777, mode);
        fs::remove_file(&link).unwrap();
    }
    scene.assert_holds(&[1, 2]);
}

#[cfg(unix)]
#[test]
fn another_file_that_took_the_name_meanwhile_stays() {
    let scene = Scene::new(Evolving::small().states());
    let mut file = Replacement::begin(&scene.path()).unwrap();
    file.append(b"something").unwrap();
    let other = scene.folder.path().join("other");
    fs::write(&other, b"another file").unwrap();
    fs::rename(&other, scene.path()).unwrap();
    assert!(file.finish().unwrap_err().is_request());
    assert_eq!(scene.bytes(), b"another file");
    assert_eq!(fs::read_dir(scene.folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_not_complete_replaces_nothing() {
    let scene = Scene::new(Evolving::small().states());
    let before = scene.bytes();
    let mut file = Replacement::begin(&scene.path()).unwrap();
    let snapshot = ArchiveWriter::create(&mut file, WriterOptions::default()).unwrap();
    drop(snapshot.begin_snapshot(header(1)).unwrap());
    assert!(file.finish().unwrap_err().is_request());
    assert!(scene.bytes() == before);
    scene.assert_holds(&[1, 2]);
}
