//! Archives in memory: what is written is read, and every damage is seen.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tabark::archive::{Archive, ArchiveWriter, SnapshotHeader, SnapshotSelector, VerifyOptions, WriterOptions, verify};
use tabark::container::{Memory, ReadStorage};
use tabark::model::{Cell, Column, KeyPart, RowGroup, SourceDescription, TableSchema};
use tabark::observer::Observer;
use tabark::source::RowSink;

fn schema(name: &str, columns: &[&str], keyed: bool) -> TableSchema {
    TableSchema {
        name: name.into(),
        role: "table".into(),
        definition: format!("CREATE TABLE {name} ({})", columns.join(", ")),
        position: 1,
        columns: columns
            .iter()
            .map(|column| Column {
                name: (*column).into(),
                declared_type: String::new(),
                logical: 0,
                nullable: true,
                hidden: false,
            })
            .collect(),
        generated: vec![],
        key: if keyed { vec![KeyPart { column: 0, descending: false, collation: "BINARY".into() }] } else { vec![] },
        options: vec![],
        attached: vec![],
    }
}

fn header(time: i64) -> SnapshotHeader {
    SnapshotHeader {
        time,
        tags: vec![("n".into(), time.to_string())],
        source: SourceDescription {
            engine: "sqlite".into(),
            engine_version: "3".into(),
            name: "test.sqlite".into(),
            settings: vec![],
        },
        writer: "test".into(),
        omitted: vec![],
    }
}

/// Adds a snapshot of two small tables; `salt` makes the rows differ between snapshots.
fn add_snapshot(storage: &mut Memory, time: i64, rows: i64, salt: i64) {
    let options = WriterOptions::default().with_archive_id([7; 16]);
    let previous = storage.bytes.clone();
    let writer = if previous.is_empty() {
        ArchiveWriter::create(storage, options).unwrap()
    } else {
        let archive = Archive::from_storage(Arc::new(previous)).unwrap();
        ArchiveWriter::append(storage, Arc::new(archive), options).unwrap()
    };
    let mut snapshot = writer.begin_snapshot(header(time)).unwrap();
    let mut table = snapshot.begin_table(&schema("users", &["id", "name", "note"], true)).unwrap();
    for id in 0..rows {
        let name = format!("user {} {}", id * 7919 % 1000, salt);
        let note = if id % 3 == 0 { Cell::Null } else { Cell::Real(id as f64 / 3.0) };
        table.row(&[Cell::Integer(id), Cell::Text(name.as_bytes()), note]).unwrap();
    }
    table.finish().unwrap();
    let mut table = snapshot.begin_table(&schema("places", &["raw"], false)).unwrap();
    table.row(&[Cell::Bytes(b"\0\xff")]).unwrap();
    table.row(&[Cell::RawText(b"\xff\xfe")]).unwrap();
    table.finish().unwrap();
    snapshot.begin_table(&schema("empty", &["a", "b"], false)).unwrap().finish().unwrap();
    snapshot.commit().unwrap();
}

fn rows_of(archive: &Archive, at: &SnapshotSelector, name: &str) -> tabark::Result<Vec<String>> {
    let snapshot = archive.select(at)?;
    let table = snapshot.table(name)?;
    let columns: Vec<usize> = (0..table.schema().columns.len()).collect();
    let mut rows = Vec::new();
    for group in table.scan(&columns) {
        let group: RowGroup = group?;
        group.for_each_row(|row| {
            rows.push(format!("{row:?}"));
            Ok(())
        })?;
    }
    Ok(rows)
}

fn small_archive() -> Vec<u8> {
    let mut storage = Memory::default();
    add_snapshot(&mut storage, 1, 40, 1);
    add_snapshot(&mut storage, 2, 50, 2);
    storage.bytes
}

fn all_rows(bytes: &[u8], number: u64) -> tabark::Result<Vec<Vec<String>>> {
    let archive = Archive::from_storage(Arc::new(bytes.to_vec()))?;
    ["users", "places", "empty"]
        .into_iter()
        .map(|name| rows_of(&archive, &SnapshotSelector::Number(number), name))
        .collect()
}

fn is_intact(bytes: &[u8], full: bool) -> bool {
    let Ok(archive) = Archive::from_storage(Arc::new(bytes.to_vec())) else { return false };
    match verify(&archive, &VerifyOptions::default().full(full), &()) {
        Ok(report) => report.is_intact(),
        Err(_) => false,
    }
}

#[test]
fn what_is_written_is_read() {
    let bytes = small_archive();
    let first = all_rows(&bytes, 1).unwrap();
    let second = all_rows(&bytes, 2).unwrap();
    assert_eq!((first[0].len(), second[0].len()), (40, 50));
    assert!(first[0][1].contains("Integer(1)"), "{}", first[0][1]);
    assert_eq!(first[1], ["[Bytes([0, 255])]", "[RawText([255, 254])]"]);
    assert!(first[2].is_empty());
    assert!(is_intact(&bytes, false) && is_intact(&bytes, true));
}

#[test]
fn every_flipped_byte_is_reported() {
    let bytes = small_archive();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        assert!(!is_intact(&damaged, false), "a flip at byte {place} of {} went unnoticed", bytes.len());
    }
}

