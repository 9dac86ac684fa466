//! Indexes, what is set on them, and the keys that rows can be ordered by.

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use super::names::archive_name;
use super::relations::RelationKind;
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::{qualified, quote};

/// A unique index over columns alone, of all rows: what a key can be made of.
#[derive(Debug, Clone)]
pub(super) struct UniqueIndex {
    pub(super) table: u32,
    pub(super) name: String,
    pub(super) is_primary: bool,
    pub(super) columns: Vec<i16>,
}

/// Reads all indexes of the chosen relations. Those of constraints come with the constraint.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<Vec<UniqueIndex>> {
    let sql = format!(
        "SELECT i.indexrelid, i.indrelid, n.nspname, c.relname, pg_catalog.pg_get_indexdef(i.indexrelid), con.oid,
                i.indisvalid, i.indisclustered, i.indisreplident, c.relkind = 'I', p.relname, pn.nspname, pi.indrelid,
                p.oid, ts.spcname,
                i.indisunique AND i.indisvalid AND (i.indimmediate OR i.indisprimary) AND i.indpred IS NULL
                    AND i.indexprs IS NULL AND NOT i.indisexclusion,
                i.indisprimary,
                (SELECT pg_catalog.string_agg(k::pg_catalog.text, ' ' ORDER BY at)
                 FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS keys(k, at)
                 WHERE at <= i.indnkeyatts),
                (SELECT pg_catalog.string_agg('ALTER COLUMN ' || a.attnum || ' SET STATISTICS ' || a.attstattarget, ', '
                                              ORDER BY a.attnum)
                 FROM pg_catalog.pg_attribute AS a
                 WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0)
         FROM {}
         JOIN pg_catalog.pg_index AS i ON i.indrelid = chosen.oid
         JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_constraint AS con
             ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid AND con.contype IN ('p', 'u', 'x')
         LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = i.indexrelid
         LEFT JOIN pg_catalog.pg_class AS p ON p.oid = h.inhparent
         LEFT JOIN pg_catalog.pg_index AS pi ON pi.indexrelid = p.oid
         LEFT JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace
         LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = c.reltablespace
         ORDER BY i.indrelid, c.relname",
        collected.chosen()
    );
    let mut unique = Vec::new();
    for row in client.rows(&sql)? {
        let table: u32 = row.number(1)?;
        let Some(relation) = collected.by_oid.get(&table).copied() else { continue };
        if relation.kind == RelationKind::ForeignTable {
            continue;
        }
        let index = Address::relation(row.number(0)?);
        let (name, own) = (archive_name(row.text(2), row.text(3)), qualified(row.text(2), row.text(3)));
        let maker = match row.get(5) {
            Some(_) => Address::new(class::CONSTRAINT, row.number(5)?),
            None => index,
        };
        if maker == index {
            if !row.is_true(6) && !row.is_true(9) {
                let what = format!("index \"{name}\" of {} \"{}\"", relation.kind.name(), relation.archive_name());
                collected.omit(what, "it is not valid: the server did not finish building it");
                continue;
            }
            collected.items.push(Item::new("index", index, name.clone(), row.text(4).to_owned()).of(table));
        }
        collected.subject(index, format!("INDEX {own}"), &name, Some(table));
        if let Some(space) = row.get(14) {
            let what = format!("tablespace \"{space}\" of index \"{name}\"");
            collected.omit(what, "tablespaces are places on the server; the index is kept");
        }
        let mut steps = Vec::new();
        if let Some(settings) = row.get(18) {
            steps.push(("index settings", format!("ALTER INDEX {own} {settings}")));
        }
        if row.is_true(7) {
            let altered = match relation.kind {
                RelationKind::MaterializedView => "MATERIALIZED VIEW",
                _ => "TABLE",
            };
            let index = quote(row.text(3));
            steps.push(("cluster", format!("ALTER {altered} {} CLUSTER ON {index}", relation.qualified())));
        }
        if row.is_true(8) {
            let index = quote(row.text(3));
            let of_table = relation.qualified();
            steps.push((
                "replica identity",
                format!("ALTER TABLE ONLY {of_table} REPLICA IDENTITY USING INDEX {index}"),
            ));
        }
        for (kind, definition) in steps {
            collected.items.push(Item::about(kind, maker, name.clone(), definition).of(table));
        }
        if row.get(12).is_some() && collected.by_oid.contains_key(&row.number(12)?) {
            let parent = qualified(row.text(11), row.text(10));
            let definition = format!("ALTER INDEX {parent} ATTACH PARTITION {own}");
            let needs = [Address::relation(row.number(13)?), Address::new(class::ATTACHING, table)];
            collected.items.push(Item::about("index attach", maker, name, definition).of(table).needing(needs));
        }
        if row.is_true(15) {
            unique.push(UniqueIndex {
                table,
                name: row.text(3).to_owned(),
                is_primary: row.is_true(16),
                columns: row.text(17).split(' ').filter_map(|number| number.parse().ok()).collect(),
            });
        }
    }
    Ok(unique)
}
