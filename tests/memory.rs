//! Memory of a dump is bounded, whatever the values and however many the threads. One test, for it looks at the whole process.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/tables.rs"]
mod tables;

use std::num::NonZero;

use tabark::archive::{ArchiveWriter, Fingerprinter};
use tabark::container::WriteStorage;
use tabark::model::{Cell, RowSink};
use tables::{fixed_options, header, schema};

/// No command may take more; the rest of it is the program's own.
const MOST: u64 = 250 << 20;

/// A medium that keeps nothing.
struct Discard;

impl WriteStorage for Discard {
    fn append(&mut self, _: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn publish(&mut self) -> tabark::Result<()> {
        Ok(())
    }

    fn abandon(&mut self) {}
}

/// The most memory that this process has had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
}

/// 320 MiB of values that cannot be compressed: a megabyte each, in row groups of 64 MiB, or a kilobyte each.
fn send(length: usize, sink: &mut dyn RowSink) {
    let mut noise = 88_172_645_463_325_252_u64;
    let mut value = vec![0; length];
    for id in 0..i64::try_from((320 << 20) / length).unwrap() {
        for word in value.as_chunks_mut::<8>().0 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            *word = noise.to_le_bytes();
        }
        sink.row(&[Cell::Integer(id), Cell::Bytes(&value)]).unwrap();
    }
}

#[test]
fn large_values_and_many_threads_keep_to_the_limit() {
    for length in [1 << 20, 1 << 10] {
        let options = fixed_options(3).with_jobs(NonZero::new(8).unwrap());
        let mut snapshot = ArchiveWriter::create(Discard, options).unwrap().begin_snapshot(header(1)).unwrap();
        let schema = schema("t", &["id", "value"], &[0]);
        let mut table = snapshot.begin_table(&schema).unwrap();
        send(length, &mut table);
        table.finish().unwrap();
        drop(snapshot);
        assert!(peak_memory() < MOST, "writing values of {length} bytes took {} bytes", peak_memory());
        let mut fingerprinter = Fingerprinter::new(&schema);
        send(length, &mut fingerprinter);
        fingerprinter.finish();
        assert!(peak_memory() < MOST, "hashing values of {length} bytes took {} bytes", peak_memory());
    }
}
