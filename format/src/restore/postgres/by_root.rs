//! Rows that go through the partitioned table: which partition they belong to is the server's to say.
//!
//! Rows of all partitions below such a root are sent to the root, and proven together: what the partitions hold in all is what they
//! held in all.

use std::collections::BTreeMap;

use super::chosen::Chosen;
use super::options::PostgresRestoreOptions;
use super::partition_key::PartitionKey;
use super::placement::{Place, relation_place};
use super::references::attached;
use super::target::Target;
use crate::error::{Error, Result};
use crate::model::TableSchema;
use crate::source::postgres::catalog::archive_name;

/// A partitioned table through which the rows of its partitions go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// Its name in the archive.
    pub(super) name: String,
    pub(super) place: Place,
    /// The partitions with rows, by their names in the archive, in order of creation.
    pub(super) leaves: Vec<String>,
    /// Why it is loaded so.
    why: String,
}

impl Root {
    /// What is said of it.
    pub(super) fn told(&self) -> String {
        format!("restored by the root \"{}\": {}; partitions go by {}", self.name, quoted(&self.leaves), self.why)
    }
}

/// All of a restore.
#[derive(Debug, Default)]
pub(super) struct Roots {
    pub(super) all: Vec<Root>,
}

impl Roots {
    /// The roots of the chosen tables that need it, or all of them if that is asked for. Refuses such with partitions that were left
    /// out: rows could belong to those.
    pub(super) fn of(chosen: &Chosen<'_>, target: &Target, options: &PostgresRestoreOptions) -> Result<Self> {
        let known = Known::of(chosen, target, options);
        let mut roots = Self::default();
        for table in &chosen.tables {
            let schema = table.schema();
            let Some((place, why)) = known.root(schema) else { continue };
            match roots.all.iter_mut().find(|root| root.place == place) {
                Some(root) => root.leaves.push(schema.name.clone()),
                None => {
                    let name = archive_name(&place.0, &place.1);
                    roots.all.push(Root { name, place, leaves: vec![schema.name.clone()], why });
                }
            }
        }
        for root in &roots.all {
            if let Some(missing) = chosen.partition_left_out(&root.name) {
                return Err(Error::request(format!(
                    "\"{missing}\" is left out, and rows of \"{}\" may belong to it on this server: partitions go by {}",
                    root.name, root.why
                ))
                .with_hint("choose all partitions, or none"));
            }
        }
        Ok(roots)
    }

    /// The root that the rows of a table go through.
    pub(super) fn of_table(&self, name: &str) -> Option<&Root> {
        self.all.iter().find(|root| root.leaves.iter().any(|leaf| leaf == name))
    }

    pub(super) fn root(&self, name: &str) -> Option<&Root> {
        self.all.iter().find(|root| root.name == name)
    }
}

/// The chosen partitioned tables.
struct Known<'k> {
    /// By the place of a partition: the place of what it is a partition of.
    parents: BTreeMap<Place, Place>,
    keys: BTreeMap<Place, PartitionKey>,
    same_encoding: bool,
    options: &'k PostgresRestoreOptions,
}

impl<'k> Known<'k> {
    fn of(chosen: &Chosen<'_>, target: &Target, options: &'k PostgresRestoreOptions) -> Self {
        let of_kind = |kind: &'static str| chosen.before.iter().filter(move |object| object.kind == kind);
        let parents = of_kind("partition").filter_map(attached).map(|(parent, child)| (child, parent));
        let keys = of_kind("partitioned table")
            .filter_map(|object| Some((relation_place(&object.name)?, PartitionKey::of(&object.definition)?)));
        Self {
            parents: parents.collect(),
            keys: keys.collect(),
            same_encoding: chosen.encoding == target.encoding,
            options,
        }
    }

    /// The highest table above this one through which its rows must go, and why.
    fn root(&self, table: &TableSchema) -> Option<(Place, String)> {
        let (schema, name) = super::chosen::place_of(table).ok()?;
        let mut place = &(schema.to_owned(), name.to_owned());
        let mut found = None;
        // Each step leads to another table; what leads in a circle was not written by a server.
        for _ in 0..self.parents.len() {
            let Some(parent) = self.parents.get(place) else { break };
            let Some(key) = self.keys.get(parent) else { break };
            let asked = || self.options.by_root.then(|| "what the target's server says, as asked for".to_owned());
            if let Some(why) = key.differs(table, self.same_encoding).or_else(asked) {
                found = Some((parent.clone(), why));
            }
            place = parent;
        }
        found
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
