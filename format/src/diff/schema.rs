//! What differs between two schemas, and between the objects of two catalogs.

use std::collections::BTreeMap;

use super::columns::Pairing;
use super::report::{ChangeKind, SchemaChange};
use crate::model::{Column, Filter, SchemaObject, TableSchema};

/// What differs between two states of a table beyond its rows. The place in the order of creation is not looked at.
pub(super) fn of_tables<'s>(pairing: &Pairing<'s>) -> Vec<SchemaChange> {
    let (before, after) = (pairing.before, pairing.after);
    let computed = |schema: &'s TableSchema| schema.generated.iter().map(|name| (name.as_str(), ""));
    let mut changes = Vec::new();
    columns(pairing, &mut changes);
    by_name("computed column", computed(before), computed(after), &mut changes);
    one("key", key(before), key(after), &mut changes);
    one("role", before.role.clone(), after.role.clone(), &mut changes);
    one("definition", before.definition.clone(), after.definition.clone(), &mut changes);
    by_name("option", before.options.iter().map(pair), after.options.iter().map(pair), &mut changes);
    changes.extend(of_objects(&before.attached, &after.attached));
    changes
}

/// What differs between two lists of objects, each known by its kind and name.
pub(super) fn of_objects<'o>(
    before: impl IntoIterator<Item = &'o SchemaObject>,
    after: impl IntoIterator<Item = &'o SchemaObject>,
) -> Vec<SchemaChange> {
    let mut old: BTreeMap<(&str, &str), Vec<&'o SchemaObject>> = BTreeMap::new();
    for object in before {
        old.entry((&object.kind, &object.name)).or_default().push(object);
    }
    // Grants on one table, for instance, are several of one name: the same ones are set aside first.
    let mut new = Vec::new();
    for object in after {
        let earlier = old.entry((&object.kind, &object.name)).or_default();
        let is_same =
            |earlier: &&SchemaObject| (&earlier.definition, &earlier.table) == (&object.definition, &object.table);
        match earlier.iter().position(is_same) {
            Some(place) => drop(earlier.remove(place)),
            None => new.push(object),
        }
    }
    let mut changes = Vec::new();
    for object in new {
        let earlier = old.get_mut(&(object.kind.as_str(), object.name.as_str()));
        let before = earlier.and_then(|earlier| (!earlier.is_empty()).then(|| earlier.remove(0).definition.clone()));
        changes.extend(change(&object.kind, &object.name, before, Some(object.definition.clone())));
    }
    for ((kind, name), left) in old {
        for object in left {
            changes.extend(change(kind, name, Some(object.definition.clone()), None));
        }
    }
    changes
}

/// What differs between the settings of two databases.
pub(super) fn of_settings(before: &[(String, String)], after: &[(String, String)]) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    by_name("setting", before.iter().map(pair), after.iter().map(pair), &mut changes);
    changes
}

/// What differs between the rules by which rows were left out. From when ages were counted is another instant in every snapshot, and
/// not looked at.
pub(super) fn of_filters(before: &[Filter], after: &[Filter]) -> Vec<SchemaChange> {
    let rule = |filter: &Filter| match filter {
        Filter::Where { expression } => ("where".to_owned(), expression.clone()),
        Filter::Expire(rule) => (format!("expire {}", rule.column), format!("{} µs", rule.age)),
    };
    let (before, after): (Vec<_>, Vec<_>) = (before.iter().map(rule).collect(), after.iter().map(rule).collect());
    let mut changes = Vec::new();
    let only = |these: &[(String, String)], others: &[(String, String)]| -> Vec<(String, String)> {
        these.iter().filter(|rule| !others.contains(rule)).cloned().collect()
    };
    for (name, value) in only(&before, &after) {
        changes.extend(change("filter", &name, Some(value), None));
    }
    for (name, value) in only(&after, &before) {
        changes.extend(change("filter", &name, None, Some(value)));
    }
    changes
}

fn columns(pairing: &Pairing<'_>, changes: &mut Vec<SchemaChange>) {
    let (old, new) = (&pairing.before.columns, &pairing.after.columns);
    for (index, column) in old.iter().enumerate() {
        if !pairing.common.iter().any(|(before, _)| *before == index) {
            changes.extend(change("column", &column.name, Some(describe(column)), None));
        }
    }
    for (index, column) in new.iter().enumerate() {
        let earlier = pairing.common.iter().find(|(_, after)| *after == index).and_then(|(before, _)| old.get(*before));
        let (is, was) = (describe(column), earlier.map(describe));
        if was.as_ref() != Some(&is) || earlier.is_some_and(|earlier| earlier.logical != column.logical) {
            changes.extend(change("column", &column.name, was, Some(is)));
        }
    }
    if !pairing.common.is_sorted() {
        let names =
            |columns: &[Column]| columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        one("column order", names(old), names(new), changes);
    }
}

