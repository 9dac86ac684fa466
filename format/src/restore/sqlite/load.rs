//! The steps of a restore inside a transaction, the same for a new file and for a database that exists: tables, rows,
//! indexes, virtual tables, views and triggers, SQLite's own tables, checks, proof. Whoever calls commits or rolls back.

use rusqlite::Connection;

use super::bookkeeping;
use super::chosen::Chosen;
use super::definitions::{self, Wanted};
use super::failure::failure;
use super::foreign_keys::Before;
use super::integrity::{self, Breakers};
use super::proof;
use super::rows::{Encodings, Insert};
use super::target::Existing;
use super::virtual_tables;
use crate::archive::{Fingerprinter, Table};
use crate::error::{Error, Result};
use crate::model::{Cell, SchemaObject, TableSchema, roles};
use crate::observer::{Observer, Phase, check_cancelled};
use crate::restore::kept::{ChosenTable, not_the_manifests};
use crate::restore::plan::RestoredTable;
use crate::restore::proof::{Watched, not_the_snapshots};
use crate::restore::row_sum::RowSum;
use crate::source::sqlite::SqliteSource;
use crate::source::sqlite::names::quote;
use crate::source::{RowSink, Source};

/// What was restored, and what was found.
pub(super) struct Loaded {
    pub(super) tables: Vec<RestoredTable>,
    pub(super) warnings: Vec<String>,
}

/// Makes the chosen tables and objects, which the target does not have (any more), fills, checks and proves them.
/// `whole`: the database holds nothing else, and is given all of SQLite's own rows.
pub(super) fn create(
    connection: &mut Connection,
    chosen: &Chosen<'_>,
    whole: bool,
    before: &Before,
    observer: &dyn Observer,
) -> Result<Loaded> {
    let encodings = Encodings::of(connection, &chosen.encoding)?;
    let mut warnings = Vec::new();
    create_tables(connection, chosen, observer)?;
    for table in &chosen.tables {
        insert(connection, table, encodings, observer)?;
    }
    create_all(connection, &chosen.indexes, observer)?;
    create_the_rest(connection, chosen, whole, encodings, &mut warnings, observer)?;
    check(connection, chosen, before, Breakers::Snapshot, &mut warnings, observer)?;
    let source = SqliteSource::over(connection)?;
    proof::check_definitions(source.catalog(), chosen)?;
    let mut tables = Vec::with_capacity(chosen.tables.len());
    for table in &chosen.tables {
        proof::check_rows(&source, table, encodings, observer)?;
        tables.push(restored(table, false));
    }
    check_cancelled(observer)?;
    Ok(Loaded { tables, warnings })
}

/// Makes the chosen tables, empty.
pub(super) fn create_tables(connection: &mut Connection, chosen: &Chosen<'_>, observer: &dyn Observer) -> Result<()> {
    for table in &chosen.tables {
        check_cancelled(observer)?;
        let TableSchema { name, definition, .. } = table.schema();
        definitions::create(connection, &Wanted { kind: "table", name, table: name, definition })
            .map_err(|error| error.in_table(name))?;
    }
    check_shapes(connection, chosen)
}

