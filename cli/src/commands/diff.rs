//! `tabark diff`.

use std::io::Write;

use serde_json::{Map, Value as Json, json};
use tabark::diff::{ChangeSink, DiffReport};
use tabark::observer::Observer;

use super::Outcome;
use crate::args::{DiffArgs, Shown};
use crate::exit::{Exit, Failure};
use crate::pipe::{Pipe, Rows};
use crate::progress::Progress;
use crate::report::differences::{self, RowLines};
use crate::report::json as as_json;

pub(crate) fn run(args: &DiffArgs, out: &mut Pipe) -> Outcome {
    let archive = super::open(&args.archive)?;
    let (before, after) = (archive.select(&args.before)?, archive.select(&args.after)?);
    let tables = super::selection(&args.shown.tables, &[])?;
    let compared =
        shown_rows(&args.shown, out, |sink, observer| tabark::diff::diff(&before, &after, &tables, sink, observer))?;
    let Some(report) = compared else { return Ok(Exit::Different) };
    if args.shown.json {
        let mut object = Map::new();
        object.insert("archive".into(), json!(args.archive.display().to_string()));
        object.insert("before".into(), differences::snapshot_object(before.summary()));
        object.insert("after".into(), differences::snapshot_object(after.summary()));
        differences::put(&mut object, &report);
        as_json::write(out, &Json::Object(object))?;
    } else if !args.shown.rows {
        let [from, to] = [&before, &after].map(|snapshot| differences::snapshot(snapshot.summary()));
        writeln!(out, "from {from} to {to}")?;
        differences::print(&report, out)?;
    }
    Ok(exit(&report))
}

/// 0 or 1, as of `diff` and `cmp`.
pub(super) fn exit(report: &DiffReport) -> Exit {
    if report.is_same() { Exit::Well } else { Exit::Different }
}

/// Compares; writes the rows that differ if they are asked for. `None` if nobody reads them any more: some differ.
pub(super) fn shown_rows(
    shown: &Shown,
    out: &mut Pipe,
    compare: impl FnOnce(Option<&mut dyn ChangeSink>, &dyn Observer) -> tabark::Result<DiffReport>,
) -> Result<Option<DiffReport>, Failure> {
    if !shown.rows {
        let progress = Progress::start()?;
        return Ok(Some(compare(None, &progress)?));
    }
    // Rows and a progress bar would be written into one another; there is nothing to take back.
    let mut lines = RowLines::new(Rows::to(out));
    let compared = compare(Some(&mut lines), &()).and_then(|report| lines.finish().map(|()| report));
    match compared {
        Err(_) if out.is_closed() => Ok(None),
        compared => Ok(Some(compared?)),
    }
}
