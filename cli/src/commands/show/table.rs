//! All about one table, from its manifest.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};
use tabark::Encoding;
use tabark::archive::{ColumnSummary, Table};
use tabark::model::{Column, Logical, TableSchema};

use crate::report::aligned::{Aligned, Side};
use crate::report::filters;
use crate::report::json as as_json;
use crate::report::text::{self, name, pairs, visible, visible_lines};
use crate::report::units::{count, counted, ratio, size};

const NAME_WIDTH: usize = 24;
const TYPE_WIDTH: usize = 12;
const BOUND_WIDTH: usize = 12;

/// For people.
pub(super) fn print(table: &Table<'_>, out: &mut dyn Write) -> io::Result<()> {
    let manifest = table.manifest();
    let schema = table.schema();
    let groups: u64 = manifest.pages.iter().map(|page| page.groups).sum();
    writeln!(out, "{} {}", visible(&schema.role), visible(&schema.name))?;
    let mut facts = Aligned::headless(&[Side::Left, Side::Left]).indented(2);
    let mut fact = |what: &str, text: String| facts.row(vec![what.to_owned(), text]);
    fact("rows", format!("{} in {}", count(manifest.rows), counted(groups, "row group")));
    if !manifest.filters.is_empty() {
        fact("partial", filters::described(&manifest.filters));
    }
    let (raw, stored) = (manifest.logical_bytes, manifest.stored_bytes);
    fact("size", format!("{} raw, {} stored ({})", size(raw), size(stored), ratio(raw, stored)));
    fact("key", if schema.key.is_empty() { "none: the source's own order".to_owned() } else { key(schema) });
    if !schema.options.is_empty() {
        fact("options", pairs(&schema.options));
    }
    if !schema.generated.is_empty() {
        let names: Vec<_> = schema.generated.iter().map(|name| visible(name)).collect();
        fact("computed, not stored", names.join(", "));
    }
    fact("fingerprint", tabark::hex::encode(&manifest.fingerprint));
    facts.write(out)?;
    print_columns(table, out)?;
    for object in &schema.attached {
        writeln!(out, "  {} {}", visible(&object.kind), visible(&object.name))?;
    }
    for line in visible_lines(&schema.definition).lines() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn print_columns(table: &Table<'_>, out: &mut dyn Write) -> io::Result<()> {
    // What cells stand for is told where they do not all stand for themselves.
    let are_typed = table.schema().columns.iter().any(|column| column.logical_type() != Logical::Any);
    let mut titles = vec![
        ("column", Side::Left),
        ("type", Side::Left),
        ("nulls", Side::Right),
        ("raw", Side::Right),
        ("stored", Side::Right),
        ("ratio", Side::Right),
        ("encodings", Side::Left),
        ("range", Side::Left),
    ];
    if are_typed {
        titles.insert(2, ("cells", Side::Left));
    }
    let mut aligned = Aligned::new(&titles).indented(2);
    for (column, summary) in table.schema().columns.iter().zip(&table.manifest().columns) {
        let hidden = if column.hidden { " (hidden)" } else { "" };
        let mut row = vec![
            name(&format!("{}{hidden}", column.name), NAME_WIDTH),
            name(&column.declared_type, TYPE_WIDTH),
            count(summary.nulls),
            size(summary.logical_bytes),
            size(summary.stored_bytes),
            ratio(summary.logical_bytes, summary.stored_bytes),
            encodings(summary),
            range(column, summary),
        ];
        if are_typed {
            row.insert(2, column.logical_type().to_string());
        }
        aligned.row(row);
    }
    aligned.write(out)
}

fn encoding_name(number: u8) -> String {
    Encoding::from_number(number).map_or_else(|| format!("encoding {number}"), |known| known.name().to_owned())
}

fn encodings(summary: &ColumnSummary) -> String {
    let each: Vec<String> = match summary.encodings.as_slice() {
        [(only, _)] => vec![encoding_name(*only)],
        several => several.iter().map(|(number, blocks)| format!("{} {blocks}", encoding_name(*number))).collect(),
    };
    each.join(", ")
}

fn range(column: &Column, summary: &ColumnSummary) -> String {
    let bound = |bound| text::bound(bound, column.logical_type(), BOUND_WIDTH);
    match (&summary.minimum, &summary.maximum) {
        (Some(low), Some(high)) => format!("{} .. {}", bound(low), bound(high)),
        _ => String::new(),
    }
}

/// The key's columns with what is not the rule about them.
pub(super) fn key(schema: &TableSchema) -> String {
    let parts: Vec<String> = schema
        .key
        .iter()
        .map(|part| {
            let column = column(schema, part.column).map_or("?", |column| &column.name);
            let collation = if part.collation == "BINARY" { String::new() } else { format!(" {}", part.collation) };
            let direction = if part.descending { " descending" } else { "" };
            visible(&format!("{column}{collation}{direction}")).into_owned()
        })
        .collect();
    parts.join(", ")
}

fn column(schema: &TableSchema, index: u32) -> Option<&Column> {
    schema.columns.get(index as usize)
}

/// For programs.
pub(super) fn object(table: &Table<'_>, details: bool) -> Json {
    let manifest = table.manifest();
    let schema = table.schema();
    let key: Vec<Json> = schema
        .key
        .iter()
        .map(|part| {
            json!({
                "column": column(schema, part.column).map(|column| &column.name),
                "descending": part.descending,
                "collation": part.collation,
            })
        })
        .collect();
    let mut object = Map::new();
    let mut put = |field: &str, value: Json| object.insert(field.to_owned(), value);
    put("name", json!(schema.name));
    put("role", json!(schema.role));
    put("rows", json!(manifest.rows));
    put("filters", filters::objects(&manifest.filters));
    put("row_groups", json!(manifest.pages.iter().map(|page| page.groups).sum::<u64>()));
    put("column_count", json!(schema.columns.len()));
    put("logical_bytes", json!(manifest.logical_bytes));
    put("stored_bytes", json!(manifest.stored_bytes));
    put("key", json!(key));
    put("fingerprint", as_json::digest(&manifest.fingerprint));
    if details {
        let columns = schema.columns.iter().zip(&manifest.columns);
        put("columns", columns.map(|(column, summary)| column_object(column, summary)).collect());
        put("generated", json!(schema.generated));
        put("options", as_json::pairs(&schema.options));
        put("attached", schema.attached.iter().map(as_json::schema_object).collect());
        put("definition", json!(schema.definition));
    }
    Json::Object(object)
}

fn column_object(column: &Column, summary: &ColumnSummary) -> Json {
    let encodings: Vec<Json> = summary
        .encodings
        .iter()
        .map(|(number, blocks)| json!({ "encoding": encoding_name(*number), "blocks": blocks }))
        .collect();
    json!({
        "name": column.name,
        "declared_type": column.declared_type,
        "logical": column.logical_type().to_string(),
        "nullable": column.nullable,
        "hidden": column.hidden,
        "nulls": summary.nulls,
        "logical_bytes": summary.logical_bytes,
        "stored_bytes": summary.stored_bytes,
        "encodings": encodings,
        "minimum": as_json::bound(summary.minimum.as_ref(), column.logical_type()),
        "maximum": as_json::bound(summary.maximum.as_ref(), column.logical_type()),
        "fingerprint": as_json::digest(&summary.fingerprint),
    })
}
