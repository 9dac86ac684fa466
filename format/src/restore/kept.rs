//! A chosen table, and which of its rows are restored: all, or those that are not too old.

use std::ops::Deref;

use super::row_sum::RowSum;
use crate::archive::{Fingerprinter, Table, TableFingerprint};
use crate::error::{Error, Result};
use crate::history::expiry::{Expiry, Verdict};
use crate::model::{Cell, Expire, TableSchema, roles};
use crate::observer::{Observer, Phase, check_cancelled};
use crate::source::RowSink;

/// A table of the snapshot and the rows of it that are wanted.
pub(super) struct ChosenTable<'a> {
    table: Table<'a>,
    /// Rules of this restore; what the snapshot itself leaves out is not in it.
    rules: Vec<Expire>,
    expiry: Option<Expiry>,
    wanted: Wanted,
}

/// The rows that are to be restored, worked out from the archive alone before anything is written.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) fingerprint: TableFingerprint,
    /// Rows that this restore leaves out because they are too old.
    pub(super) expired: u64,
    /// Rows that are restored although a rule asks for their age, because they hold no time.
    pub(super) without_time: u64,
}

impl<'a> ChosenTable<'a> {
    /// All rows, or those that these rules keep. Fails (`is_request`) if they are none for this table.
    pub(super) fn new(table: Table<'a>, rules: Vec<Expire>) -> Result<Self> {
        let schema = table.schema();
        if !rules.is_empty() && schema.role != roles::TABLE {
            return Err(Error::request(format!("\"{}\" needs all of its rows: it is no ordinary table", schema.name))
                .with_hint("let rows expire of tables that hold rows of their own"));
        }
        let expiry = if rules.is_empty() { None } else { Some(Expiry::of(schema, &rules)?) };
        let manifest = table.manifest();
        let fingerprint = TableFingerprint {
            table: manifest.fingerprint,
            columns: manifest.columns.iter().map(|column| column.fingerprint).collect(),
            rows: manifest.rows,
        };
        Ok(Self { rules, expiry, wanted: Wanted { fingerprint, expired: 0, without_time: 0 }, table })
    }

    /// Rules by which this restore leaves rows out.
    pub(super) fn rules(&self) -> &[Expire] {
        &self.rules
    }

    /// Is this row restored?
    pub(super) fn keeps(&self, row: &[Cell<'_>]) -> bool {
        self.expiry.as_ref().is_none_or(|expiry| expiry.judge(row) != Verdict::Expired)
    }

    /// What is to be restored; all rows as long as [`ChosenTable::settle`] was not called.
    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Rows that are to be restored.
    pub(super) fn rows(&self) -> u64 {
        self.wanted.fingerprint.rows
    }

    /// Finds out which rows are too old, where there are rules: the table is read through, and must be what its manifest says.
    pub(super) fn settle(&mut self, observer: &dyn Observer) -> Result<()> {
        let Some(expiry) = &self.expiry else { return Ok(()) };
        let (schema, manifest) = (self.table.schema(), self.table.manifest());
        observer.begin(Phase::Verify, Some(&schema.name), Some(manifest.rows), None);
        let (mut all, mut kept) = (Fingerprinter::new(schema), Fingerprinter::new(schema));
        let (mut expired, mut without_time) = (0, 0);
        for group in self.table.scan(&every_column(schema)) {
            check_cancelled(observer)?;
            let group = group?;
            let rows = u64::from(group.rows());
            group.for_each_row(|row| {
                all.row(row)?;
                match expiry.judge(row) {
                    Verdict::Expired => {
                        expired += 1;
                        return Ok(());
                    }
                    Verdict::KeptWithoutTime => without_time += 1,
                    Verdict::Kept => {}
                }
                kept.row(row)
            })?;
            observer.advance(rows, 0);
        }
        if all.finish().table != manifest.fingerprint {
            return Err(not_the_manifests(&schema.name));
        }
        self.wanted = Wanted { fingerprint: kept.finish(), expired, without_time };
        Ok(())
    }

    /// The sum of the rows that are to be restored, of columns as `made` has them.
    pub(super) fn sum(&self, made: &TableSchema, observer: &dyn Observer) -> Result<RowSum> {
        let mut sum = RowSum::new(made);
        for group in self.table.scan(&every_column(made)) {
            check_cancelled(observer)?;
            group?.for_each_row(|row| if self.keeps(row) { sum.row(row) } else { Ok(()) })?;
        }
        Ok(sum)
    }

    /// Adds the rows that are to be restored to a sum, each with the columns of these places. Fails if they are not those that the
    /// manifest is about.
    #[cfg(feature = "postgres")]
    pub(super) fn add_to(&self, sum: &mut RowSum, places: &[usize], observer: &dyn Observer) -> Result<()> {
        let schema = self.table.schema();
        let mut fingerprinter = Fingerprinter::new(schema);
        for group in self.table.scan(&every_column(schema)) {
            check_cancelled(observer)?;
            group?.for_each_row(|row| {
                if !self.keeps(row) {
                    return Ok(());
                }
                sum.add_cells(places.iter().filter_map(|place| row.get(*place)));
                fingerprinter.row(row)
            })?;
        }
        if fingerprinter.finish().table == self.wanted.fingerprint.table {
            return Ok(());
        }
        Err(not_the_manifests(&schema.name))
    }
}

fn every_column(schema: &TableSchema) -> Vec<usize> {
    (0..schema.columns.len()).collect()
}

/// The error for rows that are read from the archive and are not those that its manifest is about.
pub(super) fn not_the_manifests(table: &str) -> Error {
    Error::not_proven("the rows read from the archive are not those of the snapshot").in_table(table)
}

impl<'a> Deref for ChosenTable<'a> {
    type Target = Table<'a>;

    fn deref(&self) -> &Table<'a> {
        &self.table
    }
}
