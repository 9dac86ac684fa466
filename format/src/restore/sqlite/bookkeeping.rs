//! SQLite's own tables: the highest row ids that were given out (`sqlite_sequence`) and what ANALYZE found
//! (`sqlite_stat1`, `sqlite_stat4`). SQLite makes them; only their rows are the snapshot's.

use rusqlite::Connection;

use super::chosen::{Chosen, contradiction};
use super::failure::failure;
use super::proof;
use super::rows::{Encodings, Insert};
use crate::archive::{Fingerprinter, Table};
use crate::error::{Error, Result};
use crate::model::{Cell, Value};
use crate::observer::Observer;
use crate::restore::proof::{Watched, not_the_snapshots};
use crate::source::Source;
use crate::source::sqlite::SqliteSource;
use crate::source::sqlite::names::quote;

const SEQUENCE: &str = "sqlite_sequence";

/// Where ANALYZE puts what it finds.
const STATISTICS: [&str; 2] = ["sqlite_stat1", "sqlite_stat4"];

/// Writes the rows of SQLite's own tables: all of them if `whole`, else those about the restored tables, in place of what
/// the target has about these, and proves them. A table that cannot be made here is named in `warnings`.
pub(super) fn restore(
    connection: &Connection,
    chosen: &Chosen<'_>,
    whole: bool,
    encodings: Encodings,
    warnings: &mut Vec<String>,
    observer: &dyn Observer,
) -> Result<()> {
    forget_sequences(connection, chosen)?;
    let mut unwanted = Vec::new();
    for name in STATISTICS {
        if !exists(connection, name)? {
            unwanted.push(name);
        }
    }
    for table in &chosen.bookkeeping {
        let name = &table.schema().name;
        let about = if whole { None } else { Some(rows_about(table, chosen)?) };
        if about.as_ref().is_some_and(Vec::is_empty)
            && (unwanted.contains(&name.as_str()) || !exists(connection, name)?)
        {
            continue;
        }
        if !make(connection, name)? {
            warnings.push(format!("{name} cannot be made by this SQLite; ANALYZE makes what it can"));
            continue;
        }
        unwanted.retain(|unwanted| unwanted != name);
        check_columns(connection, table)?;
        match about {
            None => write_whole(connection, table, encodings, observer)?,
            Some(rows) => write_about(connection, table, chosen, &rows)?,
        }
    }
    // SQLite makes them together, also where there is nothing to be put into one of them.
    for name in unwanted {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS main.{name}")).map_err(writing)?;
    }
    Ok(())
}

/// Writing rows with their row ids makes SQLite count; what it counted gives way to what the snapshot has.
fn forget_sequences(connection: &Connection, chosen: &Chosen<'_>) -> Result<()> {
    if !exists(connection, SEQUENCE)? {
        return Ok(());
    }
    for table in chosen.tables.iter().filter(|table| table.schema().option("autoincrement").is_some()) {
        let sql = "DELETE FROM main.sqlite_sequence WHERE name = ?1";
        connection.execute(sql, [&table.schema().name]).map_err(writing)?;
    }
    Ok(())
}

/// Has SQLite make one of its tables, if it can.
fn make(connection: &Connection, name: &str) -> Result<bool> {
    if exists(connection, name)? {
        return Ok(true);
    }
    if name == SEQUENCE {
        // It stays when the last table that counts has gone.
        let free = (0..u32::MAX).map(|number| format!("counting {number}"));
        for free in free {
            if !exists(connection, &free)? {
                let sql = format!(
                    "CREATE TABLE main.{0}(id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE main.{0}",
                    quote(&free)
                );
                connection.execute_batch(&sql).map_err(writing)?;
                break;
            }
        }
    } else {
        // Makes the tables for its findings, and finds nothing: the schema itself is not looked at.
        connection.execute_batch("ANALYZE main.sqlite_master").map_err(writing)?;
    }
    exists(connection, name)
}

fn exists(connection: &Connection, name: &str) -> Result<bool> {
    connection
        .prepare("SELECT 1 FROM main.sqlite_master WHERE name = ?1 COLLATE NOCASE")
        .and_then(|mut statement| statement.exists([name]))
        .map_err(writing)
}

fn check_columns(connection: &Connection, table: &Table<'_>) -> Result<()> {
    let source = SqliteSource::over(connection)?;
    let made = proof::find(source.catalog(), &table.schema().name)?;
    if made.columns == table.schema().columns {
        return Ok(());
    }
    Err(contradiction("a table of SQLite's own that has other columns than SQLite gives it".to_owned())
        .in_table(&made.name))
}