/// Writes the rows of a table, one statement a row.
pub(super) fn insert(
    connection: &Connection,
    table: &ChosenTable<'_>,
    encodings: Encodings,
    observer: &dyn Observer,
) -> Result<()> {
    begin(observer, Phase::Restore, table);
    let columns: Vec<usize> = (0..table.schema().columns.len()).collect();
    let keeps = |row: &[Cell<'_>]| table.keeps(row);
    Insert { table, columns: &columns, row_ids: None, encodings, keeps: &keeps }
        .run(connection, observer, |_| Ok(()))
        .map(drop)
}

/// Makes what comes after rows and indexes.
pub(super) fn create_the_rest(
    connection: &mut Connection,
    chosen: &Chosen<'_>,
    whole: bool,
    encodings: Encodings,
    warnings: &mut Vec<String>,
    observer: &dyn Observer,
) -> Result<()> {
    virtual_tables::declare(connection, &chosen.virtual_tables)?;
    create_all(connection, &chosen.views_and_triggers, observer)?;
    bookkeeping::restore(connection, chosen, whole, encodings, warnings, observer)
}

/// Adds the rows of the chosen tables to those of the target, which `existing` describes, and proves that exactly they
/// were added.
pub(super) fn append(
    connection: &mut Connection,
    chosen: &Chosen<'_>,
    existing: &Existing,
    before: &Before,
    observer: &dyn Observer,
) -> Result<Loaded> {
    let encodings = Encodings::of(connection, &chosen.encoding)?;
    // What the target's tables demand holds for every row that is added to them, wherever it comes from.
    integrity::heed_check_constraints(connection, true).map_err(|cause| failure("preparing the target", cause))?;
    let mut warnings = Vec::new();
    let mut tables = Vec::with_capacity(chosen.tables.len());
    for table in &chosen.tables {
        append_table(connection, table, existing, encodings, observer)?;
        tables.push(restored(table, false));
    }
    bookkeeping::raise_sequences(connection, chosen)?;
    check(connection, chosen, before, Breakers::Target, &mut warnings, observer)?;
    check_cancelled(observer)?;
    Ok(Loaded { tables, warnings })
}

fn append_table(
    connection: &Connection,
    table: &ChosenTable<'_>,
    existing: &Existing,
    encodings: Encodings,
    observer: &dyn Observer,
) -> Result<()> {
    let schema = table.schema();
    let name = &schema.name;
    let found = existing.table(name).ok_or_else(|| Error::database("the table has gone").in_table(name))?;
    refuse_unknown_collations(found)?;
    let source = SqliteSource::over(connection)?;
    let hidden = found.columns.iter().find(|column| column.hidden).map(|column| column.name.as_str());
    let last = match hidden {
        Some(row_id) => last_row_id(connection, found, row_id)?,
        None => 0,
    };
    let mut rows_before = RowSum::new(found);
    begin(observer, Phase::Prove, table);
    if hidden.is_none() {
        source.read_table(found, &mut Watched::new(observer, &mut rows_before))?;
    }

    begin(observer, Phase::Restore, table);
    let visible = schema.columns.iter().enumerate().filter(|(_, column)| !column.hidden);
    let columns: Vec<usize> = visible.map(|(index, _)| index).collect();
    let row_ids = match (hidden, last.checked_add(1)) {
        (Some(row_id), Some(next)) => Some((row_id, next)),
        (Some(_), None) => return Err(Error::database("the target's row ids are used up").in_table(name)),
        (None, _) => None,
    };
    let mut added = RowSum::new(schema);
    let mut fingerprinter = Fingerprinter::new(schema);
    let keeps = |row: &[Cell<'_>]| table.keeps(row);
    Insert { table, columns: &columns, row_ids, encodings, keeps: &keeps }.run(connection, observer, |row| {
        added.add(row);
        fingerprinter.row(row)
    })?;
    if fingerprinter.finish().table != table.wanted().fingerprint.table {
        return Err(not_the_manifests(name));
    }

    begin(observer, Phase::Prove, table);
    let mut rows_after = RowSum::new(found);
    let mut watched = Watched::new(observer, &mut rows_after);
    match hidden {
        Some(row_id) => {
            let condition = format!("{} > ?1", quote(row_id));
            let parameters = [rusqlite::types::Value::Integer(last)];
            source.read_rows(found, Some((&condition, &parameters)), &mut watched)?;
        }
        None => source.read_table(found, &mut watched)?,
    }
    drop(watched);
    if rows_after.is_sum_of(&rows_before, &added) { Ok(()) } else { Err(not_the_snapshots(name)) }
}

/// Reading a key by a collation that is not here stands another one in for it, by which rows must not be added.
fn refuse_unknown_collations(table: &TableSchema) -> Result<()> {
    let built_in = |collation: &str| ["BINARY", "NOCASE", "RTRIM"].contains(&collation);
    match table.key.iter().find(|part| !built_in(&part.collation)) {
        Some(part) => Err(Error::database(format!("the key's collation {} is not known here", part.collation))
            .in_table(&table.name)
            .with_hint("rows can only be added by the application that brings the collation along")),
        None => Ok(()),
    }
}

/// The highest row id, or 0: rows that are added get those that follow.
fn last_row_id(connection: &Connection, table: &TableSchema, row_id: &str) -> Result<i64> {
    let sql = format!("SELECT max(0, coalesce(max(t.{}), 0)) FROM main.{} AS t", quote(row_id), quote(&table.name));
    connection
        .query_row(&sql, [], |row| row.get(0))
        .map_err(|cause| failure("reading the last row id", cause).in_table(&table.name))
}

fn check_shapes(connection: &Connection, chosen: &Chosen<'_>) -> Result<()> {
    let source = SqliteSource::over(connection)?;
    chosen.tables.iter().map(|table| table.schema()).try_for_each(|wanted| {
        let made = proof::find(source.catalog(), &wanted.name)?;
        proof::check_shape(made, wanted)
    })
}

/// Makes objects in this order.
pub(super) fn create_all(connection: &mut Connection, objects: &[SchemaObject], observer: &dyn Observer) -> Result<()> {
    for object in objects {
        check_cancelled(observer)?;
        let SchemaObject { kind, name, table, definition, .. } = object;
        observer.begin(Phase::Finish, Some(table), None, None);
        definitions::create(connection, &Wanted { kind, name, table, definition })
            .map_err(|error| error.in_table(table))?;
    }
    Ok(())
}

/// SQLite's own checks of what was touched.
fn check(
    connection: &Connection,
    chosen: &Chosen<'_>,
    before: &Before,
    breakers: Breakers,
    warnings: &mut Vec<String>,
    observer: &dyn Observer,
) -> Result<()> {
    observer.begin(Phase::Finish, None, None, None);
    let catalog = SqliteSource::over(connection)?.catalog().clone();
    before.compare(connection, &catalog, chosen, warnings)?;
    for table in &chosen.tables {
        check_cancelled(observer)?;
        observer.begin(Phase::Finish, Some(&table.schema().name), None, None);
        integrity::check(connection, &table.schema().name, breakers, warnings)?;
    }
    Ok(())
}

/// Tells the observer that work on a table begins.
pub(super) fn begin(observer: &dyn Observer, phase: Phase, table: &Table<'_>) {
    observer.begin(phase, Some(&table.schema().name), Some(table.manifest().rows), None);
}

/// What is told of a table whose rows are proven.
pub(super) fn restored(table: &ChosenTable<'_>, as_pages: bool) -> RestoredTable {
    let manifest = table.manifest();
    debug_assert_ne!(manifest.schema.role, roles::INTERNAL);
    RestoredTable {
        name: manifest.schema.name.clone(),
        rows: table.rows(),
        fingerprint: table.wanted().fingerprint.table,
        filters: manifest.filters.clone(),
        expire: table.rules().to_vec(),
        expired: table.wanted().expired,
        without_time: table.wanted().without_time,
        proved: true,
        as_pages,
    }
}
