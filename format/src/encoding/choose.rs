//! Which encoding makes a column smallest: each that may apply encodes a sample, and what Zstandard leaves of that decides.
//!
//! A dictionary is the exception: how many different cells a column has, no sample says. It is made of the whole column,
//! where the sample repeats itself, and given up as soon as it grows too large.

use super::codec_choice::{self, Choice};
use super::decimal::{self, Decimals};
use super::dictionary::{self, Dictionary};
use super::numbers::Codec;
use super::pco::{self, Meaning, Steps};
use super::{EncodedCells, Encoding, Profile, number_column, parts, plain, sample, trial};
use crate::model::{Cell, CellKind, Cells, Kinds};

/// Blocks smaller than this stay plain: they share a frame with others, and are compressed together.
const LEAST_BYTES: usize = 512;

/// What is slower to write and read must promise at least this share (in percent) less than what is faster.
const LEAST_GAIN: usize = 2;

/// Below this many numbers, what pcodec says of its own tables is more than it saves.
const LEAST_FOR_PCO: usize = 512;

/// An encoding with all that was found out about how to write it.
enum Candidate {
    Numbers(Codec, Steps),
    Decimal(usize, Choice),
    Dictionary(Dictionary, Choice),
}

/// The candidate that promises to be smallest so far; none is plain.
struct Best {
    candidate: Option<Candidate>,
    cost: usize,
}

impl Best {
    fn consider(&mut self, cost: usize, candidate: Candidate) {
        if cost < self.cost {
            *self = Self { candidate: Some(candidate), cost };
        }
    }
}

/// Encodes cells, whose canonical form is given too.
pub(super) fn encode(cells: &Cells, canonical: Vec<u8>, profile: Profile) -> EncodedCells {
    if canonical.len() < LEAST_BYTES || !parts::are_within_limits(cells) {
        return as_plain(canonical);
    }
    match sample::of(cells).and_then(|sample| choose(cells, &sample, profile)) {
        Some(candidate) => write(cells, canonical, &candidate, profile),
        None => as_plain(canonical),
    }
}

fn choose(cells: &Cells, sample: &Cells, profile: Profile) -> Option<Candidate> {
    let whole = |cost: usize| trial::scaled(cost, sample.rows() as usize, cells.rows() as usize);
    let cost_of = |bytes: &[u8]| whole(trial::compressed_length(bytes));
    let plain = cost_of(&plain::canonical(sample));
    let mut best = Best { candidate: None, cost: plain };
    if !sample.fixed().is_empty() {
        match decimals(sample) {
            Some((exponent, decimals)) => {
                let choice = codec_choice::choose(&decimals.decimals, Meaning::Integers, profile);
                let cost = cost_of(&decimal::encode(sample, &decimals, choice, profile));
                best.consider(cost, Candidate::Decimal(exponent, choice));
            }
            None => consider_numbers(sample, profile, cost_of, &mut best),
        }
    }
    if let Some(dictionary) = dictionary_of(cells, sample) {
        let choice = codec_choice::choose(&dictionary.indexes, Meaning::Integers, profile);
        let entries = trial::compressed_length(&plain::canonical(&dictionary.entries));
        best.consider(slower(entries + choice.cost), Candidate::Dictionary(dictionary, choice));
    }
    best.candidate
}

/// What a slower candidate counts for.
pub(super) fn slower(cost: usize) -> usize {
    cost + cost * LEAST_GAIN / 100
}

fn consider_numbers(sample: &Cells, profile: Profile, cost_of: impl Fn(&[u8]) -> usize, best: &mut Best) {
    for (codec, steps) in [(Codec::FrameOfReference, Steps::None), (Codec::Delta, Steps::First)] {
        best.consider(cost_of(&number_column::encode(sample, codec)), Candidate::Numbers(codec, steps));
    }
    if profile == Profile::Standard && sample.fixed().len() >= LEAST_FOR_PCO {
        for steps in [Steps::None, Steps::First] {
            if let Some(packed) = pco::pack(sample.fixed(), meaning(sample), steps) {
                let cost = cost_of(&number_column::encode_packed(sample, &packed));
                best.consider(slower(cost), Candidate::Numbers(Codec::Pco, steps));
            }
        }
    }
}

/// What the fixed payloads stand for. Where integers and reals are mixed, their bits are no more than that.
fn meaning(cells: &Cells) -> Meaning {
    let has = |kind: CellKind| match cells.kinds() {
        Kinds::Uniform(uniform) => *uniform == kind,
        Kinds::Mixed(kinds) => kinds.contains(&kind),
    };
    if has(CellKind::Real) && !has(CellKind::Integer) { Meaning::Reals } else { Meaning::Integers }
}

/// The exponent and the decimals of a sample with reals.
fn decimals(sample: &Cells) -> Option<(usize, Decimals)> {
    let reals = sample.iter().filter_map(|cell| match cell {
        Cell::Real(value) => Some(value),
        _ => None,
    });
    let exponent = decimal::exponent_of(reals)?;
    Some((exponent, Decimals::of(sample, exponent)?))
}

/// A dictionary of all cells, if the sample repeats itself and they do too.
fn dictionary_of(cells: &Cells, sample: &Cells) -> Option<Dictionary> {
    let rows = sample.rows() as usize;
    Dictionary::of(sample, rows / 2)?;
    Some(Dictionary::of(cells, cells.rows() as usize / 4)?.sorted())
}

fn as_plain(canonical: Vec<u8>) -> EncodedCells {
    let mut bytes = canonical;
    bytes.insert(0, Encoding::Plain.number());
    EncodedCells { encoding: Encoding::Plain, bytes, compressible: true }
}

fn write(cells: &Cells, canonical: Vec<u8>, candidate: &Candidate, profile: Profile) -> EncodedCells {
    let encoded = |encoding, bytes| EncodedCells { encoding, bytes, compressible: true };
    match candidate {
        Candidate::Numbers(Codec::Pco, steps) => match pco::pack(cells.fixed(), meaning(cells), *steps) {
            Some(packed) => EncodedCells {
                // Where numbers are all there is, nothing is left to compress.
                compressible: !matches!(cells.kinds(), Kinds::Uniform(_)),
                ..encoded(Encoding::Pco, number_column::encode_packed(cells, &packed))
            },
            None => as_plain(canonical),
        },
        Candidate::Numbers(Codec::Delta, _) => encoded(Encoding::Delta, number_column::encode(cells, Codec::Delta)),
        Candidate::Numbers(..) => {
            encoded(Encoding::FrameOfReference, number_column::encode(cells, Codec::FrameOfReference))
        }
        Candidate::Decimal(exponent, choice) => match Decimals::of(cells, *exponent) {
            Some(decimals) => encoded(Encoding::Decimal, decimal::encode(cells, &decimals, *choice, profile)),
            // The sample was better than the column.
            None => encoded(Encoding::FrameOfReference, number_column::encode(cells, Codec::FrameOfReference)),
        },
        Candidate::Dictionary(dictionary, choice) => {
            encoded(Encoding::Dictionary, dictionary::encode(cells, dictionary, *choice))
        }
    }
}
