//! Types whose functions users wrote: first a shell that the functions can name, then the type itself.

use std::collections::BTreeMap;

use super::collected::{Collected, Item, numbers};
use super::depend::{Address, class};
use crate::error::Result;
use crate::postgres::client::{Client, TextRow};
use crate::postgres::sql::literal;

/// Reads those of these numbers, each with its name in the archive and in statements.
pub(super) fn read(
    client: &mut Client,
    collected: &mut Collected<'_>,
    types: &BTreeMap<u32, (String, String)>,
) -> Result<()> {
    if types.is_empty() {
        return Ok(());
    }
    let subscript = if collected.version >= 140_000 { "t.typsubscript" } else { "0" };
    let sql = format!(
        "SELECT t.oid, t.typinput::pg_catalog.regproc, t.typoutput::pg_catalog.regproc, t.typreceive::pg_catalog.regproc,
                t.typsend::pg_catalog.regproc, t.typmodin::pg_catalog.regproc, t.typmodout::pg_catalog.regproc,
                t.typanalyze::pg_catalog.regproc, ({subscript})::pg_catalog.oid::pg_catalog.regproc, t.typlen, t.typbyval,
                t.typalign, t.typstorage, t.typcategory, t.typispreferred, t.typdefault,
                CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END, t.typdelim, t.typcollation <> 0,
                t.typinput::pg_catalog.oid, t.typoutput::pg_catalog.oid, t.typreceive::pg_catalog.oid,
                t.typsend::pg_catalog.oid
         FROM {} JOIN pg_catalog.pg_type AS t ON t.oid = chosen.oid",
        numbers(types.keys().copied())
    );
    for row in client.rows(&sql)? {
        let oid: u32 = row.number(0)?;
        let Some((named, own)) = types.get(&oid) else { continue };
        let shell = Address::new(class::SHELL, oid);
        let mut item = Item::new("shell type", shell, named.clone(), format!("CREATE TYPE {own}"));
        item.sources = vec![];
        if let Some(schema) = schema_of(collected, oid) {
            item.needs.push(schema);
        }
        collected.items.push(item);
        for function in 19..23 {
            collected
                .shells
                .insert((Address::new(class::FUNCTION, row.number(function)?), Address::new(class::TYPE, oid)));
        }
        let definition = format!("CREATE TYPE {own} ({})", stated(&row).join(", "));
        let item = Item::new("type", Address::new(class::TYPE, oid), named.clone(), definition);
        collected.items.push(item.needing([shell]));
    }
    Ok(())
}

fn schema_of(collected: &Collected<'_>, oid: u32) -> Option<Address> {
    let needs = collected.depend.needs(Address::new(class::TYPE, oid));
    needs.iter().map(|need| need.on).find(|on| on.class == class::SCHEMA)
}

fn stated(row: &TextRow) -> Vec<String> {
    let mut parts = vec![format!("INPUT = {}", row.text(1)), format!("OUTPUT = {}", row.text(2))];
    let functions =
        [("RECEIVE", 3), ("SEND", 4), ("TYPMOD_IN", 5), ("TYPMOD_OUT", 6), ("ANALYZE", 7), ("SUBSCRIPT", 8)];
    for (name, column) in functions {
        if let Some(function) = row.get(column).filter(|function| *function != "-") {
            parts.push(format!("{name} = {function}"));
        }
    }
    let length = row.text(9);
    parts.push(format!("INTERNALLENGTH = {}", if length.starts_with('-') { "VARIABLE" } else { length }));
    if row.is_true(10) {
        parts.push("PASSEDBYVALUE".to_owned());
    }
    let alignment = match row.text(11) {
        "c" => "char",
        "s" => "int2",
        "d" => "double",
        _ => "int4",
    };
    let storage = match row.text(12) {
        "e" => "external",
        "x" => "extended",
        "m" => "main",
        _ => "plain",
    };
    parts.push(format!("ALIGNMENT = {alignment}, STORAGE = {storage}, CATEGORY = {}", literal(row.text(13))));
    if row.is_true(14) {
        parts.push("PREFERRED = true".to_owned());
    }
    if let Some(default) = row.get(15) {
        parts.push(format!("DEFAULT = {}", literal(default)));
    }
    if let Some(element) = row.get(16) {
        parts.push(format!("ELEMENT = {element}"));
    }
    parts.push(format!("DELIMITER = {}", literal(row.text(17))));
    if row.is_true(18) {
        parts.push("COLLATABLE = true".to_owned());
    }
    parts
}
