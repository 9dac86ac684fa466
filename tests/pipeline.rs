//! Many threads write an archive: the bytes do not depend on them, an error stops all, and memory is bounded.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "common/tables.rs"]
mod tables;

use std::cell::{Cell as Counter, RefCell};
use std::io;
use std::num::NonZero;
use std::rc::Rc;

use tabark::archive::{ArchiveWriter, Fingerprinter, SnapshotSelector, SnapshotWriter, VerifyOptions, verify};
use tabark::container::{Memory, WriteStorage};
use tabark::model::{Cell, RowSink, TableSchema};
use tables::{fixed_options, header, open, schema};

/// Numbers that look random.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes()).flatten().take(length).collect()
    }
}

/// A table: its schema, and what sends its rows.
struct Shape {
    schema: TableSchema,
    send: fn(&mut dyn RowSink) -> tabark::Result<()>,
}

fn shape(name: &str, columns: usize, keyed: bool, send: fn(&mut dyn RowSink) -> tabark::Result<()>) -> Shape {
    let names: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Shape { schema: schema(name, &names, if keyed { &[0] } else { &[] }), send }
}

/// Several row groups of columns of all sizes, some of which get frames of their own and some of which share.
fn many_rows(sink: &mut dyn RowSink) -> tabark::Result<()> {
    let mut noise = Noise(1);
    for id in 0..140_000 {
        let number = noise.next();
        let text = format!("{}", number % 1000);
        let maybe = if number.is_multiple_of(5) { Cell::Null } else { Cell::Real((number % 100) as f64 / 4.0) };
        sink.row(&[
            Cell::Integer(id),
            Cell::Integer(number.cast_signed()),
            Cell::Text(text.as_bytes()),
            maybe,
            Cell::Null,
            Cell::Bytes(&number.to_le_bytes()[..(number % 8) as usize]),
        ])?;
    }
    Ok(())
}

fn wide_rows(sink: &mut dyn RowSink) -> tabark::Result<()> {
    let mut noise = Noise(2);
    let texts: Vec<String> = (0..1500).map(|_| format!("{:x}", noise.next() % 70_000)).collect();
    for row in 0..90 {
        let cell = |column: usize| match column % 4 {
            0 => Cell::Integer((row * column).cast_signed() as i64),
            1 => Cell::Null,
            _ => Cell::Text(texts[(column + 7 * row) % texts.len()].as_bytes()),
        };
        sink.row(&(0..1500).map(cell).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn huge_rows(sink: &mut dyn RowSink) -> tabark::Result<()> {
    let huge = Noise(3).bytes(9_000_000);
    for (id, value) in (0..).zip([&b"small"[..], &huge, b"", b"small again"]) {
        sink.row(&[Cell::Integer(id), Cell::Bytes(value)])?;
    }
    Ok(())
}

/// More row groups than a page of them holds.
fn many_groups(sink: &mut dyn RowSink) -> tabark::Result<()> {
    (0..5_000_000).try_for_each(|id| sink.row(&[Cell::Integer(id)]))
}

fn few_rows(sink: &mut dyn RowSink) -> tabark::Result<()> {
    (0..4).try_for_each(|id| sink.row(&[Cell::Integer(id), Cell::Text(b"a little table"), Cell::Null]))
}

fn no_rows(_: &mut dyn RowSink) -> tabark::Result<()> {
    Ok(())
}

fn shapes() -> Vec<Shape> {
    let mut shapes = vec![
        shape("many rows", 6, true, many_rows),
        shape("empty", 3, true, no_rows),
        shape("wide", 1500, false, wide_rows),
        shape("huge", 2, true, huge_rows),
    ];
    shapes.extend((0..2000).map(|number| shape(&format!("small {number}"), 3, number % 2 == 0, few_rows)));
    shapes.push(shape("many rows again", 6, false, many_rows));
    shapes.push(shape("no column", 0, false, |sink| (0..3).try_for_each(|_| sink.row(&[]))));
    shapes
}

fn jobs(jobs: usize) -> NonZero<usize> {
    NonZero::new(jobs).unwrap()
}

fn send<S: WriteStorage>(snapshot: &mut SnapshotWriter<S>, shape: &Shape) -> tabark::Result<()> {
    let mut table = snapshot.begin_table(&shape.schema)?;
    (shape.send)(&mut table)?;
    table.finish()
}

/// Writes an archive with so many threads, in which one table was begun and given up.
fn archive(shapes: &[Shape], level: i32, threads: usize) -> Vec<u8> {
    let mut storage = Memory::default();
    let options = fixed_options(level).with_jobs(jobs(threads));
    let mut snapshot = ArchiveWriter::create(&mut storage, options).unwrap().begin_snapshot(header(1)).unwrap();
    for shape in shapes {
        send(&mut snapshot, shape).unwrap();
        if shape.schema.name == "many rows" {
            let given_up = self::shape("given up", 6, true, many_rows);
            (given_up.send)(&mut snapshot.begin_table(&given_up.schema).unwrap()).unwrap();
        }
    }
    snapshot.commit().unwrap();
    storage.bytes
}

#[test]
fn the_bytes_do_not_depend_on_the_threads() {
    let shapes = shapes();
    let alone = archive(&shapes, 3, 1);
    for threads in [2, 3, 8] {
        assert!(archive(&shapes, 3, threads) == alone, "{threads} threads");
    }
    assert!(archive(&shapes, 7, 1) == archive(&shapes, 7, 4), "at a level whose contexts are not kept");
    let archive = open(&alone);
    assert!(verify(&archive, &VerifyOptions::default().full(true), &()).unwrap().is_intact());
    assert_eq!(archive.select(&SnapshotSelector::Latest).unwrap().catalog().tables.len(), shapes.len());
}

#[test]
fn pages_of_row_groups_do_not_depend_on_the_threads() {
    let shapes = [shape("many groups", 1, true, many_groups)];
    let alone = archive(&shapes, 1, 1);
    assert!(archive(&shapes, 1, 4) == alone);
    let archive = open(&alone);
    assert!(
        archive.select(&SnapshotSelector::Latest).unwrap().table("many groups").unwrap().manifest().pages.len() > 1
    );
}

#[test]
fn fingerprints_do_not_depend_on_the_threads() {
    let shapes = shapes();
    let stored = open(&archive(&shapes, 1, 2));
    let stored = stored.select(&SnapshotSelector::Latest).unwrap();
    for shape in [0, 1, 2, 3, 4].map(|at| &shapes[at]) {
        let fingerprint = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut fingerprinter = Fingerprinter::new(&shape.schema);
                (shape.send)(&mut fingerprinter).unwrap();
                fingerprinter.finish()
            })
        };
        let wanted = stored.table(&shape.schema.name).unwrap().manifest().fingerprint;
        for threads in [1, 2, 8] {
            assert_eq!(fingerprint(threads).table, wanted, "{} threads, {}", threads, shape.schema.name);
        }
    }
}

