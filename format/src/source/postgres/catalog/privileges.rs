//! Owners and grants. A restore may leave them out: the roles may not be there.

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::quote;

/// Catalogs whose entries have owners: number, name, and the columns of the owner and of the grants. What is granted on a
/// kind from the beginning, `acldefault` knows by a letter.
const OWNED: [(u32, &str, &str, &str, &str); 10] = [
    (class::SCHEMA, "pg_namespace", "nspowner", "nspacl", "'n'"),
    (class::RELATION, "pg_class", "relowner", "relacl", "CASE WHEN x.relkind = 'S' THEN 's' ELSE 'r' END"),
    (class::TYPE, "pg_type", "typowner", "typacl", "'T'"),
    (class::FUNCTION, "pg_proc", "proowner", "proacl", "'f'"),
    (class::COLLATION, "pg_collation", "collowner", "NULL::pg_catalog.aclitem[]", "NULL"),
    (class::OPERATOR, "pg_operator", "oprowner", "NULL::pg_catalog.aclitem[]", "NULL"),
    (class::STATISTICS, "pg_statistic_ext", "stxowner", "NULL::pg_catalog.aclitem[]", "NULL"),
    (class::TEXT_SEARCH_DICTIONARY, "pg_ts_dict", "dictowner", "NULL::pg_catalog.aclitem[]", "NULL"),
    (class::OPERATOR_CLASS, "pg_opclass", "opcowner", "NULL::pg_catalog.aclitem[]", "NULL"),
    (class::OPERATOR_FAMILY, "pg_opfamily", "opfowner", "NULL::pg_catalog.aclitem[]", "NULL"),
];

/// Reads them.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    read_owners(client, collected)?;
    read_grants(client, collected)?;
    omit_grantors(client, collected)?;
    read_defaults(client, collected)
}

fn read_owners(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let from = OWNED.map(|(class, catalog, owner, ..)| {
        format!(
            "SELECT {class}, x.oid, pg_catalog.pg_get_userbyid(x.{owner}) FROM pg_catalog.{catalog} AS x
             WHERE x.oid >= 16384{}",
            if class == class::SCHEMA { " OR x.oid = 2200" } else { "" }
        )
    });
    let configurations = "SELECT 3602, x.oid, pg_catalog.pg_get_userbyid(x.cfgowner) FROM pg_catalog.pg_ts_config AS x
        WHERE x.oid >= 16384";
    let rows = client.rows(&format!("{} UNION ALL {configurations} ORDER BY 1, 2", from.join(" UNION ALL ")))?;
    for row in rows {
        let address = Address::new(row.number(0)?, row.number(1)?);
        let Some(subject) = collected.subjects.get(&address) else { continue };
        let comes_with_table = subject.relation.is_some_and(|relation| relation != address.oid);
        let is_made_with_another = address.class == class::RELATION
            && (comes_with_table || subject.words.starts_with("TYPE ") || subject.words.starts_with("INDEX "));
        // The server's own word for who owns this database's `public`.
        let is_usual = subject.words == "SCHEMA \"public\"" && row.text(2) == "pg_database_owner";
        if is_made_with_another || is_usual {
            continue;
        }
        let definition = format!("ALTER {} OWNER TO {}", subject.words, quote(row.text(2)));
        let mut item = Item::about("owner", address, subject.name.clone(), definition);
        item.relation = subject.relation;
        collected.items.push(item);
    }
    Ok(())
}

