//! Where row groups are cut: a function of content alone (`spec/format.md` §7.2), so that the same rows are cut at the
//! same places in every archive and in a live database, and an inserted row disturbs its neighbours only.

use crate::error::Result;
use crate::limits::{GROUP_BOUNDARY_BITS, MAX_GROUP_BYTES, MAX_GROUP_ROWS, MIN_GROUP_ROWS};
use crate::model::{Cell, Cells, RowGroup, TableSchema};

/// The finalizer of splitmix64: every bit of the input moves every bit of the output.
pub(super) const fn mix(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The hash of one row over the given cells.
pub fn row_hash<'a>(cells: impl Iterator<Item = &'a Cell<'a>>) -> u64 {
    let mut hash = 0x9E37_79B9_7F4A_7C15;
    for cell in cells {
        hash = mix(hash ^ u64::from(cell.kind().number()));
        if let Some(bits) = cell.fixed_bits() {
            hash = mix(hash ^ bits);
        } else if let Some(bytes) = cell.variable_bytes() {
            for word in bytes.chunks(8) {
                let mut padded = [0; 8];
                for (to, from) in padded.iter_mut().zip(word) {
                    *to = *from;
                }
                hash = mix(hash ^ u64::from_le_bytes(padded));
            }
            hash = mix(hash ^ bytes.len() as u64);
        }
    }
    hash
}

