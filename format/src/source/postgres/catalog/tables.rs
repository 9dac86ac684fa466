//! Tables: what the statement that makes one says, and what has to be said after it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::collected::{Collected, Item, Part};
use super::columns::{ColumnEntry, Columns};
use super::constraints::{Checks, NotNulls};
use super::depend::{Address, class};
use super::inheritance::{Parents, is_laid_out_alike};
use super::relations::{Relation, RelationKind};
use super::sequences::Identities;
use crate::error::Result;
use crate::postgres::client::Client;
use crate::postgres::sql::{qualified, quote};

/// What `pg_class` says of a table beyond its name.
#[derive(Debug, Clone)]
pub(super) struct TableEntry {
    pub(super) is_unlogged: bool,
    /// The composite type that it is made of.
    of_type: Option<String>,
    /// Its access method, where it is not heap.
    pub(super) method: Option<String>,
    pub(super) options: Option<String>,
    partition_key: Option<String>,
    partition_bound: Option<String>,
    pub(super) row_security: bool,
    pub(super) force_row_security: bool,
    replica_identity: String,
    tablespace: Option<String>,
    pub(super) is_populated: bool,
}

pub(super) type Entries = BTreeMap<u32, TableEntry>;

/// Storage options of a relation, in the order of their names.
pub(super) fn options(column: &str) -> String {
    format!(
        "SELECT pg_catalog.string_agg(pg_catalog.format('%I=%L', o.option_name, o.option_value), ', '
                                      ORDER BY o.option_name)
         FROM pg_catalog.pg_options_to_table({column}) AS o"
    )
}

pub(super) fn read(client: &mut Client, collected: &Collected<'_>) -> Result<Entries> {
    let sql = format!(
        "SELECT c.oid, c.relpersistence = 'u', CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END,
                am.amname, ({own}),
                (SELECT pg_catalog.string_agg(pg_catalog.format('toast.%I=%L', o.option_name, o.option_value), ', '
                                              ORDER BY o.option_name)
                 FROM pg_catalog.pg_options_to_table(toast.reloptions) AS o),
                pg_catalog.pg_get_partkeydef(c.oid), pg_catalog.pg_get_expr(c.relpartbound, c.oid),
                c.relrowsecurity, c.relforcerowsecurity, c.relreplident, ts.spcname, c.relispopulated
         FROM {chosen}
         JOIN pg_catalog.pg_class AS c ON c.oid = chosen.oid
         LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = c.reltoastrelid
         LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam AND am.amname <> 'heap'
         LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = c.reltablespace",
        own = options("c.reloptions"),
        chosen = collected.chosen()
    );
    let mut entries = Entries::new();
    for row in client.rows(&sql)? {
        let own = |column: usize| row.get(column).map(str::to_owned);
        let options: Vec<&str> = [row.get(4), row.get(5)].into_iter().flatten().collect();
        let entry = TableEntry {
            is_unlogged: row.is_true(1),
            of_type: own(2),
            method: own(3),
            options: (!options.is_empty()).then(|| options.join(", ")),
            partition_key: own(6),
            partition_bound: own(7),
            row_security: row.is_true(8),
            force_row_security: row.is_true(9),
            replica_identity: row.text(10).to_owned(),
            tablespace: own(11),
            is_populated: row.is_true(12),
        };
        entries.insert(row.number(0)?, entry);
    }
    Ok(entries)
}

/// Everything that the statement which makes a table is written from.
pub(super) struct Tables {
    pub(super) entries: Entries,
    pub(super) columns: Columns,
    pub(super) parents: Parents,
    pub(super) checks: Checks,
    pub(super) not_nulls: NotNulls,
    pub(super) identities: Identities,
}

impl Tables {
    fn columns(&self, relation: u32) -> &[ColumnEntry] {
        self.columns.get(&relation).map_or(&[], Vec::as_slice)
    }

