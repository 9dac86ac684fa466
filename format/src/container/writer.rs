//! Writing frames: compress, hash, append.

use std::cell::RefCell;
use std::io;

use zstd::bulk::Compressor;

use super::commit::Commit;
use super::frame::{FLAG_COMPRESSED, FrameHeader, FrameKind};
use super::header::ArchiveHeader;
use super::layout::COMMIT_FRAME_LENGTH;
use super::reference::Reference;
use super::storage::WriteStorage;
use crate::error::{Error, Result};

/// A frame that is complete but for its place: sealing needs no file, so it can be done on any thread.
#[derive(Debug)]
pub(crate) struct SealedFrame {
    kind: FrameKind,
    flags: u16,
    raw_length: u64,
    stored: Vec<u8>,
    body_digest: [u8; 32],
}

impl SealedFrame {
    /// Compresses (if that makes it smaller) and hashes a body. `level` is Zstandard's; without one the body is stored as it is.
    pub(crate) fn seal(kind: FrameKind, raw: Vec<u8>, level: Option<i32>) -> Result<Self> {
        let raw_length = raw.len() as u64;
        if raw_length > kind.max_body() {
            return Err(Error::request(format!(
                "a {} frame of {raw_length} bytes; at most {} are allowed",
                kind.name(),
                kind.max_body()
            )));
        }
        let compressed = level
            .map(|level| compress(&raw, level))
            .transpose()
            .map_err(|cause| Error::io(format!("compressing a {} frame", kind.name()), cause))?;
        let (flags, stored) = match compressed {
            Some(compressed) if compressed.len() < raw.len() => (FLAG_COMPRESSED, compressed),
            _ => (0, raw),
        };
        let body_digest = *blake3::hash(&stored).as_bytes();
        Ok(Self { kind, flags, raw_length, stored, body_digest })
    }

    /// Bytes of the stored body.
    pub(crate) fn stored_length(&self) -> u64 {
        self.stored.len() as u64
    }

    /// Bytes of the raw body.
    pub(crate) fn raw_length(&self) -> u64 {
        self.raw_length
    }
}

/// Zstandard's fast levels, at which contexts are kept: making one clears its tables. From level 4 on, a context salts its
/// hashes with what it compressed before, so that the bytes would depend on which thread sealed what.
const FAST: i32 = 3;

thread_local! {
    /// What the thread compressed with last, at a fast level. Sealing again with it gives the same bytes as with a new one.
    static COMPRESSOR: RefCell<Option<(i32, Compressor<'static>)>> = const { RefCell::new(None) };
}

/// Compresses a body into one Zstandard frame.
fn compress(raw: &[u8], level: i32) -> io::Result<Vec<u8>> {
    if level > FAST {
        return zstd::bulk::compress(raw, level);
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let mut compressor = match kept.take() {
            Some((of, compressor)) if of == level => compressor,
            _ => Compressor::new(level)?,
        };
        let compressed = compressor.compress(raw)?;
        *kept = Some((level, compressor));
        Ok(compressed)
    })
}

/// Appends frames to a medium, and commits them.
#[derive(Debug)]
pub(crate) struct ContainerWriter<S: WriteStorage> {
    storage: S,
    tag: [u8; 8],
    base: u64,
    position: u64,
    finished: bool,
}

impl<S: WriteStorage> ContainerWriter<S> {
    /// Starts a new archive.
    pub(crate) fn create(storage: S, header: &ArchiveHeader) -> Result<Self> {
        let mut writer = Self { storage, tag: header.tag(), base: 0, position: 0, finished: false };
        writer.append(&header.encode())?;
        Ok(writer)
    }

    /// Continues an archive behind its last commit, which ends at `end`; the medium stands there.
    pub(crate) fn resume(storage: S, header: &ArchiveHeader, last: Reference, end: u64) -> Self {
        Self { storage, tag: header.tag(), base: last.offset, position: end, finished: false }
    }

    /// Where the next frame will stand.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Appends a frame.
    pub(crate) fn write(&mut self, frame: &SealedFrame) -> Result<Reference> {
        let header = FrameHeader {
            kind: frame.kind.number(),
            version: FrameKind::VERSION,
            flags: frame.flags,
            tag: self.tag,
            base: self.base,
            stored_length: frame.stored_length(),
            raw_length: frame.raw_length,
            body_digest: frame.body_digest,
            header_digest: [0; 32],
        };
        let (bytes, digest) = header.encode();
        let offset = self.position;
        self.append(&bytes)?;
        self.append(&frame.stored)?;
        Ok(Reference { offset, length: self.position - offset, digest })
    }

    /// Makes everything so far durable, then appends the commit, makes that durable and publishes.
    ///
    /// `commit.offset` and `commit.bytes_added` are filled in here, where they are known.
    pub(crate) fn commit(mut self, mut commit: Commit, previous_end: u64) -> Result<Commit> {
        self.sync()?;
        commit.offset = self.position;
        commit.bytes_added = self.position + COMMIT_FRAME_LENGTH as u64 - previous_end;
        let body = commit.encode();
        let body_digest = *blake3::hash(&body).as_bytes();
        let raw_length = body.len() as u64;
        self.write(&SealedFrame { kind: FrameKind::Commit, flags: 0, raw_length, stored: body, body_digest })?;
        self.sync()?;
        self.storage.publish()?;
        self.finished = true;
        Ok(commit)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.storage.append(bytes).map_err(|cause| Error::io("writing the archive", cause).at(self.position))?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        self.storage.sync().map_err(|cause| Error::io("syncing the archive", cause))
    }
}

/// Dropping a writer that has not committed takes back all it appended.
impl<S: WriteStorage> Drop for ContainerWriter<S> {
    fn drop(&mut self) {
        if !self.finished {
            self.storage.abandon();
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Which thread compressed what before must not show in the bytes.
    #[test]
    fn a_context_used_again_gives_the_bytes_of_a_new_one() {
        let mut noise = 88_172_645_463_325_252_u64;
        let mut body = |length: usize, kinds: u64| -> Vec<u8> {
            let mut bytes = Vec::with_capacity(length + 40);
            while bytes.len() < length {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                let run = usize::try_from(noise % 37).unwrap();
                bytes.extend(std::iter::repeat_n((noise >> 32 & kinds).to_le_bytes(), run).flatten());
            }
            bytes.truncate(length);
            bytes
        };
        for level in [1, 2, 3, 4, 3, 1, 9] {
            for (length, kinds) in [(0, 0), (100, 255), (20_000, 7), (700_000, u64::MAX), (65_536, 15), (3_000_000, 31)]
            {
                let raw = body(length, kinds);
                assert!(
                    compress(&raw, level).unwrap() == zstd::bulk::compress(&raw, level).unwrap(),
                    "{level} {length}"
                );
            }
        }
    }
}
