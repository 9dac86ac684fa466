//! The order in which statements can run: each after all that it needs, and among those that could run, by kind and name.
//! The order does not depend on the server's numbers, so that a database made from it has it again.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use super::collected::{Collected, Item};
use super::depend::{Address, FIRST_OF_USERS, Need, class};

/// Kinds in the order in which they are made where nothing else says so.
const RANKS: [&str; 50] = [
    "schema",
    "extension",
    "collation",
    "shell type",
    "type",
    "domain",
    "text search dictionary",
    "text search configuration",
    "text search mapping",
    "sequence",
    "function",
    "aggregate",
    "operator",
    "operator family",
    "operator class",
    "operator family members",
    "cast",
    "domain constraint",
    "table",
    "partitioned table",
    "column settings",
    "default",
    "inheritance",
    "sequence owner",
    "partition",
    "sequence value",
    "check",
    "primary key",
    "unique",
    "exclusion",
    "index",
    "index settings",
    "index attach",
    "cluster",
    "replica identity",
    "statistics",
    "statistics settings",
    "foreign key",
    "view",
    "materialized view",
    "refresh",
    "rule",
    "rule state",
    "trigger",
    "trigger state",
    "policy",
    "row security",
    "comment",
    "owner",
    "privileges",
];

fn rank(kind: &str) -> usize {
    // What is not listed comes last: privileges of what is to come.
    RANKS.iter().position(|known| *known == kind).unwrap_or(RANKS.len())
}

/// Who needs whom, by index into the items.
pub(super) struct Graph {
    makers: HashMap<Address, usize>,
    needs: Vec<BTreeSet<usize>>,
    /// Relations that are needed and not there.
    lacking: Vec<BTreeSet<Address>>,
    /// Entries that are needed and that nothing makes, but the target may have.
    foreign: Vec<BTreeSet<Address>>,
}

impl Graph {
    pub(super) fn new(collected: &Collected<'_>) -> Self {
        let makers = collected.items.iter().enumerate().filter_map(|(at, item)| Some((item.makes?, at))).collect();
        let mut graph = Self { makers, needs: Vec::new(), lacking: Vec::new(), foreign: Vec::new() };
        for (at, item) in collected.items.iter().enumerate() {
            let found = graph.needs_of(collected, item, at);
            graph.needs.push(found.items);
            graph.lacking.push(found.lacking);
            graph.foreign.push(found.foreign);
        }
        graph
    }

    /// What an item needs.
    fn needs_of(&self, collected: &Collected<'_>, item: &Item, at: usize) -> Needs {
        let mut found = Needs::default();
        let noted = item.sources.iter().flat_map(|source| {
            collected.depend.needs(*source).iter().filter_map(|need| self.need_of(collected, item, *source, *need))
        });
        let noted: Vec<Address> = noted.collect();
        for address in noted.into_iter().chain(item.needs.iter().copied()) {
            match self.maker(collected, address) {
                Some(maker) if maker != at => {
                    found.items.insert(maker);
                }
                Some(_) => {}
                None if address.oid < FIRST_OF_USERS => {}
                None => {
                    let whole = self.wholly(collected, address);
                    if whole.class == class::RELATION || whole.class < class::TYPE {
                        found.lacking.insert(whole);
                    } else if collected.depend.extension(whole).is_none() {
                        found.foreign.insert(whole);
                    }
                }
            }
        }
        found
    }

    /// What the items that stand need of the target.
    pub(super) fn foreign(&self, fallen: &HashMap<usize, Fallen>) -> BTreeSet<Address> {
        let standing = self.foreign.iter().enumerate().filter(|(at, _)| !fallen.contains_key(at));
        standing.flat_map(|(_, foreign)| foreign.iter().copied()).collect()
    }

