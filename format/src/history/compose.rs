//! The state of a column after several changes, in one pass: first it is worked out which run of which part stands where,
//! then every cell that is left is copied once.
//!
//! Steps come from files. Whatever they say, it is a column or a refusal, and no cell of a part is taken twice: the
//! result is never larger than what was given.

use crate::error::{Error, Layer, Result};
use crate::limits::MAX_GROUP_ROWS;
use crate::model::{CellPatch, Cells, CellsCursor, Places};

/// From one state of a column to the next.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Rows that go and come.
    pub places: &'a Places,
    /// Cells that are new; `None` where no row comes and no cell of this column changes.
    pub patch: Option<&'a CellPatch>,
}

/// The column after all steps, of which the first is applied to `base`.
///
/// Fails as damaged if a step does not fit the state that it is applied to, or a state has more than
/// [`MAX_GROUP_ROWS`] rows.
pub fn compose(base: Cells, steps: &[Step<'_>]) -> Result<Cells> {
    check_rows(base.rows())?;
    let mut state = Runs::whole(base.rows());
    for (part, step) in (1..).zip(steps) {
        state = state.after(part, step)?;
    }
    if state == Runs::whole(base.rows()) {
        return Ok(base);
    }
    gather(&base, steps, &state)
}

fn damaged(why: impl Into<String>) -> Error {
    Error::damaged(Layer::Cells, why)
}

fn check_rows(rows: u32) -> Result<()> {
    if rows > MAX_GROUP_ROWS {
        return Err(damaged(format!("a state of {rows} rows; at most {MAX_GROUP_ROWS} are allowed")));
    }
    Ok(())
}

/// Cells of one part that follow one another there and in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// 0 is the base, then one for each step: the cells of its patch.
    part: u32,
    /// The first cell's ordinal in the part.
    start: u32,
    rows: u32,
}

/// A state: where each of its cells is found. The cells of one part ascend.
#[derive(Debug, PartialEq, Eq)]
struct Runs {
    runs: Vec<Run>,
    rows: u32,
}

impl Runs {
    fn whole(rows: u32) -> Self {
        let mut runs = Self { runs: Vec::new(), rows: 0 };
        runs.push(Run { part: 0, start: 0, rows });
        runs
    }

    fn push(&mut self, run: Run) {
        self.rows += run.rows;
        match self.runs.last_mut() {
            Some(last) if last.part == run.part && last.start + last.rows == run.start => last.rows += run.rows,
            _ if run.rows > 0 => self.runs.push(run),
            _ => {}
        }
    }

    /// The state after a step, whose patch is this part.
    fn after(self, part: u32, step: &Step<'_>) -> Result<Self> {
        let Step { places: Places { deleted, inserted }, patch } = step;
        let rows_after =
            step.places.rows_after(self.rows).ok_or_else(|| damaged("more rows deleted than there are"))?;
        check_rows(rows_after)?;
        check_ordinals(deleted, self.rows)?;
        check_ordinals(inserted, rows_after)?;
        let changed = patch.map_or(&[][..], |patch| &patch.changed);
        check_ordinals(changed, rows_after)?;
        let cells = patch.map_or(0, |patch| patch.cells.rows() as usize);
        if cells != changed.len() + inserted.len() {
            let why = format!("{cells} cells for {} changed and {} inserted rows", changed.len(), inserted.len());
            return Err(damaged(why));
        }
        let state = if deleted.is_empty() { self } else { self.without(deleted) };
        if cells == 0 { Ok(state) } else { state.with(part, inserted, changed, rows_after) }
    }

    fn without(&self, deleted: &[u32]) -> Self {
        let mut left = Self { runs: Vec::with_capacity(self.runs.len()), rows: 0 };
        let mut reader = RunsReader::new(self);
        for ordinal in deleted {
            reader.pass(ordinal.saturating_sub(reader.row), |run| left.push(run));
            reader.pass(1, |_| {});
        }
        reader.pass(u32::MAX, |run| left.push(run));
        left
    }

