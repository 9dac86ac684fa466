//! The metadata structures of an archive (`spec/format.md` §3.4 to §5), in the order of their fields in the file.

use serde::{Deserialize, Serialize};

use crate::container::Reference;
use crate::model::{Bound, Filter, Omission, SchemaObject, SourceDescription, TableSchema};

/// A run of bytes in a frame's raw body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SliceReference {
    /// The frame.
    pub frame: Reference,
    /// First byte, counted from the beginning of the raw body.
    pub start: u64,
    /// Bytes.
    pub length: u64,
}

/// What a frame of slices holds, for reading a damaged archive without manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Directory {
    pub(crate) snapshot: u64,
    pub(crate) tables: Vec<String>,
    pub(crate) slices: Vec<Label>,
}

/// What one slice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) table: u32,
    pub(crate) what: u8,
    pub(crate) group: u64,
    pub(crate) column: u32,
    pub(crate) rows: u64,
    pub(crate) length: u64,
}

/// Values of [`Label::what`].
pub(crate) mod label {
    pub(crate) const BLOCK: u8 = 0;
    pub(crate) const PAGE: u8 = 1;
    pub(crate) const MANIFEST: u8 = 2;
}

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotManifest {
    /// Snapshot number.
    pub number: u64,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// Keys and values, sorted by key, keys unique.
    pub tags: Vec<(String, String)>,
    /// Where the rows came from.
    pub source: SourceDescription,
    /// Program and version that wrote the snapshot.
    pub writer: String,
    /// The catalog's frame.
    pub catalog: Reference,
    /// Number of tables.
    pub tables: u64,
    /// Sum of their rows.
    pub rows: u64,
    /// Sum of their logical bytes.
    pub logical_bytes: u64,
    /// Fingerprint of all tables.
    pub fingerprint: [u8; 32],
    /// What the source has and the snapshot has not.
    pub omitted: Vec<Omission>,
}

/// The tables and objects of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Sorted by name, names unique.
    pub tables: Vec<TableEntry>,
    /// Views and others that belong to no table, in the source's order.
    pub objects: Vec<SchemaObject>,
}

/// One table of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// Its name.
    pub name: String,
    /// Its manifest.
    pub manifest: SliceReference,
    /// Its rows.
    pub rows: u64,
    /// Its fingerprint.
    pub fingerprint: [u8; 32],
}

/// A run of snapshots, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistoryPage {
    pub(crate) previous: Option<Reference>,
    pub(crate) covered: u64,
    pub(crate) entries: Vec<HistoryEntry>,
}

/// One snapshot in a history page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistoryEntry {
    pub(crate) number: u64,
    pub(crate) time: i64,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) tables: u64,
    pub(crate) rows: u64,
    pub(crate) bytes_added: u64,
    pub(crate) manifest: Reference,
}

/// What a table of a snapshot holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableManifest {
    /// Columns, key and what stands on the table.
    pub schema: TableSchema,
    /// Rules by which rows were left out; none where the table is whole.
    pub filters: Vec<Filter>,
    /// Its rows.
    pub rows: u64,
    /// Bytes of its cells in canonical form.
    pub logical_bytes: u64,
    /// Its share of the bytes in the file.
    pub stored_bytes: u64,
    /// One per column of the schema.
    pub columns: Vec<ColumnSummary>,
    /// Levels of inner pages above the leaves.
    pub page_depth: u32,
    /// The uppermost pages; none when there are no rows.
    pub pages: Vec<PageEntry>,
    /// Fingerprint of the rows.
    pub fingerprint: [u8; 32],
}

/// What is known of a column without reading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnSummary {
    /// Bytes of its cells in canonical form.
    pub logical_bytes: u64,
    /// Its share of the bytes in the file.
    pub stored_bytes: u64,
    /// Cells that are null.
    pub nulls: u64,
    /// Smallest cell that is not null.
    pub minimum: Option<Bound>,
    /// Largest cell that is not null.
    pub maximum: Option<Bound>,
    /// Encoding and number of blocks, ascending by encoding.
    pub encodings: Vec<(u8, u64)>,
    /// Fingerprint of its cells.
    pub fingerprint: [u8; 32],
}

/// A page and what stands below it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageEntry {
    /// The page.
    pub page: SliceReference,
    /// Row groups below it.
    pub groups: u64,
    /// Rows below it.
    pub rows: u64,
    /// Key cells of the first row below it.
    pub first_key: Vec<Bound>,
    /// Key cells of the last row below it.
    pub last_key: Vec<Bound>,
}

/// A page of a table's tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Page {
    Leaf { frames: Vec<Reference>, groups: Vec<RowGroupEntry> },
    Inner { children: Vec<PageEntry> },
}

/// A row group: where its column blocks are and what is known of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowGroupEntry {
    /// Its rows.
    pub rows: u64,
    /// Key cells of its first row.
    pub first_key: Vec<Bound>,
    /// Key cells of its last row.
    pub last_key: Vec<Bound>,
    /// One per column of the schema.
    pub blocks: Vec<BlockEntry>,
}

/// A column block: where it is and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockEntry {
    /// Index into the page's frames.
    pub frame: u32,
    /// First byte in the frame's raw body.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// Number of the encoding.
    pub encoding: u8,
    /// Bytes of the cells in canonical form.
    pub logical_bytes: u64,
    /// Cells that are null.
    pub nulls: u64,
    /// Smallest cell that is not null.
    pub minimum: Option<Bound>,
    /// Largest cell that is not null.
    pub maximum: Option<Bound>,
    /// Digest of the cells in canonical form.
    pub content: [u8; 32],
}

/// Bytes of a frame's stored body that fall to a slice of its raw body.
pub(crate) fn stored_share(stored_length: u64, slice_length: u64, raw_length: u64) -> u64 {
    let share = u128::from(stored_length) * u128::from(slice_length) / u128::from(raw_length.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}
