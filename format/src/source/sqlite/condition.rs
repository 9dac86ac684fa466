//! Conditions that users write, and that stand in the statement which reads a table.
//!
//! A condition must be one expression. SQLite would take `a) OR (b` or `a) LIMIT (5` for what they make of the statement
//! around them, so the parentheses of a condition must match by themselves; and nothing in it may hide one, as a
//! comment would.

use rusqlite::Connection;

use super::names::quote;
use super::stand_ins::is_known;
use crate::error::{Error, Result};
use crate::model::TableSchema;

/// All conditions of a table as one, each checked. Fails (`is_request`) if one of them is no expression that SQLite can
/// evaluate for this table.
pub(super) fn checked(connection: &Connection, table: &TableSchema, conditions: &[&str]) -> Result<String> {
    if let Some(part) = table.key.iter().find(|part| !is_known(connection, &part.collation)) {
        let why = format!("a condition cannot be evaluated: the key's collation {} is not known here", part.collation);
        return Err(Error::request(why).in_table(&table.name).with_hint("dump the whole table"));
    }
    let mut all = Vec::with_capacity(conditions.len());
    for condition in conditions {
        let refused = |why: &str| {
            Error::request(format!("the condition \"{condition}\" is not one SQL expression: {why}"))
                .in_table(&table.name)
        };
        find_fault(condition).map_or(Ok(()), |fault| Err(refused(fault)))?;
        let name = quote(&table.name);
        // In parentheses a query is an expression, and without them it is none.
        for place in [format!("({condition})"), format!("CASE WHEN {condition} THEN 1 END")] {
            let sql = format!("SELECT 1 FROM main.{name} AS {name} WHERE {place}");
            let statement = connection.prepare(&sql).map_err(|cause| {
                let error = refused(&cause.to_string()).with_cause(cause);
                error.with_hint("names of columns stand in double quotes or without any, texts in single ones")
            })?;
            if statement.parameter_count() > 0 {
                return Err(refused("it has a parameter, which nothing gives a value"));
            }
        }
        all.push(format!("({condition})"));
    }
    Ok(all.join(" AND "))
}

/// What keeps a text from being one expression, as far as its tokens tell. What they leave open SQLite decides.
fn find_fault(condition: &str) -> Option<&'static str> {
    let mut depth = 0_u32;
    let mut rest = condition.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' | '`' | '[' => {
                // A doubled quote ends one and begins another.
                let end = if character == '[' { ']' } else { character };
                if !rest.any(|next| next == end) {
                    return Some("a quote has no end");
                }
            }
            '(' => depth += 1,
            ')' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some("a parenthesis closes that was not opened"),
            },
            '-' if rest.peek() == Some(&'-') => return Some("it has a comment"),
            '/' if rest.peek() == Some(&'*') => return Some("it has a comment"),
            ';' => return Some("it has a semicolon"),
            '\0' => return Some("it has a NUL character"),
            // `$name(…)` and the like are one token to SQLite, parentheses and all.
            '?' | '$' | '@' | ':' | '#' => return Some("it has a parameter or a character that needs quotes"),
            _ => {}
        }
    }
    (depth > 0).then_some("a parenthesis is not closed")
}

/// The error for a table whose rows take two statements, which a condition need not treat alike.
pub(super) fn too_wide(table: &TableSchema) -> Error {
    Error::request(format!("a table of {} columns can only be dumped as a whole", table.columns.len()))
        .in_table(&table.name)
        .with_hint("leave the condition out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_expression_has_no_fault() {
        for sound in [
            "a = 1",
            "(a) OR (b)",
            "a = ')' AND \"b)\" = `c(` AND [d)] = 'it''s (;--/*?'",
            "a IN (SELECT b FROM c WHERE (d))",
            "a - -1 / 2 * 3",
            "a ->> '$.b' = 1",
        ] {
            assert_eq!(find_fault(sound), None, "{sound}");
        }
    }

    #[test]
    fn what_leaves_its_parentheses_is_found() {
        for unsound in [
            "a) OR (b",
            "a) LIMIT (5",
            "1) UNION SELECT * FROM c WHERE (1",
            "(a",
            "a)",
            "a -- b",
            "a /* b",
            "a /* b */",
            "a; b",
            "a;",
            "'a",
            "\"a",
            "`a",
            "[a",
            "'a''",
            "a = ?",
            "a = ?1",
            "a = :b",
            "a = @b",
            "a = $b",
            "a = $b(')')",
            "a\0",
        ] {
            assert!(find_fault(unsound).is_some(), "{unsound}");
        }
    }
}
