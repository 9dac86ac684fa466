//! `tabark erase`: says which rows of which snapshots go, then takes them out.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::rewrite::erase::{self, ErasePlan, EraseReport, EraseRequest, KeyValue, PlannedSnapshot};

use super::{Outcome, compact, erasures};
use crate::args::EraseArgs;
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::aligned::{Aligned, Side};
use crate::report::text::{name, visible};
use crate::report::units::{count, counted, size};
use crate::report::{json as as_json, problems};

const NAME_WIDTH: usize = 40;

pub(crate) fn run(args: &EraseArgs, out: &mut Pipe) -> Outcome {
    super::use_threads(&args.jobs)?;
    let columns = columns(args)?;
    let keys = keys(&args.keys, columns);
    let request = EraseRequest {
        table: args.table.clone(),
        columns: args.columns.clone(),
        keys,
        cascade: args.cascade.then_some(&tabark::restore::foreign_keys),
        keeps_indexes: args.keep_shadow,
        reason: args.reason.clone(),
        time: super::now()?,
    };
    let progress = Progress::start()?;
    if args.dry_run {
        let plan = erase::plan_erasure(&super::open(&args.archive)?, &request, &progress)?;
        drop(progress);
        warn(&plan);
        if args.json {
            as_json::write(out, &object(args, &plan))?;
        } else {
            print_plan(&plan, out)?;
            writeln!(out, "nothing was changed (--dry-run)")?;
        }
        return Ok(Exit::Well);
    }
    let (mut told, mut planned) = (Ok(()), Json::Null);
    let mut tell = |plan: &ErasePlan| {
        warn(plan);
        planned = object(args, plan);
        if !args.json {
            told = print_plan(plan, out).and_then(|()| out.flush());
        }
        // What nobody could be told is not done.
        told.as_ref().map_or_else(|_| Err(Error::interrupted()), |()| Ok(()))
    };
    let options = super::writing(false, None, args.jobs.number);
    let done = erase::erase(&args.archive, &request, options, &mut tell, &progress);
    drop(progress);
    told?;
    let report = done?;
    let left_behind = left_behind(&args.archive);
    for file in &left_behind {
        problems::warn(&format!(
            "{} was left by a program that was killed, and may hold erased rows; delete it if no program is writing it",
            visible(file)
        ));
    }
    if args.json {
        if let Json::Object(object) = &mut planned {
            object.insert("left_behind".into(), json!(left_behind));
            if let Some(report) = &report {
                put_report(object, report);
            }
        }
        super::told(as_json::write(out, &planned));
    } else {
        super::told(print_report(report.as_ref(), out));
    }
    Ok(Exit::Well)
}

/// How many columns choose rows.
fn columns(args: &EraseArgs) -> Result<usize, Failure> {
    if !args.columns.is_empty() {
        return Ok(args.columns.len());
    }
    let archive = super::open(&args.archive)?;
    for summary in archive.snapshots()?.into_iter().rev() {
        let snapshot = archive.snapshot(summary)?;
        if let Some(entry) = snapshot.catalog().tables.iter().find(|table| table.name == args.table) {
            return Ok(snapshot.open_table(entry)?.schema().key.len().max(1));
        }
    }
    Ok(1)
}

/// Values in turn for each column.
fn keys(values: &[KeyValue], columns: usize) -> Vec<Vec<KeyValue>> {
    values.chunks(columns).map(<[KeyValue]>::to_vec).collect()
}

/// Temp files of the archive's name beside it. Whether another program still writes one cannot be told.
fn left_behind(archive: &Path) -> Vec<String> {
    let archive = archive.canonicalize().unwrap_or_else(|_| archive.to_owned());
    let (Some(name), Some(folder)) = (archive.file_name(), archive.parent()) else { return Vec::new() };
    let beginning = format!(".{}.", name.to_string_lossy());
    let names =
        folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut found: Vec<String> = names.filter(|name| name.starts_with(&beginning) && name.ends_with(".tmp")).collect();
    found.sort_unstable();
    found
}

fn warn(plan: &ErasePlan) {
    for index in &plan.indexes {
        let index = name(index, NAME_WIDTH);
        problems::warn(&format!(
            "the stored tables of {index} stay as they are, and may hold words of the erased rows"
        ));
    }
}

