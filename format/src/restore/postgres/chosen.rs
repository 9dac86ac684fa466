//! What a restore into PostgreSQL takes of a snapshot.
//!
//! Only the metadata of what may be chosen is read, so that damage elsewhere does not matter. The archive is not trusted:
//! what it says is checked as far as it can be without a server.

use std::collections::{BTreeMap, BTreeSet};

use super::family::{self, Family, Relations};
use super::needs;
use super::options::{Part, PostgresRestoreOptions};
use super::phases::{self, Phase};
use crate::archive::Snapshot;
use crate::error::{Error, Layer, Result};
use crate::model::{SchemaObject, TableSchema, roles};
use crate::observer::Observer;
use crate::restore::kept::ChosenTable;
use crate::restore::proof::check_stored;
use crate::selection::no_such_table;

/// The chosen part of a snapshot of a PostgreSQL database.
pub(super) struct Chosen<'a> {
    /// Tables with rows, in order of creation.
    pub(super) tables: Vec<ChosenTable<'a>>,
    /// What is made before the rows, the tables apart, in order of creation.
    pub(super) before: Vec<SchemaObject>,
    /// What is made after the rows, in order of creation; then owners, then privileges.
    pub(super) after: Vec<SchemaObject>,
    /// Is nothing of the snapshot left out?
    pub(super) everything: bool,
    /// All relations of the snapshot, chosen or not.
    pub(super) relations: Relations,
    /// Partitions of the snapshot, chosen or not, by what they are partitions of; none where everything is chosen.
    partitions: BTreeMap<String, Vec<String>>,
    /// The version of the server that the snapshot is from.
    pub(super) version: String,
    /// The encoding of the database that the snapshot is from.
    pub(super) encoding: Option<String>,
    /// What the snapshot lacks, and why.
    pub(super) omitted: Vec<String>,
}

impl<'a> Chosen<'a> {
    pub(super) fn of(snapshot: &Snapshot<'a>, options: &PostgresRestoreOptions) -> Result<Self> {
        let manifest = snapshot.manifest();
        let catalog = snapshot.catalog();
        let (tables, objects) = (&catalog.tables, &catalog.objects);
        let named = objects.iter().filter(|object| is_relation(object)).map(|object| object.name.as_str());
        let names: Vec<&str> = tables.iter().map(|entry| entry.name.as_str()).chain(named).collect();
        let qualified: Vec<String> = names.iter().map(|name| format!("public.{name}")).collect();
        let known: Vec<&str> = names.iter().copied().chain(qualified.iter().map(String::as_str)).collect();
        options.tables.check(known.iter().copied())?;
        let mut chosen = Self {
            tables: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            everything: options.tables.is_everything(),
            version: manifest.source.engine_version.clone(),
            encoding: manifest.source.setting("encoding").map(str::to_owned),
            relations: family::relations(snapshot),
            partitions: BTreeMap::new(),
            omitted: manifest.omitted.iter().map(|omitted| format!("{} ({})", omitted.what, omitted.reason)).collect(),
        };
        let Family { taken, partitions } = family::chosen(snapshot, &chosen.relations, options)?;
        chosen.partitions = partitions;
        for entry in tables {
            if !taken.contains(&entry.name) {
                continue;
            }
            let table = snapshot.open_table(entry)?;
            if table.schema().role != roles::TABLE {
                return Err(contradiction(format!(
                    "table \"{}\" has the role \"{}\"",
                    entry.name,
                    table.schema().role
                )));
            }
            let rules = options.expire.iter().filter(|(name, _)| *name == entry.name).map(|(_, rule)| rule.clone());
            chosen.tables.push(ChosenTable::new(table, rules.collect())?);
        }
        chosen.tables.sort_by_key(|table| table.schema().position);
        chosen.check_names(options, &names)?;
        if options.part != Part::Data {
            chosen.take_objects(objects, &taken, options)?;
        }
        Ok(chosen)
    }

    fn take_objects(
        &mut self,
        objects: &[SchemaObject],
        relations: &BTreeSet<String>,
        options: &PostgresRestoreOptions,
    ) -> Result<()> {
        let mut taken: Vec<SchemaObject> =
            self.tables.iter().flat_map(|table| table.schema().attached.iter().cloned()).collect();
        // What stands on a view or a partitioned table goes with it.
        let all: BTreeSet<&str> = self.relations.values().map(String::as_str).collect();
        let (on_relations, others): (Vec<&SchemaObject>, Vec<&SchemaObject>) =
            objects.iter().partition(|object| all.contains(object.table.as_str()));
        taken.extend(on_relations.into_iter().filter(|object| relations.contains(&object.table)).cloned());
        if self.everything {
            taken.extend(others.into_iter().cloned());
        } else {
            let others: Vec<SchemaObject> = others.into_iter().cloned().collect();
            // The table of an extension is one of the things that the extension is for.
            let of_extensions =
                self.tables.iter().map(|table| table.schema()).filter(|table| extension_of(table).is_some());
            let of_extensions: Vec<&str> = of_extensions.map(|table| table.name.as_str()).collect();
            let others_places = self.relations.iter().filter(|(_, name)| !of_extensions.contains(&name.as_str()));
            let places: BTreeSet<_> = others_places.map(|(place, _)| place.clone()).collect();
            let definitions = self.tables.iter().map(|table| table.schema().definition.as_str());
            let definitions: Vec<&str> =
                definitions.chain(taken.iter().map(|object| object.definition.as_str())).collect();
            let needed = needs::needed(&definitions, &others, &places);
            taken
                .extend(others.into_iter().enumerate().filter(|(at, _)| needed.contains(at)).map(|(_, object)| object));
        }
        taken.sort_by_key(|object| object.position);
        let last_table = self.tables.iter().map(|table| table.schema().position).max().unwrap_or_default();
        let mut phases = Vec::with_capacity(taken.len());
        for object in &taken {
            phases.push(Phase::of(object)?);
        }
        let is_after = |(phase, object): (&Phase, &SchemaObject)| (*phase == Phase::After).then_some(object.position);
        let first_after = phases.iter().zip(&taken).find_map(is_after).unwrap_or(u64::MAX);
        let mut after = Vec::new();
        for (phase, object) in phases.into_iter().zip(taken) {
            if !phases::is_what_it_says(&object) || object.definition.contains('\0') {
                return Err(contradiction(format!("the definition of {} \"{}\" is another", object.kind, object.name)));
            }
            // Without rows there is nothing to go on from, and nothing to fill views with.
            if options.part == Part::Schema && matches!(object.kind.as_str(), "sequence value" | "refresh") {
                continue;
            }
            match phase.among(&object, last_table, first_after) {
                Phase::Before => self.before.push(object),
                Phase::Owner if !options.owners => {}
                Phase::Privileges if !options.privileges => {}
                phase => after.push((phase, object)),
            }
        }
        // The sort is stable: within a phase the order stays.
        after.sort_by_key(|(phase, _)| *phase);
        self.after = after.into_iter().map(|(_, object)| object).collect();
        Ok(())
    }

