//! What differs between two snapshots: tables, schemas, rows, and in which columns rows changed.
//!
//! The cost follows the difference. A table whose manifest both snapshots refer to is not looked at, one of the same fingerprint
//! not read. Of the others, pages that both refer to are passed over whole, row groups of the same contents are not read, and of
//! row groups with the same keys only the columns that differ.
//!
//! | rows have | and are found again |
//! |---|---|
//! | a key whose order is known | by merging both states in its order: exact |
//! | a key whose collation only the source knows | by laying row groups beside each other: a row that moved far counts as removed and added |
//! | no key, or another key than before | by all cells that both states have; they are only added or removed |
//!
//! Keys and cells are the same if they are to the last bit: a key that a NOCASE column holds in other letters than before is
//! another key, and the text `1` is not the integer 1. Of a column that one state does not have, rows do not count as changed.
//!
//! What the same digest stands for is taken to be the same and not looked at: that the archive holds it undamaged is for
//! [`crate::archive::verify`] to say.
//!
//! Memory: the cells of one row group of either side (64 MiB each, or one value if that is larger), whatever the number of rows that
//! differ. Rows without a key take digests, of a million rows at a time.

mod by_content;
mod columns;
mod groups;
mod merge;
mod report;
mod schema;
mod segment;

use std::collections::BTreeMap;

pub(crate) use self::by_content::{Rows, SnapshotRows, count as count_by_content};
pub(crate) use self::columns::Pairing;
pub use self::columns::RowMatching;
pub(crate) use self::groups::{Facts, Groups, SnapshotGroups};
pub(crate) use self::merge::Merge;
pub use self::report::{
    ChangeKind, ChangeSink, DiffReport, NamedCell, RowChange, RowCounts, SchemaChange, TableDiff, TableState,
};
pub(crate) use self::segment::Tally;
use crate::archive::{Snapshot, Table, TableEntry};
use crate::error::Result;
use crate::model::{SchemaObject, SourceDescription};
use crate::observer::{Observer, Phase};
use crate::selection::Selection;

/// Says what differs between two snapshots, of one archive or of two. With a `sink`, each row that differs goes there.
///
/// Fails if a pattern of `tables` matches nothing in either of them, and for whatever of the archive is damaged and had to be
/// read.
pub fn diff(
    before: &Snapshot<'_>,
    after: &Snapshot<'_>,
    tables: &Selection,
    mut sink: Option<&mut dyn ChangeSink>,
    observer: &dyn Observer,
) -> Result<DiffReport> {
    let (old, new) = (before.catalog(), after.catalog());
    let mut names: BTreeMap<&str, (Option<&TableEntry>, Option<&TableEntry>)> = BTreeMap::new();
    for entry in &old.tables {
        names.entry(&entry.name).or_default().0 = Some(entry);
    }
    for entry in &new.tables {
        names.entry(&entry.name).or_default().1 = Some(entry);
    }
    let objects = || old.objects.iter().chain(&new.objects);
    tables.check(names.keys().copied().chain(objects().map(|object| object.name.as_str())))?;
    let mut report = report_of(
        objects_of(&old.objects, &new.objects, tables),
        settings_of(&before.manifest().source, &after.manifest().source, tables),
    );
    for (name, entries) in names {
        if let (Some(old), Some(new)) = entries
            && old.manifest == new.manifest
            && tables.is_everything()
        {
            report.tables.push(TableDiff::same(name, old.rows));
            continue;
        }
        let old = entries.0.map(|entry| before.open_table(entry)).transpose()?;
        let new = entries.1.map(|entry| after.open_table(entry)).transpose()?;
        let is_taken = [&old, &new].into_iter().flatten().any(|table| tables.takes_table(table.schema()));
        if is_taken {
            let sources = (&before.manifest().source, &after.manifest().source);
            let sink = sink.as_mut().map(|sink| &mut **sink as &mut dyn ChangeSink);
            let told = one_table((old, new), sources, sink, observer);
            report.tables.extend(told.map_err(|error| error.in_table(name))?);
        }
    }
    Ok(report)
}

fn one_table(
    (before, after): (Option<Table<'_>>, Option<Table<'_>>),
    (from, to): (&SourceDescription, &SourceDescription),
    sink: Option<&mut dyn ChangeSink>,
    observer: &dyn Observer,
) -> Result<Option<TableDiff>> {
    Ok(match (before, after) {
        (Some(before), Some(after)) => {
            let pairing = Pairing::new((before.schema(), from), (after.schema(), to));
            let rows = (before.manifest().rows, after.manifest().rows);
            let filters = schema::of_filters(&before.manifest().filters, &after.manifest().filters);
            if before.manifest().fingerprint == after.manifest().fingerprint {
                return Ok(Some(TableDiff::of(&pairing, filters, rows, RowCounts::default(), true)));
            }
            observer.begin(Phase::Compare, Some(&after.schema().name), Some(rows.0.saturating_add(rows.1)), None);
            let counts = two_states(&pairing, &before, &after, sink, observer)?;
            Some(TableDiff::of(&pairing, filters, rows, counts, false))
        }
        (Some(table), None) => only(&table, from, TableState::OnlyBefore, sink, observer)?,
        (None, Some(table)) => only(&table, to, TableState::OnlyAfter, sink, observer)?,
        (None, None) => None,
    })
}