    /// What of a noted need an item has to wait for.
    fn need_of(&self, collected: &Collected<'_>, item: &Item, source: Address, need: Need) -> Option<Address> {
        let of_relation = source.class == class::RELATION && need.on.class == class::RELATION;
        match item.kind {
            // A sequence stands before the table that owns it: a later step joins them.
            "sequence" if need.auto && of_relation => None,
            // A table whose parent is not there is made without it.
            "table" | "partitioned table" if of_relation && self.maker(collected, need.on).is_none() => None,
            _ if collected.shells.contains(&(source, need.on)) => Some(Address::new(class::SHELL, need.on.oid)),
            _ => Some(need.on),
        }
    }

    /// The item that makes this, or what this is a part of, or the extension that does.
    pub(super) fn maker(&self, collected: &Collected<'_>, address: Address) -> Option<usize> {
        let mut at = address;
        for _ in 0..8 {
            if let Some(maker) = self.makers.get(&at) {
                return Some(*maker);
            }
            match collected.depend.whole(at) {
                Some(whole) => at = whole,
                None => break,
            }
        }
        let extension = collected.depend.extension(address)?;
        self.makers.get(&Address::new(class::EXTENSION, extension)).copied()
    }

    fn wholly(&self, collected: &Collected<'_>, address: Address) -> Address {
        let mut at = address;
        for _ in 0..8 {
            match collected.depend.whole(at) {
                Some(whole) => at = whole,
                None => break,
            }
        }
        at
    }

    /// Puts the parts into their hosts: each whose needs do not need the host. The others become statements of their own, of
    /// which the addresses are given. The graph of what comes out of it has to be made anew.
    pub(super) fn settle(mut self, collected: &mut Collected<'_>) -> HashSet<Address> {
        let mut alone = HashSet::new();
        let mut parts = std::mem::take(&mut collected.parts);
        parts.sort_by(|a, b| (&a.alone.kind, &a.alone.definition).cmp(&(&b.alone.kind, &b.alone.definition)));
        for part in parts {
            let Some(host) = self.makers.get(&part.host).copied() else { continue };
            let inside = Item { sources: vec![part.address], needs: Vec::new(), ..part.alone.clone() };
            let found = self.needs_of(collected, &inside, host);
            if found.lacking.is_empty() && !self.reaches(&found.items, host) {
                if let Some(of_host) = self.needs.get_mut(host) {
                    of_host.extend(found.items);
                }
                if let Some(item) = collected.items.get_mut(host) {
                    item.sources.push(part.address);
                }
                collected.depend.put_into(part.address, part.host);
            } else {
                alone.insert(part.address);
                collected.items.push(part.alone);
            }
        }
        alone
    }

