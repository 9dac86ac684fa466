//! Rows that a rule drops: the others stay, cut as if there had been no more.

use proptest::prelude::*;
use tabark::Result;
use tabark::archive::{SnapshotSelector, SnapshotSummary, WriterOptions};
use tabark::model::{Cell, RowGroup, TableSchema};
use tabark::rewrite::{Kept, RowRule, rewrite};

use super::model::Evolving;
use super::tables::{TestTable, open, rows_of};
use super::{Scene, files, options};

/// Drops the rows whose id, divided by something, leaves a certain rest; and those of a run of ids.
#[derive(Debug, Clone, Copy)]
struct ByNumber {
    every: i64,
    run: (i64, i64),
}

impl ByNumber {
    fn goes(self, id: i64) -> bool {
        (self.every > 0 && id % self.every == 1) || (self.run.0..self.run.1).contains(&id)
    }
}

fn id_of(cell: &Cell<'_>) -> i64 {
    match cell {
        Cell::Integer(id) => *id,
        _ => i64::MIN,
    }
}

impl RowRule for ByNumber {
    fn columns(&mut self, _: &SnapshotSummary, table: &TableSchema) -> Result<Option<Vec<usize>>> {
        Ok(table.columns.iter().position(|column| column.name == "id").map(|column| vec![column]))
    }

    fn rows_to_drop(&mut self, group: &RowGroup) -> Result<Vec<u32>> {
        let ids = group.columns()[0].iter();
        Ok((0..).zip(ids).filter(|(_, id)| self.goes(id_of(id))).map(|(number, _)| number).collect())
    }
}

fn without(state: &TestTable, rule: ByNumber) -> TestTable {
    let mut left = state.clone();
    left.rows.retain(|row| !rule.goes(id_of(&row[0].as_cell())));
    left
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stays_is_as_if_it_had_always_been_all(
        evolving in any::<Evolving>(),
        every in 0_i64..5000,
        from in 0_i64..100_000,
        length in prop_oneof![0_i64..10, 0_i64..100_000],
    ) {
        let scene = Scene::new(evolving.states());
        let mut rule = ByNumber { every, run: (from, from + length) };
        let left: Vec<TestTable> = scene.states.iter().map(|state| without(state, rule)).collect();
        let report = rewrite(&scene.path(), Kept::All, Some(&mut rule), WriterOptions::default(), &()).unwrap();
        let archive = open(&scene.bytes());
        files::assert_intact(&archive);
        let own = open(&files::archive_of(&left, options()));
        // Fingerprints depend on where row groups are cut.
        prop_assert_eq!(files::fingerprints(&archive), files::fingerprints(&own));
        for ((number, left), rewritten) in (1..).zip(&left).zip(&report.snapshots) {
            prop_assert!(left.has_rows(&rows_of(&archive, number, "t").unwrap()), "snapshot {}", number);
            let lost = scene.states[usize::try_from(number).unwrap() - 1].rows.len() - left.rows.len();
            prop_assert_eq!(rewritten.rows_dropped.iter().map(|(_, rows)| *rows).sum::<u64>(), lost as u64);
        }
    }
}

#[test]
fn a_group_passes_whole_where_nothing_of_it_goes() {
    let mut evolving = Evolving::large(1);
    evolving.set_rows(300_000);
    let scene = Scene::new(evolving.states());
    let groups = |bytes: &[u8]| -> Vec<u64> {
        let archive = open(bytes);
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        snapshot.table("t").unwrap().groups().map(|place| place.unwrap().entry.rows).collect()
    };
    let before = groups(&scene.bytes());
    assert!(before.len() > 3, "{before:?}");
    // The first row of the second group: the first one goes on until the next cut.
    let first = usize::try_from(before[0]).unwrap();
    let id = id_of(&scene.states[0].rows[first][0].as_cell());
    let mut rule = ByNumber { every: 0, run: (id, id + 1) };
    rewrite(&scene.path(), Kept::All, Some(&mut rule), WriterOptions::default(), &()).unwrap();
    let after = groups(&scene.bytes());
    assert_eq!(after.iter().sum::<u64>() + 1, before.iter().sum::<u64>());
    assert_ne!(after[0], before[0]);
    assert_eq!(after.last(), before.last(), "in step again");
    files::assert_intact(&open(&scene.bytes()));
}
