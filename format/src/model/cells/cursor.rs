//! Runs of cells, from one column to the end of another: copies of whole stretches, not a walk from cell to cell.

use super::{CellKind, Cells, Kinds, too_many_bytes, too_many_rows};
use crate::error::{Error, Result};

/// A place in a column, which moves forward by runs of rows.
#[derive(Debug, Clone)]
pub struct CellsCursor<'a> {
    cells: &'a Cells,
    row: u32,
    fixed: usize,
    variable: usize,
}

/// The kinds of some rows that follow one another.
#[derive(Clone, Copy)]
enum RunKinds<'a> {
    All(CellKind),
    Each(&'a [CellKind]),
}

/// Some rows that follow one another, as parts of their column's streams.
struct Run<'a> {
    kinds: RunKinds<'a>,
    fixed: &'a [u64],
    ends: &'a [u32],
    /// Where the first variable payload begins.
    start: u32,
    data: &'a [u8],
}

impl<'a> CellsCursor<'a> {
    /// At the first row.
    pub fn new(cells: &'a Cells) -> Self {
        Self { cells, row: 0, fixed: 0, variable: 0 }
    }

    /// The ordinal of the next row.
    pub fn row(&self) -> u32 {
        self.row
    }

    /// Rows from here to the end.
    pub fn rows_left(&self) -> u32 {
        self.cells.rows.saturating_sub(self.row)
    }

    /// Passes over `rows` rows; over those that are left, if they are fewer.
    pub fn skip(&mut self, rows: u32) {
        let rows = rows.min(self.rows_left());
        if let Some((_, fixed, variable)) = self.counts(rows) {
            self.row += rows;
            self.fixed += fixed;
            self.variable += variable;
        }
    }

    /// Adds the next `rows` rows at the end of another column, and passes over them. That column has then the form that
    /// [`Cells::push`] would have given it.
    ///
    /// Fails, and changes nothing, if fewer rows are left, or the other column would hold more than `u32::MAX` rows or
    /// payload bytes.
    pub fn append_to(&mut self, to: &mut Cells, rows: u32) -> Result<()> {
        let run = self.run(rows).ok_or_else(|| Error::request("a run of cells beyond the end of its column"))?;
        let Some(all_rows) = to.rows.checked_add(rows) else { return Err(too_many_rows()) };
        let Ok(base) = u32::try_from(to.data.len()) else { return Err(too_many_bytes()) };
        if u32::try_from(to.data.len() + run.data.len()).is_err() {
            return Err(too_many_bytes());
        }
        if rows == 0 {
            return Ok(());
        }
        to.add_kinds(run.kinds, rows);
        to.fixed.extend_from_slice(run.fixed);
        // No end is below the start, and the last one fits: that was looked at.
        to.ends.extend(run.ends.iter().map(|end| end.wrapping_sub(run.start).wrapping_add(base)));
        to.data.extend_from_slice(run.data);
        to.rows = all_rows;
        self.row += rows;
        self.fixed += run.fixed.len();
        self.variable += run.ends.len();
        Ok(())
    }

    /// Are the next `rows` rows here and there the same to the last bit? `false` if fewer are left on either side.
    pub fn are_identical(&self, other: &CellsCursor<'_>, rows: u32) -> bool {
        let (Some(a), Some(b)) = (self.run(rows), other.run(rows)) else { return false };
        (rows == 0 || a.kinds.are(b.kinds))
            && a.fixed == b.fixed
            && a.data == b.data
            && a.ends.iter().zip(b.ends).all(|(x, y)| x.wrapping_sub(a.start) == y.wrapping_sub(b.start))
    }

    /// The kinds of the next rows, and how many fixed and variable payloads they have.
    fn counts(&self, rows: u32) -> Option<(RunKinds<'a>, usize, usize)> {
        if rows > self.rows_left() {
            return None;
        }
        let rows = rows as usize;
        Some(match &self.cells.kinds {
            Kinds::Uniform(kind) if kind.is_fixed() => (RunKinds::All(*kind), rows, 0),
            Kinds::Uniform(kind) if kind.is_variable() => (RunKinds::All(*kind), 0, rows),
            Kinds::Uniform(kind) => (RunKinds::All(*kind), 0, 0),
            Kinds::Mixed(kinds) => {
                let row = self.row as usize;
                let kinds = kinds.get(row..row + rows)?;
                let fixed = kinds.iter().filter(|kind| kind.is_fixed()).count();
                let variable = kinds.iter().filter(|kind| kind.is_variable()).count();
                (RunKinds::Each(kinds), fixed, variable)
            }
        })
    }

    fn run(&self, rows: u32) -> Option<Run<'a>> {
        let (kinds, fixed, variable) = self.counts(rows)?;
        let Cells { fixed: all_fixed, ends: all_ends, data: all_data, .. } = self.cells;
        let ends = all_ends.get(self.variable..self.variable + variable)?;
        let (mut start, mut data): (u32, &[u8]) = (0, &[]);
        if let Some(end) = ends.last() {
            start = match self.variable.checked_sub(1) {
                Some(before) => *all_ends.get(before)?,
                None => 0,
            };
            data = all_data.get(start as usize..*end as usize)?;
        }
        Some(Run { kinds, fixed: all_fixed.get(self.fixed..self.fixed + fixed)?, ends, start, data })
    }
}

