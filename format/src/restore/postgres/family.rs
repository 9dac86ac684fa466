//! What a choice of tables brings along: partitions come with their parent, and parents with what inherits from them, as in a
//! dump. What is left out stays out.

use std::collections::{BTreeMap, BTreeSet};

use super::chosen::is_relation;
use super::needs::names;
use super::options::PostgresRestoreOptions;
use super::placement::{Place, relation_place};
use crate::archive::Snapshot;
use crate::error::Result;
use crate::selection::Selection;

/// The relations of a snapshot by where they are in their source, each with its name in the archive.
pub(super) type Relations = BTreeMap<Place, String>;

/// All relations of a snapshot.
pub(super) fn relations(snapshot: &Snapshot<'_>) -> Relations {
    let catalog = snapshot.catalog();
    let objects = catalog.objects.iter().filter(|object| is_relation(object)).map(|object| &object.name);
    let names = catalog.tables.iter().map(|entry| &entry.name).chain(objects);
    names.filter_map(|name| Some((relation_place(name)?, name.clone()))).collect()
}

/// What is chosen.
pub(super) struct Family {
    /// Names of the relations that are chosen, with what they bring along.
    pub(super) taken: BTreeSet<String>,
    /// Partitions of the snapshot by what they are partitions of; empty where everything is chosen.
    pub(super) partitions: BTreeMap<String, Vec<String>>,
}

/// Works out what is chosen.
pub(super) fn chosen(
    snapshot: &Snapshot<'_>,
    relations: &Relations,
    options: &PostgresRestoreOptions,
) -> Result<Family> {
    let selection = &options.tables;
    let mut taken: BTreeSet<String> = relations.values().filter(|name| takes(selection, name)).cloned().collect();
    if selection.is_everything() || options.part == super::Part::Data {
        return Ok(Family { taken, partitions: BTreeMap::new() });
    }
    let mut parents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut partitions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let catalog = snapshot.catalog();
    let mut link = |name: &str, definition: &str, inherits: bool| {
        let others =
            names(definition).into_iter().filter_map(|place| relations.get(&place)).filter(|other| *other != name);
        for other in others {
            if inherits {
                parents.entry(name.to_owned()).or_default().push(other.clone());
            } else {
                partitions.entry(other.clone()).or_default().push(name.to_owned());
            }
        }
    };
    for object in catalog.objects.iter().filter(|object| matches!(object.kind.as_str(), "partition" | "inheritance")) {
        link(&object.table, &object.definition, object.kind == "inheritance");
    }
    for entry in &catalog.tables {
        let table = snapshot.open_table(entry)?;
        let schema = table.schema();
        if let Some((_, inherited)) = schema.definition.rsplit_once(" INHERITS (") {
            link(&schema.name, inherited.split(')').next().unwrap_or_default(), true);
        }
        for object in &schema.attached {
            if matches!(object.kind.as_str(), "partition" | "inheritance") {
                link(&schema.name, &object.definition, object.kind == "inheritance");
            }
        }
    }
    let mut waiting: Vec<String> = taken.iter().cloned().collect();
    while let Some(name) = waiting.pop() {
        for other in parents.get(&name).into_iter().chain(partitions.get(&name)).flatten() {
            if !leaves(selection, other) && taken.insert(other.clone()) {
                waiting.push(other.clone());
            }
        }
    }
    Ok(Family { taken, partitions })
}

/// Is a relation of this name chosen, by its name or with the schema before it?
fn takes(selection: &Selection, name: &str) -> bool {
    selection.takes_any(&[name, &qualified(name)])
}

fn leaves(selection: &Selection, name: &str) -> bool {
    selection.leaves_any(&[name, &qualified(name)])
}

fn qualified(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("public.{name}") }
}
