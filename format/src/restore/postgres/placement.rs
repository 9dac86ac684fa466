//! Where relations go: under their own names at once, or by way of a schema of their own.
//!
//! What gets another name or schema, or takes the place of something, is made in a *staging schema* under its own name first,
//! with everything that stands on it. When its rows are proven it is moved: the server then changes whatever refers to it. Names
//! are only rewritten from one schema to another, which definitions allow, since they name everything with its schema.

use std::collections::BTreeMap;

use super::chosen::{Chosen, is_relation, place_of};
use super::options::PostgresRestoreOptions;
use crate::error::{Error, Result};
use crate::model::SchemaObject;
use crate::postgres::tokens::{Kind, move_relations, tokens};

/// A relation's schema and name.
pub(super) type Place = (String, String);

/// Where a relation comes from, is made, and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// "table", "partitioned table", "view", "materialized view", "foreign table" or "sequence".
    pub(super) kind: String,
    /// Its name in the archive.
    pub(super) name: String,
    pub(super) from: Place,
    pub(super) made: Place,
    pub(super) to: Place,
}

impl Route {
    /// Is it made where it ends?
    pub(super) fn is_direct(&self) -> bool {
        self.made == self.to
    }
}

/// The routes of all relations that are restored.
pub(super) struct Placement {
    pub(super) routes: Vec<Route>,
    /// By where they come from: the schema in which they are made.
    made: BTreeMap<Place, String>,
    /// Sequences of the columns of relations that are restored: the relation's name in the archive, and the sequence's own.
    sequences: Vec<(String, String)>,
}

impl Placement {
    /// Decides where everything goes. `staged`: is a relation of this kind, from here to there, made in a staging schema?
    pub(super) fn of(
        chosen: &Chosen<'_>,
        options: &PostgresRestoreOptions,
        staging: &str,
        staged: &dyn Fn(&Place) -> bool,
    ) -> Result<Self> {
        let mut relations: Vec<(String, String, Place)> = Vec::new();
        for table in &chosen.tables {
            let (schema, name) = place_of(table.schema())?;
            relations.push(("table".into(), table.schema().name.clone(), (schema.into(), name.into())));
        }
        for object in chosen.before.iter().chain(&chosen.after) {
            if is_relation(object) || object.kind == "sequence" {
                let place = relation_place(&object.name)
                    .ok_or_else(|| super::chosen::contradiction(format!("\"{}\" is no name", object.name)))?;
                relations.push((object.kind.clone(), object.name.clone(), place));
            }
        }
        let schemas: Vec<String> = {
            let mut schemas: Vec<String> = relations.iter().map(|(_, _, (schema, _))| schema.clone()).collect();
            schemas.sort_unstable();
            schemas.dedup();
            schemas
        };
        let mut routes: Vec<Route> = Vec::with_capacity(relations.len());
        for (kind, name, from) in relations {
            let new_name = options.rename.iter().find(|(old, _)| *old == name).map(|(_, new)| new.clone());
            let is_of_extension = kind == "table" && chosen.extension_of(&name).is_some();
            // The table of an extension is where the extension is.
            let into_schema = options.into_schema.clone().filter(|_| !is_of_extension);
            let to = (into_schema.unwrap_or_else(|| from.0.clone()), new_name.unwrap_or_else(|| from.1.clone()));
            let place = schemas.iter().position(|schema| *schema == from.0).unwrap_or_default();
            let made = if is_of_extension || to == from && !staged(&to) {
                to.clone()
            } else {
                (format!("{staging}_{place}"), from.1.clone())
            };
            routes.push(Route { kind, name, from, made, to });
        }
        // What belongs to a table moves with it: were only one of them staged, names could meet.
        let mut sequences = Vec::new();
        for object in chosen.before.iter().filter(|object| object.kind == "sequence owner") {
            let Some((sequence, table)) = owned_sequence(&object.definition) else { continue };
            let Some(owner) = routes.iter().find(|route| route.from == table).cloned() else { continue };
            sequences.push((owner.name.clone(), sequence.1.clone()));
            for route in routes.iter_mut().filter(|route| route.kind == "sequence" && route.from == sequence) {
                // It stands in the schema of its table, always.
                route.made =
                    if owner.is_direct() { route.to.clone() } else { (owner.made.0.clone(), sequence.1.clone()) };
            }
        }
        let mut made: BTreeMap<Place, String> =
            routes.iter().map(|route| (route.from.clone(), route.made.0.clone())).collect();
        let of_tables = chosen.tables.iter().map(|table| (&table.schema().name, &table.schema().definition));
        let of_objects = chosen.before.iter().map(|object| (&object.name, &object.definition));
        for (name, definition) in of_tables.chain(of_objects) {
            let Some(route) = routes.iter().find(|route| route.name == *name && route.kind.ends_with("table")) else {
                continue;
            };
            for place in identity_sequences(definition) {
                sequences.push((name.clone(), place.1.clone()));
                made.insert(place, route.made.0.clone());
            }
        }
        for object in &chosen.after {
            let Some(part) = named_part(object) else { continue };
            let Some(route) = routes.iter().find(|route| route.name == object.table) else { continue };
            made.insert((route.from.0.clone(), part.1), route.made.0.clone());
        }
        let placement = Self { routes, made, sequences };
        placement.refuse_twins()?;
        Ok(placement)
    }

