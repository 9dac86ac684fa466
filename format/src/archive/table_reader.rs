//! Reading one table of a snapshot, at the cost of what is read.

use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use super::group_reader::GroupReader;
use super::group_walk::GroupWalk;
use super::manifest::{Label, RowGroupEntry, SliceEntry, TableManifest, label, stored_share};
use super::pack::{self, Claim, DirectoryIndex, Writing};
use super::tree::{Leaf, LeafWalk, Leaves};
use crate::container::{ContainerReader, FrameKind, Reference};
use crate::error::{Error, Result};
use crate::model::{RowGroup, TableSchema};
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
    /// The frame that a slice of the row group stands in.
    pub fn frame_of(&self, slice: &SliceEntry) -> Option<&Reference> {
        self.frames.get(slice.frame as usize)
    }

    /// What the directories of this snapshot's own frames say of each slice of the row group.
    pub(super) fn labels(&self) -> impl Iterator<Item = (Label, &SliceEntry)> {
        let of = |what, column, rows, slice: &SliceEntry| Label {
            table: 0,
            what,
            group: self.number,
            column,
            rows,
            length: slice.length,
        };
        let places = self.entry.layers.iter().filter_map(move |layer| {
            let slice = layer.places.as_ref()?;
            Some((of(label::PLACES, 0, layer.deleted.saturating_add(layer.inserted), slice), slice))
        });
        let blocks = (0_u32..).zip(&self.entry.blocks).flat_map(move |(column, block)| {
            block.pieces.iter().enumerate().map(move |(number, piece)| {
                let what = if number == 0 { label::BLOCK } else { label::PATCH };
                (of(what, column, piece.rows, &piece.slice), &piece.slice)
            })
        });
        places.chain(blocks)
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

    /// A walk through its row groups that can pass over what another table has too.
    pub fn walk(&self) -> GroupWalk<'_, 'a> {
        GroupWalk::new(self, LeafWalk::of(&self.manifest, self.offset))
    }

    /// Gives back what memory the medium holds for the frames of a row group.
    pub(super) fn release(&self, place: &GroupPlace) {
        for slice in place.entry.slices() {
            if let Some(frame) = place.frame_of(slice) {
                self.container.release(frame.offset, frame.length);
            }
        }
    }

    pub(super) fn reader(&self) -> GroupReader<'a> {
        GroupReader { container: self.container }
    }

    /// Bytes that slices take in the file: their shares of their frames, to compare sums with.
    pub(super) fn stored_bytes<'s>(
        &self,
        place: &GroupPlace,
        slices: impl IntoIterator<Item = &'s SliceEntry>,
    ) -> Result<u64> {
        let mut bytes = 0_u64;
        for slice in slices {
            let Some(frame) = place.frame_of(slice) else { continue };
            let header = self.container.resolve(frame, FrameKind::Data)?;
            bytes = bytes.saturating_add(stored_share(header.stored_length, slice.length, header.raw_length));
        }
        Ok(bytes)
    }

    /// Checks what the directory of a slice's frame says of it. Of `label`, the table's place is not looked at.
    pub(super) fn check_label(
        &self,
        place: &GroupPlace,
        slice: &SliceEntry,
        label: Label,
        writer: impl Fn(&Reference) -> Writing,
    ) -> Result<Option<Claim>> {
        let Some(frame) = place.frame_of(slice) else { return Ok(None) };
        let body = self.container.body(frame, FrameKind::Data)?;
        let index = self.directory(frame, &body)?;
        pack::check_label(&index, writer(frame), &self.manifest.schema.name, (frame.offset, slice.start), label)
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
                .flat_map(|group| group.slices_of(columns))
                .filter_map(|slice| leaf.frames.get(slice.frame as usize).copied())
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
