//! From the rows that a request names to those that refer to them, and to those that refer to these, in one snapshot.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::choice::{self, Choice};
use super::comparison::Comparison;
use super::{EraseRequest, ForeignKeys};
use crate::archive::{SliceReference, Snapshot, Table};
use crate::error::{Error, Result};
use crate::model::{Cell, ForeignKey, SchemaObject, TableSchema, roles};
use crate::observer::Observer;

/// The rows of a table that go.
pub(super) struct Followed {
    pub(super) choices: Arc<Vec<Choice>>,
    pub(super) rows: u64,
}

/// Follows references snapshot by snapshot. What is the same as in the snapshot before is not looked at again.
#[derive(Debug, Default)]
pub(super) struct Follower {
    /// Definitions of the snapshot before, and its foreign keys.
    keys: Option<(Vec<TableSchema>, Vec<SchemaObject>, Vec<ForeignKey>)>,
    /// By table, what was found in the snapshot before.
    found: HashMap<String, Vec<Scan>>,
}

/// A table that was searched, and what was found.
#[derive(Debug, Clone)]
struct Scan {
    manifest: SliceReference,
    choices: Arc<Vec<Choice>>,
    links: Vec<Link>,
    rows: u64,
    /// For each link, the keys by which rows of its child refer to the rows that were found.
    referring: Vec<Choice>,
}

/// A foreign key, by the places of its columns.
#[derive(Debug, Clone, PartialEq)]
struct Link {
    child: String,
    child_columns: Vec<(usize, Comparison)>,
    parent: String,
    parent_columns: Vec<usize>,
}

/// What is done with the cells of rows that the request itself names.
type Named<'n> = dyn FnMut(&[Cell<'_>]) -> Result<()> + 'n;

impl Follower {
    /// `first` chooses the rows that the request names, by `columns`; `named` is told of their cells.
    pub(super) fn follow(
        &mut self,
        snapshot: &Snapshot<'_>,
        request: &EraseRequest<'_>,
        columns: &[String],
        first: Choice,
        named: &mut Named<'_>,
        observer: &dyn Observer,
    ) -> Result<BTreeMap<String, Followed>> {
        let (schemas, keys) = match request.cascade {
            Some(cascade) => self.foreign_keys(snapshot, cascade)?,
            None => (Vec::new(), Vec::new()),
        };
        let links = keys.iter().map(|key| link(key, &schemas)).collect::<Result<Vec<Link>>>()?;
        let before = std::mem::take(&mut self.found);
        let mut wanted = Wanted {
            of: request.table.clone(),
            choices: BTreeMap::from([(request.table.clone(), vec![first.clone()])]),
        };
        let mut due = BTreeSet::from([request.table.clone()]);
        // Rows may refer to a key whose row is gone.
        for (key, link) in keys.iter().zip(&links).filter(|(key, _)| key.parent == request.table) {
            let places: Option<Vec<usize>> =
                key.parent_columns.iter().map(|name| columns.iter().position(|column| column == name)).collect();
            if let Some(places) = places.filter(|places| places.len() == columns.len()) {
                let mut referring = Choice::new(link.child_columns.clone());
                for cells in first.keys() {
                    referring.add(&places.iter().filter_map(|place| cells.get(*place).copied()).collect::<Vec<_>>());
                }
                if wanted.add(&link.child, &referring) {
                    due.insert(link.child.clone());
                }
            }
        }
        let mut followed = BTreeMap::new();
        while let Some(name) = due.pop_first() {
            let Some(choices) = wanted.choices.get(&name).map(|choices| Arc::new(choices.clone())) else { continue };
            let Some(entry) = snapshot.catalog().tables.iter().find(|entry| entry.name == name) else { continue };
            let out: Vec<Link> = links.iter().filter(|link| link.parent == name).cloned().collect();
            let is_same =
                |scan: &&Scan| (scan.manifest, &scan.choices, &scan.links) == (entry.manifest, &choices, &out);
            let scan = match before.get(&name).and_then(|scans| scans.iter().find(is_same)) {
                Some(scan) => scan.clone(),
                None => {
                    let named = (name == request.table).then_some(&mut *named);
                    search(&snapshot.open_table(entry)?, entry.manifest, choices, out, named, observer)?
                }
            };
            for (link, referring) in scan.links.iter().zip(&scan.referring) {
                if wanted.add(&link.child, referring) {
                    due.insert(link.child.clone());
                }
            }
            followed.insert(name.clone(), Followed { choices: Arc::clone(&scan.choices), rows: scan.rows });
            self.found.entry(name).or_default().push(scan);
        }
        Ok(followed)
    }

