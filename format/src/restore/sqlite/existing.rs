//! A database that exists: everything happens in one transaction, or nothing does.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::chosen::Chosen;
use super::connection::{self, watched};
use super::failure::failure;
use super::foreign_keys::Before;
use super::load::{self, Loaded};
use super::settings;
use super::target::{self, Existing};
use super::virtual_tables;
use crate::error::{Error, Result};
use crate::observer::{Observer, check_cancelled};
use crate::restore::options::RestoreMode;
use crate::restore::plan::{RestorePlan, TableAction};
use crate::source::sqlite::names::quote;
use crate::source::sqlite::side_files;

/// Plans a restore into a database that exists, and changes nothing. `empty`: the file has no bytes.
pub(super) fn plan(chosen: &Chosen<'_>, path: &Path, mode: RestoreMode, empty: bool) -> Result<RestorePlan> {
    // Not read-only: that would leave files beside a database in WAL mode, which only a writer may take away.
    let connection = open(path)?;
    let reading = |cause| failure("reading the target", cause);
    let [log, shared, _] = side_files(path);
    if has_content(&log) && !shared.exists() {
        // Nobody uses the log. An index of it in memory, which only this makes SQLite have, leaves no file beside it.
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE").map_err(reading)?;
    }
    connection.execute_batch("PRAGMA query_only = ON; BEGIN").map_err(reading)?;
    let existing = Existing::of(&connection)?;
    target::plan(chosen, path, mode, Some(&existing), empty)
}

/// Restores into a database that exists.
pub(super) fn restore(
    chosen: &Chosen<'_>,
    path: &Path,
    mode: RestoreMode,
    empty: bool,
    observer: &dyn Observer,
) -> Result<(RestorePlan, Loaded)> {
    let mut connection = open(path)?;
    let changing = |cause| failure(format_args!("changing {}", path.display()), cause);
    if empty {
        settings::set_before_first_page(&connection, &chosen.settings)?;
    }
    connection.execute_batch("BEGIN IMMEDIATE").map_err(changing)?;
    let result =
        watched(&mut connection, observer, |connection| change(connection, chosen, path, mode, empty, observer));
    let result = result.and_then(|done| {
        // From here on nothing is asked any more: a commit is done or not.
        check_cancelled(observer)?;
        connection.execute_batch("COMMIT").map_err(changing)?;
        Ok(done)
    });
    let (plan, mut loaded) = match result {
        Ok(done) => done,
        Err(error) => {
            // SQLite may have rolled back already; and what cannot be rolled back now is when the database is next opened.
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            return Err(error);
        }
    };
    if empty && let Err(error) = settings::set_journal_mode(&connection, &chosen.settings) {
        loaded.warnings.push(error.to_string());
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(changing)?;
    Ok((plan, loaded))
}

fn open(path: &Path) -> Result<Connection> {
    let [log, ..] = side_files(path);
    let has_log = has_content(&log);
    let connection = connection::open(path)?;
    // What another program left in its log is not moved into the database unless the restore succeeds.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)
        .map_err(|cause| failure("opening the target", cause))?;
    Ok(connection)
}

fn has_content(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.len() > 0)
}

/// What happens inside the transaction.
fn change(
    connection: &mut Connection,
    chosen: &Chosen<'_>,
    path: &Path,
    mode: RestoreMode,
    empty: bool,
    observer: &dyn Observer,
) -> Result<(RestorePlan, Loaded)> {
    let existing = Existing::of(connection)?;
    let plan = target::plan(chosen, path, mode, Some(&existing), empty)?;
    if empty && !(existing.catalog.tables.is_empty() && existing.catalog.objects.is_empty()) {
        return Err(Error::request("another program filled the target meanwhile").with_hint("run the command again"));
    }
    check_cancelled(observer)?;
    let before = Before::of(connection, &existing.catalog, chosen)?;
    if mode == RestoreMode::Append {
        let loaded = load::append(connection, chosen, &existing, &before, observer)?;
        return Ok((plan, loaded));
    }
    if empty {
        settings::set_in_first_page(connection, &chosen.settings)?;
    }
    drop_replaced(connection, &plan, &existing)?;
    let loaded = load::create(connection, chosen, empty && chosen.everything, &before, observer)?;
    if empty {
        settings::check(connection, &chosen.settings)?;
    }
    Ok((plan, loaded))
}

/// Drops what is made again. Indexes and triggers go with their table or view.
fn drop_replaced(connection: &Connection, plan: &RestorePlan, existing: &Existing) -> Result<()> {
    let replaced = |kind: &str| {
        let objects = plan.objects.iter().filter(|object| object.replaces && object.kind == kind);
        objects.map(|object| object.name.clone()).collect::<Vec<_>>()
    };
    let virtual_tables = replaced("virtual table");
    virtual_tables::forget(connection, &virtual_tables)?;
    let mut tables: Vec<&str> = virtual_tables.iter().flat_map(|name| existing.shadows_of(name)).collect();
    for table in plan.tables.iter().filter(|table| table.action == TableAction::ReplaceTable) {
        if !tables.iter().any(|name| name.eq_ignore_ascii_case(&table.name)) {
            tables.push(&table.name);
        }
    }
    for view in replaced("view") {
        run(connection, &view, &format!("DROP VIEW main.{}", quote(&view)))?;
    }
    for table in tables {
        run(connection, table, &format!("DROP TABLE main.{}", quote(table)))?;
    }
    Ok(())
}

fn run(connection: &Connection, name: &str, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(|cause| failure(format_args!("dropping \"{name}\""), cause))
}
