//! A restore over several connections, into a database that holds none of the tables.
//!
//! What one connection has not committed, another cannot see, so each part is committed when it is done: definitions, rows, keys
//! with proofs and indexes of tables that have theirs, then the rest. Should anything fail, what was made is dropped again, the last first.

use std::slice;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::load::Rows;
use super::placement::relation_place;
use super::run::{FILLING, Run, Work, run};
use super::steps::{Statement, Step};
use super::tasks::{Task, Tasks};
use crate::error::{Error, Result};
use crate::observer::{Observer, check_cancelled};
use crate::postgres::client::Client;
use crate::postgres::settings::ConnectionSettings;
use crate::postgres::sql::qualified;
use crate::source::postgres::catalog::Inventory;
use crate::source::postgres::rows::{Order, lock};

/// Logical bytes from which on the rows of a table are shared among connections.
const SHARED_BYTES: u64 = 32 << 20;

impl Run<'_, '_> {
    /// Makes, fills and proves everything; takes it all back if that fails.
    pub(super) fn make_in_parallel(
        &self,
        client: &Mutex<Client>,
        settings: &ConnectionSettings,
        work: &Work,
        observer: &dyn Observer,
    ) -> Result<()> {
        let made = self.make_parts(client, settings, work, observer);
        if let Err(error) = made {
            return Err(take_back(client, work, error));
        }
        Ok(())
    }

    fn make_parts(
        &self,
        client: &Mutex<Client>,
        settings: &ConnectionSettings,
        work: &Work,
        observer: &dyn Observer,
    ) -> Result<()> {
        let steps = &work.steps.steps;
        let first_rows = steps.iter().position(|step| !matches!(step, Step::Run(_))).unwrap_or(steps.len());
        let (before, after) = steps.split_at(first_rows);
        for statement in before.iter().filter_map(statement) {
            run(client, statement, observer)?;
        }
        lock(client).run("COMMIT")?;
        let inventory = self.made(client, work)?;
        let pool = Pool { run: self, settings, work, inventory: &inventory, observer };
        let connections = self.options.connections.get();

        let mut loads = Vec::new();
        let (mut shared, mut rest) = (Vec::new(), Vec::new());
        let mut tables: Vec<_> = self.chosen.tables.iter().collect();
        tables.sort_by_key(|table| std::cmp::Reverse(table.manifest().logical_bytes));
        let with_rows = after.iter().any(|step| matches!(step, Step::Rows(_)));
        for table in tables.iter().filter(|_| with_rows) {
            let name = table.schema().name.as_str();
            // Without a key nothing but where rows lie tells their order.
            let shares = table.manifest().logical_bytes >= SHARED_BYTES
                && !table.schema().key.is_empty()
                && self.chosen.extension_of(name).is_none();
            let parts = if shares { connections } else { 1 };
            loads.extend((0..parts).map(|part| Task::Load { name, part, parts }));
            if work.roots.of_table(name).is_some() {
                continue;
            }
            if parts > 1 {
                shared.push(name);
            } else {
                rest.push(Task::Prove { name, order: Order::AsTheyLie, connections: 1 });
            }
        }
        rest.extend(work.roots.all.iter().map(|root| Task::ProveTogether { root: &root.name }));
        pool.all(loads, connections)?;

        let is_of_a_table = |statement: &&Statement| tables.iter().any(|table| table.schema().name == statement.table);
        let statements: Vec<&Statement> = after.iter().filter_map(statement).collect();
        let of_kinds = |kinds: &[&str]| -> Vec<&Statement> {
            let wanted = statements.iter().copied().filter(|statement| kinds.contains(&statement.kind.as_str()));
            wanted.filter(is_of_a_table).collect()
        };
        let mut keys = of_kinds(&["primary key", "unique", "exclusion"]);
        // The longest first.
        keys.sort_by_key(|key| tables.iter().position(|table| table.schema().name == key.table));
        // While half of the connections read the largest table back, the others make indexes: each half alone would have the
        // server work on one processor for some of the time.
        let indexes = of_kinds(&["index"]);
        let provers = if indexes.is_empty() && rest.is_empty() { connections } else { connections.div_ceil(2) };
        let mut tasks = by_table(&keys);
        if provers > 1 {
            // A proof over several connections has these for itself.
            pool.all(std::mem::take(&mut tasks), connections)?;
        }
        let mut proofs = shared.into_iter().map(|name| Task::Prove { name, order: Order::Key, connections: provers });
        tasks.extend(proofs.next());
        tasks.extend(indexes.iter().map(|index| Task::Make(index)));
        // One after the other: two of them lock two tables each. Those of partitions need more than keys and indexes.
        let foreign_keys = if self.chosen.has_partitions() { Vec::new() } else { of_kinds(&["foreign key"]) };
        tasks.push(Task::MakeLast(foreign_keys.clone()));
        tasks.extend(proofs.chain(rest));
        pool.all(tasks, (connections + 1 - provers).max(1))?;

        lock(client).run(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL maintenance_work_mem = '256MB'; {FILLING}"
        ))?;
        for statement in &statements {
            let is_done = |done: &[&Statement]| done.iter().any(|done| std::ptr::eq(*done, *statement));
            if ![&keys, &indexes, &foreign_keys].iter().any(|done| is_done(done)) {
                run(client, statement, observer)?;
            }
        }
        self.check_made(client, work)?;
        check_cancelled(observer)?;
        lock(client).run("COMMIT")
    }
}

