//! A database whose tables change: their rows, and now and then what they are.

use tabark::model::Value;

use super::evolving::{Evolving, Random, Shape};
use super::tables::TestTable;

pub(crate) struct Database {
    evolving: Evolving,
    /// By table.
    schemas: Vec<Schema>,
}

/// How a table differs from what it was at first.
#[derive(Debug, Clone, Copy, Default)]
struct Schema {
    dropped: bool,
    without_key: bool,
    renamed: bool,
    without_last_column: bool,
    with_new_column: bool,
    swapped: bool,
}

impl Database {
    /// Some are of one table of many rows, so that it has several row groups; others of tables of each shape.
    pub(crate) fn new(seed: u64, random: &mut Random) -> Self {
        let rows = random.index(400);
        let evolving = match random.below(12) {
            0 => Evolving::of_shape(seed, 40 * rows + 66_000, Shape::Narrow),
            1 => Evolving::of_shape(seed, 5 * rows, Shape::Heap),
            _ => Evolving::new(seed, rows),
        };
        let schemas = vec![Schema::default(); evolving.state().len()];
        Self { evolving, schemas }
    }

    /// One like it that a slow reader can read often.
    pub(crate) fn small(seed: u64, random: &mut Random) -> Self {
        let evolving = Evolving::new(seed, random.index(120));
        Self { evolving, schemas: vec![Schema::default(); 3] }
    }

    /// Nothing changes, or a few cells, or anything.
    pub(crate) fn change(&mut self, random: &mut Random) {
        match random.below(6) {
            0 => {}
            1 | 2 => self.evolving.update(1 + random.index(5)),
            _ => drop(self.evolving.next_state()),
        }
        if random.below(3) == 0 {
            let at = random.index(self.schemas.len());
            self.schemas[at].change(random);
        }
    }

    pub(crate) fn state(&self) -> Vec<TestTable> {
        let tables = self.evolving.state().into_iter().zip(&self.schemas);
        tables.filter(|(_, schema)| !schema.dropped).map(|(table, schema)| schema.of(table)).collect()
    }
}

impl Schema {
    fn change(&mut self, random: &mut Random) {
        let what = match random.below(8) {
            0 => &mut self.dropped,
            1 => &mut self.without_key,
            2 | 3 => &mut self.renamed,
            4 => &mut self.without_last_column,
            5 => &mut self.swapped,
            _ => &mut self.with_new_column,
        };
        *what = !*what;
    }

    /// The table with these changes. Parts of its key stand first and stay there.
    fn of(self, mut table: TestTable) -> TestTable {
        let key = table.schema.key.len();
        if self.without_last_column {
            table.schema.columns.pop();
            table.rows.iter_mut().for_each(|row| drop(row.pop()));
        }
        let last = table.schema.columns.len() - 1;
        if self.swapped && last > key {
            table.schema.columns.swap(key, last);
            table.rows.iter_mut().for_each(|row| row.swap(key, last));
        }
        if self.renamed {
            table.schema.columns[last].name = "renamed".into();
        }
        if self.with_new_column {
            table.schema.columns.insert(key, super::tables::column("new"));
            for (number, row) in (0..).zip(&mut table.rows) {
                row.insert(key, Value::Integer(number % 3));
            }
        }
        if self.without_key {
            table.schema.key.clear();
        }
        table
    }
}
