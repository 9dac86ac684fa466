//! `tabark list`.

use std::io::Write;

use serde_json::{Value as Json, json};

use super::{Outcome, erasures};
use crate::args::ListArgs;
use crate::exit::Exit;
use crate::pipe::Pipe;
use crate::report::aligned::{Aligned, Side};
use crate::report::json as as_json;
use crate::report::problems::{describe, warn};
use crate::report::text::{pairs, shorten};
use crate::report::units::{count, counted, short_digest, size, time};

/// Columns that tags may take: the rest of a line of a hundred.
const TAGS_WIDTH: usize = 30;

pub(crate) fn run(args: &ListArgs, out: &mut Pipe) -> Outcome {
    let archive = super::open(&args.archive)?;
    let list = archive.list()?;
    let (snapshots, damaged) = (list.snapshots, list.damaged);
    let (erased, erasures_damage) = match archive.erasures() {
        Ok(erased) => (erased, None),
        Err(error) if error.is_io() => return Err(error.into()),
        Err(error) => (Vec::new(), Some(error)),
    };
    let is_intact = damaged.is_empty() && erasures_damage.is_none();
    let exit = if is_intact { Exit::Well } else { Exit::Damaged };
    if args.json {
        let list: Vec<Json> = snapshots.iter().map(|snapshot| Json::Object(as_json::summary(snapshot))).collect();
        let object = json!({
            "archive": args.archive.display().to_string(),
            "archive_id": tabark::hex::encode(&archive.container().header().id),
            "bytes": archive.container().storage_length(),
            "tail_bytes": archive.tail(),
            "snapshots": list,
            "damaged": damaged.iter().chain(&erasures_damage).map(describe).collect::<Vec<_>>(),
            "erasures": erased.iter().map(erasures::brief).collect::<Vec<_>>(),
        });
        as_json::write(out, &object)?;
        return Ok(exit);
    }
    let mut table = Aligned::new(&[
        ("#", Side::Right),
        ("time (UTC)", Side::Left),
        ("tables", Side::Right),
        ("rows", Side::Right),
        ("added", Side::Right),
        ("root", Side::Left),
        ("tags", Side::Left),
    ]);
    for snapshot in &snapshots {
        table.row(vec![
            snapshot.number.to_string(),
            time(snapshot.time),
            count(snapshot.tables),
            count(snapshot.rows),
            size(snapshot.bytes_added),
            short_digest(&snapshot.root()),
            shorten(&pairs(&snapshot.tags), TAGS_WIDTH).into_owned(),
        ]);
    }
    table.write(out)?;
    let number = counted(snapshots.len() as u64, "snapshot");
    writeln!(out, "{number}, {}", size(archive.container().storage_length()))?;
    for record in &erased {
        writeln!(out, "erased {}", erasures::line(record))?;
    }
    if let Some(error) = &erasures_damage {
        warn(&format!("what was erased cannot be listed: {error}"));
    }
    for error in &damaged {
        warn(&format!("a snapshot cannot be listed: {error}"));
    }
    Ok(exit)
}