fn two_states(
    pairing: &Pairing<'_>,
    before: &Table<'_>,
    after: &Table<'_>,
    sink: Option<&mut dyn ChangeSink>,
    observer: &dyn Observer,
) -> Result<RowCounts> {
    let mut tally = Tally::new(pairing, sink);
    if pairing.matching == RowMatching::ByKey {
        let (mut old, mut new) = (SnapshotGroups::new(before.walk()), SnapshotGroups::new(after.walk()));
        merge::merge(&mut old, &mut new, &mut tally, observer)?;
    } else {
        let (old, new) = by_content::without_common(pairing, (before, after), observer)?;
        count_by_content(&old, &new, &mut tally)?;
    }
    Ok(tally.finish())
}

/// A table that only one snapshot has: all its rows are removed or added.
pub(crate) fn only(
    table: &Table<'_>,
    source: &SourceDescription,
    state: TableState,
    sink: Option<&mut dyn ChangeSink>,
    observer: &dyn Observer,
) -> Result<Option<TableDiff>> {
    let (schema, rows) = (table.schema(), table.manifest().rows);
    let is_before = state == TableState::OnlyBefore;
    if sink.is_some() {
        observer.begin(Phase::Compare, Some(&schema.name), Some(rows), None);
        let pairing = Pairing::new((schema, source), (schema, source));
        let mut tally = Tally::new(&pairing, sink);
        let mut groups = SnapshotGroups::new(table.walk());
        let kind = if is_before { ChangeKind::Removed } else { ChangeKind::Added };
        merge::all_alone(&mut groups, kind, &mut tally, observer)?;
    }
    Ok(Some(TableDiff::alone(&schema.name, state, rows)))
}

/// A report before any table was looked at.
pub(crate) fn report_of(objects: Vec<SchemaChange>, settings: Vec<SchemaChange>) -> DiffReport {
    DiffReport { tables: Vec::new(), objects, settings }
}

/// What differs between the objects of two catalogs, as far as they are chosen.
pub(crate) fn objects_of(before: &[SchemaObject], after: &[SchemaObject], tables: &Selection) -> Vec<SchemaChange> {
    let taken = |object: &&SchemaObject| tables.takes_object(object);
    schema::of_objects(before.iter().filter(taken), after.iter().filter(taken))
}

/// What differs between the settings of two databases: a matter of the whole of it.
pub(crate) fn settings_of(
    before: &SourceDescription,
    after: &SourceDescription,
    tables: &Selection,
) -> Vec<SchemaChange> {
    if tables.is_everything() { schema::of_settings(&before.settings, &after.settings) } else { Vec::new() }
}

impl TableDiff {
    pub(crate) fn same(name: &str, rows: u64) -> Self {
        Self {
            name: name.to_owned(),
            state: TableState::Same,
            rows_before: Some(rows),
            rows_after: Some(rows),
            rows: RowCounts::default(),
            matching: RowMatching::ByKey,
            reordered: false,
            schema: Vec::new(),
        }
    }

    /// Of a table that only one side has.
    pub(crate) fn alone(name: &str, state: TableState, rows: u64) -> Self {
        let mut told = Self { state, ..Self::same(name, rows) };
        if state == TableState::OnlyBefore {
            told.rows_after = None;
            told.rows.removed = rows;
        } else {
            told.rows_before = None;
            told.rows.added = rows;
        }
        told
    }

    /// Of a table that stands on both sides. `is_same_content`: are its rows, columns and their order known to be the same?
    pub(crate) fn of(
        pairing: &Pairing<'_>,
        filters: Vec<SchemaChange>,
        (rows_before, rows_after): (u64, u64),
        rows: RowCounts,
        is_same_content: bool,
    ) -> Self {
        let mut schema = schema::of_tables(pairing);
        schema.extend(filters);
        // What other columns hold, and in which order columns stand, is told as a change of the schema.
        let reordered = !is_same_content
            && rows.is_empty()
            && pairing.matching != RowMatching::ByKey
            && !pairing.has_others()
            && pairing.common.is_sorted();
        let is_same = rows.is_empty() && schema.is_empty() && !reordered;
        Self {
            name: pairing.after.name.clone(),
            state: if is_same { TableState::Same } else { TableState::Changed },
            rows_before: Some(rows_before),
            rows_after: Some(rows_after),
            rows,
            matching: pairing.matching,
            reordered,
            schema,
        }
    }
}
