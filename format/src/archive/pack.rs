//! Frames of slices: small slices share a frame, so that many little tables do not become many little frames.

use std::collections::HashMap;

use super::frame_queue::{FramePlace, FrameQueue};
use super::manifest::{Directory, Label, SliceReference, label};
use crate::container::{ContainerWriter, FrameKind, Reference, SealedFrame, WriteStorage};
use crate::error::{Error, Layer, Result};
use crate::wire;

/// Slices below this size share frames. A frame costs 104 bytes of header and 48 of reference, and small ones hash slowly.
pub(super) const SHARE_BELOW: usize = 16 << 10;

/// A shared frame is closed when its slices reach this size: who wants one of them reads them all.
const CLOSE_AT: usize = 64 << 10;

/// The raw body of a frame of slices, and where the slices begin in it.
pub(super) fn slices_body(directory: &Directory, slices: &[u8]) -> Result<(Vec<u8>, u64)> {
    let encoded = wire::encode(directory)?;
    let length = u32::try_from(encoded.len()).map_err(|_| Error::request("a directory of more than 4 GiB"))?;
    let mut body = Vec::with_capacity(4 + encoded.len() + slices.len());
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(&encoded);
    let start = body.len() as u64;
    body.extend_from_slice(slices);
    Ok((body, start))
}

/// The directory of a frame of slices, and where the slices begin.
pub(super) fn read_directory(raw: &[u8]) -> Result<(Directory, u64)> {
    let start = slices_start(raw)?;
    let encoded = raw.get(4..usize::try_from(start).unwrap_or(usize::MAX)).unwrap_or_default();
    let directory: Directory = wire::decode(encoded, "directory")?;
    let refuse = |why: &str| Error::damaged(Layer::Directory, why);
    let total = directory.slices.iter().try_fold(start, |end, label| end.checked_add(label.length));
    if total != Some(raw.len() as u64) {
        return Err(refuse("lengths in a directory do not add up to the frame's"));
    }
    if directory.slices.iter().any(|label| label.table as usize >= directory.tables.len()) {
        return Err(refuse("a label names a table that the directory does not have"));
    }
    Ok((directory, start))
}

/// Checks that the slice at `start` is one that the directory names, and that it is called what the manifests of
/// snapshot `snapshot` call it. Of a frame that another snapshot wrote, the names are that snapshot's business.
/// Gives a claim where the snapshot wrote the frame itself and the directory names another place: a slice may be used in several
/// places, and the directory names one of them.
pub(super) fn check_label(
    index: &DirectoryIndex,
    by: Writing,
    table: &str,
    slice: (u64, u64),
    expected: Label,
) -> Result<Option<Claim>> {
    let (frame, start) = slice;
    let refuse = |why| Err(Error::damaged(Layer::Directory, why).at(frame));
    if by.writer.is_some_and(|writer| writer != index.snapshot) {
        return refuse("a frame's directory names another snapshot than the one it was written with");
    }
    if index.data != if label::is_data(expected.what) { index.slices } else { 0 } {
        return refuse("a directory with slices that do not belong into a frame of its kind");
    }
    let same =
        |label: &&Label| (label.what, label.rows, label.length) == (expected.what, expected.rows, expected.length);
    let Some(label) = index.labels.get(&start).filter(same) else {
        return refuse("a reference to what is no slice of the frame's directory");
    };
    let name = index.tables.get(label.table as usize).map(String::as_str).unwrap_or_default();
    let named = name == table && label.group == expected.group && label.column == expected.column;
    if index.snapshot != by.referrer || named {
        return Ok(None);
    }
    let Label { what, group, column, .. } = *label;
    Ok(Some(Claim { table: name.to_owned(), what, group, column, frame, start }))
}

/// A directory, decoded once for all the slices of its frame.
#[derive(Debug)]
pub(super) struct DirectoryIndex {
    snapshot: u64,
    tables: Vec<String>,
    /// By the start of the slice.
    labels: HashMap<u64, Label>,
    slices: usize,
    /// How many of the slices belong into data frames.
    data: usize,
}

