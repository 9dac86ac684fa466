//! Arbitrary tables through archives: they come back to the last bit, and damage is seen, never believed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_sign_loss, reason = "tests")]

#[path = "properties/order.rs"]
mod order;
#[path = "properties/states.rs"]
mod states;
#[path = "properties/strategies.rs"]
mod strategies;
#[path = "common/tables.rs"]
mod tables;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use tabark::archive::{Archive, Fingerprinter, VerifyOptions, VerifyReport, verify};
use tabark::model::Value;
use tables::{TestTable, fixed_options, header, open, rows_of, schema, with_snapshot};

/// An archive of these snapshots, and the lengths at which each was committed.
fn archive_of(snapshots: &[Vec<TestTable>], level: i32) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for (tables, time) in snapshots.iter().zip(1..) {
        bytes = with_snapshot(bytes, header(time), tables, fixed_options(level));
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn verified(archive: &Archive) -> VerifyReport {
    verify(archive, &VerifyOptions::default().full(true), &()).unwrap()
}

/// Cases, so that the whole file takes well under a minute without optimisation.
fn cases(cases: u32) -> ProptestConfig {
    // No file of failures beside the sources: a failing case is printed, small enough to become a test of its own.
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn what_goes_in_comes_out(snapshots in vec(strategies::tables(30), 1..=4), level in 1..=9) {
        let (bytes, _) = archive_of(&snapshots, level);
        let archive = open(&bytes);
        prop_assert_eq!(archive.snapshots().unwrap().len(), snapshots.len());
        for (tables, number) in snapshots.iter().zip(1..) {
            for table in tables {
                let rows = rows_of(&archive, number, &table.schema.name).unwrap();
                prop_assert!(table.has_rows(&rows), "snapshot {}: {:?}", number, rows);
            }
        }
        let report = verified(&archive);
        prop_assert!(report.is_intact(), "{:?}", report.findings);
    }

    #[test]
    fn fingerprints_are_of_rows_alone(tables in strategies::tables(30), levels in (1..=4, 5..=19)) {
        let archives = [levels.0, levels.1].map(|level| open(&archive_of(std::slice::from_ref(&tables), level).0));
        let snapshots = archives.each_ref().map(|archive| archive.select(&"1".parse().unwrap()).unwrap());
        prop_assert_eq!(snapshots[0].manifest().fingerprint, snapshots[1].manifest().fingerprint);
        for table in &tables {
            let mut live = Fingerprinter::new(&table.schema);
            table.send(&mut live);
            let live = live.finish();
            prop_assert_eq!(live.rows, table.rows.len() as u64);
            for snapshot in &snapshots {
                let stored = snapshot.table(&table.schema.name).unwrap();
                let columns: Vec<_> = stored.manifest().columns.iter().map(|column| column.fingerprint).collect();
                prop_assert_eq!(stored.manifest().fingerprint, live.table);
                prop_assert_eq!(&columns, &live.columns);
            }
        }
    }

    #[test]
    fn another_cell_is_another_fingerprint(table in strategies::tables(8), pick in any::<proptest::sample::Index>()) {
        let Some(table) = table.into_iter().find(|table| !table.rows.is_empty() && !table.schema.columns.is_empty())
        else { return Ok(()) };
        let fingerprint = |table: &TestTable| {
            let mut live = Fingerprinter::new(&table.schema);
            table.send(&mut live);
            live.finish().table
        };
        let mut other = table.clone();
        let row = pick.index(other.rows.len());
        let column = pick.index(other.schema.columns.len());
        let cell = &mut other.rows[row][column];
        *cell = match cell {
            Value::Null => Value::Integer(0),
            Value::Integer(value) => Value::Real(f64::from_bits(value.cast_unsigned())),
            Value::Real(value) => Value::Real(f64::from_bits(value.to_bits() ^ 1)),
            Value::Text(bytes) => Value::Bytes(bytes.clone()),
            Value::Bytes(bytes) => Value::RawText(bytes.clone()),
            Value::RawText(bytes) => Value::RawText([&bytes[..], b"\0"].concat()),
        };
        prop_assert_ne!(fingerprint(&table), fingerprint(&other));
    }
}

/// What happens to a file in the world.
#[derive(Debug, Clone)]
enum Damage {
    /// Bytes at these places are combined with these others, none of which is zero.
    Flips(Vec<(prop::sample::Index, u8)>),
    /// The file ends here.
    Cut(prop::sample::Index),
    /// Something stands behind the end.
    Garbage(Vec<u8>),
    /// The end is written over by something else of any length.
    Tail(prop::sample::Index, Vec<u8>),
    /// A part of the file stands there twice.
    Repeated(prop::sample::Index, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        4 => vec((place(), 1_u8..), 1..=4).prop_map(Damage::Flips),
        1 => place().prop_map(Damage::Cut),
        1 => vec(any::<u8>(), 1..400).prop_map(Damage::Garbage),
        1 => (place(), vec(any::<u8>(), 0..400)).prop_map(|(at, bytes)| Damage::Tail(at, bytes)),
        1 => (place(), place()).prop_map(|(from, to)| Damage::Repeated(from, to)),
    ]
}

impl Damage {
    fn to(&self, bytes: &[u8]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        match self {
            Self::Flips(flips) => {
                for (at, by) in flips {
                    damaged[at.index(bytes.len())] ^= by;
                }
            }
            Self::Cut(at) => damaged.truncate(at.index(bytes.len())),
            Self::Garbage(garbage) => damaged.extend(garbage),
            Self::Tail(at, tail) => {
                damaged.truncate(at.index(bytes.len()));
                damaged.extend(tail);
            }
            Self::Repeated(from, to) => {
                let (a, b) = (from.index(bytes.len()), to.index(bytes.len()));
                damaged.extend(&bytes[a.min(b)..a.max(b)]);
            }
        }
        damaged
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn damage_is_seen_and_never_believed(
        snapshots in vec(strategies::tables(20), 1..=3),
        damages in vec(damage(), 24),
    ) {
        let (bytes, ends) = archive_of(&snapshots, 3);
        for damage in &damages {
            let damaged = damage.to(&bytes);
            let undamaged = ends.iter().any(|end| damaged == bytes[..*end]);
            let archive = match Archive::from_storage(Arc::new(damaged)) {
                Ok(archive) => archive,
                Err(error) => {
                    prop_assert!(error.is_damaged() && !undamaged, "{damage:?}: {error}");
                    continue;
                }
            };
            let intact = verified(&archive).is_intact();
            prop_assert_eq!(intact, undamaged, "{:?}", damage);
            // Whatever can be read, verified before or not, is what was written.
            for (tables, number) in snapshots.iter().zip(1..) {
                for table in tables {
                    if let Ok(rows) = rows_of(&archive, number, &table.schema.name) {
                        prop_assert!(table.has_rows(&rows), "{damage:?}: other rows than were written");
                    }
                }
            }
        }
    }
}

/// Row groups, pages and levels of pages: too many rows for a case of a property, so the rows follow from their number.
/// PostgreSQL has such tables: all that a row of theirs says is that it is there.
#[test]
fn rows_without_columns_come_and_go() {
    let schema = schema("nothing", &[], &[]);
    let counts = [5, 4, 4, 0, 7];
    let snapshots = counts.map(|rows| vec![TestTable { schema: schema.clone(), rows: vec![Vec::new(); rows] }]);
    let archive = open(&archive_of(&snapshots, 3).0);
    for (rows, number) in counts.into_iter().zip(1..) {
        assert_eq!(rows_of(&archive, number, &schema.name).unwrap(), vec![Vec::new(); rows]);
    }
    assert!(verified(&archive).is_intact());
}

#[test]
fn many_row_groups_come_back_at_every_level() {
    for (columns, key) in [(3, &[0][..]), (1, &[]), (0, &[])] {
        let names = &["id", "text", "mixed"][..columns];
        let row = |id: i64| {
            let cell = match id % 5 {
                0 => Value::Null,
                1 => Value::Text(format!("{}", id.wrapping_mul(0x9E37_79B9)).into_bytes()),
                2 => Value::Bytes(id.to_be_bytes()[(id % 7) as usize..].to_vec()),
                _ => Value::Real(id as f64 / 3.0),
            };
            [Value::Integer(2 * id), Value::Text(format!("row {id}").into_bytes()), cell][..columns].to_vec()
        };
        let table = TestTable { schema: schema("t", names, key), rows: (0..300_000).map(row).collect() };
        let mut fingerprints = Vec::new();
        for level in [1, 6] {
            let archive = open(&archive_of(&[vec![table.clone()]], level).0);
            assert!(table.has_rows(&rows_of(&archive, 1, "t").unwrap()));
            let report = verified(&archive);
            assert!(report.is_intact(), "{:?}", report.findings);
            fingerprints.push(archive.select(&"1".parse().unwrap()).unwrap().manifest().fingerprint);
        }
        assert_eq!(fingerprints[0], fingerprints[1]);
    }
}
