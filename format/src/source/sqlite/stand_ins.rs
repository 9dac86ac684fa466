//! Collations that stand in for those of an application, only while a table is read whose key needs them: a condition that
//! is evaluated at another time must not be answered by one of them.

use rusqlite::Connection;

use super::columns;
use super::names::quote;
use crate::model::TableSchema;

/// The stand-ins for one table, which go when this does.
pub(super) struct StandIns<'c> {
    connection: &'c Connection,
    registered: Vec<String>,
}

impl<'c> StandIns<'c> {
    /// Registers, for every collation of the table's key that is not there, one of its name that compares bytes.
    ///
    /// SQLite's own call for missing collations does not serve: for UTF-16 databases rusqlite does not pass it on.
    pub(super) fn for_key_of(connection: &'c Connection, table: &TableSchema) -> rusqlite::Result<Self> {
        let mut stand_ins = Self { connection, registered: Vec::new() };
        for part in table.key.iter().filter(|part| !columns::is_built_in(&part.collation)) {
            let name = &part.collation;
            if !is_known(connection, name) {
                connection.create_collation(name.as_str(), |a: &str, b: &str| a.cmp(b))?;
                stand_ins.registered.push(name.clone());
            }
        }
        Ok(stand_ins)
    }
}

/// Does the connection have a collation of this name?
pub(super) fn is_known(connection: &Connection, collation: &str) -> bool {
    connection.prepare(&format!("SELECT '' < '' COLLATE {}", quote(collation))).is_ok()
}

impl Drop for StandIns<'_> {
    fn drop(&mut self) {
        for name in &self.registered {
            // One that stays is as good as it was before.
            let _ = self.connection.remove_collation(name.as_str());
        }
    }
}
