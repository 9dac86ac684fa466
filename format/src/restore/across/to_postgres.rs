//! What tables of SQLite are in PostgreSQL: the types that take what their columns really hold, keys, indexes and foreign keys.

use std::collections::BTreeMap;

use super::kinds::{self, Counts};
use super::notes::Notes;
use super::postgres_table::{MAX_NAME, Names, NewColumn, NewTable, SCHEMA, quoted};
use super::sqlite_facts::{Asked, ColumnFacts, IndexFacts, ReferenceFacts};
use super::translated::{Converted, TranslatedTable, Translation};
use crate::archive::{Snapshot, Table};
use crate::error::{Error, Result};
use crate::model::{Cell, Logical, SchemaObject, TableSchema, roles};
use crate::observer::Observer;
use crate::postgres::sql::{literal, qualified, quote};
use crate::selection::Selection;

/// Columns that a table can have.
const MAX_COLUMNS: usize = 1_600;
/// Names that the server's own columns have.
const SYSTEM_COLUMNS: [&str; 6] = ["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// Translates the chosen tables. Their cells are read: types depend on them.
pub(super) fn translate<'a>(
    snapshot: &Snapshot<'a>,
    selection: &Selection,
    observer: &dyn Observer,
) -> Result<Translation<'a>> {
    let catalog = snapshot.catalog();
    let names = catalog.tables.iter().map(|entry| entry.name.as_str());
    let known: Vec<&str> = names.chain(catalog.objects.iter().map(|object| object.name.as_str())).collect();
    selection.check(known.iter().copied())?;
    let mut notes = Notes::default();
    let mut tables = Vec::new();
    for entry in &catalog.tables {
        let table = snapshot.open_table(entry)?;
        if table.schema().role == roles::INTERNAL || !selection.takes_table(table.schema()) {
            continue;
        }
        if table.schema().role != roles::TABLE {
            notes.left_out(format!("table \"{}\"", entry.name), "it is storage of a virtual table");
            continue;
        }
        tables.push(table);
    }
    tables.sort_by_key(|table| table.schema().position);
    for object in catalog.objects.iter().filter(|object| selection.takes_object(object)) {
        note(object, &mut notes);
    }
    if tables.is_empty() {
        return Err(Error::request("nothing that is chosen can be restored into PostgreSQL, which takes tables only")
            .with_hint("choose tables"));
    }
    let mut asked = Asked::new()?;
    for table in &tables {
        asked.make(table.schema())?;
        for object in &table.schema().attached {
            if object.kind != "index" {
                note(object, &mut notes);
            } else if asked.make_index(object).is_err() {
                notes.object("index", &object.name, "SQLite here cannot make it");
            }
        }
    }
    let counters = counters(snapshot)?;
    let mut work = Work { asked, notes, relations: Names::default(), counters };
    let mut new = Vec::with_capacity(tables.len());
    for table in &tables {
        check_name(&table.schema().name, "table").map_err(|error| error.in_table(&table.schema().name))?;
        work.relations.take(&table.schema().name);
    }
    for table in &tables {
        let made = work.new_table(table, observer).map_err(|error| error.in_table(&table.schema().name))?;
        new.push(made);
    }
    for (at, table) in tables.iter().enumerate() {
        work.references(table.schema(), at, &mut new)?;
    }
    let mut position = 0;
    let mut tables: Vec<TranslatedTable<'a>> = tables
        .into_iter()
        .zip(new)
        .map(|(table, new)| {
            let stored = table.schema().columns.iter().enumerate().filter(|(_, column)| !column.hidden);
            let columns = stored.zip(&new.columns);
            let columns =
                columns.map(|((from, _), column)| Converted { from, conversion: column.chosen.conversion }).collect();
            TranslatedTable { columns, schema: new.into_schema(&mut position), numbered: false, table }
        })
        .collect();
    // Keys come before what refers to them, whichever table they are on.
    let attached = tables.iter_mut().flat_map(|table| &mut table.schema.attached);
    for reference in attached.filter(|object| object.kind == "foreign key") {
        reference.position = position;
        position += 1;
    }
    let settings = vec![("encoding".to_owned(), "UTF8".to_owned())];
    Ok(Translation { tables, engine: "postgresql", settings, notes: work.notes })
}

