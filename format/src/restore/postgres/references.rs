//! Which rows of a snapshot of a PostgreSQL database refer to which, by the definitions of its foreign keys.
//!
//! Cells that are equal are values that are equal to the server only for types of which that is known. What goes by others is
//! refused by name: rows would be missed that refer to others.

use std::collections::{BTreeMap, BTreeSet};

use super::chosen::contradiction;
use super::placement::{Place, relation_place};
use crate::error::{Error, Result};
use crate::model::{Column, ForeignKey, Logical, SchemaObject, TableSchema};
use crate::postgres::tokens::{Kind, Token, tokens};

/// How deep partitions are looked for below a table.
const DEEPEST: u32 = 64;

/// The foreign keys among these tables; of partitioned tables, among their partitions. Those to tables that are not among them are
/// left out.
pub(in crate::restore) fn foreign_keys(tables: &[TableSchema], objects: &[SchemaObject]) -> Result<Vec<ForeignKey>> {
    let all: Vec<&SchemaObject> = tables.iter().flat_map(|table| &table.attached).chain(objects).collect();
    let known = Known::of(tables, &all)?;
    let mut keys = Vec::new();
    for object in all.iter().filter(|object| object.kind == "foreign key") {
        let Some(words) = Definition::of(object) else {
            return Err(contradiction(format!("the definition of foreign key \"{}\" is another", object.name)));
        };
        let child =
            relation_place(&object.table).ok_or_else(|| contradiction(format!("\"{}\" is no name", object.table)))?;
        for parent in known.with_rows(&words.parent) {
            for child in known.with_rows(&child) {
                let refuse = |why: &str| {
                    Error::request(format!("foreign key \"{}\" cannot be followed: {why}", object.name))
                        .in_table(&child.name)
                };
                if words.has_period {
                    return Err(refuse("it goes by periods"));
                }
                if words.from.len() != words.to.len() {
                    return Err(refuse("it names other columns on one side than on the other"));
                }
                for (from, to) in words.from.iter().zip(&words.to) {
                    known.check(child, from, parent, to).map_err(|why| refuse(&why))?;
                }
                keys.push(ForeignKey {
                    child: child.name.clone(),
                    child_columns: words.from.clone(),
                    parent: parent.name.clone(),
                    parent_columns: words.to.clone(),
                    collations: vec!["BINARY".to_owned(); words.to.len()],
                });
            }
        }
    }
    Ok(keys)
}

/// What is known of a snapshot's tables.
struct Known<'t> {
    tables: BTreeMap<Place, &'t TableSchema>,
    /// Partitions by what they are partitions of.
    partitions: BTreeMap<Place, Vec<Place>>,
    /// Types whose values are equal where their texts are.
    enums: BTreeSet<&'t str>,
    /// Collations to which different texts may be equal.
    collations: Vec<&'t str>,
}

impl<'t> Known<'t> {
    fn of(tables: &'t [TableSchema], objects: &[&'t SchemaObject]) -> Result<Self> {
        let mut known = Self {
            tables: BTreeMap::new(),
            partitions: BTreeMap::new(),
            enums: BTreeSet::new(),
            collations: Vec::new(),
        };
        for table in tables {
            let (schema, relation) = super::chosen::place_of(table)?;
            known.tables.insert((schema.to_owned(), relation.to_owned()), table);
        }
        for object in objects {
            let definition = object.definition.as_str();
            match object.kind.as_str() {
                "partition" => {
                    let (parent, child) = attached(object)
                        .ok_or_else(|| contradiction(format!("the definition of partition \"{}\"", object.name)))?;
                    known.partitions.entry(parent).or_default().push(child);
                }
                "type" => known.enums.extend(
                    definition
                        .strip_prefix("CREATE TYPE ")
                        .and_then(|rest| rest.split_once(" AS ENUM"))
                        .map(|(name, _)| name.trim()),
                ),
                "collation" if definition.to_ascii_lowercase().replace(' ', "").contains("deterministic=false") => {
                    known.collations.push(definition.split_whitespace().nth(2).unwrap_or(&object.name));
                }
                _ => {}
            }
        }
        Ok(known)
    }

    /// The tables in which the rows of a table are: itself, or its partitions.
    fn with_rows(&self, place: &Place) -> Vec<&'t TableSchema> {
        let mut found = Vec::new();
        let mut level = vec![place];
        for _ in 0..DEEPEST {
            found.extend(level.iter().filter_map(|place| self.tables.get(*place).copied()));
            level = level.iter().filter_map(|place| self.partitions.get(*place)).flatten().collect();
        }
        found
    }

    /// Are values of these columns equal where their cells are? Says why not.
    fn check(
        &self,
        child: &TableSchema,
        from: &str,
        parent: &TableSchema,
        to: &str,
    ) -> std::result::Result<(), String> {
        let (from, to) = (stored(child, from)?, stored(parent, to)?);
        let only_the_server = || {
            format!("only PostgreSQL knows which values of {} and {} are equal", from.declared_type, to.declared_type)
        };
        if from.logical_type() != to.logical_type() {
            return Err(only_the_server());
        }
        let same_type = from.declared_type == to.declared_type;
        let is_equal = match to.logical_type() {
            Logical::Boolean
            | Logical::Integer
            | Logical::Bytes
            | Logical::Date
            | Logical::Time
            | Logical::Timestamp
            | Logical::TimestampWithZone
            | Logical::Uuid
            | Logical::Decimal(_) => true,
            Logical::Text => {
                let is_plain = |column: &Column| {
                    let declared = column.declared_type.as_str();
                    matches!(declared, "text" | "name") || declared.starts_with("character varying")
                };
                let mentions = |collation: &&&str| parent.definition.contains(**collation);
                if let Some(collation) = self.collations.iter().find(mentions) {
                    return Err(format!("texts of \"{}\" compare by the collation {collation}", parent.name));
                }
                same_type || is_plain(from) && is_plain(to)
            }
            Logical::Opaque => same_type && self.enums.contains(to.declared_type.as_str()),
            _ => false,
        };
        if is_equal { Ok(()) } else { Err(only_the_server()) }
    }
}

