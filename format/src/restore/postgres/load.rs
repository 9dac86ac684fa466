//! Rows of an archive into a table of the target, by COPY.

use super::placement::Place;
use crate::error::{Error, Result};
use crate::model::TableSchema;
use crate::observer::{Observer, Phase, check_cancelled};
use crate::postgres::client::Client;
use crate::postgres::sql::{qualified, quote};
use crate::postgres::types::{CopyColumn, CopyForm, CopyWriter};
use crate::restore::kept::ChosenTable;
use crate::source::postgres::catalog::TableFacts;

/// Bytes that are made before they are sent.
const SEND_BYTES: usize = 256 << 10;

/// Which rows are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    All,
    /// The row groups of one of so many parts, each a run of them.
    Part {
        part: usize,
        parts: usize,
    },
}

impl Rows {
    /// Is a row group of a table of so many among them?
    fn has(self, group: u64, groups: u64) -> bool {
        match self {
            Self::All => true,
            Self::Part { part, parts } => {
                let parts = parts.max(1) as u64;
                let of = u128::from(group) * u128::from(parts) / u128::from(groups.max(1));
                of == part as u128
            }
        }
    }
}

/// How a table takes the rows.
pub(super) struct Load<'t> {
    pub(super) into: &'t Place,
    /// What the target says of the table's columns.
    pub(super) facts: &'t TableFacts,
    /// The columns that the target has, in the order of `facts`.
    pub(super) made: &'t TableSchema,
    /// Was the table made in this transaction, so that its rows can be frozen at once?
    pub(super) is_new: bool,
    pub(super) rows: Rows,
}

impl Load<'_> {
    /// Sends the rows that are wanted; how many these were.
    pub(super) fn run(&self, client: &mut Client, table: &ChosenTable<'_>, observer: &dyn Observer) -> Result<u64> {
        let schema = table.schema();
        observer.begin(Phase::Restore, Some(&schema.name), Some(table.rows()), None);
        let columns = self.columns(schema)?;
        let writer = CopyWriter::new(columns)?;
        let names: Vec<String> = schema.columns.iter().map(|column| quote(&column.name)).collect();
        let format = match (writer.form(), self.is_new) {
            (CopyForm::Binary, true) => " (FORMAT binary, FREEZE)",
            (CopyForm::Binary, false) => " (FORMAT binary)",
            (CopyForm::Text, true) => " (FREEZE)",
            (CopyForm::Text, false) => "",
        };
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let sql = format!("COPY {}{names} FROM STDIN{format}", qualified(&self.into.0, &self.into.1));
        let mut copy = client.copy_in(&sql)?;
        let mut bytes = Vec::with_capacity(SEND_BYTES * 2);
        writer.begin(&mut bytes);
        let all: Vec<usize> = (0..schema.columns.len()).collect();
        let mut sent = 0_u64;
        let groups: u64 = table.manifest().pages.iter().map(|page| page.groups).sum();
        for place in table.groups() {
            check_cancelled(observer)?;
            let place = place?;
            if !self.rows.has(place.number, groups) {
                continue;
            }
            let group = table.read_group(&place, &all)?;
            let (rows, size) = (u64::from(group.rows()), group.bytes());
            group.for_each_row(|row| {
                if !table.keeps(row) {
                    return Ok(());
                }
                writer.row(row, &mut bytes)?;
                sent += 1;
                if bytes.len() >= SEND_BYTES {
                    copy.write(&bytes)?;
                    bytes.clear();
                }
                Ok(())
            })?;
            observer.advance(rows, size);
        }
        writer.end(&mut bytes);
        copy.write(&bytes)?;
        let taken = copy.finish()?;
        if taken != sent {
            return Err(Error::not_proven(format!("{sent} rows were sent, and the server took {taken}")));
        }
        Ok(sent)
    }

    /// The target's types, in the order of the snapshot's columns.
    fn columns(&self, schema: &TableSchema) -> Result<Vec<CopyColumn>> {
        schema
            .columns
            .iter()
            .map(|column| {
                let place = self.made.columns.iter().position(|made| made.name == column.name);
                let facts = place
                    .and_then(|place| self.facts.columns.get(place))
                    .ok_or_else(|| Error::request(format!("the target's table has no column \"{}\"", column.name)))?;
                let column_type = facts.column_type.clone();
                if column_type.logical().number() != column.logical {
                    return Err(Error::request(format!(
                        "column \"{}\" is of the type {} in the snapshot and of another in the target",
                        column.name, column.declared_type
                    )));
                }
                Ok(CopyColumn { name: column.name.clone(), column_type })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_group_is_in_one_part() {
        for (groups, parts) in [(0, 2), (1, 2), (2, 2), (7, 3), (100, 8), (3, 5)] {
            for group in 0..groups {
                let parts_with_it =
                    (0..parts).filter(|part| Rows::Part { part: *part, parts }.has(group, groups)).count();
                assert_eq!(parts_with_it, 1, "{group} of {groups} in {parts}");
            }
        }
    }
}
