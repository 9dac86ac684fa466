//! Views and materialized views.

use std::collections::HashSet;

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use super::relations::RelationKind;
use super::tables::Entries;
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::quote;

/// Reads them, and the order in which materialized ones are filled.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>, entries: &Entries) -> Result<()> {
    let sql = format!(
        "SELECT r.ev_class, r.oid, pg_catalog.pg_get_viewdef(r.ev_class)
         FROM {} JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = chosen.oid AND r.rulename = '_RETURN'
         ORDER BY r.ev_class",
        collected.chosen()
    );
    for row in client.rows(&sql)? {
        let oid: u32 = row.number(0)?;
        let (Some(relation), Some(entry)) = (collected.by_oid.get(&oid).copied(), entries.get(&oid)) else { continue };
        let address = Address::relation(oid);
        let (name, own) = (relation.archive_name(), relation.qualified());
        let stated = row.text(2).trim_end().trim_end_matches(';');
        let options = entry.options.as_ref().map(|options| format!(" WITH ({options})")).unwrap_or_default();
        collected.subject(address, format!("{} {own}", relation.kind.keyword()), &name, Some(oid));
        let definition = if relation.kind == RelationKind::MaterializedView {
            let method = entry.method.as_ref().map(|method| format!(" USING {}", quote(method))).unwrap_or_default();
            format!("CREATE MATERIALIZED VIEW {own}{method}{options} AS {stated} WITH NO DATA")
        } else {
            format!("CREATE VIEW {own}{options} AS {stated}")
        };
        let mut item = Item::new(relation.kind.name(), address, name.clone(), definition);
        item.relation = Some(oid);
        collected.items.push(item.from([Address::new(class::RULE, row.number(1)?)]));
        if relation.kind == RelationKind::MaterializedView && entry.is_populated {
            let mut item = Item::about("refresh", address, name, format!("REFRESH MATERIALIZED VIEW {own}"));
            item.makes = Some(Address::new(class::REFRESH, oid));
            item.needs.extend(filled_before(collected, entries, oid));
            collected.items.push(item.of(oid));
        }
    }
    Ok(())
}

/// The materialized views that this one reads, by way of views too.
fn filled_before(collected: &Collected<'_>, entries: &Entries, view: u32) -> Vec<Address> {
    let mut waiting = vec![Address::relation(view)];
    let mut seen: HashSet<Address> = HashSet::new();
    let mut found = Vec::new();
    while let Some(address) = waiting.pop() {
        for part in collected.depend.parts(address).iter().filter(|part| part.class == class::RULE) {
            for need in collected.depend.needs(*part) {
                let Some(relation) = collected.by_oid.get(&need.on.oid) else { continue };
                if need.on.class != class::RELATION || !seen.insert(need.on) || need.on.oid == view {
                    continue;
                }
                match relation.kind {
                    RelationKind::View => waiting.push(need.on),
                    RelationKind::MaterializedView
                        if entries.get(&relation.oid).is_some_and(|entry| entry.is_populated) =>
                    {
                        found.push(Address::new(class::REFRESH, relation.oid));
                    }
                    _ => {}
                }
            }
        }
    }
    found
}
