//! Reading one table of a snapshot, at the cost of what is read.

use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use super::manifest::{Label, RowGroupEntry, TableManifest, label, stored_share};
use super::pack::{self, Claim, DirectoryIndex, Writing};
use super::tree::{Leaf, Leaves};
use crate::block;
use crate::container::{ContainerReader, FrameKind, Reference};
use crate::encoding::Encoding;
use crate::error::{Error, Layer, Result};
use crate::model::{Cells, RowGroup, TableSchema};
use crate::observer::{Observer, check_cancelled};

/// A table of a snapshot.
#[derive(Debug)]
pub struct Table<'a> {
    container: &'a ContainerReader,
    offset: u64,
    manifest: TableManifest,
    directory: Mutex<Option<(u64, Arc<DirectoryIndex>)>>,
}

/// A row group and its place in the table.
#[derive(Debug, Clone)]
pub struct GroupPlace {
    /// Number of the row group, from 0.
    pub number: u64,
    /// Number of its first row in the table, from 0.
    pub first_row: u64,
    /// What is known of it.
    pub entry: RowGroupEntry,
    frames: Arc<Vec<Reference>>,
    offset: u64,
}

impl GroupPlace {
    /// The frame that the block of a column stands in.
    pub fn frame(&self, column: usize) -> Option<&Reference> {
        let block = self.entry.blocks.get(column)?;
        self.frames.get(block.frame as usize)
    }

    /// The offset of the page that names the row group.
    pub(super) fn page_offset(&self) -> u64 {
        self.offset
    }
}

impl<'a> Table<'a> {
    pub(super) fn new(container: &'a ContainerReader, offset: u64, manifest: TableManifest) -> Self {
        Self { container, offset, manifest, directory: Mutex::new(None) }
    }

    /// Its manifest.
    pub fn manifest(&self) -> &TableManifest {
        &self.manifest
    }

    /// Its schema.
    pub fn schema(&self) -> &TableSchema {
        &self.manifest.schema
    }

