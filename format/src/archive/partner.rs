//! A row group of the parent beside a new one: what the new one shares with it.

use std::sync::{Arc, OnceLock};

use super::layers::most_piece_bytes;
use super::manifest::{BlockEntry, LayerEntry, PieceEntry};
use super::pack::PlacedSlice;
use super::parent::{Origin, Parent};
use super::stored_group::StoredGroup;
use super::table_reader::GroupPlace;
use crate::block::{self, BlockFacts, EncodedPatch};
use crate::encoding::{Encoding, Profile};
use crate::error::{Error, Layer, Result};
use crate::history::align::{align, row_hashes};
use crate::history::patch::patch;
use crate::limits::MAX_LAYERS;
use crate::model::{Cells, Places};

/// Patches are given up for a whole block when what they supersede comes to more than one in so many bytes of the block
/// (before compression): who reads it, reads that in vain. Cells of rows that came are not read in vain.
const WHOLE_ABOVE_ONE_IN: u64 = 3;

/// Columns below so many bytes of cells are written whole: a patch has its own costs.
const PATCH_FROM_BYTES: u64 = 1 << 10;

/// Above a block's first piece no more layers than these get patches: each costs whoever reads it.
const MOST_LAYERS: usize = MAX_LAYERS / 2;

/// A row group of the parent, and how the rows of a new one relate to its.
pub(super) struct Partner {
    parent: Arc<Parent>,
    place: Arc<GroupPlace>,
    /// By the new table's column: the same of the old one.
    columns: Arc<[Option<usize>]>,
    pub(super) origin: Origin,
    keys: Keys,
    layers: Vec<LocatedLayer>,
    old_places: OnceLock<Option<Vec<Places>>>,
    aligned: OnceLock<Option<Places>>,
}

/// What tells the rows of a new row group apart.
enum Keys {
    /// Not yet compared.
    Unknown,
    /// They are the partner's.
    Same,
    /// These columns of it, by number and cells.
    Other(Vec<(usize, Cells)>),
    /// These columns of a row group that is stored elsewhere.
    Stored(Vec<usize>, Arc<StoredGroup>),
}

/// A layer, and where its places are.
pub(super) type LocatedLayer = (LayerEntry, Option<PlacedSlice>);

/// A block of the new row group that stands on the parent's pieces.
pub(super) struct Layered {
    pub(super) pieces: Vec<(PieceEntry, PlacedSlice)>,
    pub(super) facts: BlockFacts,
    /// The cells that differ; absent where none do, and no row came.
    pub(super) patch: Option<EncodedPatch>,
    pub(super) patch_rows: u64,
}

impl Partner {
    /// `None` if the layers of the parent's row group are damaged.
    pub(super) fn new(
        parent: Arc<Parent>,
        place: Arc<GroupPlace>,
        columns: Arc<[Option<usize>]>,
        origin: Origin,
    ) -> Option<Self> {
        let locate = |layer: &LayerEntry| {
            let slice = layer.places.as_ref().map(|slice| parent.locate(&place, slice)).transpose()?;
            Ok((layer.clone(), slice))
        };
        let layers: Result<Vec<_>> = place.entry.layers.iter().map(locate).collect();
        let (old_places, aligned) = (OnceLock::new(), OnceLock::new());
        Some(Self { layers: layers.ok()?, parent, place, columns, origin, keys: Keys::Unknown, old_places, aligned })
    }

    /// Are the rows, by what tells them apart, and the columns those of the partner?
    pub(super) fn is_of_same_shape(&self) -> bool {
        let same = |(column, old): (usize, &Option<usize>)| *old == Some(column);
        let blocks = self.place.entry.blocks.len();
        matches!(self.keys, Keys::Same) && self.columns.len() == blocks && self.columns.iter().enumerate().all(same)
    }

