//! What a target has already, and what a restore into it would do: the plan, or the refusal.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Connection;

use super::chosen::Chosen;
use super::failure::failure;
use crate::error::{Error, Result};
use crate::model::{SchemaObject, TableSchema, roles};
use crate::restore::kept::ChosenTable;
use crate::restore::options::RestoreMode;
use crate::restore::plan::{PlannedObject, PlannedTable, RestorePlan, TableAction};
use crate::source::sqlite::SqliteSource;
use crate::source::{Source, SourceCatalog};

/// What a database has.
pub(super) struct Existing {
    /// Its tables and objects.
    pub(super) catalog: SourceCatalog,
    /// Kind and table of everything that has a name, by name in lower case. ("virtual table" is a kind here.)
    names: HashMap<String, (String, String)>,
}

impl Existing {
    /// Of a connection that is in a transaction.
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let reading = |cause| failure("reading the target's schema", cause);
        let catalog = SqliteSource::over(connection)?.catalog().clone();
        let sql = "SELECT CASE WHEN type = 'table' AND rootpage = 0 THEN 'virtual table' ELSE type END, name, tbl_name
                   FROM main.sqlite_master";
        let mut statement = connection.prepare(sql).map_err(reading)?;
        let entries = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<(String, String, String)>>>)
            .map_err(reading)?;
        let names = entries.into_iter().map(|(kind, name, table)| (name.to_ascii_lowercase(), (kind, table))).collect();
        Ok(Self { catalog, names })
    }

    /// The table of this name.
    pub(super) fn table(&self, name: &str) -> Option<&TableSchema> {
        self.catalog.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// Kind, and table it belongs to, of what has this name.
    fn named(&self, name: &str) -> Option<(&str, &str)> {
        self.names.get(&name.to_ascii_lowercase()).map(|(kind, table)| (kind.as_str(), table.as_str()))
    }

    /// Names of the shadow tables of a virtual table.
    pub(super) fn shadows_of(&self, virtual_table: &str) -> impl Iterator<Item = &str> {
        self.catalog
            .tables
            .iter()
            .filter(|table| table.role == roles::SHADOW)
            .filter(move |table| {
                table.option("virtual_table").is_some_and(|owner| owner.eq_ignore_ascii_case(virtual_table))
            })
            .map(|table| table.name.as_str())
    }
}

/// Plans a restore. `existing` is what the target has; `None` for a file that is to be made. A database that has nothing
/// gets the settings of the snapshot (`fresh`).
pub(super) fn plan(
    chosen: &Chosen<'_>,
    target: &Path,
    mode: RestoreMode,
    existing: Option<&Existing>,
    fresh: bool,
) -> Result<RestorePlan> {
    let mut plan = RestorePlan {
        target: target.to_owned(),
        new_file: existing.is_none(),
        mode,
        tables: Vec::with_capacity(chosen.tables.len()),
        objects: Vec::new(),
        bookkeeping: chosen.bookkeeping.iter().map(|table| table.schema().name.clone()).collect(),
        settings: if fresh { chosen.settings.clone() } else { Vec::new() },
        definitions: Vec::new(),
        warnings: Vec::new(),
    };
    if chosen.everything {
        plan.warnings.extend(chosen.omitted.iter().map(|omitted| format!("not in the snapshot: {omitted}")));
    }
    if mode == RestoreMode::Append {
        plan_append(chosen, existing, &mut plan)?;
        return Ok(plan);
    }
    for table in &chosen.tables {
        let action = match existing.and_then(|existing| Some((existing, existing.named(&table.schema().name)?))) {
            None => TableAction::CreateTable,
            Some((existing, (kind, _))) => {
                may_replace("table", &table.schema().name, kind, mode)?;
                check_replaced_shadow(chosen, existing, table.schema())?;
                warn_of_more(chosen, existing, table.schema(), &mut plan.warnings);
                TableAction::ReplaceTable
            }
        };
        plan.tables.push(planned(table, action));
    }
    for object in chosen.objects() {
        let replaces = match existing.and_then(|existing| existing.named(&object.name)) {
            None => false,
            Some((kind, owner)) => {
                may_replace(&object.kind, &object.name, kind, mode)?;
                check_owner(chosen, object, owner)?;
                true
            }
        };
        if let (Some(existing), true, "view") = (existing, replaces, object.kind.as_str()) {
            warn_of_more_on_view(chosen, existing, &object.name, &mut plan.warnings);
        }
        let SchemaObject { kind, name, table, .. } = object.clone();
        plan.objects.push(PlannedObject { kind, name, table, replaces });
    }
    Ok(plan)
}