impl RunKinds<'_> {
    /// Are these the kinds of as many other rows?
    fn are(self, others: RunKinds<'_>) -> bool {
        match (self, others) {
            (Self::All(a), RunKinds::All(b)) => a == b,
            (Self::Each(a), RunKinds::Each(b)) => a == b,
            (Self::All(one), RunKinds::Each(each)) | (Self::Each(each), RunKinds::All(one)) => {
                each.iter().all(|kind| *kind == one)
            }
        }
    }

    /// The one kind of all these rows, if there is but one.
    fn only(self) -> Option<CellKind> {
        match self {
            Self::All(kind) => Some(kind),
            Self::Each(kinds) => {
                let (first, others) = kinds.split_first()?;
                others.iter().all(|kind| kind == first).then_some(*first)
            }
        }
    }
}

impl Cells {
    /// A column without rows, with room for so many fixed and variable payloads and bytes of the latter.
    pub(crate) fn with_room(fixed: usize, variable: usize, data: usize) -> Self {
        Self {
            fixed: Vec::with_capacity(fixed),
            ends: Vec::with_capacity(variable),
            data: Vec::with_capacity(data),
            ..Self::new()
        }
    }

    /// Adds the kinds of `rows` rows, at least one, before the rows are counted.
    fn add_kinds(&mut self, run: RunKinds<'_>, rows: u32) {
        if let Kinds::Uniform(uniform) = &mut self.kinds {
            // Only a column that is still of one kind cares whether the run is.
            match run.only() {
                Some(only) if *uniform == only => return,
                Some(only) if self.rows == 0 => {
                    *uniform = only;
                    return;
                }
                _ => self.kinds = Kinds::Mixed(vec![*uniform; self.rows as usize]),
            }
        }
        if let Kinds::Mixed(kinds) = &mut self.kinds {
            match run {
                RunKinds::All(kind) => kinds.resize(kinds.len() + rows as usize, kind),
                RunKinds::Each(each) => kinds.extend_from_slice(each),
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Cell;

    const SORTS: [Cell<'static>; 8] = [
        Cell::Integer(-1),
        Cell::Null,
        Cell::Text("é".as_bytes()),
        Cell::Integer(7),
        Cell::Real(-0.0),
        Cell::Bytes(b"abc"),
        Cell::Text(b""),
        Cell::RawText(b"\xff"),
    ];

    fn cells(sorts: &[usize]) -> Vec<Cell<'static>> {
        sorts.iter().map(|sort| SORTS[*sort]).collect()
    }

    #[test]
    fn a_run_beyond_the_end_changes_nothing() {
        let column = Cells::of(&cells(&[0, 1, 2]));
        let mut to = Cells::of(&cells(&[5]));
        let mut cursor = CellsCursor::new(&column);
        cursor.skip(1);
        assert!(cursor.append_to(&mut to, 3).is_err());
        assert_eq!((cursor.row(), cursor.rows_left()), (1, 2));
        assert_eq!(to, Cells::of(&cells(&[5])));
        cursor.append_to(&mut to, 2).unwrap();
        cursor.append_to(&mut to, 0).unwrap();
        assert_eq!(to, Cells::of(&cells(&[5, 1, 2])));
        cursor.skip(9);
        assert_eq!(cursor.rows_left(), 0);
    }

    #[test]
    fn what_counters_cannot_hold_is_refused() {
        let mut many = Cells::of(&[]);
        many.rows = u32::MAX;
        let one = Cells::of(&[Cell::Null]);
        let error = CellsCursor::new(&one).append_to(&mut many, 1).unwrap_err();
        assert!(error.to_string().contains("rows in a row group"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn runs_are_what_pushes_are(
            columns in proptest::collection::vec((1_usize..=8, proptest::collection::vec(0_usize..8, 0..20)), 1..4),
            runs in proptest::collection::vec((0_usize..4, 0_u32..5, 0_u32..7), 0..30),
        ) {
            let columns: Vec<Vec<Cell<'_>>> = columns
                .iter()
                .map(|(few, sorts)| cells(&sorts.iter().map(|sort| sort % few).collect::<Vec<_>>()))
                .collect();
            let from: Vec<Cells> = columns.iter().map(|cells| Cells::of(cells)).collect();
            let mut cursors: Vec<CellsCursor<'_>> = from.iter().map(CellsCursor::new).collect();
            let (mut appended, mut pushed) = (Cells::with_room(3, 0, 5), Cells::new());
            for (column, skip, rows) in runs {
                let column = column % cursors.len();
                let cursor = &mut cursors[column];
                cursor.skip(skip);
                let rows = rows.min(cursor.rows_left());
                for cell in columns[column].iter().skip(cursor.row() as usize).take(rows as usize) {
                    pushed.push(cell).unwrap();
                }
                cursor.append_to(&mut appended, rows).unwrap();
                prop_assert_eq!(&appended, &pushed);
            }
        }

        #[test]
        fn identity_is_of_every_cell(
            a in proptest::collection::vec(0_usize..8, 0..6),
            b in proptest::collection::vec(0_usize..8, 0..6),
            rows in 0_u32..6,
        ) {
            let (a, b) = (cells(&a), cells(&b));
            let (left, right) = (Cells::of(&a), Cells::of(&b));
            for (skip_left, skip_right) in [(0, 0), (1, 0), (0, 2)] {
                let (mut here, mut there) = (CellsCursor::new(&left), CellsCursor::new(&right));
                here.skip(skip_left);
                there.skip(skip_right);
                let rest = |cells: &[Cell<'static>], skip: u32| {
                    let rest: Vec<_> = cells.iter().skip(skip as usize).take(rows as usize).copied().collect();
                    (rest.len() == rows as usize).then_some(rest)
                };
                let expected = match (rest(&a, here.row()), rest(&b, there.row())) {
                    (Some(a), Some(b)) => a.iter().zip(&b).all(|(a, b)| a.is_identical(b)),
                    _ => false,
                };
                prop_assert_eq!(here.are_identical(&there, rows), expected);
            }
        }
    }
}
