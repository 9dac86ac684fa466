//! What stands around tables: schemas, extensions, collations, and text search.

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use super::names::archive_name;
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::{literal, qualified, quote};

/// Reads schemas. Every database has `public` from the beginning, unless it was dropped.
pub(super) fn read_schemas(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    const PUBLIC: u32 = 2200;
    let wants_public =
        collected.everything || collected.needed.get(&class::SCHEMA).is_some_and(|oids| oids.contains(&PUBLIC));
    let public = if wants_public { " OR n.oid = 2200" } else { "" };
    let sql = format!(
        "SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace AS n
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND ({}{public}) ORDER BY n.nspname",
        collected.wanted(class::SCHEMA, "n.oid")
    );
    for row in client.rows(&sql)? {
        let address = Address::new(class::SCHEMA, row.number(0)?);
        if !collected.keeps(address) {
            continue;
        }
        let (name, own) = (row.text(1), quote(row.text(1)));
        collected.subject(address, format!("SCHEMA {own}"), name, None);
        let exists = if name == "public" { "IF NOT EXISTS " } else { "" };
        collected.items.push(Item::new("schema", address, name, format!("CREATE SCHEMA {exists}{own}")));
    }
    Ok(())
}

/// Reads extensions. Each brings what it is made of in the version that the target has.
pub(super) fn read_extensions(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT e.oid, e.extname, n.oid, n.nspname FROM pg_catalog.pg_extension AS e
         JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
         WHERE e.oid >= 16384 AND {} ORDER BY e.extname",
        collected.wanted(class::EXTENSION, "e.oid")
    );
    for row in client.rows(&sql)? {
        let oid = row.number(0)?;
        let address = Address::new(class::EXTENSION, oid);
        let (name, own) = (row.text(1), quote(row.text(1)));
        collected.subject(address, format!("EXTENSION {own}"), name, None);
        let makes_schema = collected.depend.extension(Address::new(class::SCHEMA, row.number(2)?)) == Some(oid);
        let schema = if makes_schema { String::new() } else { format!(" WITH SCHEMA {}", quote(row.text(3))) };
        let definition = format!("CREATE EXTENSION IF NOT EXISTS {own}{schema}");
        collected.items.push(Item::new("extension", address, name, definition));
    }
    Ok(())
}

/// Reads collations.
pub(super) fn read_collations(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let (locale, rules) = match collected.version {
        170_000.. => ("c.colllocale", "c.collicurules"),
        160_000.. => ("c.colliculocale", "c.collicurules"),
        150_000.. => ("c.colliculocale", "NULL"),
        _ => ("CASE WHEN c.collprovider = 'i' THEN c.collcollate END", "NULL"),
    };
    let sql = format!(
        "SELECT c.oid, n.nspname, c.collname, c.collprovider, c.collisdeterministic, c.collcollate, c.collctype, {locale},
                {rules}
         FROM pg_catalog.pg_collation AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
         WHERE n.nspname !~ '^pg_' AND {} ORDER BY n.nspname, c.collname",
        collected.wanted(class::COLLATION, "c.oid")
    );
    for row in client.rows(&sql)? {
        let address = Address::new(class::COLLATION, row.number(0)?);
        if !collected.keeps(address) {
            continue;
        }
        let (named, own) = (archive_name(row.text(1), row.text(2)), qualified(row.text(1), row.text(2)));
        collected.subject(address, format!("COLLATION {own}"), &named, None);
        let provider = match row.text(3) {
            "i" => "icu",
            "b" => "builtin",
            _ => "libc",
        };
        let mut parts = vec![format!("PROVIDER = {provider}")];
        if !row.is_true(4) {
            parts.push("DETERMINISTIC = false".to_owned());
        }
        match row.get(7).filter(|_| provider != "libc") {
            Some(locale) => parts.push(format!("LOCALE = {}", literal(locale))),
            None => parts.push(format!("LC_COLLATE = {}, LC_CTYPE = {}", literal(row.text(5)), literal(row.text(6)))),
        }
        if let Some(rules) = row.get(8) {
            parts.push(format!("RULES = {}", literal(rules)));
        }
        let definition = format!("CREATE COLLATION {own} ({})", parts.join(", "));
        collected.items.push(Item::new("collation", address, named, definition));
    }
    Ok(())
}

