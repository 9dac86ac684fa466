//! The steps of a restore, worked out before the first of them is taken.

use std::collections::BTreeSet;

use super::by_root::Roots;
use super::chosen::{Chosen, extension_of};
use super::given::cannot_give;
use super::one_partition::{Taken, When};
use super::options::{Part, PostgresRestoreOptions};
use super::placement::{Place, Placement, Route, named_part, referenced};
use super::target::Target;
use crate::error::{Error, Result};
use crate::model::{SchemaObject, TableSchema};
use crate::postgres::sql::{qualified, quote};
use crate::restore::RestoreMode;

/// The longest name of PostgreSQL.
const NAME_BYTES: usize = 63;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A statement.
    Run(Statement),
    /// The rows of a table, by its name in the archive.
    Rows(String),
    /// Reading the rows of a table back.
    Prove(String),
    /// Reading the rows of all partitions of a table back that were sent to it.
    ProveTogether(String),
    /// Statements that others may have to be waited for: all of them are done soon, or none, and then they are tried again.
    Together(Vec<Statement>),
}

/// A statement and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) kind: String,
    pub(super) name: String,
    /// What it belongs to; else the name once more.
    pub(super) table: String,
    pub(super) sql: String,
}

impl Statement {
    pub(super) fn new(kind: &str, name: &str, sql: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned(), table: name.to_owned(), sql: sql.into() }
    }
}

/// All steps, and what is said of them.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    pub(super) present: Vec<(String, String)>,
    pub(super) code: Vec<(String, String)>,
    pub(super) warnings: Vec<String>,
    /// What is not made although it is chosen: kind, what it belongs to, and name.
    pub(super) left_out: BTreeSet<(String, String, String)>,
    /// What keeps those who write to other tables waiting, and is made when the old tables go.
    pub(super) at_swap: Vec<Statement>,
    /// What can be made when the new tables are where they end.
    pub(super) after_swap: Vec<Statement>,
}

/// What the steps are made of.
pub(super) struct Making<'m, 'a> {
    pub(super) chosen: &'m Chosen<'a>,
    pub(super) placement: &'m Placement,
    pub(super) target: &'m Target,
    pub(super) options: &'m PostgresRestoreOptions,
    /// Tables that the rows of their partitions are sent to.
    pub(super) roots: &'m Roots,
    /// Partitions that are replaced alone.
    pub(super) taken: &'m [Taken],
    /// Is what is at this place replaced?
    pub(super) is_replaced: &'m dyn Fn(&Place) -> bool,
    /// Is anything replaced at all?
    pub(super) replaces: bool,
}

impl Steps {
    pub(super) fn run(&mut self, kind: &str, name: &str, sql: impl Into<String>) {
        self.steps.push(Step::Run(Statement::new(kind, name, sql)));
    }

    /// What makes the chosen things where they are made, fills and proves them.
    pub(super) fn make(making: &Making<'_, '_>) -> Result<Self> {
        let Making { chosen, placement, target, options, roots, .. } = *making;
        let mut steps = Self::default();
        for schema in placement.staging() {
            steps.run("schema", &schema, format!("CREATE SCHEMA {}", quote(&schema)));
        }
        steps.schemas_of_the_end(placement, target, chosen);
        steps.before(making)?;
        if options.part != Part::Schema {
            steps.empty_tables_of_extensions(chosen, placement, target, options)?;
            for table in &chosen.tables {
                steps.steps.push(Step::Rows(table.schema().name.clone()));
            }
        }
        let mut proved = false;
        for object in &chosen.after {
            // Once what is on the tables alone is there, rows can be read back; what may be slow or refers to others comes later.
            if !proved && matches!(object.kind.as_str(), "foreign key" | "trigger" | "view" | "materialized view") {
                steps.prove(chosen, roots, options);
                proved = true;
            }
            let Some(sql) = steps.after(object, making)? else {
                steps.leave_out(object);
                continue;
            };
            let statement =
                Statement { table: object.table.clone(), ..Statement::new(&object.kind, &object.name, sql) };
            match steps.when(object, making)? {
                When::Now => steps.steps.push(Step::Run(statement)),
                When::AtSwap => steps.at_swap.push(statement),
                When::AfterSwap => steps.after_swap.push(Statement { sql: object.definition.clone(), ..statement }),
            }
        }
        if !proved {
            steps.prove(chosen, roots, options);
        }
        Ok(steps)
    }