    /// Is the table made as one that inherits, so that it has its parents' columns from them?
    fn inherits(&self, relation: &Relation) -> bool {
        let parents = self.parents.of(relation.oid);
        !relation.is_partition
            && !parents.is_empty()
            && is_laid_out_alike(parents.iter().map(|parent| self.columns(*parent)), self.columns(relation.oid))
    }

    /// Adds the tables, still without the statements that make them, and the steps after them.
    pub(super) fn add(&self, collected: &mut Collected<'_>) {
        for relation in collected.relations {
            match relation.kind {
                RelationKind::Table | RelationKind::PartitionedTable => self.add_one(collected, relation),
                RelationKind::View | RelationKind::MaterializedView => self.add_view_defaults(collected, relation),
                RelationKind::ForeignTable => {}
            }
        }
    }

    fn add_one(&self, collected: &mut Collected<'_>, relation: &Relation) {
        let address = Address::relation(relation.oid);
        let name = relation.archive_name();
        let words = format!("TABLE {}", relation.qualified());
        collected.subject(address, words, &name, Some(relation.oid));
        let mut item = Item::new(relation.kind.name(), address, name.clone(), String::new());
        item.relation = Some(relation.oid);
        // Parents come first: servers from 18 on would give a name of their own to the NOT NULL of a parent, were that which
        // a child has from it already taken.
        item.needs.extend(self.parents.of(relation.oid).iter().map(|parent| Address::relation(*parent)));
        collected.items.push(item);
        let Some(entry) = self.entries.get(&relation.oid) else { return };
        if let Some(space) = &entry.tablespace {
            let what = format!("tablespace \"{space}\" of table \"{name}\"");
            collected.omit(what, "tablespaces are places on the server; the table is kept");
        }
        let inherits = self.inherits(relation);
        self.add_columns(collected, relation, inherits);
        self.add_steps(collected, relation, entry, inherits);
        for check in self.checks.of(relation.oid).iter().filter(|check| check.stands_in_table(relation, inherits)) {
            let alone = check.alone(relation);
            collected.parts.push(Part { host: address, address: check.address, alone });
        }
    }

    fn add_columns(&self, collected: &mut Collected<'_>, relation: &Relation, inherits: bool) {
        let address = Address::relation(relation.oid);
        let mut settings = Vec::new();
        for column in self.columns(relation.oid) {
            let name = quote(&column.facts.name);
            settings.extend(column.settings.iter().map(|setting| format!("ALTER COLUMN {name} {setting}")));
            let is_inherited = inherits && !column.is_local;
            let of_parents = match is_inherited {
                true => self.default_of_parents(collected, relation.oid, &column.facts.name).cloned(),
                false => None,
            };
            match &column.default {
                Some((oid, expression)) if column.generated.is_empty() => {
                    let default = Address::new(class::DEFAULT, *oid);
                    let mut alone = self.default_item(relation, column, &format!("SET DEFAULT {expression}"));
                    alone.makes = Some(default);
                    alone.sources = vec![default];
                    if !is_inherited {
                        collected.parts.push(Part { host: address, address: default, alone });
                    } else if of_parents.as_ref() != Some(expression) {
                        collected.items.push(alone);
                    }
                }
                // What a generated column needs, its table needs.
                Some((oid, _)) => {
                    if let Some(table) = collected.items.iter_mut().rev().find(|item| item.makes == Some(address)) {
                        table.sources.push(Address::new(class::DEFAULT, *oid));
                    }
                }
                None if of_parents.is_some() => {
                    collected.items.push(self.default_item(relation, column, "DROP DEFAULT"));
                }
                None => {}
            }
            if is_inherited
                && column.not_null
                && collected.version < 180_000
                && !self.not_null_in_parents(relation.oid, column)
            {
                settings.push(format!("ALTER COLUMN {name} SET NOT NULL"));
            }
        }
        if !settings.is_empty() {
            let definition = format!("ALTER TABLE ONLY {} {}", relation.qualified(), settings.join(", "));
            let item = Item::about("column settings", address, relation.archive_name(), definition);
            collected.items.push(item.of(relation.oid));
        }
    }

