//! `tabark restore` into a PostgreSQL database.

use std::io::{self, Write};
use std::num::NonZero;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::archive::Snapshot;
use tabark::postgres::settings::ConnectionSettings;
use tabark::restore::postgres::{self, Part, PostgresPlan, PostgresReport, PostgresRestoreOptions};

use super::{Outcome, action, expire_rules, print_rules, warn};
use crate::args::RestoreArgs;
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::aligned::{Aligned, Side};
use crate::report::text::{name, visible};
use crate::report::units::{count, counted, size, time};
use crate::report::{filters, json as as_json};

const NAME_WIDTH: usize = 40;

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
    for (kind, object) in &plan.code {
        writeln!(out, "  code that will run there: {} {}", visible(kind), name(object, NAME_WIDTH))?;
    }
    for (kind, object) in &plan.present {
        writeln!(out, "  there already: {} {}", visible(kind), name(object, NAME_WIDTH))?;
    }
    print_by_root(plan, out)?;
    for step in plan.steps.iter().filter(|step| !step.sql.is_empty()) {
        writeln!(out, "{};", shown_statement(&step.sql))?;
    }
    writeln!(out, "nothing was changed (--dry-run)")
}

fn print_by_root(plan: &PostgresPlan, out: &mut dyn Write) -> io::Result<()> {
    plan.by_root.iter().try_for_each(|told| writeln!(out, "  {}", visible(told)))
}

/// A statement as it is, but for what would do something to a terminal: its lines stay lines.
fn shown_statement(sql: &str) -> String {
    sql.lines().map(visible).collect::<Vec<_>>().join("\n")
}

fn print_report(snapshot: &Snapshot<'_>, report: &PostgresReport, part: Part, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "restored {} into {}", from(snapshot), visible(&report.plan.target))?;
    let mut tables = Aligned::headless(&[Side::Left, Side::Right, Side::Left, Side::Left]).indented(2);
    for table in &report.tables {
        let proved = match part {
            Part::Schema => "definition",
            _ if table.proved => "proved",
            _ => "NOT PROVED",
        };
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
    print_by_root(&report.plan, out)?;
    for (old, kept) in &report.kept {
        writeln!(out, "kept: {} is now {}", visible(old), visible(kept))?;
    }
    if part == Part::Schema {
        return writeln!(out, "definitions alone: no rows were restored");
    }
    let all = report.tables.len();
    let proved = report.tables.iter().filter(|table| table.proved).count();
    let (noun, verb) = if all == 1 { ("table", "equals") } else { ("tables", "equal") };
    let less =
        if report.tables.iter().any(|table| table.expired > 0) { ", less the rows that are too old" } else { "" };
    writeln!(out, "proved: {proved} of {all} {noun} {verb} the snapshot{less}")
}

fn from(snapshot: &Snapshot<'_>) -> String {
    format!("snapshot {} ({})", snapshot.summary().number, time(snapshot.summary().time))
}

fn object(args: &RestoreArgs, snapshot: &Snapshot<'_>, plan: &PostgresPlan, report: Option<&PostgresReport>) -> Json {
    let tables = plan.tables.iter().map(|table| {
        json!({
            "name": table.name,
            "rows": table.rows,
            "stored_bytes": table.stored_bytes,
            "filters": filters::objects(&table.filters),
            "expire": filters::expire_objects(&table.expire),
            "action": action(table.action),
        })
    });
    let steps = plan
        .steps
        .iter()
        .map(|step| json!({ "kind": step.kind, "name": step.name, "sql": step.sql }))
        .collect::<Vec<_>>();
    let pairs = |pairs: &[(String, String)]| {
        pairs.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect::<Vec<_>>()
    };
    let restored = report.map(|report| {
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
            })
        });
        tables.collect::<Vec<Json>>()
    });
    let kept = report.map(|report| {
        report.kept.iter().map(|(table, now)| json!({ "table": table, "kept_as": now })).collect::<Vec<_>>()
    });
    let mut head = Map::new();
    head.insert("number".into(), json!(snapshot.summary().number));
    as_json::put_time(&mut head, snapshot.summary().time);
    head.insert("root".into(), as_json::digest(&snapshot.summary().root()));
    json!({
        "archive": args.archive.display().to_string(),
        "target": plan.target,
        "dry_run": report.is_none(),
        "snapshot": head,
        "mode": args.mode.name(),
        "plan": {
            "tables": tables.collect::<Vec<Json>>(),
            "steps": steps,
            "present": pairs(&plan.present),
            "code": pairs(&plan.code),
            "by_root": plan.by_root,
        },
        "tables": restored,
        "kept": kept,
        "proved": report.map(|report| report.tables.iter().all(|table| table.proved)),
        "warnings": plan.warnings.iter().chain(report.iter().flat_map(|report| &report.warnings)).collect::<Vec<_>>(),
    })
}