    fn leave_out(&mut self, object: &SchemaObject) {
        self.left_out.insert((object.kind.clone(), object.table.clone(), object.name.clone()));
    }

    /// Is it about something that a table has from the one that it is a partition of, which is not there?
    fn is_orphaned(&self, object: &SchemaObject, chosen: &Chosen<'_>) -> bool {
        let is_orphan = self.left_out.iter().any(|(kind, table, _)| kind == "partition" && *table == object.table);
        let has_trigger = || {
            chosen
                .after
                .iter()
                .any(|other| other.kind == "trigger" && other.name == object.name && other.table == object.table)
        };
        is_orphan
            && (object.kind == "index attach" || matches!(object.kind.as_str(), "trigger state") && !has_trigger())
    }

    fn prove(&mut self, chosen: &Chosen<'_>, roots: &Roots, options: &PostgresRestoreOptions) {
        if options.part == Part::Schema {
            return;
        }
        let names = chosen.tables.iter().map(|table| &table.schema().name);
        let alone = names.filter(|name| roots.of_table(name).is_none());
        self.steps.extend(alone.map(|name| Step::Prove(name.clone())));
        self.steps.extend(roots.all.iter().map(|root| Step::ProveTogether(root.name.clone())));
    }

    /// Schemas that relations end in, where neither the target nor the snapshot has them.
    fn schemas_of_the_end(&mut self, placement: &Placement, target: &Target, chosen: &Chosen<'_>) {
        // An extension makes its schema, or finds it among what the snapshot makes.
        let own = placement.routes.iter().filter(|route| chosen.extension_of(&route.name).is_none());
        let mut wanted: Vec<&str> = own.map(|route| route.to.0.as_str()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for schema in wanted {
            let is_made = chosen.before.iter().any(|object| object.kind == "schema" && object.name == schema);
            let is_there = schema == "public" || target.object("schema", schema, schema).is_some();
            if !is_made && !is_there {
                self.run("schema", schema, format!("CREATE SCHEMA IF NOT EXISTS {}", quote(schema)));
            }
        }
    }

    /// Tables and what they need, in order of creation.
    fn before(&mut self, making: &Making<'_, '_>) -> Result<()> {
        let Making { chosen, placement, target, .. } = *making;
        let (of_extensions, tables): (Vec<&TableSchema>, Vec<&TableSchema>) =
            chosen.tables.iter().map(|table| table.schema()).partition(|table| extension_of(table).is_some());
        for table in of_extensions {
            check_extension(table, chosen, placement, target)?;
        }
        let tables = tables.into_iter();
        let mut all: Vec<(u64, &str, &str, &str)> =
            tables.map(|table| (table.position, "table", table.name.as_str(), table.definition.as_str())).collect();
        for object in &chosen.before {
            if object.kind == "partition" && making.taken.iter().any(|taken| taken.name == object.table) {
                continue;
            }
            if matches!(object.kind.as_str(), "partition" | "inheritance")
                && let Some(place) = missing(&object.definition, chosen, placement, target)
                    .or_else(|| parent_elsewhere(object, placement))
            {
                self.warnings.push(format!(
                    "\"{}\" stands alone: {}.{}, of which it is a {}, is not restored with it",
                    object.table,
                    place.0,
                    place.1,
                    if object.kind == "partition" { "partition" } else { "child" }
                ));
                self.leave_out(object);
                continue;
            }
            // What is made elsewhere is made, whatever there is where it ends.
            let is_made_there = placement.made(&object.definition)? == object.definition;
            if is_made_there && self.is_present(object, target)? {
                continue;
            }
            if matches!(object.kind.as_str(), "function" | "aggregate" | "extension" | "language" | "operator") {
                self.code.push((object.kind.clone(), object.name.clone()));
            }
            all.push((object.position, &object.kind, &object.name, &object.definition));
        }
        all.sort_by_key(|(position, ..)| *position);
        for (_, kind, name, definition) in all {
            if let Some(place) = missing(definition, chosen, placement, target) {
                return Err(needs(kind, name, &place));
            }
            self.run(kind, name, placement.made(definition)?);
        }
        Ok(())
    }

    /// Where rows of users in tables of extensions are replaced, those that are there go first.
    fn empty_tables_of_extensions(
        &mut self,
        chosen: &Chosen<'_>,
        placement: &Placement,
        target: &Target,
        options: &PostgresRestoreOptions,
    ) -> Result<()> {
        let is_replacing = options.mode == RestoreMode::Replace;
        for table in chosen.tables.iter().map(|table| table.schema()).filter(|_| is_replacing) {
            let Some(route) = placement.table(&table.name).filter(|_| extension_of(table).is_some()) else { continue };
            let Some(there) = target.table(&route.to) else { continue };
            let condition = &target.facts(there)?.condition;
            self.run(
                "rows",
                &table.name,
                format!("DELETE FROM ONLY {} {condition}", qualified(&route.to.0, &route.to.1)),
            );
        }
        Ok(())
    }

    /// Does the target have it as the snapshot does? Fails if it has another of that name.
    fn is_present(&mut self, object: &SchemaObject, target: &Target) -> Result<bool> {
        if object.kind == "schema" && object.name == "public" {
            return Ok(true);
        }
        let Some(there) = target.like(object) else { return Ok(false) };
        // An extension is what is installed there, of whatever version; a schema has nothing but a name.
        let is_same = there.definition == object.definition || matches!(object.kind.as_str(), "extension" | "schema");
        if !is_same {
            return Err(Error::request(format!(
                "the target has another {} \"{}\" than the snapshot",
                object.kind, object.name
            ))
            .with_hint("rename or drop the target's, or restore into an empty database"));
        }
        self.present.push((object.kind.clone(), object.name.clone()));
        Ok(true)
    }

    /// The statement for something that is made after the rows; `None` where it is not made.
    fn after(&mut self, object: &SchemaObject, making: &Making<'_, '_>) -> Result<Option<String>> {
        let Making { chosen, placement, target, is_replaced, .. } = *making;
        match object.kind.as_str() {
            _ if making.taken.iter().any(|taken| taken.has_from_above(object, target)) => return Ok(None),
            "foreign key" => {
                let Some(place) = referenced(object) else {
                    return Err(super::chosen::contradiction(format!(
                        "foreign key \"{}\" refers to nothing",
                        object.name
                    )));
                };
                if placement.from(&place).is_none() && target.relation(&place).is_none() {
                    self.warnings.push(format!(
                        "foreign key \"{}\" of \"{}\" was left out: {}.{} is neither restored nor there",
                        object.name, object.table, place.0, place.1
                    ));
                    return Ok(None);
                }
            }
            "owner" | "privileges" | "default privileges" => {
                // What is replaced keeps the owner and the privileges that it has.
                let place = super::placement::relation_place(&object.table);
                if place.and_then(|place| placement.from(&place)).is_some_and(|route| is_replaced(&route.to)) {
                    return Ok(None);
                }
                if let Some(why) = cannot_give(object, target) {
                    self.warnings.push(format!("{} of \"{}\" not restored: {why}", object.kind, object.table));
                    return Ok(None);
                }
                if self.present.iter().any(|(_, name)| *name == object.table) && !chosen.has(&object.table) {
                    return Ok(None);
                }
            }
            // What was there already keeps what is said of it.
            "comment" if self.present.iter().any(|(_, name)| *name == object.table) => return Ok(None),
            "sequence value" if self.present.iter().any(|(kind, name)| kind == "sequence" && *name == object.table) => {
                self.warnings
                    .push(format!("sequence \"{}\" is there already and goes on from where it is", object.table));
                return Ok(None);
            }
            _ if self.is_orphaned(object, chosen) => return Ok(None),
            _ => {}
        }
        if object.kind != "foreign key"
            && let Some(place) = missing(&object.definition, chosen, placement, target)
        {
            return Err(needs(&object.kind, &object.name, &place));
        }
        placement.made(&object.definition).map(Some)
    }

    /// What belongs to a table that gets another name gets another one too: names such as "users_pkey" are taken by the table
    /// that the first name still stands for.
    fn rename_parts(&mut self, route: &Route, parts: &[(&'static str, String)]) {
        for (noun, part) in parts {
            let place = qualified(&route.made.0, part);
            self.run("rename", part, format!("ALTER {noun} {place} RENAME TO {}", quote(&renamed(route, part))));
        }
    }

    /// The step that brings a relation from where it is made to where it ends.
    pub(super) fn bring(&mut self, route: &Route, parts: &[(&'static str, String)]) {
        let noun = noun(&route.kind);
        let (mut at, new) = (route.made.clone(), &route.to);
        if at.1 != new.1 {
            self.rename_parts(route, parts);
            let sql = format!("ALTER {noun} {} RENAME TO {}", qualified(&at.0, &at.1), quote(&new.1));
            self.run("rename", &route.name, sql);
            at.1.clone_from(&new.1);
        }
        let sql = format!("ALTER {noun} {} SET SCHEMA {}", qualified(&at.0, &at.1), quote(&new.0));
        self.run("move", &route.name, sql);
        // Indexes and sequences go with their table; statistics do not.
        for (_, part) in parts.iter().filter(|(noun, _)| *noun == "STATISTICS") {
            let part = if route.made.1 == new.1 { part.clone() } else { renamed(route, part) };
            let sql = format!("ALTER STATISTICS {} SET SCHEMA {}", qualified(&at.0, &part), quote(&new.0));
            self.run("move", &part, sql);
        }
    }
}

/// What a partition is one of, if that is not restored and the partition gets another place: the target's stays as it is.
fn parent_elsewhere(object: &SchemaObject, placement: &Placement) -> Option<Place> {
    let (parent, child) = super::references::attached(object)?;
    let moves = placement.from(&child).is_some_and(|route| route.from != route.to);
    (moves && placement.from(&parent).is_none()).then_some(parent)
}

/// A relation of the snapshot that a definition names and that is neither restored nor in the target.
fn missing(definition: &str, chosen: &Chosen<'_>, placement: &Placement, target: &Target) -> Option<Place> {
    if chosen.everything {
        return None;
    }
    super::needs::names(definition).into_iter().find(|place| {
        chosen.relations.contains_key(place) && placement.from(place).is_none() && target.relation(place).is_none()
    })
}

/// The table of an extension must be there, or come with an extension that is made.
fn check_extension(table: &TableSchema, chosen: &Chosen<'_>, placement: &Placement, target: &Target) -> Result<()> {
    let (Some(extension), Some(route)) = (extension_of(table), placement.table(&table.name)) else { return Ok(()) };
    let there = target.table(&route.to);
    let is_made = chosen.before.iter().any(|object| object.kind == "extension" && object.name == extension)
        && target.object("extension", extension, extension).is_none();
    if there.is_some_and(|there| extension_of(there) == Some(extension)) || there.is_none() && is_made {
        return Ok(());
    }
    let what = if there.is_some() { "is another one there" } else { "is not there" };
    let (schema, name) = &route.to;
    Err(Error::request(format!("{schema}.{name} needs to be the table of the extension \"{extension}\", and {what}"))
        .with_hint("make the extension in this schema first (CREATE EXTENSION), or leave the table out (-T)"))
}

fn needs(kind: &str, name: &str, place: &Place) -> Error {
    Error::request(format!(
        "{kind} \"{name}\" needs {}.{}, which is neither chosen nor in the target",
        place.0, place.1
    ))
    .with_hint("choose it too (-t)")
}

/// The name of a part of a table that gets another name: the old one's place in it is the new one's.
pub(super) fn renamed(route: &Route, part: &str) -> String {
    let rest = part.strip_prefix(route.made.1.as_str()).map_or_else(|| format!("_{part}"), str::to_owned);
    // The server would cut the end off; the beginning is what may be missed.
    let room = NAME_BYTES.saturating_sub(rest.len());
    let end = (0..=room.min(route.to.1.len())).rev().find(|end| route.to.1.is_char_boundary(*end));
    let head = end.and_then(|end| route.to.1.get(..end)).unwrap_or_default();
    format!("{head}{rest}")
}

/// What of a table has a name that is unique in its schema, with the word that SQL has for it: indexes, statistics and the
/// sequences of its columns.
pub(super) fn parts(route: &Route, chosen: &Chosen<'_>, placement: &Placement) -> Vec<(&'static str, String)> {
    let own = chosen.after.iter().filter(|object| object.table == route.name);
    let mut parts: Vec<(&'static str, String)> = own.filter_map(named_part).collect();
    parts.extend(placement.sequences_of(route).into_iter().map(|name| ("SEQUENCE", name)));
    parts
}

/// What SQL calls a relation of this kind.
pub(super) fn noun(kind: &str) -> &'static str {
    match kind {
        "view" => "VIEW",
        "materialized view" => "MATERIALIZED VIEW",
        "foreign table" => "FOREIGN TABLE",
        "sequence" => "SEQUENCE",
        _ => "TABLE",
    }
}
