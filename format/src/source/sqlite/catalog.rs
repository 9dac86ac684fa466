//! What a database holds: each entry of `sqlite_schema` becomes a table, something attached to a table, an object of its
//! own, or an omission. Nothing is passed over in silence but the indexes that SQLite makes by itself.

use std::collections::HashMap;

use rusqlite::Connection;

use super::columns::{self, not_utf8};
use super::schema_entries::{Entry, Field, Listed, ListedKind, entries, listed};
use super::types::TextEncoding;
use crate::error::{Error, Result};
use crate::limits::MAX_NAME_BYTES;
use crate::model::{Omission, SchemaObject, SourceDescription, TableSchema, roles};
use crate::source::SourceCatalog;

/// SQLite's own tables whose rows belong to other tables and are kept with them.
const INTERNAL_TABLES: [&str; 3] = ["sqlite_sequence", "sqlite_stat1", "sqlite_stat4"];

/// Reads the catalog of the database `main`.
pub(super) fn read(
    connection: &Connection,
    description: SourceDescription,
    encoding: TextEncoding,
) -> Result<SourceCatalog> {
    let catalog = SourceCatalog { description, tables: Vec::new(), objects: Vec::new(), omitted: Vec::new() };
    let mut reader = CatalogReader {
        connection,
        listed: listed(connection)?,
        virtual_tables: Vec::new(),
        tables_by_name: HashMap::new(),
        views_by_name: HashMap::new(),
        catalog,
    };
    let entries = entries(connection, encoding)?;
    reader.virtual_tables = entries
        .iter()
        .filter(|entry| reader.listed_as(entry).is_some_and(|found| found.kind == ListedKind::Virtual))
        .filter_map(|entry| entry.name.as_text().map(str::to_owned))
        .collect();
    // Tables and views before what is attached to them: entries stand in any order after edits and renames.
    for kind in [EntryKind::Table, EntryKind::View, EntryKind::Index, EntryKind::Trigger, EntryKind::Unknown] {
        for entry in entries.iter().filter(|entry| EntryKind::of(entry) == kind) {
            reader.add(kind, entry)?;
        }
    }
    let mut catalog = reader.catalog;
    catalog.objects.sort_by_key(|object| object.position);
    for table in &mut catalog.tables {
        table.attached.sort_by_key(|object| object.position);
    }
    Ok(catalog)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    Table,
    View,
    Index,
    Trigger,
    Unknown,
}

impl EntryKind {
    fn of(entry: &Entry) -> Self {
        match entry.kind.as_text() {
            Some("table") => Self::Table,
            Some("view") => Self::View,
            Some("index") => Self::Index,
            Some("trigger") => Self::Trigger,
            _ => Self::Unknown,
        }
    }
}

struct CatalogReader<'c> {
    connection: &'c Connection,
    listed: HashMap<String, Listed>,
    /// Names of virtual tables, whose storage shadow tables are.
    virtual_tables: Vec<String>,
    /// Index into the catalog's tables, by name in lower case.
    tables_by_name: HashMap<String, usize>,
    /// The names of views as they are written, by name in lower case.
    views_by_name: HashMap<String, String>,
    catalog: SourceCatalog,
}

