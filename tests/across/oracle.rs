//! What `psql` says that a PostgreSQL database holds and what SQLite says that its copy holds, in one form.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::postgres::Database;

const PINNED: &str = "SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET extra_float_digits = 3; \
                      SET bytea_output = 'hex'; SET search_path = ''; SET client_min_messages = warning;";

/// Ordinary tables, none of which an extension made, with the names that they have in SQLite, and their columns: name and type.
pub(crate) fn tables(database: &Database<'_>) -> BTreeMap<(String, String), Vec<(String, String)>> {
    let told = database.psql(&format!(
        "{PINNED} SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, NULL), t.typtype
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
         JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
         WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND \
         d.objid = c.oid AND d.deptype = 'e') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
         AND c.relname !~ '[|\n]' AND a.attname !~ '[|\n]'
         ORDER BY 1, 2, a.attnum"
    ));
    let mut found: BTreeMap<(String, String), Vec<(String, String)>> = BTreeMap::new();
    for line in told.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let [schema, table, column, of_type, _] = fields.as_slice() else { continue };
        found
            .entry(((*schema).to_owned(), (*table).to_owned()))
            .or_default()
            .push(((*column).to_owned(), (*of_type).to_owned()));
    }
    found
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All rows of a table by `psql`, sorted.
pub(crate) fn of_postgres(
    database: &Database<'_>,
    (schema, table): &(String, String),
    columns: &[(String, String)],
) -> Vec<String> {
    let fields: Vec<String> = columns
        .iter()
        .map(|(name, _)| {
            let name = quote(name);
            format!("coalesce(encode(convert_to(format('%s', {name}), 'UTF8'), 'hex') || '.', '-') || CASE WHEN {name} IS NULL AND \
                     format('%s', {name}) = '' THEN 'null' ELSE '' END")
        })
        .collect();
    let told = database.psql(&format!(
        "{PINNED} SET search_path = pg_catalog; SELECT {} FROM ONLY {}.{}",
        fields.join(" || ',' || "),
        quote(schema),
        quote(table)
    ));
    let mut rows: Vec<String> = told
        .lines()
        .map(|line| {
            let fields = line.split(',').zip(columns).map(|(field, (_, of_type))| {
                if field.ends_with("null") {
                    return "NULL".to_owned();
                }
                let text = hex::decode(field.trim_end_matches('.'));
                normal(&String::from_utf8(text).unwrap(), of_type)
            });
            fields.collect::<Vec<_>>().join("|")
        })
        .collect();
    rows.sort();
    rows
}

/// All rows of a table by SQLite, sorted.
pub(crate) fn of_sqlite(connection: &Connection, name: &str, columns: &[(String, String)]) -> Vec<String> {
    let names: Vec<String> = columns.iter().map(|(name, _)| quote(name)).collect();
    let mut statement = connection.prepare(&format!("SELECT {} FROM {}", names.join(", "), quote(name))).unwrap();
    let mut rows: Vec<String> = statement
        .query_map([], |row| {
            let values = columns.iter().enumerate().map(|(at, (_, of_type))| match row.get_ref(at).unwrap() {
                ValueRef::Null => "NULL".to_owned(),
                ValueRef::Integer(value) if of_type == "boolean" => if value == 1 { "t" } else { "f" }.to_owned(),
                ValueRef::Integer(value) => normal(&value.to_string(), of_type),
                ValueRef::Real(value) => format!("{value:?}"),
                ValueRef::Text(text) => {
                    let text = String::from_utf8(text.to_vec()).unwrap();
                    let zoned = of_type == "timestamp with time zone";
                    normal(&if zoned { text.replacen("+00:00", "+00", 1) } else { text }, of_type)
                }
                ValueRef::Blob(bytes) => format!("\\x{}", hex::encode(bytes)),
            });
            Ok(values.collect::<Vec<_>>().join("|"))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    rows.sort();
    rows
}

/// A value as one text, whoever wrote it.
fn normal(text: &str, of_type: &str) -> String {
    match of_type {
        "double precision" => format!("{:?}", text.parse::<f64>().unwrap()),
        // Its value, widened.
        "real" => format!("{:?}", f64::from(text.parse::<f32>().unwrap())),
        // SQLite has cents.
        "money" => {
            let digits: String = text.chars().filter(|c| c.is_ascii_digit()).collect();
            let sign = if text.starts_with('-') { "-" } else { "" };
            format!("{sign}{}", digits.trim_start_matches('0'))
        }
        _ => text.to_owned(),
    }
}

mod hex {
    pub(super) fn decode(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    pub(super) fn encode(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
