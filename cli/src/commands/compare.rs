//! `tabark compare`.

use std::io::Write;

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::archive::Snapshot;
use tabark::diff::DiffReport;
use tabark::model::Filter;
use tabark::source::Source;
use tabark::source::postgres::{PostgresOptions, PostgresSource};
use tabark::source::sqlite::SqliteSource;

use super::Outcome;
use super::database::Database;
use super::diff::{exit, shown_rows};
use crate::args::CompareArgs;
use crate::exit::Exit;
use crate::pipe::Pipe;
use crate::report::text::{name, visible};
use crate::report::{differences, filters, json as as_json, problems};

const NAME_WIDTH: usize = 40;

pub(crate) fn run(args: &CompareArgs, out: &mut Pipe) -> Outcome {
    let database = Database::of(&args.source)?;
    let archive = super::open(&args.archive)?;
    let snapshot = archive.select(&args.at.or_latest())?;
    let tables = super::selection(&args.shown.tables, &[])?;
    let source: Box<dyn Source> = match &database {
        Database::Sqlite(path) => Box::new(SqliteSource::open(path)?),
        Database::Postgres(settings) if args.shown.tables.is_empty() => {
            // A server may hold much that a snapshot of chosen tables was never about.
            let (tables, objects) = (&snapshot.catalog().tables, &snapshot.catalog().objects);
            let names = tables.iter().map(|entry| entry.name.clone());
            let names: Vec<String> = names.chain(objects.iter().map(|object| object.name.clone())).collect();
            Box::new(PostgresSource::open_like(
                settings,
                &snapshot.manifest().source,
                &names,
                PostgresOptions::default(),
                &(),
            )?)
        }
        Database::Postgres(settings) => {
            Box::new(PostgresSource::open(settings, &tables, PostgresOptions::default(), &())?)
        }
    };
    for omission in &source.catalog().omitted {
        problems::warn(&format!("not compared: {}: {}", omission.what, omission.reason));
    }
    let compared = shown_rows(&args.shown, out, |sink, observer| {
        tabark::compare::compare(&snapshot, &*source, &tables, sink, observer)
    })?;
    let Some(report) = compared else { return Ok(Exit::Different) };
    let partial = partial(&snapshot, &report)?;
    let path = database.shown();
    if args.shown.json {
        let mut object = Map::new();
        object.insert("archive".into(), json!(args.archive.display().to_string()));
        object.insert("snapshot".into(), differences::snapshot_object(snapshot.summary()));
        object.insert("source".into(), json!(path));
        object.insert("omitted".into(), as_json::omissions(&source.catalog().omitted));
        let rules = partial.iter().map(|(name, rules)| json!({ "name": name, "filters": filters::objects(rules) }));
        object.insert("partial".into(), rules.collect());
        differences::put(&mut object, &report);
        as_json::write(out, &Json::Object(object))?;
    } else if !args.shown.rows {
        writeln!(out, "from {} to {}", differences::snapshot(snapshot.summary()), visible(&path))?;
        differences::print(&report, out)?;
        for (table, rules) in &partial {
            writeln!(out, "{} was compared as it was dumped: {}", name(table, NAME_WIDTH), filters::described(rules))?;
        }
    }
    Ok(exit(&report))
}

/// Tables on both sides of which the dump left rows out, and by which rules.
fn partial(snapshot: &Snapshot<'_>, report: &DiffReport) -> Result<Vec<(String, Vec<Filter>)>, Error> {
    let mut partial = Vec::new();
    for table in report.tables.iter().filter(|table| table.rows_before.is_some() && table.rows_after.is_some()) {
        let filters = snapshot.table(&table.name)?.manifest().filters.clone();
        if !filters.is_empty() {
            partial.push((table.name.clone(), filters));
        }
    }
    Ok(partial)
}
