//! SQLite's own check of what was written: pages, rows, and every index against its table.

use rusqlite::Connection;

use super::failure::failure;
use crate::error::{Error, Result};
use crate::source::sqlite::names::quote;

/// Most findings that an error repeats.
const SHOWN: usize = 3;

/// Where rows that break a CHECK constraint must have come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breakers {
    /// The table is made anew by the snapshot's definition: it had them there.
    Snapshot,
    /// SQLite looked at every row that was added: the target had them before.
    Target,
}

/// Checks a table and its indexes. Rows that break a CHECK constraint are not refused, since they stood so where they came
/// from, but named in `warnings`.
pub(super) fn check(
    connection: &Connection,
    table: &str,
    breakers: Breakers,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let checking = |cause| failure("checking the restored table", cause).in_table(table);
    heed_check_constraints(connection, true).map_err(checking)?;
    let with_constraints = findings(connection, table);
    heed_check_constraints(connection, false).map_err(checking)?;
    if with_constraints.map_err(checking)?.is_empty() {
        return Ok(());
    }
    let findings = findings(connection, table).map_err(checking)?;
    if findings.is_empty() {
        let said = match breakers {
            Breakers::Snapshot => "as they do in the snapshot",
            Breakers::Target => "as they did before; no such row was added",
        };
        warnings.push(format!("rows of \"{table}\" break a CHECK constraint, {said}"));
        return Ok(());
    }
    let shown: Vec<&str> = findings.iter().take(SHOWN).map(String::as_str).collect();
    let hint = match breakers {
        Breakers::Snapshot => "nothing was changed; `tabark cat` shows the rows, which are in the snapshot as they are",
        Breakers::Target => "nothing was changed; restore into a new file to look at the rows",
    };
    Err(Error::database(format!("SQLite's integrity check found: {}", shown.join("; ")))
        .in_table(table)
        .with_hint(hint))
}

/// Has SQLite look at CHECK constraints from here on, when it writes rows and when it checks tables, or not.
pub(super) fn heed_check_constraints(connection: &Connection, heed: bool) -> rusqlite::Result<()> {
    connection.pragma_update(None, "ignore_check_constraints", !heed)
}

fn findings(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA main.integrity_check({})", quote(table)))?;
    let found: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().filter(|finding| finding != "ok").collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_broken_index_is_found_and_a_broken_constraint_is_told() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "PRAGMA ignore_check_constraints = ON;
                 CREATE TABLE \"5\"(a CHECK (a > 0)); CREATE INDEX i ON \"5\"(a);
                 INSERT INTO \"5\" VALUES (1), (2)",
            )
            .unwrap();
        let mut warnings = Vec::new();
        check(&connection, "5", Breakers::Snapshot, &mut warnings).unwrap();
        assert!(warnings.is_empty());
        connection.execute_batch("INSERT INTO \"5\" VALUES (-1)").unwrap();
        check(&connection, "5", Breakers::Snapshot, &mut warnings).unwrap();
        assert!(matches!(&warnings[..], [one] if one.contains("CHECK") && one.contains("snapshot")), "{warnings:?}");
        check(&connection, "5", Breakers::Target, &mut warnings).unwrap();
        assert!(matches!(&warnings[..], [_, one] if one.contains("CHECK") && one.contains("before")), "{warnings:?}");
        // The index now says of itself that it has rows that it has not.
        connection
            .execute_batch(
                "PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON \"5\"(-a)' WHERE name = 'i';
                 PRAGMA writable_schema = RESET",
            )
            .unwrap();
        let error = check(&connection, "5", Breakers::Snapshot, &mut warnings).unwrap_err();
        assert!(error.is_database() && error.table() == Some("5") && error.message().contains("index i"), "{error}");
    }
}