fn stored<'t>(table: &'t TableSchema, name: &str) -> std::result::Result<&'t Column, String> {
    let found = table.columns.iter().find(|column| column.name == name);
    found.ok_or_else(|| format!("column \"{name}\" of \"{}\" is not stored", table.name))
}

/// What a foreign key's definition says.
pub(super) struct Definition {
    pub(super) from: Vec<String>,
    pub(super) parent: Place,
    to: Vec<String>,
    has_period: bool,
}

impl Definition {
    /// `ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY (…) REFERENCES schema.name(…) …`.
    pub(super) fn of(object: &SchemaObject) -> Option<Self> {
        let all = tokens(&object.definition)?;
        let mut solid = all.iter().filter(|token| token.kind != Kind::Blank);
        solid.by_ref().find(|token| is_word(token, "foreign"))?;
        solid.next().filter(|token| is_word(token, "key"))?;
        let mut has_period = false;
        let from = columns(&mut solid, &mut has_period)?;
        solid.next().filter(|token| is_word(token, "references"))?;
        let parent = place(&mut solid)?;
        let to = columns(&mut solid, &mut has_period)?;
        Some(Self { from, parent, to, has_period })
    }
}

/// Parent and child of `ALTER TABLE ONLY parent ATTACH PARTITION child …`.
pub(super) fn attached(object: &SchemaObject) -> Option<(Place, Place)> {
    let all = tokens(&object.definition)?;
    let mut solid = all.iter().filter(|token| token.kind != Kind::Blank).peekable();
    solid.next().filter(|token| is_word(token, "alter"))?;
    solid.next().filter(|token| is_word(token, "table"))?;
    solid.next_if(|token| is_word(token, "only"));
    let parent = place(&mut solid)?;
    solid.next().filter(|token| is_word(token, "attach"))?;
    solid.next().filter(|token| is_word(token, "partition"))?;
    Some((parent, place(&mut solid)?))
}

fn is_word(token: &Token<'_>, word: &str) -> bool {
    token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
}

fn place<'t>(solid: &mut impl Iterator<Item = &'t Token<'t>>) -> Option<Place> {
    let schema = solid.next()?.name()?;
    solid.next().filter(|token| token.text == ".")?;
    Some((schema, solid.next()?.name()?))
}

/// Names in parentheses.
fn columns<'t>(solid: &mut impl Iterator<Item = &'t Token<'t>>, has_period: &mut bool) -> Option<Vec<String>> {
    solid.next().filter(|token| token.text == "(")?;
    let mut names = Vec::new();
    loop {
        let mut token = solid.next()?;
        let mut after = solid.next()?;
        if is_word(token, "period") && !matches!(after.text, "," | ")") {
            *has_period = true;
            (token, after) = (after, solid.next()?);
        }
        names.push(token.name()?);
        match after.text {
            "," => {}
            ")" => return Some(names),
            _ => return None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn object(kind: &str, definition: &str) -> SchemaObject {
        let text = |text: &str| text.to_owned();
        SchemaObject { kind: text(kind), name: text("x"), table: text("x"), definition: text(definition), position: 0 }
    }

    #[test]
    fn a_foreign_key_tells_columns_on_both_sides() {
        let key = "ALTER TABLE ONLY public.a ADD CONSTRAINT \"foreign key\" FOREIGN KEY (x, \"Y z\", period) REFERENCES \
                   \"S p\".b(id, \"a \"\"b\", p) MATCH FULL ON DELETE SET NULL (x)";
        let found = Definition::of(&object("foreign key", key)).unwrap();
        assert_eq!(found.from, ["x", "Y z", "period"]);
        assert_eq!(found.to, ["id", "a \"b", "p"]);
        assert_eq!((found.parent, found.has_period), (("S p".to_owned(), "b".to_owned()), false));
        let key = "ALTER TABLE a ADD FOREIGN KEY (x, PERIOD valid) REFERENCES public.b(id, PERIOD valid)";
        let found = Definition::of(&object("foreign key", key)).unwrap();
        assert_eq!((found.from.len(), found.to.len(), found.has_period), (2, 2, true));
        assert!(Definition::of(&object("foreign key", "ALTER TABLE a ADD CHECK (true)")).is_none());
    }

    #[test]
    fn a_partition_tells_what_it_is_of() {
        let sql = "ALTER TABLE ONLY parts.events ATTACH PARTITION parts.\"of 24\" FOR VALUES IN (1)";
        let (parent, child) = attached(&object("partition", sql)).unwrap();
        assert_eq!((parent.1.as_str(), child.1.as_str()), ("events", "of 24"));
    }
}