fn statement(step: &Step) -> Option<&Statement> {
    match step {
        Step::Run(statement) => Some(statement),
        Step::Rows(_) | Step::Prove(_) | Step::ProveTogether(_) | Step::Together(_) => None,
    }
}

/// Statements that lock their table go one after the other for each.
fn by_table<'s>(statements: &[&'s Statement]) -> Vec<Task<'s>> {
    let mut tables: Vec<(&str, Vec<&'s Statement>)> = Vec::new();
    for statement in statements {
        match tables.iter_mut().find(|(table, _)| *table == statement.table) {
            Some((_, all)) => all.push(statement),
            None => tables.push((&statement.table, vec![statement])),
        }
    }
    tables.into_iter().map(|(name, statements)| Task::MakeKeys { name, statements }).collect()
}

/// Connections and what they work on.
struct Pool<'p, 'r, 'a> {
    run: &'p Run<'r, 'a>,
    settings: &'p ConnectionSettings,
    work: &'p Work,
    inventory: &'p Inventory,
    observer: &'p dyn Observer,
}

impl Pool<'_, '_, '_> {
    /// Does all of these, so many at a time. After a failure nothing more is begun; the first is told.
    fn all(&self, tasks: Vec<Task<'_>>, at_a_time: usize) -> Result<()> {
        let workers = at_a_time.min(tasks.len());
        let tasks = Tasks::new(tasks);
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    if let Err(error) = self.work_off(&tasks) {
                        tasks.give_up();
                        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    }
                });
            }
        });
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn work_off(&self, tasks: &Tasks<'_>) -> Result<()> {
        let client = Mutex::new(Client::connect(self.settings)?);
        // Commits wait for the disk: the last one of all may have nothing to write, and then waits for none before it.
        lock(&client).run("SET maintenance_work_mem = '256MB'")?;
        while let Some(taken) = tasks.take() {
            check_cancelled(self.observer)?;
            if let Err(error) = self.one(&client, &taken.task) {
                // Before the task counts as done: nothing may begin that waits for it.
                tasks.give_up();
                return Err(error);
            }
        }
        Ok(())
    }

    fn one(&self, client: &Mutex<Client>, task: &Task<'_>) -> Result<()> {
        match task {
            Task::Load { name, part, parts } => {
                lock(client).run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")?;
                let rows = if *parts == 1 { Rows::All } else { Rows::Part { part: *part, parts: *parts } };
                let is_new = self.run.chosen.extension_of(name).is_none() && self.work.roots.of_table(name).is_none();
                if rows == Rows::All && is_new {
                    // Rows can only be frozen in a table that is new in the transaction, or was emptied in it.
                    self.empty(client, name)?;
                }
                self.run
                    .load(client, self.work, self.inventory, name, rows, self.observer)
                    .map_err(|error| error.in_table(*name))?;
                lock(client).run("COMMIT")
            }
            Task::Prove { name, order, connections } => {
                let several = (0..*connections).map(|_| Client::connect(self.settings).map(Mutex::new));
                let several = if *connections > 1 { several.collect::<Result<Vec<_>>>()? } else { Vec::new() };
                let clients = if several.is_empty() { slice::from_ref(client) } else { &several };
                self.run
                    .prove(clients, self.work, self.inventory, name, *order, self.observer)
                    .map_err(|error| error.in_table(*name))
            }
            Task::ProveTogether { root } => self
                .run
                .prove_together(client, self.work, self.inventory, root, self.observer)
                .map_err(|error| error.in_table(*root)),
            Task::MakeKeys { statements, .. } | Task::MakeLast(statements) => {
                statements.iter().try_for_each(|statement| run(client, statement, self.observer))
            }
            Task::Make(statement) => run(client, statement, self.observer),
        }
    }

    fn empty(&self, client: &Mutex<Client>, name: &str) -> Result<()> {
        let Some(route) = self.work.placement.table(name) else { return Ok(()) };
        lock(client).run(&format!("TRUNCATE ONLY {}", qualified(&route.made.0, &route.made.1)))
    }
}

