//! How fast states of a row group are laid side by side, patched, and made again of patches.
//!
//!     cargo run --release -p tabark --example states -- [ROWS [SHARE]]
//!
//! `SHARE` of 1,000 rows change between one state and the next (7 where nothing is said); a tenth as many come and go.
#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "a program that tells figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tabark::history::align::{align, row_hashes};
use tabark::history::compose::{Step, compose};
use tabark::history::patch::patch;
use tabark::model::{Cell, CellPatch, Cells, Places};

/// States after the first.
const STATES: usize = 9;
/// Each figure is the least of so many runs: other programs only ever make one longer.
const RUNS: usize = 15;
const COLUMNS: [&str; 4] = ["keys", "numbers", "texts", "numbers and nulls"];

/// A key, and what the row's other cells follow from.
type Row = (i64, u64);

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 20
    }

    /// Is it one of so many in 10,000?
    fn is(&mut self, of_10_000: u64) -> bool {
        self.next() % 10_000 < of_10_000
    }
}

fn later(rows: &[Row], share: u64, noise: &mut Noise) -> Vec<Row> {
    let mut later = Vec::with_capacity(rows.len());
    for row in rows {
        if !noise.is(share) {
            later.push((row.0, if noise.is(10 * share) { noise.next() } else { row.1 }));
        }
        if noise.is(share) {
            later.push((row.0 + 1, noise.next()));
        }
    }
    later
}

fn columns(rows: &[Row]) -> tabark::Result<[Cells; 4]> {
    let mut columns = [Cells::new(), Cells::new(), Cells::new(), Cells::new()];
    for (key, value) in rows {
        let text = format!("value {value}");
        let number = Cell::Integer(value.cast_signed());
        columns[0].push(&Cell::Integer(*key))?;
        columns[1].push(&number)?;
        columns[2].push(&Cell::Text(text.as_bytes()))?;
        columns[3].push(if value % 3 == 0 { &Cell::Null } else { &number })?;
    }
    Ok(columns)
}

fn tell<T>(name: &str, rows: usize, mut work: impl FnMut() -> T) {
    let least = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            black_box(work());
            begin.elapsed()
        })
        .min()
        .unwrap_or(Duration::ZERO);
    let of_a_million = least.as_secs_f64() * 1e9 / f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
    println!("{name:<44}{:>10.0}{of_a_million:>12.2}", least.as_secs_f64() * 1e6);
}

fn main() -> tabark::Result<()> {
    let mut arguments = std::env::args().skip(1).map_while(|argument| argument.parse::<u32>().ok());
    let (rows, share) = (arguments.next().unwrap_or(1 << 16), arguments.next().unwrap_or(7));
    let mut noise = Noise(1);
    let mut tables: Vec<Vec<Row>> = vec![(0..i64::from(rows)).map(|key| (key << 16, noise.next())).collect()];
    for at in 0..STATES {
        tables.push(later(&tables[at], u64::from(share), &mut noise));
    }
    let states: Vec<[Cells; 4]> = tables.iter().map(|rows| columns(rows)).collect::<tabark::Result<_>>()?;
    let rows = rows as usize;
    println!("{rows} rows, {share} of 1,000 changed {STATES} times");
    println!("{:<44}{:>10}{:>12}", "", "µs", "ms/M rows");

    let (first, second, last) = (&states[0], &states[1], &states[STATES]);
    let keys = |state: &[Cells; 4]| row_hashes(&[&state[0]]);
    let rows_of = |state: &[Cells; 4]| row_hashes(&state.each_ref());
    tell("hashes of keys", rows, || keys(first));
    tell("hashes of all columns", rows, || rows_of(first));
    for (hashes, name) in [(&keys as &dyn Fn(&[Cells; 4]) -> Vec<u64>, "keys"), (&rows_of, "all columns")] {
        let (first, second, last) = (hashes(first), hashes(second), hashes(last));
        tell(&format!("align by {name}"), rows, || align(&first, &second));
        tell(&format!("align by {name}, {STATES} states apart"), rows, || align(&first, &last));
    }
    let few: Vec<u64> = rows_of(first).into_iter().map(|hash| hash % 7).collect();
    let few_later: Vec<u64> = rows_of(last).into_iter().map(|hash| hash % 7).collect();
    tell("align by 7 hashes, nearly all moved", rows, || align(&few, &few_later));
    for (column, name) in COLUMNS.iter().enumerate() {
        let steps: Vec<(Places, CellPatch)> = states
            .windows(2)
            .map(|pair| {
                let places = align(&keys(&pair[0]), &keys(&pair[1]));
                let patch = patch(&pair[0][column], &pair[1][column], &places);
                (places, patch)
            })
            .collect();
        let places = &steps[0].0;
        tell(&format!("patch of {name}"), rows, || patch(&first[column], &second[column], places));
        let steps: Vec<Step<'_>> = steps.iter().map(|(places, patch)| Step { places, patch: Some(patch) }).collect();
        assert_eq!(compose(first[column].clone(), &steps)?, last[column]);
        tell(&format!("copy of {name}"), rows, || first[column].clone());
        tell(&format!("copy of {name}, and {STATES} patches"), rows, || compose(first[column].clone(), &steps));
    }
    Ok(())
}
