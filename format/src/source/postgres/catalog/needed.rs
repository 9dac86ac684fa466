//! What the chosen relations need, and what that needs in turn.

use std::collections::{BTreeMap, HashSet};

use super::collected::Collected;
use super::columns::Columns;
use super::constraints::Checks;
use super::depend::{Address, class};

/// Finds it, for the readers that come after those of the chosen relations.
pub(super) fn find(collected: &mut Collected<'_>, columns: &Columns, checks: &Checks) {
    if collected.everything {
        return;
    }
    let mut waiting: Vec<Address> = Vec::new();
    for relation in collected.relations {
        waiting.push(Address::relation(relation.oid));
        waiting.extend(collected.depend.sequences(relation.oid).iter().map(|oid| Address::relation(*oid)));
        let defaults = columns.get(&relation.oid).into_iter().flatten().filter_map(|column| column.default.as_ref());
        waiting.extend(defaults.map(|(oid, _)| Address::new(class::DEFAULT, *oid)));
        waiting.extend(checks.of(relation.oid).iter().map(|check| check.address));
    }
    // Indexes are relations too.
    let own: HashSet<Address> = collected.items.iter().flat_map(|item| item.sources.iter().copied()).collect();
    for item in &collected.items {
        waiting.extend(item.sources.iter().chain(&item.needs));
    }
    let mut seen: HashSet<Address> = HashSet::new();
    while let Some(address) = waiting.pop() {
        if !seen.insert(address) {
            continue;
        }
        if let Some(extension) = collected.depend.extension(address) {
            waiting.push(Address::new(class::EXTENSION, extension));
        }
        waiting.extend(collected.depend.whole(address));
        // A relation that is not chosen is not kept, so that what it needs is not needed; a part of something kept is.
        let is_chosen = collected.by_oid.contains_key(&address.oid)
            || own.contains(&address)
            || collected.depend.whole(address).is_some();
        if address.class == class::RELATION && !is_chosen {
            continue;
        }
        waiting.extend(collected.depend.parts(address));
        let needs = collected.depend.needs(address);
        waiting.extend(needs.iter().filter(|need| !need.auto || need.on.class != class::RELATION).map(|need| need.on));
    }
    let mut needed: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for address in seen {
        needed.entry(address.class).or_default().push(address.oid);
    }
    for oids in needed.values_mut() {
        oids.sort_unstable();
    }
    collected.needed = needed.into_iter().collect();
}
