//! What tables of SQLite are in PostgreSQL: the types that take what their columns really hold, keys, indexes and foreign keys.

use std::collections::BTreeMap;

use super::kinds::{self, Counts};
use super::notes::Notes;
use super::postgres_table::{MAX_NAME, Names, NewColumn, NewTable};
use super::sqlite_facts::{Asked, ColumnFacts, IndexFacts};
use super::translated::{Converted, TranslatedTable, Translation};
use crate::archive::{Snapshot, Table};
use crate::error::{Error, Result};
use crate::model::{Cell, KeyPart, Logical, SchemaObject, TableSchema, roles};
use crate::observer::Observer;
use crate::postgres::sql::{literal, quote};
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
    for at in 0..tables.len() {
        work.references(&tables, at, &mut new, observer)?;
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
pub(super) struct Work {
    pub(super) asked: Asked,
    pub(super) notes: Notes,
    relations: Names,
    counters: BTreeMap<String, i64>,
}

impl Work {
    fn new_table(&mut self, table: &Table<'_>, observer: &dyn Observer) -> Result<NewTable> {
        let schema = table.schema();
        let counts = kinds::count(table, observer)?;
        let facts = self.asked.columns(&schema.name)?;
        let (mut columns, mut row_id) = (Vec::new(), None);
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
                row_id = Some(columns.len());
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
        let key = row_id.map_or_else(|| key_in_order(schema, &columns), |row_id| vec![row_id]);
        let mut new = NewTable { name: schema.name.clone(), columns, key, attached: Vec::new() };
        self.keys(schema, &counts, &facts, &mut new)?;
        if let (Some(at), true) = (row_id, schema.option("autoincrement").is_some()) {
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
}

/// The columns of the key of a table WITHOUT ROWID, if the order in which its rows stand is that of PostgreSQL's cells, too.
fn key_in_order(schema: &TableSchema, columns: &[NewColumn]) -> Vec<usize> {
    let place = |part: &KeyPart| {
        let name = &schema.columns.get(usize::try_from(part.column).ok()?)?.name;
        let place = columns.iter().position(|column| column.name == *name)?;
        let chosen = columns.get(place)?.chosen;
        let is_same = !part.descending
            && part.collation.eq_ignore_ascii_case("BINARY")
            && chosen.conversion == super::conversion::Conversion::Stored
            && ["bigint", "text", "bytea"].contains(&chosen.declared);
        is_same.then_some(place)
    };
    schema.key.iter().map(place).collect::<Option<Vec<_>>>().unwrap_or_default()
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
