//! What of a column differs from the same column in the state before.

use crate::model::{CellPatch, Cells, CellsCursor, Kinds, Places};

/// Rows that are compared at once: of those that are the same, nothing more is looked at.
const CHUNK: u32 = 64;

/// The same for payloads of 8 bytes.
const FIXED_CHUNK: usize = 128;

/// The cells that the state after has and the state before has not: those of inserted rows, and those of rows that stand
/// in both but are not the same to the last bit. There may be none.
///
/// `places` must be those between the two states: after them, both columns have as many rows that stand in both.
pub fn patch(before: &Cells, after: &Cells, places: &Places) -> CellPatch {
    let changed = changed_rows(before, after, places);
    let cells = cells_of(after, &changed, &places.inserted);
    CellPatch { changed, cells }
}

/// Ordinals in the state after of rows that stand in both states with cells that are not the same to the last bit, ascending.
/// `places` as for [`patch`].
pub fn changed_rows(before: &Cells, after: &Cells, places: &Places) -> Vec<u32> {
    let mut changed = Vec::new();
    let (mut left, mut right) = (CellsCursor::new(before), CellsCursor::new(after));
    let (mut deleted, mut inserted) = (places.deleted.iter().peekable(), places.inserted.iter().peekable());
    let fixed = fixed_of_one_kind(before, after);
    loop {
        while deleted.next_if_eq(&&left.row()).is_some() {
            left.skip(1);
        }
        while inserted.next_if_eq(&&right.row()).is_some() {
            right.skip(1);
        }
        let rows_until = |next: Option<&&u32>, cursor: &CellsCursor<'_>| {
            next.map_or(u32::MAX, |next| next.saturating_sub(cursor.row())).min(cursor.rows_left())
        };
        let rows = rows_until(deleted.peek(), &left).min(rows_until(inserted.peek(), &right));
        if rows == 0 {
            return changed;
        }
        match fixed {
            Some((a, b)) => compare_fixed((a, left.row()), (b, right.row()), rows, &mut changed),
            None => compare_rows(left.clone(), right.clone(), rows, &mut changed),
        }
        left.skip(rows);
        right.skip(rows);
    }
}

/// The payloads of both columns, where there is one per row and they differ in nothing else.
fn fixed_of_one_kind<'a>(before: &'a Cells, after: &'a Cells) -> Option<(&'a [u64], &'a [u64])> {
    match (before.kinds(), after.kinds()) {
        (Kinds::Uniform(a), Kinds::Uniform(b)) if a == b && a.is_fixed() => Some((before.fixed(), after.fixed())),
        _ => None,
    }
}

fn compare_fixed(before: (&[u64], u32), after: (&[u64], u32), rows: u32, changed: &mut Vec<u32>) {
    let run = |(words, row): (_, u32)| -> &[u64] {
        <[u64]>::get(words, row as usize..row as usize + rows as usize).unwrap_or_default()
    };
    let chunks = run(before).chunks(FIXED_CHUNK).zip(run(after).chunks(FIXED_CHUNK));
    for ((a, b), row) in chunks.zip((after.1..).step_by(FIXED_CHUNK)) {
        if a != b {
            changed.extend(a.iter().zip(b).zip(row..).filter(|((a, b), _)| a != b).map(|(_, row)| row));
        }
    }
}

fn compare_rows(mut left: CellsCursor<'_>, mut right: CellsCursor<'_>, rows: u32, changed: &mut Vec<u32>) {
    let mut rest = rows;
    while rest > 0 {
        let chunk = rest.min(CHUNK);
        halve(&left, &right, chunk, changed);
        left.skip(chunk);
        right.skip(chunk);
        rest -= chunk;
    }
}

/// Rows that differ are found by halves: of a chunk with one of them, few cells are compared twice.
fn halve(left: &CellsCursor<'_>, right: &CellsCursor<'_>, rows: u32, changed: &mut Vec<u32>) {
    if left.are_identical(right, rows) {
        return;
    }
    if rows <= 1 {
        changed.push(right.row());
        return;
    }
    let half = rows / 2;
    halve(left, right, half, changed);
    let (mut left, mut right) = (left.clone(), right.clone());
    left.skip(half);
    right.skip(half);
    halve(&left, &right, rows - half, changed);
}

