//! Operators, their classes and families, and casts.

use std::collections::BTreeMap;

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use super::names::archive_name;
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::{qualified, quote};

/// Reads operators.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let other = |column: &str| {
        format!(
            "(SELECT pg_catalog.format('OPERATOR(%I.%s)', n2.nspname, o2.oprname) FROM pg_catalog.pg_operator AS o2
              JOIN pg_catalog.pg_namespace AS n2 ON n2.oid = o2.oprnamespace WHERE o2.oid = {column})"
        )
    };
    let sql = format!(
        "SELECT o.oid, n.nspname, o.oprname, CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END,
                CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END, o.oprcode,
                {}, {}, o.oprrest, o.oprjoin, o.oprcanhash, o.oprcanmerge
         FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
         WHERE o.oprcode <> 0 AND {} ORDER BY n.nspname, o.oprname, 4, 5",
        other("o.oprcom"),
        other("o.oprnegate"),
        collected.wanted(class::OPERATOR, "o.oid")
    );
    for row in client.rows(&sql)? {
        let address = Address::new(class::OPERATOR, row.number(0)?);
        if !collected.keeps(address) {
            continue;
        }
        // The name of an operator is never quoted.
        let (schema, name) = (quote(row.text(1)), row.text(2));
        let (left, right) = (row.get(3).unwrap_or("NONE"), row.get(4).unwrap_or("NONE"));
        let named = format!("{} ({left}, {right})", archive_name(row.text(1), name));
        collected.subject(address, format!("OPERATOR {schema}.{name} ({left}, {right})"), &named, None);
        let mut parts = vec![format!("FUNCTION = {}", row.text(5))];
        let said = [("LEFTARG", 3), ("RIGHTARG", 4), ("COMMUTATOR", 6), ("NEGATOR", 7), ("RESTRICT", 8), ("JOIN", 9)];
        for (word, column) in said {
            if let Some(value) = row.get(column).filter(|value| *value != "-") {
                parts.push(format!("{word} = {value}"));
            }
        }
        for (word, column) in [("HASHES", 10), ("MERGES", 11)] {
            if row.is_true(column) {
                parts.push(word.to_owned());
            }
        }
        let definition = format!("CREATE OPERATOR {schema}.{name} ({})", parts.join(", "));
        collected.items.push(Item::new("operator", address, named, definition));
    }
    read_families(client, collected)?;
    read_casts(client, collected)
}

/// Reads operator families and classes.
fn read_families(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT f.oid, n.nspname, f.opfname, am.amname
         FROM pg_catalog.pg_opfamily AS f
         JOIN pg_catalog.pg_namespace AS n ON n.oid = f.opfnamespace
         JOIN pg_catalog.pg_am AS am ON am.oid = f.opfmethod
         WHERE {} ORDER BY n.nspname, f.opfname, am.amname",
        collected.wanted(class::OPERATOR_FAMILY, "f.oid")
    );
    let mut families = Vec::new();
    for row in client.rows(&sql)? {
        let address = Address::new(class::OPERATOR_FAMILY, row.number(0)?);
        if !collected.keeps(address) {
            continue;
        }
        let named = archive_name(row.text(1), row.text(2));
        let own = format!("{} USING {}", qualified(row.text(1), row.text(2)), quote(row.text(3)));
        collected.subject(address, format!("OPERATOR FAMILY {own}"), &named, None);
        let definition = format!("CREATE OPERATOR FAMILY {own}");
        collected.items.push(Item::new("operator family", address, named.clone(), definition));
        families.push((address, named, own));
    }
    let sql = format!(
        "SELECT c.oid, n.nspname, c.opcname, am.amname, c.opcdefault, pg_catalog.format_type(c.opcintype, NULL),
                CASE WHEN c.opckeytype <> 0 THEN pg_catalog.format_type(c.opckeytype, NULL) END, fn.nspname, f.opfname
         FROM pg_catalog.pg_opclass AS c
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.opcnamespace
         JOIN pg_catalog.pg_am AS am ON am.oid = c.opcmethod
         JOIN pg_catalog.pg_opfamily AS f ON f.oid = c.opcfamily
         JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.opfnamespace
         WHERE {} ORDER BY n.nspname, c.opcname, am.amname",
        collected.wanted(class::OPERATOR_CLASS, "c.oid")
    );
    let mut classes = Vec::new();
    for row in client.rows(&sql)? {
        let address = Address::new(class::OPERATOR_CLASS, row.number(0)?);
        if collected.keeps(address) {
            classes.push((address, row));
        }
    }
    if families.is_empty() && classes.is_empty() {
        return Ok(());
    }
    let members = members(client)?;
    let of = |address: Address| members.get(&address).cloned().unwrap_or_default();
    for (address, row) in classes {
        let (named, own) = (archive_name(row.text(1), row.text(2)), qualified(row.text(1), row.text(2)));
        let method = quote(row.text(3));
        collected.subject(address, format!("OPERATOR CLASS {own} USING {method}"), &named, None);
        let mut parts = of(address);
        if let Some(storage) = row.get(6) {
            parts.push(format!("STORAGE {storage}"));
        } else if parts.is_empty() {
            // A class of nothing at all has to say something.
            parts.push(format!("STORAGE {}", row.text(5)));
        }
        let default = if row.is_true(4) { " DEFAULT" } else { "" };
        let definition = format!(
            "CREATE OPERATOR CLASS {own}{default} FOR TYPE {} USING {method} FAMILY {} AS {}",
            row.text(5),
            qualified(row.text(7), row.text(8)),
            parts.join(", ")
        );
        let inner = collected.depend.parts(address).to_vec();
        collected.items.push(Item::new("operator class", address, named, definition).from(inner));
    }
    for (address, named, own) in families {
        let loose = of(address);
        if !loose.is_empty() {
            let definition = format!("ALTER OPERATOR FAMILY {own} ADD {}", loose.join(", "));
            let inner = collected.depend.parts(address).to_vec();
            collected.items.push(Item::about("operator family members", address, named, definition).from(inner));
        }
    }
    Ok(())
}

