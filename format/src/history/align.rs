//! Which rows of two states of a row group are the same ones.

mod anchors;
mod edits;

use super::boundaries::mix;
use crate::model::{Cells, Kinds, Places};

use anchors::{by_occurrence, unique_in_both};
use edits::Edits;

/// Rows that are hashed together where rows by themselves are not unique.
const WINDOWS: [usize; 3] = [1, 4, 16];

/// One hash for each row, over the given columns (of equal length): those of the key, or all where there is no key. Rows
/// with identical cells have the same. Without columns there are no rows.
pub fn row_hashes(columns: &[&Cells]) -> Vec<u64> {
    let rows = columns.iter().map(|column| column.rows() as usize).min().unwrap_or(0);
    let mut hashes = vec![0x9E37_79B9_7F4A_7C15_u64; rows];
    for column in columns {
        match column.kinds() {
            Kinds::Uniform(kind) if kind.is_fixed() => {
                let kind = u64::from(kind.number()).rotate_right(8);
                for (hash, word) in hashes.iter_mut().zip(column.fixed()) {
                    *hash = mix(hash.rotate_left(5) ^ kind ^ word);
                }
            }
            _ => {
                for (hash, cell) in hashes.iter_mut().zip(column.iter()) {
                    let kind = u64::from(cell.kind().number()).rotate_right(8);
                    let before = hash.rotate_left(5) ^ kind;
                    *hash = match cell.fixed_bits() {
                        Some(bits) => mix(before ^ bits),
                        None => bytes_after(before, cell.variable_bytes().unwrap_or_default()),
                    };
                }
            }
        }
    }
    hashes
}

fn bytes_after(before: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(before, |hash, word| mix(hash ^ u64::from_le_bytes(*word)));
    let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(mix(hash ^ last) ^ bytes.len() as u64)
}

/// Which rows went and which came, by the hashes of the rows of either state, so that as many as possible stand in both.
///
/// It is exact (a longest common subsequence) where the states differ in few hundred rows, or no hash stands twice; else
/// it is near, in time that grows with the number of rows only. Rows whose hashes collide may be taken for one another.
pub fn align(before: &[u64], after: &[u64]) -> Places {
    let mut alignment = Alignment { before, after, edits: Edits::new(before.len() + after.len()), same: Vec::new() };
    alignment.gap(Gap { before: (0, before.len()), after: (0, after.len()) }, 0);
    alignment.places()
}

/// Rows of either state that are still to be laid side by side, as from and to.
#[derive(Debug, Clone, Copy)]
struct Gap {
    before: (usize, usize),
    after: (usize, usize),
}

/// Rows that are the same in both states, from these ordinals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Same {
    before: usize,
    after: usize,
    rows: usize,
}

struct Alignment<'a> {
    before: &'a [u64],
    after: &'a [u64],
    edits: Edits,
    same: Vec<Same>,
}

