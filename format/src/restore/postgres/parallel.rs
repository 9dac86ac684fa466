//! A restore over several connections, into a database that holds none of the tables.
//!
//! What one connection has not committed, another cannot see, so each part is committed when it is done: definitions, rows, keys,
//! then proofs and indexes, then the rest. Should anything fail, what was made is dropped again, the last first.

use std::collections::VecDeque;
use std::slice;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::load::Rows;
use super::placement::relation_place;
use super::run::{FILLING, Run, Work, run};
use super::steps::{Statement, Step};
use crate::error::{Error, Result};
use crate::observer::{Observer, check_cancelled};
use crate::postgres::client::Client;
use crate::postgres::settings::ConnectionSettings;
use crate::postgres::sql::qualified;
use crate::source::postgres::catalog::Inventory;
use crate::source::postgres::rows::{Order, lock};

/// Logical bytes from which on the rows of a table are shared among connections.
const SHARED_BYTES: u64 = 32 << 20;

/// Something that one connection does from its beginning to its end.
enum Task<'s> {
    /// Rows of a table: all, or every row group that falls to this part of so many.
    Load { name: &'s str, part: usize, parts: usize },
    /// Reading a table back as it lies.
    Prove { name: &'s str },
    /// Reading all partitions of a table back that their rows were sent to.
    ProveTogether { root: &'s str },
    /// Statements, one after the other.
    Make(Vec<&'s Statement>),
}

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
            let shares = table.manifest().logical_bytes >= SHARED_BYTES && !table.schema().key.is_empty();
            let parts = if shares { connections } else { 1 };
            loads.extend((0..parts).map(|part| Task::Load { name, part, parts }));
            if work.roots.of_table(name).is_some() {
                continue;
            }
            if parts > 1 {
                shared.push(name);
            } else {
                rest.push(Task::Prove { name });
            }
        }
        rest.extend(work.roots.all.iter().map(|root| Task::ProveTogether { root: &root.name }));
        pool.all(loads)?;

        let is_of_a_table = |statement: &&Statement| tables.iter().any(|table| table.schema().name == statement.table);
        let statements: Vec<&Statement> = after.iter().filter_map(statement).collect();
        let of_kinds = |kinds: &[&str]| -> Vec<&Statement> {
            let wanted = statements.iter().copied().filter(|statement| kinds.contains(&statement.kind.as_str()));
            wanted.filter(is_of_a_table).collect()
        };
        let keys = of_kinds(&["primary key", "unique", "exclusion"]);
        pool.all(by_table(&keys))?;
        // All connections read a table together whose rows they wrote together.
        let clients = (0..connections).map(|_| Client::connect(settings).map(Mutex::new));
        let clients = if shared.is_empty() { Vec::new() } else { clients.collect::<Result<Vec<_>>>()? };
        for name in shared {
            self.prove(&clients, work, &inventory, name, Order::Key, observer).map_err(|error| error.in_table(name))?;
        }
        drop(clients);
        let indexes = of_kinds(&["index"]);
        rest.extend(indexes.iter().map(|index| Task::Make(vec![index])));
        pool.all(rest)?;

        lock(client).run(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL maintenance_work_mem = '256MB'; {FILLING}"
        ))?;
        for statement in &statements {
            let is_done = |done: &[&Statement]| done.iter().any(|done| std::ptr::eq(*done, *statement));
            if !is_done(&keys) && !is_done(&indexes) {
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
    tables.into_iter().map(|(_, all)| Task::Make(all)).collect()
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
    /// Does all of these, as many at a time as there are connections. After a failure nothing more is begun; the first is told.
    fn all(&self, tasks: Vec<Task<'_>>) -> Result<()> {
        let workers = self.run.options.connections.get().min(tasks.len());
        let queue = Mutex::new(VecDeque::from(tasks));
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    if let Err(error) = self.work_off(&queue) {
                        unpoisoned(&queue).clear();
                        unpoisoned(&failed).get_or_insert(error);
                    }
                });
            }
        });
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn work_off(&self, queue: &Mutex<VecDeque<Task<'_>>>) -> Result<()> {
        let client = Mutex::new(Client::connect(self.settings)?);
        // Commits wait for the disk: the last one of all may have nothing to write, and then waits for none before it.
        lock(&client).run("SET maintenance_work_mem = '256MB'")?;
        loop {
            let Some(task) = unpoisoned(queue).pop_front() else { return Ok(()) };
            check_cancelled(self.observer)?;
            self.one(&client, &task)?;
        }
    }

    fn one(&self, client: &Mutex<Client>, task: &Task<'_>) -> Result<()> {
        match task {
            Task::Load { name, part, parts } => {
                lock(client).run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")?;
                let rows = if *parts == 1 { Rows::All } else { Rows::Part { part: *part, parts: *parts } };
                if rows == Rows::All && self.work.roots.of_table(name).is_none() {
                    // Rows can only be frozen in a table that is new in the transaction, or was emptied in it.
                    self.empty(client, name)?;
                }
                self.run
                    .load(client, self.work, self.inventory, name, rows, self.observer)
                    .map_err(|error| error.in_table(*name))?;
                lock(client).run("COMMIT")
            }
            Task::Prove { name } => self
                .run
                .prove(slice::from_ref(client), self.work, self.inventory, name, Order::AsTheyLie, self.observer)
                .map_err(|error| error.in_table(*name)),
            Task::ProveTogether { root } => self
                .run
                .prove_together(client, self.work, self.inventory, root, self.observer)
                .map_err(|error| error.in_table(*root)),
            Task::Make(statements) => statements.iter().try_for_each(|statement| run(client, statement, self.observer)),
        }
    }

    fn empty(&self, client: &Mutex<Client>, name: &str) -> Result<()> {
        let Some(route) = self.work.placement.table(name) else { return Ok(()) };
        lock(client).run(&format!("TRUNCATE ONLY {}", qualified(&route.made.0, &route.made.1)))
    }
}

/// A list or an error is whole at any time.
fn unpoisoned<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
