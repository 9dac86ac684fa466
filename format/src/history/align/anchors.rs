//! Rows that are found again by their hashes, wherever they stand: what alignment begins with where states differ much.

/// No row.
const NONE: u32 = u32::MAX;
/// More than one row.
const SEVERAL: u32 = u32::MAX - 1;

/// Slots that are looked at for one hash. Who has chosen rows so that their hashes meet gets no alignment of them.
const MOST_PROBES: usize = 64;

/// A hash that the state before has, and a row of either state.
#[derive(Clone, Copy)]
struct Slot {
    hash: u64,
    before: u32,
    after: u32,
}

/// An open hash table.
struct Table {
    slots: Vec<Slot>,
    shift: u32,
}

impl Table {
    fn new(rows: usize) -> Self {
        let slots = (2 * rows).next_power_of_two().max(2);
        let slot = Slot { hash: 0, before: NONE, after: NONE };
        Self { slots: vec![slot; slots], shift: u64::BITS - slots.trailing_zeros() }
    }

    /// The slot that has this hash, or the free one where it would go; `None` where too many others are in the way.
    fn find(&mut self, hash: u64) -> Option<&mut Slot> {
        let begin = usize::try_from(hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift).ok()?;
        let mask = self.slots.len() - 1;
        let is_it = |slot: &Slot| slot.before == NONE || slot.hash == hash;
        let at = (begin..begin + MOST_PROBES).map(|at| at & mask).find(|at| self.slots.get(*at).is_some_and(is_it))?;
        self.slots.get_mut(at)
    }
}

/// Pairs of rows whose hash stands once in either list: as many as can be with both ascending.
pub(super) fn unique_in_both(before: &[u64], after: &[u64]) -> Vec<(usize, usize)> {
    let mut table = Table::new(before.len());
    for (hash, row) in before.iter().zip(0..) {
        if let Some(slot) = table.find(*hash) {
            let row = if slot.before == NONE { row } else { SEVERAL };
            *slot = Slot { hash: *hash, before: row, after: NONE };
        }
    }
    for (hash, row) in after.iter().zip(0..) {
        if let Some(slot) = table.find(*hash) {
            slot.after = if slot.after == NONE { row } else { SEVERAL };
        }
    }
    let mut pairs = Vec::new();
    for (hash, row) in after.iter().zip(0..) {
        if let Some(slot) = table.find(*hash)
            && slot.after == row
            && slot.before < SEVERAL
        {
            pairs.push((slot.before, row));
        }
    }
    ascending(&pairs)
}

/// Pairs of rows with the same hash, the first with the first and so on: as many as can be with both ascending.
pub(super) fn by_occurrence(before: &[u64], after: &[u64]) -> Vec<(usize, usize)> {
    let mut table = Table::new(before.len());
    let mut following = vec![NONE; before.len()];
    // Backwards, so that a slot ends with the first row of its hash.
    for ((row, hash), following) in before.iter().enumerate().zip(&mut following).rev() {
        if let (Some(slot), Ok(row)) = (table.find(*hash), u32::try_from(row)) {
            *following = slot.before;
            *slot = Slot { hash: *hash, before: row, after: row };
        }
    }
    let mut pairs = Vec::new();
    for (hash, row) in after.iter().zip(0..) {
        // The slot's `after` is the next row before that has not been taken.
        if let Some(slot) = table.find(*hash)
            && slot.before != NONE
            && slot.after != NONE
        {
            pairs.push((slot.after, row));
            slot.after = following.get(slot.after as usize).copied().unwrap_or(NONE);
        }
    }
    ascending(&pairs)
}

/// The longest part of pairs, whose second rows ascend, in which the first rows ascend too.
fn ascending(pairs: &[(u32, u32)]) -> Vec<(usize, usize)> {
    let as_places = |(before, after): &(u32, u32)| (*before as usize, *after as usize);
    if pairs.is_sorted_by(|a, b| a.0 < b.0) {
        return pairs.iter().map(as_places).collect();
    }
    // For each length, the pair with the least first row that ends so long a part; and for each pair, the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut earlier: Vec<usize> = Vec::with_capacity(pairs.len());
    for (at, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs.get(*end).is_some_and(|end| end.0 < pair.0));
        earlier.push(length.checked_sub(1).and_then(|length| ends.get(length)).copied().unwrap_or(usize::MAX));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut chosen = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some((place, pair)) = at.and_then(|place| Some((place, pairs.get(place)?))) {
        chosen.push(as_places(pair));
        at = earlier.get(place).copied();
    }
    chosen.reverse();
    chosen
}
