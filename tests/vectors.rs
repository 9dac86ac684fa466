//! The library over `spec/vectors`: good archives are read to the last cell, each bad one is refused for its fault.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::many_single_char_names, reason = "tests")]

#[path = "common/json_lines.rs"]
mod json_lines;
#[path = "vectors/sha256.rs"]
mod sha256;
#[path = "common/tree.rs"]
mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use tabark::archive::{Archive, SnapshotSelector, VerifyOptions, verify};
use tabark::{Error, Result};

/// What a vector's text says must happen.
struct Vector {
    name: String,
    fields: Vec<(String, String)>,
    bytes: Vec<u8>,
}

impl Vector {
    fn all() -> Vec<Self> {
        let texts =
            tree::files().into_iter().filter(|path| path.starts_with("spec/vectors/") && path.ends_with(".txt"));
        texts.map(|path| Self::read(&path)).collect()
    }

    fn read(path: &str) -> Self {
        let text = tree::text(path).unwrap();
        let pair = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self {
            name: path.rsplit('/').next().unwrap().strip_suffix(".txt").unwrap().to_owned(),
            fields: text.lines().map(|line| pair(line).unwrap()).collect(),
            bytes: fs::read(tree::root().join(path).with_extension("tabark")).unwrap(),
        }
    }

    fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn open(&self) -> Result<Archive> {
        Archive::from_storage(Arc::new(self.bytes.clone()))
    }
}

/// How much is looked at; the first is the weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Level {
    Open,
    Verify,
    Full,
}

const LEVELS: [(&str, Level); 3] = [("open", Level::Open), ("verify", Level::Verify), ("full", Level::Full)];

/// What is wrong with an archive, looked at so closely.
fn errors_of(vector: &Vector, level: Level) -> Vec<Error> {
    let archive = match vector.open() {
        Ok(archive) => archive,
        Err(error) => return vec![error],
    };
    if level == Level::Open {
        return Vec::new();
    }
    match verify(&archive, &VerifyOptions::default().full(level == Level::Full), &()) {
        Ok(report) => report.findings.into_iter().map(|finding| finding.error).collect(),
        Err(error) => vec![error],
    }
}

/// The class of what was found; damage weighs more than a newer program's marks.
fn class_of(errors: &[Error]) -> &'static str {
    match errors {
        [] => "ok",
        _ if errors.iter().any(Error::is_damaged) => "damaged",
        _ if errors.iter().all(Error::is_unsupported) => "unsupported",
        _ => "neither damaged nor unsupported",
    }
}

fn layers_of(errors: &[Error]) -> BTreeSet<&'static str> {
    errors.iter().map(|error| error.layer().map_or("unsupported", |layer| layer.name())).collect()
}

/// What is not as a vector says.
fn mismatches(vector: &Vector) -> Vec<String> {
    let mut found = Vec::new();
    let expect = match vector.field("expect").unwrap() {
        // The specification gives what is no archive the class of damage; what is said of it tells them apart.
        "not-an-archive" => "damaged",
        expect => expect,
    };
    let needs = vector.field("needs").map_or(Level::Open, level_named);
    for (name, level) in LEVELS.into_iter().filter(|(_, level)| *level >= needs) {
        let errors = errors_of(vector, level);
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        if class_of(&errors) != expect {
            found.push(format!("{name}: {} where it should be {expect}: {told:?}", class_of(&errors)));
        }
        let layers = layers_of(&errors);
        if let Some(layer) = vector.field("layer")
            && !layers.contains(layer)
        {
            found.push(format!("{name}: refused by {layers:?}, not by {layer}: {told:?}"));
        }
    }
    if vector.field("cat") == Some("refuse") && rows_of(vector, "t").is_ok() {
        found.push("cat: rows were read that must be refused".into());
    }
    for (_, value) in vector.fields.iter().filter(|(key, _)| key == "rows") {
        let (table, wanted) = value.rsplit_once(": ").unwrap();
        match rows_of(vector, table) {
            Ok(lines) if is_wanted(&lines, wanted) => {}
            Ok(_) => found.push(format!("cat {table}: other rows than {wanted}")),
            Err(error) => found.push(format!("cat {table}: {error}")),
        }
    }
    found
}

fn level_named(name: &str) -> Level {
    LEVELS.into_iter().find(|(level, _)| *level == name).unwrap().1
}

/// Rows of `TABLE` or `TABLE at N`.
fn rows_of(vector: &Vector, place: &str) -> Result<String> {
    let (table, at) = match place.split_once(" at ") {
        Some((table, number)) => (table, SnapshotSelector::Number(number.parse().unwrap())),
        None => (place, SnapshotSelector::Latest),
    };
    json_lines::of_table(&vector.open()?, &at, table)
}

fn is_wanted(lines: &str, wanted: &str) -> bool {
    match wanted.strip_prefix("sha256 ") {
        Some(digest) => sha256::sha256(lines.as_bytes()) == digest,
        None => lines == tree::text(&format!("spec/vectors/{wanted}")).unwrap(),
    }
}

#[test]
fn every_vector_is_read_or_refused_as_it_says() {
    let vectors = Vector::all();
    assert!(vectors.len() > 200, "{} vectors found", vectors.len());
    let mut wrong = Vec::new();
    for vector in &vectors {
        wrong.extend(mismatches(vector).into_iter().map(|what| format!("{}: {what}", vector.name)));
    }
    assert!(wrong.is_empty(), "{} of {} vectors:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}

#[test]
fn what_is_no_archive_says_so() {
    for vector in Vector::all().iter().filter(|vector| vector.field("expect") == Some("not-an-archive")) {
        let message = vector.open().err().unwrap().to_string();
        let told = ["not a tabark archive", "no complete snapshot", "archive header"];
        assert!(told.iter().any(|words| message.contains(words)), "{}: {message}", vector.name);
    }
}
