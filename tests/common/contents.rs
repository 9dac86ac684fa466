//! What a SQLite database holds, read by SQL alone: the judge of what came back. It shares no code with the library.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// What two databases of the same content have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Settings of the file.
    pub(crate) settings: BTreeMap<String, String>,
    /// Type, name, table and definition of all that the schema lists.
    pub(crate) schema: BTreeSet<[String; 4]>,
    /// Rows and their digest, row ids included, by table.
    pub(crate) tables: BTreeMap<String, (u64, String)>,
}

const SETTINGS: [&str; 6] = ["encoding", "page_size", "auto_vacuum", "user_version", "application_id", "journal_mode"];

impl Contents {
    /// Reads a database. It is opened for writing, so that an unfinished transaction is rolled back first.
    pub(crate) fn of(path: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).unwrap();
        let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok", "{}", path.display());
        let setting = |name: &&str| {
            let value = connection.query_row(&format!("PRAGMA {name}"), [], |row| Ok(text_of(row.get_ref(0)?)));
            ((*name).to_owned(), value.unwrap())
        };
        let settings = SETTINGS.iter().map(setting).collect();
        let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema").unwrap();
        let entry = |row: &rusqlite::Row<'_>| {
            Ok([0, 1, 2, 3].map(|at| row.get_ref(at).map_or_else(|_| String::new(), text_of)))
        };
        let schema = statement.query_map([], entry).unwrap().map(Result::unwrap).collect();
        let mut statement = connection
            .prepare("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')")
            .unwrap();
        let names = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let tables = names
            .map(Result::unwrap)
            // The schema was looked at already, and its rows hold page numbers.
            .filter(|(name, _): &(String, bool)| name != "sqlite_schema" && name != "sqlite_master")
            .map(|(name, without_rowid)| {
                let digest = digest_of(&connection, &name, without_rowid);
                (name, digest)
            })
            .collect();
        Self { settings, schema, tables }
    }

    /// The same, without what a restore into an existing database leaves to that database.
    pub(crate) fn without_settings(mut self) -> Self {
        self.settings.clear();
        self
    }

    /// What differs, in few words; empty if nothing does.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let mut found = Vec::new();
        for (name, value) in &self.settings {
            if other.settings.get(name) != Some(value) {
                found.push(format!("{name}: {value} and {:?}", other.settings.get(name)));
            }
        }
        found.extend(self.schema.symmetric_difference(&other.schema).map(|entry| format!("schema: {entry:?}")));
        let names: BTreeSet<&String> = self.tables.keys().chain(other.tables.keys()).collect();
        for name in names {
            let (a, b) = (self.tables.get(name), other.tables.get(name));
            if a != b {
                found.push(format!("table {name}: {a:?} and {b:?}"));
            }
        }
        found.join("\n")
    }
}

fn text_of(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Rows of a table and the digest of them in their order; of tables of SQLite's own, in any order.
fn digest_of(connection: &Connection, table: &str, without_rowid: bool) -> (u64, String) {
    let own = table.starts_with("sqlite_");
    let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo(?1)").unwrap();
    let columns: Vec<String> =
        statement.query_map([table], |row| Ok(text_of(row.get_ref(0)?))).unwrap().map(Result::unwrap).collect();
    let taken = |name: &&&str| !columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    let rowid = ["rowid", "_rowid_", "oid"].iter().find(taken).filter(|_| !without_rowid && !own);
    let first = rowid.map(|name| format!("{name}, ")).unwrap_or_default();
    let order = rowid.map(|name| format!(" ORDER BY {name}")).unwrap_or_default();
    let query = format!("SELECT {first}* FROM {}{order}", quoted(table));
    let mut statement = connection.prepare(&query).unwrap();
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut digests: Vec<[u8; 32]> = Vec::new();
    let mut all = blake3::Hasher::new();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        count += 1;
        let mut hasher = blake3::Hasher::new();
        for at in 0..width {
            update(if own { &mut hasher } else { &mut all }, row.get_ref(at).unwrap());
        }
        if own {
            digests.push(*hasher.finalize().as_bytes());
        }
    }
    digests.sort_unstable();
    for digest in &digests {
        all.update(digest);
    }
    (count, all.finalize().to_hex().to_string())
}

fn update(hasher: &mut blake3::Hasher, value: ValueRef<'_>) {
    let (kind, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(value) => (1, &value.to_le_bytes()),
        ValueRef::Real(value) => (2, &value.to_bits().to_le_bytes()),
        ValueRef::Text(bytes) => (3, bytes),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    hasher.update(&[kind]);
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
