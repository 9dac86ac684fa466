//! What the target database holds before a restore.

use std::collections::{BTreeSet, HashMap};

use super::placement::{Place, relation_place};
use crate::error::{Error, Result};
use crate::model::{SchemaObject, TableSchema};
use crate::postgres::client::Client;
use crate::postgres::sql::{literal, qualified, quote};
use crate::selection::Selection;
use crate::source::postgres::catalog::{self, Relation, TableFacts};

/// The target's own catalog, read whole.
pub(super) struct Target {
    pub(super) tables: Vec<TableSchema>,
    pub(super) facts: Vec<TableFacts>,
    pub(super) relations: Vec<Relation>,
    /// Objects that belong to no table, and those that do, in their order of creation.
    objects: Vec<SchemaObject>,
    /// Their places by kind, what they belong to, and name.
    named: HashMap<(String, String, String), usize>,
    /// Roles that there are, and those of them to whom things may be given.
    pub(super) roles: BTreeSet<String>,
    pub(super) givable: BTreeSet<String>,
    /// The server's version.
    pub(super) version: String,
    /// The database's encoding.
    pub(super) encoding: Option<String>,
    /// May schemas be made?
    may_create: bool,
}

impl Target {
    pub(super) fn read(client: &mut Client) -> Result<Self> {
        let everything = Selection::everything();
        let relations = catalog::discover(client, &everything)?;
        let inventory = catalog::look_at(client, &relations)?;
        let attached = inventory.catalog.tables.iter().flat_map(|table| table.attached.iter().cloned());
        let mut objects: Vec<SchemaObject> = inventory.catalog.objects.iter().cloned().chain(attached).collect();
        objects.sort_by_key(|object| object.position);
        let mut named = HashMap::with_capacity(objects.len());
        for (place, object) in objects.iter().enumerate() {
            named.entry((object.kind.clone(), object.table.clone(), object.name.clone())).or_insert(place);
        }
        let roles = client
            .rows("SELECT rolname, pg_catalog.pg_has_role(current_user, oid, 'MEMBER') FROM pg_catalog.pg_roles")?;
        let may_create =
            client.value("SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')")?;
        Ok(Self {
            encoding: inventory.catalog.description.setting("encoding").map(str::to_owned),
            version: inventory.catalog.description.engine_version,
            may_create: may_create.is_true(0),
            tables: inventory.catalog.tables,
            facts: inventory.tables,
            relations,
            objects,
            named,
            givable: roles.iter().filter(|row| row.is_true(1)).map(|row| row.text(0).to_owned()).collect(),
            roles: roles.iter().map(|row| row.text(0).to_owned()).collect(),
        })
    }

    /// The table at a place.
    pub(super) fn table(&self, place: &Place) -> Option<&TableSchema> {
        self.tables.iter().find(|table| {
            table.option("schema") == Some(place.0.as_str()) && table.option("relation") == Some(place.1.as_str())
        })
    }

    /// What else is known of a table.
    pub(super) fn facts(&self, table: &TableSchema) -> Result<&TableFacts> {
        self.facts
            .iter()
            .find(|facts| facts.name == table.name)
            .ok_or_else(|| Error::database("the target's catalog changed while it was read").in_table(&table.name))
    }

    /// The kind of the relation at a place, if there is one.
    pub(super) fn relation(&self, place: &Place) -> Option<&str> {
        if self.table(place).is_some() {
            return Some("table");
        }
        let named = self.objects.iter().filter(|object| {
            matches!(
                object.kind.as_str(),
                "sequence" | "view" | "materialized view" | "partitioned table" | "foreign table"
            )
        });
        named
            .filter(|object| relation_place(&object.name).as_ref() == Some(place))
            .map(|object| object.kind.as_str())
            .next()
    }

    /// The object of a kind and name, on this table, view or whatever it belongs to; else on itself.
    pub(super) fn object(&self, kind: &str, table: &str, name: &str) -> Option<&SchemaObject> {
        let place = self.named.get(&(kind.to_owned(), table.to_owned(), name.to_owned()))?;
        self.objects.get(*place)
    }

    /// What the target has for something of the snapshot.
    pub(super) fn like(&self, object: &SchemaObject) -> Option<&SchemaObject> {
        self.object(&object.kind, &object.table, &object.name)
    }

    /// All objects, in their order of creation.
    pub(super) fn objects(&self) -> impl Iterator<Item = &SchemaObject> {
        self.objects.iter()
    }

    /// Refuses schemas for staging that could not be made.
    pub(super) fn check_staging(&self, schemas: &[String]) -> Result<()> {
        if !self.may_create && !schemas.is_empty() {
            return Err(Error::request(
                "this role may not make schemas in the database, which is where tables wait for their turn",
            )
            .with_hint("GRANT CREATE ON DATABASE … TO this role, or use the database's owner"));
        }
        match schemas.iter().find(|schema| self.object("schema", schema, schema).is_some()) {
            None => Ok(()),
            Some(taken) => Err(Error::request(format!(
                "the target has a schema \"{taken}\", in which tables would wait for their turn"
            ))
            .with_hint("look at what it holds, and drop it or rename it")),
        }
    }

