//! When things of a schema are made: before the rows, with them or after them.

use crate::error::{Error, Result};
use crate::model::SchemaObject;

/// What a thing is to a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// What tables need, and what they are made of.
    Before,
    /// What needs the rows, or is faster made when they are there.
    After,
    /// What belongs to roles.
    Owner,
    /// What roles may do.
    Privileges,
}

/// Kinds that are made before the rows.
const BEFORE: [&str; 28] = [
    "access method",
    "aggregate",
    "cast",
    "collation",
    "column settings",
    "conversion",
    "default",
    "domain",
    "domain constraint",
    "extension",
    "foreign table",
    "function",
    "inheritance",
    "language",
    "operator",
    "operator class",
    "operator family",
    "operator family members",
    "partition",
    "partitioned table",
    "schema",
    "sequence",
    "sequence owner",
    "shell type",
    "text search configuration",
    "text search dictionary",
    "text search mapping",
    "type",
];

/// Kinds that are made after the rows.
const AFTER: [&str; 23] = [
    "check",
    "cluster",
    "comment",
    "exclusion",
    "foreign key",
    "index",
    "index attach",
    "index settings",
    "materialized view",
    "policy",
    "primary key",
    "refresh",
    "replica identity",
    "row security",
    "rule",
    "rule state",
    "sequence value",
    "statistics",
    "statistics settings",
    "trigger",
    "trigger state",
    "unique",
    "view",
];

/// Kinds that a table may need although they are usually made after the rows, and that can be made before them.
const EITHER: [&str; 4] = ["materialized view", "primary key", "unique", "view"];

impl Phase {
    /// When a thing of this kind is made. Kinds that this version does not know are unsupported: without them a restore would
    /// not be what the snapshot is.
    pub(super) fn of(object: &SchemaObject) -> Result<Self> {
        let kind = object.kind.as_str();
        if BEFORE.contains(&kind) {
            return Ok(Self::Before);
        }
        match kind {
            "owner" => Ok(Self::Owner),
            "privileges" | "default privileges" => Ok(Self::Privileges),
            _ if AFTER.contains(&kind) => Ok(Self::After),
            _ => Err(Error::unsupported(format!("the snapshot has a {kind}, \"{}\"", object.name))),
        }
    }

    /// When this one is made, in a snapshot whose last table has this place in the order of creation, and whose first thing of
    /// those that are usually made after the rows has that one.
    ///
    /// The order of creation has what is made before the rows as early as it can stand. What is late all the same needs something
    /// that is usually made after them: a function that gives rows of a view. A table may need such a function in turn.
    pub(super) fn among(self, object: &SchemaObject, last_table: u64, first_after: u64) -> Self {
        match self {
            Self::Before if object.position > last_table && object.position > first_after => Self::After,
            Self::After if object.position < last_table && EITHER.contains(&object.kind.as_str()) => Self::Before,
            phase => phase,
        }
    }
}

/// The words with which the definition of each kind begins. An archive is not trusted: a view that drops a table is none.
pub(super) fn is_what_it_says(object: &SchemaObject) -> bool {
    let words: Vec<String> = object.definition.split_whitespace().take(2).map(str::to_ascii_uppercase).collect();
    let first = words.first().map(String::as_str).unwrap_or_default();
    let expected: &[&str] = match object.kind.as_str() {
        "partition"
        | "inheritance"
        | "sequence owner"
        | "default"
        | "column settings"
        | "domain constraint"
        | "primary key"
        | "unique"
        | "exclusion"
        | "check"
        | "foreign key"
        | "index attach"
        | "index settings"
        | "statistics settings"
        | "operator family members"
        | "text search mapping"
        | "row security"
        | "rule state"
        | "trigger state"
        | "replica identity"
        | "cluster"
        | "owner"
        | "default privileges" => &["ALTER"],
        "sequence value" => &["SELECT"],
        "refresh" => &["REFRESH"],
        "comment" => &["COMMENT"],
        "privileges" => &["GRANT", "REVOKE"],
        _ => &["CREATE"],
    };
    expected.contains(&first)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn object(kind: &str, definition: &str) -> SchemaObject {
        SchemaObject {
            kind: kind.into(),
            name: "x".into(),
            table: "x".into(),
            definition: definition.into(),
            position: 0,
        }
    }

    #[test]
    fn kinds_have_one_phase_and_unknown_ones_are_refused() {
        for kind in BEFORE {
            assert_eq!(Phase::of(&object(kind, "")).unwrap(), Phase::Before, "{kind}");
            assert!(!AFTER.contains(&kind));
        }
        for kind in AFTER {
            assert_eq!(Phase::of(&object(kind, "")).unwrap(), Phase::After, "{kind}");
        }
        assert_eq!(Phase::of(&object("owner", "")).unwrap(), Phase::Owner);
        assert!(Phase::of(&object("sausage", "")).unwrap_err().is_unsupported());
    }

    #[test]
    fn a_definition_begins_as_its_kind_does() {
        assert!(is_what_it_says(&object("view", "CREATE VIEW x AS SELECT 1")));
        assert!(!is_what_it_says(&object("view", "DROP TABLE users")));
        assert!(!is_what_it_says(&object("sequence value", "DELETE FROM users")));
        assert!(is_what_it_says(&object("primary key", "ALTER TABLE ONLY x ADD CONSTRAINT x PRIMARY KEY (x)")));
        assert!(!is_what_it_says(&object("comment", "")));
    }
}