/// The last row ids that were given out, of tables that count them.
fn counters(snapshot: &Snapshot<'_>) -> Result<BTreeMap<String, i64>> {
    let mut counters = BTreeMap::new();
    let entries = &snapshot.catalog().tables;
    let Some(entry) = entries.iter().find(|entry| entry.name == "sqlite_sequence") else { return Ok(counters) };
    let table = snapshot.open_table(entry)?;
    let all: Vec<usize> = (0..table.schema().columns.len()).collect();
    for group in table.scan(&all) {
        group?.for_each_row(|row| {
            if let [.., Cell::Text(name), Cell::Integer(last)] = row {
                counters.insert(String::from_utf8_lossy(name).into_owned(), *last);
            }
            Ok(())
        })?;
    }
    Ok(counters)
}

/// What is known while tables are translated.
struct Work {
    asked: Asked,
    notes: Notes,
    relations: Names,
    counters: BTreeMap<String, i64>,
}

impl Work {
    fn new_table(&mut self, table: &Table<'_>, observer: &dyn Observer) -> Result<NewTable> {
        let schema = table.schema();
        let counts = kinds::count(table, observer)?;
        let facts = self.asked.columns(&schema.name)?;
        let (mut columns, mut key) = (Vec::new(), None);
        for (column, counts) in schema.columns.iter().zip(&counts) {
            if column.hidden {
                continue;
            }
            check_name(&column.name, "column")?;
            if SYSTEM_COLUMNS.contains(&column.name.as_str()) {
                return Err(Error::request(format!("PostgreSQL has a column \"{}\" of its own", column.name))
                    .with_hint("leave the table out, or rename the column in the source and dump again"));
            }
            let is_row_id = schema.option("rowid") == Some(column.name.as_str());
            if is_row_id {
                key = Some(columns.len());
            }
            let new = self.new_column(schema, &column.name, &column.declared_type, *counts, &facts)?;
            columns.push(NewColumn { not_null: !column.nullable || is_row_id, ..new });
        }
        if columns.len() > MAX_COLUMNS {
            return Err(Error::request(format!("{} columns; PostgreSQL has {MAX_COLUMNS}", columns.len())));
        }
        for generated in &schema.generated {
            let what = format!("generated column \"{generated}\" of \"{}\"", schema.name);
            self.notes.left_out(what, "its expression is SQLite's, and its values are not in the snapshot");
        }
        let definition = schema.definition.to_ascii_lowercase();
        for (word, what) in [("check", "checks"), ("collate", "collations"), ("deferrable", "deferring")] {
            if definition.contains(word) {
                let what = format!("{what} in the definition of \"{}\"", schema.name);
                self.notes.left_out(what, "they are written in SQLite's SQL");
            }
        }
        let mut new = NewTable { name: schema.name.clone(), columns, key, attached: Vec::new() };
        self.keys(schema, &counts, &facts, &mut new)?;
        if let (Some(at), true) = (key, schema.option("autoincrement").is_some()) {
            self.count_on(at, &mut new);
        }
        Ok(new)
    }

    fn new_column(
        &mut self,
        schema: &TableSchema,
        name: &str,
        declared: &str,
        counts: Counts,
        facts: &[ColumnFacts],
    ) -> Result<NewColumn> {
        let Some(chosen) = counts.chosen(declared) else {
            return Err(Error::request(format!(
                "column \"{name}\" holds {}, for which PostgreSQL has no type",
                counts.told()
            ))
            .with_hint("leave the table out, or make the values of one kind in the source and dump again"));
        };
        if chosen.conversion != super::conversion::Conversion::Stored {
            self.notes.said(format!(
                "column \"{name}\" of \"{}\" holds {}: all become {}",
                schema.name,
                counts.told(),
                chosen.declared
            ));
        }
        let said = facts.iter().find(|facts| facts.name == name).and_then(|facts| facts.default.as_deref());
        let default = said.and_then(|said| default(said, chosen.logical));
        if let Some(said) = said.filter(|said| default.is_none() && !said.eq_ignore_ascii_case("null")) {
            let what = format!("default {said} of column \"{name}\" of \"{}\"", schema.name);
            self.notes.left_out(what, "it is an expression of SQLite, or of another type");
        }
        Ok(NewColumn { name: name.to_owned(), chosen, not_null: false, default, sequence: None })
    }

