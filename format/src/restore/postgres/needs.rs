//! What the chosen part of a snapshot needs of the rest: types, functions, sequences, schemas and extensions that its definitions
//! name. Definitions name everything with its schema, so names tell.
//!
//! What stands in the bodies of functions is not looked at: the server finds it when they run.

use std::collections::{BTreeMap, BTreeSet};

use super::chosen::is_relation;
use super::placement::{Place, relation_place};
use crate::model::SchemaObject;
use crate::postgres::tokens::{Kind, tokens};

/// Kinds that are about something else, by its name, and go with it.
const ABOUT: [&str; 9] = [
    "comment",
    "domain constraint",
    "operator family members",
    "owner",
    "privileges",
    "sequence owner",
    "sequence value",
    "statistics settings",
    "text search mapping",
];

/// Kinds that nothing names and that are used where all that they name is there.
const UNNAMED: [&str; 3] = ["cast", "operator class", "operator family"];

/// All names with a schema in a definition, also in constants that hold nothing else.
pub(super) fn names(definition: &str) -> BTreeSet<Place> {
    let mut found = BTreeSet::new();
    let Some(all) = tokens(definition) else { return found };
    let solid: Vec<_> = all.iter().filter(|token| token.kind != Kind::Blank).collect();
    for (place, token) in solid.iter().enumerate() {
        let after_dot = place > 0 && solid.get(place - 1).is_some_and(|before| before.text == ".");
        if after_dot || solid.get(place + 1).is_none_or(|dot| dot.text != ".") {
            if token.kind == Kind::Text
                && let Some(inner) = token.text.get(1..token.text.len().saturating_sub(1))
                && let Some((schema, name)) = relation_place(&inner.replace("''", "'"))
                && inner.contains('.')
            {
                found.insert((schema, name));
            }
            continue;
        }
        let Some(schema) = token.name() else { continue };
        let Some(next) = solid.get(place + 2) else { continue };
        match next.name() {
            Some(name) => found.insert((schema, name)),
            // An operator: its characters, up to the parenthesis or the comma behind it.
            None => {
                let marks = solid
                    .iter()
                    .skip(place + 2)
                    .take_while(|mark| mark.kind == Kind::Mark && !matches!(mark.text, "(" | ")" | "," | ";" | "."));
                found.insert((schema, marks.map(|mark| mark.text).collect()))
            }
        };
    }
    found
}

/// The place of an object: what stands before the types of a function's or operator's arguments.
fn place_of(object: &SchemaObject) -> Option<Place> {
    let name = object.name.as_str();
    if !matches!(object.kind.as_str(), "function" | "aggregate" | "operator") {
        return relation_place(name);
    }
    let quoted = |upto: &str| upto.matches('"').count().is_multiple_of(2);
    let end = name.match_indices('(').map(|(at, _)| at).find(|at| name.get(..*at).is_some_and(quoted))?;
    name.get(..end).map(str::trim).and_then(relation_place)
}

/// The place of the multirange type that a range type brings along.
fn multirange_of(object: &SchemaObject) -> Option<Place> {
    let (_, name) = object.definition.split_once(" MULTIRANGE_TYPE_NAME = ").filter(|_| object.kind == "type")?;
    names(name).pop_first()
}

