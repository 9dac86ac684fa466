//! Fingerprints (`spec/format.md` §7.4): what the rows are, however they are stored.

use std::num::NonZero;
use std::sync::Arc;

use rayon::prelude::*;

use super::in_flight::{ColumnWork, InFlight};
use super::workers::Workers;
use crate::block::content_digest;
use crate::error::Result;
use crate::history::boundaries::RowGrouper;
use crate::model::{Cell, RowGroup, RowSink, TableSchema};

/// The fingerprints of a table and of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFingerprint {
    /// Of all columns together.
    pub table: [u8; 32],
    /// Of each column, in the schema's order.
    pub columns: Vec<[u8; 32]>,
    /// Number of rows.
    pub rows: u64,
}

/// Collects the content digests of a table's blocks.
#[derive(Debug, Clone)]
pub(crate) struct FingerprintBuilder {
    columns: Vec<blake3::Hasher>,
    rows: u64,
}

impl FingerprintBuilder {
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns: vec![blake3::Hasher::new_derive_key("tabark 1 column fingerprint"); columns], rows: 0 }
    }

    /// Takes the next row group: the content digest of each of its columns.
    pub(crate) fn add_group<'a>(&mut self, rows: u64, contents: impl IntoIterator<Item = &'a [u8; 32]>) {
        self.rows += rows;
        for (column, content) in self.columns.iter_mut().zip(contents) {
            column.update(content);
        }
    }

    pub(crate) fn finish(&self, schema: &TableSchema) -> TableFingerprint {
        let columns: Vec<[u8; 32]> = self.columns.iter().map(|column| *column.finalize().as_bytes()).collect();
        let mut hasher = blake3::Hasher::new_derive_key("tabark 1 table fingerprint");
        hasher.update(&self.rows.to_le_bytes());
        hasher.update(&count(columns.len()));
        for (column, fingerprint) in schema.columns.iter().zip(&columns) {
            update_string(&mut hasher, &column.name);
            hasher.update(&[u8::from(column.hidden)]);
            hasher.update(fingerprint);
        }
        TableFingerprint { table: *hasher.finalize().as_bytes(), columns, rows: self.rows }
    }
}

/// The fingerprint of a snapshot: of its tables, in the catalog's order.
pub(crate) fn snapshot_fingerprint<'a>(tables: impl ExactSizeIterator<Item = (&'a str, &'a [u8; 32])>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("tabark 1 snapshot fingerprint");
    hasher.update(&count(tables.len()));
    for (name, fingerprint) in tables {
        update_string(&mut hasher, name);
        hasher.update(fingerprint);
    }
    *hasher.finalize().as_bytes()
}

fn update_string(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&count(text.len()));
    hasher.update(text.as_bytes());
}

/// Counts of names, columns and tables stay far below 2^32 by the format's limits.
fn count(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

/// The content digest of each column of a row group, as the page that names one states them. Columns are hashed on as many
/// threads as [`rayon`] would use here.
pub fn content_digests(group: &RowGroup) -> Vec<[u8; 32]> {
    /// Below it, handing on costs more than hashing.
    const ALONE: u64 = 256 << 10;
    if group.bytes() < ALONE {
        return group.columns().iter().map(content_digest).collect();
    }
    group.columns().par_iter().map(content_digest).collect()
}

/// Works out the fingerprint of rows as they pass by, from a live database for instance. Row groups are hashed on other
/// threads while the next ones are filled; memory: one row group, and 48 MiB or one more row group under way.
pub struct Fingerprinter<'s> {
    schema: &'s TableSchema,
    grouper: RowGrouper,
    builder: FingerprintBuilder,
    workers: Workers,
    in_flight: InFlight<u64, [u8; 32]>,
    hash: ColumnWork<[u8; 32]>,
}

impl<'s> Fingerprinter<'s> {
    /// For rows of this schema, given in the order of its key. As many threads are used as [`rayon`] would use here.
    pub fn new(schema: &'s TableSchema) -> Self {
        let jobs = NonZero::new(rayon::current_num_threads()).unwrap_or(NonZero::<usize>::MIN);
        Self {
            schema,
            grouper: RowGrouper::new(schema),
            builder: FingerprintBuilder::new(schema.columns.len()),
            workers: Workers::new(jobs),
            in_flight: InFlight::new(),
            hash: Arc::new(|_, cells| content_digest(&cells)),
        }
    }

    /// The fingerprints of all rows given.
    pub fn finish(mut self) -> TableFingerprint {
        if let Some(group) = self.grouper.take() {
            self.hand_on(group);
        }
        while let Some((rows, contents)) = self.in_flight.next(&self.workers) {
            self.builder.add_group(rows, &contents);
        }
        self.builder.finish(self.schema)
    }

    fn hand_on(&mut self, group: RowGroup) {
        while self.in_flight.is_full_for(group.bytes(), 0)
            && let Some((rows, contents)) = self.in_flight.next(&self.workers)
        {
            self.builder.add_group(rows, &contents);
        }
        self.in_flight.push(&mut self.workers, u64::from(group.rows()), group, &self.hash);
        while let Some((rows, contents)) = self.in_flight.next_done(&self.workers) {
            self.builder.add_group(rows, &contents);
        }
    }
}

impl RowSink for Fingerprinter<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        if let Some(group) = self.grouper.push(cells)? {
            self.hand_on(group);
        }
        Ok(())
    }

    fn rows(&mut self, rows: &RowGroup) -> Result<()> {
        let mut complete = Vec::new();
        self.grouper.push_rows(rows, |group| {
            complete.push(group);
            Ok(())
        })?;
        complete.into_iter().for_each(|group| self.hand_on(group));
        Ok(())
    }
}
