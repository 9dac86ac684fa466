//! `tabark show`: a snapshot from its manifests alone; no row is read.

mod table;

use std::io::{self, Write};

use serde_json::{Value as Json, json};
use tabark::archive::{Snapshot, Table};

use super::Outcome;
use crate::args::ShowArgs;
use crate::exit::{Exit, Failure};
use crate::pipe::Pipe;
use crate::report::aligned::{Aligned, Side};
use crate::report::filters;
use crate::report::json as as_json;
use crate::report::text::{name, pairs, shorten, visible, wrapped_pairs};
use crate::report::units::{count, counted, ratio, size, time};

const NAME_WIDTH: usize = 32;
const KEY_WIDTH: usize = 20;
const SETTINGS_WIDTH: usize = 80;

pub(crate) fn run(args: &ShowArgs, out: &mut Pipe) -> Outcome {
    let archive = super::open(&args.archive)?;
    let snapshot = archive.select(&args.at.or_latest())?;
    let tables = chosen_tables(args, &snapshot)?;
    let details = !args.tables.is_empty();
    if args.json {
        let object = json!({
            "archive": args.archive.display().to_string(),
            "tail_bytes": archive.tail(),
            "snapshot": head(&snapshot),
            "tables": tables.iter().map(|shown| table::object(shown, details)).collect::<Vec<Json>>(),
            "objects": snapshot.catalog().objects.iter().map(as_json::schema_object).collect::<Vec<Json>>(),
            "omitted": as_json::omissions(&snapshot.manifest().omitted),
        });
        as_json::write(out, &object)?;
    } else if details {
        for (place, shown) in tables.iter().enumerate() {
            if place > 0 {
                writeln!(out)?;
            }
            table::print(shown, out)?;
        }
        print_omitted(&snapshot, out)?;
    } else {
        print_head(&snapshot, out)?;
        print_tables(&tables, out)?;
        print_objects(&snapshot, out)?;
        print_omitted(&snapshot, out)?;
    }
    Ok(Exit::Well)
}

fn chosen_tables<'a>(args: &ShowArgs, snapshot: &Snapshot<'a>) -> Result<Vec<Table<'a>>, Failure> {
    let selection = super::selection(&args.tables, &[])?;
    let entries = &snapshot.catalog().tables;
    selection.check(entries.iter().map(|entry| entry.name.as_str()))?;
    let chosen = entries.iter().filter(|entry| selection.takes(&entry.name));
    Ok(chosen.map(|entry| snapshot.open_table(entry)).collect::<tabark::Result<_>>()?)
}

fn head(snapshot: &Snapshot<'_>) -> Json {
    let manifest = snapshot.manifest();
    let mut object = as_json::summary(snapshot.summary());
    object.insert("logical_bytes".into(), json!(manifest.logical_bytes));
    object.insert("fingerprint".into(), as_json::digest(&manifest.fingerprint));
    object.insert("writer".into(), json!(manifest.writer));
    let source = &manifest.source;
    object.insert(
        "source".into(),
        json!({
            "engine": source.engine,
            "engine_version": source.engine_version,
            "name": source.name,
            "settings": as_json::pairs(&source.settings),
        }),
    );
    Json::Object(object)
}

fn print_head(snapshot: &Snapshot<'_>, out: &mut dyn Write) -> io::Result<()> {
    let manifest = snapshot.manifest();
    let source = &manifest.source;
    writeln!(out, "snapshot {}, {}", manifest.number, time(manifest.time))?;
    let mut facts = Aligned::headless(&[Side::Left, Side::Left]).indented(2);
    let mut fact = |what: &str, text: String| facts.row(vec![what.to_owned(), text]);
    let engine = format!("({} {})", visible(&source.engine), visible(&source.engine_version));
    fact("source", format!("{} {engine}", visible(&source.name)));
    for (place, line) in wrapped_pairs(&source.settings, SETTINGS_WIDTH).into_iter().enumerate() {
        fact(if place == 0 { "settings" } else { "" }, line);
    }
    fact("written by", visible(&manifest.writer).into_owned());
    if !manifest.tags.is_empty() {
        fact("tags", pairs(&manifest.tags));
    }
    let tables = counted(manifest.tables, "table");
    fact("holds", format!("{tables}, {}, {} of cells", counted(manifest.rows, "row"), size(manifest.logical_bytes)));
    fact("added", size(snapshot.summary().bytes_added));
    fact("root", tabark::hex::encode(&snapshot.summary().root()));
    fact("fingerprint", tabark::hex::encode(&manifest.fingerprint));
    facts.write(out)
}

fn print_tables(tables: &[Table<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut aligned = Aligned::new(&[
        ("table", Side::Left),
        ("rows", Side::Right),
        ("columns", Side::Right),
        ("raw", Side::Right),
        ("stored", Side::Right),
        ("", Side::Right),
        ("key", Side::Left),
    ]);
    for shown in tables {
        let manifest = shown.manifest();
        let role = match manifest.schema.role.as_str() {
            "table" if manifest.filters.is_empty() => String::new(),
            "table" => " (partial)".to_owned(),
            role => format!(" ({role})"),
        };
        aligned.row(vec![
            format!("{}{role}", name(&manifest.schema.name, NAME_WIDTH - role.len().min(NAME_WIDTH / 2))),
            count(manifest.rows),
            manifest.schema.columns.len().to_string(),
            size(manifest.logical_bytes),
            size(manifest.stored_bytes),
            ratio(manifest.logical_bytes, manifest.stored_bytes),
            shorten(&table::key(&manifest.schema), KEY_WIDTH).into_owned(),
        ]);
    }
    aligned.write(out)?;
    for shown in tables.iter().filter(|shown| !shown.manifest().filters.is_empty()) {
        let rules = filters::described(&shown.manifest().filters);
        writeln!(out, "partial: {}: {rules}", name(&shown.schema().name, NAME_WIDTH))?;
    }
    Ok(())
}

fn print_objects(snapshot: &Snapshot<'_>, out: &mut dyn Write) -> io::Result<()> {
    for object in &snapshot.catalog().objects {
        writeln!(out, "{} {}", visible(&object.kind), name(&object.name, NAME_WIDTH))?;
    }
    Ok(())
}

fn print_omitted(snapshot: &Snapshot<'_>, out: &mut dyn Write) -> io::Result<()> {
    for omission in &snapshot.manifest().omitted {
        writeln!(out, "not in the snapshot: {}: {}", visible(&omission.what), visible(&omission.reason))?;
    }
    Ok(())
}
