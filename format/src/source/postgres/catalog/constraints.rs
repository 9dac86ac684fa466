//! Constraints of tables: those that stand in the table's own statement, and those that come when the rows are there.

use std::collections::HashMap;

use super::collected::{Collected, Item};
use super::depend::{Address, class};
use super::inheritance::Parents;
use super::relations::{Relation, RelationKind};
use super::tables::options;
use crate::error::Result;
use crate::postgres::client::{Client, TextRow};
use crate::postgres::sql::quote;

/// A check.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub(super) address: Address,
    pub(super) name: String,
    pub(super) definition: String,
    is_valid: bool,
    is_local: bool,
    /// It comes with a parent that is chosen.
    comes_with_parent: bool,
}

impl Check {
    /// Is it part of the statement that makes the table? A partition is made with its parent's checks, which it must have
    /// when it is attached; what inherits has them from its parents. Rows that are there are not checked by those which are
    /// not valid, so these come after the rows.
    pub(super) fn stands_in_table(&self, relation: &Relation, inherits: bool) -> bool {
        self.is_valid && (relation.is_partition || !inherits || self.is_local)
    }

    pub(super) fn alone(&self, relation: &Relation) -> Item {
        let definition =
            format!("ALTER TABLE {} ADD CONSTRAINT {} {}", relation.qualified(), quote(&self.name), self.definition);
        Item::new("check", self.address, self.name.clone(), definition).of(relation.oid)
    }
}

/// Checks by table, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Checks(HashMap<u32, Vec<Check>>);

impl Checks {
    pub(super) fn of(&self, table: u32) -> &[Check] {
        self.0.get(&table).map_or(&[], Vec::as_slice)
    }
}

/// A NOT NULL that has a name, as servers from 18 on have them.
#[derive(Debug, Clone)]
pub(super) struct NotNull {
    name: String,
    has_name_of_its_own: bool,
    is_local: bool,
    is_valid: bool,
    no_inherit: bool,
}

impl NotNull {
    fn words(&self) -> (String, &'static str) {
        let name = if self.has_name_of_its_own { format!("CONSTRAINT {} ", quote(&self.name)) } else { String::new() };
        (name, if self.no_inherit { " NO INHERIT" } else { "" })
    }

    /// What a column's clause says of it.
    pub(super) fn in_column(&self, relation: &Relation, inherits: bool) -> String {
        let (name, end) = self.words();
        let stands = self.is_valid && (relation.is_partition || !inherits || self.is_local);
        if stands { format!(" {name}NOT NULL{end}") } else { String::new() }
    }

    /// An element for a column that comes from a parent.
    pub(super) fn as_element(&self, column: &str) -> Option<String> {
        let (name, end) = self.words();
        (self.is_local && self.is_valid).then(|| format!("{name}NOT NULL {}{end}", quote(column)))
    }
}

/// They by table and column.
#[derive(Debug, Default)]
pub(super) struct NotNulls(HashMap<(u32, i16), NotNull>);

impl NotNulls {
    pub(super) fn of(&self, table: u32, column: i16) -> Option<&NotNull> {
        self.0.get(&(table, column))
    }

    /// May a column that is NOT NULL be taken to have no nulls? Not where rows from before it were not checked.
    pub(super) fn holds(&self, table: u32, column: i16) -> bool {
        self.of(table, column).is_none_or(|not_null| not_null.is_valid)
    }
}

