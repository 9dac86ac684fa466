//! One instant of a database, seen by one connection or several.
//!
//! Tables are locked first: until then nothing has been read in the transaction, so its instant is one in which they are
//! locked. What was locked is then looked at again: a table could have been replaced by a view between the two.

use std::sync::Mutex;
use std::time::Duration;

use super::catalog::{self, Inventory, Relation, RelationKind};
use crate::error::{Error, Result};
use crate::model::TableSchema;
use crate::observer::{Observer, check_cancelled};
use crate::postgres::client::{Client, is_marked};
use crate::postgres::settings::ConnectionSettings;
use crate::postgres::sql::literal;
use crate::selection::Selection;
use crate::source::SourceCatalog;

/// How often the chosen tables are looked for anew where they change while they are being locked.
const ATTEMPTS: u32 = 5;

/// Connections that see the database as it was at one instant, and what there was.
pub(super) struct Instant {
    pub(super) clients: Vec<Mutex<Client>>,
    pub(super) inventory: Inventory,
}

/// Which relations are chosen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'w> {
    /// What patterns match, each of which must match something.
    Selection(&'w Selection),
    /// Those of these names in an archive that are there.
    Named(&'w [String]),
}

impl Wanted<'_> {
    fn relations(self, client: &mut Client) -> Result<Vec<Relation>> {
        match self {
            Self::Selection(tables) => catalog::discover(client, tables),
            Self::Named(names) => {
                let mut found = catalog::discover(client, &Selection::everything())?;
                found.retain(|relation| names.contains(&relation.archive_name()));
                Ok(found)
            }
        }
    }

    fn is_everything(self) -> bool {
        matches!(self, Self::Selection(tables) if tables.is_everything())
    }
}

/// How the instant is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taking {
    pub(super) connections: usize,
    pub(super) lock_timeout: Duration,
}

impl Instant {
    pub(super) fn of(
        settings: &ConnectionSettings,
        wanted: Wanted<'_>,
        taking: Taking,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let mut client = Client::connect(settings)?;
        let mut attempt = 1_u32;
        let (relations, inventory) = loop {
            check_cancelled(observer)?;
            match lock_and_read(&mut client, wanted, taking.lock_timeout)? {
                Some(found) => break found,
                None if attempt < ATTEMPTS => attempt += 1,
                None => {
                    return Err(Error::database("the chosen tables were being made and dropped all the time")
                        .with_hint("dump again when the schema is not changing"));
                }
            }
        };
        let mut clients = Vec::with_capacity(taking.connections);
        if taking.connections > 1 {
            let exported = client.value("SELECT pg_catalog.pg_export_snapshot()")?.text(0).to_owned();
            for _ in 1..taking.connections {
                clients.push(Mutex::new(follower(settings, &exported, &relations)?));
            }
        }
        clients.insert(0, Mutex::new(client));
        Ok(Self { clients, inventory })
    }
}

/// Begins the transaction; `None` if what was found is not what was locked.
fn lock_and_read(
    client: &mut Client,
    wanted: Wanted<'_>,
    lock_timeout: Duration,
) -> Result<Option<(Vec<Relation>, Inventory)>> {
    client.run("ROLLBACK")?;
    let found = wanted.relations(client)?;
    if client.encoding() == "SQL_ASCII" {
        found.iter().map(Relation::archive_name).try_for_each(|name| refuse_marked(&name, "name", &name))?;
    }
    client.set_lock_timeout(Some(lock_timeout))?;
    client.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let lockable: Vec<String> = found
        .iter()
        .filter(|relation| matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable))
        .map(Relation::qualified)
        .collect();
    if !lockable.is_empty() {
        match client.run(&format!("LOCK TABLE ONLY {} IN ACCESS SHARE MODE", lockable.join(", ONLY "))) {
            Ok(()) => {}
            Err(error) => {
                // One of them may have been dropped since it was found.
                client.run("ROLLBACK")?;
                return if wanted.relations(client)? == found { Err(error) } else { Ok(None) };
            }
        }
    }
    if wanted.relations(client)? != found {
        return Ok(None);
    }
    let inventory = catalog::read(client, &found, wanted.is_everything())?;
    if client.encoding() == "SQL_ASCII" {
        refuse_marked_definitions(&inventory.catalog)?;
    }
    Ok(Some((found, inventory)))
}

/// Archives hold any bytes in rows, and texts of UTF-8 everywhere else.
fn refuse_marked_definitions(catalog: &SourceCatalog) -> Result<()> {
    let columns = |table: &TableSchema| table.columns.iter().map(|column| column.name.clone()).collect::<String>();
    for table in &catalog.tables {
        refuse_marked(&columns(table), "name of a column", &table.name)?;
        refuse_marked(&table.definition, "definition", &table.name)?;
    }
    let attached = catalog.tables.iter().flat_map(|table| &table.attached);
    for object in catalog.objects.iter().chain(attached) {
        refuse_marked(&object.name, "name", &object.table)?;
        refuse_marked(
            &object.definition,
            &format!("definition of {} \"{}\"", object.kind, object.name),
            &object.table,
        )?;
    }
    Ok(())
}

fn refuse_marked(text: &str, what: &str, of: &str) -> Result<()> {
    if !is_marked(text) {
        return Ok(());
    }
    Err(Error::request(format!("the {what} is no UTF-8, in which archives hold names and definitions"))
        .in_table(of)
        .with_hint("rename it or leave it out (-T); rows may hold any bytes"))
}

/// One more connection in the same instant. It must not wait for a lock: a table that somebody waits to change behind the
/// first connection's lock would be waited for until the end of time.
fn follower(settings: &ConnectionSettings, exported: &str, relations: &[Relation]) -> Result<Client> {
    let mut client = Client::connect(settings)?;
    client.run(&format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}",
        literal(exported)
    ))?;
    let lockable: Vec<String> = relations
        .iter()
        .filter(|relation| matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable))
        .map(Relation::qualified)
        .collect();
    if !lockable.is_empty() {
        client.run(&format!("LOCK TABLE ONLY {} IN ACCESS SHARE MODE NOWAIT", lockable.join(", ONLY "))).map_err(
            |error| error.with_hint("somebody waits to change a table that is being dumped; dump with one connection"),
        )?;
    }
    Ok(client)
}
