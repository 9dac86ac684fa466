//! The statements that read a table: which columns, by which b-tree, in which order.
//!
//! Rows must come in the order of the table's key by walking the b-tree that holds the rows, and nothing else: an index
//! may be damaged where the table is not, and a sort would hold the table in memory.
//! - Rowid tables: `NOT INDEXED … ORDER BY` the row id.
//! - WITHOUT ROWID tables: the rows are in the primary key's index. `NOT INDEXED` does not keep SQLite from preferring
//!   another index that covers all columns, so the primary key's index is named with `INDEXED BY`; each part is ordered by
//!   the *key's* collation, which need not be the column's.
//!
//! A result set has at most `SQLITE_LIMIT_COLUMN` columns (2,000), as has a table: a table of 2,000 columns and its row id
//! need two statements, which are stepped together.

use super::names::{column, quote};
use super::types::TextEncoding;
use crate::model::TableSchema;

/// The statements that together give a table's rows: the first columns, the next ones, and so on. All give the same rows
/// in the same order.
pub(super) struct Select {
    /// SQL, and the number of the table's columns it gives.
    pub(super) parts: Vec<(String, usize)>,
}

impl Select {
    /// Reads `table` (all rows, or those for which the SQL expression `filter` is true) on a connection whose result sets
    /// have at most `limit` columns. `primary_key_index` is the name of the index that holds the rows of a WITHOUT ROWID
    /// table; `None` for others.
    ///
    /// `alias` is what the table is called in the statement, as SQL.
    ///
    /// In UTF-16 databases a column takes two result columns: is it text, and the value, as stored bytes if it is.
    pub(super) fn new(
        table: &TableSchema,
        encoding: TextEncoding,
        limit: usize,
        primary_key_index: Option<&str>,
        filter: Option<&str>,
        alias: &str,
    ) -> Self {
        let results_per_column = match encoding {
            TextEncoding::Utf8 => 1,
            TextEncoding::Utf16(_) => 2,
        };
        let rest = rest_of_statement(table, primary_key_index, filter, alias);
        let parts = table.columns.chunks((limit / results_per_column).max(1)).map(|columns| {
            let results: Vec<String> =
                columns.iter().map(|described| result(&column(alias, &described.name), encoding)).collect();
            (format!("SELECT {} {rest}", results.join(", ")), columns.len())
        });
        Self { parts: parts.collect() }
    }
}

/// One column as the result columns that carry it.
fn result(name: &str, encoding: TextEncoding) -> String {
    match encoding {
        TextEncoding::Utf8 => name.to_owned(),
        TextEncoding::Utf16(_) => format!(
            "typeof({name}) = 'text', CASE WHEN typeof({name}) = 'text' THEN CAST({name} AS BLOB) ELSE {name} END"
        ),
    }
}

fn rest_of_statement(
    table: &TableSchema,
    primary_key_index: Option<&str>,
    filter: Option<&str>,
    alias: &str,
) -> String {
    let mut sql = format!("FROM main.{} AS {alias}", quote(&table.name));
    match primary_key_index {
        Some(index) => sql.push_str(&format!(" INDEXED BY {}", quote(index))),
        None => sql.push_str(" NOT INDEXED"),
    }
    if let Some(filter) = filter {
        sql.push_str(&format!(" WHERE ({filter})"));
    }
    let order: Vec<String> = table
        .key
        .iter()
        .filter_map(|part| {
            let name = column(alias, &table.columns.get(part.column as usize)?.name);
            let collation = match primary_key_index {
                Some(_) => format!(" COLLATE {}", quote(&part.collation)),
                None => String::new(),
            };
            Some(format!("{name}{collation}{}", if part.descending { " DESC" } else { "" }))
        })
        .collect();
    if !order.is_empty() {
        sql.push_str(&format!(" ORDER BY {}", order.join(", ")));
    }
    sql
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use rusqlite::Connection;

    use super::super::names::TABLE_ALIAS;
    use super::super::{columns, schema_entries};
    use super::*;
    use crate::model::roles;

    fn schema(connection: &Connection, name: &str) -> TableSchema {
        let listed = schema_entries::listed(connection).unwrap()[name];
        let shape = columns::shape(connection, name, listed.without_rowid).unwrap();
        TableSchema {
            name: name.into(),
            role: roles::TABLE.into(),
            definition: String::new(),
            position: 0,
            columns: shape.columns,
            generated: shape.generated,
            key: shape.key,
            options: shape.options,
            attached: vec![],
        }
    }

    fn plan(connection: &Connection, name: &str, encoding: TextEncoding, filter: Option<&str>) -> Vec<String> {
        let table = schema(connection, name);
        let without_rowid = schema_entries::listed(connection).unwrap()[name].without_rowid;
        let index = columns::primary_key_index(connection, name).unwrap().filter(|_| without_rowid);
        let select = Select::new(&table, encoding, 2000, index.as_deref(), filter, TABLE_ALIAS);
        let mut plan = Vec::new();
        for (sql, _) in &select.parts {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            plan.extend(statement.raw_query().mapped(|row| row.get(3)).map(Result::unwrap));
        }
        plan
    }

    /// Indexes that cover everything tempt the planner; the walk must stay on the b-tree that holds the rows, unsorted.
    #[test]
    fn rows_come_in_key_order_without_a_sort_and_not_from_an_index() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE hidden(a, b); CREATE INDEX hidden_all ON hidden(a, b);
                 CREATE TABLE alias(a, id INTEGER PRIMARY KEY); CREATE INDEX alias_all ON alias(a, id);
                 CREATE TABLE names(rowid, _rowid_ PRIMARY KEY); CREATE INDEX names_all ON names(rowid, _rowid_);
                 CREATE TABLE none(rowid, _rowid_, oid); CREATE INDEX none_all ON none(oid, rowid, _rowid_);
                 CREATE TABLE keyed(x, a TEXT COLLATE NOCASE, b, PRIMARY KEY(a COLLATE BINARY DESC, b)) WITHOUT ROWID;
                 CREATE INDEX keyed_all ON keyed(a COLLATE BINARY DESC, b, x);
                 CREATE TABLE folded(a TEXT, b, PRIMARY KEY(a COLLATE nocase, b DESC)) WITHOUT ROWID;
                 CREATE UNIQUE INDEX folded_b ON folded(b DESC, a);",
            )
            .unwrap();
        for name in ["hidden", "alias", "names", "none", "keyed", "folded"] {
            for encoding in [TextEncoding::Utf8, TextEncoding::from_name("UTF-16le").unwrap()] {
                assert_eq!(plan(&connection, name, encoding, None), ["SCAN t"], "{name}");
            }
        }
        assert_eq!(
            plan(&connection, "hidden", TextEncoding::Utf8, Some("rowid > ?")),
            ["SEARCH t USING INTEGER PRIMARY KEY (rowid>?)"]
        );
        assert_eq!(plan(&connection, "hidden", TextEncoding::Utf8, Some("a = ?")), ["SCAN t"]);
    }
}
