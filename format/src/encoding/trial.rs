//! Trying candidates on a sample: how small would Zstandard make these bytes?

use std::cell::RefCell;

/// Level of trials. Ranks candidates as higher levels do, at a fraction of their time.
const TRIAL_LEVEL: i32 = 1;

/// Bytes of the buffer that a thread keeps.
const MOST_KEPT: usize = 1 << 20;

thread_local! {
    /// Making a compressor costs more than a trial: each thread keeps one, and what it writes to.
    static TRIAL: RefCell<Option<(zstd::bulk::Compressor<'static>, Vec<u8>)>> = const { RefCell::new(None) };
}

/// Bytes that remain of these after Zstandard's fastest level; all of them if it fails.
pub(super) fn compressed_length(bytes: &[u8]) -> usize {
    let length = TRIAL.with_borrow_mut(|kept| {
        let (compressor, buffer) = match kept {
            Some(kept) => kept,
            None => kept.insert((zstd::bulk::Compressor::new(TRIAL_LEVEL).ok()?, Vec::new())),
        };
        buffer.clear();
        buffer.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        let length = compressor.compress_to_buffer(bytes, buffer).ok();
        buffer.clear();
        buffer.shrink_to(MOST_KEPT);
        length
    });
    length.unwrap_or(bytes.len()).min(bytes.len())
}

/// What a sample of `sample` parts costs, for `all` of them.
pub(super) fn scaled(cost: usize, sample: usize, all: usize) -> usize {
    let scaled = cost as u128 * all as u128 / sample.max(1) as u128;
    usize::try_from(scaled).unwrap_or(usize::MAX)
}

/// Runs of `length` places each, spread evenly over `count`; one run of all where there are not more.
pub(super) fn runs(count: usize, runs: usize, length: usize) -> Vec<std::ops::Range<usize>> {
    if count <= runs * length || runs < 2 {
        return std::iter::once(0..count).collect();
    }
    let stride = (count - length) / (runs - 1);
    (0..runs).map(|run| run * stride..run * stride + length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_do_not_overlap_and_reach_the_end() {
        assert!(runs(10, 4, 5).iter().eq(std::iter::once(&(0..10))));
        for count in [21, 100, 65_537] {
            let runs = runs(count, 4, 5);
            assert_eq!(runs.len(), 4);
            assert!(runs.iter().all(|run| run.len() == 5));
            assert!(runs.iter().zip(runs.iter().skip(1)).all(|(a, b)| a.end <= b.start));
            assert!(runs.last().is_some_and(|run| run.end <= count && run.end + 4 > count));
        }
    }

    #[test]
    fn what_repeats_is_short() {
        assert!(compressed_length(&[7; 10_000]) < 100);
        assert!(compressed_length(&[]) == 0);
        assert_eq!(scaled(10, 100, 1000), 100);
        assert_eq!(scaled(usize::MAX, 1, usize::MAX), usize::MAX);
    }
}
