//! Archives that are written anew: what is kept is what it was, and of the rest nothing is left.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "rewrite/files.rs"]
mod files;
#[path = "rewrite/model.rs"]
mod model;
#[path = "rewrite/replaced.rs"]
mod replaced;
#[path = "rewrite/rules.rs"]
mod rules;
#[path = "common/tables.rs"]
mod tables;

use std::fs;

use model::Evolving;
use proptest::prelude::*;
use tabark::archive::{SnapshotSelector, WriterOptions};
use tabark::rewrite::{compact, prune};
use tables::{header, open, with_snapshot};

/// A folder with an archive of these states of a table.
struct Scene {
    folder: tempfile::TempDir,
    states: Vec<tables::TestTable>,
}

impl Scene {
    fn new(states: Vec<tables::TestTable>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        for (time, state) in (1..).zip(&states) {
            bytes = with_snapshot(bytes, header(time), std::slice::from_ref(state), options());
        }
        let scene = Self { folder, states };
        fs::write(scene.path(), bytes).unwrap();
        scene
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("a.tabark")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    /// The archive holds the states of these numbers and no others, and not one flaw.
    fn assert_holds(&self, numbers: &[u64]) {
        let archive = open(&self.bytes());
        files::assert_intact(&archive);
        let found: Vec<u64> = archive.snapshots().unwrap().iter().map(|snapshot| snapshot.number).collect();
        assert_eq!(found, numbers);
        for number in numbers {
            let state = &self.states[usize::try_from(*number).unwrap() - 1];
            let rows = tables::rows_of(&archive, *number, &state.schema.name).unwrap();
            assert!(state.has_rows(&rows), "snapshot {number}");
            let snapshot = archive.select(&SnapshotSelector::Number(*number)).unwrap();
            let said = header(i64::try_from(*number).unwrap());
            let manifest = snapshot.manifest();
            assert_eq!((manifest.time, &manifest.tags), (said.time, &said.tags));
            assert_eq!((&manifest.source, &manifest.writer), (&said.source, &said.writer));
        }
        let names: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a.tabark"]);
    }
}

fn options() -> WriterOptions {
    tables::fixed_options(3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_is_what_it_was(evolving in any::<Evolving>(), keep in any::<u16>(), recode in any::<bool>()) {
        let scene = Scene::new(evolving.states());
        let before = open(&scene.bytes()).snapshots().unwrap();
        let mut numbers: Vec<u64> = (1..=before.len() as u64).filter(|number| keep >> (number % 16) & 1 == 1).collect();
        if numbers.is_empty() {
            numbers.push(before.len() as u64);
        }
        let writing = if recode { options() } else { WriterOptions::default() };
        let fingerprints = files::fingerprints(&open(&scene.bytes()));
        let report = prune(&scene.path(), &numbers, writing, &()).unwrap();
        scene.assert_holds(&numbers);
        prop_assert_eq!(report.dropped, (before.len() - numbers.len()) as u64);
        prop_assert_eq!(report.bytes_after, scene.bytes().len() as u64);
        let after = open(&scene.bytes());
        prop_assert_eq!(after.container().header().id, [7; 16]);
        for (number, fingerprint) in files::fingerprints(&after) {
            prop_assert!(fingerprints.contains(&(number, fingerprint)));
        }
        // What dumps of just these snapshots would have left, is about as large.
        let rewritten = scene.bytes().len();
        compact(&scene.path(), writing, &()).unwrap();
        scene.assert_holds(&numbers);
        prop_assert_eq!(scene.bytes().len(), rewritten, "nothing was left to be dropped");
    }
}

#[test]
fn dead_space_goes() {
    let scene = Scene::new(Evolving::large(3).states());
    let own = files::archive_of(&scene.states[1..2], options()).len();
    prune(&scene.path(), &[2], WriterOptions::default(), &()).unwrap();
    scene.assert_holds(&[2]);
    let left = scene.bytes().len();
    assert!(left.abs_diff(own) < own / 50 + 200, "{left} bytes, {own} where it is the only one");
}

#[test]
fn no_byte_is_left_of_what_only_dropped_snapshots_held() {
    const MARKER: &str = "MARKER-7f3a";
    let scene = Scene::new(Evolving::large(4).with_marker(2, MARKER).states());
    assert!(files::bodies_hold(&scene.bytes(), MARKER));
    prune(&scene.path(), &[1, 3, 4], WriterOptions::default(), &()).unwrap();
    scene.assert_holds(&[1, 3, 4]);
    assert!(!files::bodies_hold(&scene.bytes(), MARKER));
    // Where it is in the first state, later ones stand on blocks that hold it.
    let scene = Scene::new(Evolving::large(4).with_marker(1, MARKER).states());
    prune(&scene.path(), &[2, 3, 4], WriterOptions::default(), &()).unwrap();
    scene.assert_holds(&[2, 3, 4]);
    assert!(!files::bodies_hold(&scene.bytes(), MARKER));
}

#[test]
fn appends_that_were_cut_leave_nothing() {
    let scene = Scene::new(Evolving::large(2).states());
    let whole = scene.bytes();
    compact(&scene.path(), WriterOptions::default(), &()).unwrap();
    let compacted = scene.bytes();
    let mut cut = whole.clone();
    cut.extend_from_slice(&whole[64..64 + 5000]);
    fs::write(scene.path(), &cut).unwrap();
    let report = compact(&scene.path(), WriterOptions::default(), &()).unwrap();
    assert_eq!(report.bytes_before, cut.len() as u64);
    assert!(scene.bytes() == compacted, "as without the tail");
    scene.assert_holds(&[1, 2]);
}

#[test]
fn an_archive_is_compressed_anew_on_request() {
    let scene = Scene::new(Evolving::large(3).states());
    let before = scene.bytes().len();
    let report = compact(&scene.path(), WriterOptions::default().with_level(19), &()).unwrap();
    scene.assert_holds(&[1, 2, 3]);
    assert!(report.bytes_after < before as u64, "{report:?}");
    assert!(compact(&scene.path(), WriterOptions::default().with_level(23), &()).unwrap_err().is_request());
    scene.assert_holds(&[1, 2, 3]);
}

#[test]
fn many_snapshots_keep_their_pages_of_history() {
    let mut states = Vec::new();
    for _ in 0..75 {
        states.extend(Evolving::small().states());
    }
    let scene = Scene::new(states);
    assert!(scene.states.len() >= 150);
    let all: Vec<u64> = (1..=scene.states.len() as u64).collect();
    let report = compact(&scene.path(), WriterOptions::default(), &()).unwrap();
    assert_eq!(report.dropped, 0);
    scene.assert_holds(&all);
    let odd: Vec<u64> = all.into_iter().filter(|number| number % 2 == 1).collect();
    prune(&scene.path(), &odd, WriterOptions::default(), &()).unwrap();
    scene.assert_holds(&odd);
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let scene = Scene::new(Evolving::small().states());
    let before = scene.bytes();
    for keep in [&[][..], &[9], &[1, 9]] {
        let error = prune(&scene.path(), keep, WriterOptions::default(), &()).unwrap_err();
        assert!(error.is_request() && error.hint().is_some(), "{error}");
        assert!(scene.bytes() == before);
    }
    assert!(compact(&scene.folder.path().join("none"), WriterOptions::default(), &()).unwrap_err().is_io());
    scene.assert_holds(&[1, 2]);
}