    fn refuse_twins(&self) -> Result<()> {
        let mut seen: BTreeMap<&Place, &str> = BTreeMap::new();
        for route in &self.routes {
            if let Some(other) = seen.insert(&route.to, &route.name) {
                return Err(Error::request(format!(
                    "\"{other}\" and \"{}\" would both become {}.{}",
                    route.name, route.to.0, route.to.1
                ))
                .with_hint("give one of them another name (--rename), or restore them one at a time"));
            }
        }
        Ok(())
    }

    /// A definition that makes what it makes where it is made.
    pub(super) fn made(&self, definition: &str) -> Result<String> {
        if self.routes.iter().all(Route::is_direct) {
            return Ok(definition.to_owned());
        }
        let moved = |schema: &str, name: &str| self.made.get(&(schema.to_owned(), name.to_owned())).cloned();
        move_relations(definition, &moved)
            .ok_or_else(|| super::chosen::contradiction("a definition that is no SQL".into()))
    }

    /// The schema in which something ends that is named with this schema, if it is another: a relation, or what moves with one.
    pub(super) fn end_of(&self, schema: &str, name: &str) -> Option<String> {
        let made = self.made.get(&(schema.to_owned(), name.to_owned()))?;
        let route = self.routes.iter().find(|route| !route.is_direct() && route.made.0 == *made)?;
        (route.to.0 != schema).then(|| route.to.0.clone())
    }

    /// The staging schemas that are used.
    pub(super) fn staging(&self) -> Vec<String> {
        let mut schemas: Vec<String> =
            self.routes.iter().filter(|route| !route.is_direct()).map(|route| route.made.0.clone()).collect();
        schemas.sort_unstable();
        schemas.dedup();
        schemas
    }

    /// The names of the sequences of a relation's columns, which move along with it.
    pub(super) fn sequences_of(&self, route: &Route) -> Vec<String> {
        self.sequences.iter().filter(|(owner, _)| *owner == route.name).map(|(_, name)| name.clone()).collect()
    }

    /// The route of a table, by its name in the archive.
    pub(super) fn table(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.kind == "table" && route.name == name)
    }

    /// The route of a relation by where it comes from.
    pub(super) fn from(&self, place: &Place) -> Option<&Route> {
        self.routes.iter().find(|route| route.from == *place)
    }
}

/// The schema and name that a name in an archive stands for.
pub(super) fn relation_place(name: &str) -> Option<Place> {
    // What would need quotes in the archive's form has them; anything else is taken as it is.
    if !name.contains(['.', '"']) {
        return Some(("public".to_owned(), name.to_owned()));
    }
    let mut parts: Vec<String> = Vec::new();
    let mut rest = name;
    loop {
        let (part, after) = if rest.starts_with('"') {
            let token = tokens(rest)?.first().filter(|token| token.kind == Kind::Quoted)?.text;
            (token.get(1..token.len() - 1)?.replace("\"\"", "\""), rest.get(token.len()..)?)
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            (rest.get(..end)?.to_owned(), rest.get(end..)?)
        };
        parts.push(part);
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix('.')?;
    }
    match <[String; 2]>::try_from(parts) {
        Ok([schema, name]) => Some((schema, name)),
        Err(parts) => parts.into_iter().next().map(|name| ("public".to_owned(), name)),
    }
}