#[test]
fn a_cut_at_any_length_leaves_the_last_commit_or_is_reported() {
    let mut storage = Memory::default();
    add_snapshot(&mut storage, 1, 40, 1);
    let first_end = storage.bytes.len();
    let expected = all_rows(&storage.bytes, 1).unwrap();
    let bytes = small_archive();
    assert_eq!(bytes[..first_end], storage.bytes[..]);
    for length in 0..bytes.len() {
        let cut = &bytes[..length];
        if length < first_end {
            let error = Archive::from_storage(Arc::new(cut.to_vec())).err().unwrap();
            assert!(error.is_damaged(), "{length}");
        } else {
            assert_eq!(all_rows(cut, 1).unwrap(), expected, "{length}");
            assert_eq!(is_intact(cut, false), length == first_end, "{length}");
        }
    }
}

#[test]
fn a_cut_or_failed_append_is_cleared_by_the_next_one() {
    let bytes = small_archive();
    let mut storage = Memory::default();
    add_snapshot(&mut storage, 1, 40, 1);
    let end = storage.bytes.len();
    let mut again = Memory::new(bytes[..end].to_vec());
    add_snapshot(&mut again, 2, 50, 2);
    assert_eq!(again.bytes, bytes, "the same rows give the same bytes");
}

#[test]
fn a_thousand_snapshots_are_listed_from_few_places() {
    let mut storage = Memory::default();
    for time in 1..=300 {
        add_snapshot(&mut storage, time * 1_000_000, 1, time);
    }
    let archive = Archive::from_storage(Arc::new(storage.bytes.clone())).unwrap();
    let list = archive.snapshots().unwrap();
    assert_eq!(list.len(), 300);
    assert!(list.iter().zip(1..).all(|(snapshot, number)| snapshot.number == number));
    assert_eq!(list[4].tags, [("n".to_owned(), "5000000".to_owned())]);
    assert_eq!(rows_of(&archive, &"tag:n=5000000".parse().unwrap(), "users").unwrap().len(), 1);
    assert!(is_intact(&storage.bytes, true));
}

#[test]
fn one_damaged_manifest_does_not_take_other_snapshots_along() {
    let mut storage = Memory::default();
    for time in 1..=4 {
        add_snapshot(&mut storage, time, 10, time);
    }
    let archive = Archive::from_storage(Arc::new(storage.bytes.clone())).unwrap();
    let second = archive.snapshots().unwrap()[1].clone();
    let mut damaged = storage.bytes.clone();
    damaged[usize::try_from(second.manifest.offset + 110).unwrap()] ^= 1;
    let archive = Archive::from_storage(Arc::new(damaged)).unwrap();
    let list = archive.list().unwrap();
    assert_eq!(list.snapshots.iter().map(|snapshot| snapshot.number).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(list.damaged.len(), 1);
    assert!(archive.snapshots().unwrap_err().is_damaged());
    for number in [1, 3, 4] {
        assert_eq!(rows_of(&archive, &SnapshotSelector::Number(number), "users").unwrap().len(), 10);
    }
    assert!(archive.select(&SnapshotSelector::Number(2)).unwrap_err().is_damaged());
    // It might have been the one: nothing is guessed.
    assert!(archive.select(&"tag:n=1".parse().unwrap()).unwrap_err().is_damaged());
    let report = verify(&archive, &VerifyOptions::default(), &()).unwrap();
    assert_eq!((report.snapshots, report.tables.iter().all(|table| table.intact)), (3, true));
    assert!(!report.is_intact());
}

/// Wants to stop once it was asked so many times.
struct StopsAfter(usize, AtomicUsize);

impl Observer for StopsAfter {
    fn is_cancelled(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed) >= self.0
    }
}

#[test]
fn a_verification_ends_whenever_it_is_told_to() {
    let archive = Archive::from_storage(Arc::new(small_archive())).unwrap();
    let run = |asked_before| {
        let observer = StopsAfter(asked_before, AtomicUsize::new(0));
        let report = verify(&archive, &VerifyOptions::default(), &observer);
        (report, observer.1.into_inner())
    };
    let (report, asked) = run(usize::MAX);
    let frames = report.unwrap().frames;
    assert!(asked as u64 > frames, "asked {asked} times in {frames} frames");
    for asked_before in 0..asked {
        assert!(run(asked_before).0.unwrap_err().is_interrupted(), "after {asked_before} times");
    }
}

/// A medium with a byte that cannot be read.
struct BadSector {
    bytes: Vec<u8>,
    place: u64,
}

impl ReadStorage for BadSector {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, offset: u64, length: usize) -> std::io::Result<Cow<'_, [u8]>> {
        if (offset..offset.saturating_add(length as u64)).contains(&self.place) {
            return Err(std::io::Error::other("a bad sector"));
        }
        self.bytes.read(offset, length)
    }
}

#[test]
fn a_medium_that_fails_is_no_damage_and_ends_the_verification() {
    let bytes = small_archive();
    for place in 0..bytes.len() as u64 {
        let storage = Arc::new(BadSector { bytes: bytes.clone(), place });
        let verified =
            Archive::from_storage(storage).and_then(|archive| verify(&archive, &VerifyOptions::default(), &()));
        assert!(verified.unwrap_err().is_io(), "byte {place}");
    }
}
