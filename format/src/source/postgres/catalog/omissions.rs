//! What a whole database has besides, and a snapshot does not keep: by name.

use super::collected::Collected;
use crate::error::Result;
use crate::postgres::client::Client;

/// Are all entries of this catalog that users made named here?
pub(super) const fn names(class: u32) -> bool {
    // Access methods, languages, foreign data wrappers, foreign servers, parsers and templates of text search.
    matches!(class, 2601 | 2612 | 2328 | 1417 | 3601 | 3764)
}

/// Reads it. Where only some relations are chosen, nothing of this is about them but what is said of them elsewhere.
pub(super) fn read(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    read_of_relations(client, collected)?;
    if !collected.everything {
        return Ok(());
    }
    let mut asked: Vec<&str> = vec![
        "SELECT 'event trigger', evtname::pg_catalog.text, 'it acts on the whole database' FROM pg_catalog.pg_event_trigger
         WHERE oid >= 16384",
        "SELECT 'publication', pubname, 'replication is set up by hand' FROM pg_catalog.pg_publication",
        "SELECT 'foreign data wrapper', fdwname, 'rows of foreign tables are elsewhere'
         FROM pg_catalog.pg_foreign_data_wrapper AS x WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
             WHERE d.classid = 2328 AND d.objid = x.oid AND d.deptype = 'e')",
        "SELECT 'foreign server', srvname, 'rows of foreign tables are elsewhere' FROM pg_catalog.pg_foreign_server",
        "SELECT 'user mapping', usename || ' on ' || srvname, 'it may hold a password' FROM pg_catalog.pg_user_mappings",
        "SELECT 'language', lanname, 'languages come with extensions' FROM pg_catalog.pg_language AS x
         WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
             WHERE d.classid = 2612 AND d.objid = x.oid AND d.deptype = 'e')",
        "SELECT 'grants on language', lanname, 'only those on what is kept are kept' FROM pg_catalog.pg_language
         WHERE lanacl IS NOT NULL",
        "SELECT 'access method', amname, 'access methods come with extensions' FROM pg_catalog.pg_am AS x
         WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
             WHERE d.classid = 2601 AND d.objid = x.oid AND d.deptype = 'e')",
        "SELECT 'conversion', n.nspname || '.' || conname, 'conversions come with extensions'
         FROM pg_catalog.pg_conversion AS x JOIN pg_catalog.pg_namespace AS n ON n.oid = x.connamespace
         WHERE x.oid >= 16384",
        "SELECT 'transform', pg_catalog.format_type(trftype, NULL) || ' for ' || l.lanname,
                'transforms come with extensions'
         FROM pg_catalog.pg_transform AS x JOIN pg_catalog.pg_language AS l ON l.oid = x.trflang
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
             WHERE d.classid = 3576 AND d.objid = x.oid AND d.deptype = 'e')",
        "SELECT 'text search ' || kind, n.nspname || '.' || name, 'it is written in C' FROM (
             SELECT 'parser' AS kind, oid, prsname AS name, prsnamespace AS namespace, 3601 AS class
             FROM pg_catalog.pg_ts_parser
             UNION ALL SELECT 'template', oid, tmplname, tmplnamespace, 3764 FROM pg_catalog.pg_ts_template) AS x
         JOIN pg_catalog.pg_namespace AS n ON n.oid = x.namespace
         WHERE x.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
             WHERE d.classid = x.class::pg_catalog.oid AND d.objid = x.oid AND d.deptype = 'e')",
        "SELECT 'security labels', 'of ' || objtype, 'they belong to the server''s policy'
         FROM pg_catalog.pg_seclabels GROUP BY objtype",
        "SELECT 'large objects', pg_catalog.count(*)::pg_catalog.text, 'they belong to no table'
         FROM pg_catalog.pg_largeobject_metadata HAVING pg_catalog.count(*) > 0",
        "SELECT 'settings of the database', pg_catalog.array_to_string(s.setconfig, ', '),
                'they belong to the database, not to what is in it'
         FROM pg_catalog.pg_db_role_setting AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
         WHERE d.datname = pg_catalog.current_database() AND s.setrole = 0",
    ];
    // What stands in the catalog that all databases share can be read by superusers alone, the rest of it by everyone.
    asked.push(
        "SELECT 'subscription', subname, 'replication is set up by hand' FROM pg_catalog.pg_subscription AS s
         JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database()",
    );
    for row in client.rows(&asked.join(" UNION ALL "))? {
        collected.omit(format!("{} \"{}\"", row.text(0), row.text(1)), row.text(2));
    }
    Ok(())
}

/// What chosen relations have and cannot keep.
fn read_of_relations(client: &mut Client, collected: &mut Collected<'_>) -> Result<()> {
    for relation in collected.relations {
        if relation.kind == super::relations::RelationKind::ForeignTable {
            let what = format!("foreign table \"{}\"", relation.archive_name());
            collected.omit(what, "its rows are on another server");
        }
    }
    let sql = format!(
        "SELECT t.tgrelid, con.conname
         FROM {}
         JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = chosen.oid AND t.tgisinternal AND t.tgenabled <> 'O'
         JOIN pg_catalog.pg_constraint AS con ON con.oid = t.tgconstraint AND con.contype = 'f'
         GROUP BY t.tgrelid, con.conname ORDER BY 1, 2",
        collected.chosen()
    );
    for row in client.rows(&sql)? {
        let Some(relation) = collected.by_oid.get(&row.number(0)?).copied() else { continue };
        let what = format!("disabled checks of foreign key \"{}\" of \"{}\"", row.text(1), relation.archive_name());
        collected.omit(what, "the key is kept, and checks again");
    }
    Ok(())
}