    /// With the cells of a part, in ascending order of the ordinals of inserted and of changed rows.
    fn with(&self, part: u32, inserted: &[u32], changed: &[u32], rows_after: u32) -> Result<Self> {
        let mut state = Self { runs: Vec::with_capacity(self.runs.len()), rows: 0 };
        let mut reader = RunsReader::new(self);
        let (mut inserted, mut changed) = (inserted.iter().peekable(), changed.iter().peekable());
        for start in 0_u32.. {
            let (ordinal, is_changed) = match (inserted.peek(), changed.peek()) {
                (None, None) => break,
                (Some(a), Some(b)) if a == b => return Err(damaged(format!("row {a} is inserted, and changed too"))),
                (Some(a), Some(b)) => (**a.min(b), b < a),
                (Some(a), None) => (**a, false),
                (None, Some(b)) => (**b, true),
            };
            reader.pass(ordinal.saturating_sub(state.rows), |run| state.push(run));
            state.push(Run { part, start, rows: 1 });
            if is_changed {
                reader.pass(1, |_| {});
                changed.next();
            } else {
                inserted.next();
            }
        }
        reader.pass(u32::MAX, |run| state.push(run));
        if state.rows != rows_after {
            return Err(damaged(format!("{} rows after a step to {rows_after}", state.rows)));
        }
        Ok(state)
    }
}

fn check_ordinals(ordinals: &[u32], rows: u32) -> Result<()> {
    if !ordinals.is_sorted_by(|a, b| a < b) || ordinals.last().is_some_and(|last| *last >= rows) {
        return Err(damaged("ordinals of rows that do not ascend or are beyond the last one"));
    }
    Ok(())
}

/// Walks the rows of a state.
struct RunsReader<'a> {
    rest: std::slice::Iter<'a, Run>,
    current: Run,
    row: u32,
}

impl<'a> RunsReader<'a> {
    fn new(state: &'a Runs) -> Self {
        Self { rest: state.runs.iter(), current: Run { part: 0, start: 0, rows: 0 }, row: 0 }
    }

    /// Gives the next `rows` rows, or all that are left, as runs.
    fn pass(&mut self, mut rows: u32, mut to: impl FnMut(Run)) {
        while rows > 0 {
            if self.current.rows == 0 {
                match self.rest.next() {
                    Some(run) => self.current = *run,
                    None => return,
                }
            }
            let taken = Run { rows: rows.min(self.current.rows), ..self.current };
            to(taken);
            self.current.start += taken.rows;
            self.current.rows -= taken.rows;
            self.row += taken.rows;
            rows -= taken.rows;
        }
    }
}