/// Grants that differ from those with which things are made.
fn read_grants(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let mut from: Vec<String> = OWNED
        .iter()
        .filter(|(_, _, _, grants, _)| !grants.starts_with("NULL"))
        .map(|(class, catalog, owner, grants, letter)| {
            format!(
                "SELECT {class}::pg_catalog.oid, x.oid, NULL::pg_catalog.name, x.{owner}, x.{grants},
                        coalesce((SELECT p.initprivs FROM pg_catalog.pg_init_privs AS p
                                  WHERE p.classoid = {class} AND p.objoid = x.oid AND p.objsubid = 0),
                                 pg_catalog.acldefault({letter}::\"char\", x.{owner}))
                 FROM pg_catalog.{catalog} AS x WHERE x.{grants} IS NOT NULL AND (x.oid >= 16384 OR x.oid = 2200)"
            )
        })
        .collect();
    from.push(
        "SELECT 1259, a.attrelid, a.attname, c.relowner, a.attacl, NULL
         FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
         WHERE a.attacl IS NOT NULL AND a.attrelid >= 16384 AND NOT a.attisdropped"
            .to_owned(),
    );
    // A grant is told by who may do what, whoever granted it.
    let side = |is: &str, was: &str| {
        format!(
            "SELECT i.grantee, i.privilege_type, i.is_grantable FROM pg_catalog.aclexplode({is}) AS i
             EXCEPT SELECT w.grantee, w.privilege_type, w.is_grantable FROM pg_catalog.aclexplode({was}) AS w"
        )
    };
    let sql = format!(
        "WITH things(class, oid, attname, owner, acl, usual) AS ({from})
         SELECT t.class, t.oid, t.attname, d.revoked, d.is_grantable,
                CASE WHEN d.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.grantee)) END,
                pg_catalog.string_agg(d.privilege_type, ',' ORDER BY d.privilege_type), pg_catalog.bool_and(d.are_all)
         FROM things AS t CROSS JOIN LATERAL (
             SELECT true AS revoked, was.grantee, was.privilege_type, false AS is_grantable,
                    NOT EXISTS (SELECT FROM pg_catalog.aclexplode(t.acl) AS still WHERE still.grantee = was.grantee) AS are_all
             FROM ({was}) AS was
             WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(t.acl) AS still
                               WHERE still.grantee = was.grantee AND still.privilege_type = was.privilege_type)
             UNION ALL SELECT false, given.*, false FROM ({given}) AS given
         ) AS d
         GROUP BY t.class, t.oid, t.attname, d.revoked, d.grantee, d.is_grantable
         ORDER BY t.class, t.oid, t.attname, 4 DESC, 6, 5",
        from = from.join(" UNION ALL "),
        was = side("t.usual", "t.acl"),
        given = side("t.acl", "t.usual"),
    );
    for row in client.rows(&sql)? {
        let address = Address::new(row.number(0)?, row.number(1)?);
        let Some(subject) = collected.subjects.get(&address).cloned() else { continue };
        let column = row.get(2).map(quote);
        let privileges: Vec<String> = row
            .text(6)
            .split(',')
            .map(|privilege| match &column {
                Some(column) => format!("{privilege} ({column})"),
                None => privilege.to_owned(),
            })
            .collect();
        // Who may do nothing here may do nothing on a newer server either, which knows more that one may do.
        let privileges = if row.is_true(7) && column.is_none() { vec!["ALL".to_owned()] } else { privileges };
        let (verb, link, end) = match (row.is_true(3), row.is_true(4)) {
            (true, _) => ("REVOKE", "FROM", ""),
            (false, true) => ("GRANT", "TO", " WITH GRANT OPTION"),
            (false, false) => ("GRANT", "TO", ""),
        };
        let (on, who) = (granted_on(&subject.words), row.text(5));
        let definition = format!("{verb} {} ON {on} {link} {who}{end}", privileges.join(", "));
        let mut item = Item::about("privileges", address, subject.name.clone(), definition);
        item.relation = subject.relation;
        // Owners come first: what a new owner may do is not granted again.
        collected.items.push(item);
    }
    Ok(())
}