/// What has a name that is unique in its schema and belongs to a table: indexes and statistics, with the word that SQL has
/// for it.
pub(super) fn named_part(object: &SchemaObject) -> Option<(&'static str, String)> {
    match object.kind.as_str() {
        "primary key" | "unique" | "exclusion" => Some(("INDEX", super::swap::constraint(object).to_owned())),
        "index" => Some(("INDEX", relation_place(&object.name)?.1)),
        "statistics" => Some(("STATISTICS", relation_place(&object.name)?.1)),
        _ => None,
    }
}

/// The sequences that a table's definition makes for its identity columns.
fn identity_sequences(definition: &str) -> Vec<Place> {
    let Some(all) = tokens(definition) else { return Vec::new() };
    let solid: Vec<_> = all.iter().filter(|token| token.kind != Kind::Blank).collect();
    let named = solid.windows(5).filter_map(|window| {
        let [sequence, name, schema, dot, relation] = window else { return None };
        let is_word = |token: &crate::postgres::tokens::Token<'_>, word: &str| {
            token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
        };
        let is_named = is_word(sequence, "sequence") && is_word(name, "name") && dot.text == ".";
        is_named.then(|| Some((schema.name()?, relation.name()?))).flatten()
    });
    named.collect()
}

/// The sequence that a definition gives to a column, and the column's table.
fn owned_sequence(definition: &str) -> Option<(Place, Place)> {
    let all = tokens(definition)?;
    let names: Vec<Option<String>> = all
        .iter()
        .filter(|token| token.kind != Kind::Blank)
        .map(|token| token.name().or_else(|| Some(token.text.to_owned())))
        .collect();
    // ALTER SEQUENCE schema . name OWNED BY schema . table . column
    let name = |place: usize| names.get(place).cloned().flatten();
    Some(((name(2)?, name(4)?), (name(7)?, name(9)?)))
}

/// The relation that a foreign key refers to, as its definition names it.
pub(super) fn referenced(object: &SchemaObject) -> Option<Place> {
    let all = tokens(&object.definition)?;
    let mut solid = all.iter().filter(|token| token.kind != Kind::Blank);
    solid.find(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case("references"))?;
    let schema = solid.next()?.name()?;
    solid.next().filter(|token| token.text == ".")?;
    Some((schema, solid.next()?.name()?))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_of_an_archive_are_read_as_they_are_written() {
        let place = |name: &str| relation_place(name).unwrap();
        let expected = |schema: &str, name: &str| (schema.to_owned(), name.to_owned());
        assert_eq!(place("users"), expected("public", "users"));
        assert_eq!(place("Order Details"), expected("public", "Order Details"));
        assert_eq!(place("audit.log"), expected("audit", "log"));
        assert_eq!(place("\"a.b\""), expected("public", "a.b"));
        assert_eq!(place("\"x \"\"y\"\"\".\"a.b\""), expected("x \"y\"", "a.b"));
        assert_eq!(relation_place("\"a"), None);
    }

    #[test]
    fn sequences_of_identity_columns_move_with_their_table() {
        let definition = "CREATE TABLE public.a (id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME public.\"A seq\" START WITH 1))";
        assert_eq!(identity_sequences(definition), [("public".to_owned(), "A seq".to_owned())]);
        let owned = owned_sequence("ALTER SEQUENCE public.s OWNED BY x.\"A b\".id").unwrap();
        assert_eq!(owned, (("public".to_owned(), "s".to_owned()), ("x".to_owned(), "A b".to_owned())));
        assert_eq!(identity_sequences("CREATE TABLE public.a (sequence text DEFAULT 'SEQUENCE NAME a.b')"), []);
    }

    #[test]
    fn a_foreign_key_tells_what_it_refers_to() {
        let object = SchemaObject {
            kind: "foreign key".into(),
            name: "fk".into(),
            table: "a".into(),
            definition:
                "ALTER TABLE ONLY public.a ADD CONSTRAINT fk FOREIGN KEY (x) REFERENCES \"S p\".b(y) ON DELETE CASCADE"
                    .into(),
            position: 0,
        };
        assert_eq!(referenced(&object), Some(("S p".to_owned(), "b".to_owned())));
    }
}
