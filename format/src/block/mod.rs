//! Column blocks: one column of one row group, encoded, measured and identified; and what turns one state of it into the
//! next.

use crate::encoding::{self, EncodedCells, Encoding, Profile};
use crate::error::Result;
use crate::model::{Bound, CellKind, Cells, Kinds};

pub(crate) use crate::encoding::{EncodedPatch, decode_patch, decode_places, encode_patch, encode_places};

/// A column block ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncodedBlock {
    /// The block's bytes, the encoding's number first.
    pub(crate) bytes: Vec<u8>,
    /// Is it worth it to compress the bytes?
    pub(crate) compressible: bool,
    pub(crate) facts: BlockFacts,
}

/// What is known of a block's cells; stored beside the block and checked against it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BlockFacts {
    pub(crate) rows: u64,
    pub(crate) encoding: Encoding,
    pub(crate) logical_bytes: u64,
    pub(crate) nulls: u64,
    pub(crate) range: Option<(Bound, Bound)>,
    pub(crate) content: [u8; 32],
}

/// Encodes a column whose content digest is known.
pub(crate) fn encode(cells: &Cells, content: [u8; 32], profile: Profile) -> EncodedBlock {
    let EncodedCells { encoding, bytes, compressible, different } = encoding::encode(cells, profile);
    // They have the same extremes, but for the first of equal numbers: of 1 and 1.0, and of both zeros.
    let may_differ = |cells: &Cells| match cells.kinds() {
        Kinds::Uniform(kind) => *kind == CellKind::Real,
        Kinds::Mixed(kinds) => kinds.contains(&CellKind::Real),
    };
    let range = Bound::range(different.as_ref().filter(|different| !may_differ(different)).unwrap_or(cells));
    EncodedBlock { bytes, compressible, facts: facts_and_range(cells, encoding, content, range) }
}

/// Decodes a block that must have `rows` rows. What is stated of it elsewhere is not compared here.
pub(crate) fn decode(bytes: &[u8], rows: u32) -> Result<Cells> {
    encoding::decode(bytes, rows).map(|(_, cells)| cells)
}

/// The digest of a column's logical content (`spec/format.md` §7.3).
pub(crate) fn content_digest(cells: &Cells) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("tabark 1 column block content");
    encoding::for_each_part(cells, |part| {
        hasher.update(part);
    });
    *hasher.finalize().as_bytes()
}

/// Everything that a manifest may say of these cells in this encoding.
pub(crate) fn facts(cells: &Cells, encoding: Encoding) -> BlockFacts {
    facts_with(cells, encoding, content_digest(cells))
}

/// The same, where the content digest is known.
pub(crate) fn facts_with(cells: &Cells, encoding: Encoding, content: [u8; 32]) -> BlockFacts {
    facts_and_range(cells, encoding, content, Bound::range(cells))
}

fn facts_and_range(cells: &Cells, encoding: Encoding, content: [u8; 32], range: Option<(Bound, Bound)>) -> BlockFacts {
    BlockFacts {
        rows: u64::from(cells.rows()),
        encoding,
        logical_bytes: cells.logical_bytes(),
        nulls: u64::from(cells.nulls()),
        range,
        content,
    }
}

impl BlockFacts {
    /// Has the block no cell but nulls?
    pub(crate) fn is_all_null(&self) -> bool {
        self.nulls == self.rows
    }
}
