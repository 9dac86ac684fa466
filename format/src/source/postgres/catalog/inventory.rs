//! Tables, objects and omissions, made of statements in their order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::collected::{Collected, Item};
use super::columns::ColumnFacts;
use super::depend::Address;
use super::indexes::UniqueIndex;
use super::keys;
use super::omissions;
use super::order::{Fallen, Graph};
use super::relations::{Relation, RelationKind};
use super::tables::Tables;
use crate::error::{Error, Result};
use crate::model::{Column, Omission, SchemaObject, SourceDescription, TableSchema, roles};
use crate::postgres::client::Client;
use crate::source::SourceCatalog;

/// What a database has, and how to read its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inventory {
    pub(crate) catalog: SourceCatalog,
    /// One for each table of the catalog, in its order.
    pub(crate) tables: Vec<TableFacts>,
}

/// A table with rows, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableFacts {
    /// Its name in the archive.
    pub(crate) name: String,
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) relation: String,
    /// One for each column of the table's schema, in its order.
    pub(crate) columns: Vec<ColumnFacts>,
    /// Which rows of an extension's table are kept: the end of a statement, empty for all.
    pub(crate) condition: String,
}

/// Encodings in which the server's order of bytes is that of the characters' numbers, which is that of cells.
const ORDERED_ENCODINGS: [&str; 2] = ["UTF8", "LATIN1"];

pub(super) fn assemble(
    client: &mut Client,
    mut collected: Collected<'_>,
    graph: &Graph,
    tables: &Tables,
    unique: &[UniqueIndex],
    description: SourceDescription,
) -> Result<Inventory> {
    let fallen = graph.fallen();
    omit(client, &mut collected, graph, &fallen)?;
    let texts_are_ordered = description.setting("encoding").is_some_and(|name| ORDERED_ENCODINGS.contains(&name));
    let mut catalog =
        SourceCatalog { description, tables: Vec::new(), objects: Vec::new(), omitted: collected.omitted.clone() };
    let mut facts = Vec::new();
    let mut unique_of: HashMap<u32, Vec<&UniqueIndex>> = HashMap::new();
    for index in unique {
        unique_of.entry(index.table).or_default().push(index);
    }
    let mut attached: BTreeMap<u32, Vec<SchemaObject>> = BTreeMap::new();
    let order = graph.order(&collected.items);
    let standing = order.iter().filter(|at| !fallen.contains_key(at)).filter_map(|at| collected.items.get(*at));
    for (position, item) in (0_u64..).zip(standing) {
        let relation = item.relation.and_then(|oid| collected.by_oid.get(&oid).copied());
        if let Some(relation) = relation.filter(|relation| item.makes == Some(Address::relation(relation.oid)))
            && relation.kind == RelationKind::Table
        {
            let own = unique_of.remove(&relation.oid).unwrap_or_default();
            catalog.tables.push(schema(relation, item, position, tables, &own, texts_are_ordered));
            facts.push(table_facts(relation, tables));
            continue;
        }
        // What stands on a table of an extension, the extension makes.
        if relation.is_some_and(|relation| relation.extension.is_some()) {
            continue;
        }
        let object = SchemaObject {
            kind: item.kind.to_owned(),
            name: item.name.clone(),
            table: relation.map_or_else(|| item.name.clone(), Relation::archive_name),
            definition: item.definition.clone(),
            position,
        };
        match relation {
            Some(relation) if relation.kind == RelationKind::Table => {
                attached.entry(relation.oid).or_default().push(object);
            }
            _ => catalog.objects.push(object),
        }
    }
    for (table, facts) in catalog.tables.iter_mut().zip(&facts) {
        table.attached = attached.remove(&facts.oid).unwrap_or_default();
    }
    Ok(Inventory { catalog, tables: facts })
}

/// The tables among the relations, with their columns and keys, and no definitions that could make them.
pub(super) fn without_definitions(
    collected: &Collected<'_>,
    tables: &Tables,
    unique: &[UniqueIndex],
    description: SourceDescription,
) -> Inventory {
    let texts_are_ordered = description.setting("encoding").is_some_and(|name| ORDERED_ENCODINGS.contains(&name));
    let (mut found, mut facts) = (Vec::new(), Vec::new());
    for item in &collected.items {
        let relation = item.relation.and_then(|oid| collected.by_oid.get(&oid).copied());
        if let Some(relation) = relation.filter(|relation| item.makes == Some(Address::relation(relation.oid)))
            && relation.kind == RelationKind::Table
        {
            let own: Vec<_> = unique.iter().filter(|index| index.table == relation.oid).collect();
            found.push(schema(relation, item, 0, tables, &own, texts_are_ordered));
            facts.push(table_facts(relation, tables));
        }
    }
    let catalog = SourceCatalog { description, tables: found, objects: Vec::new(), omitted: Vec::new() };
    Inventory { catalog, tables: facts }
}

