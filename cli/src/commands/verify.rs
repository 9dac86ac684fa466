//! `tabark verify`.

use std::io::{self, Write};
use std::ops::Range;

use serde_json::{Value as Json, json};
use tabark::archive::{Archive, Finding, VerifyOptions, VerifyReport};

use super::Outcome;
use crate::args::VerifyArgs;
use crate::exit::Exit;
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::aligned::{Aligned, Side};
use crate::report::text::{name, visible};
use crate::report::units::{count, counted, size};
use crate::report::{json as as_json, problems};

const NAME_WIDTH: usize = 40;
/// With more tables than this, those that are intact are counted instead of named.
const TABLES_NAMED: usize = 50;

pub(crate) fn run(args: &VerifyArgs, out: &mut Pipe) -> Outcome {
    super::use_threads(&args.jobs)?;
    // A tail is one of the findings where the whole archive is looked at; where it is not, a warning tells of it.
    let archive = Archive::open(&args.archive)?;
    if args.at.at.is_some() || !args.tables.is_empty() {
        problems::warn_of_tail(archive.tail());
    }
    let options = VerifyOptions::default()
        .full(args.full)
        .at(args.at.at.clone())
        .tables(super::selection(&args.tables, &[])?)
        .root(args.root);
    let progress = Progress::start()?;
    let report = tabark::archive::verify(&archive, &options, &progress)?;
    drop(progress);
    if report.being_written {
        problems::warn("another program is adding a snapshot; what it has written so far was not looked at");
    }
    if args.json {
        as_json::write(out, &object(args, &archive, &report))?;
    } else if report.is_intact() {
        writeln!(out, "intact: {}", extent(&report))?;
        print_newest(&report, out)?;
    } else {
        print_damage(&report, out)?;
    }
    Ok(exit(&report))
}

fn exit(report: &VerifyReport) -> Exit {
    if report.is_intact() {
        Exit::Well
    } else if report.findings.iter().all(|finding| finding.error.is_unsupported()) {
        Exit::Unsupported
    } else {
        Exit::Damaged
    }
}

fn extent(report: &VerifyReport) -> String {
    let parts = [
        counted(report.snapshots, "snapshot"),
        counted(report.tables.len() as u64, "table"),
        counted(report.frames, "frame"),
        size(report.bytes),
    ];
    parts.join(", ")
}

fn print_newest(report: &VerifyReport, out: &mut dyn Write) -> io::Result<()> {
    match report.newest {
        Some((number, root)) => writeln!(out, "root of snapshot {number}: {}", tabark::hex::encode(&root)),
        None => Ok(()),
    }
}

fn print_damage(report: &VerifyReport, out: &mut dyn Write) -> io::Result<()> {
    for (finding, columns) in merge(&report.findings) {
        writeln!(out, "{}", describe(finding, &columns))?;
        if let Some(hint) = finding.error.hint() {
            writeln!(out, "  hint: {}", visible(hint))?;
        }
    }
    let mut tables = Aligned::new(&[
        ("table", Side::Left),
        ("since snapshot", Side::Right),
        ("rows", Side::Right),
        ("intact rows", Side::Right),
        ("", Side::Left),
    ]);
    let names_all = report.tables.len() <= TABLES_NAMED;
    for verdict in report.tables.iter().filter(|verdict| names_all || !verdict.intact) {
        tables.row(vec![
            name(&verdict.table, NAME_WIDTH),
            verdict.snapshot.to_string(),
            count(verdict.rows),
            count(verdict.intact_rows),
            if verdict.intact { "intact" } else { "DAMAGED" }.to_owned(),
        ]);
    }
    if !report.tables.is_empty() {
        tables.write(out)?;
    }
    let intact = report.tables.iter().filter(|verdict| verdict.intact).count() as u64;
    let findings = counted(merge(&report.findings).len() as u64, "finding");
    writeln!(out, "damaged: {findings} in {}; intact: {}", extent(report), counted(intact, "table"))
}

/// Findings that differ in nothing but the column become one with several columns.
fn merge(findings: &[Finding]) -> Vec<(&Finding, Vec<&str>)> {
    let mut merged: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for finding in findings {
        let column = finding.column.as_deref();
        match merged.last_mut() {
            Some((last, columns)) if is_same_but_column(last, finding) => columns.extend(column),
            _ => merged.push((finding, column.into_iter().collect())),
        }
    }
    merged
}

fn is_same_but_column(a: &Finding, b: &Finding) -> bool {
    a.column.is_some()
        && b.column.is_some()
        && a.rows == b.rows
        && a.snapshot == b.snapshot
        && a.error.table() == b.error.table()
        && a.error.offset() == b.error.offset()
        && a.error.message() == b.error.message()
}

/// Where it is, and on a line of its own what it is.
fn describe(finding: &Finding, columns: &[&str]) -> String {
    let error = &finding.error;
    let mut places = Vec::new();
    if let Some(table) = error.table() {
        places.push(format!("table \"{}\"", visible(table)));
    }
    if let Some(rows) = finding.rows.as_ref().and_then(row_range) {
        places.push(rows);
    }
    if !columns.is_empty() {
        let names: Vec<_> = columns.iter().map(|column| visible(column)).collect();
        places.push(format!("{} {}", if names.len() == 1 { "column" } else { "columns" }, names.join(" ")));
    }
    if let Some(offset) = error.offset() {
        places.push(format!("offset {offset}"));
    }
    let what = if error.is_unsupported() { "unsupported" } else { "damaged" };
    let message = visible(error.message());
    if places.is_empty() { format!("{what}: {message}") } else { format!("{what}: {}\n  {message}", places.join(", ")) }
}

fn row_range(rows: &Range<u64>) -> Option<String> {
    let last = rows.end.checked_sub(1).filter(|last| *last >= rows.start)?;
    Some(if last == rows.start { format!("row {last}") } else { format!("rows {} to {last}", rows.start) })
}

fn object(args: &VerifyArgs, archive: &Archive, report: &VerifyReport) -> Json {
    let findings: Vec<Json> = report
        .findings
        .iter()
        .map(|finding| {
            let mut object = problems::describe(&finding.error);
            if let Json::Object(fields) = &mut object {
                fields.insert("snapshot".into(), json!(finding.snapshot));
                let rows = finding.rows.as_ref().map(|rows| json!({ "start": rows.start, "end": rows.end }));
                fields.insert("rows".into(), json!(rows));
                fields.insert("column".into(), json!(finding.column));
            }
            object
        })
        .collect();
    let tables: Vec<Json> = report
        .tables
        .iter()
        .map(|verdict| {
            json!({
                "name": verdict.table,
                "snapshot": verdict.snapshot,
                "rows": verdict.rows,
                "intact_rows": verdict.intact_rows,
                "intact": verdict.intact,
            })
        })
        .collect();
    json!({
        "archive": args.archive.display().to_string(),
        "tail_bytes": archive.tail(),
        "being_written": report.being_written,
        "intact": report.is_intact(),
        "full": args.full,
        "snapshots": report.snapshots,
        "frames": report.frames,
        "bytes": report.bytes,
        "newest": report.newest.map(|(number, root)| json!({ "number": number, "root": as_json::digest(&root) })),
        "tables": tables,
        "findings": findings,
    })
}
