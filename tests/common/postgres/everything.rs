//! The schema of our own that holds every object and type that a dump must keep or name: `tests/postgres/everything/`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use super::super::tree;
use super::database::Database;
use super::server::Server;

/// The most columns that a table can have.
const MOST_COLUMNS: usize = 1600;

/// Loads every part that this server can hold, and gives the names of those parts. The first line of a part may say what it
/// needs: `-- needs:` and a query that gives true or false.
pub(crate) fn load_everything(database: &Database<'_>) -> Vec<String> {
    load_everything_that_fits(database, &[])
}

/// The same, but for the parts that one of the other databases could not hold.
pub(crate) fn load_everything_that_fits(database: &Database<'_>, others: &[&Database<'_>]) -> Vec<String> {
    let mut parts: Vec<PathBuf> = fs::read_dir(tree::root().join("tests/postgres/everything"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    parts.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    parts.sort();
    let mut loaded = Vec::new();
    for path in parts {
        let text = fs::read_to_string(&path).unwrap();
        let needs = text.lines().next().and_then(|line| line.strip_prefix("-- needs: "));
        let fits = |database: &Database<'_>| needs.is_none_or(|query| database.psql(query).trim() == "t");
        if fits(database) && others.iter().all(|other| fits(other)) {
            database.psql_file(&path);
            loaded.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    loaded
}

/// A database of the encoding SQL_ASCII whose texts and names are no UTF-8.
pub(crate) fn load_sql_ascii<'s>(server: &'s Server, name: &str) -> Database<'s> {
    let database = server.database_with(name, "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    database.psql_file(&tree::root().join("tests/postgres/sql_ascii.sql"));
    database
}

/// Makes tables of as many columns as there can be: one whose rows fit a page because most values are null, one of short
/// values, and one that had all its columns dropped but the last.
pub(crate) fn load_wide(database: &Database<'_>) {
    let columns = |kind: &str| (1..=MOST_COLUMNS).map(|n| format!("c{n} {kind}")).collect::<Vec<_>>().join(", ");
    let values = |value: &dyn Fn(usize) -> String| (1..=MOST_COLUMNS).map(value).collect::<Vec<_>>().join(", ");
    let sparse = values(&|n| if n % 100 == 0 { format!("'{n}'") } else { "NULL".to_owned() });
    let short = values(&|n| if n % 3 == 0 { "true".to_owned() } else { "false".to_owned() });
    let mut sql = String::from("CREATE SCHEMA wide;\n");
    writeln!(sql, "CREATE TABLE wide.sparse ({});", columns("text")).unwrap();
    writeln!(sql, "INSERT INTO wide.sparse VALUES ({sparse});\nINSERT INTO wide.sparse DEFAULT VALUES;").unwrap();
    writeln!(sql, "CREATE TABLE wide.short ({});", columns("boolean")).unwrap();
    writeln!(sql, "INSERT INTO wide.short VALUES ({short});").unwrap();
    writeln!(sql, "CREATE TABLE wide.all_but_one_dropped ({});", columns("boolean")).unwrap();
    let dropped = (1..MOST_COLUMNS).map(|n| format!("DROP COLUMN c{n}")).collect::<Vec<_>>().join(", ");
    writeln!(sql, "INSERT INTO wide.all_but_one_dropped VALUES ({short});").unwrap();
    writeln!(sql, "ALTER TABLE wide.all_but_one_dropped {dropped};").unwrap();
    database.psql(&sql);
}
