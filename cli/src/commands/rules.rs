//! `--where` and `--expire`: what is written on the command line, and the rules for tables that it stands for.

use tabark::Error;
use tabark::history::duration::Duration;
use tabark::model::{Expire, Filter, TableSchema};
use tabark::selection::{table_and_column, table_and_expression};

/// The rules of a dump, each with its table's name.
pub(super) fn of_dump(
    conditions: &[String],
    ages: &[(String, Duration)],
    instant: i64,
    tables: &[TableSchema],
) -> Result<Vec<(String, Filter)>, Error> {
    let names = || tables.iter().map(|table| table.name.as_str());
    let mut rules = Vec::with_capacity(conditions.len() + ages.len());
    for text in conditions {
        let (table, expression) = table_and_expression(text, tables, names())?;
        rules.push((table, Filter::Where { expression }));
    }
    for (place, age) in ages {
        let (table, rule) = expire((place, *age), instant, tables, names())?;
        rules.push((table, Filter::Expire(rule)));
    }
    Ok(rules)
}

/// The rule that `TABLE.COLUMN` and an age stand for, and its table's name. `tables` are at least those that may be meant.
pub(super) fn expire<'n>(
    (place, age): (&str, Duration),
    instant: i64,
    tables: &[TableSchema],
    names: impl Iterator<Item = &'n str>,
) -> Result<(String, Expire), Error> {
    let (table, column) = table_and_column(place, tables, names)?;
    Ok((table, Expire { column, age: instant.abs_diff(age.before(instant)), instant }))
}