/// Reads dictionaries and configurations of text search.
pub(super) fn read_text_search(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT d.oid, n.nspname, d.dictname, tn.nspname, t.tmplname, d.dictinitoption
         FROM pg_catalog.pg_ts_dict AS d
         JOIN pg_catalog.pg_namespace AS n ON n.oid = d.dictnamespace
         JOIN pg_catalog.pg_ts_template AS t ON t.oid = d.dicttemplate
         JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.tmplnamespace
         WHERE {} ORDER BY n.nspname, d.dictname",
        collected.wanted(class::TEXT_SEARCH_DICTIONARY, "d.oid")
    );
    for row in client.rows(&sql)? {
        let address = Address::new(class::TEXT_SEARCH_DICTIONARY, row.number(0)?);
        if collected.keeps(address) {
            let (named, own) = (archive_name(row.text(1), row.text(2)), qualified(row.text(1), row.text(2)));
            collected.subject(address, format!("TEXT SEARCH DICTIONARY {own}"), &named, None);
            let options = row.get(5).map(|options| format!(", {options}")).unwrap_or_default();
            let template = qualified(row.text(3), row.text(4));
            let definition = format!("CREATE TEXT SEARCH DICTIONARY {own} (TEMPLATE = {template}{options})");
            collected.items.push(Item::new("text search dictionary", address, named, definition));
        }
    }
    let sql = format!(
        "SELECT c.oid, n.nspname, c.cfgname, pn.nspname, p.prsname, map.alias, map.dictionaries
         FROM pg_catalog.pg_ts_config AS c
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.cfgnamespace
         JOIN pg_catalog.pg_ts_parser AS p ON p.oid = c.cfgparser
         JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.prsnamespace
         LEFT JOIN LATERAL (
             SELECT kinds.alias, pg_catalog.string_agg(pg_catalog.format('%I.%I', dn.nspname, d.dictname), ', '
                                                       ORDER BY m.mapseqno) AS dictionaries
             FROM pg_catalog.pg_ts_config_map AS m
             JOIN pg_catalog.ts_token_type(c.cfgparser) AS kinds ON kinds.tokid = m.maptokentype
             JOIN pg_catalog.pg_ts_dict AS d ON d.oid = m.mapdict
             JOIN pg_catalog.pg_namespace AS dn ON dn.oid = d.dictnamespace
             WHERE m.mapcfg = c.oid GROUP BY kinds.alias
         ) AS map ON true
         WHERE {} ORDER BY n.nspname, c.cfgname, map.alias",
        collected.wanted(class::TEXT_SEARCH_CONFIGURATION, "c.oid")
    );
    let mut last = None;
    for row in client.rows(&sql)? {
        let address = Address::new(class::TEXT_SEARCH_CONFIGURATION, row.number(0)?);
        if !collected.keeps(address) {
            continue;
        }
        let (named, own) = (archive_name(row.text(1), row.text(2)), qualified(row.text(1), row.text(2)));
        if last != Some(address) {
            last = Some(address);
            collected.subject(address, format!("TEXT SEARCH CONFIGURATION {own}"), &named, None);
            let parser = qualified(row.text(3), row.text(4));
            let definition = format!("CREATE TEXT SEARCH CONFIGURATION {own} (PARSER = {parser})");
            collected.items.push(Item::new("text search configuration", address, named.clone(), definition));
        }
        if let Some(alias) = row.get(5) {
            let (token, dictionaries) = (quote(alias), row.text(6));
            let definition =
                format!("ALTER TEXT SEARCH CONFIGURATION {own} ADD MAPPING FOR {token} WITH {dictionaries}");
            collected.items.push(Item::about("text search mapping", address, named, definition));
        }
    }
    Ok(())
}
