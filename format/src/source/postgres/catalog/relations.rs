//! Which relations a snapshot is of: tables, and views with them, by patterns.

use std::collections::{HashMap, HashSet};

use super::names::archive_name;
use crate::error::{Error, Result};
use crate::postgres::client::Client;
use crate::postgres::sql::qualified;
use crate::selection::Selection;

/// Kinds of relations that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RelationKind {
    Table,
    PartitionedTable,
    ForeignTable,
    View,
    MaterializedView,
}

impl RelationKind {
    fn of(relkind: &str) -> Result<Self> {
        match relkind {
            "r" => Ok(Self::Table),
            "p" => Ok(Self::PartitionedTable),
            "f" => Ok(Self::ForeignTable),
            "v" => Ok(Self::View),
            "m" => Ok(Self::MaterializedView),
            other => Err(Error::database(format!("a relation of the kind \"{other}\" where a table was asked for"))),
        }
    }

    /// How statements and reports call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::PartitionedTable => "partitioned table",
            Self::ForeignTable => "foreign table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
        }
    }

    /// The word that `ALTER` and `COMMENT ON` take.
    pub(super) const fn keyword(self) -> &'static str {
        match self {
            Self::Table | Self::PartitionedTable => "TABLE",
            Self::ForeignTable => "FOREIGN TABLE",
            Self::View => "VIEW",
            Self::MaterializedView => "MATERIALIZED VIEW",
        }
    }
}

/// A chosen relation, as it was before anything was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) kind: RelationKind,
    /// It is a partition of another table.
    pub(crate) is_partition: bool,
    /// The extension that makes it; such a table is kept only for the rows that its users put there.
    pub(crate) extension: Option<String>,
    /// Which rows of an extension's table its users put there: the end of a statement, empty for all.
    pub(crate) condition: String,
}

impl Relation {
    /// Its name in an archive.
    pub(crate) fn archive_name(&self) -> String {
        archive_name(&self.schema, &self.name)
    }

    /// Its name in a statement.
    pub(crate) fn qualified(&self) -> String {
        qualified(&self.schema, &self.name)
    }

    /// The names by which patterns choose it.
    fn names(&self) -> [String; 2] {
        [self.archive_name(), format!("{}.{}", self.schema, self.name)]
    }
}

/// Relations of users: nothing temporary, nothing of the system, and of what extensions made only the tables that hold rows of
/// their users.
const RELATIONS: &str = "
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, e.extname,
           (SELECT e.extcondition[i] FROM pg_catalog.generate_subscripts(e.extconfig, 1) AS i WHERE e.extconfig[i] = c.oid)
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_depend AS d
        ON d.classid = 1259 AND d.objid = c.oid AND d.objsubid = 0 AND d.refclassid = 3079 AND d.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND (e.oid IS NULL OR c.oid = ANY (e.extconfig))
    ORDER BY n.nspname, c.relname";

/// The relations that a selection takes. Partitions come with their parent, and parents with what inherits from them; what
/// the selection leaves out stays out.
pub(crate) fn discover(client: &mut Client, selection: &Selection) -> Result<Vec<Relation>> {
    let mut relations = Vec::new();
    for row in client.rows(RELATIONS)? {
        relations.push(Relation {
            oid: row.number(0)?,
            schema: row.text(1).to_owned(),
            name: row.text(2).to_owned(),
            kind: RelationKind::of(row.text(3))?,
            is_partition: row.is_true(4),
            extension: row.get(5).map(str::to_owned),
            condition: row.text(6).to_owned(),
        });
    }
    let names: Vec<[String; 2]> = relations.iter().map(Relation::names).collect();
    selection.check(names.iter().flatten().map(String::as_str))?;
    let mut links = Vec::new();
    if !selection.is_everything() {
        for row in client.rows("SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits")? {
            links.push((row.number(0)?, row.number(1)?));
        }
    }
    Ok(chosen(relations, selection, &links))
}

/// What is taken, given who inherits from whom.
fn chosen(relations: Vec<Relation>, selection: &Selection, links: &[(u32, u32)]) -> Vec<Relation> {
    let by_oid: HashMap<u32, &Relation> = relations.iter().map(|relation| (relation.oid, relation)).collect();
    let mut brings: HashMap<u32, Vec<u32>> = HashMap::new();
    for (child, parent) in links {
        let Some(child) = by_oid.get(child) else { continue };
        let Some(parent) = by_oid.get(parent) else { continue };
        let (first, second) = if child.is_partition { (parent.oid, child.oid) } else { (child.oid, parent.oid) };
        brings.entry(first).or_default().push(second);
    }
    let is_left_out = |relation: &Relation| selection.leaves_any(&relation.names().each_ref().map(String::as_str));
    let is_taken = |relation: &&Relation| selection.takes_any(&relation.names().each_ref().map(String::as_str));
    let mut waiting: Vec<u32> = relations.iter().filter(is_taken).map(|relation| relation.oid).collect();
    let mut taken = HashSet::new();
    while let Some(oid) = waiting.pop() {
        if by_oid.get(&oid).is_some_and(|relation| !is_left_out(relation)) && taken.insert(oid) {
            waiting.extend(brings.get(&oid).into_iter().flatten());
        }
    }
    relations.into_iter().filter(|relation| taken.contains(&relation.oid)).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn relation(oid: u32, name: &str, kind: RelationKind, is_partition: bool) -> Relation {
        let schema = "public".to_owned();
        Relation { oid, schema, name: name.into(), kind, is_partition, extension: None, condition: String::new() }
    }

    #[test]
    fn partitions_come_with_their_parent_and_parents_with_their_children() {
        let relations = vec![
            relation(1, "events", RelationKind::PartitionedTable, false),
            relation(2, "events_2025", RelationKind::PartitionedTable, true),
            relation(3, "events_2025_01", RelationKind::Table, true),
            relation(4, "base", RelationKind::Table, false),
            relation(5, "derived", RelationKind::Table, false),
        ];
        let links = [(2, 1), (3, 2), (5, 4)];
        let taken = |include: &[&str], exclude: &[&str]| {
            let selection = Selection::new(include, exclude).unwrap();
            chosen(relations.clone(), &selection, &links).iter().map(|relation| relation.oid).collect::<Vec<_>>()
        };
        assert_eq!(taken(&["events"], &[]), [1, 2, 3]);
        assert_eq!(taken(&["events"], &["events_2025_01"]), [1, 2]);
        assert_eq!(taken(&["events_2025_01"], &[]), [3]);
        assert_eq!(taken(&["derived"], &[]), [4, 5]);
        assert_eq!(taken(&["base"], &[]), [4]);
        assert_eq!(taken(&["public.d*"], &["public.base"]), [5]);
    }
}
