//! What a restore takes of a snapshot: tables, SQLite's bookkeeping about them, and what is defined on them.
//!
//! Only the metadata of what may be chosen is read, so that damage elsewhere does not matter. What it says is checked as
//! far as it can be without a database: the archive is not trusted.

use crate::archive::{Snapshot, Table};
use crate::error::{Error, Layer, Result};
use crate::model::{Expire, SchemaObject, roles};
use crate::observer::Observer;
use crate::restore::kept::ChosenTable;
use crate::restore::proof::check_stored;
use crate::selection::{Selection, no_such_table};

/// SQLite's own tables whose rows belong to other tables.
const BOOKKEEPING: [&str; 3] = ["sqlite_sequence", "sqlite_stat1", "sqlite_stat4"];

/// The chosen part of a snapshot.
pub(super) struct Chosen<'a> {
    /// Tables, shadow tables among them, in order of creation.
    pub(super) tables: Vec<ChosenTable<'a>>,
    /// SQLite's own bookkeeping.
    pub(super) bookkeeping: Vec<Table<'a>>,
    /// Indexes of the chosen tables, in order of creation.
    pub(super) indexes: Vec<SchemaObject>,
    /// Virtual tables, in order of creation.
    pub(super) virtual_tables: Vec<SchemaObject>,
    /// Views and triggers, in order of creation.
    pub(super) views_and_triggers: Vec<SchemaObject>,
    /// Is nothing of the snapshot left out?
    pub(super) everything: bool,
    /// The text encoding of the source, in which raw texts are.
    pub(super) encoding: String,
    /// Settings of the source.
    pub(super) settings: Vec<(String, String)>,
    /// Names and reasons of what the snapshot lacks.
    pub(super) omitted: Vec<String>,
}

impl<'a> Chosen<'a> {
    /// Reads what the selection takes. A pattern that matches nothing is refused with near misses.
    /// So is a rule for a table that is not chosen.
    pub(super) fn of(snapshot: &Snapshot<'a>, selection: &Selection, expire: &[(String, Expire)]) -> Result<Self> {
        let manifest = snapshot.manifest();
        if manifest.source.engine != "sqlite" {
            return Err(Error::request(format!(
                "the snapshot is of a database of the kind \"{}\"; only SQLite's can be restored",
                manifest.source.engine
            )));
        }
        check_selection(snapshot, selection)?;
        let mut chosen = Self {
            tables: Vec::new(),
            bookkeeping: Vec::new(),
            indexes: Vec::new(),
            virtual_tables: Vec::new(),
            views_and_triggers: Vec::new(),
            everything: selection.is_everything(),
            encoding: manifest.source.setting("encoding").unwrap_or("UTF-8").to_owned(),
            settings: manifest.source.settings.clone(),
            omitted: manifest.omitted.iter().map(|omitted| format!("{} ({})", omitted.what, omitted.reason)).collect(),
        };
        chosen.take_tables(snapshot, selection, expire)?;
        chosen.take_bookkeeping(snapshot)?;
        chosen.take_objects(snapshot, selection)?;
        Ok(chosen)
    }

    fn take_tables(
        &mut self,
        snapshot: &Snapshot<'a>,
        selection: &Selection,
        expire: &[(String, Expire)],
    ) -> Result<()> {
        let entries = &snapshot.catalog().tables;
        for entry in entries.iter().filter(|entry| !is_bookkeeping(&entry.name)) {
            let may_be_shadow = || {
                let mut virtual_tables = snapshot.catalog().objects.iter().filter(|o| o.kind == "virtual table");
                virtual_tables.any(|owner| selection.takes(&owner.name) && begins_with(&entry.name, &owner.name))
            };
            if !selection.takes(&entry.name) && !may_be_shadow() {
                continue;
            }
            let table = snapshot.open_table(entry)?;
            if !selection.takes_table(table.schema()) {
                continue;
            }
            if table.schema().role == roles::INTERNAL {
                return Err(contradiction(format!("table \"{}\" is said to be SQLite's own", entry.name)));
            }
            let rules = expire.iter().filter(|(name, _)| *name == entry.name).map(|(_, rule)| rule.clone());
            self.tables.push(ChosenTable::new(table, rules.collect())?);
        }
        self.tables.sort_by_key(|table| table.schema().position);
        check_rules(snapshot, self, expire)
    }

