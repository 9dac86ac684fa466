//! Row groups that wait for their leaf page: what their blocks are made of, and where that is or will be.

use std::collections::HashMap;

use super::column_totals::ColumnTotals;
use super::manifest::{BlockEntry, LayerEntry, PieceEntry, RowGroupEntry, SliceEntry, stored_share};
use super::pack::{Place, PlacedSlice};
use super::parent::Origin;
use crate::block::BlockFacts;
use crate::container::Reference;
use crate::error::{Error, Result};
use crate::model::Bound;

/// A row group whose blocks are written or on their way.
pub(super) struct PendingGroup {
    pub(super) rows: u64,
    pub(super) first_key: Vec<Bound>,
    pub(super) last_key: Vec<Bound>,
    pub(super) layers: Vec<PendingLayer>,
    pub(super) blocks: Vec<PendingBlock>,
    /// Where it stands in the parent, if it is the same there to the last byte.
    pub(super) origin: Option<Origin>,
}

pub(super) struct PendingLayer {
    pub(super) rows: u64,
    pub(super) deleted: u64,
    pub(super) inserted: u64,
    pub(super) places: Option<PendingSlice>,
}

pub(super) struct PendingBlock {
    pub(super) pieces: Vec<PendingPiece>,
    pub(super) facts: BlockFacts,
}

pub(super) struct PendingPiece {
    pub(super) layer: u32,
    pub(super) rows: u64,
    pub(super) slice: PendingSlice,
    pub(super) encoding: u8,
    pub(super) logical_bytes: u64,
}

/// A slice of this snapshot, whose frame may not be written yet, or of an earlier one.
pub(super) struct PendingSlice {
    pub(super) at: SlicePlace,
    pub(super) length: u64,
}

pub(super) enum SlicePlace {
    New(Place),
    Earlier(PlacedSlice),
}

impl PendingSlice {
    pub(super) fn earlier(slice: PlacedSlice, length: u64) -> Self {
        Self { at: SlicePlace::Earlier(slice), length }
    }

    fn locate(&self) -> Result<PlacedSlice> {
        match &self.at {
            SlicePlace::New(place) => place.locate(),
            SlicePlace::Earlier(slice) => Ok(*slice),
        }
    }
}

impl PendingGroup {
    /// Takes out the first layers, if no block needs them: those below the first piece of every block. A first piece that no
    /// layer touches up to some state holds the cells of that state too.
    pub(super) fn trim(&mut self) {
        for block in &mut self.blocks {
            let Some((base, patches)) = block.pieces.split_first_mut() else { continue };
            let next = patches.first().map(|patch| patch.layer);
            while let Some(layer) = self.layers.get(base.layer as usize)
                && layer.places.is_none()
                && next != Some(base.layer + 1)
            {
                base.layer += 1;
            }
        }
        let bases = self.blocks.iter().filter_map(|block| block.pieces.first());
        let spare = bases.map(|piece| piece.layer).min().unwrap_or(0);
        self.layers.drain(..(spare as usize).min(self.layers.len()));
        for piece in self.blocks.iter_mut().flat_map(|block| &mut block.pieces) {
            piece.layer = piece.layer.saturating_sub(spare);
        }
    }

    /// What its page says of it. All frames must be written. Adds the sizes of its blocks to `columns`, and gives the stored
    /// bytes of its layers' places.
    pub(super) fn entry(self, frames: &mut FrameList, columns: &mut [ColumnTotals]) -> Result<(RowGroupEntry, u64)> {
        let mut places_bytes = 0;
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in self.layers {
            let PendingLayer { rows, deleted, inserted, places } = layer;
            let places = places.map(|slice| frames.slice(&slice, &mut places_bytes)).transpose()?;
            layers.push(LayerEntry { rows, deleted, inserted, places });
        }
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for (block, column) in self.blocks.into_iter().zip(columns) {
            let mut stored_bytes = 0;
            let mut pieces = Vec::with_capacity(block.pieces.len());
            for piece in block.pieces {
                let PendingPiece { layer, rows, slice, encoding, logical_bytes } = piece;
                let slice = frames.slice(&slice, &mut stored_bytes)?;
                pieces.push(PieceEntry { layer, rows, slice, encoding, logical_bytes });
            }
            column.add(&block.facts, stored_bytes);
            let BlockFacts { logical_bytes, nulls, range, content, .. } = block.facts;
            let (minimum, maximum) = range.unzip();
            blocks.push(BlockEntry { pieces, logical_bytes, nulls, minimum, maximum, content });
        }
        let Self { rows, first_key, last_key, .. } = self;
        Ok((RowGroupEntry { rows, first_key, last_key, layers, blocks }, places_bytes))
    }
}

/// Frames of a page, each once, in the order of first use.
#[derive(Default)]
pub(super) struct FrameList {
    pub(super) list: Vec<Reference>,
    indexes: HashMap<u64, u32>,
}

impl FrameList {
    /// A slice by the number of its frame; adds its share of the frame's stored bytes to `stored_bytes`.
    fn slice(&mut self, slice: &PendingSlice, stored_bytes: &mut u64) -> Result<SliceEntry> {
        let PlacedSlice { frame, start } = slice.locate()?;
        *stored_bytes += stored_share(frame.stored_length, slice.length, frame.raw_length);
        Ok(SliceEntry { frame: self.index(frame.reference)?, start, length: slice.length })
    }

    fn index(&mut self, reference: Reference) -> Result<u32> {
        if let Some(index) = self.indexes.get(&reference.offset) {
            return Ok(*index);
        }
        let index = u32::try_from(self.list.len()).map_err(|_| Error::request("more than 2^32 frames in a page"))?;
        self.list.push(reference);
        self.indexes.insert(reference.offset, index);
        Ok(index)
    }
}
