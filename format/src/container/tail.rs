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

    /// Finds the last commit of the archive with this tag: the valid one with the highest offset. Fails as "unsupported"
    /// if commits of a newer program follow it.
    pub(super) fn find(storage: &dyn ReadStorage, tag: [u8; 8]) -> Result<Self> {
        let closing = storage.len().checked_sub(COMMIT_FRAME_LENGTH as u64);
        if let Some(frame) = closing.and_then(|offset| commit_at(storage, offset, tag).ok()) {
            return Self::of(&frame, storage);
        }
        let mut before = storage.len();
        while let Some(offset) = last_magic_before(storage, before)? {
            match commit_at(storage, offset, tag) {
                Ok(frame) => {
                    check_no_newer_commit(storage, frame.end(), tag)?;
                    return Self::of(&frame, storage);
                }
                Err(error) if error.is_io() => return Err(error),
                Err(_) => before = offset,
            }
        }
        check_no_newer_commit(storage, HEADER_LENGTH as u64, tag)?;
        Err(Error::damaged(Layer::Commit, "no complete snapshot in this archive")
            .with_hint("the dump that made it did not finish; dump again"))
    }

    /// Do the frames behind the commit lead through a snapshot manifest to as many bytes as a commit has? An append that
    /// is killed leaves fewer; a commit whose bytes were damaged leaves all.
    pub(super) fn tail_may_be_a_snapshot(&self, storage: &dyn ReadStorage, tag: [u8; 8]) -> bool {
        let mut manifest = false;
        let mut offset = self.end();
        for (start, header) in (FramesFrom { storage, tag, offset }) {
            manifest |= header.kind == FrameKind::SnapshotManifest.number();
            offset = start.saturating_add(header.frame_length().unwrap_or(u64::MAX));
            if header.kind == FrameKind::Commit.number() {
                return true;
            }
        }
        manifest && storage.len().saturating_sub(offset) >= COMMIT_FRAME_LENGTH as u64
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

/// Walks frame headers from one to the next, as far as they are valid and inside the medium.
struct FramesFrom<'s> {
    storage: &'s dyn ReadStorage,
    tag: [u8; 8],
    offset: u64,
}

impl Iterator for FramesFrom<'_> {
    type Item = (u64, FrameHeader);

    fn next(&mut self) -> Option<(u64, FrameHeader)> {
        let start = self.offset;
        let header = header_at(self.storage, start, self.tag).ok()?;
        self.offset = header.frame_length().and_then(|length| start.checked_add(length))?;
        (self.offset <= self.storage.len()).then_some((start, header))
    }
}

/// Commits of a newer program behind the last one that this program knows are not damage, and not to be cut off. Only
/// frames of the chain count: a cell may hold anything.
fn check_no_newer_commit(storage: &dyn ReadStorage, from: u64, tag: [u8; 8]) -> Result<()> {
    for (_, header) in (FramesFrom { storage, tag, offset: from }) {
        if header.kind == FrameKind::Commit.number() && header.version > FrameKind::VERSION {
            return header.known_kind().map(drop);
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
