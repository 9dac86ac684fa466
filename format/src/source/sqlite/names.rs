//! Names in SQL. Every name is quoted, always: quotes, spaces, newlines, keywords, Unicode and the empty name are names.

/// The name as a quoted identifier: `my "table"` becomes `"my ""table"""`.
///
/// Within a statement, columns are also qualified with their table ([`column`]), because an unqualified `"name"` that
/// matches no column is taken for the *text* 'name' on connections that allow it.
pub(crate) fn quote(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for character in name.chars() {
        if character == '"' {
            quoted.push('"');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// What the table being read is called inside statements, whatever its name is; but where a user's condition stands in one,
/// which calls it by its name.
pub(super) const TABLE_ALIAS: &str = "t";

/// A column of the table that a statement calls `alias`, qualified so that it can be nothing else.
pub(super) fn column(alias: &str, name: &str) -> String {
    format!("{alias}.{}", quote(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_nothing_else_changes() {
        assert_eq!(quote(r#"my "table""#), r#""my ""table""""#);
        assert_eq!(quote(""), r#""""#);
        assert_eq!(quote("a\nb'c;--"), "\"a\nb'c;--\"");
        assert_eq!(column(TABLE_ALIAS, "rowid"), r#"t."rowid""#);
    }
}
