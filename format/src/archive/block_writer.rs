//! From the columns of a row group to blocks: written whole, or standing on the parent's with what changed.

use std::sync::Arc;

use super::manifest::{Label, PieceEntry, label};
use super::pack::{Place, PlacedSlice, SHARE_BELOW, SealedSlice, Sealing};
use super::partner::{Layered, LocatedLayer, Partner};
use super::pending::{PendingBlock, PendingGroup, PendingLayer, PendingPiece, PendingSlice, SlicePlace};
use super::stored_group::{StoredGroup, WholeBlock};
use super::table_writer::{GroupHead, Output};
use crate::block::{self, BlockFacts};
use crate::container::WriteStorage;
use crate::encoding::Profile;
use crate::error::{Error, Layer, Result};
use crate::model::Cells;

/// What is done with a row group's columns, on any thread.
pub(super) struct ColumnEncoder {
    pub(super) sealing: Sealing,
    pub(super) profile: Profile,
    pub(super) table: String,
    /// Number of the row group.
    pub(super) group: u64,
    pub(super) partner: Option<Arc<Partner>>,
    /// Is a block that stands in another archive encoded anew, rather than copied?
    pub(super) recodes: bool,
}

/// A column of a row group, ready to be put in its place.
pub(super) struct PreparedBlock {
    pub(super) facts: BlockFacts,
    content: Content,
}

enum Content {
    /// A whole block.
    Whole(Prepared),
    /// The parent's pieces, and a patch where cells differ.
    Layered { pieces: Vec<(PieceEntry, PlacedSlice)>, patch: Option<PreparedPatch> },
}

struct PreparedPatch {
    slice: Prepared,
    rows: u64,
    encoding: u8,
    logical_bytes: u64,
}

/// A slice, sealed if it is large enough for a frame of its own.
struct Prepared {
    length: u64,
    body: Body,
}

enum Body {
    Small(Vec<u8>),
    Alone(SealedSlice),
}

impl PreparedBlock {
    /// Is nothing of it new?
    pub(super) fn is_kept(&self) -> bool {
        matches!(&self.content, Content::Layered { patch: None, .. })
    }
}

impl ColumnEncoder {
    /// Encodes a column, and seals it if it is large enough for a frame of its own.
    pub(super) fn prepare(&self, column: usize, cells: Cells) -> Result<PreparedBlock> {
        let content = block::content_digest(&cells);
        let partner = self.partner.as_ref();
        let layered = partner
            .and_then(|old| old.kept(column, content).or_else(|| old.patched(column, &cells, content, self.profile)));
        if let Some(layered) = layered {
            drop(cells);
            return self.prepare_layered(column, layered);
        }
        self.prepare_whole(column, cells, content)
    }

    /// The same for a column of a row group that is stored in another archive. It is read only where it must be.
    pub(super) fn prepare_stored(&self, column: usize, stored: &StoredGroup) -> Result<PreparedBlock> {
        let facts = stored.facts(column)?;
        let mut cells = None;
        if let Some(old) = &self.partner {
            if let Some(kept) = old.kept(column, facts.content) {
                return self.prepare_layered(column, kept);
            }
            if old.may_be_patched(column, facts.rows, facts.logical_bytes) {
                let read = stored.cells(column)?;
                if let Some(layered) = old.patched(column, &read, facts.content, self.profile) {
                    return self.prepare_layered(column, layered);
                }
                cells = Some(read);
            }
        }
        if !self.recodes
            && let Some(WholeBlock { bytes, compressible }) = stored.whole(column)?
        {
            let slice = self.seal(label::BLOCK, column, facts.rows, bytes, compressible)?;
            return Ok(PreparedBlock { facts, content: Content::Whole(slice) });
        }
        let cells = match cells {
            Some(cells) => cells,
            None => stored.cells(column)?,
        };
        if block::content_digest(&cells) != facts.content {
            let why = "a block of other cells than its content digest says";
            return Err(Error::damaged(Layer::Content, why).at(stored.place.page_offset()));
        }
        self.prepare_whole(column, cells, facts.content)
    }

    fn prepare_whole(&self, column: usize, cells: Cells, content: [u8; 32]) -> Result<PreparedBlock> {
        let rows = u64::from(cells.rows());
        let encoded = block::encode(&cells, content, self.profile);
        drop(cells);
        let slice = self.seal(label::BLOCK, column, rows, encoded.bytes, encoded.compressible)?;
        Ok(PreparedBlock { facts: encoded.facts, content: Content::Whole(slice) })
    }

    fn prepare_layered(&self, column: usize, layered: Layered) -> Result<PreparedBlock> {
        let Layered { pieces, facts, patch, patch_rows } = layered;
        let patch = match patch {
            None => None,
            Some(patch) => Some(PreparedPatch {
                slice: self.seal(label::PATCH, column, patch_rows, patch.bytes, patch.compressible)?,
                rows: patch_rows,
                encoding: patch.encoding.number(),
                logical_bytes: patch.logical_bytes,
            }),
        };
        Ok(PreparedBlock { facts, content: Content::Layered { pieces, patch } })
    }