/// All rows, with their row ids.
fn write_whole(
    connection: &Connection,
    table: &Table<'_>,
    encodings: Encodings,
    observer: &dyn Observer,
) -> Result<()> {
    let schema = table.schema();
    connection.execute(&format!("DELETE FROM main.{}", quote(&schema.name)), []).map_err(writing)?;
    let columns: Vec<usize> = (0..schema.columns.len()).collect();
    let insert = Insert { table, columns: &columns, row_ids: None, encodings, keeps: &|_| true };
    insert.run(connection, observer, |_| Ok(()))?;
    let source = SqliteSource::over(connection)?;
    let mut fingerprinter = Fingerprinter::new(schema);
    let made = proof::find(source.catalog(), &schema.name)?;
    source.read_table(made, &mut Watched::new(observer, &mut fingerprinter))?;
    if fingerprinter.finish().table == table.manifest().fingerprint {
        return Ok(());
    }
    Err(not_the_snapshots(&schema.name))
}

/// The rows about restored tables, without their row ids. They are few: some per index.
fn rows_about(table: &Table<'_>, chosen: &Chosen<'_>) -> Result<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    for group in table.scan(&visible(table)) {
        group?.for_each_row(|row| {
            if let Some(Cell::Text(name)) = row.first()
                && chosen.tables.iter().any(|table| table.schema().name.as_bytes() == *name)
            {
                rows.push(row.iter().map(Value::of).collect());
            }
            Ok(())
        })?;
    }
    Ok(rows)
}

/// Writes these rows in place of what the target has about the restored tables.
fn write_about(connection: &Connection, table: &Table<'_>, chosen: &Chosen<'_>, wanted: &[Vec<Value>]) -> Result<()> {
    let schema = table.schema();
    let visible = visible(table);
    let about: Vec<&str> = chosen.tables.iter().map(|table| table.schema().name.as_str()).collect();
    let named = |index: &usize| schema.columns.get(*index).map(|column| quote(&column.name));
    let owner = visible.first().and_then(named).unwrap_or_default();
    let mut remove =
        connection.prepare(&format!("DELETE FROM main.{} WHERE {owner} = ?1", quote(&schema.name))).map_err(writing)?;
    for name in &about {
        remove.execute([name]).map_err(writing)?;
    }
    let places: Vec<String> = (1..=visible.len()).map(|index| format!("?{index}")).collect();
    let names: Vec<String> = visible.iter().filter_map(named).collect();
    let sql = format!("INSERT INTO main.{}({}) VALUES ({})", quote(&schema.name), names.join(", "), places.join(", "));
    let mut insert = connection.prepare(&sql).map_err(writing)?;
    for row in wanted {
        for (index, value) in (1..).zip(row) {
            insert.raw_bind_parameter(index, sqlite_value(value)?).map_err(writing)?;
        }
        insert.raw_execute().map_err(writing)?;
    }
    let source = SqliteSource::over(connection)?;
    let mut found = Vec::new();
    let made = proof::find(source.catalog(), &schema.name)?;
    source.read_internal(made, &about, &mut |row: &[Cell<'_>]| {
        found.push(visible.iter().filter_map(|index| row.get(*index)).map(Value::of).collect::<Vec<_>>());
        Ok(())
    })?;
    if found == wanted { Ok(()) } else { Err(not_the_snapshots(&schema.name)) }
}

/// After rows were added: the next row id that is given out follows the higher of the target's and the snapshot's last.
pub(super) fn raise_sequences(connection: &Connection, chosen: &Chosen<'_>) -> Result<()> {
    let Some(table) = chosen.bookkeeping.iter().find(|table| table.schema().name == SEQUENCE) else { return Ok(()) };
    if !exists(connection, SEQUENCE)? {
        return Ok(());
    }
    let visible = visible(table);
    let mut raise = connection
        .prepare("UPDATE main.sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1 COLLATE NOCASE")
        .map_err(writing)?;
    for group in table.scan(&visible) {
        group?.for_each_row(|row| {
            if let [Cell::Text(name), Cell::Integer(last)] = row
                && let Ok(name) = std::str::from_utf8(name)
                && chosen.has_table(name)
            {
                raise.execute((name, last)).map_err(writing)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Indexes of the columns that are not hidden.
fn visible(table: &Table<'_>) -> Vec<usize> {
    let columns = table.schema().columns.iter().enumerate();
    columns.filter(|(_, column)| !column.hidden).map(|(index, _)| index).collect()
}

fn sqlite_value(value: &Value) -> Result<rusqlite::types::Value> {
    Ok(match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(value) => rusqlite::types::Value::Integer(*value),
        Value::Real(value) => rusqlite::types::Value::Real(*value),
        Value::Text(bytes) => match String::from_utf8(bytes.clone()) {
            Ok(text) => rusqlite::types::Value::Text(text),
            Err(_) => return Err(contradiction("a text that is not UTF-8".to_owned())),
        },
        Value::Bytes(bytes) => rusqlite::types::Value::Blob(bytes.clone()),
        Value::RawText(_) => {
            return Err(Error::database("a text of SQLite's own that is not valid cannot be restored"));
        }
    })
}

fn writing(cause: rusqlite::Error) -> Error {
    failure("writing SQLite's own tables", cause)
}
