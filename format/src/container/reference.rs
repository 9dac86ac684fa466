//! References from one frame to an earlier one.

use serde::{Deserialize, Serialize};

use super::layout::REFERENCE_LENGTH;
use crate::error::Result;
use crate::wire::Cursor;

/// Where a frame stands, how long it is, and the digest of its header, which commits to its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Offset of the frame header in the file, in bytes.
    pub offset: u64,
    /// Frame header and stored body, in bytes.
    pub length: u64,
    /// Header digest.
    pub digest: [u8; 32],
}

impl Reference {
    /// The reference to nothing.
    pub(crate) const NOTHING: Self = Self { offset: 0, length: 0, digest: [0; 32] };

    /// The offset after the frame's last byte; `None` where that is beyond any file.
    pub fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.length)
    }

    pub(crate) fn encode(reference: Option<&Self>) -> [u8; REFERENCE_LENGTH] {
        let reference = reference.unwrap_or(&Self::NOTHING);
        let mut bytes = [0; REFERENCE_LENGTH];
        let fields = reference.offset.to_le_bytes().into_iter().chain(reference.length.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(fields.chain(reference.digest)) {
            *to = from;
        }
        bytes
    }

    pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Result<Option<Self>> {
        let reference = Self { offset: cursor.u64()?, length: cursor.u64()?, digest: cursor.array()? };
        Ok(if reference == Self::NOTHING { None } else { Some(reference) })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::error::Layer;

    #[test]
    fn a_reference_comes_back_and_nothing_is_nothing() {
        let reference = Reference { offset: 64, length: 105, digest: [3; 32] };
        let bytes = Reference::encode(Some(&reference));
        assert_eq!(Reference::decode(&mut Cursor::new(&bytes, Layer::Commit)).unwrap(), Some(reference));
        let nothing = Reference::encode(None);
        assert_eq!(Reference::decode(&mut Cursor::new(&nothing, Layer::Commit)).unwrap(), None);
        assert_eq!(Reference { offset: u64::MAX, length: 1, digest: [0; 32] }.end(), None);
    }
}
