//! A few runs of a column's rows, to try encodings on.

use super::trial;
use crate::model::{CellKind, Cells, CellsParts, Kinds};

/// Runs, and the rows of each: long enough that neighbours show what they share.
const RUNS: usize = 8;
const RUN_ROWS: usize = 512;

/// About so many bytes of variable payloads: what is large shows its nature early.
const MOST_DATA: usize = 64 << 10;

/// Samples with more bytes of variable payloads are none: a column of few large values is tried in no other way than plain.
const TOO_MUCH_DATA: usize = 1 << 20;

/// The rows of the sample, in order; all where there are few.
pub(super) fn of(cells: &Cells) -> Option<Cells> {
    let rows = cells.rows() as usize;
    let wide = cells.data().len() / rows.max(1);
    let length = if wide * RUNS * RUN_ROWS > MOST_DATA { (MOST_DATA / wide / RUNS).max(8) } else { RUN_ROWS };
    let runs = trial::runs(rows, RUNS, length);
    let (mut fixed, mut ends, mut data, mut kinds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut row, mut fixed_at, mut variable_at) = (0, 0, 0);
    let mut count = 0_u32;
    for run in runs {
        let (skipped, taken) = (row..run.start, run.clone());
        fixed_at += count_in(cells, skipped.clone(), CellKind::is_fixed);
        variable_at += count_in(cells, skipped, CellKind::is_variable);
        let fixed_end = fixed_at + count_in(cells, taken.clone(), CellKind::is_fixed);
        let variable_end = variable_at + count_in(cells, taken.clone(), CellKind::is_variable);
        fixed.extend_from_slice(cells.fixed().get(fixed_at..fixed_end)?);
        let start = match variable_at.checked_sub(1) {
            Some(before) => *cells.ends().get(before)?,
            None => 0,
        };
        let moved = u32::try_from(data.len()).ok()?;
        let own = cells.ends().get(variable_at..variable_end)?;
        ends.extend(own.iter().map(|end| end - start + moved));
        let end = own.last().copied().unwrap_or(start);
        if data.len() + (end - start) as usize > TOO_MUCH_DATA {
            return None;
        }
        data.extend_from_slice(cells.data().get(start as usize..end as usize)?);
        if let Kinds::Mixed(all) = cells.kinds() {
            kinds.extend_from_slice(all.get(taken)?);
        }
        (row, fixed_at, variable_at) = (run.end, fixed_end, variable_end);
        count += u32::try_from(run.len()).ok()?;
    }
    let kinds = match cells.kinds() {
        Kinds::Uniform(kind) => Kinds::Uniform(*kind),
        Kinds::Mixed(_) => Kinds::of(kinds),
    };
    Cells::from_parts(CellsParts { rows: count, kinds, fixed, ends, data }).ok()
}

fn count_in(cells: &Cells, rows: std::ops::Range<usize>, of: fn(CellKind) -> bool) -> usize {
    match cells.kinds() {
        Kinds::Uniform(kind) if of(*kind) => rows.len(),
        Kinds::Uniform(_) => 0,
        Kinds::Mixed(kinds) => kinds.get(rows).unwrap_or_default().iter().filter(|kind| of(**kind)).count(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Cell;

    #[test]
    fn a_sample_has_the_rows_of_its_runs() {
        for sort in 0..3 {
            let mut all = Cells::new();
            for row in 0..50_000_i64 {
                let text = format!("row {row}");
                let cell = match (sort, row % 3) {
                    (0, _) => Cell::Integer(row),
                    (1, 0) | (2, 1) => Cell::Null,
                    (2, 0) => Cell::Integer(row),
                    _ => Cell::Text(text.as_bytes()),
                };
                all.push(&cell).unwrap();
            }
            let sample = of(&all).unwrap();
            let cells: Vec<Cell<'_>> = all.iter().collect();
            let runs = trial::runs(50_000, RUNS, RUN_ROWS);
            let expected = runs.into_iter().flat_map(|run| cells[run].to_vec());
            assert!(sample.iter().eq(expected), "sort {sort}");
            assert_eq!(sample.rows(), 4096);
        }
    }

    #[test]
    fn a_small_column_is_its_own_sample_and_a_wide_one_has_a_small_sample() {
        let mut cells = Cells::new();
        cells.push(&Cell::Text(b"a")).unwrap();
        cells.push(&Cell::Null).unwrap();
        assert_eq!(of(&cells).unwrap(), cells);
        let mut wide = Cells::new();
        for _ in 0..1000 {
            wide.push(&Cell::Bytes(&[7; 10_000])).unwrap();
        }
        assert_eq!(of(&wide).unwrap().rows(), 64);
        let mut huge = Cells::new();
        for _ in 0..20 {
            huge.push(&Cell::Bytes(&[7; 1 << 20])).unwrap();
        }
        assert!(of(&huge).is_none());
    }
}
