//! Frame headers: what a frame is, how long it is, and the digests that cover every byte of it.

use super::layout::{FRAME_HEADER_HASHED, FRAME_HEADER_LENGTH, FRAME_MAGIC};
use crate::error::{Error, Layer, Result};
use crate::limits::{MAX_DATA_BODY, MAX_METADATA_BODY};
use crate::wire::Cursor;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum FrameKind {
    /// Column blocks.
    Data = 1,
    /// Pages and table manifests.
    TableMetadata = 2,
    /// The tables and objects of a snapshot.
    Catalog = 3,
    /// What a snapshot holds.
    SnapshotManifest = 4,
    /// The record that makes a snapshot exist.
    Commit = 5,
    /// A run of older snapshots.
    HistoryPage = 6,
    /// What was erased from the archive.
    ErasureRecords = 9,
}

impl FrameKind {
    /// The version of every kind's body that this library writes and reads.
    pub const VERSION: u8 = 1;

    /// The kind with this number, if this version knows it.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Data),
            2 => Some(Self::TableMetadata),
            3 => Some(Self::Catalog),
            4 => Some(Self::SnapshotManifest),
            5 => Some(Self::Commit),
            6 => Some(Self::HistoryPage),
            9 => Some(Self::ErasureRecords),
            _ => None,
        }
    }

    /// Its number in the file.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its name in the specification.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::TableMetadata => "table metadata",
            Self::Catalog => "catalog",
            Self::SnapshotManifest => "snapshot manifest",
            Self::Commit => "commit",
            Self::HistoryPage => "history page",
            Self::ErasureRecords => "erasure records",
        }
    }

    /// Most bytes that its raw body may have.
    pub(crate) const fn max_body(self) -> u64 {
        match self {
            Self::Data => MAX_DATA_BODY,
            _ => MAX_METADATA_BODY as u64,
        }
    }
}

/// The body is one Zstandard frame.
pub(crate) const FLAG_COMPRESSED: u16 = 1;
/// Reserved for encryption.
const FLAG_ENCRYPTED: u16 = 1 << 1;
/// A reader that does not know the kind may pass over the frame.
const FLAG_OPTIONAL: u16 = 1 << 15;

/// A frame header whose magic, digest and archive tag are right and whose fields make sense.
///
/// The kind is a plain number: a header of a kind that only a newer program knows is still a valid header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Number of the kind.
    pub kind: u8,
    /// Version of the kind.
    pub version: u8,
    /// Flags.
    pub flags: u16,
    /// First 8 bytes of the archive's id.
    pub tag: [u8; 8],
    /// Offset of the commit frame that was the last when the append began; 0 for none.
    pub base: u64,
    /// Bytes of the body in the file.
    pub stored_length: u64,
    /// Bytes of the body after decompression.
    pub raw_length: u64,
    /// Digest of the stored body.
    pub body_digest: [u8; 32],
    /// Digest of the header's first 72 bytes.
    pub header_digest: [u8; 32],
}

impl FrameHeader {
    /// The bytes of a header. `header_digest` is worked out, not taken.
    pub(crate) fn encode(&self) -> ([u8; FRAME_HEADER_LENGTH], [u8; 32]) {
        let mut hashed = Vec::with_capacity(FRAME_HEADER_LENGTH);
        hashed.extend_from_slice(&FRAME_MAGIC);
        hashed.extend_from_slice(&[self.kind, self.version]);
        hashed.extend_from_slice(&self.flags.to_le_bytes());
        hashed.extend_from_slice(&self.tag);
        hashed.extend_from_slice(&self.base.to_le_bytes());
        hashed.extend_from_slice(&self.stored_length.to_le_bytes());
        hashed.extend_from_slice(&self.raw_length.to_le_bytes());
        hashed.extend_from_slice(&self.body_digest);
        let digest = *blake3::hash(&hashed).as_bytes();
        let mut bytes = [0; FRAME_HEADER_LENGTH];
        for (to, from) in bytes.iter_mut().zip(hashed.iter().chain(&digest)) {
            *to = *from;
        }
        (bytes, digest)
    }

    /// Reads and checks a header of the archive with this tag. `bytes` begin at the header; more may follow.
    pub fn decode(bytes: &[u8], tag: [u8; 8]) -> Result<Self> {
        let refuse = |why: &str| Error::damaged(Layer::Frame, why);
        let mut cursor = Cursor::new(bytes, Layer::Frame);
        if cursor.array()? != FRAME_MAGIC {
            return Err(refuse("no frame begins here"));
        }
        let kind = cursor.u8()?;
        let version = cursor.u8()?;
        let flags = cursor.u16()?;
        let found_tag = cursor.array()?;
        let base = cursor.u64()?;
        let stored_length = cursor.u64()?;
        let raw_length = cursor.u64()?;
        let body_digest = cursor.array()?;
        let header_digest = cursor.array()?;
        let hashed = Cursor::new(bytes, Layer::Frame).take(FRAME_HEADER_HASHED)?;
        if *blake3::hash(hashed).as_bytes() != header_digest {
            return Err(refuse("a frame header differs from its digest"));
        }
        if found_tag != tag {
            return Err(refuse("a frame of another archive"));
        }
        let header = Self { kind, version, flags, tag, base, stored_length, raw_length, body_digest, header_digest };
        header.check_flags()?;
        Ok(header)
    }

