//! Which tables are children of which.

use std::collections::HashMap;

use super::collected::Collected;
use super::columns::ColumnEntry;
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::qualified;

/// The parents of the chosen tables, of those that are chosen themselves, in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct Parents {
    of: HashMap<u32, Vec<u32>>,
    names: HashMap<u32, String>,
}

impl Parents {
    pub(super) fn of(&self, child: u32) -> &[u32] {
        self.of.get(&child).map_or(&[], Vec::as_slice)
    }

    pub(super) fn names(&self, child: u32) -> impl Iterator<Item = String> {
        self.of(child).iter().filter_map(|parent| self.names.get(parent).cloned())
    }
}

/// Reads them, and names those that are not chosen.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<Parents> {
    let sql = format!(
        "SELECT i.inhrelid, i.inhparent, n.nspname, c.relname
         FROM {}
         JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = chosen.oid
         JOIN pg_catalog.pg_class AS c ON c.oid = i.inhparent
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         ORDER BY i.inhrelid, i.inhseqno",
        collected.chosen()
    );
    let mut parents = Parents::default();
    for row in client.rows(&sql)? {
        let (child, parent): (u32, u32) = (row.number(0)?, row.number(1)?);
        if collected.by_oid.contains_key(&parent) {
            parents.of.entry(child).or_default().push(parent);
            parents.names.insert(parent, qualified(row.text(2), row.text(3)));
        } else if let Some(child) = collected.by_oid.get(&child).copied() {
            let tie = if child.is_partition { "partition of" } else { "child of" };
            let what = format!("{} \"{}\" as {tie} \"{}\"", child.kind.name(), child.archive_name(), row.text(3));
            collected.omit(what, "its parent is not in the snapshot; it is kept as a table of its own");
        }
    }
    Ok(parents)
}

/// Would a table that inherits from these parents have its columns in the order that it has?
pub(super) fn is_laid_out_alike<'c>(parents: impl Iterator<Item = &'c [ColumnEntry]>, own: &[ColumnEntry]) -> bool {
    let mut inherited: Vec<&str> = Vec::new();
    for column in parents.flatten() {
        if !inherited.contains(&column.facts.name.as_str()) {
            inherited.push(&column.facts.name);
        }
    }
    let names = own.iter().map(|column| column.facts.name.as_str());
    own.len() >= inherited.len() && names.zip(&inherited).all(|(name, wanted)| name == *wanted)
}
