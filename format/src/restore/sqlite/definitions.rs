//! Running the definitions of a snapshot. They are text from a file: each may make the one thing it is said to make, and
//! do nothing else. SQLite itself is asked what a statement does while it is compiled, before any of it runs.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Statement};

use super::chosen::contradiction;
use super::failure::failure;
use crate::error::{Error, Result};

/// What a definition is to make.
#[derive(Debug, Clone)]
pub(in crate::restore) struct Wanted<'a> {
    /// "table", "index", "trigger" or "view"; or "virtual table", which is only compiled.
    pub(in crate::restore) kind: &'a str,
    /// Its name.
    pub(in crate::restore) name: &'a str,
    /// The table or view it belongs to; else its own name.
    pub(in crate::restore) table: &'a str,
    /// The statement.
    pub(in crate::restore) definition: &'a str,
}

/// Makes what is wanted, and checks that SQLite keeps the definition to the letter.
pub(in crate::restore) fn create(connection: &mut Connection, wanted: &Wanted<'_>) -> Result<()> {
    let Wanted { kind, name, .. } = *wanted;
    let creating = |cause| failure(format_args!("creating {kind} \"{name}\""), cause);
    let last_entry: i64 = connection
        .query_row("SELECT coalesce(max(rowid), 0) FROM main.sqlite_master", [], |row| row.get(0))
        .map_err(creating)?;
    permitted(connection, wanted, |statement| statement.raw_execute().map(drop))?;
    let stored: rusqlite::Result<(String, String, String)> = connection.query_row(
        "SELECT type, tbl_name, sql FROM main.sqlite_master WHERE rowid > ?1 AND name = ?2",
        (last_entry, name),
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    );
    match stored {
        Ok((stored_kind, table, definition)) => {
            if stored_kind != kind || !table.eq_ignore_ascii_case(wanted.table) {
                return Err(contradiction(format!(
                    "the definition of {kind} \"{name}\" makes a {stored_kind} of {table}"
                )));
            }
            if definition != wanted.definition {
                return Err(Error::database(format!(
                    "SQLite keeps the definition of {kind} \"{name}\" in other words"
                ))
                .with_hint("the source's definition was edited by hand; leave it out, or repair it there"));
            }
            Ok(())
        }
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            Err(contradiction(format!("the definition of {kind} \"{name}\" does not make it")))
        }
        Err(cause) => Err(creating(cause)),
    }
}

/// Compiles a definition, which may be one statement that makes what is wanted, and runs none of it.
pub(in crate::restore) fn compile(connection: &mut Connection, wanted: &Wanted<'_>) -> Result<()> {
    permitted(connection, wanted, |_| Ok(()))
}

/// Compiles a definition and does `work` with it, while SQLite refuses everything that does not make what is wanted.
fn permitted(
    connection: &mut Connection,
    wanted: &Wanted<'_>,
    work: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<()>,
) -> Result<()> {
    let Wanted { kind, name, .. } = *wanted;
    let creating = |cause| failure(format_args!("creating {kind} \"{name}\""), cause);
    let permit = Permit { kind: kind.to_owned(), name: name.to_owned(), table: wanted.table.to_owned() };
    connection.authorizer(Some(move |context: AuthContext<'_>| permit.answer(&context))).map_err(creating)?;
    let result = connection.prepare(wanted.definition).and_then(|mut statement| work(&mut statement));
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).map_err(creating)?;
    match result {
        Ok(()) => Ok(()),
        Err(rusqlite::Error::MultipleStatement | rusqlite::Error::ExecuteReturnedResults) => {
            Err(contradiction(format!("the definition of {kind} \"{name}\" does more than create it")))
        }
        Err(cause) if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::AuthorizationForStatementDenied) => {
            Err(contradiction(format!("the definition of {kind} \"{name}\" does something else: {cause}")))
        }
        Err(cause) => Err(creating(cause)),
    }
}

/// What a statement that makes this may do.
struct Permit {
    kind: String,
    name: String,
    table: String,
}

impl Permit {
    fn answer(&self, context: &AuthContext<'_>) -> Authorization {
        // Functions are named without a database; everything else must be of the main one.
        let here = context.database_name.is_none_or(|database| database == "main");
        if here && self.allows(&context.action) { Authorization::Allow } else { Authorization::Deny }
    }

