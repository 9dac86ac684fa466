//! Values: the storage class of each one, to the last bit, in all three text encodings.

use proptest::prelude::*;
use rusqlite::types::Value as Sql;
use tabark::model::Value;
use tabark::source::Source as _;

use super::{Database, bytes_of, column, rows, text};

const ENCODINGS: [&str; 3] = ["UTF-8", "UTF-16le", "UTF-16be"];

fn stored(value: &str, encoding: &str) -> Vec<u8> {
    match encoding {
        "UTF-8" => value.as_bytes().to_vec(),
        "UTF-16le" => value.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => value.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

fn in_encoding(encoding: &str, script: &str) -> Database {
    let database = Database::new(&format!("PRAGMA encoding = '{encoding}'; {script}"));
    assert_eq!(database.source().catalog().description.setting("encoding"), Some(encoding));
    database
}

#[test]
fn storage_class_is_per_value_not_per_column() {
    for encoding in ENCODINGS {
        let database = in_encoding(
            encoding,
            "CREATE TABLE t(i INTEGER, r REAL, x TEXT, b BLOB, n);
             INSERT INTO t VALUES ('many', 'high', 12, 'text', 1.0), (x'00', x'01', x'02', 3, x''), (1.5, 2, 2.5, 4.0, ''),
                                  (NULL, NULL, NULL, NULL, NULL), (7, 7, 7, 7, 7);",
        );
        let expected = vec![
            vec![text("many"), text("high"), text("12"), text("text"), Value::Real(1.0)],
            vec![
                Value::Bytes(vec![0]),
                Value::Bytes(vec![1]),
                Value::Bytes(vec![2]),
                Value::Integer(3),
                Value::Bytes(vec![]),
            ],
            vec![Value::Real(1.5), Value::Real(2.0), text("2.5"), Value::Real(4.0), text("")],
            vec![Value::Null; 5],
            vec![Value::Integer(7), Value::Real(7.0), text("7"), Value::Integer(7), Value::Integer(7)],
        ];
        let read: Vec<Vec<Value>> = rows(&database.source(), "t").into_iter().map(|row| row[1..].to_vec()).collect();
        assert_eq!(read, expected, "{encoding}");
    }
}

#[test]
fn reals_are_kept_bit_for_bit() {
    let reals =
        [5e-324, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2, 1.0, 1e15];
    for encoding in ENCODINGS {
        let database = in_encoding(encoding, "CREATE TABLE t(a, r REAL)");
        let writer = database.writer();
        for real in reals {
            writer.execute("INSERT INTO t VALUES (?1, ?1)", [real]).unwrap();
        }
        writer.execute("INSERT INTO t VALUES (?1, ?1)", [f64::NAN]).unwrap();
        for index in [1, 2] {
            let read = column(&database.source(), "t", index);
            let bits: Vec<u64> = read[..reals.len()]
                .iter()
                .map(|value| match value {
                    Value::Real(real) => real.to_bits(),
                    other => panic!("{other:?}"),
                })
                .collect();
            let mut expected = reals.map(f64::to_bits);
            if index == 2 {
                // A REAL column stores whole numbers as integers, and so SQLite itself has made -0.0 a 0.
                expected[1] = 0;
            }
            assert_eq!(bits, expected, "{encoding}");
            assert_eq!(read[reals.len()], Value::Null, "SQLite stores NaN as NULL");
        }
    }
}

#[test]
fn integers_are_kept_to_the_extremes() {
    let values = [i64::MIN, i64::MIN + 1, -1, 0, 1, 127, 128, 1 << 47, (1 << 53) + 1, i64::MAX];
    for encoding in ENCODINGS {
        let database = in_encoding(encoding, "CREATE TABLE t(a)");
        let writer = database.writer();
        for value in values {
            writer.execute("INSERT INTO t(rowid, a) VALUES (?1, ?1)", [value]).unwrap();
        }
        let expected: Vec<Vec<Value>> = values.iter().map(|value| vec![Value::Integer(*value); 2]).collect();
        assert_eq!(rows(&database.source(), "t"), expected);
    }
}

#[test]
fn text_goes_on_after_a_nul() {
    for encoding in ENCODINGS {
        let database = in_encoding(encoding, "CREATE TABLE t(a)");
        let values = ["a\0b", "\0", "\0\0x"];
        for value in values {
            database.writer().execute("INSERT INTO t VALUES (?1)", [value]).unwrap();
        }
        assert_eq!(column(&database.source(), "t", 1), values.map(text), "{encoding}");
    }
}

#[test]
fn invalid_utf8_is_raw_text_with_the_stored_bytes() {
    let database = Database::new("CREATE TABLE t(a)");
    let invalid: [&[u8]; 6] = [b"caf\xe9", b"\xff", b"a\0\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80"];
    for bytes in invalid {
        database.writer().execute("INSERT INTO t VALUES (CAST(?1 AS TEXT))", [Sql::Blob(bytes.to_vec())]).unwrap();
    }
    assert_eq!(column(&database.source(), "t", 1), invalid.map(|bytes| Value::RawText(bytes.to_vec())));
}

#[test]
fn invalid_utf16_is_raw_text_with_the_stored_bytes() {
    for (encoding, to_bytes) in [("UTF-16le", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("UTF-16be", u16::to_be_bytes)] {
        let database = in_encoding(encoding, "CREATE TABLE t(a, b)");
        let invalid: [&[u16]; 4] = [&[0xd800], &[0x61, 0xdc00, 0x62], &[0xdc00, 0xd800], &[0xd83d, 0x61]];
        for units in invalid {
            let bytes: Vec<u8> = units.iter().copied().flat_map(to_bytes).collect();
            // A valid text on either side: one text's bytes must not be taken for another's.
            database
                .writer()
                .execute("INSERT INTO t VALUES (CAST(?1 AS TEXT), 'größe')", [Sql::Blob(bytes.clone())])
                .unwrap();
            let row = rows(&database.source(), "t").pop().unwrap();
            assert_eq!(row[1..], [Value::RawText(bytes), text("größe")], "{encoding}");
        }
    }
}

/// Only damage or an edited file brings this about: SQLite itself cuts texts to whole units.
#[test]
fn utf16_with_an_odd_byte_is_raw_text() {
    let database = in_encoding("UTF-16le", "CREATE TABLE t(a, b); INSERT INTO t VALUES ('ABCD', x'')");
    let mut bytes = bytes_of(&database.path());
    // The record's header: 3 bytes, a text of 8 bytes, a blob of none. It becomes a text of 7 bytes and a blob of one.
    let header = bytes.windows(4).rposition(|window| window == [3, 29, 12, b'A']).unwrap();
    bytes[header + 1] = 27;
    bytes[header + 2] = 14;
    std::fs::write(database.path(), bytes).unwrap();
    let row = rows(&database.source(), "t").remove(0);
    assert_eq!(row[1..], [Value::RawText(b"A\0B\0C\0D".to_vec()), Value::Bytes(vec![0])]);
}

/// What is given as text must come back as the same stored bytes when it is bound again. Older versions of SQLite replaced
/// U+FFFE and U+FFFF on the way; if this one did, they would have to be raw text.
#[test]
fn all_of_unicode_survives_utf16_there_and_back() {
    let all: Vec<char> = (0..=0x10_ffff).filter_map(char::from_u32).collect();
    let mut texts: Vec<String> = all.chunks(5000).map(|block| block.iter().collect()).collect();
    // At the beginning, where a byte order mark would be taken for one.
    texts.extend(["\u{feff}a", "\u{fffe}a", "\u{feff}", "\u{ffff}"].map(str::to_owned));
    for encoding in ["UTF-16le", "UTF-16be"] {
        let database = in_encoding(encoding, "CREATE TABLE t(a)");
        let again = in_encoding(encoding, "CREATE TABLE t(a)");
        let (mut writer, mut restorer) = (database.writer(), again.writer());
        let (writing, restoring) = (writer.transaction().unwrap(), restorer.transaction().unwrap());
        for text in &texts {
            let bytes = Sql::Blob(stored(text, encoding));
            writing.execute("INSERT INTO t VALUES (CAST(? AS TEXT))", [bytes]).unwrap();
        }
        writing.commit().unwrap();
        let read = column(&database.source(), "t", 1);
        assert_eq!(read.len(), texts.len());
        for (value, expected) in read.iter().zip(&texts) {
            assert!(*value == text(expected), "{encoding}: {:?}…", expected.chars().next());
            restoring.execute("INSERT INTO t VALUES (?)", [expected]).unwrap();
        }
        restoring.commit().unwrap();
        let mut statement = restorer.prepare("SELECT CAST(a AS BLOB) FROM t ORDER BY rowid").unwrap();
        let restored: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for (bytes, expected) in restored.iter().zip(&texts) {
            assert!(*bytes == stored(expected, encoding), "{encoding}: {:?}… is altered", expected.chars().next());
        }
    }
}

#[test]
fn a_column_added_later_has_its_default_in_old_rows() {
    for encoding in ENCODINGS {
        let database = in_encoding(
            encoding,
            "CREATE TABLE t(a); INSERT INTO t VALUES (1);
             ALTER TABLE t ADD COLUMN r REAL DEFAULT 2; ALTER TABLE t ADD COLUMN x TEXT DEFAULT 'é';",
        );
        assert_eq!(rows(&database.source(), "t")[0][1..], [Value::Integer(1), Value::Real(2.0), text("é")]);
    }
}

fn value() -> impl Strategy<Value = Sql> {
    prop_oneof![
        Just(Sql::Null),
        any::<i64>().prop_map(Sql::Integer),
        any::<f64>().prop_filter("SQLite stores NaN as NULL", |real| !real.is_nan()).prop_map(Sql::Real),
        ".{0,20}".prop_map(Sql::Text),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Sql::Blob),
    ]
}

fn expected(value: &Sql) -> Value {
    match value {
        Sql::Null => Value::Null,
        Sql::Integer(value) => Value::Integer(*value),
        Sql::Real(value) => Value::Real(*value),
        Sql::Text(value) => text(value),
        Sql::Blob(value) => Value::Bytes(value.clone()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_values_come_back_as_they_were_written(
        values in proptest::collection::vec((value(), value(), value()), 0..40),
        encoding in proptest::sample::select(&ENCODINGS[..]),
    ) {
        let database = in_encoding(encoding, "CREATE TABLE t(a, b, c)");
        let writer = database.writer();
        writer.execute_batch("BEGIN").unwrap();
        for (a, b, c) in &values {
            writer.execute("INSERT INTO t VALUES (?, ?, ?)", [a, b, c]).unwrap();
        }
        writer.execute_batch("COMMIT").unwrap();
        let read = rows(&database.source(), "t");
        prop_assert_eq!(read.len(), values.len());
        for (row, (a, b, c)) in read.iter().zip(&values) {
            prop_assert_eq!(&row[1..], [expected(a), expected(b), expected(c)]);
        }
    }
}
