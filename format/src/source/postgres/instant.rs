//! One instant of a database, seen by one connection or several.
//!
//! Tables are locked first: until then nothing has been read in the transaction, so its instant is one in which they are
//! locked. What was locked is then looked at again: a table could have been replaced by a view between the two.

use std::sync::Mutex;
use std::time::Duration;

use super::catalog::{self, Inventory, Relation, RelationKind};
use crate::error::{Error, Result};
use crate::observer::{Observer, check_cancelled};
use crate::postgres::client::Client;
use crate::postgres::settings::ConnectionSettings;
use crate::postgres::sql::literal;
use crate::selection::Selection;

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
    client.run(&format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = {}",
        lock_timeout.as_millis()
    ))?;
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
    Ok(Some((found, inventory)))
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