/// Snapshots next to each other that lose the same, with the number of rows of each table.
fn runs(plan: &ErasePlan) -> Vec<&[PlannedSnapshot]> {
    plan.snapshots.chunk_by(|a, b| a.rows == b.rows).filter(|run| run.iter().any(|of| !of.rows.is_empty())).collect()
}

fn print_plan(plan: &ErasePlan, out: &mut dyn Write) -> io::Result<()> {
    let by: Vec<String> = plan.columns.iter().map(|column| name(column, NAME_WIDTH)).collect();
    let found = counted(plan.keys, "key");
    writeln!(out, "erase from {} by {}: {found} found", name(&plan.table, NAME_WIDTH), by.join(", "))?;
    let mut table = Aligned::new(&[("snapshots", Side::Left), ("table", Side::Left), ("rows in each", Side::Right)]);
    for run in runs(plan) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let mut of = match run.len() {
            1 => first.number.to_string(),
            _ => format!("{} to {}", first.number, last.number),
        };
        for (name_of, rows) in &first.rows {
            table.row(vec![std::mem::take(&mut of), name(name_of, NAME_WIDTH), count(*rows)]);
        }
    }
    if plan.is_nothing() {
        return writeln!(out, "no snapshot holds such rows");
    }
    table.write(out)?;
    let rows = plan.rows().iter().map(|(_, rows)| rows).sum();
    let losing = plan.snapshots.iter().filter(|snapshot| !snapshot.rows.is_empty()).count() as u64;
    let all = counted(plan.snapshots.len() as u64, "snapshot");
    writeln!(out, "{} to erase, from {} of {all}", counted(rows, "row"), count(losing))
}

fn print_report(report: Option<&EraseReport>, out: &mut dyn Write) -> io::Result<()> {
    let Some(report) = report else { return writeln!(out, "nothing was changed") };
    let (before, after) = (size(report.rewrite.bytes_before), size(report.rewrite.bytes_after));
    writeln!(out, "erased {}: {before} before, {after} after", counted(report.record.all_rows(), "row"))?;
    compact::print_root(&report.rewrite, out)?;
    writeln!(
        out,
        "copies from before still hold them: `tabark erasures --json` writes what `restore --erasures` refuses them by"
    )
}

fn object(args: &EraseArgs, plan: &ErasePlan) -> Json {
    let rows = |rows: &[(String, u64)]| -> Json {
        rows.iter().map(|(table, rows)| json!({ "table": table, "rows": rows })).collect()
    };
    let snapshots = plan.snapshots.iter().map(|snapshot| {
        let mut object = Map::new();
        object.insert("number".into(), json!(snapshot.number));
        as_json::put_time(&mut object, snapshot.time);
        object.insert("erase".into(), rows(&snapshot.rows));
        Json::Object(object)
    });
    let mut object = Map::new();
    object.insert("archive".into(), json!(args.archive.display().to_string()));
    object.insert("dry_run".into(), json!(args.dry_run));
    object.insert("table".into(), json!(plan.table));
    object.insert("columns".into(), json!(plan.columns));
    object.insert("keys_found".into(), json!(plan.keys));
    object.insert("rows".into(), rows(&plan.rows()));
    object.insert("kept_shadow".into(), json!(plan.indexes));
    object.insert("plan".into(), snapshots.collect());
    object.insert("erasure".into(), Json::Null);
    object.insert("bytes_before".into(), Json::Null);
    object.insert("bytes_after".into(), Json::Null);
    object.insert("snapshots".into(), Json::Null);
    object.insert("left_behind".into(), json!(left_behind(&args.archive)));
    Json::Object(object)
}

fn put_report(object: &mut Map<String, Json>, report: &EraseReport) {
    object.insert("erasure".into(), erasures::whole(&report.record));
    object.insert("bytes_before".into(), json!(report.rewrite.bytes_before));
    object.insert("bytes_after".into(), json!(report.rewrite.bytes_after));
    object.insert("snapshots".into(), Json::Array(compact::rewritten(&report.rewrite)));
}
