//! Where the cells of a table's rows stand in its records, as SQLite itself lays them out.
//!
//! A record of a rowid table has one field per column in the order of the definition; columns of a WITHOUT ROWID table
//! follow its primary key's index: the key first, then the others. Computed columns that are not stored have no field. What
//! is not certain has no layout, and SQL reads it.

use std::collections::HashMap;

use rusqlite::Connection;

use super::columns::{Declared, declared_columns, index_columns, index_key, primary_key_index, row_id_alias};
use crate::error::Result;
use crate::model::TableSchema;
use crate::sqlite_file::Tree;

/// What is done with one field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// It is no cell: a stored computed column, the row id's place (the row id itself stands before the record), or a key
    /// column that stands in the record twice.
    Skip,
    /// The cell of the column with this index.
    Cell(usize),
    /// The same, of a column with REAL affinity: SQLite stores reals without fraction as integers and gives reals.
    Real(usize),
}

/// The records of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// The root page of the b-tree that holds the rows.
    pub(super) root: u32,
    pub(super) tree: Tree,
    /// The columns of the schema.
    pub(super) columns: usize,
    /// The column that is the row id.
    pub(super) row_id: Option<usize>,
    /// One per field of a whole record.
    pub(super) fields: Vec<Field>,
    /// A record with fewer fields lacks one that has a default (its column was added later). What else it lacks is NULL.
    pub(super) defaults_end: usize,
}

impl Layout {
    /// The layout of `table` in this database; `None` if it is not what the schema says or not certain, or if the schema
    /// has another key than the one by which the rows stand.
    pub(super) fn of(connection: &Connection, table: &TableSchema) -> Result<Option<Self>> {
        let Some(root) = root_page(connection, &table.name) else { return Ok(None) };
        let declared = declared_columns(connection, &table.name)?;
        let key_index = primary_key_index(connection, &table.name)?;
        let tree = if table.option("without_rowid").is_some() { Tree::Index } else { Tree::Table };
        let alias = match tree {
            Tree::Table => row_id_alias(&declared, key_index.is_some()),
            Tree::Index => None,
        };
        let stored: Vec<&Declared> = match (tree, &key_index) {
            (Tree::Table, _) => declared.iter().filter(|column| !column.is_virtual).collect(),
            (Tree::Index, Some(index)) => {
                let by_place: Option<Vec<&Declared>> = index_columns(connection, &table.name, index)?
                    .into_iter()
                    .map(|place| declared.get(usize::try_from(place).ok()?))
                    .collect();
                let Some(stored) = by_place else { return Ok(None) };
                stored
            }
            (Tree::Index, None) => return Ok(None),
        };
        let Some((fields, row_id)) = fields(table, &stored, alias) else { return Ok(None) };
        let is_in_order = match (table.key.as_slice(), &key_index) {
            (key, Some(index)) if tree == Tree::Index => {
                index_key(connection, &table.name, index, &table.columns)? == key
            }
            ([], _) => true,
            ([part], _) => Some(part.column as usize) == row_id && !part.descending,
            _ => false,
        };
        Ok(is_in_order.then(|| {
            let defaults_end = stored.iter().rposition(|column| column.has_default).map_or(0, |last| last + 1);
            Self { root, tree, columns: table.columns.len(), row_id, fields, defaults_end }
        }))
    }
}

/// Matches the schema's columns with the stored ones. Each must be found exactly once, under the same name.
fn fields(table: &TableSchema, stored: &[&Declared], alias: Option<&Declared>) -> Option<(Vec<Field>, Option<usize>)> {
    let mut wanted: HashMap<&str, usize> = HashMap::with_capacity(table.columns.len());
    let mut row_id = None;
    for (index, column) in table.columns.iter().enumerate() {
        if column.hidden {
            // It is what the name says only if no column is the row id and none has the name.
            if alias.is_some() || row_id.is_some() || table.option("without_rowid").is_some() {
                return None;
            }
            row_id = Some(index);
        } else if wanted.insert(&column.name, index).is_some() {
            return None;
        }
    }
    let mut fields = Vec::with_capacity(stored.len());
    for column in stored {
        let place = if column.generated { None } else { wanted.remove(column.name.as_str()) };
        fields.push(match place {
            Some(index) if alias.is_some_and(|alias| std::ptr::eq(alias, *column)) => {
                row_id = Some(index);
                Field::Skip
            }
            Some(index) if has_real_affinity(&column.declared_type) => Field::Real(index),
            Some(index) => Field::Cell(index),
            None => Field::Skip,
        });
    }
    wanted.is_empty().then_some((fields, row_id))
}

