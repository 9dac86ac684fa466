//! `tabark restore`.

mod postgres;

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::archive::Snapshot;
use tabark::history::duration::Duration;
use tabark::model::{Expire, Filter, TableSchema};
use tabark::restore::{RestoreOptions, RestorePlan, RestoreReport, TableAction};

use super::database::Database;
use super::{Outcome, erasures, rules};
use crate::args::RestoreArgs;
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::aligned::{Aligned, Side};
use crate::report::text::{name, visible, wrapped_pairs};
use crate::report::units::{count, counted, size, time};
use crate::report::{filters, json as as_json, problems};

const NAME_WIDTH: usize = 40;
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
    let from = format!("snapshot {} ({})", snapshot.summary().number, time(snapshot.summary().time));
    writeln!(out, "would restore {from} into {}: {kind}", shown(&plan.target))?;
    let mut tables =
        Aligned::new(&[("table", Side::Left), ("rows", Side::Right), ("stored", Side::Right), ("action", Side::Left)])
            .indented(2);
    for table in &plan.tables {
        let action = action(table.action).to_owned();
        tables.row(vec![name(&table.name, NAME_WIDTH), count(table.rows), size(table.stored_bytes), action]);
    }
    tables.write(out)?;
    for table in &plan.tables {
        print_rules(&table.name, &table.filters, &table.expire, out)?;
    }
    for object in &plan.objects {
        writeln!(out, "  {} {}", visible(&object.kind), name(&object.name, NAME_WIDTH))?;
    }
    for definition in &plan.definitions {
        let lines: Vec<_> = definition.lines().map(visible).collect();
        writeln!(out, "{};", lines.join("\n"))?;
    }
    for (place, line) in wrapped_pairs(&plan.settings, SETTINGS_WIDTH).into_iter().enumerate() {
        writeln!(out, "  {}{line}", if place == 0 { "settings " } else { "         " })?;
    }
    writeln!(out, "nothing was changed (--dry-run)")
}

fn print_report(snapshot: &Snapshot<'_>, report: &RestoreReport, out: &mut dyn Write) -> io::Result<()> {
    let new = if report.plan.new_file { " (new database)" } else { "" };
    let from = format!("snapshot {} ({})", snapshot.summary().number, time(snapshot.summary().time));
    writeln!(out, "restored {from} into {}{new}", shown(&report.plan.target))?;
    let mut tables = Aligned::headless(&[Side::Left, Side::Right, Side::Left, Side::Left]).indented(2);
    for table in &report.tables {
        let proved = if table.proved { "proved" } else { "NOT PROVED" };
        let fingerprint = tabark::hex::encode(&table.fingerprint).chars().take(12).collect();
        tables.row(vec![name(&table.name, NAME_WIDTH), counted(table.rows, "row"), proved.to_owned(), fingerprint]);
    }
    tables.write(out)?;
    for table in &report.tables {
        print_rules(&table.name, &table.filters, &table.expire, out)?;
        if !table.expire.is_empty() {
            writeln!(out, "  {}", filters::counts(table.expired, table.without_time))?;
        }
    }
    let all = report.tables.len();
    let proved = report.tables.iter().filter(|table| table.proved).count();
    let (noun, verb) = if all == 1 { ("table", "equals") } else { ("tables", "equal") };
    let less =
        if report.tables.iter().any(|table| table.expired > 0) { ", less the rows that are too old" } else { "" };
    writeln!(out, "proved: {proved} of {all} {noun} {verb} the snapshot{less}")
}

/// What makes a table less than the source's was: rules of the dump, and of this restore.
fn print_rules(table: &str, filters: &[Filter], expire: &[Expire], out: &mut dyn Write) -> io::Result<()> {
    let table = name(table, NAME_WIDTH);
    if !filters.is_empty() {
        writeln!(out, "partial in the snapshot: {table}: {}", filters::described(filters))?;
    }
    expire.iter().try_for_each(|rule| writeln!(out, "partial: {table}: {}", filters::expired(rule)))
}

fn action(action: TableAction) -> &'static str {
    match action {
        TableAction::CreateTable => "create",
        TableAction::ReplaceTable => "replace",
        TableAction::AppendTo => "append",
    }
}

fn shown(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

fn object(args: &RestoreArgs, snapshot: &Snapshot<'_>, plan: &RestorePlan, report: Option<&RestoreReport>) -> Json {
    let planned: Vec<Json> = plan
        .tables
        .iter()
        .map(|table| {
            json!({
                "name": table.name,
                "role": table.role,
                "rows": table.rows,
                "stored_bytes": table.stored_bytes,
                "filters": filters::objects(&table.filters),
                "expire": filters::expire_objects(&table.expire),
                "action": action(table.action),
            })
        })
        .collect();
    let objects: Vec<Json> =
        plan.objects
        .iter()
        .map(|object| json!({ "kind": object.kind, "name": object.name, "table": object.table, "replaces": object.replaces }))
        .collect();
    let tables = report.map(|report| {
        let tables = report.tables.iter().map(|table| {
            json!({
                "name": table.name,
                "rows": table.rows,
                "fingerprint": as_json::digest(&table.fingerprint),
                "filters": filters::objects(&table.filters),
                "expire": filters::expire_objects(&table.expire),
                "expired": table.expired,
                "without_time": table.without_time,
                "proved": table.proved,
                "as_pages": table.as_pages,
            })
        });
        tables.collect::<Vec<Json>>()
    });
    let mut head = Map::new();
    head.insert("number".into(), json!(snapshot.summary().number));
    as_json::put_time(&mut head, snapshot.summary().time);
    head.insert("root".into(), as_json::digest(&snapshot.summary().root()));
    json!({
        "archive": args.archive.display().to_string(),
        "target": plan.target.display().to_string(),
        "dry_run": report.is_none(),
        "snapshot": head,
        "mode": plan.mode.name(),
        "new_file": plan.new_file,
        "plan": {
            "tables": planned,
            "objects": objects,
            "bookkeeping": plan.bookkeeping,
            "settings": as_json::pairs(&plan.settings),
            "definitions": plan.definitions,
        },
        "tables": tables,
        "proved": report.map(|report| report.tables.iter().all(|table| table.proved)),
        "warnings": plan.warnings.iter().chain(report.iter().flat_map(|report| &report.warnings)).collect::<Vec<_>>(),
    })
}