/// A medium that fails at an append, once: what was written then is not whole, whatever comes after.
#[derive(Clone, Default)]
struct Failing {
    appends: Rc<Counter<usize>>,
    fails_at: usize,
    ended: Rc<RefCell<Vec<&'static str>>>,
}

impl WriteStorage for Failing {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        self.appends.set(self.appends.get() + 1);
        if self.appends.get() == self.fails_at { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self) -> tabark::Result<()> {
        self.ended.borrow_mut().push("published");
        Ok(())
    }

    fn abandon(&mut self) {
        self.ended.borrow_mut().push("abandoned");
    }
}

#[test]
fn an_error_while_row_groups_are_under_way_ends_all() {
    let shapes = [0, 1, 2].map(|number| shape(&format!("table {number}"), 6, number != 1, many_rows));
    let write = |storage: Failing, threads| -> tabark::Result<()> {
        let options = fixed_options(1).with_jobs(jobs(threads));
        let mut snapshot = ArchiveWriter::create(storage, options)?.begin_snapshot(header(1))?;
        let mut first = None;
        // Whoever goes on after an error must not get a snapshot.
        for shape in &shapes {
            if let Err(error) = send(&mut snapshot, shape) {
                assert!(first.is_some() || error.is_io(), "{error}");
                first.get_or_insert(error);
            }
        }
        let committed = snapshot.commit().map(drop);
        assert!(first.is_none() || committed.is_err());
        first.map_or(committed, Err)
    };
    for threads in [1, 2, 8] {
        let whole = Failing::default();
        write(whole.clone(), threads).unwrap();
        assert_eq!(*whole.ended.borrow(), ["published"]);
        let appends = whole.appends.get();
        assert!(appends > 60, "{appends}");
        for fails_at in [1, 2, 3, 4, 17, appends / 2, appends - 8, appends - 3, appends - 2, appends - 1, appends] {
            let storage = Failing { fails_at, ..Failing::default() };
            let error = write(storage.clone(), threads).unwrap_err();
            assert!(error.is_io() && error.hint().is_some(), "{error}");
            assert_eq!(*storage.ended.borrow(), ["abandoned"], "{threads} threads, append {fails_at}");
        }
    }
}

#[test]
fn a_row_that_cannot_be_taken_ends_the_snapshot() {
    let mut storage = Memory::default();
    let mut snapshot =
        ArchiveWriter::create(&mut storage, fixed_options(1)).unwrap().begin_snapshot(header(1)).unwrap();
    let mut table = snapshot.begin_table(&schema("t", &["a"], &[])).unwrap();
    table.row(&[Cell::Integer(1)]).unwrap();
    assert!(table.row(&[Cell::Integer(1), Cell::Null]).unwrap_err().is_request());
    assert!(table.finish().is_err() && snapshot.commit().is_err());
    assert!(storage.bytes.is_empty());
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    for threads in [1, 2, 8] {
        let storage = Failing::default();
        let options = fixed_options(19).with_jobs(jobs(threads));
        let mut snapshot = ArchiveWriter::create(storage.clone(), options).unwrap().begin_snapshot(header(1)).unwrap();
        send(&mut snapshot, &shape("t", 6, true, many_rows)).unwrap();
        drop(snapshot);
        assert_eq!(*storage.ended.borrow(), ["abandoned"]);
    }
}
