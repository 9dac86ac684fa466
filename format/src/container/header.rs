//! The archive header: 64 bytes, written once.

use super::layout::{ARCHIVE_MAGIC, FORMAT_VERSION, HEADER_LENGTH};
use crate::error::{Error, Layer, Result};
use crate::wire::Cursor;

/// Bytes of the header that its digest covers.
const HASHED: usize = 32;

/// What to do with an archive of an older version: until version 1.0 of tabark there is no converter.
const OLDER: &str = "use the older tabark that wrote it; this archive was not changed";

/// The archive header of a version that this library reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveHeader {
    /// 16 random bytes, made with the archive.
    pub id: [u8; 16],
}

impl ArchiveHeader {
    /// The first 8 bytes of the archive's id, which stand in each of its frames.
    pub fn tag(&self) -> [u8; 8] {
        let mut tag = [0; 8];
        for (to, from) in tag.iter_mut().zip(self.id) {
            *to = from;
        }
        tag
    }

    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_LENGTH] {
        let mut hashed = Vec::with_capacity(HEADER_LENGTH);
        hashed.extend_from_slice(&ARCHIVE_MAGIC);
        hashed.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        hashed.extend_from_slice(&[0; 4]);
        hashed.extend_from_slice(&self.id);
        let mut bytes = [0; HEADER_LENGTH];
        let digest = blake3::hash(&hashed);
        for (to, from) in bytes.iter_mut().zip(hashed.iter().chain(digest.as_bytes())) {
            *to = *from;
        }
        bytes
    }

    /// Reads and checks a header. `bytes` are the first 64 of the file, or all of a shorter one.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        if !bytes.starts_with(&ARCHIVE_MAGIC) {
            return Err(Error::damaged(Layer::Header, "not a tabark archive: its first bytes are not an archive's")
                .at(0)
                .with_hint("check the path; if it is right, the beginning of the file was overwritten"));
        }
        let mut cursor = Cursor::new(bytes, Layer::Header);
        let hashed = Cursor::new(bytes, Layer::Header).take(HASHED)?;
        cursor.take(ARCHIVE_MAGIC.len())?;
        let version = cursor.u32()?;
        let reserved = cursor.u32()?;
        let id = cursor.array()?;
        let digest: [u8; 32] = cursor.array()?;
        if *blake3::hash(hashed).as_bytes() != digest {
            return Err(Error::damaged(Layer::Header, "the archive header differs from its digest").at(0));
        }
        if version != FORMAT_VERSION {
            let why = format!("format version {version}; this program reads version {FORMAT_VERSION}");
            let error = Error::unsupported(why);
            return Err(if version > FORMAT_VERSION { error } else { error.with_hint(OLDER) });
        }
        if reserved != 0 {
            return Err(Error::damaged(Layer::Header, "reserved bytes of the archive header are not zero").at(12));
        }
        Ok(Self { id })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_flip_and_cut_is_damage_and_never_a_version() {
        let bytes = ArchiveHeader { id: [7; 16] }.encode();
        assert_eq!(ArchiveHeader::decode(&bytes).unwrap().id, [7; 16]);
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes;
                flipped[place] ^= 1 << bit;
                assert!(ArchiveHeader::decode(&flipped).unwrap_err().is_damaged());
            }
            assert!(ArchiveHeader::decode(&bytes[..place]).unwrap_err().is_damaged());
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = ArchiveHeader { id: [7; 16] }.encode();
        bytes[8] = 9;
        let digest = blake3::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(digest.as_bytes());
        let error = ArchiveHeader::decode(&bytes).unwrap_err();
        assert!(error.is_unsupported());
        assert!(error.to_string().contains("format version 9; this program reads version 2"));
        assert!(error.hint().unwrap().contains("newer"));
    }

    #[test]
    fn an_older_version_is_not_to_be_read_by_a_newer_program() {
        let mut bytes = ArchiveHeader { id: [7; 16] }.encode();
        bytes[8] = 1;
        let digest = blake3::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(digest.as_bytes());
        let error = ArchiveHeader::decode(&bytes).unwrap_err();
        assert!(error.is_unsupported());
        assert!(error.hint().unwrap().contains("older tabark"));
    }
}