/// The root page of the one table of this name.
fn root_page(connection: &Connection, table: &str) -> Option<u32> {
    let mut statement = connection
        .prepare("SELECT rootpage FROM main.sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE")
        .ok()?;
    let mut found = statement.query([table]).ok()?;
    let root = found.next().ok()??.get::<_, u32>(0).ok()?;
    // Page 1 is the schema's own; a second entry of the name means that someone edited it.
    (root > 1 && found.next().ok()?.is_none()).then_some(root)
}

/// Does SQLite give a column of this type REAL affinity? Its rules, in their order: "INT", then "CHAR", "CLOB" or "TEXT",
/// then "BLOB" anywhere in the type mean another one; then "REAL", "FLOA" or "DOUB" anywhere mean this one.
fn has_real_affinity(declared_type: &str) -> bool {
    let upper = declared_type.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| upper.contains(part));
    has(&["REAL", "FLOA", "DOUB"]) && !has(&["INT", "CHAR", "CLOB", "TEXT", "BLOB"])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::source::Source as _;
    use crate::source::sqlite::SqliteSource;

    fn layout(connection: &Connection, name: &str) -> Option<Layout> {
        let source = SqliteSource::over(connection).unwrap();
        let table = source.catalog().tables.iter().find(|table| table.name == name).unwrap();
        Layout::of(connection, table).unwrap()
    }

    /// SQLite itself says what it makes of an integer in a column of each type.
    #[test]
    fn real_affinity_is_sqlites() {
        let connection = Connection::open_in_memory().unwrap();
        for declared in [
            "REAL",
            "real",
            "DOUBLE PRECISION",
            "FLOAT",
            "FLOATING POINT",
            "REAL TEXT",
            "TEXT REAL",
            "BLOB REAL",
            "REAL BLOB",
            "DOUBLE INT",
            "CHARDOUBLE",
            "XREALX",
            "floa(1, 2)",
            "dou ble",
            "ANY",
            "NUMERIC",
            "",
            "\"RÉAL\"",
            "\"ſreal\"",
            "int",
            "\"CLOB\" DOUB",
            "BLO REAL",
            "xINTx REAL",
            "\"REAL\"",
        ] {
            connection.execute_batch(&format!("CREATE TABLE t(a {declared}); INSERT INTO t VALUES (7)")).unwrap();
            let found: String = connection.query_row("SELECT typeof(a) FROM t", [], |row| row.get(0)).unwrap();
            let shown: String =
                connection.query_row("SELECT type FROM pragma_table_xinfo('t')", [], |row| row.get(0)).unwrap();
            assert_eq!(found == "real", has_real_affinity(&shown), "{declared}");
            connection.execute_batch("DROP TABLE t").unwrap();
        }
    }

    #[test]
    fn fields_stand_as_sqlite_lays_them_out() {
        use Field::{Cell, Real, Skip};
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE hidden(a, v AS (a), b REAL, s AS (a) STORED, c DEFAULT 1, d);
                 CREATE TABLE alias(a, id INTEGER PRIMARY KEY, b);
                 CREATE TABLE keyed(x, a, v AS (a), b DEFAULT 2, s AS (a) STORED, PRIMARY KEY(b COLLATE NOCASE, a, b)) WITHOUT ROWID;
                 BEGIN",
            )
            .unwrap();
        let found = layout(&connection, "hidden").unwrap();
        assert_eq!(found.fields, [Cell(1), Real(2), Skip, Cell(3), Cell(4)]);
        assert_eq!((found.tree, found.row_id, found.columns, found.defaults_end), (Tree::Table, Some(0), 5, 4));
        let found = layout(&connection, "alias").unwrap();
        assert_eq!(found.fields, [Cell(0), Skip, Cell(2)]);
        assert_eq!((found.row_id, found.defaults_end), (Some(1), 0));
        let found = layout(&connection, "keyed").unwrap();
        assert_eq!(found.fields, [Cell(2), Cell(1), Skip, Cell(0), Skip]);
        assert_eq!((found.tree, found.row_id, found.defaults_end), (Tree::Index, None, 3));
    }

    #[test]
    fn what_the_database_does_not_have_as_the_schema_says_has_no_layout() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t(a, b); BEGIN").unwrap();
        let schema = SqliteSource::over(&connection).unwrap().catalog().tables.first().unwrap().clone();
        assert!(Layout::of(&connection, &schema).unwrap().is_some());
        let mut other = schema.clone();
        other.columns.last_mut().unwrap().name = "c".into();
        assert_eq!(Layout::of(&connection, &other).unwrap(), None);
        let mut other = schema.clone();
        other.options.push(("without_rowid".into(), "1".into()));
        assert_eq!(Layout::of(&connection, &other).unwrap(), None);
        let mut other = schema.clone();
        other.key.first_mut().unwrap().descending = true;
        assert_eq!(Layout::of(&connection, &other).unwrap(), None);
        let mut other = schema;
        other.name = "u".into();
        assert_eq!(Layout::of(&connection, &other).unwrap(), None);
    }
}
