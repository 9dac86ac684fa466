//! `tabark compare`.

use std::io::Write;

use serde_json::{Map, Value as Json, json};
use tabark::source::Source as _;
use tabark::source::sqlite::SqliteSource;

use super::Outcome;
use super::diff::{exit, shown_rows};
use crate::args::CompareArgs;
use crate::exit::Exit;
use crate::pipe::Pipe;
use crate::report::differences;
use crate::report::text::visible;
use crate::report::{json as as_json, problems};

pub(crate) fn run(args: &CompareArgs, out: &mut Pipe) -> Outcome {
    super::dump::refuse_other_engines(&args.source)?;
    let archive = super::open(&args.archive)?;
    let snapshot = archive.select(&args.at.or_latest())?;
    let tables = super::selection(&args.shown.tables, &[])?;
    let source = SqliteSource::open(&args.source)?;
    for omission in &source.catalog().omitted {
        problems::warn(&format!("not compared: {}: {}", omission.what, omission.reason));
    }
    let compared = shown_rows(&args.shown, out, |sink, observer| {
        tabark::compare::compare(&snapshot, &source, &tables, sink, observer)
    })?;
    let Some(report) = compared else { return Ok(Exit::Different) };
    let path = args.source.display().to_string();
    if args.shown.json {
        let mut object = Map::new();
        object.insert("archive".into(), json!(args.archive.display().to_string()));
        object.insert("snapshot".into(), differences::snapshot_object(snapshot.summary()));
        object.insert("source".into(), json!(path));
        object.insert("omitted".into(), as_json::omissions(&source.catalog().omitted));
        differences::put(&mut object, &report);
        as_json::write(out, &Json::Object(object))?;
    } else if !args.shown.rows {
        writeln!(out, "from {} to {}", differences::snapshot(snapshot.summary()), visible(&path))?;
        differences::print(&report, out)?;
    }
    Ok(exit(&report))
}
