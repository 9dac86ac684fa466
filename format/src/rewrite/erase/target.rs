//! The table that rows are chosen in, and the columns that choose them: the same ones in every snapshot.

use super::EraseRequest;
use super::choice::Choice;
use super::comparison::Comparison;
use crate::error::{Error, Result};
use crate::model::{Cell, TableSchema, Value, roles};

/// Names of the columns that choose the rows. `earlier` are those of snapshots that were looked at before.
pub(super) fn columns(
    request: &EraseRequest<'_>,
    number: u64,
    schema: &TableSchema,
    earlier: Option<&[String]>,
) -> Result<Vec<String>> {
    let refuse = |why: String| Err(Error::request(why).in_table(&schema.name));
    if schema.role != roles::TABLE {
        let kept = "rows are erased from tables; this one belongs to another object, or to the database itself";
        return refuse(kept.to_owned());
    }
    let by = "name the columns to choose rows by with --column";
    if !request.columns.is_empty() {
        let has = |name: &String| schema.columns.iter().any(|column| column.name == *name);
        return match request.columns.iter().find(|name| !has(name)) {
            None => Ok(request.columns.clone()),
            Some(name) => {
                refuse(format!("snapshot {number} stores no column \"{name}\" of the table")).map_err(|error| {
                    error.with_hint(format!(
                        "rows are found by what each snapshot stores. Choose other columns, or drop snapshot {number}"
                    ))
                })
            }
        };
    }
    let parts = schema.key.iter().filter_map(|part| schema.columns.get(part.column as usize));
    let columns: Vec<String> = parts.clone().map(|column| column.name.clone()).collect();
    if columns.is_empty() || parts.into_iter().any(|column| column.hidden) {
        return refuse("the table has no key but row ids, which nobody knows it by".to_owned())
            .map_err(|error| error.with_hint(by));
    }
    match earlier {
        Some(earlier) if *earlier != columns => {
            let (now, then) = (columns.join(", "), earlier.join(", "));
            refuse(format!("the table's key is ({now}) in snapshot {number}, and ({then}) before it"))
                .map_err(|error| error.with_hint(by))
        }
        _ => Ok(columns),
    }
}

/// Chooses the rows that the request names.
pub(super) fn choice(request: &EraseRequest<'_>, columns: &[String], schema: &TableSchema) -> Result<Choice> {
    let mut places = Vec::with_capacity(columns.len());
    for name in columns {
        let column = schema.columns.iter().position(|column| column.name == *name);
        let Some(place) = column.and_then(|column| Some((column, Comparison::of(schema, column, None)?))) else {
            let why = format!("values of column \"{name}\" are compared in a way that only their source knows");
            return Err(Error::request(why).in_table(&schema.name));
        };
        places.push(place);
    }
    let mut choice = Choice::new(places.clone());
    for key in &request.keys {
        if key.len() != places.len() {
            let why =
                format!("a key of {} values; rows are chosen by {}: {}", key.len(), places.len(), columns.join(", "));
            return Err(Error::request(why).in_table(&schema.name));
        }
        let readings: Vec<Vec<Value>> =
            key.iter().zip(&places).map(|(value, (_, comparison))| value.readings(*comparison)).collect();
        add_all(&mut choice, &readings, &mut Vec::new());
    }
    Ok(choice)
}

/// Adds every combination of what the values may be.
fn add_all<'v>(choice: &mut Choice, readings: &'v [Vec<Value>], so_far: &mut Vec<Cell<'v>>) {
    match readings.split_first() {
        None => {
            choice.add(so_far);
        }
        Some((values, rest)) => {
            for value in values {
                so_far.push(value.as_cell());
                add_all(choice, rest, so_far);
                so_far.pop();
            }
        }
    }
}
