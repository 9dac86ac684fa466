//! Reading frames: every byte that is handed out has been checked against its digest.

use std::borrow::Cow;
use std::sync::Arc;

use super::commit::{Commit, ErasuresLink};
use super::frame::{FrameHeader, FrameKind};
use super::header::ArchiveHeader;
use super::kept::KeptBodies;
use super::layout::{COMMIT_FRAME_LENGTH, FRAME_HEADER_LENGTH, FRAME_MAGIC, HEADER_LENGTH};
use super::reference::Reference;
use super::storage::ReadStorage;
use super::tail::LastCommit;
use crate::error::{Error, Layer, Result};

/// Raw bodies up to this size are decompressed in one go; larger ones step by step, so that a small frame which claims
/// to be huge cannot ask for memory that it does not fill.
const EXPAND_AT_ONCE: u64 = 16 << 20;

/// An open container.
pub struct ContainerReader {
    storage: Arc<dyn ReadStorage>,
    header: ArchiveHeader,
    last: LastCommit,
    kept: KeptBodies,
}

impl std::fmt::Debug for ContainerReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerReader").field("header", &self.header).field("last", &self.last).finish()
    }
}

impl ContainerReader {
    /// Opens a container: reads the archive header and the last commit, whatever the file's size.
    pub fn open(storage: Arc<dyn ReadStorage>) -> Result<Self> {
        let length = usize::try_from(storage.len().min(HEADER_LENGTH as u64)).unwrap_or(HEADER_LENGTH);
        let bytes = storage.read(0, length).map_err(|cause| Error::io("reading the archive header", cause))?;
        let header = ArchiveHeader::decode(&bytes)?;
        drop(bytes);
        let last = LastCommit::find(&*storage, header.tag())?;
        storage.settle(last.end());
        Ok(Self { storage, header, last, kept: KeptBodies::default() })
    }

    /// The archive header.
    pub fn header(&self) -> &ArchiveHeader {
        &self.header
    }

    /// The last commit.
    pub fn last(&self) -> &LastCommit {
        &self.last
    }

    /// Checks that the last commit stands where the frames before it lead; costs a look at each frame of its snapshot.
    pub fn check_chain(&self) -> Result<()> {
        self.last.check_chain(&*self.storage, self.header.tag())
    }

    /// Is a writer adding to the archive at this moment?
    pub fn has_writer(&self) -> bool {
        self.storage.has_writer()
    }

    /// Does what stands behind the last commit look like a snapshot whose commit is damaged, rather than like an append
    /// that did not finish? Walks the frames of the tail.
    pub fn tail_may_be_a_snapshot(&self) -> bool {
        self.last.tail_may_be_a_snapshot(&*self.storage, self.header.tag())
    }

    /// Bytes of the medium, a tail included.
    pub fn storage_length(&self) -> u64 {
        self.storage.len()
    }

    /// The checked header of the frame at `offset`, whatever its kind; its body must end within the medium.
    pub fn header_at(&self, offset: u64) -> Result<FrameHeader> {
        let bytes = self.bytes(offset, FRAME_HEADER_LENGTH as u64)?;
        let header = FrameHeader::decode(&bytes, self.header.tag()).map_err(|error| error.at(offset))?;
        let end = header.frame_length().and_then(|length| offset.checked_add(length));
        if end.is_none_or(|end| end > self.storage.len()) {
            return Err(Error::damaged(Layer::Frame, "a frame that goes on behind the end of the archive").at(offset));
        }
        Ok(header)
    }

    /// The offset of the next valid frame header behind `offset`, if there is one: where damage has broken the chain.
    pub fn next_frame_after(&self, offset: u64) -> Result<Option<u64>> {
        super::tail::next_frame_after(&*self.storage, offset, self.header.tag())
    }

    /// The checked header of the frame that a reference leads to.
    pub fn resolve(&self, reference: &Reference, kind: FrameKind) -> Result<FrameHeader> {
        self.check_inside(reference, kind)?;
        if *self.bytes(reference.offset, FRAME_MAGIC.len() as u64)? != FRAME_MAGIC {
            let why = format!("no frame begins where a {} should", kind.name());
            return Err(Error::damaged(Layer::Reference, why).at(reference.offset));
        }
        let header = self.header_at(reference.offset)?;
        self.check_leads_to(reference, kind, &header)?;
        Ok(header)
    }

