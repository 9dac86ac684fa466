//! The cells of row groups: whole blocks, and what the layers above them changed, put in and took out.

use super::manifest::{BlockEntry, LayerEntry, PieceEntry, SliceEntry};
use super::pack;
use super::table_reader::{GroupPlace, Table};
use crate::block;
use crate::container::{ContainerReader, FrameKind};
use crate::encoding::Encoding;
use crate::error::{Error, Layer, Result};
use crate::history::compose::{Step, compose};
use crate::model::{CellPatch, Cells, Places, RowGroup};

/// Reads what row groups are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupReader<'a> {
    pub(super) container: &'a ContainerReader,
}

impl Table<'_> {
    /// Reads the given columns (indexes into the schema's) of a row group, in the order asked for, and gives back what
    /// memory the medium held for their frames.
    pub fn read_group(&self, place: &GroupPlace, columns: &[usize]) -> Result<RowGroup> {
        let reader = self.reader();
        let read = || {
            let places = reader.read_places(place)?;
            columns.iter().map(|column| reader.read_block(place, *column, &places)).collect::<Result<Vec<_>>>()
        };
        let blocks = read().map_err(|error| error.in_table(&self.schema().name))?;
        self.release(place);
        RowGroup::from_columns(rows_of(place.entry.rows)?, blocks.into_iter().map(|(_, cells)| cells).collect())
    }
}

impl GroupReader<'_> {
    /// Which rows each layer of a row group takes out and puts in.
    pub(super) fn read_places(&self, place: &GroupPlace) -> Result<Vec<Places>> {
        place.entry.layers.iter().map(|layer| self.read_layer(place, layer)).collect()
    }

    fn read_layer(&self, place: &GroupPlace, layer: &LayerEntry) -> Result<Places> {
        let Some(slice) = &layer.places else { return Ok(Places::default()) };
        let (rows, deleted, inserted) = (rows_of(layer.rows)?, rows_of(layer.deleted)?, rows_of(layer.inserted)?);
        self.with_slice(place, slice, |bytes| block::decode_places(bytes, rows, deleted, inserted))
    }

    /// The cells of a block, and the encoding of its first piece. `places` are those of the row group's layers.
    pub(super) fn read_block(&self, place: &GroupPlace, column: usize, places: &[Places]) -> Result<(Encoding, Cells)> {
        let missing = || Error::request(format!("the table has no column number {column}"));
        let block = place.entry.blocks.get(column).ok_or_else(missing)?;
        let base = block.base().ok_or_else(|| Error::damaged(Layer::Page, "a block without pieces"))?;
        let encoding = known_encoding(base)?;
        let cells = self.with_slice(place, &base.slice, |bytes| {
            if bytes.first() != Some(&base.encoding) {
                return Err(Error::damaged(Layer::Block, "a block of another encoding than its entry states"));
            }
            let cells = block::decode(bytes, rows_of(base.rows)?)?;
            as_stated(cells.logical_bytes(), base.logical_bytes).map(|()| cells)
        })?;
        let cells = self.with_layers(place, block, cells, places)?;
        as_stated(cells.logical_bytes(), block.logical_bytes)
            .map_err(|error| error.at(place.page_offset()))
            .map(|()| (encoding, cells))
    }

    /// The cells of a block's first piece after all layers above it.
    fn with_layers(&self, place: &GroupPlace, block: &BlockEntry, base: Cells, places: &[Places]) -> Result<Cells> {
        let first = block.base().map_or(0, |piece| piece.layer as usize);
        let layers = (1_u32..).zip(place.entry.layers.iter().zip(places)).skip(first);
        let mut patches = block.pieces.iter().skip(1).peekable();
        let mut read = Vec::new();
        for (number, (layer, places)) in layers {
            let patch = match patches.next_if(|patch| patch.layer == number) {
                Some(patch) => Some(self.read_patch(place, patch, layer, places)?),
                None => None,
            };
            read.push((places, patch));
        }
        if read.is_empty() {
            return Ok(base);
        }
        let steps: Vec<Step<'_>> = read.iter().map(|(places, patch)| Step { places, patch: patch.as_ref() }).collect();
        compose(base, &steps).map_err(|error| error.at(place.page_offset()))
    }

    fn read_patch(
        &self,
        place: &GroupPlace,
        piece: &PieceEntry,
        layer: &LayerEntry,
        places: &Places,
    ) -> Result<CellPatch> {
        let encoding = known_encoding(piece)?;
        let rows = layer.rows.saturating_sub(layer.deleted).saturating_add(layer.inserted);
        let (rows, cells) = (rows_of(rows)?, rows_of(piece.rows)?);
        self.with_slice(place, &piece.slice, |bytes| {
            let patch = block::decode_patch(bytes, rows, cells, encoding, &places.inserted)?;
            as_stated(patch.cells.logical_bytes(), piece.logical_bytes).map(|()| patch)
        })
    }

    /// Calls `use_bytes` with the bytes of a slice, which lie in a checked frame.
    fn with_slice<T>(
        &self,
        place: &GroupPlace,
        slice: &SliceEntry,
        use_bytes: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let Some(frame) = place.frame_of(slice) else {
            return Err(
                Error::damaged(Layer::Page, "a slice of a frame that the page does not have").at(place.page_offset())
            );
        };
        let body = self.container.body(frame, FrameKind::Data)?;
        let bytes = pack::slice(&body, slice.start, slice.length, Layer::Block);
        bytes.and_then(use_bytes).map_err(|error| error.at(frame.offset))
    }
}

/// An encoding that only a newer program knows is not damage.
fn known_encoding(piece: &PieceEntry) -> Result<Encoding> {
    Encoding::known(piece.encoding)
}

fn as_stated(found: u64, stated: u64) -> Result<()> {
    if found == stated {
        return Ok(());
    }
    Err(Error::damaged(Layer::Block, "a block of other cells than its entry states"))
}

/// Counts of rows were checked with the page that states them.
fn rows_of(rows: u64) -> Result<u32> {
    u32::try_from(rows).map_err(|_| Error::damaged(Layer::Page, "a row group of more than 2^32 rows"))
}
