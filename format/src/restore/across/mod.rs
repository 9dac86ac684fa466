//! Restoring across engines: tables of PostgreSQL into SQLite, and of SQLite into PostgreSQL (`spec/across.md`).
//!
//! What is chosen is translated, definitions and cells, into a snapshot of the other engine: an archive of its own, which lives as
//! long as the restore. That is restored as any other is, with the same proof. No two cells become the same one
//! (`conversion`), so what is proven of the translation holds for the snapshot. What has no counterpart is named.

mod conversion;
mod kinds;
mod notes;
mod orphans;
mod postgres_references;
mod postgres_table;
mod postgres_text;
mod sqlite_facts;
mod sqlite_table;
mod to_postgres;
mod to_sqlite;
mod translated;

use std::path::Path;

use self::translated::Translation;
use super::postgres::{self, PostgresPlan, PostgresReport, PostgresRestoreOptions};
use super::{PlannedTable, RestoreOptions, RestorePlan, RestoreReport};
use crate::archive::{Snapshot, SnapshotSelector};
use crate::error::Result;
use crate::model::Expire;
use crate::observer::Observer;
use crate::postgres::settings::ConnectionSettings;
use crate::selection::{Selection, no_such_table};

/// What [`super::plan`] says of a snapshot of PostgreSQL.
pub(super) fn plan_into_sqlite(
    snapshot: &Snapshot<'_>,
    target: &Path,
    options: &RestoreOptions,
) -> Result<RestorePlan> {
    let translation = to_sqlite::translate(snapshot, &options.tables)?;
    plan_translated(snapshot, &translation, target, options)
}

/// What [`super::restore`] does with a snapshot of PostgreSQL.
pub(super) fn restore_into_sqlite(
    snapshot: &Snapshot<'_>,
    target: &Path,
    options: &RestoreOptions,
    observer: &dyn Observer,
) -> Result<RestoreReport> {
    let translation = to_sqlite::translate(snapshot, &options.tables)?;
    // What can be refused at once is refused before gigabytes are verified.
    plan_translated(snapshot, &translation, target, options)?;
    let scratch = translation.with_rows(snapshot, Some(target), observer)?;
    let translated = scratch.archive().select(&SnapshotSelector::Latest)?;
    let mut report = super::restore(&translated, target, &of_translated(&translation, snapshot, options)?, observer)?;
    translation.tell(&mut report.plan);
    Ok(report)
}

fn plan_translated(
    snapshot: &Snapshot<'_>,
    translation: &Translation<'_>,
    target: &Path,
    options: &RestoreOptions,
) -> Result<RestorePlan> {
    let scratch = translation.without_rows(snapshot)?;
    let translated = scratch.archive().select(&SnapshotSelector::Latest)?;
    let mut plan = super::plan(&translated, target, &of_translated(translation, snapshot, options)?)?;
    translation.tell(&mut plan);
    Ok(plan)
}

/// The same options for all of the translation.
fn of_translated(
    translation: &Translation<'_>,
    snapshot: &Snapshot<'_>,
    options: &RestoreOptions,
) -> Result<RestoreOptions> {
    let expire = translated_rules(translation, snapshot, &options.expire)?;
    Ok(RestoreOptions { tables: Selection::everything(), mode: options.mode, expire })
}

/// What [`postgres::plan`] says of a snapshot of SQLite. The cells are read: types depend on them.
pub(super) fn plan_into_postgres(
    snapshot: &Snapshot<'_>,
    settings: &ConnectionSettings,
    options: &PostgresRestoreOptions,
) -> Result<PostgresPlan> {
    let translation = to_postgres::translate(snapshot, &options.tables, &())?;
    plan_of_translation(snapshot, &translation, settings, options)
}

/// What [`postgres::restore`] does with a snapshot of SQLite.
pub(super) fn restore_into_postgres(
    snapshot: &Snapshot<'_>,
    settings: &ConnectionSettings,
    options: &PostgresRestoreOptions,
    observer: &dyn Observer,
) -> Result<PostgresReport> {
    let translation = to_postgres::translate(snapshot, &options.tables, observer)?;
    plan_of_translation(snapshot, &translation, settings, options)?;
    let beside = options.scratch.as_ref().map(|folder| folder.join("tabark"));
    let scratch = translation.with_rows(snapshot, beside.as_deref(), observer)?;
    let translated = scratch.archive().select(&SnapshotSelector::Latest)?;
    let options = of_translation(&translation, snapshot, options)?;
    let mut report = postgres::restore(&translated, settings, &options, observer)?;
    translation.size(&mut report.plan.tables);
    report.plan.warnings.extend(translation.notes.told());
    Ok(report)
}

fn plan_of_translation(
    snapshot: &Snapshot<'_>,
    translation: &Translation<'_>,
    settings: &ConnectionSettings,
    options: &PostgresRestoreOptions,
) -> Result<PostgresPlan> {
    let scratch = translation.without_rows(snapshot)?;
    let translated = scratch.archive().select(&SnapshotSelector::Latest)?;
    let mut plan = postgres::plan(&translated, settings, &of_translation(translation, snapshot, options)?)?;
    translation.size(&mut plan.tables);
    plan.warnings.extend(translation.notes.told());
    Ok(plan)
}

fn of_translation(
    translation: &Translation<'_>,
    snapshot: &Snapshot<'_>,
    options: &PostgresRestoreOptions,
) -> Result<PostgresRestoreOptions> {
    let mut translated = options.clone();
    translated.tables = Selection::everything();
    translated.expire = translated_rules(translation, snapshot, &options.expire)?;
    for (name, _) in &mut translated.rename {
        if let Some(new) = translation.name_of(name) {
            *name = new.to_owned();
        }
    }
    Ok(translated)
}

/// Rules for the tables as they are named in the other engine.
fn translated_rules(
    translation: &Translation<'_>,
    snapshot: &Snapshot<'_>,
    rules: &[(String, Expire)],
) -> Result<Vec<(String, Expire)>> {
    let translated = |(name, rule): &(String, Expire)| {
        let unknown = || no_such_table(name, snapshot.catalog().tables.iter().map(|table| table.name.as_str()));
        Ok((translation.name_of(name).ok_or_else(unknown)?.to_owned(), rule.clone()))
    };
    rules.iter().map(translated).collect()
}

impl Translation<'_> {
    /// Makes a plan one for the snapshot: its sizes, and what is left out of it.
    fn tell(&self, plan: &mut RestorePlan) {
        self.size(&mut plan.tables);
        plan.settings.clear();
        for table in &self.tables {
            plan.definitions.push(table.schema.definition.clone());
            plan.definitions.extend(table.schema.attached.iter().map(|object| object.definition.clone()));
        }
        plan.warnings.extend(self.notes.told());
    }

    /// Tables are as large as the snapshot's.
    fn size(&self, tables: &mut [PlannedTable]) {
        for planned in tables {
            if let Some(table) = self.table_of(&planned.name) {
                planned.rows = table.manifest().rows;
                planned.stored_bytes = table.manifest().stored_bytes;
            }
        }
    }
}
