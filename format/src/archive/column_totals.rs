//! What the blocks of a column add up to: stated when a table is written, worked out again when it is verified.

use super::manifest::ColumnSummary;
use crate::block::BlockFacts;
use crate::model::Bound;

/// Counts, sizes and bounds over the blocks of one column, taken in row order.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnTotals {
    logical_bytes: u64,
    stored_bytes: u64,
    nulls: u64,
    range: Option<(Bound, Bound)>,
    unbounded: bool,
    encodings: Vec<(u8, u64)>,
}

impl ColumnTotals {
    /// Takes the next block, and its share of the bytes in the file.
    pub(super) fn add(&mut self, facts: &BlockFacts, stored_bytes: u64) {
        self.logical_bytes += facts.logical_bytes;
        self.stored_bytes += stored_bytes;
        self.nulls += facts.nulls;
        match &facts.range {
            Some((low, high)) => Bound::widen(&mut self.range, low, high),
            None => self.unbounded |= !facts.is_all_null(),
        }
        let number = facts.encoding.number();
        match self.encodings.binary_search_by_key(&number, |(encoding, _)| *encoding) {
            Ok(found) => self.encodings.iter_mut().skip(found).take(1).for_each(|(_, blocks)| *blocks += 1),
            Err(place) => self.encodings.insert(place, (number, 1)),
        }
    }

    /// The summary of all blocks taken.
    pub(super) fn summary(self, fingerprint: [u8; 32]) -> ColumnSummary {
        let range = if self.unbounded { None } else { self.range };
        let (minimum, maximum) = range.unzip();
        ColumnSummary {
            logical_bytes: self.logical_bytes,
            stored_bytes: self.stored_bytes,
            nulls: self.nulls,
            minimum,
            maximum,
            encodings: self.encodings,
            fingerprint,
        }
    }
}
