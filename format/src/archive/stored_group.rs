//! A row group of another archive on its way into this one, cut as it is: of its columns no more is read than must be.

use std::sync::{Arc, OnceLock};

use super::group_reader::GroupReader;
use super::manifest::BlockEntry;
use super::partner::facts_of;
use super::reader::Archive;
use super::table_reader::GroupPlace;
use crate::block::BlockFacts;
use crate::container::FrameKind;
use crate::error::{Error, Layer, Result};
use crate::model::{Cells, Places};

/// A row group that stands in an archive.
pub(super) struct StoredGroup {
    archive: Arc<Archive>,
    pub(super) place: GroupPlace,
    places: OnceLock<Vec<Places>>,
}

/// The bytes of a whole block, as they are stored.
pub(super) struct WholeBlock {
    pub(super) bytes: Vec<u8>,
    /// Is it worth it to compress them?
    pub(super) compressible: bool,
}

impl StoredGroup {
    pub(super) fn new(archive: Arc<Archive>, place: GroupPlace) -> Self {
        Self { archive, place, places: OnceLock::new() }
    }

    fn reader(&self) -> GroupReader<'_> {
        GroupReader { container: self.archive.container() }
    }

    pub(super) fn rows(&self) -> u64 {
        self.place.entry.rows
    }

    pub(super) fn block(&self, column: usize) -> Result<&BlockEntry> {
        let missing = || Error::request(format!("the row group has no column number {column}"));
        self.place.entry.blocks.get(column).ok_or_else(missing)
    }

    /// What its page says of a column.
    pub(super) fn facts(&self, column: usize) -> Result<BlockFacts> {
        facts_of(self.rows(), self.block(column)?)
    }

    /// Reads a column.
    pub(super) fn cells(&self, column: usize) -> Result<Cells> {
        let places = match self.places.get() {
            Some(places) => places,
            None => {
                let read = self.reader().read_places(&self.place)?;
                self.places.get_or_init(|| read)
            }
        };
        self.reader().read_block(&self.place, column, places).map(|(_, cells)| cells)
    }

    /// The block of a column, if it is stored as one: then it need not be decoded to be stored again.
    pub(super) fn whole(&self, column: usize) -> Result<Option<WholeBlock>> {
        let block = self.block(column)?;
        let [piece] = block.pieces.as_slice() else { return Ok(None) };
        let mut above = self.place.entry.layers.iter().skip(piece.layer as usize);
        if above.any(|layer| layer.places.is_some()) {
            return Ok(None);
        }
        let (bytes, alone) = self.reader().slice(&self.place, &piece.slice)?;
        if bytes.first() != Some(&piece.encoding) {
            let why = "a block of another encoding than its entry states";
            return Err(Error::damaged(Layer::Block, why).at(self.place.page_offset()));
        }
        let compressible = match self.place.frame_of(&piece.slice) {
            Some(frame) if alone => self.archive.container().resolve(frame, FrameKind::Data)?.is_compressed(),
            _ => true,
        };
        Ok(Some(WholeBlock { bytes, compressible }))
    }
}

/// Nobody reads the row group again soon.
impl Drop for StoredGroup {
    fn drop(&mut self) {
        for slice in self.place.entry.slices() {
            if let Some(frame) = self.place.frame_of(slice) {
                self.archive.container().release(frame.offset, frame.length);
            }
        }
    }
}
