//! Arbitrary tables: odd names, all kinds of cells with their extremes, keys of every form.

use proptest::collection::vec;
use proptest::prelude::*;
use tabark::model::{KeyPart, TableSchema, Value};

use super::order::sort_by_key;
use super::tables::{TestTable, column, key_part, schema};

const MOST_COLUMNS: usize = 12;

/// Names that somebody will use one day.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        Just(String::new()),
        Just("select".to_owned()),
        Just("rowid".to_owned()),
        Just("two words".to_owned()),
        Just("quo\"te`s'[".to_owned()),
        Just("new\nline\t\0nul".to_owned()),
        Just("naïve 数据 🦀".to_owned()),
        Just("\u{feff}\u{202e}\u{7f}".to_owned()),
        Just("a".repeat(300)),
        "\\PC{0,12}",
    ]
}

/// Different names, at least `least` and at most `most`.
fn names(least: usize, most: usize) -> impl Strategy<Value = Vec<String>> {
    vec(name(), least..=most).prop_map(|names| {
        let mut unique: Vec<String> = Vec::new();
        for mut name in names {
            while unique.contains(&name) {
                name.push('\'');
            }
            unique.push(name);
        }
        unique
    })
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -3_i64..300, Just(i64::MIN), Just(i64::MAX), Just(0), Just(1 << 53)]
}

fn real() -> impl Strategy<Value = f64> {
    const ODD: [f64; 10] =
        [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, 4.9e-324, 1e15, 0.1];
    prop_oneof![any::<u64>().prop_map(f64::from_bits), proptest::sample::select(&ODD[..])]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "\\PC{0,20}".prop_map(String::into_bytes),
        "[a-cA-C \\x00]{0,4}".prop_map(String::into_bytes),
        Just(vec![b'x'; 64]),
        Just(vec![b'x'; 65]),
        Just("é".repeat(40).into_bytes()),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..24), Just(vec![0; 65]), Just(b"TBKF".repeat(30))]
}

/// Any cell.
fn cell() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(Value::Null),
        3 => integer().prop_map(Value::Integer),
        2 => real().prop_map(Value::Real),
        3 => text().prop_map(Value::Text),
        1 => bytes().prop_map(Value::Bytes),
        1 => bytes().prop_map(Value::RawText),
    ]
}

/// A cell of a key: it has a place among all others (no NaN), and often meets its like.
fn key_cell() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => integer().prop_map(Value::Integer),
        1 => (-100_i32..100).prop_map(|half| Value::Real(f64::from(half) / 2.0)),
        3 => text().prop_map(Value::Text),
        1 => bytes().prop_map(Value::Bytes),
    ]
}

/// No key, or up to three parts of different columns.
fn key(columns: usize) -> impl Strategy<Value = Vec<KeyPart>> {
    let all: Vec<u32> = (0..u32::try_from(columns).unwrap()).collect();
    let collation = proptest::sample::select(&["BINARY", "NOCASE", "RTRIM"][..]);
    let parts = vec((any::<bool>(), collation), 3);
    (proptest::sample::subsequence(all, 0..=columns.min(3)).prop_shuffle(), parts).prop_map(|(columns, parts)| {
        let parts = columns.into_iter().zip(parts);
        parts.map(|(column, (descending, collation))| key_part(column, descending, collation)).collect()
    })
}

fn rows(schema: TableSchema, most: usize) -> impl Strategy<Value = TestTable> {
    let cells: Vec<BoxedStrategy<Value>> = (0..schema.columns.len())
        .map(|at| {
            let in_key = schema.key.iter().any(|part| part.column as usize == at);
            if in_key { key_cell().boxed() } else { column_cells() }
        })
        .collect();
    vec(cells, 0..=most).prop_map(move |mut rows| {
        sort_by_key(&mut rows, &schema.key);
        TestTable { schema: schema.clone(), rows }
    })
}

/// Most columns hold all sorts, to be unkind.
fn column_cells() -> BoxedStrategy<Value> {
    cell().boxed()
}

/// A table of this name.
fn table(name: String, most_rows: usize) -> impl Strategy<Value = TestTable> {
    names(0, MOST_COLUMNS).prop_flat_map(move |columns| {
        let name = name.clone();
        (key(columns.len()), any::<bool>()).prop_flat_map(move |(key, hidden)| {
            let mut schema = schema(&name, &[], &[]);
            schema.columns = columns.iter().map(|name| column(name)).collect();
            if let Some(first) = schema.columns.first_mut() {
                first.hidden = hidden;
            }
            schema.key = key;
            rows(schema, most_rows)
        })
    })
}

/// The tables of one snapshot.
pub(crate) fn tables(most_rows: usize) -> impl Strategy<Value = Vec<TestTable>> {
    names(0, 3)
        .prop_flat_map(move |names| names.into_iter().map(|name| table(name, most_rows).boxed()).collect::<Vec<_>>())
}
