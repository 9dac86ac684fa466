//! Types that users make: enums, composites, ranges and domains.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::base_types;
use super::collected::{Collected, Item, Part};
use super::columns;
use super::depend::{Address, class};
use super::names::archive_name;
use crate::error::Result;
use crate::postgres::client::{Client, TextRow};
use crate::postgres::sql::{qualified, quote};

const NOT_NULL: &str = " NOT NULL";

/// A domain, whose statement is written when it is known which checks stand in it.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    address: Address,
    /// The statement up to its checks.
    start: String,
    checks: Vec<(Address, String)>,
}

/// Reads types. Domains are handed back.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<Vec<Domain>> {
    let sql = format!(
        "SELECT t.oid, n.nspname, t.typname, t.typtype, t.typrelid,
                pg_catalog.format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault, cn.nspname, co.collname,
                (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                 FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid)
         FROM pg_catalog.pg_type AS t
         JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         LEFT JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
         LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = t.typcollation AND t.typcollation <> b.typcollation
         LEFT JOIN pg_catalog.pg_namespace AS cn ON cn.oid = co.collnamespace
         WHERE (t.typtype IN ('e', 'c', 'r', 'd', 'b') OR t.typtype = 'p' AND NOT t.typisdefined)
             AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND {}
         ORDER BY n.nspname, t.typname",
        collected.wanted(class::TYPE, "t.oid")
    );
    let (mut composites, mut domains) = (BTreeMap::new(), BTreeMap::new());
    let (mut ranges, mut bases) = (BTreeMap::new(), BTreeMap::new());
    for row in client.rows(&sql)? {
        let address = Address::new(class::TYPE, row.number(0)?);
        if !collected.keeps(address) {
            continue;
        }
        let (schema, name) = (row.text(1), row.text(2));
        let (named, own) = (archive_name(schema, name), qualified(schema, name));
        let is_domain = row.text(3) == "d";
        let words = format!("{} {own}", if is_domain { "DOMAIN" } else { "TYPE" });
        collected.subject(address, words, &named, None);
        match row.text(3) {
            "e" => {
                let definition = format!("CREATE TYPE {own} AS ENUM ({})", row.text(10));
                collected.items.push(Item::new("type", address, named, definition));
            }
            // A shell that nobody filled.
            "p" => collected.items.push(Item::new("shell type", address, named, format!("CREATE TYPE {own}"))),
            "b" => {
                bases.insert(address.oid, (named, own));
            }
            "c" => {
                let relation: u32 = row.number(4)?;
                collected.subject(Address::relation(relation), format!("TYPE {own}"), &named, None);
                composites.insert(relation, (address, named, own));
            }
            "r" => {
                ranges.insert(address.oid, (named, own));
            }
            _ => {
                let start = domain_start(&own, &row);
                collected.items.push(Item::new("domain", address, named.clone(), String::new()));
                domains.insert(address.oid, (Domain { address, start, checks: Vec::new() }, named, own));
            }
        }
    }
    add_composites(client, collected, &composites)?;
    add_ranges(client, collected, &ranges)?;
    base_types::read(client, collected, &bases)?;
    add_constraints(client, collected, &mut domains)?;
    Ok(domains.into_values().map(|(domain, ..)| domain).collect())
}

fn domain_start(own: &str, row: &TextRow) -> String {
    let mut start = format!("CREATE DOMAIN {own} AS {}", row.text(5));
    if let Some(collation) = row.get(9) {
        start.push_str(&format!(" COLLATE {}", qualified(row.text(8), collation)));
    }
    if let Some(default) = row.get(7) {
        start.push_str(&format!(" DEFAULT {default}"));
    }
    if row.is_true(6) {
        start.push_str(NOT_NULL);
    }
    start
}

type Named = (Address, String, String);

fn add_composites(client: &mut Client, collected: &mut Collected<'_>, composites: &BTreeMap<u32, Named>) -> Result<()> {
    if composites.is_empty() {
        return Ok(());
    }
    let relations: Vec<u32> = composites.keys().copied().collect();
    let columns = columns::read_of(client, collected.version, &relations)?;
    for (relation, (address, named, own)) in composites {
        let attributes = columns.get(relation).map_or(&[][..], Vec::as_slice).iter().map(|column| {
            let collate = column.collate.as_ref().map(|collation| format!(" COLLATE {collation}"));
            format!("{} {}{}", quote(&column.facts.name), column.declared, collate.unwrap_or_default())
        });
        let definition = format!("CREATE TYPE {own} AS ({})", attributes.collect::<Vec<_>>().join(", "));
        let item = Item::new("type", *address, named.clone(), definition);
        collected.items.push(item.from([Address::relation(*relation)]));
    }
    Ok(())
}