impl CatalogReader<'_> {
    fn add(&mut self, kind: EntryKind, entry: &Entry) -> Result<()> {
        if let Field::Invalid(shown) = &entry.name {
            return Err(not_utf8(shown).in_table(entry.table.shown()));
        }
        let Field::Text(name) = &entry.name else {
            self.omit(entry, format!("its name in sqlite_schema is {}", entry.name.shown()));
            return Ok(());
        };
        if name.len() > MAX_NAME_BYTES {
            return Err(Error::database(format!("a name of {} bytes is too long for the format", name.len())));
        }
        if kind == EntryKind::Unknown {
            self.omit(entry, format!("its type in sqlite_schema is {}", entry.kind.shown()));
            return Ok(());
        }
        let definition = match &entry.definition {
            Field::Text(definition) => definition,
            // Made by SQLite itself for a PRIMARY KEY or UNIQUE, and made again with its table.
            Field::Absent if kind == EntryKind::Index => return Ok(()),
            // The rows would be kept without what they mean: that is no snapshot of the table.
            Field::Invalid(_) if kind == EntryKind::Table => {
                return Err(Error::database("the table's definition is not valid text in the database's encoding")
                    .in_table(name)
                    .with_hint("make the table anew with a definition that is valid text"));
            }
            other => {
                self.omit(entry, format!("its definition in sqlite_schema is {}", describe(other)));
                return Ok(());
            }
        };
        match kind {
            EntryKind::Table => self.add_table(entry, name, definition),
            EntryKind::View => {
                let object = object("view", name, name, definition, entry);
                self.catalog.objects.push(object);
                self.views_by_name.insert(name.to_ascii_lowercase(), name.to_owned());
                Ok(())
            }
            _ => {
                self.attach(kind, entry, name, definition);
                Ok(())
            }
        }
    }

    fn add_table(&mut self, entry: &Entry, name: &str, definition: &str) -> Result<()> {
        let Some(found) = self.listed_as(entry) else {
            self.omit(entry, "SQLite does not know it as a table".to_owned());
            return Ok(());
        };
        let is_internal = name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"));
        let role = match found.kind {
            ListedKind::Virtual => {
                self.catalog.objects.push(object("virtual table", name, name, definition, entry));
                return Ok(());
            }
            ListedKind::View => {
                self.omit(entry, "SQLite does not know it as a table".to_owned());
                return Ok(());
            }
            _ if INTERNAL_TABLES.contains(&name) => roles::INTERNAL,
            _ if is_internal => {
                self.omit(entry, "it is a table of SQLite's own that no other database can be given".to_owned());
                return Ok(());
            }
            ListedKind::Shadow => roles::SHADOW,
            ListedKind::Table => roles::TABLE,
        };
        let shape = columns::shape(self.connection, name, found.without_rowid)?;
        let mut options = shape.options;
        for (option, present) in [("strict", found.strict), ("without_rowid", found.without_rowid)] {
            if present {
                options.push((option.to_owned(), "1".to_owned()));
            }
        }
        if let Some(owner) = self.owner_of_shadow(name).filter(|_| role == roles::SHADOW) {
            options.push(("virtual_table".to_owned(), owner.to_owned()));
        }
        options.sort();
        if shape.row_ids_hidden {
            self.catalog.omitted.push(Omission {
                what: format!("row ids of table {name}"),
                reason: "its columns have all of the names by which row ids can be read".to_owned(),
            });
        }
        self.tables_by_name.insert(name.to_ascii_lowercase(), self.catalog.tables.len());
        self.catalog.tables.push(TableSchema {
            name: name.to_owned(),
            role: role.to_owned(),
            definition: definition.to_owned(),
            position: entry.position,
            columns: shape.columns,
            generated: shape.generated,
            key: shape.key,
            options,
            attached: Vec::new(),
        });
        Ok(())
    }

    /// Puts an index or trigger to its table, a trigger on a view among the objects.
    fn attach(&mut self, kind: EntryKind, entry: &Entry, name: &str, definition: &str) {
        let kind = if kind == EntryKind::Index { "index" } else { "trigger" };
        let target = entry.table.as_text().unwrap_or_default().to_ascii_lowercase();
        let place = self.tables_by_name.get(&target).copied();
        if let Some(table) = place.and_then(|place| self.catalog.tables.get_mut(place)) {
            let attached = object(kind, name, &table.name, definition, entry);
            table.attached.push(attached);
        } else if let Some(view) = self.views_by_name.get(&target) {
            let object = object(kind, name, view, definition, entry);
            self.catalog.objects.push(object);
        } else {
            self.omit(entry, format!("the table it belongs to, {}, is not kept", entry.table.shown()));
        }
    }

    fn listed_as(&self, entry: &Entry) -> Option<Listed> {
        self.listed.get(&entry.name.as_text()?.to_ascii_lowercase()).copied()
    }

    /// The virtual table that a shadow table belongs to: the longest whose name, with an underscore, begins the shadow's.
    fn owner_of_shadow(&self, shadow: &str) -> Option<&str> {
        let owns = |owner: &&str| {
            shadow.get(..owner.len()).is_some_and(|start| start.eq_ignore_ascii_case(owner))
                && shadow.as_bytes().get(owner.len()) == Some(&b'_')
        };
        self.virtual_tables.iter().map(String::as_str).filter(owns).max_by_key(|owner| owner.len())
    }

    fn omit(&mut self, entry: &Entry, reason: String) {
        self.catalog.omitted.push(Omission { what: format!("{} {}", entry.kind.shown(), entry.name.shown()), reason });
    }
}

fn describe(definition: &Field) -> &str {
    match definition {
        Field::Invalid(_) => "not valid text in the database's encoding",
        other => other.shown(),
    }
}

fn object(kind: &str, name: &str, table: &str, definition: &str, entry: &Entry) -> SchemaObject {
    SchemaObject {
        kind: kind.to_owned(),
        name: name.to_owned(),
        table: table.to_owned(),
        definition: definition.to_owned(),
        position: entry.position,
    }
}
