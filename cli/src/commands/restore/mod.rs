//! `tabark restore`.

mod postgres;
mod tables;

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value as Json, json};
use tabark::Error;
use tabark::archive::Snapshot;
use tabark::history::duration::Duration;
use tabark::model::{Expire, TableSchema};
use tabark::restore::{RestoreOptions, RestorePlan, RestoreReport, RestoredTable};

use self::tables::{NAME_WIDTH, from};
use super::database::Database;
use super::{Outcome, erasures, rules};
use crate::args::RestoreArgs;
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::text::{name, visible, visible_lines, wrapped_pairs};
use crate::report::{json as as_json, problems};

const SETTINGS_WIDTH: usize = 80;

pub(crate) fn run(args: &RestoreArgs, out: &mut Pipe) -> Outcome {
    let database = Database::of(&args.target)?;
    refuse_target(args, &database)?;
    super::use_threads(&args.jobs)?;
    let archive = super::open(&args.archive)?;
    let snapshot = archive.select(&args.at.or_latest())?;
    if let Some(file) = &args.erasures {
        erasures::refuse_erased(file, &snapshot)?;
    }
    if let Database::Postgres(settings) = &database {
        return postgres::run(args, &snapshot, settings, out);
    }
    args.postgres.refuse()?;
    let options = RestoreOptions::default()
        .tables(super::selection(&args.tables, &args.exclude)?)
        .mode(args.mode)
        .expire(expire_rules(args, &snapshot)?);
    if args.dry_run {
        let plan = tabark::restore::plan(&snapshot, &args.target, &options)?;
        warn(&plan.warnings);
        if args.json {
            as_json::write(out, &object(args, &snapshot, &plan, None))?;
        } else {
            print_plan(&snapshot, &plan, out)?;
        }
        return Ok(Exit::Well);
    }
    let progress = Progress::start()?;
    let report = tabark::restore::restore(&snapshot, &args.target, &options, &progress)?;
    drop(progress);
    warn(&report.plan.warnings);
    warn(&report.warnings);
    super::told(if args.json {
        as_json::write(out, &object(args, &snapshot, &report.plan, Some(&report)))
    } else {
        print_report(&snapshot, &report, out)
    });
    let proved = report.tables.iter().all(|table| table.proved);
    Ok(if proved { Exit::Well } else { Exit::Damaged })
}

/// The rules of `--expire`. Only tables that one may be about are opened: damage elsewhere does not matter.
fn expire_rules(args: &RestoreArgs, snapshot: &Snapshot<'_>) -> Result<Vec<(String, Expire)>, Error> {
    if args.expire.is_empty() {
        return Ok(Vec::new());
    }
    let (now, entries) = (super::now()?, &snapshot.catalog().tables);
    let rule = |(place, age): &(String, Duration)| {
        let may_be_meant = entries.iter().filter(|entry| place.starts_with(entry.name.as_str()));
        let tables = may_be_meant
            .map(|entry| Ok(snapshot.open_table(entry)?.schema().clone()))
            .collect::<Result<Vec<TableSchema>, Error>>()?;
        rules::expire((place, *age), now, &tables, entries.iter().map(|entry| entry.name.as_str()))
    };
    args.expire.iter().map(rule).collect()
}

/// What can be seen of the paths alone; the rest the plan finds out.
fn refuse_target(args: &RestoreArgs, database: &Database) -> Result<(), Failure> {
    let Database::Sqlite(_) = database else { return Ok(()) };
    if super::is_same_file(&args.archive, &args.target) {
        let error = Error::request(format!("{} is the archive itself", args.target.display()));
        return Err(error.with_hint("give the database another name").into());
    }
    if super::is_side_file(&args.target, &args.archive) {
        // SQLite takes a file of this name for a journal of its own, and removes it.
        let archive = args.archive.display();
        let error =
            Error::request(format!("{archive} has a name that SQLite uses for its own files beside that database"));
        return Err(error.with_hint("rename the archive, or give the database another name").into());
    }
    Ok(())
}

fn warn(warnings: &[String]) {
    for warning in warnings {
        problems::warn(warning);
    }
}

fn print_plan(snapshot: &Snapshot<'_>, plan: &RestorePlan, out: &mut dyn Write) -> io::Result<()> {
    let kind = if plan.new_file { "new database" } else { "existing database" };
    writeln!(out, "would restore {} into {}: {kind}", from(snapshot), shown(&plan.target))?;
    tables::print_planned(&plan.tables, out)?;
    for object in &plan.objects {
        writeln!(out, "  {} {}", visible(&object.kind), name(&object.name, NAME_WIDTH))?;
    }
    for definition in &plan.definitions {
        writeln!(out, "{};", visible_lines(definition))?;
    }
    for (place, line) in wrapped_pairs(&plan.settings, SETTINGS_WIDTH).into_iter().enumerate() {
        writeln!(out, "  {}{line}", if place == 0 { "settings " } else { "         " })?;
    }
    writeln!(out, "nothing was changed (--dry-run)")
}

fn print_report(snapshot: &Snapshot<'_>, report: &RestoreReport, out: &mut dyn Write) -> io::Result<()> {
    let new = if report.plan.new_file { " (new database)" } else { "" };
    writeln!(out, "restored {} into {}{new}", from(snapshot), shown(&report.plan.target))?;
    tables::print_restored(&report.tables, tables::proof, out)?;
    tables::print_proof(&report.tables, out)
}

fn shown(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

fn object(args: &RestoreArgs, snapshot: &Snapshot<'_>, plan: &RestorePlan, report: Option<&RestoreReport>) -> Json {
    let objects: Vec<Json> =
        plan.objects
        .iter()
        .map(|object| json!({ "kind": object.kind, "name": object.name, "table": object.table, "replaces": object.replaces }))
        .collect();
    let restored = |table: &RestoredTable| {
        let mut object = tables::restored_object(table);
        if let Json::Object(fields) = &mut object {
            fields.insert("as_pages".into(), json!(table.as_pages));
        }
        object
    };
    json!({
        "archive": args.archive.display().to_string(),
        "target": plan.target.display().to_string(),
        "dry_run": report.is_none(),
        "snapshot": tables::snapshot_object(snapshot),
        "mode": plan.mode.name(),
        "new_file": plan.new_file,
        "plan": {
            "tables": plan.tables.iter().map(tables::planned_object).collect::<Vec<_>>(),
            "objects": objects,
            "bookkeeping": plan.bookkeeping,
            "settings": as_json::pairs(&plan.settings),
            "definitions": plan.definitions,
        },
        "tables": report.map(|report| report.tables.iter().map(restored).collect::<Vec<_>>()),
        "proved": report.map(|report| report.tables.iter().all(|table| table.proved)),
        "warnings": plan.warnings.iter().chain(report.iter().flat_map(|report| &report.warnings)).collect::<Vec<_>>(),
    })
}
