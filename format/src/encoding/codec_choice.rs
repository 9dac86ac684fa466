//! Which codec makes numbers smallest, found on a sample.

use super::Profile;
use super::numbers::{self, Codec};
use super::pco::{self, Meaning, Steps};
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

/// What a slower candidate counts for.
pub(super) fn slower(cost: usize) -> usize {
    cost + cost * LEAST_GAIN / 100
}

/// A codec, and about how many bytes are left of the numbers in the end, compression included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) codec: Codec,
    pub(super) steps: Steps,
    pub(super) cost: usize,
}

/// The codec that promises to be smallest; plain for one word or none.
pub(super) fn choose(words: &[u64], meaning: Meaning, profile: Profile) -> Choice {
    if words.len() < 2 {
        return Choice { codec: Codec::Plain, steps: Steps::None, cost: 8 * words.len() };
    }
    let (base, width) = frame_of_reference::range(words);
    if width == 0 {
        return Choice { codec: Codec::FrameOfReference, steps: Steps::None, cost: 10 };
    }
    let runs = trial::runs(words.len(), RUNS, RUN_LENGTH);
    let sampled: Vec<u64> = runs.iter().flat_map(|run| words.get(run.clone()).unwrap_or_default()).copied().collect();
    let whole = |cost: usize| trial::scaled(cost, sampled.len(), words.len());

    let distances: Vec<u64> = sampled.iter().map(|word| word.wrapping_sub(base)).collect();
    let cost = whole(planes_cost(&distances, width));
    let reference = Choice { codec: Codec::FrameOfReference, steps: Steps::None, cost };

    let (step_base, step_width) = frame_of_reference::range(&delta::steps(words));
    let steps: Vec<u64> = runs
        .iter()
        .flat_map(|run| delta::steps(words.get(run.clone()).unwrap_or_default()))
        .map(|step| step.wrapping_sub(step_base))
        .collect();
    let cost = whole(planes_cost(&steps, step_width));
    let delta = Choice { codec: Codec::Delta, steps: Steps::First, cost };

    let best = if delta.cost < reference.cost { delta } else { reference };
    if profile == Profile::Standard && words.len() >= LEAST_FOR_PCO && best.cost > LEAST_COST_FOR_PCO {
        // What planes are better of, pcodec packs better too: one trial is enough.
        if let Some(packed) = pco::pack(&sampled, meaning, best.steps) {
            let cost = slower(whole(pco::written_length(&packed)));
            if cost < best.cost {
                return Choice { codec: Codec::Pco, steps: best.steps, cost };
            }
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
        && let Some(packed) = pco::pack(words, Meaning::Integers, choice.steps)
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
}
