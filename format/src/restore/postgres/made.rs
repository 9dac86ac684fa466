//! Is what was made what the snapshot says? The target's catalog is read again at the end, and its definitions are laid beside the
//! snapshot's, as they are with the places at which things end.
//!
//! Servers of other versions print some definitions in other words: there it is looked at whether things are there, and of tables
//! whether they have the columns that they had.

use std::collections::BTreeSet;

use super::chosen::{Chosen, extension_of, is_relation};
use super::placement::{Place, Placement, named_part, relation_place};
use super::steps::renamed;
use super::target::Target;
use crate::error::{Error, Result};
use crate::model::{SchemaObject, TableSchema};
use crate::postgres::tokens::{move_relations, says_the_same};
use crate::source::postgres::catalog::archive_name;

/// Kinds that are compared besides relations. Others may have been there before, or be left to the target.
const COMPARED: [&str; 14] = [
    "check",
    "default",
    "exclusion",
    "foreign key",
    "index",
    "partition",
    "policy",
    "primary key",
    "row security",
    "rule",
    "sequence owner",
    "statistics",
    "trigger",
    "unique",
];

/// What is compared with what.
pub(super) struct Made<'m, 'a> {
    pub(super) chosen: &'m Chosen<'a>,
    pub(super) placement: &'m Placement,
    /// The target as it is now.
    pub(super) target: &'m Target,
    /// What was left out, by kind, what it belongs to, and name.
    pub(super) left_out: &'m BTreeSet<(String, String, String)>,
}

impl Made<'_, '_> {
    /// Fails if something is not there as it was.
    pub(super) fn check(&self) -> Result<()> {
        for table in &self.chosen.tables {
            let schema = table.schema();
            self.table(schema).map_err(|error| error.in_table(schema.name.as_str()))?;
        }
        for object in self.chosen.before.iter().chain(&self.chosen.after) {
            let is_left_out = self.left_out.contains(&(object.kind.clone(), object.table.clone(), object.name.clone()));
            if !is_left_out && (is_relation(object) || COMPARED.contains(&object.kind.as_str())) {
                self.object(object)?;
            }
        }
        Ok(())
    }

    fn table(&self, schema: &TableSchema) -> Result<()> {
        let missing = || Error::not_proven("the target does not have the table");
        let route = self.placement.table(&schema.name).ok_or_else(missing)?;
        let there = self.target.table(&route.to).ok_or_else(missing)?;
        if extension_of(schema).is_some() {
            // What it is, is the extension's, of whatever version.
            return Ok(());
        }
        let columns = |table: &TableSchema| {
            let of = |column: &crate::model::Column| (column.name.clone(), column.logical, column.nullable);
            table.columns.iter().map(of).collect::<Vec<_>>()
        };
        if columns(there) != columns(schema) {
            return Err(Error::not_proven("the target has other columns"));
        }
        if self.is_other(&schema.definition, &there.definition) {
            return Err(Error::not_proven("the target has another definition"));
        }
        Ok(())
    }

    fn object(&self, object: &SchemaObject) -> Result<()> {
        // What belongs to a table that got a new name got new names with it.
        let route = relation_place(&object.table).and_then(|place| self.placement.from(&place));
        if route.is_some_and(|route| route.from.1 != route.to.1) {
            return Ok(());
        }
        let (table, name) = (self.end(&object.table), self.end_of_own(object));
        let Some(there) = self.target.object(&object.kind, &table, &name) else {
            return Err(Error::not_proven(format!("the target does not have {} \"{}\"", object.kind, object.name)));
        };
        // Some kinds have several of one name: that a table has policies, and that its owner keeps to them.
        let is_another = || {
            let mut like = self
                .target
                .objects()
                .filter(|other| other.kind == object.kind && other.table == table && other.name == name);
            like.all(|other| self.is_other(&object.definition, &other.definition))
        };
        if self.is_other(&object.definition, &there.definition) && is_another() {
            return Err(Error::not_proven(format!(
                "the target does not have {} \"{}\" as it was",
                object.kind, object.name
            )));
        }
        Ok(())
    }

    /// Is a definition another than this one with the places at which things end? Where something has a new name besides a new
    /// schema, or where the server is of another version, its words are its own.
    fn is_other(&self, wanted: &str, found: &str) -> bool {
        if wanted == found {
            return false;
        }
        let is_renamed = self.placement.routes.iter().any(|route| route.from.1 != route.to.1);
        // What was translated from another engine is of no version: it is written as all servers write it.
        let version = &self.chosen.version;
        if is_renamed || !version.is_empty() && self.target.version != *version {
            return false;
        }
        let moved = |schema: &str, name: &str| self.placement.end_of(schema, name);
        // The server quotes a schema where it must, and what moved here always has its quotes, in constants too.
        let plain = |definition: &str| definition.replace('"', "");
        move_relations(wanted, &moved)
            .is_none_or(|wanted| !says_the_same(&wanted, found) && plain(&wanted) != plain(found))
    }

    /// The name in an archive of what ends where this relation does; the same name for anything else.
    fn end(&self, name: &str) -> String {
        let route = relation_place(name).and_then(|place| self.placement.from(&place));
        route.map_or_else(|| name.to_owned(), |route| archive_name(&route.to.0, &route.to.1))
    }

    /// The name of what belongs to a table that got another name, and therefore got another name too.
    fn new_name(&self, object: &SchemaObject) -> Option<String> {
        let route = self.placement.from(&relation_place(&object.table)?).filter(|route| route.from.1 != route.to.1)?;
        let part = match object.kind.as_str() {
            "sequence owner" => relation_place(&object.name)?.1,
            _ => named_part(object)?.1,
        };
        let new = renamed(route, &part);
        let has_schema = matches!(object.kind.as_str(), "index" | "sequence owner" | "statistics");
        Some(if has_schema { archive_name(&route.to.0, &new) } else { new })
    }

    /// The name of an object where it ends. One that has a schema of its own goes along with its table.
    fn end_of_own(&self, object: &SchemaObject) -> String {
        if is_relation(object) || object.name == object.table {
            return self.end(&object.name);
        }
        if let Some(new) = self.new_name(object) {
            return new;
        }
        if !matches!(object.kind.as_str(), "index" | "sequence owner" | "statistics") {
            return object.name.clone();
        }
        if let Some((schema, name)) = relation_place(&object.name)
            && let Some(end) = self.placement.end_of(&schema, &name)
        {
            return archive_name(&end, &name);
        }
        if object.kind != "index" {
            return object.name.clone();
        }
        let of_table: Option<Place> = relation_place(&object.table);
        let route = of_table.and_then(|place| self.placement.from(&place));
        match (route, relation_place(&object.name)) {
            (Some(route), Some((schema, name))) if schema == route.from.0 => archive_name(&route.to.0, &name),
            _ => object.name.clone(),
        }
    }
}
