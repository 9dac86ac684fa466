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
    pub(crate) const PATCH: u8 = 3;
    pub(crate) const PLACES: u8 = 4;

    /// Does a slice of this sort stand in data frames, not in frames of table metadata?
    pub(crate) const fn is_data(what: u8) -> bool {
        matches!(what, BLOCK | PATCH | PLACES)
    }
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
///
/// It has one state more than layers: the first piece of a block holds the cells of one of them, and the layers from there
/// on lead to the last state, which is the row group's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowGroupEntry {
    /// Its rows.
    pub rows: u64,
    /// Key cells of its first row.
    pub first_key: Vec<Bound>,
    /// Key cells of its last row.
    pub last_key: Vec<Bound>,
    /// What happened to its rows since the first state, in order; empty where every block is whole.
    pub layers: Vec<LayerEntry>,
    /// One per column of the schema.
    pub blocks: Vec<BlockEntry>,
}

impl RowGroupEntry {
    /// All slices that the row group is made of, in the order in which a page's frames stand: places, then block by block.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &SliceEntry> {
        self.places().chain(self.blocks.iter().flat_map(BlockEntry::slices))
    }

    /// The slices that some columns are made of.
    pub(crate) fn slices_of(&self, columns: &[usize]) -> impl Iterator<Item = &SliceEntry> {
        let blocks = columns.iter().filter_map(|column| self.blocks.get(*column));
        self.places().chain(blocks.flat_map(BlockEntry::slices))
    }

    /// The slices that say which rows go and come.
    pub(crate) fn places(&self) -> impl Iterator<Item = &SliceEntry> {
        self.layers.iter().filter_map(|layer| layer.places.as_ref())
    }
}

/// One step from a state of a row group to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerEntry {
    /// Rows of the state that it is applied to.
    pub rows: u64,
    /// How many of them it takes out.
    pub deleted: u64,
    /// How many rows it puts in.
    pub inserted: u64,
    /// Which ones; absent where no row goes or comes.
    pub places: Option<SliceEntry>,
}

/// A slice of one of a page's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceEntry {
    /// Index into the page's frames.
    pub frame: u32,
    /// First byte in the frame's raw body.
    pub start: u64,
    /// Bytes.
    pub length: u64,
}

/// A column block: where it is and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockEntry {
    /// A whole block, and patches of it, ascending by layer.
    pub pieces: Vec<PieceEntry>,
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

impl BlockEntry {
    /// The piece that is a whole block.
    pub fn base(&self) -> Option<&PieceEntry> {
        self.pieces.first()
    }

    /// The slices of all pieces.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &SliceEntry> {
        self.pieces.iter().map(|piece| &piece.slice)
    }
}

/// Cells of a column block: all of those of one state, or those that one layer changed and put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceEntry {
    /// Of the first piece the number of the state that it holds, of others that of the layer, from 1.
    pub layer: u32,
    /// Cells in it.
    pub rows: u64,
    /// Where it is.
    pub slice: SliceEntry,
    /// Number of the encoding of its cells.
    pub encoding: u8,
    /// Bytes of its cells in canonical form.
    pub logical_bytes: u64,
}

/// Bytes of a frame's stored body that fall to a slice of its raw body.
pub(crate) fn stored_share(stored_length: u64, slice_length: u64, raw_length: u64) -> u64 {
    let share = u128::from(stored_length) * u128::from(slice_length) / u128::from(raw_length.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}
