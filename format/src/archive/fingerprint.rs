//! Fingerprints (`spec/format.md` §7.4): what the rows are, however they are stored.

use rayon::prelude::*;

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

/// Works out the fingerprint of rows as they pass by, from a live database for instance. Memory: one row group.
pub struct Fingerprinter<'s> {
    schema: &'s TableSchema,
    grouper: RowGrouper,
    builder: FingerprintBuilder,
}

impl<'s> Fingerprinter<'s> {
    /// For rows of this schema, given in the order of its key.
    pub fn new(schema: &'s TableSchema) -> Self {
        Self { schema, grouper: RowGrouper::new(schema), builder: FingerprintBuilder::new(schema.columns.len()) }
    }

    /// The fingerprints of all rows given.
    pub fn finish(mut self) -> TableFingerprint {
        if let Some(group) = self.grouper.finish() {
            add_contents(&mut self.builder, &group);
        }
        self.builder.finish(self.schema)
    }
}

impl RowSink for Fingerprinter<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        if let Some(group) = self.grouper.push(cells)? {
            add_contents(&mut self.builder, &group);
        }
        Ok(())
    }
}

fn add_contents(builder: &mut FingerprintBuilder, group: &RowGroup) {
    let contents: Vec<[u8; 32]> = group.columns().par_iter().map(content_digest).collect();
    builder.add_group(u64::from(group.rows()), &contents);
}
