//! Is a database what a snapshot says? Rows of the source are read once, cut into row groups as a dump would, and hashed; of the
//! snapshot only those row groups are read whose contents are others.
//!
//! What differs is told as between two snapshots ([`crate::diff`]): the snapshot is the state before, the database the one
//! after. Memory as there, with the row group that is being filled besides. A table without a key is read up to three times.

mod rows;

use std::collections::BTreeMap;

use self::rows::{Comparing, SourceRows, read_as_dumped};
use crate::archive::{Fingerprinter, Snapshot, Table, TableEntry};
use crate::diff::{
    self, ChangeKind, ChangeSink, DiffReport, Pairing, RowCounts, RowMatching, SnapshotRows, TableDiff, TableState,
    Tally,
};
use crate::error::Result;
use crate::model::{Cell, Filter, SourceDescription, TableSchema, roles};
use crate::observer::{Observer, Phase};
use crate::selection::Selection;
use crate::source::{RowSink, Source};

/// Says what of a source differs from a snapshot. With a `sink`, each row that differs goes there.
///
/// Tables that a snapshot of chosen tables has not are told as added, unless `tables` leaves them out. The database's own
/// bookkeeping is compared as far as it is about tables of the snapshot, and a table of which the dump left rows out by rules as far as
/// these rules, counted from the instant of that dump, keep its rows.
///
/// Fails if a pattern of `tables` matches nothing on either side, if a rule does not fit the source's table any more, and as reading
/// the source and the archive does.
pub fn compare(
    snapshot: &Snapshot<'_>,
    source: &dyn Source,
    tables: &Selection,
    mut sink: Option<&mut dyn ChangeSink>,
    observer: &dyn Observer,
) -> Result<DiffReport> {
    let (old, new) = (snapshot.catalog(), source.catalog());
    let mut names: BTreeMap<&str, (Option<&TableEntry>, Option<&TableSchema>)> = BTreeMap::new();
    for entry in &old.tables {
        names.entry(&entry.name).or_default().0 = Some(entry);
    }
    for table in &new.tables {
        names.entry(&table.name).or_default().1 = Some(table);
    }
    let objects = old.objects.iter().chain(&new.objects);
    tables.check(names.keys().copied().chain(objects.map(|object| object.name.as_str())))?;
    let from = &snapshot.manifest().source;
    let mut report = diff::report_of(
        diff::objects_of(&old.objects, &new.objects, tables),
        diff::settings_of(from, &new.description, tables),
    );
    let run = Run { source, from, about: dumped_only(snapshot, source), observer };
    for (name, (entry, schema)) in names {
        let table = entry.map(|entry| snapshot.open_table(entry)).transpose()?;
        if !table.iter().map(Table::schema).chain(schema).any(|schema| tables.takes_table(schema)) {
            continue;
        }
        let sink = sink.as_mut().map(|sink| &mut **sink as &mut dyn ChangeSink);
        let told = match (table, schema) {
            (Some(table), Some(schema)) => run.both(&table, schema, sink),
            (Some(table), None) => diff::only(&table, from, TableState::OnlyBefore, sink, observer),
            (None, Some(schema)) => run.only_source(schema, sink),
            (None, None) => continue,
        };
        report.tables.extend(told.map_err(|error| error.in_table(name))?);
    }
    Ok(report)
}

/// The tables of the snapshot, if it does not have all of the source: its bookkeeping is about them only.
fn dumped_only<'s>(snapshot: &'s Snapshot<'_>, source: &dyn Source) -> Option<Vec<&'s str>> {
    let names: Vec<&str> = snapshot.catalog().tables.iter().map(|entry| entry.name.as_str()).collect();
    let mut all = source.catalog().tables.iter().filter(|table| table.role != roles::INTERNAL);
    let has_all = all.all(|table| names.binary_search(&table.name.as_str()).is_ok());
    (!has_all).then_some(names)
}