impl Alignment<'_> {
    /// Lays the rows of a gap side by side. `tried` of [`WINDOWS`] have been of no more use.
    fn gap(&mut self, gap: Gap, tried: usize) {
        let (before, after) = (self.before, self.after);
        let all = before.get(gap.before.0..gap.before.1).unwrap_or_default();
        let others = after.get(gap.after.0..gap.after.1).unwrap_or_default();
        let prefix = all.iter().zip(others).take_while(|(a, b)| a == b).count();
        let (all, others) = (all.get(prefix..).unwrap_or_default(), others.get(prefix..).unwrap_or_default());
        let suffix = all.iter().rev().zip(others.iter().rev()).take_while(|(a, b)| a == b).count();
        let all = all.get(..all.len() - suffix).unwrap_or_default();
        let others = others.get(..others.len() - suffix).unwrap_or_default();
        let start = (gap.before.0 + prefix, gap.after.0 + prefix);
        self.push(Same { before: gap.before.0, after: gap.after.0, rows: prefix });
        if !all.is_empty() && !others.is_empty() {
            self.middle(all, others, start, tried);
        }
        self.push(Same { before: gap.before.1 - suffix, after: gap.after.1 - suffix, rows: suffix });
    }

    /// The same of rows that begin and end with different ones, of which there are some on either side.
    fn middle(&mut self, all: &[u64], others: &[u64], start: (usize, usize), tried: usize) {
        let moved = |same: Same| Same { before: start.0 + same.before, after: start.1 + same.after, ..same };
        if let Some(same) = self.edits.between(all, others) {
            same.into_iter().for_each(|same| self.push(moved(same)));
            return;
        }
        for (tried, window) in WINDOWS.iter().enumerate().skip(tried) {
            let anchors = match window {
                1 => unique_in_both(all, others),
                _ => unique_in_both(&windows(all, *window), &windows(others, *window)),
            };
            if anchors.is_empty() {
                continue;
            }
            let mut from = start;
            let end = (start.0 + all.len(), start.1 + others.len());
            // Rows in a row are one gap: only the first of them need be its beginning. None stands before the first.
            let mut last = Some((usize::MAX, usize::MAX));
            for (a, b) in anchors.into_iter().map(|(a, b)| (start.0 + a, start.1 + b)).chain([end]) {
                let follows = last == a.checked_sub(1).zip(b.checked_sub(1));
                last = Some((a, b));
                if follows && last != Some(end) {
                    continue;
                }
                // The anchor itself is the first row of the gap behind it, where its neighbours join it.
                self.gap(Gap { before: (from.0, a), after: (from.1, b) }, tried + 1);
                from = (a, b);
            }
            return;
        }
        for (before, after) in by_occurrence(all, others) {
            self.push(moved(Same { before, after, rows: 1 }));
        }
    }

    fn push(&mut self, same: Same) {
        match self.same.last_mut() {
            Some(last) if last.before + last.rows == same.before && last.after + last.rows == same.after => {
                last.rows += same.rows;
            }
            _ if same.rows > 0 => self.same.push(same),
            _ => {}
        }
    }

    /// The rows that are the same in no other state.
    fn places(self) -> Places {
        let mut places = Places::default();
        let (mut before, mut after) = (0, 0);
        let end = Same { before: self.before.len(), after: self.after.len(), rows: 0 };
        for same in self.same.into_iter().chain([end]) {
            places.deleted.extend((before..same.before).filter_map(|row| u32::try_from(row).ok()));
            places.inserted.extend((after..same.after).filter_map(|row| u32::try_from(row).ok()));
            (before, after) = (same.before + same.rows, same.after + same.rows);
        }
        places
    }
}