    /// Every rule and every new name is for a table that is restored.
    fn check_names(&self, options: &PostgresRestoreOptions, names: &[&str]) -> Result<()> {
        for (name, _) in &options.rename {
            if let Some(extension) = self.extension_of(name) {
                return Err(Error::request(format!(
                    "\"{name}\" belongs to the extension \"{extension}\", and keeps its name"
                ))
                .with_hint("leave --rename out for it"));
            }
        }
        let rules = options.expire.iter().map(|(name, _)| name);
        for name in rules.chain(options.rename.iter().map(|(name, _)| name)) {
            if self.tables.iter().any(|table| table.schema().name == *name) {
                continue;
            }
            if names.contains(&name.as_str()) {
                return Err(Error::request(format!("an option is for \"{name}\", which is not restored"))
                    .with_hint("choose the table too, or leave out the option"));
            }
            return Err(no_such_table(name, names.iter().copied()));
        }
        Ok(())
    }

    /// The extension that makes the table of this name, if one does.
    pub(super) fn extension_of(&self, name: &str) -> Option<&str> {
        self.tables.iter().map(|table| table.schema()).find(|table| table.name == name).and_then(extension_of)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty() && !self.before.iter().chain(&self.after).any(is_relation)
    }

    /// Is a partitioned table among what is restored, or a part of one?
    pub(super) fn has_partitions(&self) -> bool {
        let objects = self.before.iter().chain(&self.after);
        objects.map(|object| object.kind.as_str()).any(|kind| matches!(kind, "partitioned table" | "partition"))
    }

    /// Checks every stored byte that the restore will use.
    pub(super) fn check_stored(&self, observer: &dyn Observer) -> Result<()> {
        check_stored(self.tables.iter().map(|chosen| &**chosen), observer)
    }

    /// Finds out which rows are too old to be restored. Every stored byte must have been checked.
    pub(super) fn settle(&mut self, observer: &dyn Observer) -> Result<()> {
        self.tables.iter_mut().try_for_each(|table| table.settle(observer))
    }

    /// A partition below this relation of the snapshot that is not restored.
    pub(super) fn partition_left_out<'c>(&'c self, root: &'c str) -> Option<&'c str> {
        let mut waiting = vec![root];
        while let Some(name) = waiting.pop() {
            let below = self.partitions.get(name).into_iter().flatten();
            if let Some(missing) = below.clone().find(|below| !self.has(below)) {
                return Some(missing);
            }
            waiting.extend(below.map(String::as_str));
        }
        None
    }

    /// Is this table a partition of another, as far as the snapshot says?
    pub(super) fn is_partition(&self, name: &str) -> bool {
        self.before.iter().any(|object| object.kind == "partition" && object.table == name)
    }

    /// Is a relation of this name restored?
    pub(super) fn has(&self, name: &str) -> bool {
        self.tables.iter().any(|table| table.schema().name == name)
            || self.before.iter().chain(&self.after).any(|object| is_relation(object) && object.name == name)
    }
}

/// The extension that makes a table. The snapshot has the rows that users put there, and a restore puts them there again.
pub(super) fn extension_of(table: &TableSchema) -> Option<&str> {
    table.option("extension")
}

/// Is it something that is selected from by its name?
pub(super) fn is_relation(object: &SchemaObject) -> bool {
    matches!(object.kind.as_str(), "partitioned table" | "foreign table" | "view" | "materialized view")
}

/// The schema and the name of a table in its source.
pub(super) fn place_of(table: &TableSchema) -> Result<(&str, &str)> {
    match (table.option("schema"), table.option("relation")) {
        (Some(schema), Some(relation)) if !schema.is_empty() && !relation.is_empty() => Ok((schema, relation)),
        _ => Err(contradiction(format!("table \"{}\" does not say its schema", table.name))),
    }
}

/// What the snapshot says of itself cannot be.
pub(super) fn contradiction(what: String) -> Error {
    Error::damaged(Layer::Manifest, what)
        .with_hint("the archive was not written by tabark, or not by this version of it")
}