fn planned(table: &ChosenTable<'_>, action: TableAction) -> PlannedTable {
    let manifest = table.manifest();
    PlannedTable {
        name: manifest.schema.name.clone(),
        role: manifest.schema.role.clone(),
        rows: manifest.rows,
        filters: manifest.filters.clone(),
        expire: table.rules().to_vec(),
        stored_bytes: manifest.stored_bytes,
        action,
    }
}

fn may_replace(kind: &str, name: &str, found: &str, mode: RestoreMode) -> Result<()> {
    if mode == RestoreMode::Create {
        return Err(Error::request(format!("the target has a {found} of the name \"{name}\" already"))
            .with_hint("restore in the mode replace or append, leave it out, or restore into a new file"));
    }
    if found == kind {
        return Ok(());
    }
    Err(Error::request(format!("\"{name}\" is a {found} in the target, and a {kind} in the snapshot"))
        .with_hint("rename or drop it in the target, or leave it out"))
}

/// An index or trigger goes with its table or view; on another one it would have to be taken away from there.
fn check_owner(chosen: &Chosen<'_>, object: &SchemaObject, owner: &str) -> Result<()> {
    let own = object.kind == "view" || object.kind == "virtual table" || object.table.eq_ignore_ascii_case(owner);
    let is_replaced = || {
        chosen.has_table(owner)
            || chosen.views_and_triggers.iter().any(|o| o.kind == "view" && o.name.eq_ignore_ascii_case(owner))
            || !matches!(object.kind.as_str(), "index" | "trigger")
    };
    if own && is_replaced() {
        return Ok(());
    }
    Err(Error::request(format!(
        "the target has a {} \"{}\" on \"{owner}\", the snapshot has it on \"{}\"",
        object.kind, object.name, object.table
    ))
    .with_hint("rename or drop it in the target, or leave its table out"))
}

/// The storage of a virtual table is replaced together with it or not at all.
fn check_replaced_shadow(chosen: &Chosen<'_>, existing: &Existing, table: &TableSchema) -> Result<()> {
    let found = existing.table(&table.name).filter(|found| found.role == roles::SHADOW);
    match found.and_then(|found| found.option("virtual_table")) {
        Some(owner) if !chosen.virtual_tables.iter().any(|object| object.name.eq_ignore_ascii_case(owner)) => {
            Err(Error::request(format!("\"{}\" is storage of the target's virtual table \"{owner}\"", table.name))
                .with_hint(format!("restore \"{owner}\", which takes all its storage along")))
        }
        _ => Ok(()),
    }
}

fn warn_of_more(chosen: &Chosen<'_>, existing: &Existing, table: &TableSchema, warnings: &mut Vec<String>) {
    let Some(found) = existing.table(&table.name) else { return };
    let is_chosen = |name: &str| chosen.objects().any(|object| object.name.eq_ignore_ascii_case(name));
    for object in found.attached.iter().filter(|object| !is_chosen(&object.name)) {
        warnings.push(format!(
            "{} \"{}\" of the target's \"{}\" is not in the snapshot and goes",
            object.kind, object.name, found.name
        ));
    }
}

