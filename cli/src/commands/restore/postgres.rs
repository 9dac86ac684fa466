//! `tabark restore` into a PostgreSQL database.

use std::io::{self, Write};
use std::num::NonZero;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tabark::Error;
use tabark::archive::Snapshot;
use tabark::postgres::settings::ConnectionSettings;
use tabark::restore::postgres::{self, Part, PostgresPlan, PostgresReport, PostgresRestoreOptions};

use super::tables::{self, NAME_WIDTH, from};
use super::{Outcome, expire_rules, warn};
use crate::args::RestoreArgs;
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::json as as_json;
use crate::report::text::{name, visible, visible_lines};

pub(super) fn run(
    args: &RestoreArgs,
    snapshot: &Snapshot<'_>,
    settings: &ConnectionSettings,
    out: &mut Pipe,
) -> Outcome {
    let options = options(args, snapshot)?;
    if args.dry_run {
        let plan = postgres::plan(snapshot, settings, &options)?;
        warn(&plan.warnings);
        if args.json {
            as_json::write(out, &object(args, snapshot, &plan, None))?;
        } else {
            print_plan(snapshot, &plan, out)?;
        }
        return Ok(Exit::Well);
    }
    let progress = Progress::start()?;
    let report = postgres::restore(snapshot, settings, &options, &progress)?;
    drop(progress);
    warn(&report.plan.warnings);
    warn(&report.warnings);
    super::super::told(if args.json {
        as_json::write(out, &object(args, snapshot, &report.plan, Some(&report)))
    } else {
        print_report(snapshot, &report, options.part, out)
    });
    let proved = options.part == Part::Schema || report.tables.iter().all(|table| table.proved);
    Ok(if proved { Exit::Well } else { Exit::Damaged })
}

fn options(args: &RestoreArgs, snapshot: &Snapshot<'_>) -> Result<PostgresRestoreOptions, Failure> {
    let mut options =
        PostgresRestoreOptions::default().tables(super::super::selection(&args.tables, &args.exclude)?).mode(args.mode);
    let postgres = &args.postgres;
    options.part = match (postgres.data_only, postgres.schema_only) {
        (true, _) => Part::Data,
        (_, true) => Part::Schema,
        _ => Part::Everything,
    };
    options.owners = !postgres.no_owner;
    options.privileges = !postgres.no_privileges;
    options.into_schema.clone_from(&postgres.into_schema);
    options.rename.clone_from(&postgres.rename);
    options.expire = expire_rules(args, snapshot)?;
    options.scratch = Some(std::env::temp_dir());
    options.connections = args.jobs.number.unwrap_or(NonZero::<usize>::MIN);
    options.lock_timeout = Duration::from_secs(postgres.lock_timeout.into());
    options.by_root = postgres.by_root;
    if postgres.keep_old {
        options.keep_old = Some(dated_name()?);
    }
    Ok(options)
}

/// The schema that keeps what is replaced: it says when.
fn dated_name() -> Result<String, Error> {
    let now = jiff::Timestamp::from_microsecond(super::super::now()?)
        .map_err(|cause| Error::request("the clock is set to a time that is none").with_cause(cause))?;
    Ok(format!("tabark_old_{}", now.strftime("%Y%m%d_%H%M%S")))
}

fn print_plan(snapshot: &Snapshot<'_>, plan: &PostgresPlan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "would restore {} into {}", from(snapshot), visible(&plan.target))?;
    tables::print_planned(&plan.tables, out)?;
    for (kind, object) in &plan.code {
        writeln!(out, "  code that will run there: {} {}", visible(kind), name(object, NAME_WIDTH))?;
    }
    for (kind, object) in &plan.present {
        writeln!(out, "  there already: {} {}", visible(kind), name(object, NAME_WIDTH))?;
    }
    print_by_root(plan, out)?;
    for step in plan.steps.iter().filter(|step| !step.sql.is_empty()) {
        writeln!(out, "{};", visible_lines(&step.sql))?;
    }
    writeln!(out, "nothing was changed (--dry-run)")
}

fn print_by_root(plan: &PostgresPlan, out: &mut dyn Write) -> io::Result<()> {
    plan.by_root.iter().try_for_each(|told| writeln!(out, "  {}", visible(told)))
}

fn print_report(snapshot: &Snapshot<'_>, report: &PostgresReport, part: Part, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "restored {} into {}", from(snapshot), visible(&report.plan.target))?;
    let verdict = |table: &_| if part == Part::Schema { "definition" } else { tables::proof(table) };
    tables::print_restored(&report.tables, verdict, out)?;
    print_by_root(&report.plan, out)?;
    for (old, kept) in &report.kept {
        writeln!(out, "kept: {} is now {}", visible(old), visible(kept))?;
    }
    if part == Part::Schema {
        return writeln!(out, "definitions alone: no rows were restored");
    }
    tables::print_proof(&report.tables, out)
}

fn object(args: &RestoreArgs, snapshot: &Snapshot<'_>, plan: &PostgresPlan, report: Option<&PostgresReport>) -> Json {
    let steps = plan
        .steps
        .iter()
        .map(|step| json!({ "kind": step.kind, "name": step.name, "sql": step.sql }))
        .collect::<Vec<_>>();
    let pairs = |pairs: &[(String, String)]| {
        pairs.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect::<Vec<_>>()
    };
    let kept = report.map(|report| {
        report.kept.iter().map(|(table, now)| json!({ "table": table, "kept_as": now })).collect::<Vec<_>>()
    });
    json!({
        "archive": args.archive.display().to_string(),
        "target": plan.target,
        "dry_run": report.is_none(),
        "snapshot": tables::snapshot_object(snapshot),
        "mode": args.mode.name(),
        "plan": {
            "tables": plan.tables.iter().map(tables::planned_object).collect::<Vec<_>>(),
            "steps": steps,
            "present": pairs(&plan.present),
            "code": pairs(&plan.code),
            "by_root": plan.by_root,
        },
        "tables": report.map(|report| report.tables.iter().map(tables::restored_object).collect::<Vec<_>>()),
        "kept": kept,
        "proved": report.map(|report| report.tables.iter().all(|table| table.proved)),
        "warnings": plan.warnings.iter().chain(report.iter().flat_map(|report| &report.warnings)).collect::<Vec<_>>(),
    })
}
