//! Which rows of a snapshot refer to which: the tables' definitions are made in a database in memory, and SQLite is asked.

use rusqlite::Connection;

use super::connection::harden;
use super::definitions::{self, Wanted};
use super::failure::failure;
use crate::error::{Error, Result};
use crate::model::{ForeignKey, TableSchema};
use crate::source::sqlite::names::quote;

/// The foreign keys among these tables, by their definitions.
pub(in crate::restore) fn foreign_keys(tables: &[TableSchema]) -> Result<Vec<ForeignKey>> {
    let mut connection =
        Connection::open_in_memory().map_err(|cause| failure("opening a database in memory", cause))?;
    harden(&connection).map_err(|cause| failure("opening a database in memory", cause))?;
    let mut made = Vec::new();
    let mut keys = Vec::new();
    for child in tables.iter().filter(|table| table.definition.to_ascii_lowercase().contains("references")) {
        make(&mut connection, child, &mut made)?;
        for found in recorded(&connection, child)? {
            let Some(parent) = tables.iter().find(|table| table.name.eq_ignore_ascii_case(&found.parent)) else {
                continue;
            };
            make(&mut connection, parent, &mut made)?;
            keys.push(found.among(&connection, child, parent)?);
        }
    }
    Ok(keys)
}

fn make(connection: &mut Connection, table: &TableSchema, made: &mut Vec<String>) -> Result<()> {
    if made.contains(&table.name) {
        return Ok(());
    }
    let TableSchema { name, definition, .. } = table;
    definitions::create(connection, &Wanted { kind: "table", name, table: name, definition })
        .map_err(|error| error.in_table(name.as_str()))?;
    made.push(name.clone());
    Ok(())
}

/// A foreign key as SQLite tells it.
struct Recorded {
    id: i64,
    parent: String,
    from: Vec<String>,
    /// `None` for the parent's primary key.
    to: Vec<Option<String>>,
}

fn recorded(connection: &Connection, child: &TableSchema) -> Result<Vec<Recorded>> {
    let asking = |cause| failure("asking for foreign keys", cause).in_table(child.name.as_str());
    let mut statement =
        connection.prepare(&format!("PRAGMA main.foreign_key_list({})", quote(&child.name))).map_err(asking)?;
    let mut rows = statement.query([]).map_err(asking)?;
    let mut found: Vec<Recorded> = Vec::new();
    // Ordered by number, then by place.
    while let Some(row) = rows.next().map_err(asking)? {
        let (id, parent, from, to) = (|| Ok((row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?)))().map_err(asking)?;
        match found.last_mut().filter(|last| last.id == id) {
            Some(last) => {
                last.from.push(from);
                last.to.push(to);
            }
            None => found.push(Recorded { id, parent, from: vec![from], to: vec![to] }),
        }
    }
    Ok(found)
}

impl Recorded {
    fn among(self, connection: &Connection, child: &TableSchema, parent: &TableSchema) -> Result<ForeignKey> {
        let refuse = |why: String| Error::database(why).in_table(child.name.as_str());
        let named: Option<Vec<String>> = self.to.into_iter().collect();
        let to = match named {
            Some(named) => named,
            None => primary_key(connection, parent)?,
        };
        if to.len() != self.from.len() {
            return Err(refuse(format!(
                "a foreign key refers to \"{}\", whose primary key has other columns",
                parent.name
            )));
        }
        let stored = |table: &TableSchema, names: Vec<String>| {
            let place = |name: String| {
                let column = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&name));
                column.map(|column| column.name.clone()).ok_or_else(|| {
                    refuse(format!(
                        "a foreign key goes by column \"{name}\" of \"{}\", which is not stored",
                        table.name
                    ))
                })
            };
            names.into_iter().map(place).collect::<Result<Vec<String>>>()
        };
        let child_columns = stored(child, self.from)?;
        let parent_columns = stored(parent, to)?;
        let collations = collations(connection, parent, &parent_columns)?;
        Ok(ForeignKey {
            child: child.name.clone(),
            child_columns,
            parent: parent.name.clone(),
            parent_columns,
            collations,
        })
    }
}

/// Names of the columns of a primary key, in its order.
fn primary_key(connection: &Connection, table: &TableSchema) -> Result<Vec<String>> {
    strings(connection, table, "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk", &table.name)
}

/// How texts of columns are compared where nothing else is said: as an index over them compares them.
fn collations(connection: &Connection, table: &TableSchema, columns: &[String]) -> Result<Vec<String>> {
    const INDEX: &str = "tabark collations";
    let doing = |cause| failure("asking for collations", cause).in_table(table.name.as_str());
    let columns: Vec<String> = columns.iter().map(|column| quote(column)).collect();
    let (table_name, columns) = (quote(&table.name), columns.join(", "));
    connection.execute_batch(&format!("CREATE INDEX \"{INDEX}\" ON {table_name} ({columns})")).map_err(doing)?;
    let found = strings(connection, table, "SELECT coll FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno", INDEX);
    connection.execute_batch(&format!("DROP INDEX \"{INDEX}\"")).map_err(doing)?;
    found
}

fn strings(connection: &Connection, table: &TableSchema, query: &str, of: &str) -> Result<Vec<String>> {
    connection
        .prepare(query)
        .and_then(|mut statement| statement.query_map([of], |row| row.get(0)).and_then(Iterator::collect))
        .map_err(|cause| failure("asking for columns", cause).in_table(table.name.as_str()))
}