/// Copies the cells of a state together.
fn gather(base: &Cells, steps: &[Step<'_>], state: &Runs) -> Result<Cells> {
    let none = Cells::new();
    let patches = steps.iter().map(|step| step.patch.map_or(&none, |patch| &patch.cells));
    let mut parts: Vec<CellsCursor<'_>> = std::iter::once(base).chain(patches.clone()).map(CellsCursor::new).collect();
    let room = |of: fn(&Cells) -> usize| of(base) + patches.clone().map(of).sum::<usize>();
    let rows = state.rows as usize;
    let mut cells = Cells::with_room(
        room(|cells| cells.fixed().len()).min(rows),
        room(|cells| cells.ends().len()).min(rows),
        room(|cells| cells.data().len()),
    );
    for run in &state.runs {
        let part = parts.get_mut(run.part as usize).ok_or_else(|| damaged("a run of no part"))?;
        part.skip(run.start.saturating_sub(part.row()));
        // Counters overflow by what a file says, not by what is asked for.
        part.append_to(&mut cells, run.rows).map_err(|error| damaged(error.to_string()))?;
    }
    Ok(cells)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Cell;

    fn integers(values: &[i64]) -> Cells {
        Cells::of(&values.iter().copied().map(Cell::Integer).collect::<Vec<_>>())
    }

    fn places(deleted: &[u32], inserted: &[u32]) -> Places {
        Places { deleted: deleted.to_vec(), inserted: inserted.to_vec() }
    }

    fn patch(changed: &[u32], cells: &[i64]) -> CellPatch {
        CellPatch { changed: changed.to_vec(), cells: integers(cells) }
    }

    #[test]
    fn later_steps_replace_delete_and_shift_what_earlier_ones_made() {
        let (first, second, third) = (places(&[1], &[0, 3]), places(&[], &[]), places(&[0, 3], &[]));
        let (a, b) = (patch(&[1], &[90, 10, 93]), patch(&[0, 4], &[91, 14]));
        let steps = [
            Step { places: &first, patch: Some(&a) },
            Step { places: &second, patch: Some(&b) },
            Step { places: &third, patch: None },
        ];
        // 1 2 3 4, then 90 10 3 93 4, then 91 10 3 93 14.
        assert_eq!(compose(integers(&[1, 2, 3, 4]), &steps).unwrap(), integers(&[10, 3, 14]));
        assert_eq!(compose(integers(&[1, 2, 3, 4]), steps.get(..2).unwrap()).unwrap(), integers(&[91, 10, 3, 93, 14]));
        assert_eq!(compose(integers(&[1]), &[]).unwrap(), integers(&[1]));
    }

    #[test]
    fn everything_may_go_and_other_kinds_may_come() {
        let (go, come) = (places(&[0, 1], &[]), places(&[], &[0]));
        let text = CellPatch { changed: Vec::new(), cells: Cells::of(&[Cell::Text(b"x")]) };
        let steps = [Step { places: &go, patch: None }, Step { places: &come, patch: Some(&text) }];
        assert_eq!(compose(integers(&[1, 2]), &steps).unwrap(), text.cells);
        let gone = compose(integers(&[1, 2]), steps.get(..1).unwrap()).unwrap();
        assert_eq!(gone, Cells::new());
    }

    #[test]
    fn steps_that_do_not_fit_are_damage() {
        let refused = |places: Places, patch: Option<CellPatch>| {
            let step = Step { places: &places, patch: patch.as_ref() };
            let error = compose(integers(&[1, 2, 3]), &[step]).unwrap_err();
            assert!(error.is_damaged(), "{error}");
            error.to_string()
        };
        assert!(refused(places(&[3], &[]), None).contains("beyond the last"));
        assert!(refused(places(&[1, 1], &[]), None).contains("ascend"));
        assert!(refused(places(&[0, 1, 2, 3], &[]), None).contains("more rows deleted"));
        assert!(refused(places(&[], &[0]), None).contains("0 cells for 0 changed and 1 inserted"));
        assert!(refused(places(&[], &[4]), Some(patch(&[], &[7]))).contains("beyond the last"));
        assert!(refused(places(&[], &[2, 1]), Some(patch(&[], &[7, 8]))).contains("ascend"));
        assert!(refused(places(&[], &[]), Some(patch(&[3], &[7]))).contains("beyond the last"));
        assert!(refused(places(&[], &[]), Some(patch(&[1, 0], &[7, 8]))).contains("ascend"));
        assert!(refused(places(&[], &[]), Some(patch(&[0], &[7, 8]))).contains("2 cells for 1 changed"));
        assert!(refused(places(&[], &[1]), Some(patch(&[1], &[7, 8]))).contains("inserted, and changed"));
    }

    #[test]
    fn states_have_limits() {
        let nulls = |rows: u32| Cells::of(&vec![Cell::Null; rows as usize]);
        let one = places(&[], &[0]);
        let cell = CellPatch { changed: Vec::new(), cells: nulls(1) };
        let step = [Step { places: &one, patch: Some(&cell) }];
        assert_eq!(compose(nulls(MAX_GROUP_ROWS - 1), &step).unwrap().rows(), MAX_GROUP_ROWS);
        assert!(compose(nulls(MAX_GROUP_ROWS), &step).unwrap_err().is_damaged());
        assert!(compose(nulls(MAX_GROUP_ROWS + 1), &[]).unwrap_err().is_damaged());
    }
}
