//! What things are called in an archive.

/// The name of something in a schema: its own name where the schema is `public`, else `schema.name`. A part in which a dot or
/// a double quote stands is written as a quoted identifier, so that no two things share a name.
pub(crate) fn archive_name(schema: &str, name: &str) -> String {
    if schema == "public" { part(name) } else { format!("{}.{}", part(schema), part(name)) }
}

fn part(name: &str) -> String {
    if name.contains(['.', '"']) { crate::postgres::sql::quote(name) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_things_share_a_name() {
        assert_eq!(archive_name("public", "users"), "users");
        assert_eq!(archive_name("shop", "users"), "shop.users");
        assert_eq!(archive_name("public", "shop.users"), "\"shop.users\"");
        assert_eq!(archive_name("a.b", "c"), "\"a.b\".c");
        assert_eq!(archive_name("a", "b.c"), "a.\"b.c\"");
        assert_eq!(archive_name("public", "say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(archive_name("public", "two\nlines"), "two\nlines");
    }
}