/// Drops what was made, the last first, and gives the error for which it was done, with what could not be dropped.
fn take_back(client: &Mutex<Client>, work: &Work, error: Error) -> Error {
    // The connection may be in a transaction that failed, or gone with the server.
    let mut left = Vec::new();
    if lock(client).run("ROLLBACK").is_err() {
        return error.with_hint("the connection was lost: drop what is in the database and restore again");
    }
    let statements = work.steps.steps.iter().filter_map(statement);
    for made in statements.collect::<Vec<_>>().into_iter().rev() {
        if let Some(sql) = drop_statement(made)
            && lock(client).run(&sql).is_err()
        {
            left.push(format!("{} \"{}\"", made.kind, made.name));
        }
    }
    if left.is_empty() {
        return error;
    }
    error.noting(format_args!("these could not be taken back: {}", left.join(", ")))
}

/// What undoes a statement, where it made something that stands by itself.
fn drop_statement(made: &Statement) -> Option<String> {
    let noun = match made.kind.as_str() {
        "table" | "partitioned table" => "TABLE",
        "foreign table" => "FOREIGN TABLE",
        "view" => "VIEW",
        "materialized view" => "MATERIALIZED VIEW",
        "sequence" => "SEQUENCE",
        "type" => "TYPE",
        "domain" => "DOMAIN",
        "collation" => "COLLATION",
        "schema" | "extension" => {
            let noun = made.kind.to_uppercase();
            return Some(format!("DROP {noun} IF EXISTS {} CASCADE", crate::postgres::sql::quote(&made.name)));
        }
        "function" | "aggregate" => {
            let (name, arguments) = made.name.split_once('(')?;
            let (schema, name) = relation_place(name)?;
            return Some(format!("DROP ROUTINE IF EXISTS {}({arguments} CASCADE", qualified(&schema, &name)));
        }
        _ => return None,
    };
    let (schema, name) = relation_place(&made.name)?;
    Some(format!("DROP {noun} IF EXISTS {} CASCADE", qualified(&schema, &name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_by_itself_can_be_taken_back() {
        let sql = |kind: &str, name: &str| drop_statement(&Statement::new(kind, name, "x"));
        assert_eq!(sql("table", "audit.log").as_deref(), Some("DROP TABLE IF EXISTS \"audit\".\"log\" CASCADE"));
        assert_eq!(sql("schema", "audit").as_deref(), Some("DROP SCHEMA IF EXISTS \"audit\" CASCADE"));
        assert_eq!(
            sql("function", "f(a integer, b text)").as_deref(),
            Some("DROP ROUTINE IF EXISTS \"public\".\"f\"(a integer, b text) CASCADE")
        );
        assert_eq!(sql("index", "x"), None);
    }
}