/// Bytes that a row counts for.
fn weight(row: &[Cell<'_>]) -> u64 {
    row.iter().map(Cell::weight).sum()
}

/// Decides, row by row, where row groups begin.
#[derive(Debug, Clone)]
pub struct Boundaries {
    columns: Vec<usize>,
    filled: Filled,
}

/// What a row group has so far.
#[derive(Debug, Clone, Copy, Default)]
struct Filled {
    rows: u32,
    bytes: u64,
}

impl Boundaries {
    /// For tables of this schema.
    pub fn new(schema: &TableSchema) -> Self {
        Self { columns: schema.boundary_columns(), filled: Filled::default() }
    }

    /// Does this row, which follows those given before, start a new row group? (The first row of all does not.)
    pub fn starts_group(&mut self, row: &[Cell<'_>]) -> bool {
        self.starts_group_with(row, weight(row))
    }

    fn starts_group_with(&mut self, row: &[Cell<'_>], weight: u64) -> bool {
        let key = self.columns.iter().filter_map(|index| row.get(*index));
        self.filled.is_ended_by(weight, || row_hash(key))
    }
}

impl Filled {
    /// Does the next row, of so many bytes and with a key of this hash, start a new row group? Counts it.
    fn is_ended_by(&mut self, weight: u64, hash: impl FnOnce() -> u64) -> bool {
        let is_ended = self.rows > 0
            && (self.rows == MAX_GROUP_ROWS
                || !self.has_room_for(weight)
                || (self.rows >= MIN_GROUP_ROWS && hash().leading_zeros() >= GROUP_BOUNDARY_BITS));
        if is_ended {
            *self = Self::default();
        }
        self.rows += 1;
        self.bytes = self.bytes.saturating_add(weight);
        is_ended
    }

    /// With so many bytes more, does their cap still end no row group?
    fn has_room_for(self, bytes: u64) -> bool {
        self.bytes.saturating_add(bytes) <= MAX_GROUP_BYTES
    }
}

/// Collects rows into row groups.
#[derive(Debug, Clone)]
pub struct RowGrouper {
    boundaries: Boundaries,
    group: RowGroup,
    weight: u64,
}

impl RowGrouper {
    /// For rows of this schema.
    pub fn new(schema: &TableSchema) -> Self {
        Self { boundaries: Boundaries::new(schema), group: RowGroup::new(schema.columns.len()), weight: 0 }
    }

    /// Takes the next row; gives the row group before it, if the row starts a new one.
    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<Option<RowGroup>> {
        let weight = weight(row);
        let complete = self.boundaries.starts_group_with(row, weight).then(|| self.group.take());
        self.weight = self.weight.saturating_add(weight);
        self.group.push(row)?;
        Ok(complete)
    }

    /// Takes the next rows, put together by column; hands out each row group that they complete.
    pub fn push_rows(&mut self, rows: &RowGroup, mut hand_out: impl FnMut(RowGroup) -> Result<()>) -> Result<()> {
        let filled = &mut self.boundaries.filled;
        if !filled.has_room_for(rows.weight()) {
            return rows.for_each_row(|row| self.push(row)?.map_or(Ok(()), &mut hand_out));
        }
        self.weight = self.weight.saturating_add(rows.weight());
        let mut cursors = rows.cursors();
        let mut taken = 0;
        // Up to the minimum nobody asks for keys.
        if filled.rows.saturating_add(rows.rows()) > MIN_GROUP_ROWS {
            let columns = self.boundaries.columns.iter().filter_map(|column| rows.columns().get(*column));
            let mut keys: Vec<_> = columns.map(Cells::iter).collect();
            let mut key = Vec::with_capacity(keys.len());
            for row in 0..rows.rows() {
                key.clear();
                key.extend(keys.iter_mut().map_while(Iterator::next));
                // The cap ends none of these: as far as it goes, they may weigh nothing.
                if filled.is_ended_by(0, || row_hash(key.iter())) {
                    self.group.append(&mut cursors, row - taken)?;
                    taken = row;
                    hand_out(self.group.take())?;
                }
            }
        }
        self.group.append(&mut cursors, rows.rows() - taken)?;
        *filled = Filled { rows: self.group.rows(), bytes: self.group.weight() };
        Ok(())
    }

    /// Does the row group that is being filled have rows?
    pub fn has_rows(&self) -> bool {
        self.group.rows() > 0
    }

    /// Would this row, as the next one, start a new row group? (Without rows before it, it does not.)
    pub fn would_end_before(&self, row: &[Cell<'_>]) -> bool {
        self.boundaries.clone().starts_group(row)
    }

    /// Bytes that all rows so far count for (`spec/format.md` §7.2).
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// The row group that is being filled, which ends the rows so far; `None` if it has no rows.
    pub fn take(&mut self) -> Option<RowGroup> {
        (self.group.rows() > 0).then(|| self.group.take())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::{Column, KeyPart};

    fn schema() -> TableSchema {
        let column = |name: &str| Column {
            name: name.into(),
            declared_type: String::new(),
            logical: 0,
            nullable: true,
            hidden: false,
        };
        TableSchema {
            name: "t".into(),
            role: crate::model::roles::TABLE.into(),
            definition: String::new(),
            position: 0,
            columns: vec![column("id"), column("v")],
            generated: vec![],
            key: vec![KeyPart { column: 0, descending: false, collation: "BINARY".into() }],
            options: vec![],
            attached: vec![],
        }
    }

    fn first_keys(rows: impl Iterator<Item = (i64, i64)>) -> Vec<(i64, u32)> {
        let mut groups = Vec::new();
        let mut add = |group: Option<RowGroup>| {
            if let Some(group) = group {
                let Some(Cell::Integer(first)) = group.columns()[0].iter().next() else { unreachable!() };
                groups.push((first, group.rows()));
            }
        };
        let mut grouper = RowGrouper::new(&schema());
        for (id, value) in rows {
            add(grouper.push(&[Cell::Integer(id), Cell::Integer(value)]).unwrap());
        }
        add(grouper.take());
        groups
    }

    #[test]
    fn groups_keep_to_their_limits_and_average() {
        let groups = first_keys((0..2_000_000).map(|id| (id, id)));
        assert_eq!(groups.iter().map(|(_, rows)| u64::from(*rows)).sum::<u64>(), 2_000_000);
        let inner = &groups[..groups.len() - 1];
        assert!(inner.iter().all(|(_, rows)| (MIN_GROUP_ROWS..=MAX_GROUP_ROWS).contains(rows)));
        let average = 2_000_000 / groups.len();
        assert!((50_000..80_000).contains(&average), "{average}");
    }

    #[test]
    fn an_update_moves_no_boundary_and_an_insert_few() {
        let before = first_keys((0..1_000_000).map(|id| (2 * id, 0)));
        assert_eq!(before, first_keys((0..1_000_000).map(|id| (2 * id, id))));
        let inserted = first_keys((0..1_000_001).map(|n| match n.cmp(&500_000) {
            std::cmp::Ordering::Less => (2 * n, 0),
            std::cmp::Ordering::Equal => (2 * n - 1, 0),
            std::cmp::Ordering::Greater => (2 * (n - 1), 0),
        }));
        let moved = inserted.iter().filter(|(first, _)| !before.iter().any(|(old, _)| old == first)).count();
        assert!(moved <= 2, "{moved}");
    }

    /// Rows by column, in parts of whatever size, are cut where rows are.
    #[test]
    fn parts_by_column_are_cut_where_rows_are() {
        let wide = vec![b'x'; 100_000];
        for (count, wide_each) in [(250_000, i64::MAX), (140_000, 150)] {
            let value = |id: i64| if id % wide_each == 7 { Cell::Text(&wide) } else { Cell::Real(id as f64) };
            let mut whole = RowGrouper::new(&schema());
            let mut expected = Vec::new();
            for id in 0..count {
                expected.extend(whole.push(&[Cell::Integer(id), value(id)]).unwrap());
            }
            expected.extend(whole.take());
            assert!(expected.len() > 2);
            for size in [1, 700, 50_000, 300_000] {
                let (mut grouper, mut groups) = (RowGrouper::new(&schema()), Vec::new());
                let mut part = RowGroup::new(2);
                for id in 0..count {
                    part.push(&[Cell::Integer(id), value(id)]).unwrap();
                    if part.rows() == size || id + 1 == count {
                        let rows = std::mem::replace(&mut part, RowGroup::new(2));
                        let mut keep = |group| {
                            groups.push(group);
                            Ok(())
                        };
                        grouper.push_rows(&rows, &mut keep).unwrap();
                    }
                }
                assert_eq!(grouper.weight(), whole.weight());
                groups.extend(grouper.take());
                assert!(groups == expected, "{size}");
            }
        }
    }

    #[test]
    fn a_wide_value_stands_alone() {
        let wide = vec![0_u8; usize::try_from(MAX_GROUP_BYTES).unwrap() + 1];
        let mut boundaries = Boundaries::new(&schema());
        assert!(!boundaries.starts_group(&[Cell::Integer(1), Cell::Null]));
        assert!(boundaries.starts_group(&[Cell::Integer(2), Cell::Bytes(&wide)]));
        assert!(boundaries.starts_group(&[Cell::Integer(3), Cell::Null]));
    }

    #[test]
    fn the_hash_is_the_specified_one() {
        // Worked out once with the Python reference; a change here is a change of the format.
        assert_eq!(mix(1), 0x5692_161D_100B_05E5);
        assert_ne!(row_hash([Cell::Text(b"a")].iter()), row_hash([Cell::Text(b"a\0")].iter()));
        assert_ne!(row_hash([Cell::Integer(0)].iter()), row_hash([Cell::Real(0.0)].iter()));
    }
}
