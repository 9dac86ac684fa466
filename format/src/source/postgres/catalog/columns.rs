//! Columns as `pg_attribute` has them, and the types that they have in the end.

use std::collections::{BTreeSet, HashMap};

use super::collected::{Collected, numbers};
use crate::error::Result;
use crate::postgres::client::{Client, TextRow};
use crate::postgres::sql::qualified;
use crate::postgres::types::{ColumnType, TypeFacts};

/// A column with stored cells, and what is known of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnFacts {
    /// The column's number in its table.
    pub(crate) attnum: i16,
    pub(crate) name: String,
    pub(crate) facts: TypeFacts,
    /// The type that these facts say.
    pub(crate) column_type: ColumnType,
    /// The collation of the column, as it stands in a statement.
    pub(crate) collation: Option<String>,
    /// Does a row that says nothing of it get a value all the same?
    pub(crate) has_default: bool,
}

/// A column, as statements make it.
#[derive(Debug, Clone)]
pub(super) struct ColumnEntry {
    pub(super) facts: ColumnFacts,
    /// The type as a statement writes it.
    pub(super) declared: String,
    pub(super) not_null: bool,
    pub(super) is_local: bool,
    /// `a` (always), `d` (by default), or empty.
    pub(super) identity: String,
    /// `s` (stored), `v` (virtual), or empty.
    pub(super) generated: String,
    /// The collation, where it is not that of the type.
    pub(super) collate: Option<String>,
    /// What `ALTER COLUMN` sets for it: one clause each.
    pub(super) settings: Vec<String>,
    /// The entry of its default, and the expression.
    pub(super) default: Option<(u32, String)>,
}

/// The columns of relations, by relation, in their order.
pub(super) type Columns = HashMap<u32, Vec<ColumnEntry>>;

/// A type, and the types that it is made of.
struct TypeEntry {
    /// Without those below it.
    facts: TypeFacts,
    base: Option<(u32, i32)>,
    element: Option<u32>,
}

/// Domains of domains are followed so far; the server has no bound of its own.
const DEEPEST: u32 = 64;

/// Reads the columns of the chosen relations.
pub(super) fn read(client: &mut Client, collected: &Collected<'_>) -> Result<Columns> {
    of(client, collected.version, &collected.chosen())
}

/// Reads the columns of these relations.
pub(super) fn read_of(client: &mut Client, version: u32, relations: &[u32]) -> Result<Columns> {
    of(client, version, &numbers(relations.iter().copied()))
}

fn of(client: &mut Client, version: u32, chosen: &str) -> Result<Columns> {
    let compression = if version >= 140_000 { "a.attcompression" } else { "''" };
    let sql = format!(
        "SELECT a.attrelid, a.attnum, a.attname, a.atttypid, tn.nspname, t.typname, t.typtype, a.atttypmod,
                pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attislocal, a.attinhcount > 0,
                a.attidentity, a.attgenerated, cn.nspname, co.collname, a.attcollation <> t.typcollation,
                CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END, {compression},
                CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
                (SELECT pg_catalog.string_agg(pg_catalog.format('%I=%L', o.option_name, o.option_value), ', '
                                              ORDER BY o.option_name)
                 FROM pg_catalog.pg_options_to_table(a.attoptions) AS o),
                d.oid, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
         FROM {chosen}
         JOIN pg_catalog.pg_attribute AS a ON a.attrelid = chosen.oid AND a.attnum > 0 AND NOT a.attisdropped
         JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
         JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.typnamespace
         LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = a.attcollation
         LEFT JOIN pg_catalog.pg_namespace AS cn ON cn.oid = co.collnamespace
         LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         ORDER BY a.attrelid, a.attnum"
    );
    let rows = client.rows(&sql)?;
    let mut types = BTreeSet::new();
    for row in &rows {
        types.insert(row.number::<u32>(3)?);
    }
    let known = known_types(client, &types)?;
    let mut columns = Columns::new();
    for row in rows {
        if let Some(facts) = facts(&known, row.number(3)?, row.number(7)?, 0) {
            columns.entry(row.number(0)?).or_default().push(entry(&row, facts)?);
        }
    }
    Ok(columns)
}

