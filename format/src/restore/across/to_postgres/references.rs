//! Foreign keys of SQLite in PostgreSQL, which asks more of what they refer to: it must be unique, and of the same type.

use super::Work;
use crate::error::Result;
use crate::model::TableSchema;
use crate::postgres::sql::qualified;
use crate::restore::across::postgres_table::{Names, NewColumn, NewTable, SCHEMA, quoted};
use crate::restore::across::sqlite_facts::{ColumnFacts, ReferenceFacts};

impl Work {
    /// Foreign keys to tables that are restored with this one.
    pub(super) fn references(&mut self, schema: &TableSchema, at: usize, new: &mut [NewTable]) -> Result<()> {
        let mut names = Names::default();
        for reference in self.asked.references(&schema.name)? {
            let clause = self.reference(&reference, at, new)?;
            let (Some(clause), Some(table)) = (clause, new.get_mut(at)) else {
                let what = format!("foreign key of \"{}\" to \"{}\"", schema.name, reference.parent);
                let why = "what it refers to is not restored, not unique there, or of another type";
                self.notes.left_out(what, why);
                continue;
            };
            let name = names.make(&format!("{}_{}", schema.name, reference.columns.join("_")), "_fkey");
            table.add_reference(&name, &clause);
        }
        Ok(())
    }

    fn reference(&self, reference: &ReferenceFacts, at: usize, new: &[NewTable]) -> Result<Option<String>> {
        let Some(parent) = new.iter().find(|table| table.name.eq_ignore_ascii_case(&reference.parent)) else {
            return Ok(None);
        };
        let facts = self.asked.columns(&parent.name)?;
        let named = reference.parent_columns.clone().unwrap_or_else(|| {
            let mut key: Vec<&ColumnFacts> = facts.iter().filter(|facts| facts.in_key > 0).collect();
            key.sort_by_key(|facts| facts.in_key);
            key.into_iter().map(|facts| facts.name.clone()).collect()
        });
        // SQLite does not tell capital letters from others.
        let find = |table: &NewTable, name: &String| {
            table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).cloned()
        };
        let from: Option<Vec<NewColumn>> =
            new.get(at).and_then(|table| reference.columns.iter().map(|name| find(table, name)).collect());
        let to: Option<Vec<NewColumn>> = named.iter().map(|name| find(parent, name)).collect();
        let (Some(from), Some(to)) = (from, to) else { return Ok(None) };
        let same = from.len() == to.len() && from.iter().zip(&to).all(|(a, b)| a.chosen.declared == b.chosen.declared);
        let names = |columns: &[NewColumn]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let (from, to) = (names(&from), names(&to));
        if !same || !self.is_unique(parent, &facts, &to)? {
            return Ok(None);
        }
        let mut clause =
            format!("FOREIGN KEY ({}) REFERENCES {}({})", quoted(&from), qualified(SCHEMA, &parent.name), quoted(&to));
        for (event, action) in [("UPDATE", &reference.on_update), ("DELETE", &reference.on_delete)] {
            if ["CASCADE", "RESTRICT", "SET NULL", "SET DEFAULT"].contains(&action.as_str()) {
                clause.push_str(&format!(" ON {event} {action}"));
            }
        }
        Ok(Some(clause))
    }

    /// Is there a key over just these columns, which compares them as they are?
    fn is_unique(&self, parent: &NewTable, facts: &[ColumnFacts], columns: &[String]) -> Result<bool> {
        let is_same = |mut names: Vec<String>| {
            let mut wanted = columns.to_vec();
            wanted.sort_unstable();
            names.sort_unstable();
            names == wanted
        };
        let key = facts.iter().filter(|facts| facts.in_key > 0).map(|facts| facts.name.clone()).collect();
        let is_made = |kind: &str| parent.attached.iter().any(|object| object.kind == kind);
        if is_same(key) && (is_made("primary key") || is_made("unique")) {
            return Ok(true);
        }
        Ok(self.asked.indexes(&parent.name)?.into_iter().any(|index| {
            let parts = index.parts.filter(|_| index.unique && !index.partial).unwrap_or_default();
            let binary = parts.iter().all(|part| part.collation.eq_ignore_ascii_case("BINARY"));
            binary && is_same(parts.into_iter().map(|part| part.column).collect())
        }))
    }
}
