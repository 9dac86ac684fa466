//! Finding the last commit (`spec/format.md` §4.1): a look at the last 360 bytes, or a search backwards where an
//! append did not finish.

use super::commit::{Commit, CommitFrame};
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

    /// Finds the last commit of the archive with this tag: the valid one with the highest offset.
    pub(super) fn find(storage: &dyn ReadStorage, tag: [u8; 8]) -> Result<Self> {
        let closing = storage.len().checked_sub(COMMIT_FRAME_LENGTH as u64);
        if let Some(frame) = closing.and_then(|offset| commit_at(storage, offset, tag).ok()) {
            return Self::of(&frame, storage);
        }
        check_newer_commit(storage, tag)?;
        let mut before = storage.len();
        while let Some(offset) = last_magic_before(storage, before)? {
            match commit_at(storage, offset, tag) {
                Ok(frame) => return Self::of(&frame, storage),
                Err(error) if error.is_io() => return Err(error),
                Err(_) => before = offset,
            }
        }
        Err(Error::damaged(Layer::Commit, "no complete snapshot in this archive")
            .with_hint("the dump that made it did not finish; dump again"))
    }

    fn of(frame: &CommitFrame, storage: &dyn ReadStorage) -> Result<Self> {
        let tail = storage.len().saturating_sub(frame.end());
        Ok(Self { reference: frame.reference(), commit: frame.check()?, tail })
    }

    /// Checks that walking from frame to frame arrives at the commit. Bytes in a cell may look like one; a writer that
    /// took them for the last commit would cut off what stands behind.
    pub(super) fn check_chain(&self, storage: &dyn ReadStorage, tag: [u8; 8]) -> Result<()> {
        let mut offset = match &self.commit.previous {
            Some(previous) => previous.end().unwrap_or(u64::MAX),
            None => HEADER_LENGTH as u64,
        };
        while offset < self.commit.offset {
            let length = header_at(storage, offset, tag).map_err(|error| error.at(offset))?.frame_length();
            offset = length.and_then(|length| offset.checked_add(length)).unwrap_or(u64::MAX);
        }
        if offset == self.commit.offset {
            return Ok(());
        }
        let error = Error::damaged(Layer::Commit, "the last commit does not stand on the chain of frames");
        Err(error.at(self.commit.offset))
    }
}

/// A commit of a higher version at the very end is a newer program's, not damage.
fn check_newer_commit(storage: &dyn ReadStorage, tag: [u8; 8]) -> Result<()> {
    let mut before = storage.len();
    let first = before.saturating_sub(WINDOW);
    while let Some(offset) = last_magic_before(storage, before)?.filter(|offset| *offset >= first) {
        before = offset;
        let Ok(header) = header_at(storage, offset, tag) else { continue };
        let ends_the_file = header.frame_length().and_then(|length| offset.checked_add(length)) == Some(storage.len());
        if ends_the_file {
            return match header.known_kind() {
                Err(error) if error.is_unsupported() && header.kind == FrameKind::Commit.number() => Err(error),
                _ => Ok(()),
            };
        }
    }
    Ok(())
}

fn header_at(storage: &dyn ReadStorage, offset: u64, tag: [u8; 8]) -> Result<FrameHeader> {
    let bytes = read(storage, offset, FRAME_HEADER_LENGTH)?;
    FrameHeader::decode(&bytes, tag)
}

fn commit_at(storage: &dyn ReadStorage, offset: u64, tag: [u8; 8]) -> Result<CommitFrame> {
    let bytes = read(storage, offset, COMMIT_FRAME_LENGTH)?;
    Commit::decode(&bytes, offset, tag)
}

/// The offset of the last frame magic that begins before `before`.
fn last_magic_before(storage: &dyn ReadStorage, before: u64) -> Result<Option<u64>> {
    let first = HEADER_LENGTH as u64;
    let mut end = before;
    while end > first {
        let start = end.saturating_sub(WINDOW).max(first);
        // The magic may begin in this window and end in the next one.
        let stop = end.saturating_add(FRAME_MAGIC.len() as u64 - 1).min(storage.len());
        let length = usize::try_from(stop - start).map_err(|_| too_long())?;
        let window = read(storage, start, length)?;
        let found = window
            .windows(FRAME_MAGIC.len())
            .enumerate()
            .rev()
            .map(|(index, candidate)| (start + index as u64, candidate))
            .find(|(offset, candidate)| *offset < before && *candidate == FRAME_MAGIC);
        if let Some((offset, _)) = found {
            return Ok(Some(offset));
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
