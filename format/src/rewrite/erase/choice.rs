//! Which rows of a table go: those whose cells of some columns equal one of many keys.

use std::collections::HashSet;

use super::comparison::Comparison;
use crate::archive::{RowGroupEntry, Table};
use crate::error::Result;
use crate::model::{Cell, RowGroup, Value};
use crate::observer::{Observer, check_cancelled};

/// Chooses rows by some columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// Indexes into the schema's columns, and how the cells of each are compared.
    columns: Vec<(usize, Comparison)>,
    /// Identities of the keys.
    keys: HashSet<Vec<u8>>,
    /// By column, the values that stand in keys.
    values: Vec<Vec<Value>>,
}

impl Choice {
    pub(super) fn new(columns: Vec<(usize, Comparison)>) -> Self {
        let values = vec![Vec::new(); columns.len()];
        Self { columns, keys: HashSet::new(), values }
    }

    pub(super) fn columns(&self) -> &[(usize, Comparison)] {
        &self.columns
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Keys that were added, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = Vec<Cell<'_>>> {
        (0..self.keys.len())
            .map(|key| self.values.iter().filter_map(|values| values.get(key)).map(Value::as_cell).collect())
    }

    /// Adds a key. `false` if it stands there, or can equal nothing.
    pub(super) fn add(&mut self, key: &[Cell<'_>]) -> bool {
        let mut identity = Vec::new();
        let parts = self.columns.iter().zip(key);
        let mut each = parts.map(|((_, comparison), cell)| comparison.add_identity(cell, &mut identity));
        if !each.all(|equals| equals) || !self.keys.insert(identity) {
            return false;
        }
        for (values, cell) in self.values.iter_mut().zip(key) {
            values.push(Value::of(cell));
        }
        true
    }

    /// May a row group hold such rows, by the bounds of its blocks?
    pub(super) fn may_choose(&self, group: &RowGroupEntry) -> bool {
        self.columns.iter().zip(&self.values).all(|((column, comparison), values)| {
            group.blocks.get(*column).is_none_or(|block| comparison.may_hold(block, group.rows, values))
        })
    }
}

/// The columns that these choices look at, each once.
pub(super) fn columns_of(choices: &[Choice]) -> Vec<usize> {
    let mut columns: Vec<usize> =
        choices.iter().flat_map(|choice| choice.columns.iter().map(|(column, _)| *column)).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// May a row group hold rows that one of these choices chooses?
pub(super) fn may_choose(choices: &[Choice], group: &RowGroupEntry) -> bool {
    choices.iter().any(|choice| choice.may_choose(group))
}

/// Calls `chosen` with the number and the cells of each row that one of these choices chooses, and the number of the first that
/// does. The row group has the columns `asked`.
pub(super) fn for_each_chosen(
    choices: &[Choice],
    asked: &[usize],
    group: &RowGroup,
    mut chosen: impl for<'c> FnMut(u32, &[Cell<'c>], usize) -> Result<()>,
) -> Result<()> {
    let place = |column: &usize| asked.iter().position(|asked| asked == column).unwrap_or(usize::MAX);
    let places: Vec<Vec<(usize, Comparison)>> = choices
        .iter()
        .map(|choice| choice.columns.iter().map(|(column, comparison)| (place(column), *comparison)).collect())
        .collect();
    let mut identity = Vec::new();
    let mut number = 0;
    group.for_each_row(|row| {
        let by = choices.iter().zip(&places).position(|(choice, places)| {
            identity.clear();
            let equals = places.iter().all(|(place, comparison)| {
                row.get(*place).is_some_and(|cell| comparison.add_identity(cell, &mut identity))
            });
            equals && choice.keys.contains(&identity)
        });
        number += 1;
        by.map_or(Ok(()), |by| chosen(number - 1, row, by))
    })
}

/// Searches a table for the rows that one of these choices chooses. `found` is told which of them chooses a row first, and gives
/// the row's cells by their columns, of which also `more` are read.
pub(super) fn scan(
    table: &Table<'_>,
    choices: &[Choice],
    more: &[usize],
    observer: &dyn Observer,
    mut found: impl for<'c> FnMut(usize, &dyn Fn(usize) -> Option<Cell<'c>>) -> Result<()>,
) -> Result<()> {
    let mut asked: Vec<usize> = columns_of(choices).into_iter().chain(more.iter().copied()).collect();
    asked.sort_unstable();
    asked.dedup();
    for place in table.groups() {
        check_cancelled(observer)?;
        let place = place?;
        if !may_choose(choices, &place.entry) {
            continue;
        }
        let group = table.read_group(&place, &asked)?;
        for_each_chosen(choices, &asked, &group, |_, row, by| {
            found(by, &|column| row.get(asked.binary_search(&column).ok()?).copied())
        })?;
    }
    Ok(())
}
