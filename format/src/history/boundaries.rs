//! Where row groups are cut: a function of content alone (`spec/format.md` §7.2), so that the same rows are cut at the
//! same places in every archive and in a live database, and an inserted row disturbs its neighbours only.

use crate::error::Result;
use crate::limits::{GROUP_BOUNDARY_BITS, MAX_GROUP_BYTES, MAX_GROUP_ROWS, MIN_GROUP_ROWS};
use crate::model::{Cell, RowGroup, TableSchema};

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
    rows: u32,
    bytes: u64,
}

impl Boundaries {
    /// For tables of this schema.
    pub fn new(schema: &TableSchema) -> Self {
        Self { columns: schema.boundary_columns(), rows: 0, bytes: 0 }
    }

    /// Does this row, which follows those given before, start a new row group? (The first row of all does not.)
    pub fn starts_group(&mut self, row: &[Cell<'_>]) -> bool {
        self.starts_group_with(row, weight(row))
    }

    fn starts_group_with(&mut self, row: &[Cell<'_>], weight: u64) -> bool {
        let starts = self.rows > 0
            && (self.rows == MAX_GROUP_ROWS
                || self.bytes.saturating_add(weight) > MAX_GROUP_BYTES
                || (self.rows >= MIN_GROUP_ROWS && self.is_boundary(row)));
        if starts {
            self.rows = 0;
            self.bytes = 0;
        }
        self.rows += 1;
        self.bytes = self.bytes.saturating_add(weight);
        starts
    }

    fn is_boundary(&self, row: &[Cell<'_>]) -> bool {
        let hash = row_hash(self.columns.iter().filter_map(|index| row.get(*index)));
        hash.leading_zeros() >= GROUP_BOUNDARY_BITS
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
