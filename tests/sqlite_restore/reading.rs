//! Reads a whole database by SQL of its own, independent of the library, so that two can be compared.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// Everything that a restore must bring back: definitions, settings, and of each table every row with its row id and every
/// cell (generated ones too) with its type and stored bytes.
pub(crate) fn read_everything(path: &Path) -> BTreeMap<String, Vec<String>> {
    let mut everything = read_tables(path);
    everything.insert("settings".into(), settings(path));
    everything
}

/// The same without the settings.
pub(crate) fn read_tables(path: &Path) -> BTreeMap<String, Vec<String>> {
    // Not read-only: that leaves files beside a database in WAL mode.
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    // Rows that break a CHECK constraint are rows like others here.
    connection.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
    assert_eq!(text(&connection, "PRAGMA quick_check"), "ok");
    let mut everything = BTreeMap::new();
    let definitions = strings(
        &connection,
        "SELECT type || '|' || name || '|' || tbl_name || '|' || coalesce(sql, '-') FROM sqlite_schema ORDER BY 1",
    );
    everything.insert("definitions".into(), definitions);
    for name in strings(&connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0") {
        everything.insert(format!("table {name}"), table(&connection, &name));
    }
    everything
}

fn settings(path: &Path) -> Vec<String> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    ["encoding", "page_size", "auto_vacuum", "user_version", "application_id", "journal_mode"]
        .map(|name| format!("{name} {}", text(&connection, &format!("SELECT * FROM pragma_{name}"))))
        .into()
}

/// The rows of a table.
pub(crate) fn table(connection: &Connection, name: &str) -> Vec<String> {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns = strings(connection, &format!("SELECT name FROM pragma_table_xinfo({})", literal(name)));
    let without_rowid = text(
        connection,
        &format!("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = {}", literal(name)),
    ) == "1";
    let taken = |candidate: &&str| columns.iter().any(|column| column.eq_ignore_ascii_case(candidate));
    let row_id = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken(name)).filter(|_| !without_rowid);
    let mut results: Vec<String> = row_id.map(str::to_owned).into_iter().collect();
    for column in &columns {
        let column = format!("t.{}", quote(column));
        results
            .push(format!("typeof({column}) || ' ' || hex(CAST({column} AS BLOB)) || ' ' || quote(subtype({column}))"));
        results.push(format!("iif(typeof({column}) IN ('real', 'integer'), {column}, NULL)"));
    }
    // Result sets have at most 2,000 columns.
    let mut rows: Vec<String> = Vec::new();
    for results in results.chunks(1000) {
        let order = match row_id {
            Some(row_id) => format!(" ORDER BY t.{row_id}"),
            None => String::new(),
        };
        let sql = format!("SELECT {} FROM main.{} AS t NOT INDEXED{order}", results.join(", "), quote(name));
        let mut statement = connection.prepare(&sql).unwrap();
        let mut found = statement.query([]).unwrap();
        let mut number = 0;
        while let Some(row) = found.next().unwrap() {
            let cells: Vec<String> = (0..results.len())
                .map(|index| match row.get_ref(index).unwrap() {
                    ValueRef::Null => "-".into(),
                    ValueRef::Integer(value) => value.to_string(),
                    ValueRef::Real(value) => format!("bits {:x}", value.to_bits()),
                    ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                    ValueRef::Blob(_) => panic!("no blobs are asked for"),
                })
                .collect();
            if rows.len() <= number {
                rows.push(String::new());
            }
            rows[number].push_str(&cells.join("|"));
            number += 1;
        }
    }
    rows
}

fn literal(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}

fn strings(connection: &Connection, sql: &str) -> Vec<String> {
    connection.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn text(connection: &Connection, sql: &str) -> String {
    let value: rusqlite::types::Value = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    match value {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(number) => number.to_string(),
        other => panic!("{other:?}"),
    }
}