/// The cells of rows of either sort, in ascending order.
fn cells_of(column: &Cells, changed: &[u32], inserted: &[u32]) -> Cells {
    let mut cells = Cells::new();
    let mut cursor = CellsCursor::new(column);
    let (mut changed, mut inserted) = (changed.iter().copied().peekable(), inserted.iter().copied().peekable());
    let mut next = || match (changed.peek(), inserted.peek()) {
        (Some(a), Some(b)) if b < a => inserted.next(),
        (Some(_), _) => changed.next(),
        (None, _) => inserted.next(),
    };
    let mut first = next();
    while let Some(start) = first {
        let mut rows = 1;
        first = next();
        while first.is_some_and(|row| row.checked_sub(rows) == Some(start)) {
            rows += 1;
            first = next();
        }
        cursor.skip(start.saturating_sub(cursor.row()));
        // They are cells of a column, and no more than it has.
        let _ = cursor.append_to(&mut cells, rows);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cell;

    fn text(values: &[&'static str]) -> Cells {
        Cells::of(&values.iter().map(|value| Cell::Text(value.as_bytes())).collect::<Vec<_>>())
    }

    #[test]
    fn deleted_rows_are_passed_over_and_inserted_ones_are_taken() {
        let places = Places { deleted: vec![1, 4], inserted: vec![0, 3] };
        let before = text(&["a", "b", "c", "d", "e"]);
        let after = text(&["new", "a", "C", "newer", "d"]);
        let patch = patch(&before, &after, &places);
        assert_eq!(patch, CellPatch { changed: vec![2], cells: text(&["new", "C", "newer"]) });
    }

    #[test]
    fn a_column_that_is_the_same_gives_nothing() {
        let columns = [
            text(&["a", "", "é"]),
            Cells::of(&[Cell::Null; 3]),
            Cells::of(&[Cell::Real(f64::NAN), Cell::Real(-0.0), Cell::Real(1.0)]),
            Cells::of(&[Cell::Real(f64::NAN), Cell::Null, Cell::Bytes(b"x")]),
            Cells::new(),
        ];
        for column in columns {
            assert!(patch(&column, &column.clone(), &Places::default()).is_empty());
        }
    }

    #[test]
    fn identity_is_bitwise() {
        let changed = |a: &[Cell<'_>], b: &[Cell<'_>]| patch(&Cells::of(a), &Cells::of(b), &Places::default()).changed;
        assert_eq!(changed(&[Cell::Real(0.0), Cell::Real(1.0)], &[Cell::Real(-0.0), Cell::Real(1.0)]), [0]);
        assert_eq!(changed(&[Cell::Integer(1)], &[Cell::Real(f64::from_bits(1))]), [0]);
        assert_eq!(changed(&[Cell::Text(b"a"), Cell::Text(b"b")], &[Cell::Text(b"a"), Cell::Bytes(b"b")]), [1]);
        assert_eq!(changed(&[Cell::Text(b"ab"), Cell::Text(b"c")], &[Cell::Text(b"a"), Cell::Text(b"bc")]), [0, 1]);
        assert_eq!(changed(&[Cell::Null, Cell::Null], &[Cell::Null, Cell::Integer(0)]), [1]);
    }

    #[test]
    fn changes_are_found_wherever_they_stand_in_a_chunk() {
        for rows in [63, 64, 65, 127, 128, 129, 400] {
            for at in [0, 1, 62, 63, 64, 65, 127, 128, 398, 399].into_iter().filter(|at| *at < rows) {
                let numbers: Vec<_> = (0..rows).map(|row| Cell::Integer(i64::from(row))).collect();
                let mut texts: Vec<_> = vec![Cell::Text(b"same"); rows as usize];
                let before = [Cells::of(&numbers), Cells::of(&texts)];
                let mut others = numbers;
                for (list, other) in [(&mut others, Cell::Integer(-1)), (&mut texts, Cell::Text(b"else"))] {
                    if let Some(cell) = list.get_mut(at as usize) {
                        *cell = other;
                    }
                }
                for (before, after) in before.iter().zip([Cells::of(&others), Cells::of(&texts)]) {
                    let patch = patch(before, &after, &Places::default());
                    assert_eq!((patch.changed.as_slice(), patch.cells.rows()), (&[at][..], 1));
                }
            }
        }
    }
}
