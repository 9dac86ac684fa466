//! Which codec makes numbers smallest, found on a sample.

use super::Profile;
use super::numbers::{self, Codec};
use super::pco::{self, Effort, Meaning, Steps};
use super::{delta, frame_of_reference, planes, trial};

/// Runs of a sample, and numbers in each.
const RUNS: usize = 8;
const RUN_LENGTH: usize = 512;

/// Below this many numbers, what pcodec says of its own tables is more than it saves.
const LEAST_FOR_PCO: usize = 512;

/// Where planes leave less than this, there is nothing to win.
const LEAST_COST_FOR_PCO: usize = 256;

/// What is slower to write and read must promise at least this share (in percent) less than what is faster.
const LEAST_GAIN: usize = 2;

/// Of a sample, less finely looked at, pcodec may leave this share (in thousands) more, where that is faster.
const MOST_LOSS: usize = 12;

/// What a slower candidate counts for.
pub(super) fn slower(cost: usize) -> usize {
    cost + cost * LEAST_GAIN / 100
}

/// A codec, and about how many bytes are left of the numbers in the end, compression included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) codec: Codec,
    pub(super) steps: Steps,
    pub(super) effort: Effort,
    pub(super) cost: usize,
}

impl Choice {
    /// Planes of the numbers themselves.
    pub(super) const fn planes(cost: usize) -> Self {
        Self { codec: Codec::FrameOfReference, steps: Steps::None, effort: Effort::Full, cost }
    }
}

/// The codec that promises to be smallest; plain for one word or none.
pub(super) fn choose(words: &[u64], meaning: Meaning, profile: Profile) -> Choice {
    if words.len() < 2 {
        return Choice { codec: Codec::Plain, ..Choice::planes(8 * words.len()) };
    }
    let runs = trial::runs(words.len(), RUNS, RUN_LENGTH);
    let sampled: Vec<u64> = runs.iter().flat_map(|run| words.get(run.clone()).unwrap_or_default()).copied().collect();
    let whole = |cost: usize| trial::scaled(cost, sampled.len(), words.len());

    // Where other words need more planes, these are nearly empty: the sample's own range says what planes cost.
    let (base, width) = frame_of_reference::range(&sampled);
    if width == 0 {
        return Choice::planes(10);
    }
    let distances: Vec<u64> = sampled.iter().map(|word| word.wrapping_sub(base)).collect();
    let reference = Choice::planes(whole(planes_cost(&distances, width)));

    let mut steps: Vec<u64> =
        runs.iter().flat_map(|run| delta::steps(words.get(run.clone()).unwrap_or_default())).collect();
    let (step_base, step_width) = frame_of_reference::range(&steps);
    for step in &mut steps {
        *step = step.wrapping_sub(step_base);
    }
    let cost = whole(planes_cost(&steps, step_width));
    let delta = Choice { codec: Codec::Delta, steps: Steps::First, ..Choice::planes(cost) };

    let best = if delta.cost < reference.cost { delta } else { reference };
    if profile == Profile::Standard && words.len() >= LEAST_FOR_PCO && best.cost > LEAST_COST_FOR_PCO {
        // What planes are better of, pcodec packs better too: it is tried of one of them alone.
        let trial = |effort| Some(whole(pco::written_length(&pco::pack(&sampled, meaning, best.steps, effort)?)));
        if let Some(full) = trial(Effort::Full)
            && slower(full) < best.cost
        {
            let is_enough = |short: usize| short <= full + full * MOST_LOSS / 1000;
            let effort = if trial(Effort::Short).is_some_and(is_enough) { Effort::Short } else { Effort::Full };
            return Choice { codec: Codec::Pco, steps: best.steps, effort, cost: slower(full) };
        }
    }
    best
}

fn planes_cost(values: &[u64], width: usize) -> usize {
    let mut bytes = Vec::new();
    planes::write(values, width, &mut bytes);
    trial::compressed_length(&bytes)
}

/// Writes words in the codec that promises to be smallest.
pub(super) fn write_best(words: &[u64], profile: Profile, out: &mut Vec<u8>) {
    write_chosen(words, choose(words, Meaning::Integers, profile), out);
}

/// Writes words as chosen.
pub(super) fn write_chosen(words: &[u64], choice: Choice, out: &mut Vec<u8>) {
    if choice.codec == Codec::Pco
        && let Some(packed) = pco::pack(words, Meaning::Integers, choice.steps, choice.effort)
    {
        return numbers::write_packed(&packed, out);
    }
    numbers::write(words, choice.codec, out);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::error::Layer;
    use crate::wire::Cursor;

    fn codec_of(words: &[u64], profile: Profile) -> u8 {
        let mut out = Vec::new();
        write_best(words, profile, &mut out);
        let mut cursor = Cursor::new(&out, Layer::Cells);
        assert_eq!(numbers::read(&mut cursor, words.len()).unwrap(), words);
        cursor.finish().unwrap();
        out[0]
    }

    #[test]
    fn each_codec_wins_where_it_should() {
        let constant = vec![77; 5000];
        let ascending: Vec<u64> = (0..50_000).map(|at| 1_000_000 + at * 3).collect();
        let mut state = 1_u64;
        let noise: Vec<u64> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 45
        })
        .take(50_000)
        .collect();
        for profile in [Profile::Standard, Profile::Fast] {
            assert_eq!(codec_of(&[], profile), 0);
            assert_eq!(codec_of(&[5], profile), 0);
            assert_eq!(codec_of(&constant, profile), 1);
            assert_eq!(codec_of(&ascending, profile), 2);
        }
        assert_eq!(codec_of(&noise, Profile::Fast), 1);
        assert_eq!(codec_of(&noise, Profile::Standard), 7);
    }

    #[test]
    fn pcodec_looks_finely_only_where_it_gains() {
        let mut state = 1_u64;
        let mut noise = |bits: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> (64 - bits)
        };
        let even: Vec<u64> = (0..50_000).map(|_| noise(18)).collect();
        let centres: Vec<u64> = (0..100).map(|_| noise(36)).collect();
        let heaps: Vec<u64> =
            (0..50_000).map(|_| centres[usize::try_from(noise(20)).unwrap() % 100] + noise(6)).collect();
        for (words, effort) in [(even, Effort::Short), (heaps, Effort::Full)] {
            let choice = choose(&words, Meaning::Integers, Profile::Standard);
            assert_eq!((choice.codec, choice.effort), (Codec::Pco, effort));
        }
    }
}
