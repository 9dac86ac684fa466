//! What a table looks like: its columns, its key and its options, as SQLite itself understands the definition.
//!
//! The definition's text is never parsed here. In particular, whether a column *is* the row id follows from what SQLite
//! built: `INTEGER PRIMARY KEY DESC` and `INT PRIMARY KEY` look alike but got an index of their own, while the table
//! constraint `PRIMARY KEY(id DESC)` did not and is the row id.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::failure::failure;
use super::names::quote;
use crate::error::{Error, Result};
use crate::limits::MAX_NAME_BYTES;
use crate::model::{Column, KeyPart};

/// The names that stand for the row id wherever no column has them.
const ROW_ID_NAMES: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// The parts of a table's schema that follow from its columns and primary key.
pub(super) struct Shape {
    pub(super) columns: Vec<Column>,
    pub(super) generated: Vec<String>,
    pub(super) key: Vec<KeyPart>,
    /// `autoincrement` and `rowid`.
    pub(super) options: Vec<(String, String)>,
    /// Does the table have row ids that no name reaches? They are not kept.
    pub(super) row_ids_hidden: bool,
}

/// Reads the shape of the table `table`.
pub(super) fn shape(connection: &Connection, table: &str, without_rowid: bool) -> Result<Shape> {
    let declared = declared_columns(connection, table)?;
    let primary_key_index = primary_key_index(connection, table)?;
    let mut shape = Shape {
        columns: Vec::with_capacity(declared.len() + 1),
        generated: Vec::new(),
        key: Vec::new(),
        options: Vec::new(),
        row_ids_hidden: false,
    };
    let alias = if without_rowid { None } else { row_id_alias(&declared, primary_key_index.is_some()) };
    if !without_rowid && alias.is_none() {
        let taken = |name: &&&str| declared.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        match ROW_ID_NAMES.iter().find(|name| !taken(name)) {
            Some(name) => shape.add_hidden_row_id(name),
            None => shape.row_ids_hidden = true,
        }
    }
    for column in &declared {
        if column.generated {
            shape.generated.push(column.name.clone());
            continue;
        }
        let is_alias = alias.is_some_and(|alias| std::ptr::eq(alias, column));
        if is_alias {
            shape.key = vec![ascending(position(shape.columns.len(), table)?)];
            if is_autoincrement(connection, table, &column.name)? {
                shape.options.push(("autoincrement".to_owned(), "1".to_owned()));
            }
            shape.options.push(("rowid".to_owned(), column.name.clone()));
        }
        shape.columns.push(Column {
            name: column.name.clone(),
            declared_type: column.declared_type.clone(),
            logical: 0,
            nullable: !column.not_null && !is_alias,
            hidden: false,
        });
    }
    if let (true, Some(index)) = (without_rowid, primary_key_index) {
        shape.key = index_key(connection, table, &index, &shape.columns)?;
    }
    Ok(shape)
}

impl Shape {
    fn add_hidden_row_id(&mut self, name: &str) {
        self.columns.push(Column {
            name: name.to_owned(),
            declared_type: "INTEGER".to_owned(),
            logical: 0,
            nullable: false,
            hidden: true,
        });
        self.key = vec![ascending(0)];
    }
}

/// The name of the index that SQLite made for the primary key, if it made one. It holds the rows of a WITHOUT ROWID table.
pub(super) fn primary_key_index(connection: &Connection, table: &str) -> Result<Option<String>> {
    let indexes = pragma(connection, "index_list", table, table, |row| Ok((text(row, 1)?, text(row, 3)?)))?;
    Ok(indexes.into_iter().find(|(_, origin)| origin == "pk").map(|(name, _)| name))
}

/// The columns of an index in their order, by their places in the table: the key's, then those that only stand with it.
pub(super) fn index_columns(connection: &Connection, table: &str, index: &str) -> Result<Vec<i64>> {
    pragma(connection, "index_xinfo", index, table, |row| number(row, 1))
}

/// A column as `PRAGMA table_xinfo` has it.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) declared_type: String,
    not_null: bool,
    in_primary_key: bool,
    pub(super) generated: bool,
    /// Generated, and computed whenever it is read.
    pub(super) is_virtual: bool,
    pub(super) has_default: bool,
}

