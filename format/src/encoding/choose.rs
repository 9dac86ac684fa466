//! Which encoding makes a column smallest, found on samples.

use super::codec_choice::{self, Choice};
use super::numbers::Codec;
use super::pco::{self, Meaning};
use super::{EncodedCells, Encoding, Profile, number_column, parts};
use crate::model::{CellKind, Cells, Kinds};

/// Blocks smaller than this stay plain: they share a frame with others, and are compressed together.
const LEAST_BYTES: usize = 512;

/// Encodes cells, whose canonical form is given too.
pub(super) fn encode(cells: &Cells, canonical: Vec<u8>, profile: Profile) -> EncodedCells {
    if canonical.len() < LEAST_BYTES || !parts::are_within_limits(cells) || cells.fixed().is_empty() {
        return plain(canonical);
    }
    let meaning = meaning(cells);
    let choice = codec_choice::choose(cells.fixed(), meaning, profile);
    encode_numbers(cells, meaning, choice)
}

/// What the fixed payloads stand for. Where integers and reals are mixed, their bits are no more than that.
fn meaning(cells: &Cells) -> Meaning {
    let has = |kind: CellKind| match cells.kinds() {
        Kinds::Uniform(uniform) => *uniform == kind,
        Kinds::Mixed(kinds) => kinds.contains(&kind),
    };
    if has(CellKind::Real) && !has(CellKind::Integer) { Meaning::Reals } else { Meaning::Integers }
}

fn plain(canonical: Vec<u8>) -> EncodedCells {
    let mut bytes = canonical;
    bytes.insert(0, Encoding::Plain.number());
    EncodedCells { encoding: Encoding::Plain, bytes, compressible: true }
}

fn encode_numbers(cells: &Cells, meaning: Meaning, choice: Choice) -> EncodedCells {
    let packed = match choice.codec {
        Codec::Pco => pco::pack(cells.fixed(), meaning, choice.steps),
        _ => None,
    };
    if let Some(packed) = packed {
        // Where numbers are all there is, nothing is left to compress.
        let compressible = !matches!(cells.kinds(), Kinds::Uniform(_));
        return EncodedCells {
            encoding: Encoding::Pco,
            bytes: number_column::encode_packed(cells, &packed),
            compressible,
        };
    }
    let (encoding, codec) = match choice.codec {
        Codec::Delta => (Encoding::Delta, Codec::Delta),
        _ => (Encoding::FrameOfReference, Codec::FrameOfReference),
    };
    EncodedCells { encoding, bytes: number_column::encode(cells, codec), compressible: true }
}