fn entry(row: &TextRow, facts: TypeFacts) -> Result<ColumnEntry> {
    let collation = row.get(15).map(|name| qualified(row.text(14), name));
    let column_type = ColumnType::of(&facts);
    let name = row.text(2).to_owned();
    let has_default = row.get(21).is_some() || !row.text(12).is_empty();
    let facts =
        ColumnFacts { attnum: row.number(1)?, name, facts, column_type, collation: collation.clone(), has_default };
    Ok(ColumnEntry {
        facts,
        declared: row.text(8).to_owned(),
        not_null: row.is_true(9),
        is_local: row.is_true(10),
        identity: row.text(12).to_owned(),
        generated: row.text(13).to_owned(),
        collate: collation.filter(|_| row.is_true(16)),
        settings: settings(row),
        default: match row.get(21) {
            Some(_) => Some((row.number(21)?, row.text(22).to_owned())),
            None => None,
        },
    })
}

/// Storage, compression, statistics target and options, each as what follows `ALTER COLUMN name`.
fn settings(row: &TextRow) -> Vec<String> {
    let mut settings = Vec::new();
    match row.text(17) {
        "p" => settings.push("SET STORAGE PLAIN".to_owned()),
        "e" => settings.push("SET STORAGE EXTERNAL".to_owned()),
        "m" => settings.push("SET STORAGE MAIN".to_owned()),
        "x" => settings.push("SET STORAGE EXTENDED".to_owned()),
        _ => {}
    }
    match row.text(18) {
        "p" => settings.push("SET COMPRESSION pglz".to_owned()),
        "l" => settings.push("SET COMPRESSION lz4".to_owned()),
        _ => {}
    }
    if let Some(target) = row.get(19) {
        settings.push(format!("SET STATISTICS {target}"));
    }
    if let Some(options) = row.get(20) {
        settings.push(format!("SET ({options})"));
    }
    settings
}

/// Reads types and all that they are made of.
fn known_types(client: &mut Client, types: &BTreeSet<u32>) -> Result<HashMap<u32, TypeEntry>> {
    let sql = format!(
        "WITH RECURSIVE found(oid) AS (
             SELECT chosen.oid FROM {}
             UNION
             SELECT below.oid FROM found
             JOIN pg_catalog.pg_type AS t ON t.oid = found.oid
             CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) AS below(oid)
             WHERE below.oid <> 0
         )
         SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, pn.nspname, p.proname,
                t.typbasetype, t.typtypmod, t.typelem
         FROM found
         JOIN pg_catalog.pg_type AS t ON t.oid = found.oid
         JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         JOIN pg_catalog.pg_proc AS p ON p.oid = t.typoutput
         JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.pronamespace",
        numbers(types.iter().copied())
    );
    let mut known = HashMap::new();
    for row in client.rows(&sql)? {
        let letter = |column: usize| row.text(column).chars().next().unwrap_or(' ');
        let (oid, base, element): (u32, u32, u32) = (row.number(0)?, row.number(7)?, row.number(9)?);
        let facts = TypeFacts {
            schema: row.text(1).to_owned(),
            name: row.text(2).to_owned(),
            kind: letter(3),
            category: letter(4),
            oid,
            modifier: -1,
            output: qualified(row.text(5), row.text(6)),
            element: None,
            base: None,
        };
        let base = (base != 0).then_some((base, row.number(8)?));
        known.insert(oid, TypeEntry { facts, base, element: (element != 0).then_some(element) });
    }
    Ok(known)
}

/// The facts of a type, with those below it.
fn facts(known: &HashMap<u32, TypeEntry>, oid: u32, modifier: i32, depth: u32) -> Option<TypeFacts> {
    let entry = known.get(&oid).filter(|_| depth < DEEPEST)?;
    let below = |(oid, modifier)| facts(known, oid, modifier, depth + 1).map(Box::new);
    let mut facts = entry.facts.clone();
    facts.modifier = modifier;
    facts.base = entry.base.and_then(below);
    facts.element = entry.element.and_then(|element| below((element, -1)));
    Some(facts)
}
