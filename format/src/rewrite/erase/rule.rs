//! The rule that takes the planned rows out.

use super::choice::{self, Choice};
use super::plan::{ErasePlan, PlannedTable};
use crate::archive::{RowGroupEntry, SnapshotSummary};
use crate::error::Result;
use crate::model::{RowGroup, TableSchema};
use crate::rewrite::RowRule;

/// Drops the rows of a plan.
pub(super) struct Erasing<'p> {
    plan: &'p ErasePlan,
    /// The table that was asked about last, and the columns that were asked for.
    table: Option<(&'p PlannedTable, Vec<usize>)>,
}

impl<'p> Erasing<'p> {
    pub(super) fn new(plan: &'p ErasePlan) -> Self {
        Self { plan, table: None }
    }

    fn choices(&self) -> &[Choice] {
        self.table.as_ref().map_or(&[], |(table, _)| &table.choices)
    }
}

impl RowRule for Erasing<'_> {
    fn columns(&mut self, snapshot: &SnapshotSummary, table: &TableSchema) -> Result<Option<Vec<usize>>> {
        let planned = self.plan.table(snapshot.number, &table.name);
        self.table = planned.map(|planned| (planned, choice::columns_of(&planned.choices)));
        Ok(self.table.as_ref().map(|(_, columns)| columns.clone()))
    }

    fn edition(&mut self) -> u64 {
        self.table.as_ref().map_or(0, |(table, _)| table.edition)
    }

    fn may_drop(&mut self, group: &RowGroupEntry) -> Result<bool> {
        Ok(choice::may_choose(self.choices(), group))
    }

    fn rows_to_drop(&mut self, group: &RowGroup) -> Result<Vec<u32>> {
        let mut rows = Vec::new();
        if let Some((table, columns)) = &self.table {
            choice::for_each_chosen(&table.choices, columns, group, |row, _, _| {
                rows.push(row);
                Ok(())
            })?;
        }
        Ok(rows)
    }
}