/// Of all objects of a catalog that are no relations and belong to none, those that definitions need, by their index.
pub(super) fn needed(definitions: &[&str], objects: &[SchemaObject], relations: &BTreeSet<Place>) -> BTreeSet<usize> {
    let mut by_place: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
    for (at, object) in objects.iter().enumerate() {
        let is_named = !is_relation(object)
            && !ABOUT.contains(&object.kind.as_str())
            && !UNNAMED.contains(&object.kind.as_str())
            && !matches!(object.kind.as_str(), "schema" | "extension" | "default privileges");
        if is_named && let Some(place) = place_of(object) {
            by_place.entry(place).or_default().push(at);
            if let Some(place) = multirange_of(object) {
                by_place.entry(place).or_default().push(at);
            }
        }
    }
    let mut taken = BTreeSet::new();
    let mut mentioned: BTreeSet<Place> = BTreeSet::new();
    let mut waiting: Vec<BTreeSet<Place>> = definitions.iter().map(|definition| names(definition)).collect();
    loop {
        while let Some(names) = waiting.pop() {
            for name in names {
                if !mentioned.insert(name.clone()) {
                    continue;
                }
                let of_name = by_place.get(&name).map_or(&[][..], Vec::as_slice);
                for at in of_name {
                    let Some(object) = objects.get(*at) else { continue };
                    let own = self::names(&object.definition);
                    // Of functions of one name, the one that needs a table that is not there is not the one that was meant.
                    let lacks = own.iter().any(|name| relations.contains(name) && !mentioned.contains(name));
                    if (of_name.len() == 1 || !lacks) && taken.insert(*at) {
                        waiting.push(own);
                    }
                }
            }
        }
        for (at, object) in objects.iter().enumerate().filter(|(_, object)| UNNAMED.contains(&object.kind.as_str())) {
            let own = names(&object.definition);
            let own_place = place_of(object);
            let of_types = |name: &&Place| {
                by_place.get(*name).is_some_and(|all| {
                    all.iter().filter_map(|at| objects.get(*at)).any(|object| {
                        matches!(object.kind.as_str(), "type" | "domain" | "shell type" | "operator" | "function")
                    })
                })
            };
            let is_mentioned = own_place.is_some_and(|place| mentioned.contains(&place));
            let types: Vec<&Place> = own.iter().filter(of_types).collect();
            let is_used = is_mentioned
                || !types.is_empty() && types.iter().any(|name| is_type_taken(name, &by_place, objects, &taken));
            let is_whole = own.iter().all(|name| !relations.contains(name) || mentioned.contains(name));
            if is_used && is_whole && taken.insert(at) {
                waiting.push(own);
            }
        }
        if waiting.is_empty() {
            break;
        }
    }
    let about: BTreeSet<&str> =
        taken.iter().filter_map(|at| objects.get(*at)).map(|object| object.name.as_str()).collect();
    let mut along = BTreeSet::new();
    let schemas: BTreeSet<&str> = mentioned.iter().map(|(schema, _)| schema.as_str()).collect();
    for (at, object) in objects.iter().enumerate() {
        let goes = match object.kind.as_str() {
            "schema" => schemas.contains(object.name.as_str()),
            // What an extension made is in no list: where something in its schema is nothing of the snapshot's, it may be that.
            "extension" if object.name == "btree_gist" || object.name == "btree_gin" => {
                // Its operator classes are the defaults of their types, which nothing names.
                let method = format!(" USING {} ", object.name.trim_start_matches("btree_"));
                definitions.iter().any(|definition| definition.contains(&method))
            }
            "extension" => mentioned.iter().any(|place| {
                schema_of_extension(&object.definition).as_ref() == Some(&place.0)
                    && !by_place.contains_key(place)
                    && !relations.contains(place)
            }),
            kind => {
                ABOUT.contains(&kind) && (about.contains(object.name.as_str()) || about.contains(object.table.as_str()))
            }
        };
        if goes {
            along.insert(at);
        }
    }
    let made: BTreeSet<&str> =
        along.iter().filter_map(|at| objects.get(*at)).map(|object| object.name.as_str()).collect();
    // An extension stands in a schema.
    let of_extensions = along.iter().filter_map(|at| objects.get(*at)).filter(|object| object.kind == "extension");
    let homes: BTreeSet<String> = of_extensions.filter_map(|object| schema_of_extension(&object.definition)).collect();
    let homes =
        objects.iter().enumerate().filter(|(_, object)| object.kind == "schema" && homes.contains(&object.name));
    let homes: Vec<usize> = homes.map(|(at, _)| at).collect();
    // What is said of schemas that are made is made too.
    let said = objects.iter().enumerate().filter(|(_, object)| {
        matches!(object.kind.as_str(), "comment" | "owner" | "privileges")
            && object.name != "public"
            && made.contains(object.name.as_str())
            && object.table == object.name
    });
    along.extend(said.map(|(at, _)| at).collect::<Vec<_>>());
    along.extend(homes);
    taken.extend(along);
    taken
}