    pub(super) fn leaves(&self) -> Leaves<'a> {
        Leaves::of(self.container, &self.manifest, self.offset)
    }

    /// Its row groups in order. Pages are read as the iteration reaches them.
    pub fn groups(&self) -> impl Iterator<Item = Result<GroupPlace>> + use<'a> {
        let name = self.manifest.schema.name.clone();
        let named = move |error: Error| error.in_table(name.clone());
        self.leaves().flat_map(move |leaf| match leaf {
            Ok(leaf) => group_places(leaf).into_iter().map(Ok).collect::<Vec<_>>(),
            Err(unreachable) => vec![Err(named(unreachable.error))],
        })
    }

    /// Reads the given columns (indexes into the schema's) of a row group, in the order asked for, and gives back what
    /// memory the medium held for their frames.
    pub fn read_group(&self, place: &GroupPlace, columns: &[usize]) -> Result<RowGroup> {
        let rows = u32::try_from(place.entry.rows)
            .map_err(|_| Error::damaged(Layer::Page, "a row group of more than 2^32 rows").at(place.offset))?;
        let cells = columns
            .iter()
            .map(|column| self.read_block(place, *column, rows))
            .collect::<Result<Vec<Cells>>>()
            .map_err(|error| error.in_table(&self.manifest.schema.name))?;
        self.release(place);
        RowGroup::from_columns(rows, cells)
    }

    /// Gives back what memory the medium holds for the frames of a row group.
    pub(super) fn release(&self, place: &GroupPlace) {
        for block in &place.entry.blocks {
            if let Some(frame) = place.frames.get(block.frame as usize) {
                self.container.release(frame.offset, frame.length);
            }
        }
    }

    fn read_block(&self, place: &GroupPlace, column: usize, rows: u32) -> Result<Cells> {
        let stated = place.entry.blocks.get(column).map_or(0, |block| block.logical_bytes);
        self.with_block(place, column, |bytes| match block::decode(bytes, rows)? {
            cells if cells.logical_bytes() == stated => Ok(cells),
            _ => Err(Error::damaged(Layer::Block, "a block of other cells than its entry states")),
        })
    }

    /// Bytes of a block and of its frame in the file: its share, to compare sums with.
    pub(super) fn stored_bytes(&self, place: &GroupPlace, column: usize) -> Result<u64> {
        let (Some(block), Some(frame)) = (place.entry.blocks.get(column), place.frame(column)) else { return Ok(0) };
        let header = self.container.resolve(frame, FrameKind::Data)?;
        Ok(stored_share(header.stored_length, block.length, header.raw_length))
    }

    /// Calls `use_bytes` with a column block's bytes, which lie in a checked frame.
    pub(super) fn with_block<T>(
        &self,
        place: &GroupPlace,
        column: usize,
        use_bytes: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let missing = || Error::request(format!("the table has no column number {column}"));
        let block = place.entry.blocks.get(column).ok_or_else(missing)?;
        let frame = place.frame(column).ok_or_else(missing)?;
        // An encoding that only a newer program knows is not damage.
        Encoding::known(block.encoding).map_err(|error| error.at(frame.offset))?;
        let body = self.container.body(frame, FrameKind::Data)?;
        let bytes = pack::slice(&body, block.start, block.length, Layer::Block).and_then(|bytes| {
            if bytes.first() == Some(&block.encoding) {
                return Ok(bytes);
            }
            Err(Error::damaged(Layer::Block, "a block of another encoding than its entry states"))
        });
        bytes.and_then(use_bytes).map_err(|error| error.at(frame.offset))
    }

    /// Checks what the directory of a block's frame says of the block.
    pub(super) fn check_label(&self, place: &GroupPlace, column: usize, by: Writing) -> Result<Option<Claim>> {
        let (Some(block), Some(frame)) = (place.entry.blocks.get(column), place.frame(column)) else { return Ok(None) };
        let body = self.container.body(frame, FrameKind::Data)?;
        let label = Label {
            table: 0,
            what: label::BLOCK,
            group: place.number,
            column: u32::try_from(column).unwrap_or(u32::MAX),
            rows: place.entry.rows,
            length: block.length,
        };
        let index = self.directory(frame, &body)?;
        pack::check_label(&index, by, &self.manifest.schema.name, (frame.offset, block.start), label)
    }

    /// Checks what the directory of a leaf page's frame says of the page.
    pub(super) fn check_page_label(&self, leaf: &Leaf, by: Writing) -> Result<Option<Claim>> {
        let body = self.container.body(&leaf.page.frame, FrameKind::TableMetadata)?;
        let label = Label {
            table: 0,
            what: label::PAGE,
            group: leaf.first_group,
            column: 0,
            rows: leaf.groups.iter().map(|group| group.rows).sum(),
            length: leaf.page.length,
        };
        let index = self.directory(&leaf.page.frame, &body)?;
        pack::check_label(&index, by, &self.manifest.schema.name, (leaf.page.frame.offset, leaf.page.start), label)
    }

    /// The directory of a frame. That of the frame asked for last is kept: its slices are asked for one after another.
    fn directory(&self, frame: &Reference, body: &[u8]) -> Result<Arc<DirectoryIndex>> {
        if let Ok(kept) = self.directory.lock()
            && let Some((of, index)) = &*kept
            && *of == frame.offset
        {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(DirectoryIndex::of(body).map_err(|error| error.at(frame.offset))?);
        if let Ok(mut kept) = self.directory.lock() {
            *kept = Some((frame.offset, Arc::clone(&index)));
        }
        Ok(index)
    }

    /// Reads the given columns of all rows, row group by row group.
    pub fn scan<'t>(&'t self, columns: &'t [usize]) -> impl Iterator<Item = Result<RowGroup>> + 't {
        self.groups().map(move |place| self.read_group(&place?, columns))
    }

    /// Checks every stored byte that the given columns come from, without decompressing anything but pages.
    pub fn check_stored(&self, columns: &[usize], observer: &dyn Observer) -> Result<()> {
        let mut checked_last = None;
        for leaf in self.leaves() {
            check_cancelled(observer)?;
            let leaf = leaf.map_err(|unreachable| unreachable.error.in_table(&self.manifest.schema.name))?;
            let mut frames: Vec<Reference> = leaf
                .groups
                .iter()
                .flat_map(|group| columns.iter().filter_map(|column| group.blocks.get(*column)))
                .filter_map(|block| leaf.frames.get(block.frame as usize).copied())
                .collect();
            frames.sort_unstable_by_key(|frame| frame.offset);
            frames.dedup();
            frames.retain(|frame| Some(frame) != checked_last.as_ref());
            frames
                .par_iter()
                .try_for_each(|frame| {
                    let header = self.container.resolve(frame, FrameKind::Data)?;
                    self.container.check_body(frame.offset, &header)?;
                    self.container.release(frame.offset, frame.length);
                    observer.advance(0, frame.length);
                    Ok(())
                })
                .map_err(|error: Error| error.in_table(&self.manifest.schema.name))?;
            checked_last = frames.last().copied().or(checked_last);
        }
        Ok(())
    }
}

pub(super) fn group_places(leaf: Leaf) -> Vec<GroupPlace> {
    let Leaf { page, first_group, first_row, frames, groups } = leaf;
    let offset = page.frame.offset;
    let mut row = first_row;
    groups
        .into_iter()
        .zip(first_group..)
        .map(|(entry, number)| {
            let first_row = row;
            row = row.saturating_add(entry.rows);
            GroupPlace { number, first_row, entry, frames: Arc::clone(&frames), offset }
        })
        .collect()
}
