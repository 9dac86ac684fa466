//! Disks and limits that are really full, made by the kernel and not by a tracer.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::note::note;
use super::scene::{Scene, Stored, source_contents};
use super::tracer::succeed;

/// A shell that runs `tabark` with these arguments after `before`.
fn shell(before: &str, arguments: &[PathBuf]) -> std::process::Output {
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_tabark")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_file_that_may_not_grow_leaves_the_archive_as_it_was() {
    let whole = {
        let scene = Scene::append();
        scene.archive_bytes().len() / 1024
    };
    for kilobytes in (0..=whole + 4).step_by(3) {
        let scene = Scene::append();
        let limit = kilobytes;
        // Ignored, the signal becomes an error of the write.
        let output = shell(&format!("trap '' XFSZ; ulimit -f {limit}"), &scene.arguments);
        if output.status.success() {
            assert!(matches!(scene.stored(), Stored::Snapshots { count: 2, tail: 0 }));
        } else {
            assert!(scene.archive_bytes() == scene.old_archive, "limit {kilobytes} kB");
            scene.assert_only(&["a.tabark"]);
        }
        scene.dump_again(&scene.stored());
    }
}

#[test]
fn a_file_that_may_not_grow_leaves_the_archive_unpruned() {
    let whole = Scene::prune().archive_bytes().len() / 1024;
    let mut failures = 0;
    for kilobytes in (0..=whole + 4).step_by(5) {
        let scene = Scene::prune();
        let output = shell(&format!("trap '' XFSZ; ulimit -f {kilobytes}"), &scene.arguments);
        if output.status.success() {
            assert!(matches!(scene.stored(), Stored::Snapshots { count: 2, tail: 0 }));
        } else {
            failures += 1;
            assert!(scene.archive_bytes() == scene.old_archive, "limit {kilobytes} kB");
        }
        scene.assert_only(&["a.tabark"]);
    }
    assert!(failures > 2, "{failures} limits were too low, of an archive of {whole} kB");
}

#[test]
fn a_file_that_may_not_grow_leaves_nothing_of_a_new_database() {
    let whole = {
        let scene = Scene::restore_new();
        succeed(&scene.arguments);
        std::fs::metadata(scene.target()).unwrap().len() / 1024
    };
    let mut failures = 0;
    for kilobytes in (0..=whole + 8).step_by(4) {
        let scene = Scene::restore_new();
        let output = shell(&format!("trap '' XFSZ; ulimit -f {kilobytes}"), &scene.arguments);
        if output.status.success() {
            assert_eq!(scene.restored().unwrap().difference(&source_contents()), "");
        } else {
            failures += 1;
            scene.assert_only(&["a.tabark"]);
        }
    }
    assert!(failures > 5, "{failures} limits were too low, of a database of {whole} kB");
}

/// A file system of its own, unmounted when dropped.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(folder: &Path, kilobytes: usize) -> Option<Self> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]).arg(folder);
        let mounted = command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        mounted.then(|| Self { folder: folder.to_owned() })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What cannot be unmounted now goes with its last user.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

#[test]
fn a_small_disk_that_is_really_full_leaves_nothing_of_a_new_archive() {
    let mut failures = 0;
    for kilobytes in (4..=64).step_by(8) {
        let scene = Scene::new_archive();
        let Some(_disk) = SmallDisk::mount(&scene.folder(), kilobytes) else {
            note("skipped: a really full disk; only root may mount a small one");
            return;
        };
        let output = shell(":", &scene.arguments);
        if output.status.success() {
            assert!(matches!(scene.stored(), Stored::Snapshots { count: 1, tail: 0 }));
        } else {
            failures += 1;
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(told.contains("free space"), "{told}");
            scene.assert_only(&[]);
        }
    }
    assert!(failures > 0, "no disk was too small");
}
