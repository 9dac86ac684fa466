//! `tabark dump`.

use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value as Json, json};
use tabark::archive::WriterOptions;
use tabark::dump::{DumpOptions, DumpReport};
use tabark::source::sqlite::{Reading, SqliteSource};
use tabark::{Error, Profile};

use super::Outcome;
use crate::args::DumpArgs;
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::progress::Progress;
use crate::report::aligned::{Aligned, Side};
use crate::report::text::{name, visible};
use crate::report::units::{count, counted, ratio, size};
use crate::report::{json as as_json, problems};

pub(crate) fn run(args: &DumpArgs, out: &mut Pipe) -> Outcome {
    refuse_other_engines(&args.source)?;
    refuse_archive_path(args)?;
    let options = DumpOptions {
        tables: super::selection(&args.tables, &args.exclude)?,
        tags: args.tags.clone(),
        time: args.time.map_or_else(now, Ok)?,
        writer: concat!("tabark ", env!("CARGO_PKG_VERSION")).to_owned(),
        archive: writing(args),
    };
    let progress = Progress::start()?;
    let source = SqliteSource::open(&args.source)?;
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
        as_json::write(out, &object(args, &options, &report, source.reading()))
    } else {
        print(args, &report, out)
    });
    Ok(Exit::Well)
}

fn writing(args: &DumpArgs) -> WriterOptions {
    let profile = if args.fast { Profile::Fast } else { Profile::Standard };
    let mut options = WriterOptions::default().with_profile(profile);
    options.jobs = args.jobs.number;
    args.level.map_or(options, |level| options.with_level(level))
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

fn now() -> Result<i64, Error> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .ok_or_else(|| Error::request("the clock is set to a time before 1970").with_hint("set the clock"))
}

fn print(args: &DumpArgs, report: &DumpReport, out: &mut Pipe) -> std::io::Result<()> {
    let snapshot = &report.snapshot;
    let archive = args.archive.display().to_string();
    let new = if report.created { " (new archive)" } else { "" };
    let tables = counted(snapshot.tables, "table");
    let rows = counted(snapshot.rows, "row");
    writeln!(out, "snapshot {} in {}{new}: {tables}, {rows}", snapshot.number, visible(&archive))?;
    let mut table = Aligned::headless(&[Side::Left, Side::Right]).indented(2);
    for (table_name, rows) in &report.tables {
        table.row(vec![name(table_name, 60), count(*rows)]);
    }
    table.write(out)?;
    let (raw, added) = (snapshot.logical_bytes, snapshot.bytes_added);
    writeln!(out, "added {} for {} of cells ({})", size(added), size(raw), ratio(raw, added))?;
    writeln!(out, "root {}", tabark::hex::encode(&snapshot.root))
}

fn object(args: &DumpArgs, options: &DumpOptions, report: &DumpReport, reading: Reading) -> Json {
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
    let tables: Vec<Json> = report.tables.iter().map(|(name, rows)| json!({ "name": name, "rows": rows })).collect();
    json!({
        "archive": args.archive.display().to_string(),
        "created": report.created,
        "tail_removed": report.tail_removed,
        "reading": if reading == Reading::Pages { "pages" } else { "sql" },
        "snapshot": head,
        "tables": tables,
        "omitted": as_json::omissions(&report.omitted),
    })
}