    /// Does the database hold nothing of its own?
    pub(super) fn is_empty(&self) -> bool {
        self.relations.is_empty()
    }
}

/// Views that stand on relations, those on which others stand first, by their oids' names in the archive's form; and what
/// stands on the relations besides and cannot follow them, in the server's words.
pub(super) struct Dependants {
    pub(super) views: Vec<Place>,
    pub(super) others: Vec<String>,
    /// How publications let go of what is replaced, and take it again.
    pub(super) publications: Vec<(String, String)>,
    /// What partitions that are replaced are partitions of, where that stays.
    pub(super) above: Vec<Above>,
    /// Tables to which foreign keys of that refer, where this role may lock them.
    pub(super) referred_to: Vec<Place>,
}

/// A table that stays and that a replaced table is a partition of, or a partition of a partition.
pub(super) struct Above {
    /// The partition that is replaced.
    pub(super) partition: Place,
    pub(super) place: Place,
    /// What all rows of the partition fulfil; of the nearest table alone.
    pub(super) condition: Option<String>,
    /// Another partition, in which rows are that belong to no other; of the nearest table alone.
    pub(super) default: Option<Place>,
}

impl Dependants {
    /// Of these relations (by schema and name), through views on views.
    pub(super) fn of(client: &mut Client, places: &[Place]) -> Result<Self> {
        if places.is_empty() {
            return Ok(Self {
                views: Vec::new(),
                others: Vec::new(),
                publications: Vec::new(),
                above: Vec::new(),
                referred_to: Vec::new(),
            });
        }
        let names: Vec<String> =
            places.iter().map(|(schema, name)| format!("({}, {})", literal(schema), literal(name))).collect();
        let base = format!(
            "replaced AS (SELECT c.oid, c.reltype FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = \
             c.relnamespace WHERE (n.nspname, c.relname) IN ({})), \
             standing AS (SELECT oid, 0 AS level FROM replaced UNION \
             SELECT r.ev_class, s.level + 1 FROM standing s JOIN pg_catalog.pg_depend d ON d.refclassid = 1259 AND \
             d.refobjid = s.oid AND d.classid = 2618 JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> s.oid \
             WHERE s.level < 100)",
            names.join(", ")
        );
        let views = client.rows(&format!(
            "WITH RECURSIVE {base} SELECT n.nspname, c.relname, pg_catalog.max(s.level) FROM standing s JOIN \
             pg_catalog.pg_class c ON c.oid = s.oid AND c.relkind IN ('v', 'm') JOIN pg_catalog.pg_namespace n ON n.oid = \
             c.relnamespace GROUP BY 1, 2 ORDER BY 3, 1, 2"
        ))?;
        // What depends on a relation or on its row type, and is neither a part of it nor a view, nor a foreign key.
        let others = client.rows(&format!(
            "WITH RECURSIVE {base}, types AS (SELECT t.oid FROM pg_catalog.pg_type t JOIN standing s ON t.typrelid = s.oid UNION \
             SELECT t.typarray FROM pg_catalog.pg_type t JOIN standing s ON t.typrelid = s.oid WHERE t.typarray <> 0) \
             SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_catalog.pg_depend d WHERE \
             d.deptype = 'n' AND (d.refclassid = 1259 AND d.refobjid IN (SELECT oid FROM standing) AND d.classid NOT IN (2618, \
             2606, 3381, 2620, 2604, 6106) AND NOT (d.classid = 1259 AND d.objid IN (SELECT oid FROM standing)) AND NOT (d.classid = \
             3256 AND EXISTS (SELECT 1 FROM pg_catalog.pg_policy p WHERE p.oid = d.objid AND p.polrelid IN (SELECT oid FROM \
             replaced))) AND NOT (d.classid = 1259 AND EXISTS (SELECT 1 FROM pg_catalog.pg_class i WHERE i.oid = d.objid AND \
             i.relkind IN ('i', 'I', 'S', 't'))) \
             OR d.refclassid = 1247 AND d.refobjid IN (SELECT oid FROM types) AND NOT (d.classid = 1247 AND d.objid IN (SELECT \
             oid FROM types)) AND NOT (d.classid = 2618)) \
             UNION SELECT 'a rule on ' || pg_catalog.pg_describe_object(1259, s.oid, 0) FROM standing s JOIN pg_catalog.pg_class c \
             ON c.oid = s.oid WHERE s.level > 0 AND c.relkind NOT IN ('v', 'm') AND s.oid NOT IN (SELECT oid FROM replaced) \
             UNION SELECT 'the partition ' || pg_catalog.pg_describe_object(1259, i.inhrelid, 0) FROM pg_catalog.pg_inherits i JOIN \
             pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relispartition AND i.inhparent IN (SELECT oid FROM replaced) AND \
             i.inhrelid NOT IN (SELECT oid FROM replaced) ORDER BY 1"
        ))?;
        let (above, referred_to) = above(client, &base)?;
        // Columns and conditions came with version 15.
        let (columns, condition) = if client.version() >= 150_000 {
            (
                "(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM \
                 pg_catalog.pg_attribute a WHERE a.attrelid = p.prrelid AND a.attnum = ANY (p.prattrs))",
                "pg_catalog.pg_get_expr(p.prqual, p.prrelid)",
            )
        } else {
            ("NULL", "NULL")
        };
        let publications = client.rows(&format!(
            "WITH RECURSIVE {base} SELECT b.pubname, n.nspname, c.relname, {columns}, {condition} FROM replaced r JOIN \
             pg_catalog.pg_publication_rel p ON p.prrelid = r.oid JOIN pg_catalog.pg_publication b ON b.oid = p.prpubid JOIN \
             pg_catalog.pg_class c ON c.oid = r.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2, 3"
        ))?;
        let publications = publications.iter().map(|row| {
            let (publication, table) = (quote(row.text(0)), qualified(row.text(1), row.text(2)));
            let columns = row.get(3).map(|columns| format!(" ({columns})")).unwrap_or_default();
            let condition = row.get(4).map(|condition| format!(" WHERE ({condition})")).unwrap_or_default();
            (
                format!("ALTER PUBLICATION {publication} DROP TABLE ONLY {table}"),
                format!("ALTER PUBLICATION {publication} ADD TABLE ONLY {table}{columns}{condition}"),
            )
        });
        Ok(Self {
            views: views.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect(),
            others: others.iter().map(|row| row.text(0).to_owned()).collect(),
            publications: publications.collect(),
            above,
            referred_to,
        })
    }
}

