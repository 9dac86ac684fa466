//! Rules of the house over the whole tree.

use super::code;
use super::note::note;
use super::tree::{files, text};

/// Lines above which a file is mentioned, and above which the test fails.
const LONG: usize = 400;
const TOO_LONG: usize = 500;

/// Lists in the form of code, with nothing to split by; and the main file of the reference reader, which keeps under 700
/// lines by its own rule, so that it can be read in one go beside the specification.
const LISTS: [&str; 3] = ["spec/vectors/make.py", "spec/vectors/writer.py", "spec/reference/tabark_reference.py"];

/// Is a file written by people as code?
fn is_code(path: &str) -> bool {
    [".rs", ".py", ".c", ".sh"].iter().any(|end| path.ends_with(end)) || ["tests/run", ".ci/run"].contains(&path)
}

#[test]
fn files_keep_to_one_idea() {
    let mut too_long = Vec::new();
    for path in files().into_iter().filter(|path| is_code(path) && !LISTS.contains(&path.as_str())) {
        let lines = text(&path).unwrap().lines().count();
        if lines > TOO_LONG {
            too_long.push(format!("{path}: {lines} lines"));
        } else if lines > LONG {
            note(&format!("{path}: {lines} lines; split it before it grows further"));
        }
        let name = path.rsplit('/').next().unwrap();
        assert!(!["util.rs", "utils.rs", "helpers.rs", "misc.rs"].contains(&name), "{path} says nothing by its name");
    }
    assert!(too_long.is_empty(), "more than {TOO_LONG} lines:\n{}", too_long.join("\n"));
}

#[test]
fn nothing_is_left_for_later() {
    for path in files().into_iter().filter(|path| is_code(path)) {
        let source = text(&path).unwrap();
        for mark in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")] {
            assert!(!code::has_word(&source, mark), "{path} has a {mark}");
        }
        if path.ends_with(".rs") {
            let code = code::strip(&source);
            assert!(!code.contains(concat!("#[ig", "nore")), "{path} ignores a test");
            assert!(!code.contains(concat!("unreach", "able!")), "{path} has a place that panics");
        }
    }
}

#[test]
fn no_path_of_any_machine() {
    let machine = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
    for path in files() {
        let Some(source) = text(&path) else { continue };
        for start in machine {
            assert!(!source.contains(start), "{path} names {start}…");
        }
    }
}

#[test]
fn every_dependency_says_why() {
    for path in files().into_iter().filter(|path| path.ends_with("Cargo.toml")) {
        let mut inside = false;
        let mut explained = false;
        for line in text(&path).unwrap().lines() {
            if line.starts_with('[') {
                inside = line.ends_with("dependencies]");
            } else if inside && line.contains('=') && !line.starts_with([' ', '#', '}', ']']) {
                let own = line.contains("path = \"../format\"");
                assert!(explained || own, "{path}: no comment says why: {line}");
            }
            explained = line.starts_with('#');
        }
    }
}

#[test]
fn every_test_file_is_run_and_all_lints_hold() {
    let all = files();
    let manifests: Vec<String> = all.iter().filter(|path| path.ends_with("/Cargo.toml")).cloned().collect();
    let text_of: String = manifests.iter().map(|path| text(path).unwrap()).collect();
    let in_tests =
        |path: &&String| path.starts_with("tests/") && path.ends_with(".rs") && path.matches('/').count() == 1;
    for path in all.iter().filter(in_tests) {
        assert!(text_of.contains(&format!("path = \"../{path}\"")), "{path} is registered in no Cargo.toml");
    }
    for path in &manifests {
        let text = text(path).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{path} does not take the workspace's lints");
    }
}
