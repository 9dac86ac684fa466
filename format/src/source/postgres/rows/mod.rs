//! Reading rows: one statement for a table, or as many as connections can share, in the order of its key.

mod ordered;
mod ranges;

use std::sync::{Mutex, PoisonError};
use std::thread;

use self::ordered::{Ordered, Taken};
use super::catalog::TableFacts;
use crate::error::{Error, Result};
use crate::model::{RowSink, TableSchema};
use crate::postgres::client::Client;
use crate::postgres::sql::{qualified, quote};
use crate::postgres::types::{CopyColumn, CopyReader, KeyOrder};

/// In which order rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// That of the key; as they lie where there is none.
    Key,
    /// As they lie, which is the order in which they were written into a new table.
    AsTheyLie,
}

/// A table as it is read.
pub(crate) struct TableRows<'t> {
    schema: &'t TableSchema,
    oid: u32,
    columns: Vec<CopyColumn>,
    /// Which rows are read at all, as a condition; empty for all.
    condition: String,
}

impl<'t> TableRows<'t> {
    /// Of a table and what the catalog of the same instant says of it.
    pub(crate) fn new(schema: &'t TableSchema, facts: &TableFacts) -> Self {
        let columns = facts.columns.iter().zip(&schema.columns);
        let columns = columns
            .map(|(facts, column)| CopyColumn { name: column.name.clone(), column_type: facts.column_type.clone() });
        // An extension's own rows are made by the extension.
        let condition = facts.condition.trim();
        let condition = condition.get(..5).filter(|word| word.eq_ignore_ascii_case("where")).and(condition.get(5..));
        Self { schema, oid: facts.oid, columns: columns.collect(), condition: condition.unwrap_or_default().to_owned() }
    }

    /// Sends the rows for which all conditions hold to `sink`, in the order of the key. All connections must be in one instant.
    pub(crate) fn read(&self, clients: &[Mutex<Client>], conditions: &[&str], sink: &mut dyn RowSink) -> Result<()> {
        self.read_ordered(clients, conditions, Order::Key, sink)
    }

    /// The same in an order of the caller's.
    pub(crate) fn read_ordered(
        &self,
        clients: &[Mutex<Client>],
        conditions: &[&str],
        order: Order,
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        let ranges = match clients {
            [] | [_] => vec!["true".to_owned()],
            [first, ..] => ranges::ranges(&mut lock(first), self.schema, self.oid)?,
        };
        let statements: Vec<String> = ranges.iter().map(|range| self.statement(range, conditions, order)).collect();
        let ordered = Ordered::new(statements.len());
        thread::scope(|scope| {
            for client in clients.iter().take(statements.len()) {
                let (ordered, statements) = (&ordered, &statements);
                scope.spawn(move || fetch(client, ordered, statements));
            }
            let taken = self.take(&ordered, sink);
            ordered.stop();
            taken
        })
    }

    fn take(&self, ordered: &Ordered, sink: &mut dyn RowSink) -> Result<()> {
        let mut reader = self.reader();
        let mut piece = Vec::new();
        loop {
            match ordered.take(&mut piece)? {
                Taken::Piece => reader.piece(&piece, sink)?,
                Taken::RangeEnds => drop(std::mem::replace(&mut reader, self.reader()).finish()?),
                Taken::End => return Ok(()),
            }
        }
    }

    fn reader(&self) -> CopyReader {
        CopyReader::new(self.columns.clone())
    }

    /// The statement that reads the rows of one range.
    fn statement(&self, range: &str, conditions: &[&str], order: Order) -> String {
        let selected: Vec<String> =
            self.columns.iter().map(|column| column.column_type.select(&quote(&column.name))).collect();
        let mut all = vec![format!("({range})")];
        if !self.condition.is_empty() {
            all.push(format!("({})", self.condition));
        }
        all.extend(conditions.iter().map(|condition| format!("({condition})")));
        let order = if order == Order::Key { self.order() } else { String::new() };
        let from = name_of(self.schema);
        format!(
            "COPY (SELECT {} FROM ONLY {from} WHERE {}{order}) TO STDOUT (FORMAT binary)",
            selected.join(", "),
            all.join(" AND ")
        )
    }

    /// Nothing where there is no key: rows are then read as they lie.
    fn order(&self) -> String {
        let parts = self.schema.key.iter().filter_map(|part| {
            let column = self.columns.get(part.column as usize)?;
            let by_bytes = column.column_type.key_order() == KeyOrder::WithCollateC;
            let collate = if by_bytes { " COLLATE \"C\"" } else { "" };
            Some(format!("{}{collate}{}", quote(&column.name), if part.descending { " DESC" } else { "" }))
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { String::new() } else { format!(" ORDER BY {}", parts.join(", ")) }
    }
}

/// The table's name with its schema, as SQL has it.
pub(crate) fn name_of(table: &TableSchema) -> String {
    qualified(table.option("schema").unwrap_or_default(), table.option("relation").unwrap_or_default())
}

/// What one connection does.
fn fetch(client: &Mutex<Client>, ordered: &Ordered, statements: &[String]) {
    let mut client = lock(client);
    while let Some(range) = ordered.next_range() {
        let Some(statement) = statements.get(range) else { return };
        match client.copy_out(statement, &mut |piece| ordered.give(range, piece)) {
            Ok(()) => ordered.end(range),
            // Somebody else failed, or nobody wants more.
            Err(error) if error.is_interrupted() => return,
            Err(error) => return ordered.fail(error),
        }
    }
}

/// A connection, for one thread at a time. One that was left by a panic is found out by the next statement.
pub(crate) fn lock(client: &Mutex<Client>) -> std::sync::MutexGuard<'_, Client> {
    client.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error for a table that the catalog does not have.
pub(super) fn unknown(table: &str) -> Error {
    Error::request("the source does not have the table").in_table(table)
}