    fn check_flags(&self) -> Result<()> {
        let refuse = |why: &str| Err(Error::damaged(Layer::Frame, why));
        if self.flags & !(FLAG_COMPRESSED | FLAG_ENCRYPTED | FLAG_OPTIONAL) != 0 {
            return refuse("reserved flags of a frame are not zero");
        }
        if self.flags & FLAG_ENCRYPTED != 0 {
            // What the lengths of an encrypted frame mean is for a newer program to know.
            return Ok(());
        }
        if self.is_compressed() && self.stored_length >= self.raw_length {
            return refuse("a compressed frame that is not smaller than its raw body");
        }
        if !self.is_compressed() && self.stored_length != self.raw_length {
            return refuse("stored and raw length of an uncompressed frame differ");
        }
        Ok(())
    }

    /// Is the body compressed?
    pub fn is_compressed(&self) -> bool {
        self.flags & FLAG_COMPRESSED != 0
    }

    /// May a reader that does not know the kind pass over the frame?
    pub fn is_optional(&self) -> bool {
        self.flags & FLAG_OPTIONAL != 0
    }

    /// Header and stored body, in bytes; `None` beyond any file.
    pub fn frame_length(&self) -> Option<u64> {
        self.stored_length.checked_add(FRAME_HEADER_LENGTH as u64)
    }

    /// The kind, if this library can read it; "unsupported" where it is unknown or of a higher version.
    pub fn known_kind(&self) -> Result<FrameKind> {
        if self.flags & FLAG_ENCRYPTED != 0 {
            return Err(Error::unsupported("an encrypted frame; this program knows no encryption"));
        }
        let kind = FrameKind::from_number(self.kind)
            .ok_or_else(|| Error::unsupported(format!("frame kind {}; this program does not know it", self.kind)))?;
        if self.version > FrameKind::VERSION {
            return Err(Error::unsupported(format!(
                "version {} of frame kind \"{}\"; this program reads version {}",
                self.version,
                kind.name(),
                FrameKind::VERSION
            )));
        }
        if self.version == 0 {
            return Err(Error::damaged(Layer::Frame, "version 0 of a frame kind"));
        }
        Ok(kind)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn header() -> FrameHeader {
        FrameHeader {
            kind: FrameKind::Data.number(),
            version: 1,
            flags: FLAG_COMPRESSED,
            tag: [1; 8],
            base: 64,
            stored_length: 10,
            raw_length: 20,
            body_digest: [2; 32],
            header_digest: [0; 32],
        }
    }

    #[test]
    fn a_header_comes_back() {
        let (bytes, digest) = header().encode();
        let read = FrameHeader::decode(&bytes, [1; 8]).unwrap();
        assert_eq!(read, FrameHeader { header_digest: digest, ..header() });
        assert_eq!(read.known_kind().unwrap(), FrameKind::Data);
        assert_eq!(read.frame_length(), Some(114));
        assert!(FrameHeader::decode(&bytes, [2; 8]).unwrap_err().to_string().contains("another archive"));
    }

    #[test]
    fn every_flip_and_cut_is_refused() {
        let (bytes, _) = header().encode();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes;
                flipped[place] ^= 1 << bit;
                assert!(FrameHeader::decode(&flipped, [1; 8]).is_err());
            }
            assert!(FrameHeader::decode(&bytes[..place], [1; 8]).is_err());
        }
    }

    #[test]
    fn lengths_flags_and_versions_must_make_sense() {
        let decode = |header: FrameHeader| FrameHeader::decode(&header.encode().0, [1; 8]);
        assert!(decode(FrameHeader { stored_length: 20, ..header() }).is_err());
        assert!(decode(FrameHeader { flags: 0, ..header() }).is_err());
        assert!(decode(FrameHeader { flags: 4 | FLAG_COMPRESSED, ..header() }).unwrap_err().is_damaged());
        let encrypted = decode(FrameHeader { flags: 3, ..header() }).unwrap();
        assert!(encrypted.known_kind().unwrap_err().is_unsupported());
        let newer = decode(FrameHeader { version: 2, ..header() }).unwrap();
        assert!(newer.known_kind().unwrap_err().is_unsupported());
        let unknown = decode(FrameHeader { kind: 99, ..header() }).unwrap();
        assert!(unknown.known_kind().unwrap_err().is_unsupported());
    }

    #[test]
    fn kinds_have_their_numbers() {
        for number in 0..=u8::MAX {
            if let Some(kind) = FrameKind::from_number(number) {
                assert_eq!(kind.number(), number);
            }
        }
    }
}
