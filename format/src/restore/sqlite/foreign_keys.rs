//! Rows that refer to rows that are not there. SQLite does not look while rows are restored, so it is asked before and
//! after, and each violation that is new is judged: was it in the snapshot too, or did the restore make it?

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::{Connection, Row};

use super::chosen::Chosen;
use super::failure::failure;
use crate::error::{Error, Result};
use crate::source::SourceCatalog;
use crate::source::sqlite::names::quote;

/// Who refers to whom.
type Reference = (String, String);

/// The violations between restored and other tables that a target had before the restore.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Row ids of rows that refer to nothing. Memory: as many numbers as there are violations.
    rows: HashMap<Reference, HashSet<i64>>,
    /// How many there are in tables without row ids.
    without_row_id: HashMap<Reference, u64>,
    /// Tables whose foreign keys cannot be checked.
    mismatched: BTreeSet<String>,
}

impl Before {
    /// Asks the target, of which the catalog is.
    pub(super) fn of(connection: &Connection, catalog: &SourceCatalog, chosen: &Chosen<'_>) -> Result<Self> {
        let mut before = Self::default();
        for child in concerned(connection, catalog, chosen)? {
            let outcome = violations(connection, &child, |parent, row_id| {
                let reference = (child.clone(), parent);
                match row_id {
                    Some(row_id) => drop(before.rows.entry(reference).or_default().insert(row_id)),
                    None => *before.without_row_id.entry(reference).or_default() += 1,
                }
            })?;
            if let Checked::Mismatch(_) = outcome {
                before.mismatched.insert(child);
            }
        }
        Ok(before)
    }

    /// Asks the target again. Violations that the restore made are refused; those that the snapshot must have too, and
    /// references to tables that are not there at all, become warnings.
    pub(super) fn compare(
        &self,
        connection: &Connection,
        catalog: &SourceCatalog,
        chosen: &Chosen<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let mut new: BTreeMap<Reference, u64> = BTreeMap::new();
        for child in concerned(connection, catalog, chosen)? {
            let mut without_row_id: HashMap<Reference, u64> = HashMap::new();
            let outcome = violations(connection, &child, |parent, row_id| {
                let reference = (child.clone(), parent);
                let known = match row_id {
                    Some(row_id) => self.rows.get(&reference).is_some_and(|known| known.contains(&row_id)),
                    None => {
                        let seen = without_row_id.entry(reference.clone()).or_default();
                        *seen += 1;
                        *seen <= self.without_row_id.get(&reference).copied().unwrap_or_default()
                    }
                };
                if !known {
                    *new.entry(reference).or_default() += 1;
                }
            })?;
            match outcome {
                Checked::Mismatch(why) if !chosen.has_table(&child) && !self.mismatched.contains(&child) => {
                    return Err(Error::database(format!("the restore would break foreign keys: {why}")).in_table(child));
                }
                Checked::Mismatch(why) => {
                    warnings.push(format!("foreign keys of \"{child}\" cannot be checked: {why}"))
                }
                Checked::All => {}
            }
        }
        for ((child, parent), count) in new {
            if !catalog.tables.iter().any(|table| table.name.eq_ignore_ascii_case(&parent)) {
                warnings.push(format!("{count} rows of \"{child}\" refer to \"{parent}\", which does not exist"));
            } else if chosen.has_table(&child) && chosen.has_table(&parent) {
                warnings.push(format!(
                    "{count} rows of \"{child}\" refer to rows of \"{parent}\" that do not exist, as in the snapshot"
                ));
            } else {
                return Err(Error::database(format!(
                    "{count} rows of \"{child}\" would refer to rows of \"{parent}\" that do not exist"
                ))
                .in_table(child)
                .with_hint(format!("restore both tables, \"{parent}\" too, or into a new file; nothing was changed")));
            }
        }
        Ok(())
    }
}

/// Tables that are restored, or refer to a restored one.
fn concerned(connection: &Connection, catalog: &SourceCatalog, chosen: &Chosen<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for table in &catalog.tables {
        let parents = parents(connection, &table.name)?;
        if !parents.is_empty() && (chosen.has_table(&table.name) || parents.iter().any(|name| chosen.has_table(name))) {
            found.push(table.name.clone());
        }
    }
    Ok(found)
}

fn parents(connection: &Connection, table: &str) -> Result<Vec<String>> {
    connection
        .prepare(&format!("PRAGMA main.foreign_key_list({})", quote(table)))
        .and_then(|mut statement| statement.query_map([], |row| row.get(2)).and_then(Iterator::collect))
        .map_err(|cause| checking(table, cause))
}

enum Checked {
    All,
    /// The parent has no key that fits; SQLite's own words.
    Mismatch(String),
}

/// Calls `found` with the parent and the row id of each violation of a table.
fn violations(connection: &Connection, child: &str, mut found: impl FnMut(String, Option<i64>)) -> Result<Checked> {
    let mut check = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare(&format!("PRAGMA main.foreign_key_check({})", quote(child)))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (row_id, parent) = violation(row)?;
            found(parent, row_id);
        }
        Ok(())
    };
    match check() {
        Ok(()) => Ok(Checked::All),
        Err(cause) if cause.to_string().contains("foreign key mismatch") => Ok(Checked::Mismatch(cause.to_string())),
        Err(cause) => Err(checking(child, cause)),
    }
}

fn violation(row: &Row<'_>) -> rusqlite::Result<(Option<i64>, String)> {
    Ok((row.get(1)?, row.get(2)?))
}

fn checking(table: &str, cause: rusqlite::Error) -> Error {
    failure("checking foreign keys", cause).in_table(table)
}