    fn seal(&self, what: u8, column: usize, rows: u64, bytes: Vec<u8>, compressible: bool) -> Result<Prepared> {
        let length = bytes.len() as u64;
        let body = if bytes.len() < SHARE_BELOW {
            Body::Small(bytes)
        } else {
            let label = slice_label(what, self.group, column, rows, length);
            Body::Alone(self.sealing.alone(&self.table, label, bytes, compressible)?)
        };
        Ok(Prepared { length, body })
    }
}

/// Puts the columns of a row group in their places.
pub(super) struct GroupBuilder<'o, S: WriteStorage> {
    pub(super) table: &'o str,
    pub(super) head: GroupHead,
    pub(super) profile: Profile,
    pub(super) out: &'o mut Output<S>,
}

impl<S: WriteStorage> GroupBuilder<'_, S> {
    /// The row group as it will stand in its page.
    pub(super) fn build(mut self, prepared: Vec<PreparedBlock>) -> Result<PendingGroup> {
        let stands_on_parent = prepared.iter().any(|block| matches!(block.content, Content::Layered { .. }));
        let layers = if stands_on_parent { self.layers(&prepared)? } else { Vec::new() };
        let last = u32::try_from(layers.len()).unwrap_or(u32::MAX);
        let mut blocks = Vec::with_capacity(prepared.len());
        for (column, PreparedBlock { facts, content }) in prepared.into_iter().enumerate() {
            let pieces = match content {
                Content::Whole(slice) => vec![PendingPiece {
                    layer: last,
                    rows: facts.rows,
                    slice: self.place(label::BLOCK, column, facts.rows, slice)?,
                    encoding: facts.encoding.number(),
                    logical_bytes: facts.logical_bytes,
                }],
                Content::Layered { pieces, patch } => {
                    let mut pieces: Vec<PendingPiece> = pieces.into_iter().map(earlier).collect();
                    if let Some(PreparedPatch { slice, rows, encoding, logical_bytes }) = patch {
                        let slice = self.place(label::PATCH, column, rows, slice)?;
                        pieces.push(PendingPiece { layer: last, rows, slice, encoding, logical_bytes });
                    }
                    pieces
                }
            };
            blocks.push(PendingBlock { pieces, facts });
        }
        let GroupHead { rows, first_key, last_key, .. } = self.head;
        let mut group = PendingGroup { rows, first_key, last_key, layers, blocks, origin: None };
        group.trim();
        Ok(group)
    }

    /// The partner's layers, and another one if rows came or went, or cells changed.
    fn layers(&mut self, prepared: &[PreparedBlock]) -> Result<Vec<PendingLayer>> {
        let Some(partner) = self.head.partner.clone() else { return Ok(Vec::new()) };
        let mut layers: Vec<PendingLayer> = partner.layers().iter().map(earlier_layer).collect();
        let any_patch = prepared.iter().any(|block| matches!(&block.content, Content::Layered { patch: Some(_), .. }));
        let Some(places) = partner.places() else { return Ok(layers) };
        let (deleted, inserted) = (places.deleted.len() as u64, places.inserted.len() as u64);
        if any_patch || !places.is_empty() {
            let slice = if places.is_empty() {
                None
            } else {
                let bytes = block::encode_places(places, self.profile);
                let slice = Prepared { length: bytes.len() as u64, body: Body::Small(bytes) };
                Some(self.place(label::PLACES, 0, deleted + inserted, slice)?)
            };
            layers.push(PendingLayer { rows: partner.rows(), deleted, inserted, places: slice });
        }
        Ok(layers)
    }

    fn place(&mut self, what: u8, column: usize, rows: u64, slice: Prepared) -> Result<PendingSlice> {
        let Prepared { length, body } = slice;
        let place = match body {
            Body::Alone(sealed) => Place::alone(self.out.frames.add(sealed)?),
            Body::Small(bytes) => {
                let label = slice_label(what, self.head.number, column, rows, length);
                self.out.data.share(&mut self.out.frames, self.table, label, &bytes)?
            }
        };
        Ok(PendingSlice { at: SlicePlace::New(place), length })
    }
}

fn earlier((piece, at): (PieceEntry, PlacedSlice)) -> PendingPiece {
    let PieceEntry { layer, rows, slice, encoding, logical_bytes } = piece;
    PendingPiece { layer, rows, slice: PendingSlice::earlier(at, slice.length), encoding, logical_bytes }
}

fn earlier_layer((layer, at): &LocatedLayer) -> PendingLayer {
    let places = layer.places.as_ref().zip(*at).map(|(slice, at)| PendingSlice::earlier(at, slice.length));
    PendingLayer { rows: layer.rows, deleted: layer.deleted, inserted: layer.inserted, places }
}

fn slice_label(what: u8, group: u64, column: usize, rows: u64, length: u64) -> Label {
    let column = u32::try_from(column).unwrap_or(u32::MAX);
    Label { table: 0, what, group, column, rows, length }
}