fn is_type_taken(
    name: &Place,
    by_place: &BTreeMap<Place, Vec<usize>>,
    objects: &[SchemaObject],
    taken: &BTreeSet<usize>,
) -> bool {
    by_place.get(name).into_iter().flatten().any(|at| {
        taken.contains(at)
            && objects.get(*at).is_some_and(|object| matches!(object.kind.as_str(), "type" | "domain" | "shell type"))
    })
}

/// `s` of `CREATE EXTENSION x WITH SCHEMA s`.
fn schema_of_extension(definition: &str) -> Option<String> {
    let all = tokens(definition)?;
    let mut solid = all.iter().filter(|token| token.kind != Kind::Blank);
    solid.find(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case("schema"))?;
    solid.next()?.name()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, name: &str, definition: &str) -> SchemaObject {
        let text = |text: &str| text.to_owned();
        SchemaObject {
            kind: text(kind),
            name: text(name),
            table: text(name),
            definition: text(definition),
            position: 0,
        }
    }

    #[test]
    fn names_are_found_with_their_schemas() {
        let found = names(
            "CREATE TABLE public.t (a app.\"Mood x\" DEFAULT app.f('a.b'::text), b integer DEFAULT nextval('app.s'::regclass)
             CHECK (a OPERATOR(app.===) b))",
        );
        let names: Vec<(&str, &str)> = found.iter().map(|(schema, name)| (schema.as_str(), name.as_str())).collect();
        assert_eq!(names, [("a", "b"), ("app", "==="), ("app", "Mood x"), ("app", "f"), ("app", "s"), ("public", "t")]);
    }

    #[test]
    fn a_multirange_type_comes_with_its_range_type() {
        let objects = [
            object(
                "type",
                "app.hours",
                "CREATE TYPE app.hours AS RANGE (SUBTYPE = time, MULTIRANGE_TYPE_NAME = app.\"(Many)\")",
            ),
            object("type", "app.others", "CREATE TYPE app.others AS RANGE (SUBTYPE = time)"),
        ];
        let table = "CREATE TABLE public.t (a app.\"(Many)\")";
        assert_eq!(needed(&[table], &objects, &BTreeSet::new()), BTreeSet::from([0]));
    }

    #[test]
    fn what_is_named_is_taken_with_what_it_names() {
        let objects = [
            object("schema", "app", "CREATE SCHEMA app"),
            object("schema", "other", "CREATE SCHEMA other"),
            object("type", "app.mood", "CREATE TYPE app.mood AS ENUM ('a')"),
            object("domain", "app.d", "CREATE DOMAIN app.d AS app.mood"),
            object(
                "function",
                "app.f(app.d)",
                "CREATE FUNCTION app.f(app.d) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            ),
            object(
                "function",
                "app.f(public.big)",
                "CREATE FUNCTION app.f(public.big) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            ),
            object("comment", "app.d", "COMMENT ON DOMAIN app.d IS 'x'"),
            object("comment", "app.e", "COMMENT ON DOMAIN app.e IS 'x'"),
            object("extension", "hstore", "CREATE EXTENSION hstore WITH SCHEMA other"),
        ];
        let relations = BTreeSet::from([("public".to_owned(), "big".to_owned())]);
        let taken = needed(&["CREATE TABLE public.t (a integer CHECK (app.f(a) > 0))"], &objects, &relations);
        assert_eq!(taken.into_iter().collect::<Vec<_>>(), [0, 2, 3, 4, 6]);
        let taken = needed(&["CREATE TABLE public.t (a other.hstore)"], &objects, &relations);
        assert_eq!(taken.into_iter().collect::<Vec<_>>(), [1, 8]);
    }
}
