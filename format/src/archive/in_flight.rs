//! Row groups under way: their columns are worked on by several threads, and come back group by group in order.

use std::collections::VecDeque;
use std::sync::Arc;

use super::workers::{Ticket, Workers};
use crate::model::{Cells, RowGroup};

/// Bytes of cells and blocks that may be under way, beside the row group that is being filled: enough for every core to
/// have a few columns, and few enough that a dump stays far below 300 MB. One row group may always be under way, however
/// large it is.
const BYTES_UNDER_WAY: u64 = 48 << 20;

/// Columns are handed on in parts of at least so many bytes, and smaller row groups not at all: handing on takes some
/// microseconds, encoding and compressing so many bytes takes hundreds.
const PART_BYTES: u64 = 64 << 10;

/// What is done with a column: its number, its cells (or what else it is worked out from).
pub(super) type ColumnWork<T, C = Cells> = Arc<dyn Fn(usize, C) -> T + Send + Sync>;

/// Row groups under way, each with what the caller wants to know of it later.
pub(super) struct InFlight<M, T> {
    groups: VecDeque<Group<M, T>>,
    bytes: u64,
}

struct Group<M, T> {
    meta: M,
    bytes: u64,
    parts: Vec<Part<T>>,
}

/// Some neighbouring columns.
enum Part<T> {
    Done(Vec<T>),
    UnderWay(Ticket<Vec<T>>),
}

impl<M, T: Send + 'static> InFlight<M, T> {
    pub(super) fn new() -> Self {
        Self { groups: VecDeque::new(), bytes: 0 }
    }

    /// Must the next row group, of so many bytes, wait for those under way and for so many bytes `besides`?
    pub(super) fn is_full_for(&self, bytes: u64, besides: u64) -> bool {
        let under_way = self.bytes.saturating_add(besides);
        under_way > 0 && under_way.saturating_add(bytes) > BYTES_UNDER_WAY
    }

    /// Hands the columns of a row group on. What is too small for that is done here and now.
    pub(super) fn push(&mut self, workers: &mut Workers, meta: M, group: RowGroup, work: &ColumnWork<T>) {
        let columns = group.into_columns().into_iter().map(|cells| (cells.logical_bytes(), cells)).collect();
        self.push_columns(workers, meta, columns, work);
    }

    /// The same with columns of whatever sort, each with its bytes.
    pub(super) fn push_columns<C: Send + 'static>(
        &mut self,
        workers: &mut Workers,
        meta: M,
        columns: Vec<(u64, C)>,
        work: &ColumnWork<T, C>,
    ) {
        let bytes = columns.iter().map(|(bytes, _)| bytes).sum();
        let columns = columns.into_iter().enumerate();
        let parts = if workers.is_alone() || bytes < PART_BYTES {
            vec![Part::Done(columns.map(|(column, (_, cells))| work(column, cells)).collect())]
        } else {
            hand_on(workers, columns, work)
        };
        self.bytes += bytes;
        self.groups.push_back(Group { meta, bytes, parts });
    }

    /// The first row group, if all its columns are done.
    pub(super) fn next_done(&mut self, workers: &Workers) -> Option<(M, Vec<T>)> {
        let done = |part: &Part<T>| match part {
            Part::Done(_) => true,
            Part::UnderWay(ticket) => ticket.is_done(),
        };
        // The last column is the last one that somebody began.
        if self.groups.front()?.parts.iter().rev().all(done) { self.next(workers) } else { None }
    }

    /// The first row group, as soon as all its columns are done; `None` if nothing is under way.
    pub(super) fn next(&mut self, workers: &Workers) -> Option<(M, Vec<T>)> {
        let Group { meta, bytes, parts } = self.groups.pop_front()?;
        self.bytes -= bytes;
        let mut results = Vec::new();
        for part in parts {
            match part {
                Part::Done(mut done) => results.append(&mut done),
                Part::UnderWay(ticket) => results.append(&mut workers.wait(ticket)),
            }
        }
        Some((meta, results))
    }
}

fn hand_on<T: Send + 'static, C: Send + 'static>(
    workers: &mut Workers,
    columns: impl Iterator<Item = (usize, (u64, C))>,
    work: &ColumnWork<T, C>,
) -> Vec<Part<T>> {
    let mut columns = columns.peekable();
    let mut parts = Vec::new();
    while columns.peek().is_some() {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while bytes < PART_BYTES
            && let Some((column, (size, cells))) = columns.next()
        {
            bytes += size;
            some.push((column, cells));
        }
        let work = Arc::clone(work);
        let job = move || some.into_iter().map(|(column, cells)| work(column, cells)).collect();
        parts.push(Part::UnderWay(workers.hand_on(job)));
    }
    parts
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::num::NonZero;

    use super::*;
    use crate::model::Cell;

    fn group(columns: usize, rows: i64) -> RowGroup {
        let mut group = RowGroup::new(columns);
        for row in 0..rows {
            group.push(&vec![Cell::Integer(row); columns]).unwrap();
        }
        group
    }

    #[test]
    fn groups_come_back_in_order_whatever_their_shape() {
        let shapes = [(3, 10), (300, 500), (1, 0), (0, 0), (2, 100_000), (40, 2_000), (1, 3)];
        for jobs in [1, 2, 5] {
            let mut workers = Workers::new(NonZero::new(jobs).unwrap());
            let mut in_flight = InFlight::new();
            let work: ColumnWork<_> = Arc::new(|column, cells: Cells| (column, cells.rows()));
            for (number, (columns, rows)) in shapes.into_iter().enumerate() {
                in_flight.push(&mut workers, number, group(columns, rows), &work);
            }
            assert!(in_flight.bytes > 2_000_000);
            for (number, (columns, rows)) in shapes.into_iter().enumerate() {
                let (meta, results) = in_flight.next(&workers).unwrap();
                assert_eq!(meta, number);
                let expected: Vec<_> = (0..columns).map(|column| (column, u32::try_from(rows).unwrap())).collect();
                assert_eq!(results, expected);
            }
            assert!(in_flight.next(&workers).is_none());
            assert_eq!(in_flight.bytes, 0);
        }
    }

    #[test]
    fn a_group_waits_for_room_unless_nothing_is_under_way() {
        let mut workers = Workers::new(NonZero::<usize>::MIN);
        let mut in_flight = InFlight::new();
        let work: ColumnWork<_> = Arc::new(|_, _| ());
        assert!(!in_flight.is_full_for(u64::MAX, 0) && in_flight.is_full_for(BYTES_UNDER_WAY, 1));
        in_flight.push(&mut workers, (), group(1, 100), &work);
        assert!(in_flight.is_full_for(BYTES_UNDER_WAY, 0) && !in_flight.is_full_for(BYTES_UNDER_WAY / 2, 0));
        assert!(in_flight.is_full_for(BYTES_UNDER_WAY / 2, BYTES_UNDER_WAY / 2));
        in_flight.next(&workers).unwrap();
        assert!(!in_flight.is_full_for(u64::MAX, 0));
    }

    #[test]
    fn small_groups_are_done_at_once() {
        let mut workers = Workers::new(NonZero::new(4).unwrap());
        let mut in_flight = InFlight::new();
        let here = std::thread::current().id();
        let work: ColumnWork<_> = Arc::new(|_, _| std::thread::current().id());
        in_flight.push(&mut workers, (), group(5, 100), &work);
        assert_eq!(in_flight.next_done(&workers), Some(((), vec![here; 5])));
        assert_eq!(in_flight.next_done(&workers), None);
    }
}
