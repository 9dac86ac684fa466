//! How fast rows become row groups, fingerprints and archives: `cargo run --release --example row_rate [ROWS [JOBS]]`.
//!
//! Rows of 16 columns, shaped like TPC-H's `lineitem`, are made in memory and given to each sink in turn. What is made again
//! for each row is a counter and the texts' beginnings: the rates are those of the sinks.
#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "an example")]

use std::io;
use std::num::NonZero;
use std::time::Instant;

use tabark::Result;
use tabark::archive::{ArchiveWriter, Fingerprinter, SnapshotHeader, WriterOptions};
use tabark::container::WriteStorage;
use tabark::history::boundaries::RowGrouper;
use tabark::model::{Cell, Column, KeyPart, RowSink, SourceDescription, TableSchema, roles};

/// A medium that counts.
struct Counter(u64);

impl WriteStorage for Counter {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0 += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self) -> Result<()> {
        Ok(())
    }

    fn abandon(&mut self) {}
}

fn schema() -> TableSchema {
    let column = |number: usize| Column {
        name: format!("c{number}"),
        declared_type: String::new(),
        logical: 0,
        nullable: true,
        hidden: false,
    };
    TableSchema {
        name: "lineitem".into(),
        role: roles::TABLE.into(),
        definition: String::new(),
        position: 0,
        columns: (0..16).map(column).collect(),
        generated: vec![],
        key: vec![KeyPart { column: 0, descending: false, collation: "BINARY".into() }],
        options: vec![],
        attached: vec![],
    }
}

fn header() -> SnapshotHeader {
    let source =
        SourceDescription { engine: "none".into(), engine_version: "0".into(), name: "rows".into(), settings: vec![] };
    SnapshotHeader { time: 0, tags: vec![], source, writer: "row_rate".into(), omitted: vec![] }
}

const WORDS: &[u8] =
    b"carefully final deposits sleep quickly about the blithely ironic requests; slyly even accounts nag";

/// Gives `rows` rows to `sink`.
fn send(rows: i64, sink: &mut dyn RowSink) -> Result<()> {
    let dates: Vec<String> =
        (0..2500).map(|day| format!("199{}-{:02}-{:02}", day / 360, day / 30 % 12 + 1, day % 30 + 1)).collect();
    let mut noise = 0x9E37_79B9_7F4A_7C15_u64;
    let date = |noise: u64| Cell::Text(dates[(noise % 2500) as usize].as_bytes());
    for row in 0..rows {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        let comment = &WORDS[(noise >> 20) as usize % 50..][..10 + (noise >> 40) as usize % 34];
        let number = (noise >> 8).cast_signed();
        sink.row(&[
            Cell::Integer(row),
            Cell::Integer(row / 4),
            Cell::Integer(number % 200_000),
            Cell::Integer(number % 10_000),
            Cell::Integer(row % 7),
            Cell::Integer(number % 50),
            Cell::Real((number % 10_000_000) as f64 / 100.0),
            Cell::Real((noise % 11) as f64 / 100.0),
            Cell::Real((noise % 9) as f64 / 100.0),
            Cell::Text([b"A", b"N", b"R"][(noise % 3) as usize]),
            Cell::Text([b"O", b"F"][(noise % 2) as usize]),
            date(noise >> 3),
            date(noise >> 4),
            date(noise >> 5),
            Cell::Text([&b"DELIVER IN PERSON"[..], b"COLLECT COD", b"NONE"][(noise >> 9) as usize % 3]),
            Cell::Text(comment),
        ])?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rows = arguments.next().and_then(|rows| rows.parse().ok()).unwrap_or(4_000_000);
    let jobs = arguments.next().and_then(|jobs| jobs.parse().ok()).and_then(NonZero::new);
    let schema = schema();
    let tell = |what: &str, begun: Instant| {
        let seconds = begun.elapsed().as_secs_f64();
        println!("{what}: {seconds:.2} s, {:.2} M rows/s", rows as f64 / seconds / 1e6);
    };

    let begun = Instant::now();
    let mut cells = 0;
    send(rows, &mut |row: &[Cell<'_>]| {
        cells += std::hint::black_box(row).len();
        Ok(())
    })?;
    tell("rows alone", begun);

    let begun = Instant::now();
    let (mut grouper, mut groups) = (RowGrouper::new(&schema), 0);
    send(rows, &mut |row: &[Cell<'_>]| {
        groups += usize::from(grouper.push(row)?.is_some());
        Ok(())
    })?;
    tell("to row groups", begun);

    let begun = Instant::now();
    let mut fingerprinter = Fingerprinter::new(&schema);
    send(rows, &mut fingerprinter)?;
    fingerprinter.finish();
    tell("to a fingerprint", begun);

    let begun = Instant::now();
    let mut options = WriterOptions::default();
    options.jobs = jobs;
    let mut snapshot = ArchiveWriter::create(Counter(0), options)?.begin_snapshot(header())?;
    let mut table = snapshot.begin_table(&schema)?;
    send(rows, &mut table)?;
    table.finish()?;
    let summary = snapshot.commit()?;
    tell("to an archive", begun);
    println!("{cells} cells, {groups} row groups, {} bytes", summary.bytes_added);
    Ok(())
}