    /// Is `to` one of these, or needed by one of them?
    fn reaches(&self, from: &BTreeSet<usize>, to: usize) -> bool {
        let mut waiting: Vec<usize> = from.iter().copied().collect();
        let mut seen = HashSet::new();
        while let Some(at) = waiting.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                waiting.extend(self.needs.get(at).into_iter().flatten());
            }
        }
        false
    }

    /// Items that cannot stand, each with what it lacks: itself, or by way of another item.
    pub(super) fn fallen(&self) -> HashMap<usize, Fallen> {
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.needs.len()];
        for (at, needs) in self.needs.iter().enumerate() {
            for need in needs {
                if let Some(list) = needed_by.get_mut(*need) {
                    list.push(at);
                }
            }
        }
        let mut fallen = HashMap::new();
        let mut waiting = Vec::new();
        for (at, lacking) in self.lacking.iter().enumerate() {
            if let Some(first) = lacking.first() {
                fallen.insert(at, Fallen::Lacks(*first));
                waiting.push(at);
            }
        }
        while let Some(at) = waiting.pop() {
            for dependent in needed_by.get(at).into_iter().flatten() {
                if !fallen.contains_key(dependent) {
                    fallen.insert(*dependent, Fallen::With(at));
                    waiting.push(*dependent);
                }
            }
        }
        fallen
    }

    /// The indexes of all items in the order of their statements.
    pub(super) fn order(&self, items: &[Item]) -> Vec<usize> {
        let mut missing: Vec<usize> = self.needs.iter().map(BTreeSet::len).collect();
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
        for (at, needs) in self.needs.iter().enumerate() {
            for need in needs {
                if let Some(list) = needed_by.get_mut(*need) {
                    list.push(at);
                }
            }
        }
        let key = |at: usize| items.get(at).map(|item| (rank(item.kind), &item.name, &item.definition));
        let mut ready = BinaryHeap::new();
        let mut left: BTreeSet<_> = (0..items.len()).map(|at| (key(at), at)).collect();
        for (at, count) in missing.iter().enumerate() {
            if *count == 0 {
                ready.push(Reverse((key(at), at)));
            }
        }
        let mut order = Vec::with_capacity(items.len());
        let mut done = vec![false; items.len()];
        // Where nothing is ready, what is left stands in circles or behind them: the first by kind and name of those that
        // stand in one goes first.
        let stands_in_circle = |at: usize| self.needs.get(at).is_some_and(|needs| self.reaches(needs, at));
        loop {
            let next = ready.pop().map(|Reverse(next)| next);
            let in_circle = || left.iter().find(|(_, at)| stands_in_circle(*at)).copied();
            let Some((_, at)) = next.or_else(in_circle).or_else(|| left.first().copied()) else { break };
            left.remove(&(key(at), at));
            match done.get_mut(at) {
                Some(done) if !*done => *done = true,
                _ => continue,
            }
            order.push(at);
            for dependent in needed_by.get(at).into_iter().flatten() {
                let Some(count) = missing.get_mut(*dependent) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.push(Reverse((key(*dependent), *dependent)));
                }
            }
        }
        order
    }
}

/// What an item needs.
#[derive(Default)]
struct Needs {
    /// Other items.
    items: BTreeSet<usize>,
    /// Relations that are not there.
    lacking: BTreeSet<Address>,
    /// What nothing makes, but the target may have.
    foreign: BTreeSet<Address>,
}

/// Why an item cannot stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fallen {
    /// A relation that was not chosen.
    Lacks(Address),
    /// Another item that cannot stand.
    With(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: &'static str, name: &str) -> Item {
        Item::about(kind, Address::new(0, 0), name, String::new())
    }

    fn graph(needs: &[&[usize]]) -> Graph {
        Graph {
            makers: HashMap::new(),
            needs: needs.iter().map(|needs| needs.iter().copied().collect()).collect(),
            lacking: vec![BTreeSet::new(); needs.len()],
            foreign: Vec::new(),
        }
    }

    #[test]
    fn what_is_needed_comes_first_and_the_rest_by_kind_and_name() {
        let items =
            [item("view", "a"), item("table", "c"), item("table", "b"), item("type", "z"), item("function", "f")];
        assert_eq!(graph(&[&[1, 2], &[3], &[], &[], &[]]).order(&items), [3, 4, 2, 1, 0]);
        // A function that needs a view waits for it.
        assert_eq!(graph(&[&[1, 2], &[3], &[], &[], &[0]]).order(&items), [3, 2, 1, 0, 4]);
    }

    #[test]
    fn a_circle_is_cut_at_its_first() {
        let items = [item("view", "b"), item("view", "a"), item("function", "c")];
        assert_eq!(graph(&[&[1], &[0], &[0]]).order(&items), [1, 0, 2]);
    }

    #[test]
    fn what_stands_on_what_falls_falls_with_it() {
        let mut graph = graph(&[&[], &[0], &[1], &[]]);
        if let Some(first) = graph.lacking.first_mut() {
            first.insert(Address::relation(99));
        }
        let fallen = graph.fallen();
        assert_eq!(fallen.get(&0), Some(&Fallen::Lacks(Address::relation(99))));
        assert_eq!((fallen.get(&1), fallen.get(&2)), (Some(&Fallen::With(0)), Some(&Fallen::With(1))));
        assert_eq!(fallen.get(&3), None);
    }
}