/// Reads all constraints of the chosen tables. Checks and NOT NULLs are handed back; the rest are items at once.
pub(super) fn read(
    client: &mut Client,
    collected: &mut Collected<'_>,
    parents: &Parents,
) -> Result<(Checks, NotNulls)> {
    let sql = format!(
        "SELECT con.oid, con.conrelid, con.conname, con.contype, pg_catalog.pg_get_constraintdef(con.oid),
                con.convalidated, con.conislocal, con.coninhcount > 0, con.connoinherit, above.conrelid, con.conindid,
                con.condeferrable, con.condeferred, ({}), con.conkey[1], a.attname
         FROM {}
         JOIN pg_catalog.pg_constraint AS con ON con.conrelid = chosen.oid
         LEFT JOIN pg_catalog.pg_constraint AS above ON above.oid = con.conparentid
         LEFT JOIN pg_catalog.pg_class AS i ON i.oid = con.conindid AND con.contype IN ('p', 'u')
         LEFT JOIN pg_catalog.pg_attribute AS a
             ON con.contype = 'n' AND a.attrelid = con.conrelid AND a.attnum = con.conkey[1]
         WHERE con.contype IN ('c', 'f', 'p', 'u', 'x', 'n')
         ORDER BY con.conrelid, con.conname",
        options("i.reloptions"),
        collected.chosen()
    );
    let mut checks = Checks::default();
    let mut not_nulls = NotNulls::default();
    for row in client.rows(&sql)? {
        let table: u32 = row.number(1)?;
        let Some(relation) = collected.by_oid.get(&table).copied() else { continue };
        if relation.kind == RelationKind::ForeignTable {
            continue;
        }
        let address = Address::new(class::CONSTRAINT, row.number(0)?);
        let name = row.text(2);
        if row.text(3) != "n" {
            let words = format!("CONSTRAINT {} ON {}", quote(name), relation.qualified());
            collected.subject(address, words, name, Some(table));
        }
        let comes_with_parent = row.is_true(7) && !row.is_true(6) && !parents.of(table).is_empty();
        match row.text(3) {
            "c" => {
                let check = Check {
                    address,
                    name: name.to_owned(),
                    definition: row.text(4).to_owned(),
                    is_valid: row.is_true(5),
                    is_local: row.is_true(6),
                    comes_with_parent,
                };
                if !check.is_valid && !check.comes_with_parent {
                    collected.items.push(check.alone(relation));
                }
                checks.0.entry(table).or_default().push(check);
            }
            "n" => {
                let column = row.text(15);
                let not_null = NotNull {
                    name: name.to_owned(),
                    has_name_of_its_own: name != format!("{}_{column}_not_null", relation.name),
                    is_local: row.is_true(6),
                    is_valid: row.is_true(5),
                    no_inherit: row.is_true(8),
                };
                if !not_null.is_valid && !comes_with_parent {
                    let definition =
                        format!("ALTER TABLE {} ADD CONSTRAINT {} {}", relation.qualified(), quote(name), row.text(4));
                    collected.items.push(Item::new("check", address, name, definition).of(table));
                }
                not_nulls.0.insert((table, row.number(14)?), not_null);
            }
            "f" => add_foreign_key(collected, relation, address, &row)?,
            _ => add_key(collected, relation, address, &row)?,
        }
    }
    Ok((checks, not_nulls))
}

/// A foreign key. That of a partition comes with its parent's, where the parent is there.
fn add_foreign_key(collected: &mut Collected<'_>, relation: &Relation, address: Address, row: &TextRow) -> Result<()> {
    if row.get(9).is_some() && collected.by_oid.contains_key(&row.number(9)?) {
        return Ok(());
    }
    let only = if relation.kind == RelationKind::PartitionedTable { "" } else { "ONLY " };
    let (name, own) = (row.text(2), relation.qualified());
    let definition = format!("ALTER TABLE {only}{own} ADD CONSTRAINT {} {}", quote(name), row.text(4));
    collected.items.push(Item::new("foreign key", address, name, definition).of(relation.oid));
    Ok(())
}

/// A primary key, a unique or an exclusion constraint, each with its index.
fn add_key(collected: &mut Collected<'_>, relation: &Relation, address: Address, row: &TextRow) -> Result<()> {
    let kind = match row.text(3) {
        "p" => "primary key",
        "u" => "unique",
        _ => "exclusion",
    };
    let stated = with_options(row.text(4), row.get(13), row.is_true(11), row.is_true(12));
    let name = row.text(2);
    let definition = format!("ALTER TABLE ONLY {} ADD CONSTRAINT {} {stated}", relation.qualified(), quote(name));
    let index = Address::relation(row.number(10)?);
    collected.items.push(Item::new(kind, address, name, definition).of(relation.oid).from([index]));
    Ok(())
}

/// The server leaves out the options of the index; they stand before what is said of deferring.
fn with_options(stated: &str, options: Option<&str>, deferrable: bool, deferred: bool) -> String {
    let Some(options) = options else { return stated.to_owned() };
    let end = match (deferrable, deferred) {
        (true, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        _ => "",
    };
    let start = stated.strip_suffix(end).unwrap_or(stated);
    format!("{start} WITH ({options}){end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_key_stand_before_deferring() {
        let options = Some("fillfactor='70'");
        assert_eq!(with_options("UNIQUE (a)", options, false, false), "UNIQUE (a) WITH (fillfactor='70')");
        assert_eq!(
            with_options("UNIQUE (a) DEFERRABLE INITIALLY DEFERRED", options, true, true),
            "UNIQUE (a) WITH (fillfactor='70') DEFERRABLE INITIALLY DEFERRED"
        );
        assert_eq!(with_options("UNIQUE (a) DEFERRABLE", None, true, false), "UNIQUE (a) DEFERRABLE");
    }
}
