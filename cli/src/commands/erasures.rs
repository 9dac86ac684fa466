//! `tabark erasures`, and what `list` and `restore` do with the records.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use tabark::Error;
use tabark::archive::{Archive, ErasureRecord, Snapshot};

use super::Outcome;
use crate::args::ErasuresArgs;
use crate::exit::Exit;
use crate::pipe::Pipe;
use crate::report::json as as_json;
use crate::report::text::{name, visible};
use crate::report::units::{count, counted, time};

const NAME_WIDTH: usize = 40;

pub(crate) fn run(args: &ErasuresArgs, out: &mut Pipe) -> Outcome {
    let archive = super::open(&args.archive)?;
    let records = archive.erasures()?;
    if args.json {
        as_json::write(out, &object(&args.archive, &archive, &records))?;
        return Ok(Exit::Well);
    }
    for record in &records {
        writeln!(out, "{}", line(record))?;
    }
    writeln!(out, "{}", counted(records.len() as u64, "erasure"))?;
    Ok(Exit::Well)
}

/// A record on one line.
pub(crate) fn line(record: &ErasureRecord) -> String {
    let lost = |(table, rows): (&String, u64)| format!("{} of {}", counted(rows, "row"), name(table, NAME_WIDTH));
    let own = Some((&record.table, record.rows)).filter(|(_, rows)| *rows > 0);
    let others = record.others.iter().map(|(table, rows)| (table, *rows));
    let lost: Vec<String> = own.into_iter().chain(others).map(lost).collect();
    let (of, all) = (count(record.snapshots), counted(record.roots.len() as u64, "snapshot"));
    let reason = if record.reason.is_empty() { String::new() } else { format!(": {}", visible(&record.reason)) };
    format!("{} {} in {of} of {all}{reason}", time(record.time), lost.join(", "))
}

/// A record without what only proofs need.
pub(crate) fn brief(record: &ErasureRecord) -> Json {
    Json::Object(head(record))
}

fn head(record: &ErasureRecord) -> Map<String, Json> {
    let mut object = Map::new();
    as_json::put_time(&mut object, record.time);
    object.insert("table".into(), json!(record.table));
    object.insert("columns".into(), json!(record.columns));
    object.insert("keys".into(), json!(record.keys.len()));
    object.insert("rows".into(), json!(record.rows));
    let others = record.others.iter().map(|(table, rows)| json!({ "table": table, "rows": rows }));
    object.insert("others".into(), others.collect());
    object.insert("snapshots".into(), json!(record.snapshots));
    object.insert("reason".into(), json!(record.reason));
    object
}

/// All of a record.
pub(crate) fn whole(record: &ErasureRecord) -> Json {
    let mut object = head(record);
    object.insert("salt".into(), json!(tabark::hex::encode(&record.salt)));
    object.insert("key_digests".into(), record.keys.iter().map(as_json::digest).collect());
    let roots = record.roots.iter().map(|(number, before, after)| {
        json!({ "number": number, "root_before": as_json::digest(before), "root": as_json::digest(after) })
    });
    object.insert("roots".into(), roots.collect());
    Json::Object(object)
}

fn object(path: &Path, archive: &Archive, records: &[ErasureRecord]) -> Json {
    json!({
        "archive": path.display().to_string(),
        "archive_id": tabark::hex::encode(&archive.container().header().id),
        "erasures": records.iter().map(whole).collect::<Vec<Json>>(),
    })
}

/// Refuses a snapshot that holds, or may hold, what the records in a file say was erased.
pub(crate) fn refuse_erased(file: &Path, snapshot: &Snapshot<'_>) -> Result<(), Error> {
    let reading = |cause: io::Error| Error::io(format!("reading {}", file.display()), cause);
    let text = std::fs::read_to_string(file).map_err(reading)?;
    let unreadable = |why: &str| {
        Error::request(format!("{} is not what tabark erasures --json writes: {why}", file.display()))
            .with_hint("write it anew from the archive that rows were erased from: tabark erasures ARCHIVE --json")
    };
    let told: Json = serde_json::from_str(&text).map_err(|error| unreadable(&error.to_string()))?;
    let id = told.get("archive_id").and_then(Json::as_str).ok_or_else(|| unreadable("it has no archive_id"))?;
    let records =
        told.get("erasures").and_then(Json::as_array).ok_or_else(|| unreadable("it has no list of erasures"))?;
    let archive = snapshot.archive();
    let known = archive.erasures()?;
    let is_same_archive = id == tabark::hex::encode(&archive.container().header().id);
    let (number, root) = (snapshot.summary().number, tabark::hex::encode(&snapshot.summary().root()));
    for record in records {
        let text = |field| record.get(field).and_then(Json::as_str);
        let salt = text("salt").ok_or_else(|| unreadable("an erasure has no salt"))?;
        let roots =
            record.get("roots").and_then(Json::as_array).ok_or_else(|| unreadable("an erasure has no roots"))?;
        if known.iter().any(|known| tabark::hex::encode(&known.salt) == salt) {
            continue;
        }
        let is_old = roots.iter().any(|of| of.get("root_before").and_then(Json::as_str) == Some(root.as_str()));
        if is_old || is_same_archive {
            let table = visible(text("table").unwrap_or_default()).into_owned();
            let when = text("time").unwrap_or("a time unknown").to_owned();
            let reason = text("reason").filter(|reason| !reason.is_empty());
            let reason = reason.map_or(String::new(), |reason| format!(" ({})", visible(reason)));
            let rows = record.get("rows").and_then(Json::as_u64).unwrap_or_default();
            let why = format!(
                "rows of {table} were erased at {when}{reason}, {} over all snapshots; this copy of the archive is without that \
                 erasure, so snapshot {number} may still hold them",
                count(rows)
            );
            return Err(Error::request(why)
                .with_hint("restore from the archive that they were erased from, or a newer copy of it"));
        }
    }
    Ok(())
}
