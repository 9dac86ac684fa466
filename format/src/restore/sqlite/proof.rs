//! Reading back what was written, inside the same transaction, and comparing it with the snapshot.

use super::chosen::Chosen;
use super::rows::Encodings;
use crate::archive::{Fingerprinter, TableFingerprint};
use crate::error::{Error, Result};
use crate::model::{SchemaObject, TableSchema};
use crate::observer::{Observer, Phase};
use crate::restore::kept::ChosenTable;
use crate::restore::proof::{Watched, not_the_snapshots};
use crate::restore::row_sum::RowSum;
use crate::source::sqlite::SqliteSource;
use crate::source::{Source, SourceCatalog};

/// Options that say how a table's rows are held. (Which virtual table a shadow belongs to depends on the modules here.)
const OPTIONS: [&str; 4] = ["autoincrement", "rowid", "strict", "without_rowid"];

/// The target's table of this name.
pub(super) fn find<'c>(catalog: &'c SourceCatalog, name: &str) -> Result<&'c TableSchema> {
    catalog
        .tables
        .iter()
        .find(|table| table.name == name)
        .ok_or_else(|| Error::not_proven("the target does not have the table").in_table(name))
}

/// Does the table that was made have the columns and the key that the snapshot's rows are in?
pub(super) fn check_shape(made: &TableSchema, wanted: &TableSchema) -> Result<()> {
    let options = |table: &TableSchema| OPTIONS.map(|name| table.option(name).map(str::to_owned));
    let difference = if made.columns != wanted.columns {
        "columns"
    } else if made.generated != wanted.generated {
        "generated columns"
    } else if made.key != wanted.key {
        "a key"
    } else if options(made) != options(wanted) {
        "options"
    } else {
        return Ok(());
    };
    Err(super::chosen::contradiction(format!(
        "a table whose definition gives it other {difference} than its rows have"
    ))
    .in_table(&wanted.name))
}

/// Compares definitions: those of tables and what is attached to them, and of views, triggers and virtual tables.
pub(super) fn check_definitions(catalog: &SourceCatalog, chosen: &Chosen<'_>) -> Result<()> {
    for table in &chosen.tables {
        let wanted = table.schema();
        let made = find(catalog, &wanted.name)?;
        check_shape(made, wanted)?;
        if made.definition != wanted.definition {
            return Err(Error::not_proven("the target has another definition").in_table(&wanted.name));
        }
        if names(&made.attached) != names(&wanted.attached) {
            return Err(Error::not_proven("the target has other indexes or triggers").in_table(&wanted.name));
        }
    }
    let attached = catalog.tables.iter().flat_map(|table| &table.attached);
    let made = names(catalog.objects.iter().chain(attached));
    match names(chosen.objects()).into_iter().find(|wanted| made.binary_search(wanted).is_err()) {
        Some((kind, name, _)) => {
            Err(Error::not_proven(format!("the target does not have {kind} \"{name}\" as it was")))
        }
        None => Ok(()),
    }
}

fn names<'o>(objects: impl IntoIterator<Item = &'o SchemaObject>) -> Vec<(&'o str, &'o str, &'o str)> {
    let mut names: Vec<_> = objects
        .into_iter()
        .map(|object| (object.kind.as_str(), object.name.as_str(), object.definition.as_str()))
        .collect();
    names.sort_unstable();
    names
}

/// Reads a restored table back and compares it with the snapshot's.
pub(super) fn check_rows(
    source: &SqliteSource<'_>,
    table: &ChosenTable<'_>,
    encodings: Encodings,
    observer: &dyn Observer,
) -> Result<()> {
    let wanted = table.schema();
    let made = find(source.catalog(), &wanted.name)?;
    observer.begin(Phase::Prove, Some(&wanted.name), Some(table.rows()), None);
    if !encodings.same && wanted.option("without_rowid").is_some() {
        // Texts compare by their stored bytes: in the other encoding the rows stand in another order.
        return check_rows_in_any_order(source, made, table, observer);
    }
    let mut fingerprinter = Fingerprinter::new(wanted);
    source.read_table(made, &mut Watched::new(observer, &mut fingerprinter))?;
    let found = fingerprinter.finish();
    let wanted = &table.wanted().fingerprint;
    if found.table == wanted.table && found.rows == wanted.rows {
        return Ok(());
    }
    Err(differs(table, &found))
}

fn check_rows_in_any_order(
    source: &SqliteSource<'_>,
    made: &TableSchema,
    table: &ChosenTable<'_>,
    observer: &dyn Observer,
) -> Result<()> {
    let wanted = table.sum(made, observer)?;
    let mut found = RowSum::new(made);
    source.read_table(made, &mut Watched::new(observer, &mut found))?;
    if found.is_same(&wanted) {
        return Ok(());
    }
    Err(not_the_snapshots(&made.name))
}

fn differs(table: &ChosenTable<'_>, found: &TableFingerprint) -> Error {
    let (schema, wanted) = (table.schema(), &table.wanted().fingerprint);
    if found.rows != wanted.rows {
        let of = if table.rules().is_empty() { "the snapshot has" } else { "to be restored were" };
        return Error::not_proven(format!("{} rows were read back, {of} {}", found.rows, wanted.rows))
            .in_table(&schema.name);
    }
    let pairs = wanted.columns.iter().zip(&found.columns).zip(&schema.columns);
    let columns: Vec<String> = pairs
        .filter(|((wanted, found), _)| wanted != found)
        .map(|(_, column)| format!("\"{}\"", column.name))
        .collect();
    not_the_snapshots(&schema.name).noting(format_args!("columns that differ: {}", columns.join(", ")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn made(definition: &str) -> TableSchema {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("{definition}; BEGIN")).unwrap();
        let source = SqliteSource::over(&connection).unwrap();
        find(source.catalog(), "t").unwrap().clone()
    }

    #[test]
    fn any_other_shape_is_seen() {
        let definitions = [
            "CREATE TABLE t(a, b)",
            "CREATE TABLE t(a, c)",
            "CREATE TABLE t(b, a)",
            "CREATE TABLE t(a, b TEXT)",
            "CREATE TABLE t(a, b NOT NULL)",
            "CREATE TABLE t(a, b, c AS (a))",
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b)",
            "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b)",
            "CREATE TABLE t(a PRIMARY KEY, b) WITHOUT ROWID",
            "CREATE TABLE t(a PRIMARY KEY COLLATE NOCASE, b) WITHOUT ROWID",
            "CREATE TABLE t(a, b, PRIMARY KEY (a DESC)) WITHOUT ROWID",
            "CREATE TABLE t(a ANY, b ANY)",
            "CREATE TABLE t(a ANY, b ANY) STRICT",
        ];
        for (at, definition) in definitions.iter().enumerate() {
            for (other_at, other) in definitions.iter().enumerate() {
                let result = check_shape(&made(definition), &made(other));
                assert_eq!(result.is_ok(), at == other_at, "{definition} / {other}");
            }
        }
    }
}
