//! Reading a table through filters, those of a dump or those that a manifest records.

use super::{RowSink, Source};
use crate::error::{Error, Result};
use crate::history::expiry::{Expiry, Verdict};
use crate::model::{Cell, Expire, Filter, RowGroup, TableSchema, roles};
use crate::observer::{Observer, check_cancelled};

/// Rows left out before the observer is asked.
const ROWS_AT_ONCE: u64 = 1024;

/// What expire filters did with the rows of a table. (What conditions leave out, nobody counts.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FilteredRows {
    /// Rows that were kept.
    pub kept: u64,
    /// Rows that were too old and left out.
    pub expired: u64,
    /// Rows that were kept because what they hold is no time.
    pub without_time: u64,
}

/// Sends those rows of a table that all of these filters keep to `sink`, in the order of its key: the whole table where
/// there is none.
///
/// An expire filter counts from its own instant, so that filters that a manifest records keep the same rows again. A condition
/// is checked first, whoever wrote it ([`Source::check_condition`]), and evaluated anew: one that asks for the clock or for
/// chance gives another answer.
///
/// Fails if the filters are none for this table (`is_request`), if the observer asks to stop while rows are left out
/// (`is_interrupted`), and as [`Source::read_table`] does.
pub fn read_filtered(
    source: &dyn Source,
    table: &TableSchema,
    filters: &[Filter],
    observer: &dyn Observer,
    sink: &mut dyn RowSink,
) -> Result<FilteredRows> {
    check_role(table, filters)?;
    let expiry = Expiry::of(table, expire_rules(filters))?;
    let mut judged = Judged { expiry, counts: FilteredRows::default(), observer, sink };
    match conditions(filters).as_slice() {
        [] => source.read_table(table, &mut judged)?,
        conditions => source.read_where(table, conditions, observer, &mut judged)?,
    }
    Ok(judged.counts)
}

/// Lets those rows through that expire filters keep.
struct Judged<'a> {
    expiry: Expiry,
    counts: FilteredRows,
    observer: &'a dyn Observer,
    sink: &'a mut dyn RowSink,
}

impl RowSink for Judged<'_> {
    fn row(&mut self, row: &[Cell<'_>]) -> Result<()> {
        match self.expiry.judge(row) {
            Verdict::Expired => {
                self.counts.expired += 1;
                // Who takes the rows asks too, but of these it does not hear.
                return match self.counts.expired.is_multiple_of(ROWS_AT_ONCE) {
                    true => check_cancelled(self.observer),
                    false => Ok(()),
                };
            }
            Verdict::KeptWithoutTime => self.counts.without_time += 1,
            Verdict::Kept => {}
        }
        self.counts.kept += 1;
        self.sink.row(row)
    }

    fn rows(&mut self, rows: &RowGroup) -> Result<()> {
        if !self.expiry.is_empty() {
            return rows.for_each_row(|row| self.row(row));
        }
        self.counts.kept += u64::from(rows.rows());
        self.sink.rows(rows)
    }
}

/// Fails (`is_request`) if [`read_filtered`] would refuse these filters. Reads no row.
pub fn check_filters(source: &dyn Source, table: &TableSchema, filters: &[Filter]) -> Result<()> {
    check_role(table, filters)?;
    Expiry::of(table, expire_rules(filters))?;
    conditions(filters).iter().try_for_each(|condition| source.check_condition(table, condition))
}

/// The storage of a virtual table without some of its rows is damaged, and so is the database's own bookkeeping.
fn check_role(table: &TableSchema, filters: &[Filter]) -> Result<()> {
    if filters.is_empty() || table.role == roles::TABLE {
        return Ok(());
    }
    let what = if table.role == roles::SHADOW { "storage of a virtual table" } else { "a table of the database's own" };
    Err(Error::request(format!("\"{}\" is {what}, which needs all of its rows", table.name))
        .with_hint("filter tables that hold rows of their own"))
}

fn conditions(filters: &[Filter]) -> Vec<&str> {
    let conditions = filters.iter().filter_map(|filter| match filter {
        Filter::Where { expression } => Some(expression.as_str()),
        Filter::Expire(_) => None,
    });
    conditions.collect()
}

fn expire_rules(filters: &[Filter]) -> impl Iterator<Item = &Expire> {
    filters.iter().filter_map(|filter| match filter {
        Filter::Expire(rule) => Some(rule),
        Filter::Where { .. } => None,
    })
}
