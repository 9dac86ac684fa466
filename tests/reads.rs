//! What reading costs: bytes and places read are counted, so that opening stays O(1) and a table costs itself alone.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/tables.rs"]
mod tables;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use tabark::archive::{Archive, ArchiveWriter, Snapshot, SnapshotSelector, VerifyOptions, verify};
use tabark::container::{ReadStorage, WriteStorage};
use tabark::model::Value;
use tabark::selection::Selection;
use tables::{TestTable, fixed_options, header, schema, with_snapshot};

/// An archive in memory that counts what is read of it.
#[derive(Default)]
struct Counting {
    bytes: Vec<u8>,
    reads: AtomicU64,
    read: AtomicU64,
    /// Ends of reads, so that what begins where another ended is no other place.
    ends: Mutex<BTreeSet<u64>>,
    places: AtomicU64,
}

/// Reads and bytes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Cost {
    reads: u64,
    bytes: u64,
}

impl Counting {
    fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { bytes, ..Self::default() })
    }

    /// Places that were read: a frame's header and its body are one.
    fn places(&self) -> u64 {
        self.places.load(Ordering::Relaxed)
    }

    /// What was read since the last call.
    fn cost(&self) -> Cost {
        Cost { reads: self.reads.swap(0, Ordering::Relaxed), bytes: self.read.swap(0, Ordering::Relaxed) }
    }
}

impl ReadStorage for Counting {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        let mut ends = self.ends.lock().unwrap();
        if !ends.range(offset..=offset + length as u64).any(|_| true) {
            self.places.fetch_add(1, Ordering::Relaxed);
        }
        ends.insert(offset + length as u64);
        drop(ends);
        self.bytes.read(offset, length)
    }
}

/// A table of one row.
fn tiny(value: i64) -> TestTable {
    TestTable { schema: schema("tiny", &["id"], &[0]), rows: vec![vec![Value::Integer(value)]] }
}

/// A table of texts that hardly compress.
fn noisy(name: &str, rows: i64) -> TestTable {
    let mut state = 1_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Value::Bytes(state.to_be_bytes().to_vec())
    };
    let rows = (0..rows).map(|id| vec![Value::Integer(id), noise(), noise()]).collect();
    TestTable { schema: schema(name, &["id", "a", "b"], &[0]), rows }
}

fn read_all(snapshot: &Snapshot<'_>, table: &str) -> u64 {
    let table = snapshot.table(table).unwrap();
    let columns: Vec<usize> = (0..table.schema().columns.len()).collect();
    table.scan(&columns).map(|group| u64::from(group.unwrap().rows())).sum()
}

/// Bytes of the data frames that a table's rows come from.
fn own_frames(snapshot: &Snapshot<'_>, table: &str, columns: &[usize]) -> u64 {
    let table = snapshot.table(table).unwrap();
    let mut frames = BTreeSet::new();
    for group in table.groups() {
        let group = group.unwrap();
        frames.extend(columns.iter().map(|column| {
            let frame = group.frame_of(&group.entry.blocks.get(*column).unwrap().base().unwrap().slice).unwrap();
            (frame.offset, frame.length)
        }));
    }
    frames.iter().map(|(_, length)| length).sum()
}

/// Everything but data frames that a small table may cost: header, commit, manifests, pages.
const METADATA: u64 = 64 << 10;

#[test]
fn a_small_table_beside_a_big_one_costs_itself_alone() {
    let big = noisy("big", 400_000);
    let bytes = with_snapshot(Vec::new(), header(1), &[noisy("small", 500), big, tiny(1)], fixed_options(1));
    assert!(bytes.len() > 6 << 20, "{} bytes are no big archive", bytes.len());
    for (table, rows) in [("small", 500), ("tiny", 1)] {
        let storage = Counting::new(bytes.clone());
        let archive = Archive::from_storage(storage.clone()).unwrap();
        let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
        assert_eq!(read_all(&snapshot, table), rows);
        let cost = storage.cost();
        let own = own_frames(&snapshot, table, &[0]);
        assert!(cost.bytes <= own + METADATA, "{table}: {cost:?}, of which {own} bytes are its own");
    }
}

#[test]
fn one_column_costs_itself_alone() {
    let bytes = with_snapshot(Vec::new(), header(1), &[noisy("big", 400_000)], fixed_options(1));
    let storage = Counting::new(bytes);
    let archive = Archive::from_storage(storage.clone()).unwrap();
    let snapshot = archive.select(&SnapshotSelector::Latest).unwrap();
    let table = snapshot.table("big").unwrap();
    assert_eq!(table.scan(&[0]).map(|group| u64::from(group.unwrap().rows())).sum::<u64>(), 400_000);
    let cost = storage.cost();
    let (own, all) = (own_frames(&snapshot, "big", &[0]), own_frames(&snapshot, "big", &[0, 1, 2]));
    assert!(own < all / 4, "the test's column is too big to tell");
    assert!(cost.bytes <= own + METADATA, "{cost:?}, of which {own} bytes are its own");
}

