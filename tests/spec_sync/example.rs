//! The archive that the last section of the specification explains byte by byte.

use std::fs;

use tabark::archive::{VerifyOptions, verify};
use tabark::model::Value;

use super::annotate::annotate;
use super::specification;
use super::tables::{TestTable, fixed_options, header, open, schema, with_snapshot};
use super::tree;

const BEGIN: &str = "<!-- hex dump: made and checked by tests -->\n";
const GOLDEN: &str = "spec/example.tabark";

/// The archive: one table of two rows.
fn example() -> Vec<u8> {
    let mut table = schema("users", &["id", "name"], &[0]);
    table.definition = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)".into();
    table.options = vec![("rowid".into(), "id".into())];
    for (column, kind) in table.columns.iter_mut().zip(["INTEGER", "TEXT"]) {
        column.declared_type = kind.into();
    }
    let rows = vec![vec![Value::Integer(1), Value::Text(b"Ann".to_vec())], vec![Value::Integer(2), Value::Null]];
    // 2026-01-31T12:00:00Z
    let mut header = header(1_769_860_800_000_000);
    header.tags = vec![("deploy".into(), "v1".into())];
    header.source.engine_version = "3.50.0".into();
    header.source.name = "app".into();
    header.writer = "tabark 0.1.0".into();
    let id = std::array::from_fn(|index| u8::try_from(index).unwrap());
    with_snapshot(Vec::new(), header, &[TestTable { schema: table, rows }], fixed_options(3).with_archive_id(id))
}

/// The section as it should be, between the marker and the end of the specification.
fn section(bytes: &[u8]) -> String {
    format!(
        "{BEGIN}\n`spec/example.tabark` is an archive of one snapshot with one table, `users`, of two rows: (1, 'Ann') and (2, null).\n\
         Each line: the offset, bytes, and what they are. Offsets with a `+` count in what the compressed body before them expands to.\n\n\
         ```\n{}```\n",
        annotate(bytes)
    )
}

/// `TABARK_WRITE_SPEC=1 cargo test -p tabark --test spec_sync` writes the section and the file anew.
#[test]
fn the_example_is_what_the_library_writes() {
    let bytes = example();
    let text = specification::text();
    let (before, found) = text.split_once(BEGIN).unwrap();
    let wanted = section(&bytes);
    if std::env::var_os("TABARK_WRITE_SPEC").is_some() {
        fs::write(tree::root().join("spec/format.md"), format!("{before}{wanted}")).unwrap();
        fs::write(tree::root().join(GOLDEN), bytes).unwrap();
        return;
    }
    assert!(fs::read(tree::root().join(GOLDEN)).unwrap() == bytes, "{GOLDEN} is not what the library writes");
    assert!(format!("{BEGIN}{found}") == wanted, "section 12 of spec/format.md is not the dump of {GOLDEN}");
}

#[test]
fn the_dump_holds_every_byte_of_the_archive() {
    let text = specification::text();
    let section = text.split_once(BEGIN).unwrap().1;
    let mut bytes: Vec<u8> = Vec::new();
    for line in section.lines().filter(|line| line.starts_with(" 0")) {
        let (offset, hex) = (&line[1..5], line[7..].get(..47).unwrap_or(&line[7..]));
        assert_eq!(usize::from_str_radix(offset, 16).unwrap(), bytes.len(), "{line}");
        bytes.extend(hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()));
    }
    assert!(fs::read(tree::root().join(GOLDEN)).unwrap() == bytes);
    let archive = open(&bytes);
    assert!(verify(&archive, &VerifyOptions::default().full(true), &()).unwrap().is_intact());
}