/// For each row the hash of it and those that follow it, `window` in all; none for the last ones.
fn windows(hashes: &[u64], window: usize) -> Vec<u64> {
    hashes.windows(window).map(|rows| rows.iter().fold(0, |hash, row| mix(hash ^ row))).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Cell;

    /// What stays of both lists; it must be the same, and places must ascend.
    fn kept(before: &[u64], after: &[u64]) -> usize {
        let Places { deleted, inserted } = align(before, after);
        let rest = |of: &[u64], without: &[u32]| -> Vec<u64> {
            assert!(
                without.is_sorted_by(|a, b| a < b) && without.last().is_none_or(|last| (*last as usize) < of.len())
            );
            let is_kept = |row: usize| without.binary_search(&u32::try_from(row).unwrap()).is_err();
            of.iter().enumerate().filter(|(row, _)| is_kept(*row)).map(|(_, hash)| *hash).collect()
        };
        let rest_before = rest(before, &deleted);
        assert_eq!(rest_before, rest(after, &inserted));
        rest_before.len()
    }

    /// The length of a longest common subsequence, by the book.
    fn longest(before: &[u64], after: &[u64]) -> usize {
        let mut row = vec![0; after.len() + 1];
        for a in before {
            let mut diagonal = 0;
            for (at, b) in after.iter().enumerate() {
                let best = if a == b { diagonal + 1 } else { row[at].max(row[at + 1]) };
                diagonal = std::mem::replace(&mut row[at + 1], best);
            }
        }
        row[after.len()]
    }

    fn noise(count: usize, seed: u64) -> Vec<u64> {
        (0..count as u64).map(|at| mix(at.wrapping_add(mix(seed)))).collect()
    }

    /// The list with every `step`-th row gone and, half a step later, another one come.
    fn edited(rows: &[u64], step: usize, new: impl Fn(u64) -> u64) -> Vec<u64> {
        let mut edited = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            if at % step == step / 2 {
                edited.push(new(at as u64));
            }
            if at % step != 0 {
                edited.push(*row);
            }
        }
        edited
    }

    #[test]
    fn hashes_are_of_kinds_and_payloads_and_columns() {
        let cells = [
            Cell::Null,
            Cell::Integer(0),
            Cell::Real(0.0),
            Cell::Real(-0.0),
            Cell::Text(b""),
            Cell::Text(b"\0"),
            Cell::Bytes(b""),
            Cell::Text(b"12345678"),
            Cell::Text(b"12345678\0"),
        ];
        let mixed = Cells::of(&cells);
        let mut hashes = row_hashes(&[&mixed]);
        for (cell, hash) in cells.iter().zip(&hashes) {
            assert_eq!(row_hashes(&[&Cells::of(&[*cell])]), [*hash], "the fast path gives the same");
        }
        hashes.extend(row_hashes(&[&mixed, &mixed]));
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 2 * cells.len());
        let (a, b) = (Cells::of(&[Cell::Integer(1)]), Cells::of(&[Cell::Integer(2)]));
        assert_ne!(row_hashes(&[&a, &b]), row_hashes(&[&b, &a]));
        assert!(row_hashes(&[]).is_empty());
    }

    #[test]
    fn few_edits_are_found_exactly() {
        let rows = noise(50_000, 1);
        assert_eq!(kept(&rows, &rows), 50_000);
        assert_eq!(kept(&rows, &[]), 0);
        assert_eq!(kept(&[], &rows), 0);
        assert_eq!(kept(&rows, &rows[7..49_990]), 49_983);
        assert_eq!(kept(&rows, &edited(&rows, 500, |at| at)), 49_900);
    }

    #[test]
    fn many_edits_of_different_rows_are_found_exactly() {
        let rows = noise(60_000, 2);
        for step in [2, 3, 10, 50] {
            assert_eq!(kept(&rows, &edited(&rows, step, |at| at)), rows.len() - rows.len().div_ceil(step), "{step}");
        }
        assert_eq!(kept(&rows, &noise(60_000, 3)), 0);
        // One half before the other: either may stay, not both.
        assert_eq!(kept(&rows, &[&rows[35_000..], &rows[..35_000]].concat()), 35_000);
    }

    #[test]
    fn rows_that_stand_often_are_still_found() {
        // Few different rows, as of a table without a key.
        let rows: Vec<u64> = noise(60_000, 4).into_iter().map(|hash| hash % 7).collect();
        assert!(kept(&rows, &edited(&rows, 200, |at| at % 7)) >= 59_700);
        assert!(kept(&rows, &edited(&rows, 40, |at| at % 7)) >= 58_400);
        assert_eq!(kept(&rows, &[&rows[..], &rows[..9]].concat()), 60_000);
        assert_eq!(kept(&[5; 40_000], &[5; 39_000]), 39_000);
        // Every row twice, and so far apart that no search by edits ends.
        let twice = [&noise(20_000, 5)[..], &noise(20_000, 6), &noise(20_000, 5), &noise(20_000, 6)].concat();
        assert!(kept(&twice, &edited(&twice, 20, |at| at)) >= 76_000 - 40);
    }

    #[test]
    fn hashes_that_meet_on_purpose_cost_no_more() {
        // All of them begin at one slot of a table.
        let inverse = 0xF1DE_83E1_9937_733D_u64;
        assert_eq!(inverse.wrapping_mul(0x9E37_79B9_7F4A_7C15), 1);
        let rows: Vec<u64> = (0..100_000).map(|at: u64| at.wrapping_mul(inverse)).collect();
        let others: Vec<u64> = rows.iter().rev().copied().collect();
        assert!(kept(&rows, &others) <= 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn as_many_rows_stay_as_can(
            before in proptest::collection::vec(0_u64..6, 0..40),
            after in proptest::collection::vec(0_u64..6, 0..40),
        ) {
            prop_assert_eq!(kept(&before, &after), longest(&before, &after));
        }
    }
}
