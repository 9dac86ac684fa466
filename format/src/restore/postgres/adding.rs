//! A restore that adds rows to tables which exist: all tables in an order that foreign keys allow.

use std::sync::Mutex;

use super::append::Addition;
use super::append_order::in_order;
use super::by_root::Roots;
use super::options::Part;
use super::placement::Placement;
use super::run::{Run, Work};
use super::steps::{Step, Steps};
use super::target::Target;
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::postgres::client::Client;
use crate::restore::{RestoreMode, TableAction};
use crate::source::postgres::rows::lock;

impl Run<'_, '_> {
    /// Are rows added to tables that exist?
    pub(super) fn adds(&self) -> bool {
        self.options.part == Part::Data || matches!(self.options.mode, RestoreMode::Append | RestoreMode::Upsert)
    }

    /// Only rows, into what is there.
    pub(super) fn additions(&self, target: Target) -> Result<Work> {
        let placement = Placement::of(self.chosen, self.options, &self.staging, &|_| false)?;
        let mut steps = Steps::default();
        let tables = self.chosen.tables.iter();
        let additions = tables.map(|table| Addition::of(table, &placement, &target, self.options.mode));
        for addition in in_order(additions.collect::<Result<Vec<_>>>()?, &target)? {
            steps.steps.push(Step::Rows(addition.table.schema().name.clone()));
        }
        let actions = self.chosen.tables.iter().map(|_| TableAction::AppendTo).collect();
        Ok(Work { target, placement, steps, roots: Roots::default(), actions })
    }

    /// Adds the rows of all tables.
    pub(super) fn add(&self, client: &Mutex<Client>, work: &Work, observer: &dyn Observer) -> Result<()> {
        let tables = self.chosen.tables.iter();
        let additions = tables.map(|table| Addition::of(table, &work.placement, &work.target, self.options.mode));
        let additions = in_order(additions.collect::<Result<Vec<_>>>()?, &work.target)?;
        let begun = additions.iter().map(|addition| addition.begin(client)).collect::<Result<Vec<_>>>()?;
        let mut incomplete = Vec::new();
        for (at, addition) in additions.iter().enumerate() {
            let in_table = |error: Error| error.in_table(&addition.table.schema().name);
            let before = match self.options.mode {
                RestoreMode::Upsert => {
                    addition.upsert(at, client, observer).map_err(in_table)?;
                    if addition.later.is_empty() {
                        addition.complete(at, None, client, observer).map_err(in_table)?;
                    }
                    None
                }
                _ => addition.append(at, client, observer).map_err(in_table)?,
            };
            if !addition.later.is_empty() {
                incomplete.push((at, addition, before));
            }
        }
        for (at, addition, before) in incomplete {
            let completed = addition.complete(at, before.as_ref(), client, observer);
            completed.map_err(|error| error.in_table(&addition.table.schema().name))?;
        }
        // Constraints that wait for the end are looked at now, so that what they refuse is told as what it is.
        lock(client).run("SET CONSTRAINTS ALL IMMEDIATE")?;
        additions.iter().zip(&begun).try_for_each(|(addition, enabled)| addition.end(client, enabled))
    }
}
