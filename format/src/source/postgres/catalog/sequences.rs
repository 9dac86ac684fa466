//! Sequences: their parameters, who owns them, and where they stand.

use std::collections::HashMap;

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use super::names::archive_name;
use crate::error::Result;
use crate::postgres::client::{Client, TextRow};
use crate::postgres::sql::{literal, qualified, quote};

/// Sequences whose state one statement asks for: more would make it longer than a server reads gladly.
const STATES_AT_ONCE: usize = 500;

/// A sequence.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    unlogged: bool,
    of_type: String,
    start: String,
    increment: String,
    maximum: String,
    minimum: String,
    cache: String,
    cycles: bool,
    owner: Option<Owner>,
}

#[derive(Debug, Clone)]
struct Owner {
    is_identity: bool,
    table: u32,
    attnum: i16,
    column: String,
}

impl Sequence {
    /// What follows its name where it is made.
    pub(super) fn parameters(&self, _version: u32, with_type: bool) -> String {
        let of_type = if with_type { format!("AS {} ", self.of_type) } else { String::new() };
        let cycle = if self.cycles { " CYCLE" } else { "" };
        format!(
            "{of_type}START WITH {} INCREMENT BY {} MINVALUE {} MAXVALUE {} CACHE {}{cycle}",
            self.start, self.increment, self.minimum, self.maximum, self.cache
        )
    }
}

/// The sequences of identity columns, by table and column.
pub(super) type Identities = HashMap<(u32, i16), Sequence>;

/// Reads sequences. Those of identity columns are handed back: they are made with their table.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<Identities> {
    let sql = format!(
        "SELECT c.oid, n.nspname, c.relname, c.relpersistence = 'u', pg_catalog.format_type(s.seqtypid, NULL),
                s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle, d.deptype = 'i', d.refobjid,
                d.refobjsubid, a.attname, pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
         FROM pg_catalog.pg_class AS c
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
         LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 1259 AND d.objid = c.oid AND d.objsubid = 0
             AND d.refclassid = 1259 AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
         LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND {}
         ORDER BY n.nspname, c.relname",
        collected.wanted(class::RELATION, "c.oid")
    );
    let mut kept = Vec::new();
    let mut asked = Vec::new();
    for row in client.rows(&sql)? {
        let sequence = sequence(&row)?;
        let address = Address::relation(sequence.oid);
        let owner_is_there = |owner: &Owner| collected.by_oid.contains_key(&owner.table);
        let comes_with_another =
            sequence.owner.as_ref().is_some_and(|owner| owner.is_identity && !owner_is_there(owner));
        if collected.depend.extension(address).is_none() && !comes_with_another {
            if row.is_true(15) || !collected.only_looked_at {
                asked.push((sequence.oid, qualified(&sequence.schema, &sequence.name)));
            }
            kept.push(sequence);
        }
    }
    let states = states(client, &asked)?;
    let mut identities = Identities::new();
    for sequence in kept {
        add(collected, &sequence, states.get(&sequence.oid));
        if let Some(owner) = sequence.owner.as_ref().filter(|owner| owner.is_identity) {
            identities.insert((owner.table, owner.attnum), sequence);
        }
    }
    Ok(identities)
}

fn sequence(row: &TextRow) -> Result<Sequence> {
    let own = |column: usize| row.text(column).to_owned();
    let owner = match row.get(12) {
        Some(_) => Some(Owner {
            is_identity: row.is_true(11),
            table: row.number(12)?,
            attnum: row.number(13)?,
            column: own(14),
        }),
        None => None,
    };
    Ok(Sequence {
        oid: row.number(0)?,
        schema: own(1),
        name: own(2),
        unlogged: row.is_true(3),
        of_type: own(4),
        start: own(5),
        increment: own(6),
        maximum: own(7),
        minimum: own(8),
        cache: own(9),
        cycles: row.is_true(10),
        owner,
    })
}

/// Where sequences stand: the last value, and whether it was handed out. A sequence is of no instant: it stands at least
/// where it stood at the snapshot's.
fn states(client: &mut Client, sequences: &[(u32, String)]) -> Result<HashMap<u32, (String, bool)>> {
    let mut states = HashMap::new();
    for some in sequences.chunks(STATES_AT_ONCE) {
        let asked: Vec<String> =
            some.iter().map(|(oid, name)| format!("SELECT {oid}, last_value, is_called FROM {name}")).collect();
        for row in client.rows(&asked.join(" UNION ALL "))? {
            states.insert(row.number(0)?, (row.text(1).to_owned(), row.is_true(2)));
        }
    }
    Ok(states)
}

fn add(collected: &mut Collected<'_>, sequence: &Sequence, state: Option<&(String, bool)>) {
    let address = Address::relation(sequence.oid);
    let (name, own) = (archive_name(&sequence.schema, &sequence.name), qualified(&sequence.schema, &sequence.name));
    let owner = sequence.owner.as_ref().and_then(|owner| Some((owner, *collected.by_oid.get(&owner.table)?)));
    let table = owner.map(|(owner, _)| owner.table);
    collected.subject(address, format!("SEQUENCE {own}"), &name, table);
    let is_identity = owner.is_some_and(|(owner, _)| owner.is_identity);
    if !is_identity {
        let unlogged = if sequence.unlogged { "UNLOGGED " } else { "" };
        let definition = format!("CREATE {unlogged}SEQUENCE {own} {}", sequence.parameters(collected.version, true));
        let mut item = Item::new("sequence", address, name.clone(), definition);
        item.relation = table;
        collected.items.push(item);
        if let Some((owner, relation)) = owner {
            let column = quote(&owner.column);
            let definition = format!("ALTER SEQUENCE {own} OWNED BY {}.{column}", relation.qualified());
            collected.items.push(Item::about("sequence owner", address, name.clone(), definition).of(owner.table));
        }
    }
    let Some((last, is_called)) = state else { return };
    let definition = format!("SELECT pg_catalog.setval({}, {last}, {is_called})", literal(&own));
    let mut value = Item::about("sequence value", address, name, definition);
    value.relation = table;
    collected.items.push(value);
}
