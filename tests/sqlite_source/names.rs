//! Names that need care.

use tabark::model::Value;
use tabark::source::Source as _;

use super::{Database, column_names, rows, table, text};

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[test]
fn odd_names_of_tables_and_columns_are_read_as_they_are() {
    let names = [
        "",
        " ",
        "select",
        "a\"b",
        "a'b",
        "[a]",
        "`a`",
        "a\nb",
        "a;DROP TABLE x;--",
        "*",
        "t%",
        "_",
        "?1",
        "café",
        "日本",
        "t",
        "main",
        "sqlitex",
        "pragma_table_xinfo",
        "json_each",
        "tr\u{202e}ick",
        "main.t",
        "NULL",
        "1",
    ];
    for encoding in ["UTF-8", "UTF-16le"] {
        let mut script = format!("PRAGMA encoding = '{encoding}';");
        for (number, name) in names.iter().enumerate() {
            let (name, next) = (quoted(name), quoted(names[(number + 1) % names.len()]));
            script.push_str(&format!(
                "CREATE TABLE {name}({next} TEXT, {name}, PRIMARY KEY({name})) {};
                 CREATE INDEX {} ON {name}({next}); INSERT INTO {name} VALUES ('{number}', {number});",
                if number % 2 == 0 { "WITHOUT ROWID" } else { "" },
                quoted(&format!("index {number} on {}", name.trim_matches('"'))),
            ));
        }
        let database = Database::new(&script);
        let source = database.source();
        let found: Vec<&str> = source.catalog().tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(found, names);
        for (number, name) in names.iter().enumerate() {
            let schema = table(&source, name);
            let next = names[(number + 1) % names.len()];
            let mut expected_names = vec![next.to_owned(), (*name).to_owned()];
            let integer = i64::try_from(number).unwrap();
            let mut expected = vec![text(&number.to_string()), Value::Integer(integer)];
            if number % 2 == 1 {
                expected_names.insert(0, "[rowid]".to_owned());
                expected.insert(0, Value::Integer(1));
            }
            assert_eq!(column_names(&schema), expected_names, "{name:?}");
            assert_eq!(rows(&source, name), [expected], "{name:?}");
            assert_eq!(schema.attached.len(), 1, "{name:?}");
        }
    }
}

/// Replaces text in the database file by bytes of the same length.
fn edit(database: &Database, from: impl AsRef<[u8]>, to: &[u8]) {
    let from = from.as_ref();
    let mut bytes = super::bytes_of(&database.path());
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, w)| *w == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..place + from.len()].copy_from_slice(to);
    }
    std::fs::write(database.path(), bytes).unwrap();
}

fn refusal(database: &Database) -> tabark::Error {
    match tabark::source::sqlite::SqliteSource::open(&database.path()) {
        Ok(source) => panic!("{:?}", source.catalog()),
        Err(error) => error,
    }
}

#[test]
fn a_table_name_that_is_not_utf8_is_refused_by_name() {
    let database = Database::new("CREATE TABLE ok(a); CREATE TABLE cafe1(a)");
    edit(&database, "cafe1", b"caf\xe91");
    let error = refusal(&database);
    assert!(error.is_database() && error.hint().unwrap().contains("rename"), "{error}");
    assert!(error.message().contains("caf\u{fffd}1"), "{error}");
}

#[test]
fn a_table_name_that_is_not_utf16_is_refused_by_name() {
    let utf16 = |units: [u16; 5]| units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>();
    let database = Database::new("PRAGMA encoding = 'UTF-16le'; CREATE TABLE ok(a); CREATE TABLE cafe1(a)");
    let cafe = [b'c', b'a', b'f', b'e', b'1'].map(u16::from);
    edit(&database, utf16(cafe), &utf16([cafe[0], cafe[1], cafe[2], 0xd800, cafe[4]]));
    let error = refusal(&database);
    assert!(error.is_database() && error.message().contains("caf\u{fffd}1"), "{error}");
}

#[test]
fn names_longer_than_the_format_holds_are_refused() {
    let longest = "n".repeat(tabark::limits::MAX_NAME_BYTES);
    let database = Database::new(&format!("CREATE TABLE {longest}({longest}); INSERT INTO {longest} VALUES (1)"));
    assert_eq!(rows(&database.source(), &longest).len(), 1);
    for script in [format!("CREATE TABLE {longest}n(a)"), format!("CREATE TABLE t({longest}n)")] {
        let error = refusal(&Database::new(&script));
        assert!(error.is_database() && error.message().contains("65536 bytes is too long"), "{error}");
    }
}

#[test]
fn a_column_name_or_definition_that_is_not_utf8_is_refused_by_its_table() {
    for script in ["CREATE TABLE ok(a); CREATE TABLE t(a, cafe1)", "CREATE TABLE t(a DEFAULT 'cafe1')"] {
        let database = Database::new(script);
        edit(&database, "cafe1", b"caf\xe91");
        let error = refusal(&database);
        assert!(error.is_database() && error.table() == Some("t") && error.hint().is_some(), "{error}");
        assert!(error.message().contains("definition is not valid text"), "{error}");
    }
}

#[test]
fn a_view_whose_definition_is_not_utf8_is_named_as_not_kept() {
    let database = Database::new("CREATE TABLE t(a); CREATE VIEW v AS SELECT 'cafe1'; INSERT INTO t VALUES (1)");
    edit(&database, "cafe1", b"caf\xe91");
    let source = database.source();
    assert_eq!(rows(&source, "t").len(), 1);
    let [omission] = source.catalog().omitted.as_slice() else { panic!("{:?}", source.catalog()) };
    assert_eq!(omission.what, "view v");
    assert!(omission.reason.contains("not valid text"), "{}", omission.reason);
}
