//! States of a column laid side by side: what patches say of them is enough to make the later ones of the first.

use proptest::collection::vec;
use proptest::prelude::*;
use tabark::history::align::{align, row_hashes};
use tabark::history::compose::{Step, compose};
use tabark::history::patch::patch;
use tabark::model::{Cell, CellPatch, Cells, Places};

use super::cases;

/// A row: what it is known by, and which cell it has.
type Row = (u8, u8);

fn cell(sort: u8) -> Cell<'static> {
    match sort % 12 {
        0 | 1 => Cell::Null,
        2 => Cell::Real(-0.0),
        3 => Cell::Real(0.0),
        4 => Cell::Text(b""),
        5 => Cell::Text("é and more".as_bytes()),
        6 => Cell::Text(b"other"),
        7 => Cell::Bytes(b"other"),
        8 => Cell::RawText(b"\xff"),
        _ => Cell::Integer(i64::from(sort)),
    }
}

/// The keys and the cells of a state. With few `sorts`, a column is often of one kind.
fn columns(rows: &[Row], sorts: u8) -> (Cells, Cells) {
    let (mut keys, mut cells) = (Cells::new(), Cells::new());
    for (key, sort) in rows {
        keys.push(&Cell::Integer(i64::from(*key))).unwrap();
        cells.push(&cell(11 - sort % sorts)).unwrap();
    }
    (keys, cells)
}

/// What happens to a state until the next.
#[derive(Debug, Clone)]
enum Event {
    Insert(prop::sample::Index, Row),
    Delete(prop::sample::Index),
    Update(prop::sample::Index, u8),
    Clear,
}

fn event() -> impl Strategy<Value = Event> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        8 => (place(), any::<Row>()).prop_map(|(at, row)| Event::Insert(at, row)),
        6 => place().prop_map(Event::Delete),
        8 => (place(), any::<u8>()).prop_map(|(at, sort)| Event::Update(at, sort)),
        1 => Just(Event::Clear),
    ]
}

fn happen(rows: &mut Vec<Row>, event: &Event) {
    match event {
        Event::Insert(at, row) => rows.insert(at.index(rows.len() + 1), *row),
        Event::Clear => rows.clear(),
        Event::Delete(at) if !rows.is_empty() => drop(rows.remove(at.index(rows.len()))),
        Event::Update(at, sort) if !rows.is_empty() => {
            let at = at.index(rows.len());
            rows[at].1 = *sort;
        }
        Event::Delete(_) | Event::Update(..) => {}
    }
}

fn step<'a>((places, patch): &'a (Places, CellPatch)) -> Step<'a> {
    Step { places, patch: (!patch.is_empty()).then_some(patch) }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn states_are_made_of_the_first_and_what_changed(
        first in vec(any::<Row>(), 0..60),
        later in vec(vec(event(), 0..12), 1..=10),
        sorts in 1_u8..=12,
    ) {
        let mut rows = first;
        let (mut keys, base) = columns(&rows, sorts);
        let mut states = vec![base.clone()];
        let mut changes = Vec::new();
        for events in &later {
            events.iter().for_each(|event| happen(&mut rows, event));
            let (new_keys, cells) = columns(&rows, sorts);
            let places = align(&row_hashes(&[&keys]), &row_hashes(&[&new_keys]));
            let before = states.last().unwrap();
            prop_assert_eq!(places.rows_after(before.rows()), Some(cells.rows()));
            let patch = patch(before, &cells, &places);
            prop_assert_eq!(patch.cells.rows() as usize, patch.changed.len() + places.inserted.len());
            changes.push((places, patch));
            states.push(cells);
            keys = new_keys;
        }
        let steps: Vec<Step<'_>> = changes.iter().map(step).collect();
        for from in 0..states.len() {
            for to in from..states.len() {
                let made = compose(states[from].clone(), &steps[from..to]).unwrap();
                prop_assert_eq!(&made, &states[to], "from state {} to {}", from, to);
            }
        }
    }

    #[test]
    fn whatever_steps_say_is_a_column_or_damage(
        base in vec(any::<Row>(), 0..12),
        steps in vec(
            (vec(0_u32..14, 0..4), vec(0_u32..14, 0..4), proptest::option::of((vec(0_u32..14, 0..4), vec(any::<Row>(), 0..7)))),
            1..4,
        ),
        tidy in 0_u8..4,
    ) {
        let changes: Vec<(Places, Option<CellPatch>)> = steps
            .into_iter()
            .map(|(mut deleted, mut inserted, patch)| {
                let mut patch = patch.map(|(changed, cells)| (changed, columns(&cells, 12).1));
                if tidy > 0 {
                    // What is tidy more often fits.
                    let changed = patch.as_mut().map(|patch| &mut patch.0);
                    for ordinals in [&mut deleted, &mut inserted].into_iter().chain(changed) {
                        ordinals.sort_unstable();
                        ordinals.dedup();
                    }
                }
                (Places { deleted, inserted }, patch.map(|(changed, cells)| CellPatch { changed, cells }))
            })
            .collect();
        let steps: Vec<Step<'_>> =
            changes.iter().map(|(places, patch)| Step { places, patch: patch.as_ref() }).collect();
        let base = columns(&base, 12).1;
        let mut by_steps = Ok(base.clone());
        for step in &steps {
            by_steps = by_steps.and_then(|state| compose(state, &[*step]));
        }
        match (compose(base, &steps), by_steps) {
            (Ok(at_once), Ok(by_steps)) => prop_assert_eq!(at_once, by_steps),
            (Err(at_once), Err(by_steps)) => prop_assert!(at_once.is_damaged() && by_steps.is_damaged()),
            (at_once, by_steps) => prop_assert!(false, "{at_once:?} but {by_steps:?}"),
        }
    }
}
