//! What tables of PostgreSQL are in SQLite. Definitions are written here, made in a database in memory, and read back from there:
//! what SQLite itself says of them is what the restore goes by.

mod columns;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use self::columns::{declared, default, same_cells};
use super::conversion::Conversion;
use super::notes::Notes;
use super::postgres_text as text;
use super::sqlite_table::{Key, NewTable};
use super::translated::{Converted, TranslatedTable, Translation};
use crate::archive::{Snapshot, Table};
use crate::error::{Error, Result};
use crate::model::{Logical, SchemaObject, TableSchema};
use crate::restore::sqlite::connection::harden;
use crate::restore::sqlite::definitions::{self, Wanted};
use crate::restore::sqlite::failure::failure;
use crate::selection::Selection;
use crate::source::Source as _;
use crate::source::sqlite::SqliteSource;
use crate::source::sqlite::names::quote;

/// Enums by schema and name, with their labels.
type Enums = BTreeMap<(String, String), Vec<String>>;

/// Translates the chosen tables.
pub(super) fn translate<'a>(snapshot: &Snapshot<'a>, selection: &Selection) -> Result<Translation<'a>> {
    let catalog = snapshot.catalog();
    let relations = catalog.objects.iter().filter(|object| is_relation(&object.kind));
    let names: Vec<&str> =
        catalog.tables.iter().map(|entry| entry.name.as_str()).chain(relations.map(|o| o.name.as_str())).collect();
    let qualified: Vec<String> = names.iter().map(|name| format!("public.{name}")).collect();
    let known: Vec<&str> = names.iter().copied().chain(qualified.iter().map(String::as_str)).collect();
    selection.check(known.iter().copied())?;
    let mut notes = Notes::default();
    let mut tables = Vec::new();
    for entry in catalog.tables.iter().filter(|entry| takes(selection, &entry.name)) {
        let table = snapshot.open_table(entry)?;
        if table.schema().columns.is_empty() {
            notes.left_out(format!("table \"{}\"", entry.name), "SQLite has no tables without columns");
            continue;
        }
        tables.push(table);
    }
    tables.sort_by_key(|table| table.schema().position);
    if tables.is_empty() {
        return Err(Error::request("nothing that is chosen can be restored into SQLite, which takes tables only")
            .with_hint("choose tables"));
    }
    let enums: Enums =
        catalog.objects.iter().filter(|o| o.kind == "type").filter_map(|o| text::enum_labels(&o.definition)).collect();
    let new = new_tables(&tables, &enums, &mut notes)?;
    for object in &catalog.objects {
        let chosen = if is_relation(&object.kind) { takes(selection, &object.name) } else { selection.is_everything() };
        // Enums become checks of the columns that have them.
        let is_enum = object.kind == "type" && text::enum_labels(&object.definition).is_some();
        if chosen && !is_enum {
            note(object, &mut notes);
        }
    }
    let schemas = made(&new)?;
    let tables = tables
        .into_iter()
        .zip(new)
        .map(|(table, new)| {
            let schema = schemas.iter().find(|schema| schema.name == new.name).cloned().ok_or_else(|| {
                Error::database(format!("SQLite does not list the table \"{}\" that it made", new.name))
            })?;
            let numbered = schema.columns.first().is_some_and(|column| column.hidden);
            let columns = table.schema().columns.iter().enumerate();
            let columns =
                columns.map(|(from, column)| Converted { from, conversion: Conversion::of(column.logical_type()) });
            Ok(TranslatedTable { columns: columns.collect(), schema, numbered, table })
        })
        .collect::<Result<_>>()?;
    Ok(Translation { tables, engine: "sqlite", settings: vec![("encoding".into(), "UTF-8".into())], notes })
}

/// Makes the tables in memory, and gives what SQLite says of them.
fn made(tables: &[NewTable]) -> Result<Vec<TableSchema>> {
    let opening = |cause| failure("opening a database in memory", cause);
    let mut connection = Connection::open_in_memory().map_err(opening)?;
    harden(&connection).map_err(opening)?;
    for table in tables {
        let wanted = Wanted { kind: "table", name: &table.name, table: &table.name, definition: &table.definition() };
        definitions::create(&mut connection, &wanted)?;
    }
    for table in tables {
        for (name, definition) in table.index_definitions() {
            let wanted = Wanted { kind: "index", name, table: &table.name, definition: &definition };
            definitions::create(&mut connection, &wanted)?;
        }
    }
    connection.execute_batch("BEGIN").map_err(opening)?;
    Ok(SqliteSource::over(&connection)?.catalog().tables.clone())
}

