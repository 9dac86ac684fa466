//! The shortest way from one list to another by rows that go and come, where it is short: Myers' greedy algorithm
//! ("An O(ND) Difference Algorithm and Its Variations", 1986).

use super::Same;

/// Edits at most. What is kept on the way grows with their square.
const MOST_EDITS: usize = 256;

/// Rows and diagonals that one search may look at for each row it has, beside those of its edits.
const STEPS_PER_ROW: usize = 4;

/// How much all searches together may take, as multiples of what the first may.
const SEARCHES: usize = 3;

/// The search, and what it may still cost.
pub(super) struct Edits {
    steps_left: usize,
    /// For each number of edits *d*, how far in the first list *d* + 1 diagonals lead.
    reached: Vec<usize>,
}

impl Edits {
    /// For lists of so many rows together.
    pub(super) fn new(rows: usize) -> Self {
        Self { steps_left: most_steps(rows).saturating_mul(SEARCHES), reached: Vec::new() }
    }

    /// What is the same in both lists, in order; `None` where the search would be long.
    pub(super) fn between(&mut self, before: &[u64], after: &[u64]) -> Option<Vec<Same>> {
        let rows = before.len() + after.len();
        let steps = self.steps_left.min(most_steps(rows));
        self.steps_left -= steps;
        let mut unused = steps;
        let same = self.search(before, after, &mut unused);
        self.steps_left += unused;
        same
    }

    fn search(&mut self, before: &[u64], after: &[u64], steps: &mut usize) -> Option<Vec<Same>> {
        self.reached.clear();
        let most = MOST_EDITS.min(before.len() + after.len());
        // Diagonal `place` of `edits` is where as many rows more than `edits - place` went as came.
        for edits in 0..=most {
            for place in 0..=edits {
                let start = self.start(edits, place)?.0;
                let (mut end, other) = (start, after_of(start, edits, place));
                if let (Some(a), Some(b)) = (before.get(start..), other.and_then(|other| after.get(other..))) {
                    end += a.iter().zip(b).take_while(|(a, b)| a == b).count();
                }
                self.reached.push(end);
                *steps = steps.checked_sub(end - start + 1)?;
                if end >= before.len() && after_of(end, edits, place).is_some_and(|other| other >= after.len()) {
                    return self.walk_back(edits, place);
                }
            }
        }
        None
    }

    /// Where the search stood on a diagonal after `edits`.
    fn at(&self, edits: usize, place: usize) -> Option<usize> {
        self.reached.get(edits * (edits + 1) / 2 + place).copied()
    }

    /// Where a diagonal begins after its last edit, and whether that edit is a row that came.
    fn start(&self, edits: usize, place: usize) -> Option<(usize, bool)> {
        let Some(fewer) = edits.checked_sub(1) else { return Some((0, false)) };
        let came = if place < edits { Some(self.at(fewer, place)?) } else { None };
        let went = match place.checked_sub(1) {
            Some(place) => Some(self.at(fewer, place)? + 1),
            None => None,
        };
        match (came, went) {
            (Some(came), Some(went)) if came >= went => Some((came, true)),
            (Some(came), None) => Some((came, true)),
            (_, Some(went)) => Some((went, false)),
            (None, None) => None,
        }
    }

    fn walk_back(&self, edits: usize, mut place: usize) -> Option<Vec<Same>> {
        let mut same = Vec::new();
        for edits in (0..=edits).rev() {
            let (start, came) = self.start(edits, place)?;
            let rows = self.at(edits, place)? - start;
            if rows > 0 {
                same.push(Same { before: start, after: after_of(start, edits, place)?, rows });
            }
            if edits > 0 && !came {
                place = place.checked_sub(1)?;
            }
        }
        same.reverse();
        Some(same)
    }
}

fn most_steps(rows: usize) -> usize {
    rows.saturating_mul(STEPS_PER_ROW).saturating_add(MOST_EDITS * MOST_EDITS)
}

/// The place in the second list: on this diagonal, `place` rows went for `edits - place` that came.
fn after_of(before: usize, edits: usize, place: usize) -> Option<usize> {
    (before + edits).checked_sub(2 * place)
}
