//! Columns as `pg_attribute` has them, and the types that they have in the end.

use std::collections::{BTreeSet, HashMap};

use super::collected::{Collected, numbers};
use crate::error::Result;
use crate::postgres::client::{Client, TextRow};
use crate::postgres::sql::qualified;

/// What is known of the type of a column's values, domains resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnFacts {
    /// The column's number in its table.
    pub(crate) attnum: i16,
    pub(crate) name: String,
    /// The type that is declared.
    pub(crate) type_oid: u32,
    pub(crate) type_schema: String,
    pub(crate) type_name: String,
    /// `typtype` of the declared type: `b`, `c`, `d`, `e`, `r`, `m`, `p`.
    pub(crate) type_kind: char,
    /// The type that it is in the end: that under a domain, else the declared one.
    pub(crate) base_oid: u32,
    pub(crate) base_schema: String,
    pub(crate) base_name: String,
    pub(crate) base_kind: char,
    /// The type of the elements, where the type is an array.
    pub(crate) element: Option<(u32, String, String)>,
    /// The type's modifier, of the column or of the domain that fixes it; -1 for none.
    pub(crate) modifier: i32,
    /// The type's output function, as it stands in a statement.
    pub(crate) output: String,
    /// The collation of the column, as it stands in a statement.
    pub(crate) collation: Option<String>,
}

/// A column, as statements make it.
#[derive(Debug, Clone)]
pub(super) struct ColumnEntry {
    pub(super) facts: ColumnFacts,
    /// The type as a statement writes it.
    pub(super) declared: String,
    pub(super) not_null: bool,
    pub(super) is_local: bool,
    pub(super) inherited: bool,
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

/// The types that types are in the end.
struct Base {
    schema: String,
    name: String,
    kind: char,
    /// The type under the domain, and whether it is another.
    oid: u32,
    modifier: i32,
    element: Option<(u32, String, String)>,
    output: String,
}

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
    let bases = bases(client, &types)?;
    let mut columns = Columns::new();
    for row in rows {
        let type_oid = row.number(3)?;
        if let Some(base) = bases.get(&type_oid) {
            columns.entry(row.number(0)?).or_default().push(entry(&row, type_oid, base)?);
        }
    }
    Ok(columns)
}

fn entry(row: &TextRow, type_oid: u32, base: &Base) -> Result<ColumnEntry> {
    let collation = row.get(15).map(|name| qualified(row.text(14), name));
    let own_modifier: i32 = row.number(7)?;
    let facts = ColumnFacts {
        attnum: row.number(1)?,
        name: row.text(2).to_owned(),
        type_oid,
        type_schema: row.text(4).to_owned(),
        type_name: row.text(5).to_owned(),
        type_kind: row.text(6).chars().next().unwrap_or('b'),
        base_oid: base.oid,
        base_schema: base.schema.clone(),
        base_name: base.name.clone(),
        base_kind: base.kind,
        element: base.element.clone(),
        modifier: if base.oid == type_oid { own_modifier } else { base.modifier },
        output: base.output.clone(),
        collation: collation.clone(),
    };
    Ok(ColumnEntry {
        facts,
        declared: row.text(8).to_owned(),
        not_null: row.is_true(9),
        is_local: row.is_true(10),
        inherited: row.is_true(11),
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

/// Follows domains down to what they are of.
fn bases(client: &mut Client, types: &BTreeSet<u32>) -> Result<HashMap<u32, Base>> {
    let sql = format!(
        "WITH RECURSIVE chain(start, oid, modifier, depth) AS (
             SELECT chosen.oid, chosen.oid, -1, 0 FROM {}
             UNION ALL
             SELECT chain.start, t.typbasetype, t.typtypmod, chain.depth + 1
             FROM chain JOIN pg_catalog.pg_type AS t ON t.oid = chain.oid AND t.typtype = 'd'
         )
         SELECT chain.start, t.oid, chain.modifier, n.nspname, t.typname, t.typtype, pn.nspname, p.proname,
                e.oid, en.nspname, e.typname
         FROM chain
         JOIN pg_catalog.pg_type AS t ON t.oid = chain.oid AND t.typtype <> 'd'
         JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         JOIN pg_catalog.pg_proc AS p ON p.oid = t.typoutput
         JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.pronamespace
         LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid
         LEFT JOIN pg_catalog.pg_namespace AS en ON en.oid = e.typnamespace",
        numbers(types.iter().copied())
    );
    let mut bases = HashMap::new();
    for row in client.rows(&sql)? {
        let element = match row.get(8) {
            Some(_) => Some((row.number(8)?, row.text(9).to_owned(), row.text(10).to_owned())),
            None => None,
        };
        let base = Base {
            oid: row.number(1)?,
            modifier: row.number(2)?,
            schema: row.text(3).to_owned(),
            name: row.text(4).to_owned(),
            kind: row.text(5).chars().next().unwrap_or('b'),
            element,
            output: qualified(row.text(6), row.text(7)),
        };
        bases.insert(row.number(0)?, base);
    }
    Ok(bases)
}
