//! What columns of PostgreSQL are in SQLite: their types, their defaults, and whether equal values of two are equal cells.

use super::{Enums, place};
use crate::model::{Column, Logical, TableSchema};
use crate::restore::across::postgres_text::{self as text, Value};

/// The type that a column is declared with.
pub(super) fn declared(column: &Column, is_row_id: bool) -> &'static str {
    match column.logical_type() {
        Logical::Boolean => "BOOLEAN",
        Logical::Integer if is_row_id => "INTEGER",
        // As a primary key, a column declared INTEGER would be the row id.
        Logical::Integer => "BIGINT",
        Logical::Real => "REAL",
        Logical::Bytes => "BLOB",
        _ => "TEXT",
    }
}

/// A default that means the same in SQLite.
pub(super) fn default(value: &Value, column: &Column, enums: &Enums) -> Option<String> {
    let is_whole = |number: &str| number.parse::<i64>().is_ok();
    match (value, column.logical_type()) {
        (Value::Boolean(value), Logical::Boolean) => Some(u8::from(*value).to_string()),
        (Value::Number(number), Logical::Integer) if is_whole(number) => Some(number.clone()),
        (Value::Number(number), Logical::Real) if number.parse::<f64>().is_ok_and(f64::is_finite) => {
            column.declared_type.starts_with("double").then(|| number.clone())
        }
        (Value::Number(number), Logical::DecimalText) if crate::model::decimal::is_number(number.as_bytes()) => {
            Some(format!("'{number}'"))
        }
        (Value::Number(number), Logical::Decimal(scale)) if crate::model::decimal::is_number(number.as_bytes()) => {
            let scale = usize::from(scale);
            let (whole, behind) = number.split_once('.').unwrap_or((number, ""));
            match scale {
                0 => behind.is_empty().then(|| format!("'{whole}'")),
                _ => (behind.len() <= scale).then(|| format!("'{whole}.{behind:0<scale$}'")),
            }
        }
        (Value::Text(text), Logical::Text) => {
            // Texts of a fixed length get blanks.
            let is_plain = column.declared_type == "text" || column.declared_type.starts_with("character varying");
            is_plain.then(|| text.clone())
        }
        (Value::Text(text), Logical::Opaque) => {
            let labels = enums.get(&text::type_name(&column.declared_type)?)?;
            labels.contains(text).then(|| text.clone())
        }
        _ => None,
    }
}

/// Are equal values of these columns equal cells, so that SQLite finds what a foreign key refers to?
pub(super) fn same_cells(
    child: &TableSchema,
    columns: &[String],
    parent: &TableSchema,
    parent_columns: &[String],
) -> bool {
    let is_same = |(one, other): (&String, &String)| {
        let (Some(one), Some(other)) = (place(child, one), place(parent, other)) else { return false };
        let (Some(one), Some(other)) = (child.columns.get(one), parent.columns.get(other)) else { return false };
        let types = (one.logical_type(), other.logical_type());
        match types {
            (Logical::DecimalText | Logical::Json | Logical::Interval, _) => false,
            // Blanks at the end, the case of letters: whatever a type does not look at.
            (Logical::Text | Logical::Opaque, _) => {
                one.declared_type == other.declared_type || is_plain_text(one) && is_plain_text(other)
            }
            (one, other) => one == other,
        }
    };
    columns.len() == parent_columns.len() && columns.iter().zip(parent_columns).all(is_same)
}

fn is_plain_text(column: &Column) -> bool {
    column.declared_type == "text" || column.declared_type.starts_with("character varying")
}
