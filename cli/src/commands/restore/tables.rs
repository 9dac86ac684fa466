//! What is said of tables that will be restored and of those that were, into whichever database.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};
use tabark::archive::Snapshot;
use tabark::model::{Expire, Filter};
use tabark::restore::{PlannedTable, RestoredTable, TableAction};

use crate::report::aligned::{Aligned, Side};
use crate::report::text::name;
use crate::report::units::{count, counted, size, time};
use crate::report::{filters, json as as_json};

pub(super) const NAME_WIDTH: usize = 40;

/// Where the tables come from.
pub(super) fn from(snapshot: &Snapshot<'_>) -> String {
    format!("snapshot {} ({})", snapshot.summary().number, time(snapshot.summary().time))
}

/// The same, for programs.
pub(super) fn snapshot_object(snapshot: &Snapshot<'_>) -> Map<String, Json> {
    let mut object = Map::new();
    object.insert("number".into(), json!(snapshot.summary().number));
    as_json::put_time(&mut object, snapshot.summary().time);
    object.insert("root".into(), as_json::digest(&snapshot.summary().root()));
    object
}

pub(super) fn print_planned(tables: &[PlannedTable], out: &mut dyn Write) -> io::Result<()> {
    let mut aligned =
        Aligned::new(&[("table", Side::Left), ("rows", Side::Right), ("stored", Side::Right), ("action", Side::Left)])
            .indented(2);
    for table in tables {
        let action = action(table.action).to_owned();
        aligned.row(vec![name(&table.name, NAME_WIDTH), count(table.rows), size(table.stored_bytes), action]);
    }
    aligned.write(out)?;
    tables.iter().try_for_each(|table| print_rules(&table.name, &table.filters, &table.expire, out))
}

/// `verdict` says what is known of a table.
pub(super) fn print_restored(
    tables: &[RestoredTable],
    verdict: impl Fn(&RestoredTable) -> &'static str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut aligned = Aligned::headless(&[Side::Left, Side::Right, Side::Left, Side::Left]).indented(2);
    for table in tables {
        let fingerprint = tabark::hex::encode(&table.fingerprint).chars().take(12).collect();
        let verdict = verdict(table).to_owned();
        aligned.row(vec![name(&table.name, NAME_WIDTH), counted(table.rows, "row"), verdict, fingerprint]);
    }
    aligned.write(out)?;
    for table in tables {
        print_rules(&table.name, &table.filters, &table.expire, out)?;
        if !table.expire.is_empty() {
            writeln!(out, "  {}", filters::counts(table.expired, table.without_time))?;
        }
    }
    Ok(())
}

/// Whether the rows were read back and found to be the snapshot's.
pub(super) fn proof(table: &RestoredTable) -> &'static str {
    if table.proved { "proved" } else { "NOT PROVED" }
}

/// The last line of a report.
pub(super) fn print_proof(tables: &[RestoredTable], out: &mut dyn Write) -> io::Result<()> {
    let all = tables.len();
    let proved = tables.iter().filter(|table| table.proved).count();
    let (noun, verb) = if all == 1 { ("table", "equals") } else { ("tables", "equal") };
    let less = if tables.iter().any(|table| table.expired > 0) { ", less the rows that are too old" } else { "" };
    writeln!(out, "proved: {proved} of {all} {noun} {verb} the snapshot{less}")
}

/// What makes a table less than the source's was: rules of the dump, and of this restore.
fn print_rules(table: &str, filters: &[Filter], expire: &[Expire], out: &mut dyn Write) -> io::Result<()> {
    let table = name(table, NAME_WIDTH);
    if !filters.is_empty() {
        writeln!(out, "partial in the snapshot: {table}: {}", filters::described(filters))?;
    }
    expire.iter().try_for_each(|rule| writeln!(out, "partial: {table}: {}", filters::expired(rule)))
}

fn action(action: TableAction) -> &'static str {
    match action {
        TableAction::CreateTable => "create",
        TableAction::ReplaceTable => "replace",
        TableAction::AppendTo => "append",
    }
}

pub(super) fn planned_object(table: &PlannedTable) -> Json {
    json!({
        "name": table.name,
        "role": table.role,
        "rows": table.rows,
        "stored_bytes": table.stored_bytes,
        "filters": filters::objects(&table.filters),
        "expire": filters::expire_objects(&table.expire),
        "action": action(table.action),
    })
}

pub(super) fn restored_object(table: &RestoredTable) -> Json {
    json!({
        "name": table.name,
        "rows": table.rows,
        "fingerprint": as_json::digest(&table.fingerprint),
        "filters": filters::objects(&table.filters),
        "expire": filters::expire_objects(&table.expire),
        "expired": table.expired,
        "without_time": table.without_time,
        "proved": table.proved,
    })
}
