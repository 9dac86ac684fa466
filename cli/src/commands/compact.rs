//! `tabark compact`.

use std::io::{self, Write};

use serde_json::{Value as Json, json};
use tabark::rewrite::{self, RewriteReport};

use super::Outcome;
use crate::args::CompactArgs;
use crate::exit::Exit;
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::json as as_json;
use crate::report::text::visible;
use crate::report::units::{counted, size};

pub(crate) fn run(args: &CompactArgs, out: &mut Pipe) -> Outcome {
    super::use_threads(&args.jobs)?;
    let progress = Progress::start()?;
    let report = rewrite::compact(&args.archive, super::writing(args.fast, args.level, args.jobs.number), &progress)?;
    drop(progress);
    super::told(if args.json { as_json::write(out, &object(args, &report)) } else { print(args, &report, out) });
    Ok(Exit::Well)
}

fn print(args: &CompactArgs, report: &RewriteReport, out: &mut dyn Write) -> io::Result<()> {
    let archive = args.archive.display().to_string();
    let (before, after) = (size(report.bytes_before), size(report.bytes_after));
    let snapshots = counted(report.snapshots.len() as u64, "snapshot");
    writeln!(out, "{}: {snapshots}, {before} before, {after} after", visible(&archive))?;
    print_root(report, out)
}

/// Whoever noted the newest snapshot's root has to note another one.
pub(crate) fn print_root(report: &RewriteReport, out: &mut dyn Write) -> io::Result<()> {
    match report.snapshots.last() {
        Some(newest) => writeln!(out, "new root of snapshot {}: {}", newest.number, tabark::hex::encode(&newest.root)),
        None => Ok(()),
    }
}

fn object(args: &CompactArgs, report: &RewriteReport) -> Json {
    json!({
        "archive": args.archive.display().to_string(),
        "bytes_before": report.bytes_before,
        "bytes_after": report.bytes_after,
        "snapshots": rewritten(report),
    })
}

/// The snapshots of an archive that was written anew, with their old and new roots.
pub(crate) fn rewritten(report: &RewriteReport) -> Vec<Json> {
    let snapshot = |snapshot: &rewrite::RewrittenSnapshot| {
        json!({
            "number": snapshot.number,
            "rows": snapshot.rows,
            "fingerprint": as_json::digest(&snapshot.fingerprint),
            "root_before": as_json::digest(&snapshot.root_before),
            "root": as_json::digest(&snapshot.root),
        })
    };
    report.snapshots.iter().map(snapshot).collect()
}