fn schema(
    relation: &Relation,
    item: &Item,
    position: u64,
    tables: &Tables,
    unique: &[&UniqueIndex],
    texts_are_ordered: bool,
) -> TableSchema {
    let all = tables.columns.get(&relation.oid).map_or(&[][..], Vec::as_slice);
    let (stored, computed): (Vec<_>, Vec<_>) = all.iter().partition(|column| column.generated.is_empty());
    let columns = stored.iter().map(|column| Column {
        name: column.facts.name.clone(),
        declared_type: column.declared.clone(),
        logical: column.facts.column_type.logical().number(),
        nullable: !column.not_null || !tables.not_nulls.holds(relation.oid, column.facts.attnum),
        hidden: false,
    });
    let mut options =
        vec![("relation".to_owned(), relation.name.clone()), ("schema".to_owned(), relation.schema.clone())];
    if let Some(extension) = &relation.extension {
        options.push(("extension".to_owned(), extension.clone()));
    }
    if tables.entries.get(&relation.oid).is_some_and(|entry| entry.is_unlogged) {
        options.push(("unlogged".to_owned(), "true".to_owned()));
    }
    options.sort();
    TableSchema {
        name: relation.archive_name(),
        role: roles::TABLE.to_owned(),
        definition: item.definition.clone(),
        position,
        columns: columns.collect(),
        generated: computed.iter().map(|column| column.facts.name.clone()).collect(),
        key: keys::choose(unique, &stored, texts_are_ordered),
        options,
        attached: Vec::new(),
    }
}

fn table_facts(relation: &Relation, tables: &Tables) -> TableFacts {
    let columns = tables.columns.get(&relation.oid).into_iter().flatten();
    TableFacts {
        name: relation.archive_name(),
        oid: relation.oid,
        schema: relation.schema.clone(),
        relation: relation.name.clone(),
        columns: columns.filter(|column| column.generated.is_empty()).map(|column| column.facts.clone()).collect(),
        condition: relation.condition.clone(),
    }
}

/// Names what does not stand, and why.
fn omit(
    client: &mut Client,
    collected: &mut Collected<'_>,
    graph: &Graph,
    fallen: &HashMap<usize, Fallen>,
) -> Result<()> {
    let foreign = graph.foreign(fallen);
    let mut addresses = foreign.clone();
    addresses.extend(fallen.values().filter_map(|why| match why {
        Fallen::Lacks(address) => Some(*address),
        Fallen::With(_) => None,
    }));
    let names = describe(client, &addresses)?;
    let named = |address: &Address| names.get(address).map_or("something that is gone", String::as_str);
    let mut omitted = Vec::new();
    for (at, why) in fallen {
        let Some(item) = collected.items.get(*at) else { continue };
        let relation = item.relation.and_then(|oid| collected.by_oid.get(&oid).copied());
        let is_relation = relation.is_some_and(|relation| item.makes == Some(Address::relation(relation.oid)));
        let mut root = *why;
        while let Fallen::With(cause) = root {
            let Some(next) = fallen.get(&cause) else { break };
            root = *next;
        }
        let Fallen::Lacks(lacked) = root else { continue };
        let reason = format!("it needs {}, which is not kept", named(&lacked));
        if let Some(relation) = relation.filter(|relation| is_relation && relation.kind == RelationKind::Table) {
            return Err(Error::request(reason)
                .in_table(relation.archive_name())
                .with_hint("choose that too, or leave both"));
        }
        // What is only said about something, or stands on it, goes with it in silence.
        let stands_on = item.relation.filter(|_| !is_relation).map(Address::relation);
        let goes_along = stands_on.and_then(|on| graph.maker(collected, on)).is_some_and(|on| fallen.contains_key(&on));
        if item.makes.is_none() && !matches!(item.kind, "default" | "index attach") || goes_along {
            continue;
        }
        let of_table = relation.filter(|_| !is_relation).map(|on| format!(" of \"{}\"", on.archive_name()));
        omitted.push(Omission {
            what: format!("{} \"{}\"{}", item.kind, item.name, of_table.unwrap_or_default()),
            reason,
        });
    }
    for address in foreign.iter().filter(|address| !(collected.everything && omissions::names(address.class))) {
        let reason = "it is not kept; what needs it takes what the target has of this name";
        omitted.push(Omission { what: named(address).to_owned(), reason: reason.to_owned() });
    }
    collected.omitted.extend(omitted);
    collected.omitted.sort_by(|a, b| (&a.what, &a.reason).cmp(&(&b.what, &b.reason)));
    collected.omitted.dedup();
    Ok(())
}

/// The server's own words for entries of its catalogs.
fn describe(client: &mut Client, addresses: &BTreeSet<Address>) -> Result<HashMap<Address, String>> {
    let mut names = HashMap::new();
    if addresses.is_empty() {
        return Ok(names);
    }
    let values: Vec<String> = addresses.iter().map(|address| format!("({}, {})", address.class, address.oid)).collect();
    let rows = client.rows(&format!(
        "SELECT class, oid, pg_catalog.pg_describe_object(class::pg_catalog.oid, oid::pg_catalog.oid, 0)
         FROM (VALUES {}) AS asked(class, oid)",
        values.join(", ")
    ))?;
    for row in rows {
        names.insert(Address::new(row.number(0)?, row.number(1)?), row.text(2).to_owned());
    }
    Ok(names)
}