/// The tables that stay and that replaced ones are partitions of, the nearest first; and those that their foreign keys refer to.
fn above(client: &mut Client, base: &str) -> Result<(Vec<Above>, Vec<Place>)> {
    let base = format!(
        "{base}, above AS (SELECT r.oid AS leaf, i.inhparent AS oid, 1 AS level FROM replaced r JOIN pg_catalog.pg_class c ON c.oid = \
         r.oid AND c.relispartition AND c.relkind IN ('r', 'p') JOIN pg_catalog.pg_inherits i ON i.inhrelid = r.oid WHERE \
         i.inhparent NOT IN (SELECT oid FROM replaced) UNION ALL SELECT a.leaf, i.inhparent, a.level + 1 FROM above a JOIN \
         pg_catalog.pg_class c ON c.oid = a.oid AND c.relispartition JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.oid)"
    );
    let rows = client.rows(&format!(
        "WITH RECURSIVE {base} SELECT ln.nspname, l.relname, n.nspname, c.relname, CASE WHEN a.level = 1 THEN \
         pg_catalog.pg_get_partition_constraintdef(a.leaf) END, dn.nspname, d.relname FROM above a JOIN pg_catalog.pg_class l ON \
         l.oid = a.leaf JOIN pg_catalog.pg_namespace ln ON ln.oid = l.relnamespace JOIN pg_catalog.pg_class c ON c.oid = a.oid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = a.oid AND \
         a.level = 1 LEFT JOIN pg_catalog.pg_class d ON d.oid = p.partdefid AND d.oid <> a.leaf LEFT JOIN pg_catalog.pg_namespace dn \
         ON dn.oid = d.relnamespace ORDER BY 1, 2, a.level"
    ))?;
    let own = |text: &str| text.to_owned();
    let above = rows.iter().map(|row| Above {
        partition: (own(row.text(0)), own(row.text(1))),
        place: (own(row.text(2)), own(row.text(3))),
        condition: row.get(4).map(own),
        default: row.get(5).zip(row.get(6)).map(|(schema, name)| (own(schema), own(name))),
    });
    let referred_to = client.rows(&format!(
        "WITH RECURSIVE {base} SELECT DISTINCT n.nspname, c.relname FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class c ON c.oid = \
         f.confrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE f.contype = 'f' AND f.conrelid IN (SELECT oid FROM \
         above) AND f.confrelid NOT IN (SELECT oid FROM replaced UNION SELECT oid FROM above) AND \
         pg_catalog.has_table_privilege(f.confrelid, 'UPDATE, DELETE, TRUNCATE') ORDER BY 1, 2"
    ))?;
    let referred_to = referred_to.iter().map(|row| (own(row.text(0)), own(row.text(1)))).collect();
    Ok((above.collect(), referred_to))
}