    /// The primary key, what else is unique, and indexes.
    fn keys(
        &mut self,
        schema: &TableSchema,
        counts: &[Counts],
        facts: &[ColumnFacts],
        new: &mut NewTable,
    ) -> Result<()> {
        let mut key: Vec<&ColumnFacts> = facts.iter().filter(|facts| facts.in_key > 0).collect();
        key.sort_by_key(|facts| facts.in_key);
        let key: Vec<String> = key.into_iter().map(|facts| facts.name.clone()).collect();
        let has_nulls = |name: &String| {
            let mut columns = schema.columns.iter().zip(counts);
            columns.any(|(column, counts)| column.name == *name && counts.nulls > 0)
        };
        if !key.is_empty() {
            if key.iter().any(has_nulls) {
                self.notes.said(format!(
                    "the primary key of \"{}\" becomes a unique constraint: it has nulls, as SQLite lets it",
                    schema.name
                ));
                let name = self.relations.make(&schema.name, "_key");
                new.add_key("unique", &name, &key);
            } else {
                for column in new.columns.iter_mut().filter(|column| key.contains(&column.name)) {
                    column.not_null = true;
                }
                let name = self.relations.make(&schema.name, "_pkey");
                new.add_key("primary key", &name, &key);
            }
        }
        for index in self.asked.indexes(&schema.name)? {
            if index.origin != "pk" {
                self.index(schema, &index, new);
            }
        }
        Ok(())
    }

    fn index(&mut self, schema: &TableSchema, index: &IndexFacts, new: &mut NewTable) {
        let shown = if index.origin == "c" { index.name.as_str() } else { "of a UNIQUE" };
        let is_stored = |name: &str| new.columns.iter().any(|column| column.name == name);
        let parts = index.parts.as_ref().filter(|parts| parts.iter().all(|part| is_stored(&part.column)));
        let Some(parts) = parts.filter(|_| !index.partial) else {
            let why = "it has a condition or an expression, which are SQLite's";
            self.notes.object("index", &format!("{shown}\" of \"{}", schema.name), why);
            return;
        };
        if parts.iter().any(|part| !part.collation.eq_ignore_ascii_case("BINARY")) {
            self.notes.said(format!(
                "index \"{shown}\" of \"{}\" compares texts byte by byte: PostgreSQL has not SQLite's collations",
                schema.name
            ));
        }
        let columns: Vec<String> = parts.iter().map(|part| part.column.clone()).collect();
        if index.origin == "u" {
            let name = self.relations.make(&format!("{}_{}", schema.name, columns.join("_")), "_key");
            new.add_key("unique", &name, &columns);
            return;
        }
        let name = match index.name.len() <= MAX_NAME && self.relations.take(&index.name) {
            true => index.name.clone(),
            false => self.relations.make(&index.name, "_idx"),
        };
        let parts: Vec<String> = parts
            .iter()
            .map(|part| format!("{}{}", quote(&part.column), if part.descending { " DESC" } else { "" }))
            .collect();
        new.add_index(index.unique, &name, &parts);
    }

    /// A key that never goes back gets a sequence.
    fn count_on(&mut self, at: usize, new: &mut NewTable) {
        let Some(column) = new.columns.get(at).map(|column| column.name.clone()) else { return };
        let sequence = self.relations.make(&format!("{}_{column}", new.name), "_seq");
        if let Some(column) = new.columns.get_mut(at) {
            column.sequence = Some(sequence.clone());
            column.default = None;
        }
        if let Some(last) = self.counters.get(&new.name).copied().filter(|last| *last > 0) {
            new.add_sequence_value(&sequence, last);
        }
    }

    fn references(&mut self, schema: &TableSchema, at: usize, new: &mut [NewTable]) -> Result<()> {
        let mut names = Names::default();
        for reference in self.asked.references(&schema.name)? {
            let clause = self.reference(&reference, at, new)?;
            let (Some(clause), Some(table)) = (clause, new.get_mut(at)) else {
                let what = format!("foreign key of \"{}\" to \"{}\"", schema.name, reference.parent);
                let why = "what it refers to is not restored, not unique there, or of another type";
                self.notes.left_out(what, why);
                continue;
            };
            let name = names.make(&format!("{}_{}", schema.name, reference.columns.join("_")), "_fkey");
            table.add_reference(&name, &clause);
        }
        Ok(())
    }

