//! Comments on everything that is kept.

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::{literal, quote};

/// The comment that every database is made with.
const OF_PUBLIC: &str = "standard public schema";

/// Reads them.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let rows = client.rows(
        "SELECT d.classoid, d.objoid, d.description, a.attname
         FROM pg_catalog.pg_description AS d
         LEFT JOIN pg_catalog.pg_attribute AS a
             ON d.classoid = 1259 AND d.objsubid <> 0 AND a.attrelid = d.objoid AND a.attnum = d.objsubid
         WHERE d.objoid >= 16384 OR (d.classoid = 2615 AND d.objoid = 2200)
         ORDER BY d.classoid, d.objoid, d.objsubid",
    )?;
    for row in rows {
        let address = Address::new(row.number(0)?, row.number(1)?);
        let Some(subject) = collected.subjects.get(&address) else { continue };
        let text = row.text(2);
        if address.class == class::SCHEMA && subject.name == "public" && text == OF_PUBLIC {
            continue;
        }
        let (words, name) = match row.get(3) {
            None => (subject.words.clone(), subject.name.clone()),
            Some(column) => {
                let relation = collected.by_oid.get(&address.oid).map(|relation| relation.qualified());
                // What is no relation and has columns is a composite type.
                let of = relation.unwrap_or_else(|| subject.words.trim_start_matches("TYPE ").to_owned());
                (format!("COLUMN {of}.{}", quote(column)), format!("{}.{column}", subject.name))
            }
        };
        let definition = format!("COMMENT ON {words} IS {}", literal(text));
        let mut item = Item::about("comment", address, name, definition);
        item.relation = subject.relation;
        collected.items.push(item);
    }
    Ok(())
}