fn warn_of_more_on_view(chosen: &Chosen<'_>, existing: &Existing, view: &str, warnings: &mut Vec<String>) {
    let on_view = |object: &&SchemaObject| object.kind == "trigger" && object.table.eq_ignore_ascii_case(view);
    let is_chosen = |name: &str| chosen.objects().any(|object| object.name.eq_ignore_ascii_case(name));
    for object in existing.catalog.objects.iter().filter(on_view).filter(|object| !is_chosen(&object.name)) {
        warnings
            .push(format!("trigger \"{}\" of the target's \"{view}\" is not in the snapshot and goes", object.name));
    }
}

fn plan_append(chosen: &Chosen<'_>, existing: Option<&Existing>, plan: &mut RestorePlan) -> Result<()> {
    let missing = |name: &str| {
        Error::request(format!("the target has no table \"{name}\" to add rows to"))
            .with_hint("restore in the mode create, which makes it, or leave it out")
    };
    for table in &chosen.tables {
        let schema = table.schema();
        let found = existing.and_then(|existing| existing.table(&schema.name)).ok_or_else(|| missing(&schema.name))?;
        if schema.role == roles::SHADOW || found.role == roles::SHADOW {
            return Err(Error::request(format!(
                "\"{}\" is storage of a virtual table; its rows cannot be mixed",
                schema.name
            ))
            .with_hint("leave the virtual table out, and add to it with SQL"));
        }
        if found.role != roles::TABLE {
            return Err(missing(&schema.name));
        }
        check_same_columns(schema, found)?;
        for trigger in found.attached.iter().filter(|object| object.kind == "trigger") {
            plan.warnings.push(format!("trigger \"{}\" of \"{}\" does not fire", trigger.name, found.name));
        }
        plan.tables.push(planned(table, TableAction::AppendTo));
    }
    plan.bookkeeping.retain(|name| name == "sqlite_sequence");
    if plan.tables.is_empty() {
        return Err(Error::request("there is no table among what is chosen; only rows can be added")
            .with_hint("choose tables, or another mode"));
    }
    for object in chosen.virtual_tables.iter().chain(chosen.views_and_triggers.iter().filter(|o| o.kind == "view")) {
        plan.warnings.push(format!("{} \"{}\" is not restored: only rows are added", object.kind, object.name));
    }
    Ok(())
}

/// Names the first difference between the columns of a snapshot's table and the target's. Row ids are not compared, as the
/// target gives its own; a column that is the row id here and not there is still a column of its name.
fn check_same_columns(snapshot: &TableSchema, target: &TableSchema) -> Result<()> {
    let differ = |what: String| {
        Err(Error::request(format!("{what}; rows can only be added to the same columns"))
            .in_table(&snapshot.name)
            .with_hint("change the target's table, or restore in the mode replace, or into a new file"))
    };
    let mut found = target.columns.iter().filter(|column| !column.hidden);
    for wanted in snapshot.columns.iter().filter(|column| !column.hidden) {
        let Some(column) = found.next() else {
            return differ(format!("the target has no column \"{}\"", wanted.name));
        };
        if column.name != wanted.name {
            return differ(format!(
                "the target has column \"{}\" where the snapshot has \"{}\"",
                column.name, wanted.name
            ));
        }
        if !column.declared_type.eq_ignore_ascii_case(&wanted.declared_type) {
            return differ(format!(
                "column \"{}\" is declared {:?} in the target and {:?} in the snapshot",
                column.name, column.declared_type, wanted.declared_type
            ));
        }
        if wanted.nullable && !column.nullable && target.option("rowid") != Some(column.name.as_str()) {
            return differ(format!("column \"{}\" may not be null in the target", column.name));
        }
    }
    if let Some(more) = found.next() {
        return differ(format!("the target has one more column, \"{}\"", more.name));
    }
    if snapshot.generated == target.generated {
        return Ok(());
    }
    differ("the target has other generated columns".to_owned())
}