    fn allows(&self, action: &AuthAction<'_>) -> bool {
        let is_schema = |table: &str| table == "sqlite_master" || table == "sqlite_schema";
        let is_own = |table: &str| table.eq_ignore_ascii_case(&self.table);
        match *action {
            AuthAction::CreateTable { table_name } => {
                self.kind == "table" && (table_name == self.name || table_name == "sqlite_sequence")
            }
            AuthAction::CreateIndex { index_name, table_name } => match self.kind.as_str() {
                "index" => index_name == self.name && is_own(table_name),
                // For PRIMARY KEY and UNIQUE.
                "table" => index_name.starts_with("sqlite_autoindex_") && is_own(table_name),
                _ => false,
            },
            AuthAction::CreateTrigger { trigger_name, table_name } => {
                self.kind == "trigger" && trigger_name == self.name && is_own(table_name)
            }
            AuthAction::CreateVtable { table_name, .. } => self.kind == "virtual table" && table_name == self.name,
            AuthAction::CreateView { view_name } => self.kind == "view" && view_name == self.name,
            // How CREATE enters what it made, and fills an index.
            AuthAction::Insert { table_name } | AuthAction::Update { table_name, .. } => is_schema(table_name),
            AuthAction::Read { table_name, .. } => is_schema(table_name) || is_own(table_name),
            AuthAction::Reindex { index_name } => self.kind == "index" && index_name == self.name,
            // In CHECK, DEFAULT, generated columns and indexed expressions; the schema is not trusted, so only harmless ones.
            AuthAction::Function { .. } => true,
            _ => false,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE other(a, b); INSERT INTO other VALUES (1, 2); CREATE VIEW seen AS SELECT 1")
            .unwrap();
        connection
    }

    fn make(kind: &str, name: &str, table: &str, definition: &str) -> Result<()> {
        create(&mut connection(), &Wanted { kind, name, table, definition })
    }

    #[test]
    fn definitions_make_what_they_are_said_to_make() {
        for (kind, name, table, definition) in [
            (
                "table",
                "t",
                "t",
                "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE, c DEFAULT (abs(-1)), CHECK (b > 0))",
            ),
            ("table", "t", "t", "CREATE TABLE t(a, b AS (upper(a)), PRIMARY KEY (a)) WITHOUT ROWID, STRICT"),
            (
                "table",
                "t",
                "t",
                "CREATE TABLE t(a INT, b TEXT AS (upper(a)) STORED, PRIMARY KEY (a)) WITHOUT ROWID, STRICT",
            ),
            ("index", "i", "other", "CREATE UNIQUE INDEX i ON other(a, lower(b)) WHERE a > 0"),
            ("view", "v", "v", "CREATE VIEW v AS SELECT * FROM other, nowhere"),
            ("trigger", "r", "other", "CREATE TRIGGER r AFTER INSERT ON other BEGIN DELETE FROM nowhere; END"),
            ("trigger", "r", "seen", "CREATE TRIGGER r INSTEAD OF INSERT ON seen BEGIN SELECT evil(); END"),
        ] {
            let result = make(kind, name, table, definition);
            // The second table is wrong in itself: STRICT wants types.
            assert_eq!(result.is_ok(), !definition.contains("(a, b AS"), "{definition}: {result:?}");
        }
    }

    #[test]
    fn nothing_else_runs() {
        for (kind, definition) in [
            ("table", "DROP TABLE other"),
            ("table", "DELETE FROM other"),
            ("table", "PRAGMA user_version = 7"),
            ("table", "ATTACH ':memory:' AS x"),
            ("table", "SELECT 1"),
            ("table", "COMMIT"),
            ("table", "VACUUM"),
            ("table", ""),
            ("table", "-- nothing"),
            ("table", "EXPLAIN CREATE TABLE t(a)"),
            ("table", "CREATE TABLE t(a); DROP TABLE other"),
            ("table", "CREATE TABLE t AS SELECT * FROM other"),
            ("table", "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n"),
            ("table", "CREATE TEMP TABLE t(a)"),
            ("table", "CREATE TABLE temp.t(a)"),
            ("table", "CREATE TABLE u(a)"),
            ("table", "CREATE TABLE T(a)"),
            ("table", "CREATE TABLE IF NOT EXISTS t(a)"),
            ("table", "create table t(a)"),
            ("table", "CREATE VIEW t AS SELECT 1"),
            ("table", "CREATE VIRTUAL TABLE t USING fts5(a)"),
            ("view", "CREATE TABLE t(a)"),
            ("index", "CREATE INDEX u ON other(a)"),
            ("trigger", "CREATE TEMP TRIGGER t AFTER INSERT ON other BEGIN SELECT 1; END"),
        ] {
            let mut connection = connection();
            let wanted = Wanted {
                kind,
                name: "t",
                table: if kind == "table" || kind == "view" { "t" } else { "other" },
                definition,
            };
            connection.execute_batch("BEGIN").unwrap();
            assert!(create(&mut connection, &wanted).is_err(), "{definition}");
            connection.execute_batch("ROLLBACK").unwrap();
            let left: (i64, i64) = connection
                .query_row("SELECT (SELECT count(*) FROM other), (SELECT count(*) FROM sqlite_schema)", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .unwrap();
            assert_eq!(left, (1, 2), "{definition}");
            let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
            assert_eq!(version, 0, "{definition}");
        }
    }
}
