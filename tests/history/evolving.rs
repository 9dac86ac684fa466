//! Tables whose rows come, go and change from state to state.

use std::collections::BTreeMap;

use tabark::model::Value;

use super::tables::{TestTable, key_part, schema};

/// Numbers that look random and are the same for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn up_to(&mut self, last: i64) -> i64 {
        i64::try_from(self.below(last.cast_unsigned() + 1)).unwrap()
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    fn small(&mut self, end: u32) -> u32 {
        u32::try_from(self.below(u64::from(end))).unwrap()
    }

    fn digit(&mut self) -> u8 {
        u8::try_from(self.below(10)).unwrap()
    }
}

/// What tables there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An integer key and a number.
    Narrow,
    /// A key of two columns, one of them descending, and cells of all kinds.
    Wide,
    /// No key.
    Heap,
}

/// Some tables and a source of change.
pub(crate) struct Evolving {
    random: Random,
    tables: Vec<Table>,
    /// Has the last column been added?
    grown: bool,
}

struct Table {
    shape: Shape,
    rows: BTreeMap<i64, Vec<Value>>,
}

impl Evolving {
    /// One table of each shape.
    pub(crate) fn new(seed: u64, rows: usize) -> Self {
        let mut random = Random(seed);
        let shapes = [Shape::Narrow, Shape::Wide, Shape::Heap];
        let tables = shapes.into_iter().map(|shape| Table::new(shape, rows, &mut random)).collect();
        Self { random, tables, grown: false }
    }

    pub(crate) fn of_shape(seed: u64, rows: usize, shape: Shape) -> Self {
        let mut random = Random(seed);
        Self { tables: vec![Table::new(shape, rows, &mut random)], random, grown: false }
    }

    /// The state as it is.
    pub(crate) fn state(&self) -> Vec<TestTable> {
        self.tables.iter().map(|table| table.state(self.grown)).collect()
    }

    /// The state, and then some change: of a few rows, of many, or of all.
    pub(crate) fn next_state(&mut self) -> Vec<TestTable> {
        let state = self.state();
        self.grown |= self.random.below(8) == 0;
        for table in &mut self.tables {
            let rows = table.rows.len();
            match self.random.below(8) {
                0 => {}
                1 => table.update(rows, &mut self.random),
                2 => table.delete(rows / 2, &mut self.random),
                3 => table.insert(rows / 3 + 3, &mut self.random),
                _ => {
                    table.update(rows / 100 + 1, &mut self.random);
                    table.delete(rows / 200, &mut self.random);
                    table.insert(rows / 100 + 1, &mut self.random);
                }
            }
        }
        state
    }

    /// Changes some cells of every table.
    pub(crate) fn update(&mut self, rows: usize) {
        self.tables.iter_mut().for_each(|table| table.update(rows, &mut self.random));
    }
}

impl Table {
    fn new(shape: Shape, rows: usize, random: &mut Random) -> Self {
        let mut table = Self { shape, rows: BTreeMap::new() };
        for _ in 0..rows {
            let key = table.rows.last_key_value().map_or(0, |(key, _)| key + 1 + i64::from(random.below(10) == 0));
            table.put(key, random);
        }
        table
    }

    fn put(&mut self, key: i64, random: &mut Random) {
        let row = match self.shape {
            Shape::Narrow => vec![Value::Integer(random.up_to(999))],
            Shape::Wide => vec![cell(random), cell(random), Value::Text(word(random)), Value::Integer(key * 7)],
            Shape::Heap => vec![Value::Integer(random.up_to(4)), Value::Text(word(random))],
        };
        self.rows.insert(key, row);
    }

    fn any_key(&self, random: &mut Random) -> Option<i64> {
        let last = *self.rows.last_key_value()?.0;
        self.rows.range(random.up_to(last)..).next().map(|(key, _)| *key)
    }

    fn update(&mut self, rows: usize, random: &mut Random) {
        for _ in 0..rows {
            let Some(key) = self.any_key(random) else { return };
            let Some(row) = self.rows.get_mut(&key) else { return };
            let column = random.index(row.len());
            row[column] = match (self.shape, column) {
                (Shape::Wide, 0 | 1) => cell(random),
                (Shape::Wide, 2) | (Shape::Heap, 1) => Value::Text(word(random)),
                _ => Value::Integer(random.up_to(999)),
            };
        }
    }

    fn delete(&mut self, rows: usize, random: &mut Random) {
        for _ in 0..rows {
            let Some(key) = self.any_key(random) else { return };
            self.rows.remove(&key);
        }
    }

    /// Half of them at the end.
    fn insert(&mut self, rows: usize, random: &mut Random) {
        for _ in 0..rows {
            let next = self.rows.last_key_value().map_or(0, |(key, _)| key + 1);
            let key = if random.below(2) == 0 { next } else { random.up_to(next) };
            self.put(key, random);
        }
    }

    fn state(&self, grown: bool) -> TestTable {
        let (name, columns, key): (_, &[&str], &[u32]) = match self.shape {
            Shape::Narrow => ("narrow", &["id", "n", "added"], &[0]),
            Shape::Wide => ("wide", &["part", "id", "a", "b", "text", "n", "added"], &[0, 1]),
            Shape::Heap => ("heap", &["n", "text", "added"], &[]),
        };
        let columns = if grown { columns } else { &columns[..columns.len() - 1] };
        let mut schema = schema(name, columns, key);
        let row = |(key, cells): (&i64, &Vec<Value>)| {
            let mut row = match self.shape {
                Shape::Narrow => vec![Value::Integer(*key)],
                Shape::Wide => vec![Value::Text(part(*key)), Value::Integer(*key)],
                Shape::Heap => Vec::new(),
            };
            row.extend(cells.iter().cloned());
            if grown {
                row.push(if key % 5 == 0 { Value::Integer(*key) } else { Value::Null });
            }
            row
        };
        let mut rows: Vec<Vec<Value>> = self.rows.iter().map(row).collect();
        if self.shape == Shape::Wide {
            // Ascending parts, and descending numbers within each.
            schema.key = vec![key_part(0, false, "BINARY"), key_part(1, true, "BINARY")];
            let mut keyed: Vec<_> = rows.into_iter().zip(self.rows.keys()).collect();
            keyed.sort_by_key(|(_, key)| (part(**key), -**key));
            rows = keyed.into_iter().map(|(row, _)| row).collect();
        }
        TestTable { schema, rows }
    }
}

/// The first part of a key: long enough for some that a bound cannot hold it whole.
fn part(key: i64) -> Vec<u8> {
    let part = key / 400;
    let mut text = format!("{part:05}").into_bytes();
    if part % 3 == 0 {
        text.splice(0..0, vec![b'0'; 70]);
    }
    text
}

fn word(random: &mut Random) -> Vec<u8> {
    let words = ["", "open", "closed", "in progress", "ärger", "0123456789abcdef0123456789abcdef"];
    let word = words[random.index(words.len())];
    if random.below(4) == 0 { format!("{word} {}", random.small(u32::MAX)).into_bytes() } else { word.into() }
}

fn cell(random: &mut Random) -> Value {
    match random.below(10) {
        0 => Value::Null,
        1 => Value::Real(-0.0),
        2 => Value::Real(f64::from(random.small(10_000)) / 100.0),
        3 => Value::Bytes(word(random)),
        4 => Value::RawText(vec![0xff, b'0' + random.digit()]),
        5 | 6 => Value::Text(word(random)),
        _ => Value::Integer(random.up_to(500) - 5),
    }
}
