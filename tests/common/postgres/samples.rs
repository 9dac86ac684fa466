//! Dumps of real databases, kept packed in the folder of the corpus.

use std::fs::{self, File};

use super::super::note::note;

/// All of them, each with its name and the SQL that makes it; none, with one line that says so, where there is no corpus.
pub(crate) fn samples() -> Vec<(String, String)> {
    let Some(folder) = std::env::var_os("TABARK_CORPUS") else {
        note("skipped: real databases, as TABARK_CORPUS does not say where they are; tests/run sets it");
        return Vec::new();
    };
    let mut samples = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if let Some(name) = path.file_name().unwrap().to_str().unwrap().strip_suffix(".pg.sql.zst") {
            let sql = zstd::decode_all(File::open(&path).unwrap()).unwrap();
            samples.push((name.to_owned(), String::from_utf8(sql).unwrap()));
        }
    }
    samples.sort();
    samples
}
