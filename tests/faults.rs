//! Full disks, failing disks, kills and interrupts at every storage operation of a dump and a restore.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "common/contents.rs"]
mod contents;
#[path = "faults/limits.rs"]
mod limits;
#[path = "common/note.rs"]
mod note;
#[path = "faults/scene.rs"]
mod scene;
#[path = "faults/tracer.rs"]
mod tracer;
#[path = "common/tree.rs"]
mod tree;

use scene::{Scene, Stored, source_contents};
use tracer::{Fault, Outcome};

/// Operations at which faults are tried, of so many: all of few; of many the first, the last and some between.
fn places(operations: usize) -> Vec<usize> {
    const ENDS: usize = 16;
    const BETWEEN: usize = 24;
    let step = (operations / BETWEEN).max(1);
    let keeps = |number: &usize| *number <= ENDS || *number + ENDS > operations || number.is_multiple_of(step);
    (1..=operations).filter(keeps).collect()
}

/// Runs a command with every fault at every place, each time in a fresh scene, and lets `check` look at what is left.
fn sweep(prepare: impl Fn() -> Scene, check: impl Fn(&Scene, Option<Fault>, &Outcome)) {
    let scene = prepare();
    let Some(outcome) = scene.run(None) else { return };
    assert_eq!(outcome.code, 0, "{}", outcome.told);
    check(&scene, None, &outcome);
    let operations = outcome.operations;
    assert!(operations.len() > 5 && operations.iter().any(|name| name == "fsync"), "{operations:?}");
    for number in places(operations.len()) {
        for fault in Fault::ALL {
            let scene = prepare();
            let outcome = scene.run(Some((number, fault))).unwrap();
            #[expect(clippy::print_stdout, reason = "tests: seen only when a check below fails")]
            let () = println!("{fault:?} at operation {number} of {operations:?}: {outcome:?}");
            assert!(outcome.operations.len() >= number, "the operation was not reached");
            if fault.kills() {
                assert_eq!(outcome.code, 128 + 9);
            }
            check(&scene, Some(fault), &outcome);
        }
    }
}

/// Did the program run to an end of its own?
fn ended(fault: Option<Fault>) -> bool {
    !fault.is_some_and(Fault::kills)
}

#[test]
fn a_new_archive_is_there_whole_or_not_at_all() {
    sweep(Scene::new_archive, |scene, fault, outcome| {
        let stored = scene.stored();
        match (&stored, outcome.code) {
            (Stored::Snapshots { count: 1, tail: 0, .. }, 0) => {}
            (Stored::Nothing, code) => assert_ne!(code, 0),
            // Renamed, but the folder could not be synced any more: whole, and the failure was told.
            (Stored::Snapshots { count: 1, tail: 0, .. }, _) => {
                assert!(
                    outcome.operations.iter().any(|name| name.starts_with("rename")),
                    "there before it was published"
                );
            }
            other => assert_eq!(format!("{other:?}"), "nothing, or one snapshot"),
        }
        if ended(fault) {
            scene.assert_only(&["a.tabark"]);
        }
        scene.dump_again(&stored);
    });
}

#[test]
fn an_archive_keeps_its_snapshots_when_an_append_fails() {
    sweep(Scene::append, |scene, fault, outcome| {
        let stored = scene.stored();
        assert!(scene.archive_bytes().starts_with(&scene.old_archive), "committed bytes were changed");
        match (&stored, outcome.code) {
            (Stored::Snapshots { count: 2, tail: 0, .. }, 0) => {}
            (_, code) if ended(fault) => {
                assert_ne!(code, 0);
                assert!(scene.archive_bytes() == scene.old_archive, "a failed append left something");
            }
            (Stored::Snapshots { count: 1, .. } | Stored::Snapshots { count: 2, tail: 0, .. }, _) => {}
            other => assert_eq!(format!("{other:?}"), "one snapshot, or two"),
        }
        if ended(fault) {
            scene.assert_only(&["a.tabark"]);
        }
        scene.dump_again(&stored);
    });
}

#[test]
fn a_pruned_archive_is_the_old_one_or_the_new_one() {
    sweep(Scene::prune, |scene, fault, outcome| {
        let stored = scene.stored();
        let is_old = scene.archive_bytes() == scene.old_archive;
        match (&stored, outcome.code) {
            (Stored::Snapshots { count: 3, tail: 0 }, code) if is_old => assert_ne!(code, 0),
            (Stored::Snapshots { count: 2, tail: 0 }, 0) => {}
            // Renamed, but the folder could not be synced any more: whole, and the failure was told.
            (Stored::Snapshots { count: 2, tail: 0 }, _) => {
                let renamed = outcome.operations.iter().any(|name| name.starts_with("rename"));
                assert!(renamed, "replaced before it was complete");
            }
            other => assert_eq!(format!("{other:?}"), "the old archive, or the new one"),
        }
        if ended(fault) {
            scene.assert_only(&["a.tabark"]);
        }
        scene.dump_again(&stored);
    });
}

#[test]
fn a_new_database_is_there_whole_or_not_at_all() {
    let wanted = source_contents();
    sweep(Scene::restore_new, |scene, fault, outcome| {
        match (scene.restored(), outcome.code) {
            (Some(found), code) => {
                assert_eq!(found.difference(&wanted), "");
                let published = outcome.operations.iter().any(|name| name.starts_with("rename"));
                assert!(code == 0 || published, "there before it was published");
            }
            (None, code) => assert_ne!(code, 0),
        }
        if ended(fault) {
            scene.assert_only(&["a.tabark", "target.sqlite"]);
        }
        assert!(scene.archive_bytes() == scene.old_archive);
        if scene.restored().is_none() {
            tracer::succeed(&scene.arguments);
            assert_eq!(scene.restored().unwrap().difference(&wanted), "");
        }
    });
}

#[test]
fn a_database_that_exists_is_as_before_or_as_asked_for() {
    let before = Scene::restore_replace().restored().unwrap();
    let after = {
        let scene = Scene::restore_replace();
        tracer::succeed(&scene.arguments);
        scene.restored().unwrap()
    };
    assert_eq!(after.tables["users"], source_contents().tables["users"]);
    assert_eq!(after.tables["kept"], before.tables["kept"]);
    assert_ne!(before, after);
    sweep(Scene::restore_replace, |scene, fault, outcome| {
        let found = scene.restored().unwrap();
        let as_before = found.difference(&before);
        let as_after = found.difference(&after);
        match outcome.code {
            0 => assert_eq!(as_after, ""),
            _ if ended(fault) => assert_eq!(as_before, "", "the command failed"),
            _ => assert!(as_before.is_empty() || as_after.is_empty(), "{as_before}\n\n{as_after}"),
        }
        if ended(fault) {
            scene.assert_only(&["a.tabark", "target.sqlite"]);
        }
        tracer::succeed(&scene.arguments);
        assert_eq!(scene.restored().unwrap().difference(&after), "");
    });
}
