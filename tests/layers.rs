//! The edges between the library's layers, and the rules of the house that a compiler does not hold.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

#[path = "layers/code.rs"]
mod code;
#[path = "layers/house.rs"]
mod house;
#[path = "common/note.rs"]
mod note;
#[path = "common/tree.rs"]
mod tree;

/// Every layer of the library, lowest first, with the layers it may name. What is not said is forbidden.
const EDGES: [(&str, &[&str]); 23] = [
    ("error", &[]),
    ("limits", &[]),
    ("hex", &[]),
    ("observer", &["error"]),
    ("model", &["error", "limits"]),
    ("selection", &["error", "model"]),
    ("wire", &["error", "limits"]),
    // SQLite's own format, for those who read and write its pages.
    ("sqlite_file", &["error", "model"]),
    ("encoding", &["error", "limits", "model", "wire"]),
    ("block", &["encoding", "error", "limits", "model"]),
    // The container never sees a column: no model here.
    ("container", &["error", "limits", "wire"]),
    ("history", &["error", "limits", "model"]),
    // Reaching PostgreSQL servers, and their types, for those who read from them and write to them.
    ("postgres", &["error", "limits", "model", "observer"]),
    // Where rows come from. Neither it nor the archive knows the other: rows pass through the model's `RowSink`.
    ("source", &["error", "history", "limits", "model", "observer"]),
    ("source::sqlite", &["error", "limits", "model", "observer", "source", "sqlite_file"]),
    ("source::postgres", &["error", "limits", "model", "observer", "postgres", "selection", "source"]),
    (
        "archive",
        &[
            "block",
            "container",
            "encoding",
            "error",
            "hex",
            "history",
            "limits",
            "model",
            "observer",
            "selection",
            "wire",
        ],
    ),
    ("export", &["archive", "error", "hex", "model", "selection"]),
    ("rewrite", &["archive", "container", "error", "history", "model", "observer"]),
    ("diff", &["archive", "error", "history", "limits", "model", "observer", "selection"]),
    // What a source has beside what a snapshot says.
    ("compare", &["archive", "diff", "error", "history", "model", "observer", "selection", "source"]),
    ("dump", &["archive", "container", "error", "model", "observer", "selection", "source"]),
    // What is restored is read back as a source reads: the proof must not trust what wrote.
    (
        "restore",
        &[
            "archive",
            "container",
            "encoding",
            "error",
            "hex",
            "history",
            "limits",
            "model",
            "observer",
            "postgres",
            "selection",
            "source",
            "source::postgres",
            "source::sqlite",
            "sqlite_file",
        ],
    ),
];

/// The layer of a file of the library; the crate's root has none.
fn layer_of(path: &str) -> Option<&'static str> {
    let inside = path.strip_prefix("format/src/")?.strip_suffix(".rs")?;
    let name = inside.strip_suffix("/mod").unwrap_or(inside).replace('/', "::");
    if name == "lib" || name == "test_servers" {
        return None;
    }
    Some(layer_named(&name).unwrap_or_else(|| panic_on(path, "belongs to no layer that tests/layers.rs knows")))
}

/// The most exact layer that a path from the crate's root begins with.
fn layer_named(path: &str) -> Option<&'static str> {
    let fits = |layer: &&&str| path == **layer || path.starts_with(&format!("{layer}::"));
    EDGES.iter().map(|(layer, _)| layer).filter(fits).max_by_key(|layer| layer.len()).copied()
}

#[expect(clippy::panic, reason = "tests")]
fn panic_on<T>(path: &str, why: &str) -> T {
    panic!("{path} {why}")
}

/// Files of the library with their code.
fn library() -> Vec<(String, String)> {
    tree::files()
        .into_iter()
        .filter(|path| path.starts_with("format/src/") && path.ends_with(".rs"))
        .map(|path| {
            let source = tree::text(&path).unwrap();
            (path, code::strip(&source))
        })
        .collect()
}

#[test]
fn layers_name_only_the_layers_they_may() {
    let mut wrong = Vec::new();
    for (path, code) in library() {
        let Some(layer) = layer_of(&path) else { continue };
        let allowed = EDGES.iter().find(|(name, _)| *name == layer).unwrap().1;
        let inside = path.strip_prefix("format/src/").unwrap();
        let depth = inside.matches('/').count() - usize::from(inside.ends_with("/mod.rs"));
        for target in code::crate_paths(&code, depth) {
            let named = match target.split("::").next().unwrap_or_default() {
                // What the crate's root gives again.
                "Error" | "Result" | "Layer" => "error",
                "Encoding" | "Profile" => "encoding",
                // What tests share belongs to no layer.
                "test_servers" => continue,
                _ => layer_named(&target).unwrap_or_else(|| panic_on(&path, &format!("names crate::{target}"))),
            };
            if named != layer && !allowed.contains(&named) {
                wrong.push(format!("{path}: {layer} names {named} (crate::{target})"));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that tests/layers.rs does not allow:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_of_edges_has_no_cycle_and_nothing_unused() {
    for (at, (layer, targets)) in EDGES.iter().enumerate() {
        for target in *targets {
            let below = EDGES[..at].iter().any(|(name, _)| name == target);
            assert!(below, "{layer} may name {target}, which does not stand before it");
        }
    }
    let layers: Vec<&str> = library().iter().filter_map(|(path, _)| layer_of(path)).collect();
    for (layer, _) in EDGES {
        assert!(layers.contains(&layer), "the table has a layer \"{layer}\" that no file belongs to");
    }
}

#[test]
fn sqlite_stays_in_its_connectors() {
    for (path, code) in library() {
        let may = path.starts_with("format/src/source/sqlite/") || path.starts_with("format/src/restore/");
        let names = ["rusqlite", "libsqlite3_sys"].into_iter().any(|name| code::has_word(&code, name));
        assert!(may || !names, "{path} names rusqlite");
    }
    for path in tree::files().iter().filter(|path| path.starts_with("cli/src/") && path.ends_with(".rs")) {
        let names = code::has_word(&code::strip(&tree::text(path).unwrap()), "rusqlite");
        assert!(path.contains("demo") || !names, "{path} names rusqlite");
    }
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let sources = tree::files().into_iter().filter(|path| path.ends_with(".rs"));
    let with: Vec<String> =
        sources.filter(|path| code::has_word(&code::strip(&tree::text(path).unwrap()), "unsafe")).collect();
    assert_eq!(with, ["format/src/container/mapped.rs"]);
}

#[test]
fn the_library_sees_no_terminal_and_no_environment() {
    let forbidden = ["println", "eprintln", "print", "eprint", "dbg", "stdin", "stdout", "stderr", "env", "process"];
    for (path, code) in library() {
        for word in forbidden {
            assert!(!code::has_word(&code, word), "{path} has `{word}`");
        }
    }
}
