//! What a database holds besides its schema, read by SQL alone.

use std::collections::BTreeMap;

use super::database::Database;

/// The forms in which values are compared, whatever the database's defaults are.
const PINNED: &str = "
SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET extra_float_digits = 3;
SET bytea_output = 'hex'; SET quote_all_identifiers = off; SET search_path = pg_catalog; SET row_security = off;
";
/// One line for each relation: its name, a tab, its rows and a digest of them in an order of their own. The alias is a name
/// that no column has, as a column of the alias's name would be taken instead of the row.
const TABLES: &str = r#"
SELECT format('
        SELECT %L || E''\t'' || count(*) || '' '' ||
            coalesce(md5(string_agg("its whole row"::text, E''\n'' ORDER BY "its whole row"::text COLLATE "C")), ''-'')
        FROM ONLY %I.%I AS "its whole row"',
    format('%I.%I', n.nspname, c.relname), n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND c.relpersistence <> 't'
    AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' \gexec
SELECT format('SELECT %L || E''\t'' || last_value || '' '' || is_called FROM %I.%I',
    format('%I.%I', n.nspname, c.relname), n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' \gexec
"#;

/// Of each table and materialized view its rows and their digest, of each sequence where it stands.
pub(crate) fn contents(database: &Database<'_>) -> BTreeMap<String, String> {
    let told = database.psql(&format!("{PINNED}{TABLES}"));
    // Names may hold newlines; what follows a tab never does.
    let mut found = BTreeMap::new();
    let mut name = String::new();
    for line in told.lines() {
        if !name.is_empty() {
            name.push('\n');
        }
        if let Some((rest, what)) = line.rsplit_once('\t') {
            found.insert(std::mem::take(&mut name) + rest, what.to_owned());
        } else {
            name.push_str(line);
        }
    }
    found
}