/// A column's type and what else is said of it.
fn describe(column: &Column) -> String {
    let mut text = column.declared_type.clone();
    for (is_so, words) in [(!column.nullable, "NOT NULL"), (column.hidden, "hidden")] {
        if is_so {
            text.push_str(if text.is_empty() { "" } else { " " });
            text.push_str(words);
        }
    }
    text
}

/// A key's columns, as in a definition.
fn key(schema: &TableSchema) -> String {
    let parts = schema.key.iter().map(|part| {
        let name = schema.columns.get(part.column as usize).map_or("", |column| column.name.as_str());
        let collation = match part.collation.as_str() {
            "BINARY" => String::new(),
            other => format!(" COLLATE {other}"),
        };
        format!("{name}{collation}{}", if part.descending { " DESC" } else { "" })
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn pair((name, value): &(String, String)) -> (&str, &str) {
    (name, value)
}

fn by_name<'n>(
    what: &str,
    before: impl Iterator<Item = (&'n str, &'n str)>,
    after: impl Iterator<Item = (&'n str, &'n str)>,
    changes: &mut Vec<SchemaChange>,
) {
    let mut old: BTreeMap<&str, &str> = before.collect();
    for (name, value) in after {
        let earlier = old.remove(name);
        if earlier != Some(value) {
            changes.extend(change(what, name, earlier.map(str::to_owned), Some(value.to_owned())));
        }
    }
    for (name, value) in old {
        changes.extend(change(what, name, Some(value.to_owned()), None));
    }
}

/// Of what a table has one.
fn one(what: &str, before: String, after: String, changes: &mut Vec<SchemaChange>) {
    if before != after {
        changes.extend(change(what, "", Some(before), Some(after)));
    }
}

fn change(what: &str, name: &str, before: Option<String>, after: Option<String>) -> Option<SchemaChange> {
    let kind = match (&before, &after) {
        (None, Some(_)) => ChangeKind::Added,
        (Some(_), None) => ChangeKind::Removed,
        (Some(_), Some(_)) => ChangeKind::Changed,
        (None, None) => return None,
    };
    Some(SchemaChange { what: what.to_owned(), name: name.to_owned(), kind, before, after })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Expire;

    fn object(kind: &str, name: &str, definition: &str) -> SchemaObject {
        SchemaObject {
            kind: kind.into(),
            name: name.into(),
            table: "t".into(),
            definition: definition.into(),
            position: 0,
        }
    }

    #[test]
    fn objects_are_known_by_kind_and_name() {
        let before = [object("index", "a", "1"), object("index", "b", "2"), object("trigger", "c", "3")];
        let after = [object("trigger", "c", "3"), object("index", "b", "4"), object("trigger", "a", "1")];
        let found: Vec<_> = of_objects(&before, &after)
            .into_iter()
            .map(|change| (change.what, change.name, change.kind, change.before, change.after))
            .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                ("index".into(), "b".into(), ChangeKind::Changed, text("2"), text("4")),
                ("trigger".into(), "a".into(), ChangeKind::Added, None, text("1")),
                ("index".into(), "a".into(), ChangeKind::Removed, text("1"), None),
            ]
        );
    }

    #[test]
    fn of_several_objects_of_one_name_each_is_known() {
        let [a, b, c] = ["1", "2", "3"].map(|definition| object("privileges", "t", definition));
        assert!(of_objects([&a, &b], [&b, &a]).is_empty());
        let found = of_objects([&a, &b], [&c, &a]);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|change| change.kind == ChangeKind::Changed && change.before.as_deref() == Some("2")));
    }

    #[test]
    fn rules_are_compared_without_the_instant_of_the_dump() {
        let expire = |age, instant| Filter::Expire(Expire { column: "at".into(), age, instant });
        let only = |expression: &str| Filter::Where { expression: expression.into() };
        let told = |before: &[Filter], after: &[Filter]| -> Vec<_> {
            of_filters(before, after).into_iter().map(|change| (change.name, change.kind)).collect()
        };
        assert!(told(&[expire(5, 1), only("a")], &[only("a"), expire(5, 2)]).is_empty());
        assert_eq!(
            told(&[expire(5, 1), only("a")], &[expire(6, 1)]),
            [
                ("expire at".to_owned(), ChangeKind::Removed),
                ("where".to_owned(), ChangeKind::Removed),
                ("expire at".to_owned(), ChangeKind::Added)
            ]
        );
    }

    #[test]
    fn settings_that_are_the_same_are_not_told() {
        let pairs = |values: &[(&str, &str)]| {
            values.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
        };
        let changes = of_settings(&pairs(&[("a", "1"), ("b", "2")]), &pairs(&[("b", "3"), ("a", "1")]));
        assert_eq!(changes.len(), 1);
        assert!(changes.iter().all(|change| change.name == "b" && change.kind == ChangeKind::Changed));
    }
}
