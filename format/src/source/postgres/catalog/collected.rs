//! What the readers of the catalogs hand over: statements, each with what it makes and what it needs.

use std::collections::{HashMap, HashSet};

use super::depend::{Address, Dependencies};
use super::relations::Relation;
use crate::model::Omission;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// What it makes, if something else can wait for it.
    pub(super) makes: Option<Address>,
    pub(super) kind: &'static str,
    /// Its name in the archive.
    pub(super) name: String,
    /// The relation that it belongs to.
    pub(super) relation: Option<u32>,
    pub(super) definition: String,
    /// Entries whose needs are its needs.
    pub(super) sources: Vec<Address>,
    /// What it needs beyond that.
    pub(super) needs: Vec<Address>,
}

impl Item {
    /// Something that is an entry of a catalog.
    pub(super) fn new(kind: &'static str, makes: Address, name: impl Into<String>, definition: String) -> Self {
        Self {
            makes: Some(makes),
            kind,
            name: name.into(),
            relation: None,
            definition,
            sources: vec![makes],
            needs: Vec::new(),
        }
    }

    /// Something that is said about what `on` makes.
    pub(super) fn about(kind: &'static str, on: Address, name: impl Into<String>, definition: String) -> Self {
        Self { makes: None, kind, name: name.into(), relation: None, definition, sources: Vec::new(), needs: vec![on] }
    }

    pub(super) fn of(mut self, relation: u32) -> Self {
        self.relation = Some(relation);
        self.needs.push(Address::relation(relation));
        self
    }

    pub(super) fn needing(mut self, needs: impl IntoIterator<Item = Address>) -> Self {
        self.needs.extend(needs);
        self
    }

    pub(super) fn from(mut self, sources: impl IntoIterator<Item = Address>) -> Self {
        self.sources.extend(sources);
        self
    }
}

/// How statements call something: `TABLE "public"."users"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) words: String,
    /// Its name in the archive.
    pub(super) name: String,
    pub(super) relation: Option<u32>,
}

/// Something that stands in the statement that makes its host, unless what it needs needs the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) host: Address,
    pub(super) address: Address,
    /// The statement that makes it on its own.
    pub(super) alone: Item,
}

/// The chosen relations, and everything that was found so far.
#[derive(Debug)]
pub(super) struct Collected<'r> {
    /// The server's version: 150018 is 15.18.
    pub(super) version: u32,
    /// The whole database is wanted, not only what the chosen relations need.
    pub(super) everything: bool,
    /// What the role may not read is passed over: the catalog is looked at and not kept.
    pub(super) only_looked_at: bool,
    pub(super) relations: &'r [Relation],
    pub(super) by_oid: HashMap<u32, &'r Relation>,
    pub(super) depend: Dependencies,
    /// What is needed, by catalog; of no meaning where everything is wanted.
    pub(super) needed: HashMap<u32, Vec<u32>>,
    pub(super) items: Vec<Item>,
    pub(super) parts: Vec<Part>,
    pub(super) subjects: HashMap<Address, Subject>,
    /// Functions that need only the shell of a type, with the type.
    pub(super) shells: HashSet<(Address, Address)>,
    pub(super) omitted: Vec<Omission>,
}

impl<'r> Collected<'r> {
    pub(super) fn new(version: u32, everything: bool, relations: &'r [Relation], depend: Dependencies) -> Self {
        Self {
            version,
            everything,
            only_looked_at: false,
            relations,
            by_oid: relations.iter().map(|relation| (relation.oid, relation)).collect(),
            depend,
            needed: HashMap::new(),
            items: Vec::new(),
            parts: Vec::new(),
            subjects: HashMap::new(),
            shells: HashSet::new(),
            omitted: Vec::new(),
        }
    }

    /// The numbers of the chosen relations as a relation `chosen(oid)` for a FROM clause: joining it is one pass, however many.
    pub(super) fn chosen(&self) -> String {
        numbers(self.relations.iter().map(|relation| relation.oid))
    }

    /// The condition by which entries of a catalog are wanted.
    pub(super) fn wanted(&self, class: u32, oid: &str) -> String {
        if self.everything {
            return format!("{oid} >= 16384");
        }
        let needed = self.needed.get(&class).map_or(&[][..], Vec::as_slice);
        format!("{oid} = ANY ({})", array(needed.iter().copied()))
    }

    /// Is this an entry to keep: no part of something else, not made by an extension?
    pub(super) fn keeps(&self, address: Address) -> bool {
        self.depend.whole(address).is_none() && self.depend.extension(address).is_none()
    }

    pub(super) fn omit(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        self.omitted.push(Omission { what: what.into(), reason: reason.into() });
    }

    pub(super) fn subject(&mut self, address: Address, words: String, name: &str, relation: Option<u32>) {
        self.subjects.insert(address, Subject { words, name: name.to_owned(), relation });
    }
}

/// Numbers as a relation `chosen(oid)` for a FROM clause.
pub(super) fn numbers(oids: impl Iterator<Item = u32>) -> String {
    format!("pg_catalog.unnest({}) AS chosen(oid)", array(oids))
}

fn array(oids: impl Iterator<Item = u32>) -> String {
    let oids: Vec<String> = oids.map(|oid| oid.to_string()).collect();
    format!("'{{{}}}'::pg_catalog.oid[]", oids.join(","))
}