    fn check_inside(&self, reference: &Reference, kind: FrameKind) -> Result<()> {
        if reference.offset < HEADER_LENGTH as u64 || reference.end().is_none_or(|end| end > self.last.end()) {
            let why = format!("a reference to a {} leads outside the archive", kind.name());
            return Err(Error::damaged(Layer::Reference, why).at(reference.offset));
        }
        Ok(())
    }

    /// Checks that a reference means the frame of this kind with this header, which was read at the reference's offset.
    pub(crate) fn check_leads_to(&self, reference: &Reference, kind: FrameKind, header: &FrameHeader) -> Result<()> {
        let refuse = |why: String| Error::damaged(Layer::Reference, why).at(reference.offset);
        self.check_inside(reference, kind)?;
        if header.header_digest != reference.digest {
            return Err(refuse(format!("another frame stands where a {} should", kind.name())));
        }
        if header.frame_length() != Some(reference.length) {
            return Err(refuse("a reference states another length than its frame".into()));
        }
        let found = header.known_kind().map_err(|error| error.at(reference.offset))?;
        if found != kind {
            return Err(refuse(format!("a {} frame where a {} should be", found.name(), kind.name())));
        }
        if header.raw_length > kind.max_body() {
            return Err(Error::damaged(
                Layer::Frame,
                format!(
                    "a {} frame claims {} bytes; at most {} are allowed",
                    kind.name(),
                    header.raw_length,
                    kind.max_body()
                ),
            )
            .at(reference.offset));
        }
        Ok(())
    }

    /// The reference to the frame of erasure records that a commit at `commit` links to.
    pub(crate) fn erasures(&self, link: &ErasuresLink, commit: u64) -> Result<Reference> {
        let header = self.header_at(link.offset)?;
        let length = header.frame_length().unwrap_or(u64::MAX);
        let reference = Reference { offset: link.offset, length, digest: link.digest };
        if reference.end().is_none_or(|end| end > commit) {
            return Err(Error::damaged(Layer::Reference, "a reference that does not lead backwards").at(commit));
        }
        self.check_leads_to(&reference, FrameKind::ErasureRecords, &header)?;
        Ok(reference)
    }

    /// Checks the stored body of a frame against its header.
    pub fn check_body(&self, offset: u64, header: &FrameHeader) -> Result<()> {
        self.stored(offset, header).map(drop)
    }

    fn stored(&self, offset: u64, header: &FrameHeader) -> Result<Cow<'_, [u8]>> {
        let stored = self.bytes(offset + FRAME_HEADER_LENGTH as u64, header.stored_length)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&stored);
        if *hasher.finalize().as_bytes() != header.body_digest {
            return Err(Error::damaged(Layer::Frame, "a frame's body differs from its digest").at(offset));
        }
        Ok(stored)
    }

    /// Gives back what memory the medium holds for these bytes. They can still be read.
    pub fn release(&self, offset: u64, length: u64) {
        self.storage.release(offset, length);
    }

    /// The raw body of the frame that a reference leads to, checked and decompressed.
    pub fn body(&self, reference: &Reference, kind: FrameKind) -> Result<Arc<Vec<u8>>> {
        if let Some(kept) = self.kept.get(reference, kind) {
            return Ok(kept);
        }
        let header = self.resolve(reference, kind)?;
        let stored = self.stored(reference.offset, &header)?;
        let raw = if header.is_compressed() {
            expand(&stored, header.raw_length).map_err(|error| error.at(reference.offset))?
        } else {
            stored.into_owned()
        };
        let raw = Arc::new(raw);
        self.kept.keep(reference, kind, &raw);
        Ok(raw)
    }

    /// The commit that a reference from a later commit leads to.
    pub fn commit(&self, reference: &Reference) -> Result<Commit> {
        self.resolve(reference, FrameKind::Commit)?;
        let bytes = self.bytes(reference.offset, COMMIT_FRAME_LENGTH as u64)?;
        Commit::decode(&bytes, reference.offset, self.header.tag())?.check()
    }

    /// The commit at this place of the chain, and what a reader of this version has against it.
    pub(crate) fn commit_of_chain(&self, offset: u64) -> Result<(Commit, Result<()>)> {
        let bytes = self.bytes(offset, COMMIT_FRAME_LENGTH as u64)?;
        let frame = Commit::decode(&bytes, offset, self.header.tag())?;
        Ok((frame.unchecked(), frame.check().map(drop)))
    }

    fn bytes(&self, offset: u64, length: u64) -> Result<Cow<'_, [u8]>> {
        let ends_early = || Error::damaged(Layer::Frame, format!("the archive ends within {length} bytes")).at(offset);
        let length = usize::try_from(length).map_err(|_| ends_early())?;
        self.storage.read(offset, length).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::UnexpectedEof => ends_early(),
            _ => Error::io("reading the archive", cause).at(offset),
        })
    }
}

