//! Snapshots of a table that changes a little from each to the next.

use tabark::archive::SnapshotSelector;
use tabark::model::Value;

use super::tables::{TestTable, column, open, schema};

/// Numbers that look thrown, the same ones in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn text(what: &str, number: usize) -> Value {
    Value::Text(format!("{what} {} of it", number * 2_654_435_761 % 1_000_003).into_bytes())
}

/// Keys leave room for others between them.
fn table() -> TestTable {
    let row = |id: usize| {
        let size = if id.is_multiple_of(5) { Value::Null } else { Value::Real(id as f64 / 4.0) };
        vec![Value::Integer(i64::try_from(id).unwrap() * 100), text("first", id), size, text("second", id)]
    };
    TestTable { schema: schema("edited", &["id", "a", "b", "c"], &[0]), rows: (0..1500).map(row).collect() }
}

/// Some rows go, some come, some cells change. In every fifth snapshot a column changes as a whole; in some nothing does.
pub(crate) fn of_rows(snapshots: usize) -> Vec<Vec<TestTable>> {
    let (mut table, mut dice) = (table(), Dice(7));
    let mut all = vec![vec![table.clone()]];
    for number in 1..snapshots {
        for _ in 0..dice.below(4) {
            table.rows.remove(dice.below(table.rows.len()));
        }
        for _ in 0..dice.below(4) {
            let at = dice.below(table.rows.len() - 1);
            let (before, after) = (key(&table.rows[at]), key(&table.rows[at + 1]));
            if before + 1 < after {
                let row = vec![Value::Integer(before + 1), text("new", number), Value::Integer(-1), Value::Null];
                table.rows.insert(at + 1, row);
            }
        }
        for _ in 0..dice.below(8) {
            let (row, column) = (dice.below(table.rows.len()), 1 + dice.below(3));
            table.rows[row][column] =
                [Value::Null, text("changed", number), Value::Bytes(vec![255])][dice.below(3)].clone();
        }
        if number % 5 == 0 {
            let rows = table.rows.iter_mut().enumerate();
            rows.for_each(|(row, cells)| cells[3] = text("rewritten", row * number));
        }
        all.push(vec![table.clone()]);
    }
    all
}

fn key(row: &[Value]) -> i64 {
    match row[0] {
        Value::Integer(key) => key,
        _ => 0,
    }
}

/// A column comes before others, one changes its name, one goes; cells change all the while.
pub(crate) fn of_columns() -> Vec<Vec<TestTable>> {
    let mut table = table();
    let mut all = vec![vec![table.clone()]];
    for number in 1..12 {
        table.rows[number * 90][1] = text("changed", number);
        match number {
            3 => {
                table.schema.columns.insert(1, column("came"));
                table.rows.iter_mut().enumerate().for_each(|(row, cells)| cells.insert(1, text("came", row)));
            }
            6 => table.schema.columns[2].name = "renamed".into(),
            9 => {
                table.schema.columns.remove(3);
                table.rows.iter_mut().for_each(|cells| drop(cells.remove(3)));
            }
            _ => drop(table.rows.remove(number * 40)),
        }
        all.push(vec![table.clone()]);
    }
    all
}

/// How many layers the row groups of all snapshots have.
pub(crate) fn layers_in(bytes: &[u8]) -> usize {
    let archive = open(bytes);
    let mut layers = 0;
    for summary in archive.snapshots().unwrap() {
        let snapshot = archive.select(&SnapshotSelector::Number(summary.number)).unwrap();
        for entry in &snapshot.catalog().tables {
            let table = snapshot.table(&entry.name).unwrap();
            layers += table.groups().map(|place| place.unwrap().entry.layers.len()).sum::<usize>();
        }
    }
    layers
}