/// Names what was granted by another than the owner: a restore grants it as the owner does.
fn omit_grantors(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    let sql = format!(
        "SELECT DISTINCT 1259, c.oid, pg_catalog.pg_get_userbyid(i.grantor)
         FROM {} JOIN pg_catalog.pg_class AS c ON c.oid = chosen.oid
         CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS i
         WHERE i.grantor <> c.relowner ORDER BY 2, 3",
        collected.chosen()
    );
    for row in client.rows(&sql)? {
        let Some(relation) = collected.by_oid.get(&row.number(1)?).copied() else { continue };
        let what = format!("grants by \"{}\" on {} \"{}\"", row.text(2), relation.kind.name(), relation.archive_name());
        collected.omit(what, "they are kept as grants by the owner");
    }
    Ok(())
}

/// How a GRANT calls what other statements call so.
fn granted_on(words: &str) -> String {
    let rest = |start: &str| words.strip_prefix(start);
    if let Some(name) = rest("VIEW ").or_else(|| rest("MATERIALIZED VIEW ")) {
        format!("TABLE {name}")
    } else if let Some(name) = rest("AGGREGATE ") {
        format!("FUNCTION {name}")
    } else {
        words.to_owned()
    }
}

/// Grants that things to come are made with: of the whole database only.
fn read_defaults(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    if !collected.everything {
        return Ok(());
    }
    let sql = "
        WITH things AS (
            SELECT pg_catalog.pg_get_userbyid(d.defaclrole) AS role, d.defaclnamespace AS namespace, d.defaclobjtype AS kind,
                   d.defaclacl AS acl,
                   CASE WHEN d.defaclnamespace = 0
                        THEN pg_catalog.acldefault(CASE WHEN d.defaclobjtype = 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole) END AS usual
            FROM pg_catalog.pg_default_acl AS d)
        SELECT t.role, n.nspname, t.kind, d.revoked, d.is_grantable,
               CASE WHEN d.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.grantee)) END,
               pg_catalog.string_agg(d.privilege_type, ', ' ORDER BY d.privilege_type), n.oid
        FROM things AS t LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = t.namespace
        CROSS JOIN LATERAL (
            SELECT true AS revoked, w.grantee, w.privilege_type, false AS is_grantable FROM pg_catalog.aclexplode(t.usual) AS w
            WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(t.acl) AS i
                              WHERE i.grantee = w.grantee AND i.privilege_type = w.privilege_type)
            UNION ALL
            SELECT false, i.grantee, i.privilege_type, i.is_grantable FROM pg_catalog.aclexplode(t.acl) AS i
            WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(t.usual) AS w
                              WHERE i.grantee = w.grantee AND i.privilege_type = w.privilege_type
                                  AND i.is_grantable = w.is_grantable)
        ) AS d
        GROUP BY t.role, n.nspname, n.oid, t.kind, d.revoked, d.grantee, d.is_grantable
        ORDER BY 1, 2, 3, 4 DESC, 6, 5";
    for row in client.rows(sql)? {
        let things = match row.text(2) {
            "r" => "TABLES",
            "S" => "SEQUENCES",
            "f" => "FUNCTIONS",
            "T" => "TYPES",
            "n" => "SCHEMAS",
            _ => "LARGE OBJECTS",
        };
        let within = row.get(1).map(|schema| format!(" IN SCHEMA {}", quote(schema))).unwrap_or_default();
        let (verb, link) = if row.is_true(3) { ("REVOKE", "FROM") } else { ("GRANT", "TO") };
        let end = if row.is_true(4) { " WITH GRANT OPTION" } else { "" };
        let (role, who) = (quote(row.text(0)), row.text(5));
        let definition = format!(
            "ALTER DEFAULT PRIVILEGES FOR ROLE {role}{within} {verb} {} ON {things} {link} {who}{end}",
            row.text(6)
        );
        let mut item = Item::about("default privileges", Address::new(class::SCHEMA, 0), row.text(0), definition);
        item.needs.clear();
        if row.get(7).is_some() {
            item.needs.push(Address::new(class::SCHEMA, row.number(7)?));
        }
        collected.items.push(item);
    }
    Ok(())
}