    fn foreign_keys(
        &mut self,
        snapshot: &Snapshot<'_>,
        cascade: &ForeignKeys<'_>,
    ) -> Result<(Vec<TableSchema>, Vec<ForeignKey>)> {
        let mut schemas = Vec::new();
        for entry in &snapshot.catalog().tables {
            let schema = snapshot.open_table(entry)?.schema().clone();
            if schema.role == roles::TABLE {
                schemas.push(schema);
            }
        }
        let objects = &snapshot.catalog().objects;
        if let Some((_, _, keys)) =
            self.keys.as_ref().filter(|(before, others, _)| *before == schemas && others == objects)
        {
            return Ok((schemas, keys.clone()));
        }
        let keys = cascade(&snapshot.manifest().source, &schemas, objects).map_err(|error| {
            error.with_hint("without --cascade, rows that refer to erased ones stay, and refer to nothing")
        })?;
        self.keys = Some((schemas.clone(), objects.clone(), keys.clone()));
        Ok((schemas, keys))
    }
}

/// What is wanted of each table so far.
struct Wanted {
    /// The table that the request names: the first choice of its rows is the request's own, and nothing is added to it.
    of: String,
    choices: BTreeMap<String, Vec<Choice>>,
}

impl Wanted {
    /// Adds keys by which rows of a table go. `false` if all of them stand there.
    fn add(&mut self, table: &str, keys: &Choice) -> bool {
        if keys.is_empty() {
            return false;
        }
        let own = usize::from(table == self.of);
        let choices = self.choices.entry(table.to_owned()).or_default();
        match choices.iter_mut().skip(own).find(|choice| choice.columns() == keys.columns()) {
            Some(choice) => keys.keys().filter(|key| choice.add(key)).count() > 0,
            None => {
                choices.push(keys.clone());
                true
            }
        }
    }
}

fn search(
    table: &Table<'_>,
    manifest: SliceReference,
    choices: Arc<Vec<Choice>>,
    links: Vec<Link>,
    mut named: Option<&mut Named<'_>>,
    observer: &dyn Observer,
) -> Result<Scan> {
    let mut referring: Vec<Choice> = links.iter().map(|link| Choice::new(link.child_columns.clone())).collect();
    let mut rows = 0;
    let more: Vec<usize> = links.iter().flat_map(|link| &link.parent_columns).copied().collect();
    let own: Vec<usize> =
        choices.first().map_or(Vec::new(), |first| first.columns().iter().map(|(column, _)| *column).collect());
    choice::scan(table, &choices, &more, observer, |by, cell| {
        rows += 1;
        let cells = |columns: &[usize]| columns.iter().filter_map(|column| cell(*column)).collect::<Vec<Cell<'_>>>();
        if let Some(named) = named.as_mut().filter(|_| by == 0) {
            named(&cells(&own))?;
        }
        for (link, referring) in links.iter().zip(&mut referring) {
            referring.add(&cells(&link.parent_columns));
        }
        Ok(())
    })?;
    Ok(Scan { manifest, choices, links, rows, referring })
}

/// The places of a foreign key's columns.
fn link(key: &ForeignKey, schemas: &[TableSchema]) -> Result<Link> {
    let refuse = |why: String| Error::request(why).in_table(&key.child);
    let schema = |name: &String| schemas.iter().find(|schema| schema.name == *name);
    let (Some(child), Some(parent)) = (schema(&key.child), schema(&key.parent)) else {
        return Err(refuse("a foreign key of tables that the snapshot does not hold".to_owned()));
    };
    let place = |schema: &TableSchema, name: &String| {
        schema.columns.iter().position(|column| column.name == *name).ok_or_else(|| {
            refuse(format!("a foreign key goes by column \"{name}\" of \"{}\", which is not stored", schema.name))
        })
    };
    let (mut child_columns, mut parent_columns) = (Vec::new(), Vec::new());
    for ((from, to), collation) in key.child_columns.iter().zip(&key.parent_columns).zip(&key.collations) {
        let to = place(parent, to)?;
        let comparison = Comparison::of(parent, to, Some(collation)).ok_or_else(|| {
            refuse(format!("references to \"{}\" are compared in a way that only their source knows", key.parent))
        })?;
        child_columns.push((place(child, from)?, comparison));
        parent_columns.push(to);
    }
    Ok(Link { child: key.child.clone(), child_columns, parent: key.parent.clone(), parent_columns })
}