/// Decompresses exactly one Zstandard frame of exactly `raw_length` bytes.
fn expand(stored: &[u8], raw_length: u64) -> Result<Vec<u8>> {
    let refuse = |why: String| Error::damaged(Layer::Frame, why);
    let wrong_length = || refuse(format!("a compressed body that does not have the {raw_length} bytes it should"));
    let frame_length = zstd::zstd_safe::find_frame_compressed_size(stored)
        .map_err(|_| refuse("a compressed body that is no Zstandard frame".into()))?;
    if frame_length != stored.len() {
        return Err(refuse("bytes behind the Zstandard frame of a compressed body".into()));
    }
    if window(stored).is_none_or(|window| window > MAX_WINDOW) {
        return Err(refuse("a compressed body that needs too large a window".into()));
    }
    let length = usize::try_from(raw_length).map_err(|_| wrong_length())?;
    if raw_length <= EXPAND_AT_ONCE {
        let raw =
            zstd::bulk::decompress(stored, length).map_err(|cause| refuse(format!("a compressed body: {cause}")))?;
        return if raw.len() == length { Ok(raw) } else { Err(wrong_length()) };
    }
    let mut raw = Vec::new();
    let decoder =
        zstd::stream::read::Decoder::new(stored).map_err(|cause| Error::io("starting to decompress", cause))?;
    let mut limited = std::io::Read::take(decoder, raw_length + 1);
    std::io::Read::read_to_end(&mut limited, &mut raw)
        .map_err(|cause| refuse(format!("a compressed body: {cause}")))?;
    if raw.len() == length { Ok(raw) } else { Err(wrong_length()) }
}

/// Largest window of a compressed body, in bytes: what its decompression may hold besides the body.
const MAX_WINDOW: u64 = 128 << 20;

/// The window of a Zstandard frame (RFC 8878 §3.1.1.1), in bytes; `None` for what has no such header.
fn window(frame: &[u8]) -> Option<u64> {
    const MAGIC_LENGTH: usize = 4;
    let descriptor = *frame.get(MAGIC_LENGTH)?;
    let second = *frame.get(MAGIC_LENGTH + 1)?;
    if descriptor & 0x20 == 0 {
        let base = 1_u64 << (10 + (second >> 3));
        return Some(base + base / 8 * u64::from(second & 7));
    }
    // A single segment: the window is the content, whose size stands in the header behind the dictionary's id.
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3))?;
    let size = frame.get(MAGIC_LENGTH + 1 + dictionary..)?;
    match descriptor >> 6 {
        0 => size.first().map(|byte| u64::from(*byte)),
        1 => size.first_chunk().map(|bytes| u64::from(u16::from_le_bytes(*bytes)) + 256),
        2 => size.first_chunk().map(|bytes| u64::from(u32::from_le_bytes(*bytes))),
        _ => size.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn bodies_expand_to_their_exact_length_or_not_at_all() {
        let raw = vec![7_u8; 1000];
        let stored = zstd::bulk::compress(&raw, 3).unwrap();
        assert_eq!(expand(&stored, 1000).unwrap(), raw);
        assert!(expand(&stored, 999).is_err());
        assert!(expand(&stored, 1001).is_err());
        assert!(expand(&stored, u64::from(u32::MAX)).is_err());
        assert!(expand(&[&stored[..], &[0]].concat(), 1000).is_err());
        assert!(expand(&[&stored[..], &stored[..]].concat(), 2000).is_err());
        assert!(expand(b"not zstd at all", 1000).is_err());
        // A skippable frame is a Zstandard frame to the tools, but holds nothing.
        assert!(expand(&[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0], 1).is_err());
    }

    #[test]
    fn large_bodies_expand_step_by_step() {
        let raw = vec![3_u8; usize::try_from(EXPAND_AT_ONCE).unwrap() + 5];
        let stored = zstd::bulk::compress(&raw, 1).unwrap();
        assert_eq!(expand(&stored, raw.len() as u64).unwrap().len(), raw.len());
        assert!(expand(&stored, raw.len() as u64 + 1).is_err());
    }
}
