//! JSON for programs. `spec/cli.md` promises the names of the fields.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};
use tabark::archive::SnapshotSummary;
use tabark::model::{Bound, Logical, Omission, SchemaObject, Value};

use super::units::rfc3339;

/// Writes one object on one line.
pub(crate) fn write(out: &mut dyn Write, object: &Json) -> io::Result<()> {
    writeln!(out, "{object}")
}

/// Keys and values that are unique by key.
pub(crate) fn pairs(pairs: &[(String, String)]) -> Json {
    Json::Object(pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect())
}

/// A digest in hex.
pub(crate) fn digest(digest: &[u8; 32]) -> Json {
    Json::String(tabark::hex::encode(digest))
}

/// Adds `time` and `time_micros`.
pub(crate) fn put_time(object: &mut Map<String, Json>, micros: i64) {
    object.insert("time".into(), json!(rfc3339(micros)));
    object.insert("time_micros".into(), json!(micros));
}

/// What a list says of a snapshot.
pub(crate) fn summary(summary: &SnapshotSummary) -> Map<String, Json> {
    let mut object = Map::new();
    object.insert("number".into(), json!(summary.number));
    put_time(&mut object, summary.time);
    object.insert("tags".into(), pairs(&summary.tags));
    object.insert("tables".into(), json!(summary.tables));
    object.insert("rows".into(), json!(summary.rows));
    object.insert("bytes_added".into(), json!(summary.bytes_added));
    object.insert("root".into(), digest(&summary.root()));
    object
}

/// An object of the schema.
pub(crate) fn schema_object(object: &SchemaObject) -> Json {
    let SchemaObject { kind, name, table, definition, .. } = object;
    json!({ "kind": kind, "name": name, "table": table, "definition": definition })
}

/// What a snapshot has not.
pub(crate) fn omissions(omitted: &[Omission]) -> Json {
    omitted.iter().map(|Omission { what, reason }| json!({ "what": what, "reason": reason })).collect()
}

/// A bound of a column of this type: its value as in JSON lines (a decimal in quotes), and whether that is all of it.
pub(crate) fn bound(bound: Option<&Bound>, logical: Logical) -> Json {
    let Some(Bound { value, exact }) = bound else { return Json::Null };
    json!({ "value": value_of(value, logical), "exact": exact })
}

fn value_of(value: &Value, logical: Logical) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(value) => match (logical, value) {
            (Logical::Any | Logical::Integer, _) => json!(value),
            (Logical::Boolean, 0 | 1) => json!(*value == 1),
            _ => json!(tabark::export::integer_text(*value, logical)),
        },
        Value::Real(value) if value.is_finite() => json!(value),
        // A bound is never a NaN.
        Value::Real(value) => json!({ "real": if *value > 0.0 { "inf" } else { "-inf" } }),
        // A bound may end in the middle of a character; the whole ones are shown.
        Value::Text(bytes) => json!(bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())),
        Value::Bytes(bytes) => json!({ "bytes": tabark::hex::encode(bytes) }),
        Value::RawText(bytes) => json!({ "rawtext": tabark::hex::encode(bytes) }),
    }
}
