//! From the system catalogs of a server to what a snapshot says of its schema: the chosen relations, everything that they
//! need to stand in an empty database, in an order in which it can be made, and by name what is left out.
//!
//! Every reader takes the entries of one catalog that are wanted, all at once, and hands over statements, each with what it
//! makes and what it needs (`collected`). `order` puts them in order, `inventory` makes tables and objects of them. Names and
//! definitions do not depend on the server's numbers: a database that was restored gives what it was restored from.
//!
//! The session's search path must be empty, so that the server qualifies the names in what it prints.

mod base_types;
mod behaviour;
mod collected;
mod columns;
mod comments;
mod constraints;
mod depend;
mod description;
mod functions;
mod indexes;
mod inheritance;
mod inventory;
mod keys;
mod names;
mod namespaces;
mod needed;
mod omissions;
mod operators;
mod order;
mod privileges;
mod relations;
mod sequences;
mod tables;
#[cfg(test)]
mod tests;
mod types;
mod views;

use self::collected::Collected;
use self::depend::Dependencies;
pub(crate) use self::description::WHOLE;
pub(crate) use self::inventory::{Inventory, TableFacts};
pub(crate) use self::names::archive_name;
use self::order::Graph;
pub(crate) use self::relations::{Relation, RelationKind, discover};
use self::tables::Tables;
use crate::error::Result;
use crate::postgres::client::Client;

/// Reads the catalog of the chosen relations: with `everything`, of the whole database.
///
/// Fails where the role may not read what a snapshot must hold, such as where a sequence stands.
pub(crate) fn read(client: &mut Client, relations: &[Relation], everything: bool) -> Result<Inventory> {
    inventory(client, relations, everything, Purpose::Keep)
}

/// The same of the whole database, to look at what is there: sequences that the role may not read have no value.
pub(crate) fn look_at(client: &mut Client, relations: &[Relation]) -> Result<Inventory> {
    inventory(client, relations, true, Purpose::Look)
}

/// Of these relations, only what it takes to read and write rows: columns, their types, and the key.
pub(crate) fn for_rows(client: &mut Client, relations: &[Relation]) -> Result<Inventory> {
    inventory(client, relations, false, Purpose::Rows)
}

/// What the catalog is read for. Each statement to the server costs a small restore about a hundredth of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To be kept: what cannot be is named.
    Keep,
    /// To see what there is.
    Look,
    /// To read and write rows.
    Rows,
}

fn inventory(client: &mut Client, relations: &[Relation], everything: bool, purpose: Purpose) -> Result<Inventory> {
    let description = description::read(client, everything)?;
    let depend = Dependencies::read(client)?;
    let mut collected = Collected::new(client.version(), everything, relations, depend);
    collected.only_looked_at = purpose != Purpose::Keep;
    let entries = tables::read(client, &collected)?;
    let columns = columns::read(client, &collected)?;
    let parents = inheritance::read(client, &mut collected)?;
    let (checks, not_nulls) = constraints::read(client, &mut collected, &parents)?;
    let unique = indexes::read(client, &mut collected)?;
    if purpose == Purpose::Rows {
        let tables = Tables { entries, columns, parents, checks, not_nulls, identities: Default::default() };
        tables.add(&mut collected);
        return Ok(inventory::without_definitions(&collected, &tables, &unique, description));
    }
    views::read(client, &mut collected, &entries)?;
    behaviour::read_triggers(client, &mut collected)?;
    behaviour::read_rules(client, &mut collected)?;
    behaviour::read_policies(client, &mut collected)?;
    behaviour::read_statistics(client, &mut collected)?;
    needed::find(&mut collected, &columns, &checks);
    let identities = sequences::read(client, &mut collected)?;
    let domains = types::read(client, &mut collected)?;
    namespaces::read_schemas(client, &mut collected)?;
    namespaces::read_extensions(client, &mut collected)?;
    namespaces::read_collations(client, &mut collected)?;
    namespaces::read_text_search(client, &mut collected)?;
    functions::read(client, &mut collected)?;
    operators::read(client, &mut collected)?;
    let tables = Tables { entries, columns, parents, checks, not_nulls, identities };
    tables.add(&mut collected);
    comments::read(client, &mut collected)?;
    privileges::read(client, &mut collected)?;
    if purpose == Purpose::Keep {
        omissions::read(client, &mut collected)?;
    }
    let alone = Graph::new(&collected).settle(&mut collected);
    let graph = Graph::new(&collected);
    tables.define(&mut collected, &alone);
    types::define(&mut collected, domains, &alone);
    inventory::assemble(client, collected, &graph, &tables, &unique, description)
}
