//! Virtual tables: their declarations are entered into the schema as they are, and not run, so that a module that is not
//! here does not matter and none makes or fills its storage. Their content is in shadow tables, which are restored as tables.
//!
//! Modules that are compiled into SQLite do run a little: listing the tables (`PRAGMA table_list`) makes SQLite connect to
//! them to learn the columns, and they may read their shadow tables for it. A module that fails then is not listened to.

use rusqlite::Connection;

use super::chosen::contradiction;
use super::definitions::{self, Wanted};
use super::failure::failure;
use crate::error::Result;
use crate::model::SchemaObject;

/// Enters the declarations and has SQLite read its schema anew, which tells whether the database can be opened with them.
pub(super) fn declare(connection: &mut Connection, virtual_tables: &[SchemaObject]) -> Result<()> {
    if virtual_tables.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = virtual_tables.iter().map(|object| object.name.as_str()).collect();
    let declaring = |cause| failure(format_args!("declaring virtual tables {}", names.join(", ")), cause);
    if let Some(name) = names.iter().find(|name| name.get(..7).is_some_and(|n| n.eq_ignore_ascii_case("sqlite_"))) {
        return Err(contradiction(format!("\"{name}\" is said to be a virtual table")));
    }
    for object in virtual_tables {
        // The schema takes any text, and SQLite reads the first statement of it each time the database is opened.
        let SchemaObject { kind, name, definition, .. } = object;
        definitions::compile(connection, &Wanted { kind, name, table: name, definition })?;
    }
    let connection = &*connection;
    with_writable_schema(connection, |connection| {
        let mut taken = connection.prepare("SELECT 1 FROM main.sqlite_master WHERE name = ?1 COLLATE NOCASE")?;
        let mut enter = connection.prepare(
            "INSERT INTO main.sqlite_master(type, name, tbl_name, rootpage, sql) VALUES ('table', ?1, ?1, 0, ?2)",
        )?;
        for object in virtual_tables {
            if taken.exists([&object.name])? {
                return Ok(Some(object.name.clone()));
            }
            enter.execute([&object.name, &object.definition])?;
        }
        Ok(None)
    })
    .map_err(declaring)?
    .map_or(Ok(()), |name| Err(contradiction(format!("there are two of the name \"{name}\""))))?;
    // Reads the schema. A declaration that SQLite cannot read makes every statement fail.
    let mut listed = connection.prepare("PRAGMA main.table_list").map_err(declaring)?;
    let found = listed
        .query_map([], |row| Ok((row.get::<_, String>(1)?, row.get::<_, String>(2)?)))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<(String, String)>>>)
        .map_err(declaring)?;
    match names.iter().find(|name| !found.iter().any(|(listed, kind)| listed == **name && kind == "virtual")) {
        Some(name) => Err(contradiction(format!("the declaration of virtual table \"{name}\" does not declare it"))),
        None => Ok(()),
    }
}

/// Takes declarations out of the schema, without their modules. Their shadow tables stay.
pub(super) fn forget(connection: &Connection, names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    with_writable_schema(connection, |connection| {
        let mut remove = connection.prepare(
            "DELETE FROM main.sqlite_master WHERE type = 'table' AND rootpage = 0 AND name = ?1 COLLATE NOCASE",
        )?;
        names.iter().try_for_each(|name| remove.execute([name]).map(drop))
    })
    .map_err(|cause| failure("removing virtual tables", cause))
}

/// Lets `work` write the schema, then has it read anew.
fn with_writable_schema<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("PRAGMA writable_schema = ON")?;
    let result = work(connection);
    connection.execute_batch("PRAGMA writable_schema = RESET")?;
    result
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn object(name: &str, definition: &str) -> SchemaObject {
        SchemaObject {
            kind: "virtual table".into(),
            name: name.into(),
            table: name.into(),
            definition: definition.into(),
            position: 0,
        }
    }

    #[test]
    fn a_missing_module_does_not_matter() {
        let mut connection = Connection::open_in_memory().unwrap();
        declare(&mut connection, &[object("v", "CREATE VIRTUAL TABLE v USING nowhere(a, b)")]).unwrap();
        connection.execute_batch("CREATE TABLE works(a)").unwrap();
        assert!(connection.prepare("SELECT * FROM v").is_err());
        forget(&connection, &["V".into()]).unwrap();
        let left: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 1);
    }

    #[test]
    fn what_declares_no_virtual_table_of_the_name_is_refused() {
        for definition in [
            "CREATE VIRTUAL TABLE other USING fts5(a)",
            "CREATE TABLE v(a)",
            "CREATE VIEW v AS SELECT 1",
            "DROP TABLE kept",
            "nonsense",
            "",
            "CREATE VIRTUAL TABLE v USING fts5(a); DROP TABLE kept",
            "CREATE VIRTUAL TABLE v USING fts5(a); CREATE VIRTUAL TABLE w USING fts5(a)",
            "CREATE VIRTUAL TABLE v USING nowhere(a); nonsense",
            "CREATE VIRTUAL TABLE temp.v USING fts5(a)",
            "PRAGMA recursive_triggers = ON",
        ] {
            let mut connection = Connection::open_in_memory().unwrap();
            connection.execute_batch("CREATE TABLE kept(a); BEGIN").unwrap();
            assert!(declare(&mut connection, &[object("v", definition)]).is_err(), "{definition}");
            connection.execute_batch("ROLLBACK").unwrap();
            assert!(connection.prepare("SELECT a FROM kept").is_ok(), "{definition}");
            let on: bool = connection.query_row("PRAGMA recursive_triggers", [], |row| row.get(0)).unwrap();
            assert!(!on, "a setting was changed by compiling {definition}");
        }
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE V(a)").unwrap();
        assert!(declare(&mut connection, &[object("v", "CREATE VIRTUAL TABLE v USING fts5(a)")]).is_err());
    }
}