/// One comparison of a source.
struct Run<'r> {
    source: &'r dyn Source,
    /// Where the snapshot came from.
    from: &'r SourceDescription,
    about: Option<Vec<&'r str>>,
    observer: &'r dyn Observer,
}

impl Run<'_> {
    /// A table that both sides have.
    fn both(
        &self,
        table: &Table<'_>,
        schema: &TableSchema,
        sink: Option<&mut dyn ChangeSink>,
    ) -> Result<Option<TableDiff>> {
        let pairing = Pairing::new((table.schema(), self.from), (schema, &self.source.catalog().description));
        let rows_before = table.manifest().rows;
        self.observer.begin(Phase::Compare, Some(&schema.name), Some(rows_before.saturating_mul(2)), None);
        let (counts, rows_after, is_same_content) = if pairing.matching == RowMatching::ByKey {
            self.by_key(table, &pairing, sink)?
        } else {
            self.by_content(table, &pairing, sink)?
        };
        Ok(Some(TableDiff::of(&pairing, Vec::new(), (rows_before, rows_after), counts, is_same_content)))
    }

    /// What differs, how many rows the source has, and whether all rows are known to be the same in the same order.
    fn by_key(
        &self,
        table: &Table<'_>,
        pairing: &Pairing<'_>,
        sink: Option<&mut dyn ChangeSink>,
    ) -> Result<(RowCounts, u64, bool)> {
        let mut tally = Tally::new(pairing, sink);
        let mut comparing = Comparing::new(table, pairing, &mut tally, self.observer);
        self.read(pairing.after, &table.manifest().filters, &mut comparing)?;
        let rows = comparing.finish()?;
        Ok((tally.finish(), rows, false))
    }

    fn by_content(
        &self,
        table: &Table<'_>,
        pairing: &Pairing<'_>,
        sink: Option<&mut dyn ChangeSink>,
    ) -> Result<(RowCounts, u64, bool)> {
        let mut fingerprinter = Fingerprinter::new(pairing.after);
        self.read(pairing.after, &table.manifest().filters, &mut fingerprinter)?;
        let found = fingerprinter.finish();
        if found.table == table.manifest().fingerprint {
            return Ok((RowCounts::default(), found.rows, true));
        }
        let mut tally = Tally::new(pairing, sink);
        let before = SnapshotRows::all(table, self.observer)?;
        let read = |sink: &mut dyn RowSink| self.read(pairing.after, &table.manifest().filters, sink);
        diff::count_by_content(&before, &SourceRows { read: &read, observer: self.observer }, &mut tally)?;
        Ok((tally.finish(), found.rows, false))
    }

    /// A table that the snapshot has not.
    fn only_source(&self, schema: &TableSchema, sink: Option<&mut dyn ChangeSink>) -> Result<Option<TableDiff>> {
        // What a dump of chosen tables leaves out of the bookkeeping is no difference.
        self.observer.begin(Phase::Compare, Some(&schema.name), None, None);
        let description = &self.source.catalog().description;
        let pairing = Pairing::new((schema, description), (schema, description));
        let mut tally = Tally::new(&pairing, sink);
        let read = |sink: &mut dyn RowSink| self.read(schema, &[], sink);
        let rows = SourceRows { read: &read, observer: self.observer };
        diff::Rows::read(&rows, &mut |row: &[Cell<'_>]| tally.one(row, ChangeKind::Added))?;
        let rows = tally.finish().added;
        let is_bookkeeping = schema.role == roles::INTERNAL && self.about.is_some();
        Ok((rows > 0 || !is_bookkeeping).then(|| TableDiff::alone(&schema.name, TableState::OnlyAfter, rows)))
    }

    fn read(&self, schema: &TableSchema, filters: &[Filter], sink: &mut dyn RowSink) -> Result<()> {
        read_as_dumped(self.source, schema, filters, self.about.as_deref(), self.observer, sink)
    }
}
