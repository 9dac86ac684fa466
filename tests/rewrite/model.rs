//! States of a table from one snapshot to the next, made by a plan that a random number generator draws.
#![allow(dead_code, reason = "each test uses a part of it")]

use proptest::prelude::*;
use tabark::model::Value;

use super::tables::{TestTable, schema};

/// How a table changes.
#[derive(Debug, Clone)]
pub(crate) struct Evolving {
    seed: u64,
    snapshots: u64,
    rows: u64,
    has_key: bool,
    /// In so many of a hundred snapshots nothing changes, and in so many rows come and go.
    still: u64,
    moving: u64,
    /// Another column from this snapshot on.
    column_from: Option<u64>,
    /// A text that one row of one snapshot has.
    marker: Option<(u64, &'static str)>,
}

impl Arbitrary for Evolving {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let rows = prop_oneof![3 => 0_u64..50, 3 => 200_u64..3000, 1 => 30_000_u64..90_000];
        let parts = (any::<u64>(), 1_u64..8, rows, any::<bool>(), 0_u64..60, 0_u64..100, prop::option::of(1_u64..8));
        parts
            .prop_map(|(seed, snapshots, rows, has_key, still, moving, column_from)| Self {
                seed,
                snapshots,
                rows,
                has_key,
                still,
                moving,
                column_from,
                marker: None,
            })
            .boxed()
    }
}

/// Draws numbers.
struct Dice(u64);

impl Dice {
    fn draw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if below == 0 { 0 } else { (self.0 >> 11) % below }
    }
}

impl Evolving {
    /// A table of some thousand rows that changes a little.
    pub(crate) fn large(snapshots: u64) -> Self {
        let (still, moving) = (0, 100);
        Self { seed: 5, snapshots, rows: 20_000, has_key: true, still, moving, column_from: None, marker: None }
    }

    /// A few rows, two snapshots.
    pub(crate) fn small() -> Self {
        Self { rows: 5, ..Self::large(2) }
    }

    pub(crate) fn set_rows(&mut self, rows: u64) {
        self.rows = rows;
    }

    pub(crate) fn with_marker(mut self, snapshot: u64, marker: &'static str) -> Self {
        self.marker = Some((snapshot, marker));
        self
    }

    /// The state of each snapshot, oldest first.
    pub(crate) fn states(&self) -> Vec<TestTable> {
        let mut dice = Dice(self.seed | 1);
        let mut next_id = 0;
        let mut rows: Vec<Vec<Value>> = Vec::new();
        for _ in 0..self.rows {
            next_id += 1 + dice.draw(3);
            rows.push(row(next_id, &mut dice));
        }
        let mut states = Vec::new();
        for snapshot in 1..=self.snapshots {
            if snapshot > 1 && dice.draw(100) >= self.still {
                change(&mut rows, &mut next_id, dice.draw(100) < self.moving, &mut dice);
            }
            states.push(self.state(snapshot, rows.clone()));
        }
        states
    }

    fn state(&self, snapshot: u64, mut rows: Vec<Vec<Value>>) -> TestTable {
        if let Some((at, marker)) = self.marker
            && at == snapshot
        {
            let middle = rows.len() / 2;
            rows[middle][1] = Value::Text(marker.into());
        }
        let mut columns = vec!["id", "name", "amount", "state"];
        if self.column_from.is_some_and(|from| snapshot >= from) {
            columns.insert(2, "more");
            rows.iter_mut().for_each(|row| row.insert(2, Value::Null));
        }
        TestTable { schema: schema("t", &columns, if self.has_key { &[0] } else { &[] }), rows }
    }
}

fn row(id: u64, dice: &mut Dice) -> Vec<Value> {
    let id = i64::try_from(id).unwrap();
    vec![
        Value::Integer(id),
        if dice.draw(20) == 0 { Value::Null } else { Value::Text(format!("name {}", dice.draw(1 << 40)).into()) },
        #[expect(clippy::cast_precision_loss, reason = "any real will do")]
        Value::Real(dice.draw(100_000) as f64 / 100.0),
        Value::Text(["new", "paid", "sent"][usize::try_from(dice.draw(3)).unwrap()].into()),
    ]
}

fn change(rows: &mut Vec<Vec<Value>>, next_id: &mut u64, moves: bool, dice: &mut Dice) {
    let few = rows.len() as u64 / 200 + 1;
    if moves {
        for _ in 0..dice.draw(few) {
            if !rows.is_empty() {
                let at = usize::try_from(dice.draw(rows.len() as u64)).unwrap();
                rows.remove(at);
            }
        }
        for _ in 0..dice.draw(few) {
            *next_id += 1 + dice.draw(3);
            rows.push(row(*next_id, dice));
        }
    }
    for _ in 0..dice.draw(few) {
        if !rows.is_empty() {
            let at = usize::try_from(dice.draw(rows.len() as u64)).unwrap();
            rows[at][3] = Value::Text("changed".into());
        }
    }
}
