//! Foreign keys of SQLite's tables in PostgreSQL.

use super::orphans::{self, Side};
use super::postgres_table::{Names, NewColumn, NewTable, SCHEMA, quoted};
use super::sqlite_facts::{ColumnFacts, ReferenceFacts};
use super::to_postgres::Work;
use crate::archive::Table;
use crate::error::Result;
use crate::observer::Observer;
use crate::postgres::sql::qualified;

impl Work {
    /// Adds the foreign keys of a table, of which those alone are checked at once that its rows keep to.
    pub(super) fn references(
        &mut self,
        tables: &[Table<'_>],
        at: usize,
        new: &mut [NewTable],
        observer: &dyn Observer,
    ) -> Result<()> {
        let Some(child) = tables.get(at) else { return Ok(()) };
        let schema = child.schema();
        let mut names = Names::default();
        for said in self.asked.references(&schema.name)? {
            let Some(reference) = self.reference(&said, at, new)? else {
                let what = format!("foreign key of \"{}\" to \"{}\"", schema.name, said.parent);
                let why = "what it refers to is not restored, not unique there, or of another type";
                self.notes.left_out(what, why);
                continue;
            };
            let mut clause = reference.clause(&said);
            let parent = tables.iter().find(|table| table.schema().name == reference.parent);
            let orphans = match parent {
                Some(parent) => orphans::count(&side(child, &reference.from), &side(parent, &reference.to), observer)?,
                None => 0,
            };
            if orphans > 0 {
                // In SQLite too it would be checked for rows to come alone.
                clause.push_str(" NOT VALID");
                let (child, parent) = (&schema.name, &reference.parent);
                let rows = if orphans == 1 { "1 row refers".to_owned() } else { format!("{orphans} rows refer") };
                self.notes.said(format!(
                    "foreign key of \"{child}\" to \"{parent}\": {rows} to nothing, which SQLite lets be; it is NOT VALID, and checks rows \
                     to come"
                ));
            }
            let name = names.make(&format!("{}_{}", schema.name, said.columns.join("_")), "_fkey");
            if let Some(table) = new.get_mut(at) {
                table.add_reference(&name, &clause);
            }
        }
        Ok(())
    }

    fn reference(&self, reference: &ReferenceFacts, at: usize, new: &[NewTable]) -> Result<Option<Reference>> {
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
        if !same || !self.is_unique(parent, &facts, &names_of(&to))? {
            return Ok(None);
        }
        Ok(Some(Reference { parent: parent.name.clone(), from, to }))
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

/// A foreign key that PostgreSQL can have, and the columns on both of its sides.
struct Reference {
    parent: String,
    from: Vec<NewColumn>,
    to: Vec<NewColumn>,
}

impl Reference {
    fn clause(&self, said: &ReferenceFacts) -> String {
        let (from, to) = (quoted(&names_of(&self.from)), quoted(&names_of(&self.to)));
        let mut clause = format!("FOREIGN KEY ({from}) REFERENCES {}({to})", qualified(SCHEMA, &self.parent));
        for (event, action) in [("UPDATE", &said.on_update), ("DELETE", &said.on_delete)] {
            if ["CASCADE", "RESTRICT", "SET NULL", "SET DEFAULT"].contains(&action.as_str()) {
                clause.push_str(&format!(" ON {event} {action}"));
            }
        }
        clause
    }
}

fn names_of(columns: &[NewColumn]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

/// Where these columns stand in the snapshot's table.
fn side<'t, 'a>(table: &'t Table<'a>, columns: &[NewColumn]) -> Side<'t, 'a> {
    let stored = &table.schema().columns;
    let place = |new: &NewColumn| stored.iter().position(|column| !column.hidden && column.name == new.name);
    let columns = columns.iter().filter_map(|new| Some((place(new)?, new.chosen.conversion)));
    Side { table, columns: columns.collect() }
}
