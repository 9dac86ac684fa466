//! Functions, procedures and aggregates.

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use super::names::archive_name;
use crate::error::Result;
use crate::postgres::client::{Client, TextRow};
use crate::postgres::sql::{literal, qualified};

/// Reads them.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT p.oid, n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), p.prokind,
                CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) END, p.proparallel,
                a.aggkind, a.aggtransfn, pg_catalog.format_type(a.aggtranstype, NULL), a.aggtransspace, a.aggfinalfn,
                a.aggfinalextra, a.aggfinalmodify, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.agginitval,
                a.aggmtransfn, a.aggminvtransfn, pg_catalog.format_type(a.aggmtranstype, NULL), a.aggmtransspace,
                a.aggmfinalfn, a.aggmfinalextra, a.aggmfinalmodify, a.aggminitval,
                (SELECT pg_catalog.format('OPERATOR(%I.%s)', sn.nspname, s.oprname) FROM pg_catalog.pg_operator AS s
                 JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.oprnamespace WHERE s.oid = a.aggsortop)
         FROM pg_catalog.pg_proc AS p
         JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
         LEFT JOIN pg_catalog.pg_aggregate AS a ON a.aggfnoid = p.oid
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND {} ORDER BY n.nspname, p.proname, 4",
        collected.wanted(class::FUNCTION, "p.oid")
    );
    for row in client.rows(&sql)? {
        let address = Address::new(class::FUNCTION, row.number(0)?);
        if !collected.keeps(address) {
            continue;
        }
        let is_aggregate = row.text(4) == "a";
        let arguments = if is_aggregate && row.text(3).is_empty() { "*" } else { row.text(3) };
        let named = format!("{}({arguments})", archive_name(row.text(1), row.text(2)));
        let own = format!("{}({arguments})", qualified(row.text(1), row.text(2)));
        let word = match row.text(4) {
            "a" => "AGGREGATE",
            "p" => "PROCEDURE",
            _ => "FUNCTION",
        };
        collected.subject(address, format!("{word} {own}"), &named, None);
        let (kind, definition) = if is_aggregate {
            ("aggregate", format!("CREATE AGGREGATE {own} ({})", aggregate(&row).join(", ")))
        } else {
            ("function", row.text(5).trim_end().to_owned())
        };
        collected.items.push(Item::new(kind, address, named, definition));
    }
    Ok(())
}

/// What an aggregate is made of.
fn aggregate(row: &TextRow) -> Vec<String> {
    let mut parts = vec![format!("SFUNC = {}", row.text(8)), format!("STYPE = {}", row.text(9))];
    let mut said = |name: &str, column: usize, nothing: &str| {
        if let Some(value) = row.get(column).filter(|value| *value != nothing) {
            parts.push(format!("{name} = {value}"));
        }
    };
    said("SSPACE", 10, "0");
    said("FINALFUNC", 11, "-");
    said("COMBINEFUNC", 14, "-");
    said("SERIALFUNC", 15, "-");
    said("DESERIALFUNC", 16, "-");
    said("MSFUNC", 18, "-");
    said("MINVFUNC", 19, "-");
    said("MSTYPE", 20, "-");
    said("MSSPACE", 21, "0");
    said("MFINALFUNC", 22, "-");
    said("SORTOP", 26, "");
    for (name, column) in [("INITCOND", 17), ("MINITCOND", 25)] {
        if let Some(value) = row.get(column) {
            parts.push(format!("{name} = {}", literal(value)));
        }
    }
    for (has, extra, modify, start) in [(11, 12, 13, ""), (22, 23, 24, "M")] {
        if row.get(has).is_some_and(|function| function != "-") {
            if row.is_true(extra) {
                parts.push(format!("{start}FINALFUNC_EXTRA"));
            }
            let modifies = match row.text(modify) {
                "r" => "READ_ONLY",
                "s" => "SHAREABLE",
                _ => "READ_WRITE",
            };
            parts.push(format!("{start}FINALFUNC_MODIFY = {modifies}"));
        }
    }
    match row.text(6) {
        "s" => parts.push("PARALLEL = SAFE".to_owned()),
        "r" => parts.push("PARALLEL = RESTRICTED".to_owned()),
        _ => {}
    }
    if row.text(7) == "h" {
        parts.push("HYPOTHETICAL".to_owned());
    }
    parts
}
