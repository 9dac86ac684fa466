//! Snapshots that stand on the one before: each is read as if it were alone, and costs what changed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "history/costs.rs"]
mod costs;
#[path = "history/damage.rs"]
mod damage;
#[path = "history/evolving.rs"]
mod evolving;
#[path = "common/tables.rs"]
mod tables;

use evolving::{Evolving, Shape};
use proptest::prelude::*;
use tabark::archive::{Archive, VerifyOptions, verify};
use tables::{TestTable, fixed_options, header, open, rows_of, with_snapshot};

/// Every snapshot holds the rows of its state, and nothing is wrong with the archive.
fn check(archive: &Archive, states: &[(u64, Vec<TestTable>)]) {
    for (number, tables) in states {
        for table in tables {
            let rows = rows_of(archive, *number, &table.schema.name).unwrap();
            assert!(table.has_rows(&rows), "table {} of snapshot {number}", table.schema.name);
        }
    }
    let report = verify(archive, &VerifyOptions::default().full(true), &()).unwrap();
    assert!(report.is_intact(), "{:?}", report.findings);
}

/// The archive of these states, one snapshot each.
fn archive_of(states: &[(u64, Vec<TestTable>)]) -> Vec<u8> {
    states.iter().fold(Vec::new(), |bytes, (number, tables)| {
        with_snapshot(bytes, header(i64::try_from(*number).unwrap()), tables, fixed_options(1))
    })
}

/// The most layers of any row group of a snapshot's table.
fn layers(archive: &Archive, number: u64, table: &str) -> usize {
    let snapshot = archive.select(&tabark::archive::SnapshotSelector::Number(number)).unwrap();
    let groups = snapshot.table(table).unwrap().groups().map(|group| group.unwrap().entry.layers.len());
    groups.max().unwrap_or(0)
}

/// Few cases, each of many states.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn any_evolution_is_kept_state_by_state(seed: u64, rows in 0..1500_usize, days in 1..14_u64) {
        let mut tables = Evolving::new(seed, rows);
        let states: Vec<_> = (1..=days).map(|number| (number, tables.next_state())).collect();
        check(&open(&archive_of(&states)), &states);
    }
}

#[test]
fn rows_of_several_groups_come_and_go() {
    let mut tables = Evolving::of_shape(7, 150_000, Shape::Narrow);
    let states: Vec<_> = (1..=6).map(|number| (number, tables.next_state())).collect();
    let archive = open(&archive_of(&states));
    check(&archive, &states);
    let last = &states.last().unwrap().1[0];
    assert!(layers(&archive, 6, &last.schema.name) > 1, "no row group of the last state has layers");
}

#[test]
fn chains_of_layers_end() {
    let mut tables = Evolving::of_shape(11, 400, Shape::Narrow);
    let mut states = Vec::new();
    for number in 1..=150 {
        tables.update(1);
        states.push((number, tables.state()));
    }
    let archive = open(&archive_of(&states));
    let depths: Vec<usize> = (1..=150).map(|number| layers(&archive, number, "narrow")).collect();
    assert!(depths.iter().any(|depth| *depth > 8), "{depths:?}");
    assert!(depths.iter().all(|depth| *depth <= 64), "{depths:?}");
    for number in [1, 2, 33, 64, 65, 100, 149, 150] {
        let rows = rows_of(&archive, number, "narrow").unwrap();
        assert!(states[usize::try_from(number).unwrap() - 1].1[0].has_rows(&rows));
    }
}

#[test]
fn the_bytes_do_not_depend_on_threads() {
    let mut tables = Evolving::of_shape(3, 60_000, Shape::Wide);
    let states: Vec<_> = (1_i64..=3).map(|number| (number, tables.next_state())).collect();
    let write = |jobs: usize| {
        let options = fixed_options(1).with_jobs(jobs.try_into().unwrap());
        states.iter().fold(Vec::new(), |bytes, (number, tables)| with_snapshot(bytes, header(*number), tables, options))
    };
    let alone = write(1);
    assert!(alone == write(2) && alone == write(4));
}
