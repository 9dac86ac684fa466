//! `tabark dump`.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::dump::{DumpOptions, DumpReport, DumpedTable};
use tabark::model::Filter;
use tabark::selection::Selection;
use tabark::source::Source;
use tabark::source::postgres::PostgresSource;
use tabark::source::sqlite::{Reading, SqliteSource};

use super::database::Database;
use super::{Outcome, rules};
use crate::args::DumpArgs;
use crate::exit::Exit;
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::aligned::{Aligned, Side};
use crate::report::text::{name, visible};
use crate::report::units::{count, counted, ratio, size};
use crate::report::{filters, json as as_json, problems};

pub(crate) fn run(args: &DumpArgs, out: &mut Pipe) -> Outcome {
    let database = Database::of(&args.source)?;
    refuse_archive_path(args, &database)?;
    let tables = super::selection(&args.tables, &args.exclude)?;
    let mut options = DumpOptions {
        tables: Selection::everything(),
        filters: Vec::new(),
        tags: args.tags.clone(),
        time: args.time.map_or_else(super::now, Ok)?,
        writer: concat!("tabark ", env!("CARGO_PKG_VERSION")).to_owned(),
        archive: super::writing(args.fast, args.level, args.jobs),
    };
    let progress = Progress::start()?;
    match &database {
        Database::Sqlite(path) => {
            let source = SqliteSource::open(path)?;
            options.tables = tables;
            let reading = |table: &DumpedTable| reading_name(reading_of(&source, table));
            let way = Way { reading: reading_name(source.reading()), of_table: &reading, held_since: None };
            write(args, &mut options, &source, &way, progress, out)
        }
        Database::Postgres(settings) => {
            // Only what is chosen is locked and read: the source has nothing else.
            let held_since = Some(Instant::now());
            let source = PostgresSource::open(settings, &tables, args.connecting(), &progress)?;
            write(
                args,
                &mut options,
                &source,
                &Way { reading: "copy", of_table: &|_| "copy", held_since },
                progress,
                out,
            )
        }
    }
}

/// How rows are read.
struct Way<'r> {
    /// In general, and of each table.
    reading: &'static str,
    of_table: &'r dyn Fn(&DumpedTable) -> &'static str,
    /// Since when the server keeps what the dump may still read: VACUUM removes no row that was deleted or changed since.
    held_since: Option<Instant>,
}

fn write(
    args: &DumpArgs,
    options: &mut DumpOptions,
    source: &dyn Source,
    way: &Way<'_>,
    progress: Progress,
    out: &mut Pipe,
) -> Outcome {
    options.filters = rules::of_dump(&args.conditions, &args.expire, options.time, &source.catalog().tables)?;
    let report = tabark::dump::dump(source, &args.archive, options, &progress)?;
    let held = way.held_since.map(|since| since.elapsed());
    drop(progress);
    if report.tail_removed > 0 {
        let tail = report.tail_removed;
        problems::warn(&format!("{tail} bytes after the last commit belonged to no snapshot and were cut off"));
    }
    for omission in &report.omitted {
        problems::warn(&format!("not in the snapshot: {}: {}", omission.what, omission.reason));
    }
    super::told(if args.json {
        as_json::write(out, &object(args, options, &report, way, held))
    } else {
        print(args, &report, held, out)
    });
    Ok(Exit::Well)
}

/// The archive must not take the place of the database, or of what SQLite keeps beside it.
fn refuse_archive_path(args: &DumpArgs, database: &Database) -> Result<(), Error> {
    let shown = args.archive.display();
    if args.archive.is_dir() {
        return Err(Error::request(format!("{shown} is a folder")).with_hint("give the path of the archive's file"));
    }
    let Database::Sqlite(source) = database else { return Ok(()) };
    if super::is_same_file(source, &args.archive) {
        return Err(
            Error::request(format!("{shown} is the database itself")).with_hint("give the archive another name")
        );
    }
    if super::is_side_file(source, &args.archive) {
        return Err(Error::request(format!("{shown} is a name that SQLite uses for its own files"))
            .with_hint("give the archive another name"));
    }
    Ok(())
}

fn print(args: &DumpArgs, report: &DumpReport, held: Option<Duration>, out: &mut Pipe) -> std::io::Result<()> {
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
    if let Some(held) = held.map(|held| held.as_secs_f64()) {
        writeln!(out, "held the server's snapshot for {held:.1} s, which keeps VACUUM from removing old rows")?;
    }
    writeln!(out, "root {}", tabark::hex::encode(&snapshot.root))
}

fn object(args: &DumpArgs, options: &DumpOptions, report: &DumpReport, way: &Way<'_>, held: Option<Duration>) -> Json {
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
    let tables: Vec<Json> = report.tables.iter().map(|table| table_object(table, (way.of_table)(table))).collect();
    json!({
        "archive": args.archive.display().to_string(),
        "created": report.created,
        "tail_removed": report.tail_removed,
        "reading": way.reading,
        "held_seconds": held.map(|held| held.as_secs_f64()),
        "snapshot": head,
        "tables": tables,
        "omitted": as_json::omissions(&report.omitted),
    })
}

fn table_object(table: &DumpedTable, reading: &str) -> Json {
    json!({
        "name": table.name,
        "rows": table.rows,
        "reading": reading,
        "filters": filters::objects(&table.filters),
        "expired": table.expired,
        "without_time": table.without_time,
    })
}

/// Rows are chosen by SQL; else it depends on how the table is stored.
fn reading_of(source: &SqliteSource<'_>, table: &DumpedTable) -> Reading {
    let by_condition = table.filters.iter().any(|filter| matches!(filter, Filter::Where { .. }));
    let schema = source.catalog().tables.iter().find(|schema| schema.name == table.name);
    schema.filter(|_| !by_condition).map_or(Reading::Sql, |schema| source.reading_of(schema))
}

fn reading_name(reading: Reading) -> &'static str {
    if reading == Reading::Pages { "pages" } else { "sql" }
}
