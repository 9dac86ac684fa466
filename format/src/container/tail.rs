//! Finding the last commit (`spec/format.md` §4.1): a look at the last 360 bytes, or a search backwards where an
//! append did not finish.

use super::commit::Commit;
use super::frame::{FrameHeader, FrameKind};
use super::layout::{COMMIT_FRAME_LENGTH, FRAME_HEADER_LENGTH, FRAME_MAGIC, HEADER_LENGTH};
use super::reference::Reference;
use super::storage::ReadStorage;
use crate::error::{Error, Layer, Result};

/// Bytes looked at in one step of the search.
const WINDOW: u64 = 1 << 20;

/// The last commit of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCommit {
    /// The commit.
    pub commit: Commit,
    /// The reference that leads to it.
    pub reference: Reference,
    /// Bytes behind it, which belong to no snapshot.
    pub tail: u64,
}

impl LastCommit {
    /// The offset after the commit's last byte.
    pub fn end(&self) -> u64 {
        self.commit.offset + COMMIT_FRAME_LENGTH as u64
    }

    /// Finds the last commit of the archive with this tag.
    pub(super) fn find(storage: &dyn ReadStorage, tag: [u8; 8]) -> Result<Self> {
        let length = storage.len();
        if let Some(offset) = length.checked_sub(COMMIT_FRAME_LENGTH as u64) {
            match commit_at(storage, offset, tag) {
                Ok(found) => return Ok(found),
                Err(error) if error.is_damaged() => {}
                Err(error) => return Err(error),
            }
        }
        let mut before = length;
        while let Some(offset) = last_frame_before(storage, before, tag)? {
            match follow(storage, offset, tag) {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(error) if error.is_damaged() => {}
                Err(error) => return Err(error),
            }
            before = offset;
        }
        Err(Error::damaged(Layer::Commit, "no complete snapshot in this archive")
            .with_hint("the dump that made it did not finish; dump again"))
    }
}

/// The commit that the frame at `offset` is, or the one it was appended to.
fn follow(storage: &dyn ReadStorage, offset: u64, tag: [u8; 8]) -> Result<Option<LastCommit>> {
    let header = header_at(storage, offset, tag)?;
    if header.kind == FrameKind::Commit.number() {
        match commit_at(storage, offset, tag) {
            Ok(found) => return Ok(Some(found)),
            Err(error) if error.is_damaged() => {}
            Err(error) => return Err(error),
        }
    }
    if header.base == 0 || header.base >= offset {
        return Ok(None);
    }
    commit_at(storage, header.base, tag).map(Some)
}

fn header_at(storage: &dyn ReadStorage, offset: u64, tag: [u8; 8]) -> Result<FrameHeader> {
    let bytes = read(storage, offset, FRAME_HEADER_LENGTH)?;
    FrameHeader::decode(&bytes, tag)
}

fn commit_at(storage: &dyn ReadStorage, offset: u64, tag: [u8; 8]) -> Result<LastCommit> {
    let bytes = read(storage, offset, COMMIT_FRAME_LENGTH)?;
    let (commit, header) = Commit::decode(&bytes, offset, tag)?;
    let reference = Reference { offset, length: COMMIT_FRAME_LENGTH as u64, digest: header.header_digest };
    let tail = storage.len().saturating_sub(offset + COMMIT_FRAME_LENGTH as u64);
    Ok(LastCommit { commit, reference, tail })
}

/// The offset of the last valid frame header that begins before `before`.
fn last_frame_before(storage: &dyn ReadStorage, before: u64, tag: [u8; 8]) -> Result<Option<u64>> {
    let first = HEADER_LENGTH as u64;
    let mut end = before;
    while end > first {
        let start = end.saturating_sub(WINDOW).max(first);
        // A header may begin in this window and end in the next one.
        let stop = end.saturating_add(FRAME_MAGIC.len() as u64 - 1).min(storage.len());
        let length = usize::try_from(stop - start).map_err(|_| too_long())?;
        let window = read(storage, start, length)?;
        for (index, candidate) in window.windows(FRAME_MAGIC.len()).enumerate().rev() {
            let offset = start + index as u64;
            if candidate == FRAME_MAGIC && offset < before && header_at(storage, offset, tag).is_ok() {
                return Ok(Some(offset));
            }
        }
        end = start;
    }
    Ok(None)
}

/// The offset of the first valid frame header that begins behind `after`.
pub(super) fn next_frame_after(storage: &dyn ReadStorage, after: u64, tag: [u8; 8]) -> Result<Option<u64>> {
    let mut start = after.saturating_add(1);
    while start < storage.len() {
        let stop = start.saturating_add(WINDOW).saturating_add(FRAME_MAGIC.len() as u64 - 1).min(storage.len());
        let length = usize::try_from(stop - start).map_err(|_| too_long())?;
        let window = read(storage, start, length)?;
        for (index, candidate) in window.windows(FRAME_MAGIC.len()).enumerate() {
            let offset = start + index as u64;
            if candidate == FRAME_MAGIC && header_at(storage, offset, tag).is_ok() {
                return Ok(Some(offset));
            }
        }
        start = start.saturating_add(WINDOW);
    }
    Ok(None)
}

fn read(storage: &dyn ReadStorage, offset: u64, length: usize) -> Result<std::borrow::Cow<'_, [u8]>> {
    storage.read(offset, length).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            Error::damaged(Layer::Commit, format!("the archive ends before {length} bytes")).at(offset)
        }
        _ => Error::io("reading the archive", cause).at(offset),
    })
}

fn too_long() -> Error {
    Error::request("an archive larger than this machine can address")
}