/// What the tables are made of in SQLite.
fn new_tables(tables: &[Table<'_>], enums: &Enums, notes: &mut Notes) -> Result<Vec<NewTable>> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut new: Vec<NewTable> = Vec::with_capacity(tables.len());
    for table in tables {
        let schema = table.schema();
        let name = sqlite_name(schema)?;
        if let Some(other) = taken.insert(name.to_ascii_lowercase(), schema.name.clone()) {
            return Err(Error::request(format!(
                "\"{other}\" and \"{}\" would have one name in SQLite, which does not tell capital letters from others",
                schema.name
            ))
            .with_hint("leave one of them out, or restore it into a file of its own"));
        }
        new.push(new_table(schema, name, enums, notes)?);
    }
    let by_place: BTreeMap<(String, String), usize> = tables
        .iter()
        .enumerate()
        .filter_map(|(at, table)| Some(((own(table.schema(), "schema")?, own(table.schema(), "relation")?), at)))
        .collect();
    for (at, table) in tables.iter().enumerate() {
        for object in table.schema().attached.iter().filter(|object| object.kind == "foreign key") {
            let clause = text::foreign_key(&object.definition).and_then(|key| {
                let parent = *by_place.get(&key.parent)?;
                let fits = is_key(new.get(parent)?, &key.parent_columns)
                    && same_cells(table.schema(), &key.columns, tables.get(parent)?.schema(), &key.parent_columns);
                fits.then_some((key, parent))
            });
            let Some((key, parent)) = clause else {
                notes.left_out(
                    format!("foreign key \"{}\" of \"{}\"", object.name, object.table),
                    "what it refers to is not restored or not unique there, equal values may be written differently, or \
                     SQLite cannot say it",
                );
                continue;
            };
            let clause = format!(
                "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}({}){}",
                quote(&object.name),
                quoted(&key.columns),
                quote(new.get(parent).map(|new| new.name.as_str()).unwrap_or_default()),
                quoted(&key.parent_columns),
                key.rest
            );
            if let Some(new) = new.get_mut(at) {
                new.constraints.push(clause);
            }
        }
    }
    for table in tables {
        let schema = table.schema();
        for object in schema.attached.iter().filter(|object| object.kind == "index") {
            let (place, name) = index_name(schema, object, &new, &taken);
            let parts = text::index(&object.definition);
            let (Some(index), Some(name), Some(new)) = (parts, name, place.and_then(|place| new.get_mut(place))) else {
                notes.object("index", &object.name, "SQLite cannot say it in the same words, or has its name already");
                continue;
            };
            taken.insert(name.to_ascii_lowercase(), object.name.clone());
            new.add_index(name, index);
        }
    }
    Ok(new)
}

/// The new table that an index is on, and the name that it gets there, if it is free.
fn index_name(
    schema: &TableSchema,
    object: &SchemaObject,
    new: &[NewTable],
    taken: &BTreeMap<String, String>,
) -> (Option<usize>, Option<String>) {
    let place = sqlite_name(schema).ok().and_then(|name| new.iter().position(|table| table.name == name));
    let is_free = |name: &str| {
        let name = name.to_ascii_lowercase();
        !taken.contains_key(&name) && !name.starts_with("sqlite_") && !name.is_empty()
    };
    (place, Some(object.name.clone()).filter(|name| is_free(name)))
}

fn new_table(schema: &TableSchema, name: String, enums: &Enums, notes: &mut Notes) -> Result<NewTable> {
    refuse_twins(schema)?;
    let mut keys = Vec::new();
    for object in &schema.attached {
        let words = match object.kind.as_str() {
            "primary key" => "PRIMARY KEY",
            "unique" => "UNIQUE",
            "foreign key" | "index" => continue,
            _ => {
                note(object, notes);
                continue;
            }
        };
        let columns = text::key_columns(&object.definition, words);
        let stored = |columns: &Vec<String>| columns.iter().all(|name| place(schema, name).is_some());
        match columns.filter(stored) {
            Some(columns) => {
                keys.push(Key { name: object.name.clone(), primary: object.kind == "primary key", columns })
            }
            None => {
                notes.object(&object.kind, &object.name, "it says more than SQLite's can, or is over other columns")
            }
        }
    }
    for generated in &schema.generated {
        let what = format!("generated column \"{generated}\" of \"{}\"", schema.name);
        notes.left_out(what, "its expression is PostgreSQL's, and its values are not in the snapshot");
    }
    let row_id = row_id(schema, &keys);
    let elements = text::elements(&schema.definition).unwrap_or_default();
    let mut columns = Vec::with_capacity(schema.columns.len());
    for (at, column) in schema.columns.iter().enumerate() {
        if column.logical_type() == Logical::Any && column.logical != 0 {
            return Err(Error::unsupported(format!("column \"{}\" has a type of a newer version", column.name))
                .in_table(&schema.name));
        }
        let mut clause = format!("{} {}", quote(&column.name), declared(column, row_id == Some(at)));
        if row_id == Some(at) {
            clause.push_str(" PRIMARY KEY");
        }
        if !column.nullable {
            clause.push_str(" NOT NULL");
        }
        let said = elements.iter().find(|element| element.column.as_deref() == Some(column.name.as_str()));
        if let Some(value) = said.and_then(|element| element.default.as_ref()) {
            match default(value, column, enums) {
                Some(default) => clause.push_str(&format!(" DEFAULT {default}")),
                None => {
                    let what = format!("default of column \"{}\" of \"{}\"", column.name, schema.name);
                    notes.left_out(what, "it is an expression of PostgreSQL, or its value has another form in SQLite");
                }
            }
        }
        if let Some(labels) = text::type_name(&column.declared_type).and_then(|name| enums.get(&name)) {
            clause.push_str(&format!(" CHECK ({} IN ({}))", quote(&column.name), labels.join(", ")));
        }
        columns.push(clause);
    }
    for check in elements.iter().filter(|element| element.column.is_none()) {
        let what = format!("check \"{}\" of \"{}\"", check.constraint.as_deref().unwrap_or_default(), schema.name);
        notes.left_out(what, "its expression is PostgreSQL's");
    }
    let constraints = keys.iter().filter(|key| !(key.primary && row_id.is_some()));
    let constraints = constraints.map(|key| {
        let words = if key.primary { "PRIMARY KEY" } else { "UNIQUE" };
        format!("CONSTRAINT {} {words} ({})", quote(&key.name), quoted(&key.columns))
    });
    Ok(NewTable { name, columns, constraints: constraints.collect(), keys, indexes: Vec::new() })
}

/// The column that can be SQLite's row id: an integer that is the primary key, and the order of the rows.
fn row_id(schema: &TableSchema, keys: &[Key]) -> Option<usize> {
    let key = keys.iter().find(|key| key.primary)?;
    let [name] = key.columns.as_slice() else { return None };
    let at = place(schema, name)?;
    let is_integer = schema.columns.get(at)?.logical_type() == Logical::Integer;
    let [part] = schema.key.as_slice() else { return None };
    (is_integer && usize::try_from(part.column) == Ok(at) && !part.descending).then_some(at)
}

/// Is there a key of just these columns, in any order?
fn is_key(table: &NewTable, columns: &[String]) -> bool {
    let wanted: BTreeSet<&String> = columns.iter().collect();
    table.keys.iter().any(|key| key.columns.iter().collect::<BTreeSet<_>>() == wanted)
}

/// Names of columns that SQLite takes for one.
fn refuse_twins(schema: &TableSchema) -> Result<()> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for column in &schema.columns {
        if let Some(other) = seen.insert(column.name.to_ascii_lowercase(), &column.name) {
            return Err(Error::request(format!(
                "columns \"{other}\" and \"{}\" would have one name in SQLite, which does not tell capital letters from \
                 others",
                column.name
            ))
            .in_table(&schema.name)
            .with_hint("leave the table out, or rename one of them in the source and dump again"));
        }
    }
    Ok(())
}

