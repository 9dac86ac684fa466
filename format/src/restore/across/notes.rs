//! What a restore across engines leaves out, and why.

use std::collections::BTreeMap;

/// Kinds of which a database has many and nobody wants each by name.
const COUNTED: [&str; 9] = [
    "cluster",
    "column settings",
    "comment",
    "default privileges",
    "index settings",
    "owner",
    "privileges",
    "replica identity",
    "statistics",
];

/// What is left out of a restore, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Notes {
    named: Vec<String>,
    counted: BTreeMap<String, u64>,
}

impl Notes {
    /// Something that has no counterpart.
    pub(super) fn left_out(&mut self, what: impl AsRef<str>, why: &str) {
        self.named.push(format!("left out: {} ({why})", what.as_ref()));
    }

    /// Something that became another thing.
    pub(super) fn said(&mut self, what: String) {
        self.named.push(what);
    }

    /// An object of the snapshot, by its kind and name; of kinds of which there are many, only how many.
    pub(super) fn object(&mut self, kind: &str, name: &str, why: &str) {
        if COUNTED.contains(&kind) {
            *self.counted.entry(kind.to_owned()).or_default() += 1;
        } else {
            self.left_out(format!("{kind} \"{name}\""), why);
        }
    }

    /// All of it, for people.
    pub(super) fn told(&self) -> Vec<String> {
        let counted = self.counted.iter().map(|(kind, count)| format!("left out: {count} of the kind \"{kind}\""));
        self.named.iter().cloned().chain(counted).collect()
    }
}