pub(super) fn declared_columns(connection: &Connection, table: &str) -> Result<Vec<Declared>> {
    pragma(connection, "table_xinfo", table, table, |row| {
        Ok(Declared {
            name: text(row, 1)?,
            declared_type: text(row, 2)?,
            not_null: number(row, 3)? != 0,
            in_primary_key: number(row, 5)? != 0,
            generated: number(row, 6)? != 0,
            is_virtual: number(row, 6)? == 2,
            has_default: row.get_ref(4).map_err(reading)? != ValueRef::Null,
        })
    })
}

/// The column that is the row id: the only column of a primary key for which SQLite made no index.
pub(super) fn row_id_alias(declared: &[Declared], has_primary_key_index: bool) -> Option<&Declared> {
    let mut key = declared.iter().filter(|column| column.in_primary_key);
    match (key.next(), key.next()) {
        (Some(column), None) if !has_primary_key_index => Some(column),
        _ => None,
    }
}

fn is_autoincrement(connection: &Connection, table: &str, column: &str) -> Result<bool> {
    let (_, _, _, _, autoincrement) =
        connection.column_metadata(Some("main"), table, column).map_err(|cause| reading(cause).in_table(table))?;
    Ok(autoincrement)
}

/// The parts of the primary key that make up its index, with the index's own directions and collations.
pub(super) fn index_key(connection: &Connection, table: &str, index: &str, columns: &[Column]) -> Result<Vec<KeyPart>> {
    let parts = pragma(connection, "index_xinfo", index, table, |row| {
        Ok((text(row, 2)?, number(row, 3)? != 0, text(row, 4)?, number(row, 5)? != 0))
    })?;
    let mut key = Vec::new();
    for (name, descending, collation, _) in parts.into_iter().filter(|(.., is_key)| *is_key) {
        let column = columns.iter().position(|column| column.name == name).ok_or_else(|| {
            Error::database(format!("reading the schema: the primary key's column {name:?} is not in the table"))
                .in_table(table)
        })?;
        key.push(KeyPart { column: position(column, table)?, descending, collation: canonical(collation) });
    }
    Ok(key)
}

/// SQLite keeps a collation's name as it was written; the built-in ones have one spelling in the format.
fn canonical(collation: String) -> String {
    let upper = collation.to_ascii_uppercase();
    if is_built_in(&upper) { upper } else { collation }
}

/// Is this one of the collations that every SQLite has? (Upper case, as schemas hold it.)
pub(super) fn is_built_in(collation: &str) -> bool {
    matches!(collation, "BINARY" | "NOCASE" | "RTRIM")
}

fn ascending(column: u32) -> KeyPart {
    KeyPart { column, descending: false, collation: "BINARY".to_owned() }
}

fn position(index: usize, table: &str) -> Result<u32> {
    u32::try_from(index).map_err(|_| Error::database("more columns than fit the format").in_table(table))
}

fn reading(cause: rusqlite::Error) -> Error {
    failure("reading the schema", cause)
}

/// The rows of `PRAGMA main.<pragma>(<argument>)`; errors name `table`.
fn pragma<T>(
    connection: &Connection,
    pragma: &str,
    argument: &str,
    table: &str,
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let failed = |cause| reading(cause).in_table(table);
    // As a statement, not as `FROM pragma_…(…)`: a table of that name would stand in its place.
    let sql = format!("PRAGMA main.{pragma}({})", quote(argument));
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(read(row).map_err(|error| error.in_table(table))?);
    }
    Ok(found)
}

/// A name, or another text of the schema; what is not UTF-8 is refused, because a name shown otherwise than it is stored
/// cannot be asked for.
fn text(row: &Row<'_>, index: usize) -> Result<String> {
    match row.get_ref(index).map_err(reading)? {
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if text.len() <= MAX_NAME_BYTES => Ok(text.to_owned()),
            Ok(text) => Err(Error::database(format!("a name of {} bytes is too long for the format", text.len()))),
            Err(_) => Err(not_utf8(&String::from_utf8_lossy(bytes))),
        },
        _ => Ok(String::new()),
    }
}

/// The refusal of a name that is not valid Unicode, shown as well as it can be.
pub(super) fn not_utf8(name: &str) -> Error {
    Error::database(format!("the name \"{name}\" is not valid text in the database's encoding"))
        .with_hint("rename it (ALTER TABLE … RENAME) and run the command again")
}

fn number(row: &Row<'_>, index: usize) -> Result<i64> {
    row.get(index).map_err(reading)
}
