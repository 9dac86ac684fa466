//! PostgreSQL databases as sources: one instant over one connection or several, rows by COPY in the order of their keys.

pub(crate) mod catalog;
mod instant;
pub(crate) mod rows;

use std::num::NonZero;
use std::sync::Mutex;
use std::time::Duration;

use self::catalog::{Inventory, TableFacts};
use self::instant::{Instant, Taking, Wanted};
use self::rows::{TableRows, lock, name_of};
use super::{RowSink, Source, SourceCatalog};
use crate::error::{Error, Result};
use crate::model::{SourceDescription, TableSchema};
use crate::observer::Observer;
use crate::postgres::client::Client;
use crate::postgres::settings::ConnectionSettings;
use crate::postgres::tokens::expression_fault;
use crate::selection::Selection;

/// How a database is read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// Connections that read at the same time, all of one instant.
    pub connections: NonZero<usize>,
    /// How long to wait for somebody who is changing a chosen table.
    pub lock_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { connections: NonZero::<usize>::MIN, lock_timeout: Duration::from_secs(30) }
    }
}

impl PostgresOptions {
    /// The same options, with so many connections.
    #[must_use]
    pub const fn connections(mut self, connections: NonZero<usize>) -> Self {
        self.connections = connections;
        self
    }

    /// The same options, waiting so long for locks.
    #[must_use]
    pub const fn lock_timeout(mut self, lock_timeout: Duration) -> Self {
        self.lock_timeout = lock_timeout;
        self
    }
}

/// The chosen tables of a PostgreSQL database at one instant. The instant ends when it is dropped.
pub struct PostgresSource {
    clients: Vec<Mutex<Client>>,
    inventory: Inventory,
}

impl PostgresSource {
    /// Connects and begins the instant: the chosen tables are locked against changes of their definition (not of their rows),
    /// and what they are made of is read.
    ///
    /// Fails if a pattern of `tables` matches nothing (`is_request`), if the server cannot be reached or refuses (`is_database`),
    /// or if the observer asks to stop (`is_interrupted`).
    pub fn open(
        settings: &ConnectionSettings,
        tables: &Selection,
        options: PostgresOptions,
        observer: &dyn Observer,
    ) -> Result<Self> {
        Self::of(settings, Wanted::Selection(tables), options, observer)
    }

    /// The same for as much of the database as a snapshot with this description is of: all of it, or those of the tables and views
    /// with these names, as an archive has them, that the database has.
    pub fn open_like(
        settings: &ConnectionSettings,
        snapshot: &SourceDescription,
        names: &[String],
        options: PostgresOptions,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let everything = Selection::everything();
        let is_whole = snapshot.setting("scope") == Some(catalog::WHOLE);
        let wanted = if is_whole { Wanted::Selection(&everything) } else { Wanted::Named(names) };
        Self::of(settings, wanted, options, observer)
    }

    fn of(
        settings: &ConnectionSettings,
        wanted: Wanted<'_>,
        options: PostgresOptions,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let taking = Taking { connections: options.connections.get(), lock_timeout: options.lock_timeout };
        let Instant { clients, inventory } = Instant::of(settings, wanted, taking, observer)?;
        Ok(Self { clients, inventory })
    }

    fn rows<'t>(&self, table: &'t TableSchema) -> Result<TableRows<'t>> {
        let facts = self.facts(table).ok_or_else(|| rows::unknown(&table.name))?;
        Ok(TableRows::new(table, facts))
    }

    fn facts(&self, table: &TableSchema) -> Option<&TableFacts> {
        self.inventory.tables.iter().find(|facts| facts.name == table.name)
    }
}

impl Source for PostgresSource {
    fn catalog(&self) -> &SourceCatalog {
        &self.inventory.catalog
    }

    fn read_table(&self, table: &TableSchema, sink: &mut dyn RowSink) -> Result<()> {
        self.rows(table)?.read(&self.clients, &[], sink)
    }

    fn read_where(
        &self,
        table: &TableSchema,
        conditions: &[&str],
        _observer: &dyn Observer,
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        conditions.iter().try_for_each(|condition| self.check_condition(table, condition))?;
        self.rows(table)?.read(&self.clients, conditions, sink)
    }

    fn check_condition(&self, table: &TableSchema, condition: &str) -> Result<()> {
        let refused = |why: &str| {
            Error::request(format!("the condition \"{condition}\" is not one SQL expression: {why}"))
                .in_table(&table.name)
                .with_hint("names of columns stand in double quotes or without any, texts in single ones")
        };
        if let Some(fault) = expression_fault(condition) {
            return Err(refused(fault));
        }
        let Some(client) = self.clients.first() else { return Err(rows::unknown(&table.name)) };
        let mut client = lock(client);
        // A statement that fails would end the transaction, and the instant with it.
        client.run("SAVEPOINT tabark_condition")?;
        let from = name_of(table);
        let places = [format!("({condition})"), format!("CASE WHEN {condition} THEN true END")];
        let checked = places
            .iter()
            .try_for_each(|place| client.run_one(&format!("SELECT 1 FROM ONLY {from} WHERE {place} LIMIT 0")));
        client.run("ROLLBACK TO SAVEPOINT tabark_condition; RELEASE SAVEPOINT tabark_condition")?;
        checked.map_err(|error| refused(error.message()))
    }

    fn read_internal(&self, table: &TableSchema, _about: &[&str], _sink: &mut dyn RowSink) -> Result<()> {
        Err(rows::unknown(&table.name))
    }
}