    fn add_view_defaults(&self, collected: &mut Collected<'_>, relation: &Relation) {
        for column in self.columns(relation.oid) {
            if let Some((oid, expression)) = &column.default {
                let default = Address::new(class::DEFAULT, *oid);
                let mut item = self.default_item(relation, column, &format!("SET DEFAULT {expression}"));
                item.sources.push(default);
                collected.items.push(item);
            }
        }
    }

    fn default_item(&self, relation: &Relation, column: &ColumnEntry, action: &str) -> Item {
        let (keyword, only) = if relation.kind == RelationKind::View { ("VIEW", "") } else { ("TABLE", "ONLY ") };
        let name = quote(&column.facts.name);
        let definition = format!("ALTER {keyword} {only}{} ALTER COLUMN {name} {action}", relation.qualified());
        let address = Address::relation(relation.oid);
        Item::about("default", address, column.facts.name.clone(), definition).of(relation.oid)
    }

    fn in_parents<'a>(&'a self, oid: u32, column: &'a ColumnEntry) -> impl Iterator<Item = &'a ColumnEntry> {
        let parents = self.parents.of(oid).iter().flat_map(|parent| self.columns(*parent));
        parents.filter(|of_parent| of_parent.facts.name == column.facts.name)
    }

    /// The default that a column has from its parents when its table is made. What a parent is given after that, it has not.
    fn default_of_parents<'a>(&'a self, collected: &Collected<'_>, oid: u32, name: &str) -> Option<&'a String> {
        self.parents.of(oid).iter().find_map(|parent| {
            let column = self.columns(*parent).iter().find(|column| column.facts.name == name)?;
            let relation = collected.by_oid.get(parent)?;
            if self.inherits(relation) && !column.is_local {
                return self.default_of_parents(collected, *parent, name);
            }
            column.default.as_ref().map(|(_, expression)| expression)
        })
    }

    fn not_null_in_parents(&self, oid: u32, column: &ColumnEntry) -> bool {
        self.in_parents(oid, column).any(|of_parent| of_parent.not_null)
    }

    /// What follows a table before it has rows.
    fn add_steps(&self, collected: &mut Collected<'_>, relation: &Relation, entry: &TableEntry, inherits: bool) {
        let address = Address::relation(relation.oid);
        let (name, own) = (relation.archive_name(), relation.qualified());
        for parent in self.parents.of(relation.oid) {
            let Some(parent) = collected.by_oid.get(parent).copied() else { continue };
            let bound = entry.partition_bound.as_ref().filter(|_| relation.is_partition);
            let (kind, definition) = match bound {
                Some(bound) => {
                    let of_parent = parent.qualified();
                    ("partition", format!("ALTER TABLE ONLY {of_parent} ATTACH PARTITION {own} {bound}"))
                }
                None if inherits => continue,
                None => ("inheritance", format!("ALTER TABLE ONLY {own} INHERIT {}", parent.qualified())),
            };
            let mut step = Item::about(kind, address, name.clone(), definition).of(relation.oid);
            step = step.needing([Address::relation(parent.oid)]);
            step.makes = Some(Address::new(class::ATTACHING, relation.oid));
            collected.items.push(step);
        }
        let identity = match entry.replica_identity.as_str() {
            "n" => Some("NOTHING"),
            "f" => Some("FULL"),
            _ => None,
        };
        if let Some(identity) = identity {
            let definition = format!("ALTER TABLE ONLY {own} REPLICA IDENTITY {identity}");
            collected.items.push(Item::about("replica identity", address, name.clone(), definition).of(relation.oid));
        }
        if entry.row_security {
            let definition = format!("ALTER TABLE {own} ENABLE ROW LEVEL SECURITY");
            collected.items.push(Item::about("row security", address, name.clone(), definition).of(relation.oid));
        }
        if entry.force_row_security {
            let definition = format!("ALTER TABLE ONLY {own} FORCE ROW LEVEL SECURITY");
            collected.items.push(Item::about("row security", address, name, definition).of(relation.oid));
        }
    }