#[test]
fn verifying_one_table_reads_that_table_only() {
    let tables = [noisy("small", 500), noisy("big", 400_000)];
    let storage = Counting::new(with_snapshot(Vec::new(), header(1), &tables, fixed_options(1)));
    let archive = Archive::from_storage(storage.clone()).unwrap();
    let own = own_frames(&archive.select(&SnapshotSelector::Latest).unwrap(), "small", &[0, 1, 2]);
    for full in [false, true] {
        storage.cost();
        let options = VerifyOptions::default().full(full).tables(Selection::new(&["small"], &[]).unwrap());
        assert!(verify(&archive, &options, &()).unwrap().is_intact());
        let cost = storage.cost();
        // Full verification reads a frame to hash it and again to decode it.
        assert!(cost.bytes <= 6 * own + METADATA, "full {full}: {cost:?}, of which {own} bytes are its own");
        assert!(cost.bytes >= own, "{cost:?} is less than the table");
    }
}

/// An archive that is read while it is added to: ten thousand appends must not copy it ten thousand times.
#[derive(Clone, Default)]
struct Shared(Arc<RwLock<Vec<u8>>>);

impl ReadStorage for Shared {
    fn len(&self) -> u64 {
        self.0.read().unwrap().len() as u64
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        self.0.read().unwrap().read(offset, length).map(|bytes| Cow::Owned(bytes.into_owned()))
    }
}

impl WriteStorage for Shared {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self) -> tabark::Result<()> {
        Ok(())
    }

    fn abandon(&mut self) {}
}

/// An archive of so many snapshots of one row each.
fn many(snapshots: i64) -> Vec<u8> {
    let storage = Shared::default();
    for time in 1..=snapshots {
        let options = fixed_options(1);
        let writer = if time == 1 {
            ArchiveWriter::create(storage.clone(), options).unwrap()
        } else {
            let archive = Archive::from_storage(Arc::new(storage.clone())).unwrap();
            ArchiveWriter::append(storage.clone(), Arc::new(archive), options).unwrap()
        };
        let mut snapshot = writer.begin_snapshot(header(time * 1_000_000)).unwrap();
        let table = tiny(time);
        let mut rows = snapshot.begin_table(&table.schema).unwrap();
        table.send(&mut rows);
        rows.finish().unwrap();
        snapshot.commit().unwrap();
    }
    storage.0.read().unwrap().clone()
}

#[test]
fn opening_costs_the_same_for_any_number_of_snapshots() {
    let open = |bytes: Vec<u8>| {
        let storage = Counting::new(bytes);
        let archive = Archive::from_storage(storage.clone()).unwrap();
        let opened = storage.cost();
        let newest = archive.select(&SnapshotSelector::Latest).unwrap().summary().number;
        (newest, opened, storage.cost())
    };
    let (one, open_one, select_one) = open(many(1));
    let (all, open_all, select_all) = open(many(2_000));
    assert_eq!((one, all), (1, 2_000));
    assert_eq!(open_one, open_all);
    assert!(open_all.reads <= 4 && open_all.bytes <= 1024, "{open_all:?}");
    assert_eq!(select_one.reads, select_all.reads);
    assert!(select_all.bytes <= METADATA, "{select_all:?}");
}

#[test]
fn ten_thousand_snapshots_are_listed_from_three_hundred_places() {
    let storage = Counting::new(many(10_000));
    let archive = Archive::from_storage(storage.clone()).unwrap();
    let list = archive.snapshots().unwrap();
    let cost = storage.cost();
    assert_eq!(list.len(), 10_000);
    assert!(list.iter().zip(1..).all(|(snapshot, number)| {
        snapshot.number == number && snapshot.tags == [("n".to_owned(), (number * 1_000_000).to_string())]
    }));
    // Of each history page header and body, of each commit since the newest page header, frame and manifest.
    let (pages, since) = (10_000 / 64, 10_000 % 64);
    assert!(cost.reads <= 2 * pages + 5 * (since + 64), "{cost:?}");
    assert!(storage.places() <= 300, "{} places", storage.places());
    assert!(cost.bytes < storage.len() / 4, "{cost:?} of {}", storage.len());
    let found = archive.select(&"tag:n=5000000".parse().unwrap()).unwrap();
    assert_eq!(found.summary().number, 5);
}
