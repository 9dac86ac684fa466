//! Virtual tables that may hold words of rows that are erased: full-text indexes and the like keep them in tables of their
//! own, in forms that only their module knows, and rows cannot be taken out of those.

use crate::model::{SchemaObject, TableSchema};

/// Names of the virtual tables among `objects` that may hold what rows of a table hold: their definition names it, or a
/// trigger on it names them.
pub(super) fn holding(table: &TableSchema, objects: &[SchemaObject]) -> Vec<String> {
    let virtual_tables = objects.iter().filter(|object| object.kind == "virtual table");
    let holds = |object: &&SchemaObject| {
        names(&object.definition, &table.name)
            || table.attached.iter().any(|of| of.kind == "trigger" && names(&of.definition, &object.name))
    };
    virtual_tables.filter(holds).map(|object| object.name.clone()).collect()
}

/// Does a statement have this name in it, as a word? Says yes too often rather than too rarely.
fn names(statement: &str, name: &str) -> bool {
    let (statement, name) = (statement.to_lowercase(), name.to_lowercase());
    let is_inside = |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_');
    statement.match_indices(&name).any(|(at, found)| {
        let before = statement.get(..at).and_then(|before| before.chars().next_back());
        let after = statement.get(at + found.len()..).and_then(|after| after.chars().next());
        let goes_on_before = is_inside(before) && is_inside(name.chars().next());
        let goes_on_behind = is_inside(after) && is_inside(name.chars().next_back());
        !goes_on_before && !goes_on_behind
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_in_whatever_quotes() {
        for statement in
            ["USING fts5(a, content=Docs)", "content='docs'", "content=\"docs\"", "[docs]", "INSERT INTO docs(a)"]
        {
            assert!(names(statement, "docs"), "{statement}");
        }
        for statement in ["docs_fts", "mydocs", "doc"] {
            assert!(!names(statement, "docs"), "{statement}");
        }
        assert!(names("INSERT INTO \"a b\" VALUES", "a b"));
        assert!(names("x-y", "-"));
    }
}