    /// Writes the statements that make tables; what stands `alone` is not in them.
    pub(super) fn define(&self, collected: &mut Collected<'_>, alone: &HashSet<Address>) {
        let mut statements = HashMap::new();
        for relation in collected.relations {
            if matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable) {
                statements.insert(Address::relation(relation.oid), self.statement(relation, collected.version, alone));
            }
        }
        for item in &mut collected.items {
            if let Some(statement) = item.makes.and_then(|makes| statements.remove(&makes)) {
                item.definition = statement;
            }
        }
    }

    fn statement(&self, relation: &Relation, version: u32, alone: &HashSet<Address>) -> String {
        let Some(entry) = self.entries.get(&relation.oid) else { return String::new() };
        let inherits = self.inherits(relation);
        let typed = entry.of_type.is_some();
        let mut elements = Vec::new();
        for column in self.columns(relation.oid) {
            let not_null = self.not_nulls.of(relation.oid, column.facts.attnum);
            if inherits && !column.is_local {
                elements.extend(not_null.and_then(|constraint| constraint.as_element(&column.facts.name)));
                continue;
            }
            let mut clause = quote(&column.facts.name);
            let bare = clause.clone();
            if !typed {
                clause.push_str(&format!(" {}", column.declared));
            }
            if let Some(collation) = column.collate.as_ref().filter(|_| !typed) {
                clause.push_str(&format!(" COLLATE {collation}"));
            }
            clause.push_str(&self.value_of(relation, column, version, alone));
            match not_null {
                Some(constraint) => clause.push_str(&constraint.in_column(relation, inherits)),
                None if column.not_null && version < 180_000 => clause.push_str(" NOT NULL"),
                None => {}
            }
            if !typed || clause != bare {
                elements.push(clause);
            }
        }
        for check in self.checks.of(relation.oid) {
            if check.stands_in_table(relation, inherits) && !alone.contains(&check.address) {
                elements.push(format!("CONSTRAINT {} {}", quote(&check.name), check.definition));
            }
        }
        let unlogged = if entry.is_unlogged { "UNLOGGED " } else { "" };
        let mut statement = format!("CREATE {unlogged}TABLE {}", relation.qualified());
        match &entry.of_type {
            Some(of_type) => {
                statement.push_str(&format!(" OF {of_type}"));
                if !elements.is_empty() {
                    statement.push_str(&format!(" ({})", elements.join(", ")));
                }
            }
            None => statement.push_str(&format!(" ({})", elements.join(", "))),
        }
        if inherits {
            let parents: Vec<String> = self.parents.names(relation.oid).collect();
            statement.push_str(&format!(" INHERITS ({})", parents.join(", ")));
        }
        if let Some(key) = &entry.partition_key {
            statement.push_str(&format!(" PARTITION BY {key}"));
        }
        if let Some(method) = &entry.method {
            statement.push_str(&format!(" USING {}", quote(method)));
        }
        if let Some(options) = &entry.options {
            statement.push_str(&format!(" WITH ({options})"));
        }
        statement
    }

    /// Where a column's values come from if nothing else is said.
    fn value_of(&self, relation: &Relation, column: &ColumnEntry, version: u32, alone: &HashSet<Address>) -> String {
        if let Some(identity) = self.identities.get(&(relation.oid, column.facts.attnum)) {
            let when = if column.identity == "a" { "ALWAYS" } else { "BY DEFAULT" };
            let sequence = qualified(&identity.schema, &identity.name);
            return format!(
                " GENERATED {when} AS IDENTITY (SEQUENCE NAME {sequence} {})",
                identity.parameters(version, false)
            );
        }
        match &column.default {
            Some((_, expression)) if column.generated == "s" => format!(" GENERATED ALWAYS AS ({expression}) STORED"),
            Some((_, expression)) if column.generated == "v" => format!(" GENERATED ALWAYS AS ({expression}) VIRTUAL"),
            Some((oid, expression)) if !alone.contains(&Address::new(class::DEFAULT, *oid)) => {
                format!(" DEFAULT {expression}")
            }
            _ => String::new(),
        }
    }
}
