//! Rows of a source on their way to being compared.

use std::sync::Arc;

use crate::archive::{Table, content_digests};
use crate::diff::{Facts, Groups, Merge, Pairing, Rows, SnapshotGroups, Tally};
use crate::error::{Error, Result};
use crate::history::boundaries::RowGrouper;
use crate::model::{Bound, Cell, Cells, Filter, RowGroup, TableSchema, roles};
use crate::observer::{Observer, check_cancelled};
use crate::source::{RowSink, Source, read_filtered};

/// Rows read before the observer is asked.
const ROWS_AT_ONCE: u64 = 1024;

/// Sends those rows of a table of a source that a dump like that of the snapshot would have taken: what the rules leave out that
/// the snapshot records of the table does not come. `about` are the only tables that the database's own bookkeeping is to be
/// about.
pub(super) fn read_as_dumped(
    source: &dyn Source,
    schema: &TableSchema,
    filters: &[Filter],
    about: Option<&[&str]>,
    observer: &dyn Observer,
    sink: &mut dyn RowSink,
) -> Result<()> {
    match about {
        Some(names) if schema.role == roles::INTERNAL => source.read_internal(schema, names, sink),
        _ => read_filtered(source, schema, filters, observer, sink).map(|_| ()),
    }
}

/// Rows of a source that can be read several times.
pub(super) struct SourceRows<'r> {
    pub(super) read: &'r dyn Fn(&mut dyn RowSink) -> Result<()>,
    pub(super) observer: &'r dyn Observer,
}

impl Rows for SourceRows<'_> {
    fn read(&self, visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
        let mut rows = 0_u64;
        (self.read)(&mut |row: &[Cell<'_>]| {
            rows += 1;
            if rows.is_multiple_of(ROWS_AT_ONCE) {
                check_cancelled(self.observer)?;
                self.observer.advance(ROWS_AT_ONCE, 0);
            }
            visit(row)
        })
    }
}

/// Takes the rows of a source, cuts them into row groups and lays each beside those of a snapshot as soon as it is full.
pub(super) struct Comparing<'c, 't, 'a, 'p, 's, 'k> {
    grouper: RowGrouper,
    before: SnapshotGroups<'t, 'a>,
    after: SourceGroups<'c>,
    merge: Merge<'c, 'p, 's, 'k>,
    rows: u64,
    observer: &'c dyn Observer,
}

impl<'c, 't, 'a, 'p, 's, 'k> Comparing<'c, 't, 'a, 'p, 's, 'k> {
    pub(super) fn new(
        table: &'t Table<'a>,
        pairing: &'c Pairing<'s>,
        tally: &'c mut Tally<'p, 's, 'k>,
        observer: &'c dyn Observer,
    ) -> Self {
        Self {
            grouper: RowGrouper::new(pairing.after),
            before: SnapshotGroups::new(table.walk()),
            after: SourceGroups { schema: pairing.after, next: None },
            merge: Merge::new(tally, observer),
            rows: 0,
            observer,
        }
    }

    fn take(&mut self, group: RowGroup) -> Result<()> {
        self.after.next = Some(Next::of(self.after.schema, group));
        // Not to the end: what is left of the snapshot may belong to rows that are still to come.
        while self.after.next.is_some() || self.merge.has_rest_after() {
            self.merge.step(&mut self.before, &mut self.after)?;
        }
        Ok(())
    }

    /// After the last row; gives their number.
    pub(super) fn finish(mut self) -> Result<u64> {
        if let Some(group) = self.grouper.take() {
            self.take(group)?;
        }
        while self.merge.step(&mut self.before, &mut self.after)? {}
        Ok(self.rows)
    }
}

impl RowSink for Comparing<'_, '_, '_, '_, '_, '_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_AT_ONCE) {
            check_cancelled(self.observer)?;
        }
        match self.grouper.push(cells)? {
            Some(group) => self.take(group),
            None => Ok(()),
        }
    }

    fn rows(&mut self, rows: &RowGroup) -> Result<()> {
        self.rows += u64::from(rows.rows());
        check_cancelled(self.observer)?;
        let mut complete = Vec::new();
        self.grouper.push_rows(rows, |group| {
            complete.push(group);
            Ok(())
        })?;
        complete.into_iter().try_for_each(|group| self.take(group))
    }
}

/// The row group of a source that was filled last.
struct SourceGroups<'s> {
    schema: &'s TableSchema,
    next: Option<Next>,
}

struct Next {
    facts: Facts,
    columns: Vec<Arc<Cells>>,
}

impl Next {
    fn of(schema: &TableSchema, group: RowGroup) -> Self {
        let key = |cell: fn(&Cells) -> Option<Cell<'_>>| -> Vec<Bound> {
            let parts = schema.key.iter().filter_map(|part| group.columns().get(part.column as usize));
            parts.filter_map(|cells| cell(cells).map(|cell| Bound::of(&cell))).collect()
        };
        let facts = Facts {
            rows: group.rows(),
            first_key: key(Cells::first),
            last_key: key(Cells::last),
            contents: content_digests(&group),
        };
        Self { facts, columns: group.into_columns().into_iter().map(Arc::new).collect() }
    }
}

impl Groups for SourceGroups<'_> {
    fn peek(&mut self) -> Result<Option<&Facts>> {
        Ok(self.next.as_ref().map(|next| &next.facts))
    }

    fn read(&mut self, columns: &[usize]) -> Result<Vec<Arc<Cells>>> {
        let Some(next) = &self.next else { return Ok(Vec::new()) };
        let missing = |column: &usize| Error::request(format!("the table has no column number {column}"));
        let column = |column: &usize| next.columns.get(*column).cloned().ok_or_else(|| missing(column));
        columns.iter().map(column).collect()
    }

    fn pass(&mut self) -> Result<()> {
        self.next = None;
        Ok(())
    }

    /// What comes is not known.
    fn is_ahead(&mut self, _: &[Bound]) -> Result<bool> {
        Ok(false)
    }
}