/// Operators and functions of classes, and those that belong to a family alone.
fn members(client: &mut Client) -> Result<BTreeMap<Address, Vec<String>>> {
    let rows = client.rows(
        "SELECT d.refclassid, d.refobjid, 0, m.amopstrategy,
                pg_catalog.format('OPERATOR %s %I.%s (%s, %s)', m.amopstrategy, n.nspname, o.oprname,
                                  pg_catalog.format_type(m.amoplefttype, NULL), pg_catalog.format_type(m.amoprighttype, NULL))
                || CASE WHEN f.oid IS NULL THEN '' ELSE pg_catalog.format(' FOR ORDER BY %I.%I', fn.nspname, f.opfname) END AS stated
         FROM pg_catalog.pg_amop AS m
         JOIN pg_catalog.pg_depend AS d ON d.classid = 2602 AND d.objid = m.oid AND d.refclassid IN (2616, 2753)
             AND d.deptype IN ('a', 'i')
         JOIN pg_catalog.pg_operator AS o ON o.oid = m.amopopr
         JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
         LEFT JOIN pg_catalog.pg_opfamily AS f ON f.oid = m.amopsortfamily
         LEFT JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.opfnamespace
         WHERE m.oid >= 16384
         UNION ALL
         SELECT d.refclassid, d.refobjid, 1, m.amprocnum,
                pg_catalog.format('FUNCTION %s (%s, %s) %s', m.amprocnum, pg_catalog.format_type(m.amproclefttype, NULL),
                                  pg_catalog.format_type(m.amprocrighttype, NULL), m.amproc::pg_catalog.regprocedure)
         FROM pg_catalog.pg_amproc AS m
         JOIN pg_catalog.pg_depend AS d ON d.classid = 2603 AND d.objid = m.oid AND d.refclassid IN (2616, 2753)
             AND d.deptype IN ('a', 'i')
         WHERE m.oid >= 16384
         ORDER BY 1, 2, 3, 4, 5",
    )?;
    let mut members: BTreeMap<Address, Vec<String>> = BTreeMap::new();
    for row in rows {
        let of = Address::new(row.number(0)?, row.number(1)?);
        members.entry(of).or_default().push(row.text(4).to_owned());
    }
    Ok(members)
}

/// Reads casts.
fn read_casts(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT c.oid, pg_catalog.format_type(c.castsource, NULL), pg_catalog.format_type(c.casttarget, NULL),
                c.castfunc::pg_catalog.regprocedure, c.castmethod, c.castcontext
         FROM pg_catalog.pg_cast AS c WHERE {} ORDER BY 2, 3",
        collected.wanted(class::CAST, "c.oid")
    );
    for row in client.rows(&sql)? {
        let address = Address::new(class::CAST, row.number(0)?);
        if !collected.keeps(address) {
            continue;
        }
        let own = format!("({} AS {})", row.text(1), row.text(2));
        collected.subject(address, format!("CAST {own}"), &own, None);
        let way = match row.text(4) {
            "f" => format!("WITH FUNCTION {}", row.text(3)),
            "i" => "WITH INOUT".to_owned(),
            _ => "WITHOUT FUNCTION".to_owned(),
        };
        let context = match row.text(5) {
            "a" => " AS ASSIGNMENT",
            "i" => " AS IMPLICIT",
            _ => "",
        };
        collected.items.push(Item::new("cast", address, own.clone(), format!("CREATE CAST {own} {way}{context}")));
    }
    Ok(())
}
