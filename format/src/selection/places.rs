//! `TABLE.COLUMN` and `TABLE=SQL` as people write them. Names may hold dots and equals signs themselves, so it is the
//! tables there are that say where the name of one ends: the longest that fits.

use super::{near_misses, no_such_table};
use crate::error::{Error, Result};
use crate::model::TableSchema;

/// Table and column of a text `TABLE.COLUMN`: of the tables whose name it begins with, the longest that has the column.
///
/// `tables` are at least those whose names the text begins with, `names` all that might have been meant.
pub fn table_and_column<'n>(
    text: &str,
    tables: &[TableSchema],
    names: impl Iterator<Item = &'n str>,
) -> Result<(String, String)> {
    let candidates = candidates(text, '.', tables);
    let has = |(table, column): &&(&TableSchema, &str)| table.columns.iter().any(|known| known.name == *column);
    if let Some((table, column)) = candidates.iter().find(has) {
        return Ok((table.name.clone(), (*column).to_owned()));
    }
    match candidates.first() {
        Some((table, column)) => Err(no_such_column(table, column)),
        None if text.contains('.') => Err(no_such_table(text.rsplit_once('.').map_or(text, |(table, _)| table), names)),
        None => Err(Error::request(format!("\"{text}\" names no column")).with_hint("write TABLE.COLUMN")),
    }
}

/// Table and expression of a text `TABLE=SQL`. `names` are those of all tables.
pub fn table_and_expression<'n>(
    text: &str,
    tables: &[TableSchema],
    names: impl Iterator<Item = &'n str>,
) -> Result<(String, String)> {
    match candidates(text, '=', tables).first() {
        Some((table, expression)) => Ok((table.name.clone(), (*expression).to_owned())),
        None => match text.split_once('=') {
            Some((table, _)) => Err(no_such_table(table, names)),
            None => Err(Error::request(format!("\"{text}\" has no condition")).with_hint("write TABLE=SQL")),
        },
    }
}

/// Tables whose name and the separator the text begins with, and what follows; the longest name first.
fn candidates<'a>(text: &'a str, separator: char, tables: &'a [TableSchema]) -> Vec<(&'a TableSchema, &'a str)> {
    let rest = |table: &TableSchema| text.strip_prefix(table.name.as_str())?.strip_prefix(separator);
    let mut found: Vec<_> = tables.iter().filter_map(|table| Some((table, rest(table)?))).collect();
    found.sort_by_key(|(table, _)| std::cmp::Reverse(table.name.len()));
    found
}

/// The error for a column that is not stored, or not there.
fn no_such_column(table: &TableSchema, column: &str) -> Error {
    if table.generated.iter().any(|name| name == column) {
        return Error::request(format!("column \"{column}\" is computed and not stored"))
            .in_table(&table.name)
            .with_hint("name a column that it is computed from, or write a condition");
    }
    let error = Error::request(format!("there is no column \"{column}\"")).in_table(&table.name);
    match near_misses(column, table.columns.iter().map(|column| column.name.as_str())) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Column;

    fn tables() -> Vec<TableSchema> {
        let column = |name: &&str| Column {
            name: (*name).into(),
            declared_type: String::new(),
            logical: 0,
            nullable: true,
            hidden: false,
        };
        let table = |name: &str, columns: &[&str]| TableSchema {
            name: name.into(),
            role: "table".into(),
            definition: String::new(),
            position: 0,
            columns: columns.iter().map(column).collect(),
            generated: vec!["computed".into()],
            key: vec![],
            options: vec![],
            attached: vec![],
        };
        vec![table("a", &["b", "b.c", "d.e"]), table("a.b", &["c", "created"]), table("a=b", &["c"])]
    }

    #[test]
    fn the_longest_table_that_has_the_column_is_meant() {
        let tables = tables();
        let find = |text: &str| {
            let names = tables.iter().map(|table| table.name.as_str());
            table_and_column(text, &tables, names)
        };
        let pair = |table: &str, column: &str| (table.to_owned(), column.to_owned());
        assert_eq!(find("a.b").unwrap(), pair("a", "b"));
        assert_eq!(find("a.b.c").unwrap(), pair("a.b", "c"));
        assert_eq!(find("a.d.e").unwrap(), pair("a", "d.e"));
        assert_eq!(find("a=b.c").unwrap(), pair("a=b", "c"));
        let error = find("a.b.craeted").unwrap_err();
        assert!(error.is_request() && error.hint().unwrap().contains("\"created\""), "{error}");
        assert!(find("a.computed").unwrap_err().message().contains("computed and not stored"));
        assert!(find("A.b").unwrap_err().message().contains("no table matches \"A\""));
        assert!(find("a").unwrap_err().hint().unwrap().contains("TABLE.COLUMN"));
    }

    #[test]
    fn the_longest_table_that_an_equals_sign_follows_is_meant() {
        let tables = tables();
        let find = |text: &str| {
            let names = tables.iter().map(|table| table.name.as_str());
            table_and_expression(text, &tables, names)
        };
        let pair = |table: &str, expression: &str| (table.to_owned(), expression.to_owned());
        assert_eq!(find("a=b > 1").unwrap(), pair("a", "b > 1"));
        assert_eq!(find("a=b=1").unwrap(), pair("a=b", "1"));
        assert_eq!(find("a.b=c='x=y'").unwrap(), pair("a.b", "c='x=y'"));
        assert!(find("c=1").unwrap_err().message().contains("no table matches \"c\""));
        assert!(find("a").unwrap_err().hint().unwrap().contains("TABLE=SQL"));
    }
}
