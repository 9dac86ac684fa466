//! `tabark dump`.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::dump::{DumpOptions, DumpReport, DumpedTable};
use tabark::model::Filter;
use tabark::source::Source;
use tabark::source::sqlite::{Reading, SqliteSource};

use super::{Outcome, rules};
use crate::args::DumpArgs;
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::aligned::{Aligned, Side};
use crate::report::text::{name, visible};
use crate::report::units::{count, counted, ratio, size};
use crate::report::{filters, json as as_json, problems};

pub(crate) fn run(args: &DumpArgs, out: &mut Pipe) -> Outcome {
    refuse_other_engines(&args.source)?;
    refuse_archive_path(args)?;
    let mut options = DumpOptions {
        tables: super::selection(&args.tables, &args.exclude)?,
        filters: Vec::new(),
        tags: args.tags.clone(),
        time: args.time.map_or_else(super::now, Ok)?,
        writer: concat!("tabark ", env!("CARGO_PKG_VERSION")).to_owned(),
        archive: super::writing(args.fast, args.level, &args.jobs),
    };
    let progress = Progress::start()?;
    let source = SqliteSource::open(&args.source)?;
    options.filters = rules::of_dump(&args.conditions, &args.expire, options.time, &source.catalog().tables)?;
    let report = tabark::dump::dump(&source, &args.archive, &options, &progress)?;
    drop(progress);
    if report.tail_removed > 0 {
        let tail = report.tail_removed;
        problems::warn(&format!("{tail} bytes after the last commit belonged to no snapshot and were cut off"));
    }
    for omission in &report.omitted {
        problems::warn(&format!("not in the snapshot: {}: {}", omission.what, omission.reason));
    }
    super::told(if args.json {
        as_json::write(out, &object(args, &options, &report, &source))
    } else {
        print(args, &report, out)
    });
    Ok(Exit::Well)
}

pub(super) fn refuse_other_engines(source: &Path) -> Result<(), Failure> {
    let text = source.to_string_lossy();
    let Some((scheme, _)) = text.split_once("://") else { return Ok(()) };
    if scheme.starts_with("postgres") {
        // The address may hold a password: it is not repeated.
        let error = Error::request("this version of tabark does not support PostgreSQL sources");
        return Err(Failure::Usage(error.with_hint("give the path of an SQLite database")));
    }
    if source.exists() || scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let error = Error::request(format!("this version of tabark does not know sources of the kind \"{scheme}://\""));
    Err(Failure::Usage(error.with_hint("give the path of an SQLite database")))
}

/// The archive must not take the place of the database, or of what SQLite keeps beside it.
fn refuse_archive_path(args: &DumpArgs) -> Result<(), Error> {
    let shown = args.archive.display();
    if args.archive.is_dir() {
        return Err(Error::request(format!("{shown} is a folder")).with_hint("give the path of the archive's file"));
    }
    if super::is_same_file(&args.source, &args.archive) {
        return Err(
            Error::request(format!("{shown} is the database itself")).with_hint("give the archive another name")
        );
    }
    if super::is_side_file(&args.source, &args.archive) {
        return Err(Error::request(format!("{shown} is a name that SQLite uses for its own files"))
            .with_hint("give the archive another name"));
    }
    Ok(())
}

fn print(args: &DumpArgs, report: &DumpReport, out: &mut Pipe) -> std::io::Result<()> {
    let snapshot = &report.snapshot;
    let archive = args.archive.display().to_string();
    let new = if report.created { " (new archive)" } else { "" };
    let tables = counted(snapshot.tables, "table");
    let rows = counted(snapshot.rows, "row");
    writeln!(out, "snapshot {} in {}{new}: {tables}, {rows}", snapshot.number, visible(&archive))?;
    let mut table = Aligned::headless(&[Side::Left, Side::Right]).indented(2);
    for dumped in &report.tables {
        table.row(vec![name(&dumped.name, 60), count(dumped.rows)]);
    }
    table.write(out)?;
    for partial in report.tables.iter().filter(|table| !table.filters.is_empty()) {
        writeln!(out, "partial: {}: {}", name(&partial.name, 60), filters::described(&partial.filters))?;
        if partial.filters.iter().any(|filter| matches!(filter, Filter::Expire(_))) {
            writeln!(out, "  {}", filters::counts(partial.expired, partial.without_time))?;
        }
    }
    let (raw, added) = (snapshot.logical_bytes, snapshot.bytes_added);
    writeln!(out, "added {} for {} of cells ({})", size(added), size(raw), ratio(raw, added))?;
    writeln!(out, "root {}", tabark::hex::encode(&snapshot.root))
}

fn object(args: &DumpArgs, options: &DumpOptions, report: &DumpReport, source: &SqliteSource<'_>) -> Json {
    let snapshot = &report.snapshot;
    let mut tags = options.tags.clone();
    tags.sort();
    let mut head = Map::new();
    head.insert("number".into(), json!(snapshot.number));
    as_json::put_time(&mut head, options.time);
    head.insert("tags".into(), as_json::pairs(&tags));
    head.insert("tables".into(), json!(snapshot.tables));
    head.insert("rows".into(), json!(snapshot.rows));
    head.insert("logical_bytes".into(), json!(snapshot.logical_bytes));
    head.insert("bytes_added".into(), json!(snapshot.bytes_added));
    head.insert("root".into(), as_json::digest(&snapshot.root));
    head.insert("fingerprint".into(), as_json::digest(&snapshot.fingerprint));
    let tables: Vec<Json> = report.tables.iter().map(|table| table_object(table, source)).collect();
    json!({
        "archive": args.archive.display().to_string(),
        "created": report.created,
        "tail_removed": report.tail_removed,
        "reading": reading_name(source.reading()),
        "snapshot": head,
        "tables": tables,
        "omitted": as_json::omissions(&report.omitted),
    })
}

fn table_object(table: &DumpedTable, source: &SqliteSource<'_>) -> Json {
    // Rows are chosen by SQL; else it depends on how the table is stored.
    let by_condition = table.filters.iter().any(|filter| matches!(filter, Filter::Where { .. }));
    let schema = source.catalog().tables.iter().find(|schema| schema.name == table.name);
    let reading = schema.filter(|_| !by_condition).map_or(Reading::Sql, |schema| source.reading_of(schema));
    json!({
        "name": table.name,
        "rows": table.rows,
        "reading": reading_name(reading),
        "filters": filters::objects(&table.filters),
        "expired": table.expired,
        "without_time": table.without_time,
    })
}

fn reading_name(reading: Reading) -> &'static str {
    if reading == Reading::Pages { "pages" } else { "sql" }
}
