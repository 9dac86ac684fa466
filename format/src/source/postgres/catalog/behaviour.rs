//! What a relation does when it is used: triggers, rules and policies; and statistics that the planner keeps of it.

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use super::names::archive_name;
use super::relations::RelationKind;
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::{qualified, quote};

/// `ENABLE …` or `DISABLE` for a state that is not the one in which things are made.
fn state(letter: &str) -> Option<&'static str> {
    match letter {
        "D" => Some("DISABLE"),
        "R" => Some("ENABLE REPLICA"),
        "A" => Some("ENABLE ALWAYS"),
        _ => None,
    }
}

/// Reads triggers. Those that a partition has from its parent are made with the parent's.
pub(super) fn read_triggers(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT t.oid, t.tgrelid, t.tgname, pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled, above.tgrelid, above.oid
         FROM {}
         JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = chosen.oid
         LEFT JOIN pg_catalog.pg_trigger AS above ON above.oid = t.tgparentid
         LEFT JOIN pg_catalog.pg_constraint AS con ON con.oid = t.tgconstraint
         WHERE (t.tgconstraint = 0 OR con.contype = 't') AND (NOT t.tgisinternal OR t.tgparentid <> 0)
         ORDER BY t.tgrelid, t.tgname",
        collected.chosen()
    );
    for row in client.rows(&sql)? {
        let oid: u32 = row.number(1)?;
        let Some(relation) = collected.by_oid.get(&oid).copied() else { continue };
        if relation.kind == RelationKind::ForeignTable {
            continue;
        }
        let address = Address::new(class::TRIGGER, row.number(0)?);
        let (name, own) = (row.text(2), relation.qualified());
        let mut made_by = address;
        let mut needs = Vec::new();
        if row.get(5).is_some() && collected.by_oid.contains_key(&row.number(5)?) {
            made_by = Address::new(class::TRIGGER, row.number(6)?);
            needs.push(Address::new(class::ATTACHING, oid));
        } else {
            collected.subject(address, format!("TRIGGER {} ON {own}", quote(name)), name, Some(oid));
            collected.items.push(Item::new("trigger", address, name, row.text(3).to_owned()).of(oid));
        }
        if let Some(state) = state(row.text(4)) {
            let definition = format!("ALTER TABLE ONLY {own} {state} TRIGGER {}", quote(name));
            let mut item = Item::about("trigger state", made_by, name, definition).of(oid).needing(needs);
            if made_by != address {
                item.makes = Some(address);
            }
            collected.items.push(item);
        }
    }
    Ok(())
}

/// Reads rules, but not those that make views.
pub(super) fn read_rules(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT r.oid, r.ev_class, r.rulename, pg_catalog.pg_get_ruledef(r.oid), r.ev_enabled
         FROM {} JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = chosen.oid AND r.rulename <> '_RETURN'
         ORDER BY r.ev_class, r.rulename",
        collected.chosen()
    );
    for row in client.rows(&sql)? {
        let oid: u32 = row.number(1)?;
        let Some(relation) = collected.by_oid.get(&oid).copied() else { continue };
        let address = Address::new(class::RULE, row.number(0)?);
        let (name, own) = (row.text(2), relation.qualified());
        collected.subject(address, format!("RULE {} ON {own}", quote(name)), name, Some(oid));
        let definition = row.text(3).trim_end().trim_end_matches(';').to_owned();
        collected.items.push(Item::new("rule", address, name, definition).of(oid));
        if let Some(state) = state(row.text(4)) {
            let definition = format!("ALTER TABLE {own} {state} RULE {}", quote(name));
            collected.items.push(Item::about("rule state", address, name, definition).of(oid));
        }
    }
    Ok(())
}

/// Reads policies.
pub(super) fn read_policies(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT p.oid, p.polrelid, p.polname, p.polpermissive, p.polcmd,
                (SELECT pg_catalog.string_agg(
                     CASE WHEN role = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(role)) END, ', '
                     ORDER BY pg_catalog.pg_get_userbyid(role))
                 FROM pg_catalog.unnest(p.polroles) AS roles(role)),
                pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
         FROM {} JOIN pg_catalog.pg_policy AS p ON p.polrelid = chosen.oid
         ORDER BY p.polrelid, p.polname",
        collected.chosen()
    );
    for row in client.rows(&sql)? {
        let oid: u32 = row.number(1)?;
        let Some(relation) = collected.by_oid.get(&oid).copied() else { continue };
        let address = Address::new(class::POLICY, row.number(0)?);
        let (name, own) = (row.text(2), relation.qualified());
        let on = format!("POLICY {} ON {own}", quote(name));
        collected.subject(address, on.clone(), name, Some(oid));
        let restrictive = if row.is_true(3) { "" } else { " AS RESTRICTIVE" };
        let command = match row.text(4) {
            "r" => " FOR SELECT",
            "a" => " FOR INSERT",
            "w" => " FOR UPDATE",
            "d" => " FOR DELETE",
            _ => "",
        };
        let mut definition = format!("CREATE {on}{restrictive}{command} TO {}", row.text(5));
        if let Some(condition) = row.get(6) {
            definition.push_str(&format!(" USING ({condition})"));
        }
        if let Some(condition) = row.get(7) {
            definition.push_str(&format!(" WITH CHECK ({condition})"));
        }
        collected.items.push(Item::new("policy", address, name, definition).of(oid));
    }
    Ok(())
}

/// Reads extended statistics.
pub(super) fn read_statistics(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT s.oid, s.stxrelid, n.nspname, s.stxname, pg_catalog.pg_get_statisticsobjdef(s.oid), s.stxstattarget
         FROM {}
         JOIN pg_catalog.pg_statistic_ext AS s ON s.stxrelid = chosen.oid
         JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
         ORDER BY n.nspname, s.stxname",
        collected.chosen()
    );
    for row in client.rows(&sql)? {
        let oid: u32 = row.number(1)?;
        if collected.by_oid.get(&oid).is_none_or(|relation| relation.kind == RelationKind::ForeignTable) {
            continue;
        }
        let address = Address::new(class::STATISTICS, row.number(0)?);
        let (name, own) = (archive_name(row.text(2), row.text(3)), qualified(row.text(2), row.text(3)));
        collected.subject(address, format!("STATISTICS {own}"), &name, Some(oid));
        collected.items.push(Item::new("statistics", address, name.clone(), row.text(4).to_owned()).of(oid));
        if let Some(target) = row.get(5).filter(|target| !target.starts_with('-')) {
            let definition = format!("ALTER STATISTICS {own} SET STATISTICS {target}");
            collected.items.push(Item::about("statistics settings", address, name, definition).of(oid));
        }
    }
    Ok(())
}