fn add_ranges(
    client: &mut Client,
    collected: &mut Collected<'_>,
    ranges: &BTreeMap<u32, (String, String)>,
) -> Result<()> {
    if ranges.is_empty() {
        return Ok(());
    }
    let multirange = if collected.version >= 140_000 { "r.rngmultitypid" } else { "0" };
    let sql = format!(
        "SELECT r.rngtypid, pg_catalog.format_type(r.rngsubtype, NULL), cn.nspname, co.collname, opn.nspname, op.opcname,
                op.opcdefault, sn.nspname, s.proname, c.oid, mn.nspname, m.typname
         FROM {}
         JOIN pg_catalog.pg_range AS r ON r.rngtypid = chosen.oid
         JOIN pg_catalog.pg_type AS st ON st.oid = r.rngsubtype
         JOIN pg_catalog.pg_opclass AS op ON op.oid = r.rngsubopc
         JOIN pg_catalog.pg_namespace AS opn ON opn.oid = op.opcnamespace
         LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = r.rngcollation AND r.rngcollation <> st.typcollation
         LEFT JOIN pg_catalog.pg_namespace AS cn ON cn.oid = co.collnamespace
         LEFT JOIN pg_catalog.pg_proc AS s ON s.oid = r.rngsubdiff
         LEFT JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.pronamespace
         LEFT JOIN pg_catalog.pg_proc AS c ON c.oid = r.rngcanonical
         LEFT JOIN pg_catalog.pg_type AS m ON m.oid = {multirange}
         LEFT JOIN pg_catalog.pg_namespace AS mn ON mn.oid = m.typnamespace",
        super::collected::numbers(ranges.keys().copied())
    );
    for row in client.rows(&sql)? {
        let oid: u32 = row.number(0)?;
        let Some((named, own)) = ranges.get(&oid) else { continue };
        let mut parts = vec![format!("SUBTYPE = {}", row.text(1))];
        if !row.is_true(6) {
            parts.push(format!("SUBTYPE_OPCLASS = {}", qualified(row.text(4), row.text(5))));
        }
        if let Some(collation) = row.get(3) {
            parts.push(format!("COLLATION = {}", qualified(row.text(2), collation)));
        }
        if let Some(difference) = row.get(8) {
            parts.push(format!("SUBTYPE_DIFF = {}", qualified(row.text(7), difference)));
        }
        if let Some(multirange) = row.get(11) {
            parts.push(format!("MULTIRANGE_TYPE_NAME = {}", qualified(row.text(10), multirange)));
        }
        if row.get(9).is_some() {
            let what = format!("canonical function of range type \"{named}\"");
            collected.omit(what, "it is written in C; the type is kept without it");
        }
        let definition = format!("CREATE TYPE {own} AS RANGE ({})", parts.join(", "));
        let address = Address::new(class::TYPE, oid);
        collected.items.push(Item::new("type", address, named.clone(), definition));
    }
    Ok(())
}

fn add_constraints(
    client: &mut Client,
    collected: &mut Collected<'_>,
    domains: &mut BTreeMap<u32, (Domain, String, String)>,
) -> Result<()> {
    if domains.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT c.oid, c.contypid, c.conname, pg_catalog.pg_get_constraintdef(c.oid), c.convalidated, c.contype = 'n',
                c.conname = t.typname || '_not_null'
         FROM {}
         JOIN pg_catalog.pg_type AS t ON t.oid = chosen.oid
         LEFT JOIN pg_catalog.pg_constraint AS c ON c.contypid = chosen.oid AND c.contype IN ('c', 'n')
         ORDER BY c.contypid, c.contype = 'c', c.conname",
        super::collected::numbers(domains.keys().copied())
    );
    for row in client.rows(&sql)? {
        let Some(name) = row.get(2) else { continue };
        let Some((domain, named, own)) = domains.get_mut(&row.number(1)?) else { continue };
        let address = Address::new(class::CONSTRAINT, row.number(0)?);
        if row.is_true(5) {
            // A NOT NULL has a name from 17 on; that which the server gives itself is not said.
            if !row.is_true(6) {
                let start = domain.start.strip_suffix(NOT_NULL).unwrap_or(&domain.start);
                domain.start = format!("{start} CONSTRAINT {}{NOT_NULL}", quote(name));
            }
            continue;
        }
        collected.subject(address, format!("CONSTRAINT {} ON DOMAIN {own}", quote(name)), name, None);
        let stated = format!("CONSTRAINT {} {}", quote(name), row.text(3));
        let definition = format!("ALTER DOMAIN {own} ADD {stated}");
        let mut alone = Item::new("domain constraint", address, format!("{named}.{name}"), definition);
        alone.needs.push(domain.address);
        if row.is_true(4) {
            domain.checks.push((address, stated));
            collected.parts.push(Part { host: domain.address, address, alone });
        } else {
            collected.items.push(alone);
        }
    }
    Ok(())
}

/// Writes the statements that make domains; checks that stand `alone` are not in them.
pub(super) fn define(collected: &mut Collected<'_>, domains: Vec<Domain>, alone: &HashSet<Address>) {
    let mut statements: HashMap<Address, String> = HashMap::new();
    for domain in domains {
        let stated = domain.checks.iter().filter(|(address, _)| !alone.contains(address));
        let statement = stated.fold(domain.start, |statement, (_, check)| format!("{statement} {check}"));
        statements.insert(domain.address, statement);
    }
    for item in &mut collected.items {
        if let Some(statement) = item.makes.and_then(|makes| statements.remove(&makes)) {
            item.definition = statement;
        }
    }
}
