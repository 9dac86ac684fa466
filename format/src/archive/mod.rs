//! The archive API: snapshots of tables, written, read, found and proven.

mod block_writer;
mod column_totals;
mod erasures;
mod fingerprint;
mod frame_queue;
mod group_reader;
mod group_walk;
mod in_flight;
mod inner_pages;
mod layers;
mod manifest;
mod pack;
mod parent;
mod partner;
mod pending;
mod reader;
mod rules;
mod select;
mod snapshots;
mod stored_group;
mod table_reader;
mod table_writer;
mod tree;
mod verify;
mod workers;
mod writer;

#[cfg(all(feature = "postgres", feature = "sqlite"))]
pub(crate) use crate::encoding::Profile;
pub use erasures::{ErasureRecord, key_digest};
pub use fingerprint::{Fingerprinter, TableFingerprint, content_digests};
pub use group_walk::GroupWalk;
pub use manifest::{
    BlockEntry, Catalog, ColumnSummary, LayerEntry, PageEntry, PieceEntry, RowGroupEntry, SliceEntry, SliceReference,
    SnapshotManifest, TableEntry, TableManifest,
};
pub use reader::{Archive, Snapshot};
pub use select::SnapshotSelector;
pub use snapshots::{SnapshotList, SnapshotSummary};
pub use table_reader::{GroupPlace, Table};
pub use verify::{Finding, TableVerdict, VerifyOptions, VerifyReport, verify};
pub(crate) use writer::random;
pub use writer::{ArchiveWriter, CommitSummary, SnapshotHeader, SnapshotWriter, TableWriter, WriterOptions};