impl DirectoryIndex {
    /// Of the frame with this raw body.
    pub(super) fn of(raw: &[u8]) -> Result<Self> {
        let (directory, mut position) = read_directory(raw)?;
        let mut labels = HashMap::with_capacity(directory.slices.len());
        for label in &directory.slices {
            labels.insert(position, *label);
            position = position.saturating_add(label.length);
        }
        let data = directory.slices.iter().filter(|label| label::is_data(label.what)).count();
        let Directory { snapshot, tables, slices } = directory;
        Ok(Self { snapshot, tables, labels, slices: slices.len(), data })
    }
}

/// The place that a directory names for a slice, where it was met in another one.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) table: String,
    pub(super) what: u8,
    pub(super) group: u64,
    pub(super) column: u32,
    /// Offset of the frame.
    pub(super) frame: u64,
    /// Start of the slice.
    pub(super) start: u64,
}

/// Whose a frame is: the snapshot that refers to it, and the one it was written with, where that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing {
    pub(super) referrer: u64,
    pub(super) writer: Option<u64>,
}

/// Where the slices of a raw body begin.
fn slices_start(raw: &[u8]) -> Result<u64> {
    let refuse = || Error::damaged(Layer::Directory, "a directory that is longer than its frame");
    let (length, rest) = raw.split_first_chunk::<4>().ok_or_else(refuse)?;
    let length = u64::from(u32::from_le_bytes(*length));
    if length > rest.len() as u64 { Err(refuse()) } else { Ok(4 + length) }
}

/// The bytes of a slice, which must lie behind the directory and inside the body.
pub(super) fn slice(raw: &[u8], start: u64, length: u64, layer: Layer) -> Result<&[u8]> {
    let refuse = || Error::damaged(layer, format!("a slice of {length} bytes from {start} is not inside its frame"));
    if start < slices_start(raw)? {
        return Err(refuse());
    }
    let end = start.checked_add(length).and_then(|end| usize::try_from(end).ok()).ok_or_else(refuse)?;
    usize::try_from(start).ok().and_then(|start| raw.get(start..end)).ok_or_else(refuse)
}

/// Where a slice went: its frame may not be written yet.
#[derive(Debug, Clone)]
pub(super) struct Place {
    frame: FramePlace,
    /// From the first slice of the frame.
    offset: u64,
}

impl Place {
    /// The only slice of a frame.
    pub(super) fn alone(frame: FramePlace) -> Self {
        Self { frame, offset: 0 }
    }

    /// Where the slice is. Its frame must be written.
    pub(super) fn locate(&self) -> Result<PlacedSlice> {
        let frame =
            *self.frame.get().ok_or_else(|| Error::request("a slice was asked for before its frame was written"))?;
        Ok(PlacedSlice { frame, start: frame.slices_start + self.offset })
    }
}

/// A frame that is written, and where its slices begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) reference: Reference,
    pub(super) slices_start: u64,
    pub(super) stored_length: u64,
    pub(super) raw_length: u64,
}

/// A slice in a frame that is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedSlice {
    pub(super) frame: Placed,
    pub(super) start: u64,
}

impl PlacedSlice {
    pub(super) fn reference(&self, length: u64) -> SliceReference {
        SliceReference { frame: self.frame.reference, start: self.start, length }
    }
}

/// How frames of slices are sealed: on any thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sealing {
    pub(super) kind: FrameKind,
    pub(super) snapshot: u64,
    pub(super) level: i32,
}

impl Sealing {
    /// A frame of one slice. `label.table` is taken as 0. Of what is known not to be `compressible` no compression is tried.
    pub(super) fn alone(self, table: &str, label: Label, bytes: Vec<u8>, compressible: bool) -> Result<SealedSlice> {
        let directory = Directory { snapshot: self.snapshot, tables: vec![table.to_owned()], slices: vec![label] };
        let (body, slices_start) = slices_body(&directory, &bytes)?;
        // They may be many: two copies of them are enough while they are compressed.
        drop(bytes);
        self.seal(body, slices_start, compressible)
    }