    fn take_bookkeeping(&mut self, snapshot: &Snapshot<'a>) -> Result<()> {
        for entry in snapshot.catalog().tables.iter().filter(|entry| is_bookkeeping(&entry.name)) {
            let counts = entry.name == "sqlite_sequence";
            let counted = || self.tables.iter().any(|table| table.schema().option("autoincrement").is_some());
            if self.everything || (!self.tables.is_empty() && (!counts || counted())) {
                let table = snapshot.open_table(entry)?;
                if table.schema().role != roles::INTERNAL {
                    return Err(contradiction(format!("\"{}\" is said to be a table like others", entry.name)));
                }
                self.bookkeeping.push(table);
            }
        }
        Ok(())
    }

    fn take_objects(&mut self, snapshot: &Snapshot<'a>, selection: &Selection) -> Result<()> {
        for table in &self.tables {
            let name = &table.schema().name;
            for object in &table.schema().attached {
                match object.kind.as_str() {
                    "index" if object.table == *name => self.indexes.push(object.clone()),
                    "trigger" if object.table == *name => self.views_and_triggers.push(object.clone()),
                    kind => return Err(contradiction(format!("table \"{name}\" is said to have a {kind}"))),
                }
            }
        }
        for object in &snapshot.catalog().objects {
            // What stands on a view goes with the view.
            if !selection.takes_object(object) {
                continue;
            }
            match object.kind.as_str() {
                "view" | "trigger" => self.views_and_triggers.push(object.clone()),
                "virtual table" => self.virtual_tables.push(object.clone()),
                kind => {
                    return Err(Error::unsupported(format!("the snapshot has a {kind}, \"{}\"", object.name)));
                }
            }
        }
        for objects in [&mut self.indexes, &mut self.virtual_tables, &mut self.views_and_triggers] {
            objects.sort_by_key(|object| object.position);
        }
        let definitions = self.objects().map(|object| (&object.name, &object.definition));
        let tables = self.tables.iter().map(|table| (&table.schema().name, &table.schema().definition));
        match definitions.chain(tables).find(|(_, definition)| definition.contains('\0')) {
            Some((name, _)) => Err(Error::database(format!("the definition of \"{name}\" holds a NUL character"))
                .with_hint("SQLite reads no further than that; leave it out")),
            None => Ok(()),
        }
    }

    /// All objects, in the order in which they are made.
    pub(super) fn objects(&self) -> impl Iterator<Item = &SchemaObject> {
        self.indexes.iter().chain(&self.virtual_tables).chain(&self.views_and_triggers)
    }

    /// Is a table of this name among the chosen ones? (SQLite's names differ by more than the case of A to Z.)
    pub(super) fn has_table(&self, name: &str) -> bool {
        self.tables.iter().any(|table| table.schema().name.eq_ignore_ascii_case(name))
    }

    /// Checks every stored byte that the restore will use.
    pub(super) fn check_stored(&self, observer: &dyn Observer) -> Result<()> {
        check_stored(self.tables.iter().map(|chosen| &**chosen).chain(&self.bookkeeping), observer)
    }

    /// Finds out which rows are too old to be restored. Every stored byte must have been checked.
    pub(super) fn settle(&mut self, observer: &dyn Observer) -> Result<()> {
        self.tables.iter_mut().try_for_each(|table| table.settle(observer))
    }
}

/// What the snapshot says of itself cannot be.
pub(in crate::restore) fn contradiction(what: String) -> Error {
    Error::damaged(Layer::Manifest, what)
        .with_hint("the archive was not written by tabark, or not by this version of it")
}

/// Every rule is for a table that is restored.
fn check_rules(snapshot: &Snapshot<'_>, chosen: &Chosen<'_>, expire: &[(String, Expire)]) -> Result<()> {
    let is_chosen = |name: &String| chosen.tables.iter().any(|table| table.schema().name == *name);
    let Some((name, _)) = expire.iter().find(|(name, _)| !is_chosen(name)) else { return Ok(()) };
    let mut names = snapshot.catalog().tables.iter().map(|table| table.name.as_str());
    if names.clone().any(|known| known == name) {
        return Err(Error::request(format!("rows of \"{name}\" are to be left out, but the table is not restored"))
            .with_hint("choose the table too, or leave out the rule"));
    }
    Err(no_such_table(name, &mut names))
}

fn is_bookkeeping(name: &str) -> bool {
    BOOKKEEPING.contains(&name)
}

fn begins_with(shadow: &str, owner: &str) -> bool {
    shadow.get(..owner.len()).is_some_and(|start| start.eq_ignore_ascii_case(owner))
}

fn check_selection(snapshot: &Snapshot<'_>, selection: &Selection) -> Result<()> {
    let catalog = snapshot.catalog();
    let tables = catalog.tables.iter().map(|table| table.name.as_str()).filter(|name| !is_bookkeeping(name));
    let objects = catalog.objects.iter().map(|object| object.name.as_str());
    selection.check(tables.chain(objects).collect::<Vec<_>>().iter().copied())
}