    /// Says what tells the rows of the new row group apart: these columns of it.
    pub(super) fn with_keys<'c>(mut self, keys: impl Iterator<Item = (usize, &'c Cells)> + Clone) -> Self {
        let same = keys.clone().all(|(column, cells)| {
            self.old_block(column).is_some_and(|(_, old)| old.content == block::content_digest(cells))
        });
        self.keys =
            if same { Keys::Same } else { Keys::Other(keys.map(|(column, cells)| (column, cells.clone())).collect()) };
        self
    }

    /// The same, where the new row group is stored in another archive.
    pub(super) fn with_stored_keys(mut self, columns: Vec<usize>, stored: &Arc<StoredGroup>) -> Self {
        let same = columns.iter().all(|column| {
            let (new, old) = (stored.block(*column), self.old_block(*column));
            new.is_ok_and(|new| old.is_some_and(|(_, old)| old.content == new.content))
        });
        self.keys = if same { Keys::Same } else { Keys::Stored(columns, Arc::clone(stored)) };
        self
    }

    /// The partner's layers.
    pub(super) fn layers(&self) -> &[LocatedLayer] {
        &self.layers
    }

    /// Rows of the partner.
    pub(super) fn rows(&self) -> u64 {
        self.place.entry.rows
    }

    /// The rows that the new row group has and the partner has not, and the other way round; `None` if it is not worth it to
    /// build on the partner. Worked out once, by whichever thread asks first.
    pub(super) fn places(&self) -> Option<&Places> {
        self.aligned
            .get_or_init(|| match &self.keys {
                Keys::Same => Some(Places::default()),
                Keys::Unknown => None,
                Keys::Other(keys) => self.align(keys),
                Keys::Stored(columns, stored) => {
                    let read = |column: &usize| Some((*column, stored.cells(*column).ok()?));
                    columns.iter().map(read).collect::<Option<Vec<_>>>().and_then(|keys| self.align(&keys))
                }
            })
            .as_ref()
    }

    fn align(&self, keys: &[(usize, Cells)]) -> Option<Places> {
        let old_places = self.old_places()?;
        let read = |(column, _): &(usize, Cells)| {
            let (old, _) = self.old_block(*column)?;
            self.parent.reader().read_block(&self.place, old, old_places).ok().map(|(_, cells)| cells)
        };
        let old: Vec<Cells> = keys.iter().map(read).collect::<Option<_>>()?;
        let before = row_hashes(&old.iter().collect::<Vec<_>>());
        let after = row_hashes(&keys.iter().map(|(_, cells)| cells).collect::<Vec<_>>());
        let places = align(&before, &after);
        // Where more than half is new, or far more goes than stays, nothing is gained by building on the partner.
        (places.inserted.len() <= after.len() / 2 && places.deleted.len() <= before.len() / 2 + after.len())
            .then_some(places)
    }

    fn old_places(&self) -> Option<&[Places]> {
        self.old_places.get_or_init(|| self.parent.reader().read_places(&self.place).ok()).as_deref()
    }

    fn old_block(&self, column: usize) -> Option<(usize, &BlockEntry)> {
        let old = (*self.columns.get(column)?)?;
        Some((old, self.place.entry.blocks.get(old)?))
    }

    /// Is this column of the new row group the partner's?
    pub(super) fn keeps(&self, column: usize, content: [u8; 32]) -> bool {
        let same = |(_, old): (usize, &BlockEntry)| old.content == content && self.layers_above(old) < MAX_LAYERS;
        matches!(self.keys, Keys::Same) && self.old_block(column).is_some_and(same)
    }

    /// The partner's column, for a new row group that has the same.
    pub(super) fn kept(&self, column: usize, content: [u8; 32]) -> Option<Layered> {
        if !self.keeps(column, content) {
            return None;
        }
        let (_, old) = self.old_block(column)?;
        let facts = facts_of(self.rows(), old).ok()?;
        Some(Layered { pieces: self.pieces(old)?, facts, patch: None, patch_rows: 0 })
    }

    /// Might a column of so many rows and bytes be worth a patch?
    pub(super) fn may_be_patched(&self, column: usize, rows: u64, logical_bytes: u64) -> bool {
        logical_bytes >= PATCH_FROM_BYTES
            && self.rows() >= 2
            && rows >= 2
            && self.old_block(column).is_some_and(|(_, old)| self.layers_above(old) < MOST_LAYERS)
            && self.places().is_some()
    }

    /// A column of the new row group as the partner's and what differs; `None` where it had better be written whole.
    pub(super) fn patched(&self, column: usize, cells: &Cells, content: [u8; 32], profile: Profile) -> Option<Layered> {
        if !self.may_be_patched(column, u64::from(cells.rows()), cells.logical_bytes()) {
            return None;
        }
        let (old_column, old) = self.old_block(column)?;
        let places = self.places()?;
        let reader = self.parent.reader();
        let (encoding, before) = reader.read_block(&self.place, old_column, self.old_places()?).ok()?;
        let patch = patch(&before, cells, places);
        drop(before);
        let facts = block::facts_with(cells, encoding, content);
        let mut layered =
            Layered { pieces: self.pieces(old)?, facts, patch: None, patch_rows: u64::from(patch.cells.rows()) };
        let pieces = old.pieces.iter().map(|piece| piece.logical_bytes).sum::<u64>();
        if pieces.saturating_add(patch.cells.logical_bytes()) > most_piece_bytes(cells.logical_bytes()) {
            return None;
        }
        if !patch.is_empty() {
            let encoded = block::encode_patch(&patch, profile);
            let length = encoded.bytes.len() as u64;
            let new = Share::of(length, u64::from(patch.cells.rows()), places.inserted.len() as u64);
            if self.outgrow(old, new) {
                return None;
            }
            layered.patch = Some(encoded);
        }
        Some(layered)
    }

    /// Would so many superseding cells more be too many above the block's first piece?
    fn outgrow(&self, block: &BlockEntry, new: Share) -> bool {
        let Some((base, patches)) = block.pieces.split_first() else { return true };
        let inserted = |patch: &PieceEntry| {
            let layer = (patch.layer as usize).checked_sub(1).and_then(|layer| self.place.entry.layers.get(layer));
            layer.map_or(0, |layer| layer.inserted)
        };
        let mut all = Share { superseding: new.superseding, other: new.other.saturating_add(base.slice.length) };
        for patch in patches {
            let share = Share::of(patch.slice.length, patch.rows, inserted(patch));
            all.superseding = all.superseding.saturating_add(share.superseding);
            all.other = all.other.saturating_add(share.other);
        }
        all.superseding.saturating_mul(WHOLE_ABOVE_ONE_IN) > all.other
    }

    fn layers_above(&self, block: &BlockEntry) -> usize {
        let base = block.base().map_or(0, |piece| piece.layer as usize);
        self.place.entry.layers.len().saturating_sub(base)
    }

    fn pieces(&self, block: &BlockEntry) -> Option<Vec<(PieceEntry, PlacedSlice)>> {
        let locate = |piece: &PieceEntry| Some((*piece, self.parent.locate(&self.place, &piece.slice).ok()?));
        block.pieces.iter().map(locate).collect()
    }
}

/// Bytes of pieces, by what their cells are.
#[derive(Clone, Copy)]
struct Share {
    /// In place of others.
    superseding: u64,
    other: u64,
}

impl Share {
    /// Of a patch of so many bytes and cells, some of which are of rows that came.
    fn of(length: u64, cells: u64, inserted: u64) -> Self {
        let other = length.saturating_mul(inserted) / cells.max(1);
        Self { superseding: length.saturating_sub(other), other }
    }
}

/// What a page says of a block.
pub(super) fn facts_of(rows: u64, block: &BlockEntry) -> Result<BlockFacts> {
    let base = block.base().ok_or_else(|| Error::damaged(Layer::Page, "a block without pieces"))?;
    let encoding = Encoding::known(base.encoding)?;
    let range = block.minimum.clone().zip(block.maximum.clone());
    let BlockEntry { logical_bytes, nulls, content, .. } = *block;
    Ok(BlockFacts { rows, encoding, logical_bytes, nulls, range, content })
}