    fn seal(self, body: Vec<u8>, slices_start: u64, compressible: bool) -> Result<SealedSlice> {
        Ok(SealedSlice { frame: SealedFrame::seal(self.kind, body, compressible.then_some(self.level))?, slices_start })
    }
}

/// Collects small slices of one kind of frame into shared frames.
#[derive(Debug)]
pub(super) struct Packer {
    sealing: Sealing,
    directory: Directory,
    slices: Vec<u8>,
    /// Where the frame will be that the slices are collected for.
    place: FramePlace,
}

impl Packer {
    pub(super) fn new(sealing: Sealing) -> Self {
        let directory = Directory { snapshot: sealing.snapshot, tables: Vec::new(), slices: Vec::new() };
        Self { sealing, directory, slices: Vec::new(), place: FramePlace::default() }
    }

    /// Adds a slice to the shared frame; `label.table` and `label.length` are filled in.
    pub(super) fn share<S: WriteStorage>(
        &mut self,
        frames: &mut FrameQueue<S>,
        table: &str,
        mut label: Label,
        bytes: &[u8],
    ) -> Result<Place> {
        if self.directory.tables.last().is_none_or(|last| last != table) {
            self.directory.tables.push(table.to_owned());
        }
        label.table = u32::try_from(self.directory.tables.len() - 1).unwrap_or(u32::MAX);
        label.length = bytes.len() as u64;
        let place = Place { frame: FramePlace::clone(&self.place), offset: self.slices.len() as u64 };
        self.directory.slices.push(label);
        self.slices.extend_from_slice(bytes);
        if self.slices.len() >= CLOSE_AT {
            self.flush(frames)?;
        }
        Ok(place)
    }

    /// Sends the shared frame on its way, if it holds anything.
    pub(super) fn flush<S: WriteStorage>(&mut self, frames: &mut FrameQueue<S>) -> Result<()> {
        if self.directory.slices.is_empty() {
            return Ok(());
        }
        let (body, slices_start) = slices_body(&self.directory, &self.slices)?;
        self.directory.tables.clear();
        self.directory.slices.clear();
        self.slices.clear();
        let (sealing, place) = (self.sealing, std::mem::take(&mut self.place));
        frames.add_unsealed(body.len() as u64, place, move || sealing.seal(body, slices_start, true))
    }
}

/// A frame of slices, ready to be written.
#[derive(Debug)]
pub(super) struct SealedSlice {
    frame: SealedFrame,
    slices_start: u64,
}

impl SealedSlice {
    pub(super) fn write<S: WriteStorage>(&self, container: &mut ContainerWriter<S>) -> Result<Placed> {
        Ok(Placed {
            reference: container.write(&self.frame)?,
            slices_start: self.slices_start,
            stored_length: self.frame.stored_length(),
            raw_length: self.frame.raw_length(),
        })
    }

    pub(super) fn stored_length(&self) -> u64 {
        self.frame.stored_length()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn body() -> (Vec<u8>, u64) {
        let label = Label { table: 0, what: 0, group: 0, column: 0, rows: 1, length: 3 };
        let directory = Directory { snapshot: 1, tables: vec!["t".into()], slices: vec![label] };
        slices_body(&directory, b"abc").unwrap()
    }

    #[test]
    fn slices_lie_behind_the_directory() {
        let (raw, start) = body();
        assert_eq!(slice(&raw, start, 3, Layer::Block).unwrap(), b"abc");
        assert!(slice(&raw, start, 4, Layer::Block).is_err());
        assert!(slice(&raw, start - 1, 1, Layer::Block).is_err());
        assert!(slice(&raw, u64::MAX, 2, Layer::Block).is_err());
        assert!(slice(&[255, 255, 255, 255], 4, 0, Layer::Block).is_err());
        assert!(slice(&[], 0, 0, Layer::Block).is_err());
    }

    #[test]
    fn directories_must_add_up() {
        let (mut raw, start) = body();
        assert_eq!(read_directory(&raw).unwrap().1, start);
        raw.push(0);
        assert_eq!(read_directory(&raw).unwrap_err().layer(), Some(Layer::Directory));
    }
}
