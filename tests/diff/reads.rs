//! What it costs to compare: what both snapshots share is not read.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use tabark::archive::{Archive, SnapshotSelector};
use tabark::container::ReadStorage;
use tabark::diff::{ChangeSink, RowChange, diff};
use tabark::model::Value;
use tabark::selection::Selection;

use super::int;
use super::tables::{TestTable, fixed_options, header, schema, with_snapshot};

/// An archive in memory that notes where it is read.
struct Noting {
    bytes: Vec<u8>,
    offsets: Mutex<Vec<u64>>,
}

impl ReadStorage for Noting {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        self.offsets.lock().unwrap().push(offset);
        self.bytes.read(offset, length)
    }
}

const ROWS: i64 = 500_000;

/// Texts that hardly compress, of which some rows and columns are changed.
fn noisy(name: &str, changed: &[(usize, usize)]) -> TestTable {
    let mut state = 1_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Value::Integer(state.cast_signed())
    };
    let mut rows: Vec<Vec<Value>> = (0..ROWS).map(|id| vec![int(id), noise(), noise()]).collect();
    for (row, column) in changed {
        rows[*row][*column] = int(7);
    }
    TestTable { schema: schema(name, &["id", "a", "b"], &[0]), rows }
}

/// Row groups and columns of both states whose data frames were read while snapshots 1 and 2 were compared, and the rows
/// that differ.
fn read_of(before: &[TestTable], after: &[TestTable], rows: bool) -> (BTreeSet<(u64, usize)>, u64) {
    let bytes = with_snapshot(Vec::new(), header(1), before, fixed_options(1));
    let bytes = with_snapshot(bytes, header(2), after, fixed_options(1));
    let storage = Arc::new(Noting { bytes, offsets: Mutex::default() });
    let archive = Archive::from_storage(storage.clone()).unwrap();
    let at = |number| archive.select(&SnapshotSelector::Number(number)).unwrap();
    let (before, after) = (at(1), at(2));
    storage.offsets.lock().unwrap().clear();
    let mut sink = |_: &RowChange<'_>| Ok(());
    let sink: Option<&mut dyn ChangeSink> = if rows { Some(&mut sink) } else { None };
    let report = diff(&before, &after, &Selection::everything(), sink, &()).unwrap();
    let read: BTreeSet<u64> = storage.offsets.lock().unwrap().drain(..).collect();
    let mut columns = BTreeSet::new();
    for snapshot in [&before, &after] {
        for entry in &snapshot.catalog().tables {
            for place in snapshot.open_table(entry).unwrap().groups() {
                let place = place.unwrap();
                for (column, block) in place.entry.blocks.iter().enumerate() {
                    let frames = block.pieces.iter().filter_map(|piece| place.frame_of(&piece.slice));
                    // Small blocks stand in one frame, and are read together: the keys, of which hardly anything is stored.
                    let is_small = block.pieces.iter().all(|piece| piece.slice.length < 10_000);
                    if !is_small && { frames }.any(|frame| read.contains(&frame.offset)) {
                        columns.insert((place.number, column));
                    }
                }
            }
        }
    }
    let changed = report.tables.iter().map(|table| table.rows.changed + table.rows.added + table.rows.removed).sum();
    (columns, changed)
}

#[test]
fn a_table_that_is_the_same_is_not_read() {
    for rows in [false, true] {
        let (read, changed) = read_of(&[noisy("t", &[])], &[noisy("t", &[])], rows);
        assert_eq!((read.len(), changed), (0, 0));
    }
}

#[test]
fn a_small_change_costs_its_row_group_and_columns() {
    let last = usize::try_from(ROWS - 1).unwrap();
    let (read, changed) = read_of(&[noisy("t", &[])], &[noisy("t", &[(0, 1), (1, 1)])], false);
    assert_eq!((read, changed), (BTreeSet::from([(0, 1)]), 2));
    let (read, changed) = read_of(&[noisy("t", &[])], &[noisy("t", &[(last, 2)])], true);
    let group = read.first().unwrap().0;
    assert!(group > 3, "the last of several row groups");
    assert_eq!((read, changed), (BTreeSet::from([(group, 2)]), 1));
}

#[test]
fn rows_at_the_end_cost_the_last_row_group() {
    let mut more = noisy("t", &[]);
    more.rows.extend((ROWS..ROWS + 3).map(|id| vec![int(id), int(0), int(0)]));
    let (read, changed) = read_of(&[noisy("t", &[])], &[more], false);
    let groups: BTreeSet<u64> = read.iter().map(|(group, _)| *group).collect();
    assert_eq!((groups.len(), changed), (1, 3), "{read:?}");
}

#[test]
fn tables_that_come_and_go_are_counted_without_being_read() {
    let (read, changed) = read_of(&[noisy("old", &[])], &[noisy("new", &[])], false);
    assert_eq!((read.len(), changed), (0, 2 * ROWS.unsigned_abs()));
}