/// The name of a table in SQLite: its own in the schema public, else with the schema and a dot before it.
fn sqlite_name(schema: &TableSchema) -> Result<String> {
    let (Some(of), Some(relation)) = (schema.option("schema"), schema.option("relation")) else {
        return Err(crate::restore::sqlite::chosen::contradiction(format!(
            "table \"{}\" does not say its schema",
            schema.name
        )));
    };
    let name = if of == "public" { relation.to_owned() } else { format!("{of}.{relation}") };
    if name.to_ascii_lowercase().starts_with("sqlite_") {
        return Err(Error::request("names that begin with \"sqlite_\" are SQLite's own")
            .in_table(&schema.name)
            .with_hint("leave the table out"));
    }
    Ok(name)
}

/// Names what is left out with what belongs to it.
fn note(object: &SchemaObject, notes: &mut Notes) {
    let why = match object.kind.as_str() {
        // These go with what they are about, or say nothing in SQLite.
        "schema" | "sequence value" | "sequence owner" | "partition" | "inheritance" | "index attach" | "refresh"
        | "row security" => return,
        "view" | "materialized view" => "it is a query in PostgreSQL's SQL",
        "function" | "aggregate" | "trigger" | "rule" | "operator" | "cast" => "it is code of PostgreSQL",
        "policy" | "owner" | "privileges" | "default privileges" => "SQLite knows no roles",
        "sequence" => "SQLite has none; an INTEGER PRIMARY KEY goes on by itself",
        "partitioned table" => "its partitions are restored as tables",
        "type" | "domain" => "its values are restored as texts or as the type below it",
        "exclusion" | "check" => "SQLite cannot say it",
        "default" => "it is an expression of PostgreSQL",
        _ => "SQLite has nothing like it",
    };
    if object.table == object.name || object.table.is_empty() {
        notes.object(&object.kind, &object.name, why);
    } else {
        notes.object(&object.kind, &format!("{}\" of \"{}", object.name, object.table), why);
    }
}

fn is_relation(kind: &str) -> bool {
    matches!(kind, "partitioned table" | "foreign table" | "view" | "materialized view")
}

/// Is a table or view of this name chosen, by its name or with the schema before it?
fn takes(selection: &Selection, name: &str) -> bool {
    let qualified = if name.contains('.') { name.to_owned() } else { format!("public.{name}") };
    selection.takes_any(&[name, &qualified])
}

fn place(schema: &TableSchema, name: &str) -> Option<usize> {
    schema.columns.iter().position(|column| column.name == name)
}

fn own(schema: &TableSchema, option: &str) -> Option<String> {
    schema.option(option).map(str::to_owned)
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}