    fn reference(&self, reference: &ReferenceFacts, at: usize, new: &[NewTable]) -> Result<Option<String>> {
        let Some(parent) = new.iter().find(|table| table.name.eq_ignore_ascii_case(&reference.parent)) else {
            return Ok(None);
        };
        let facts = self.asked.columns(&parent.name)?;
        let named = reference.parent_columns.clone().unwrap_or_else(|| {
            let mut key: Vec<&ColumnFacts> = facts.iter().filter(|facts| facts.in_key > 0).collect();
            key.sort_by_key(|facts| facts.in_key);
            key.into_iter().map(|facts| facts.name.clone()).collect()
        });
        // SQLite does not tell capital letters from others.
        let find = |table: &NewTable, name: &String| {
            table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).cloned()
        };
        let from: Option<Vec<NewColumn>> =
            new.get(at).and_then(|table| reference.columns.iter().map(|name| find(table, name)).collect());
        let to: Option<Vec<NewColumn>> = named.iter().map(|name| find(parent, name)).collect();
        let (Some(from), Some(to)) = (from, to) else { return Ok(None) };
        let same = from.len() == to.len() && from.iter().zip(&to).all(|(a, b)| a.chosen.declared == b.chosen.declared);
        let names = |columns: &[NewColumn]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let (from, to) = (names(&from), names(&to));
        if !same || !self.is_unique(parent, &facts, &to)? {
            return Ok(None);
        }
        let mut clause =
            format!("FOREIGN KEY ({}) REFERENCES {}({})", quoted(&from), qualified(SCHEMA, &parent.name), quoted(&to));
        for (event, action) in [("UPDATE", &reference.on_update), ("DELETE", &reference.on_delete)] {
            if ["CASCADE", "RESTRICT", "SET NULL", "SET DEFAULT"].contains(&action.as_str()) {
                clause.push_str(&format!(" ON {event} {action}"));
            }
        }
        Ok(Some(clause))
    }

    /// Is there a key over just these columns, which compares them as they are?
    fn is_unique(&self, parent: &NewTable, facts: &[ColumnFacts], columns: &[String]) -> Result<bool> {
        let is_same = |mut names: Vec<String>| {
            let mut wanted = columns.to_vec();
            wanted.sort_unstable();
            names.sort_unstable();
            names == wanted
        };
        let key = facts.iter().filter(|facts| facts.in_key > 0).map(|facts| facts.name.clone()).collect();
        let is_made = |kind: &str| parent.attached.iter().any(|object| object.kind == kind);
        if is_same(key) && (is_made("primary key") || is_made("unique")) {
            return Ok(true);
        }
        Ok(self.asked.indexes(&parent.name)?.into_iter().any(|index| {
            let parts = index.parts.filter(|_| index.unique && !index.partial).unwrap_or_default();
            let binary = parts.iter().all(|part| part.collation.eq_ignore_ascii_case("BINARY"));
            binary && is_same(parts.into_iter().map(|part| part.column).collect())
        }))
    }
}

/// A default that means the same in PostgreSQL, as PostgreSQL writes it.
fn default(said: &str, logical: Logical) -> Option<String> {
    let text = said.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match (logical, text) {
        (Logical::Integer, None) => {
            let value: i64 = said.parse().ok().filter(|_| !said.starts_with('+'))?;
            Some(match i32::try_from(value) {
                Ok(0..) => value.to_string(),
                Ok(_) => format!("'{value}'::integer"),
                Err(_) => format!("'{value}'::bigint"),
            })
        }
        (Logical::Text, Some(text)) => {
            let plain = text.replace("''", "");
            let is_one = !plain.contains(['\'', '\\', '\0']);
            is_one.then(|| format!("{}::text", literal(&text.replace("''", "'"))))
        }
        _ => None,
    }
}

fn check_name(name: &str, what: &str) -> Result<()> {
    let refused = |why: String| {
        Err(Error::request(why).with_hint("leave the table out, or rename it in the source and dump again"))
    };
    if name.is_empty() {
        return refused(format!("a {what} without a name, which PostgreSQL cannot have"));
    }
    if name.len() > MAX_NAME {
        return refused(format!("the name \"{name}\" is longer than {MAX_NAME} bytes; PostgreSQL would cut it"));
    }
    if name.contains('\0') {
        return refused(format!("a {what} with a NUL in its name, which PostgreSQL cannot have"));
    }
    Ok(())
}

/// Names what is left out.
fn note(object: &SchemaObject, notes: &mut Notes) {
    let why = match object.kind.as_str() {
        "view" => "it is a query in SQLite's SQL",
        "trigger" => "it is code of SQLite",
        "virtual table" => "PostgreSQL has not the module that it is made by",
        _ => "PostgreSQL has nothing like it",
    };
    notes.object(&object.kind, &object.name, why);
}
