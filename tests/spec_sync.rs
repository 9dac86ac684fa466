//! `spec/format.md` against the code: constants, layouts, kinds, flags, encodings, and an archive explained byte by byte.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

#[path = "spec_sync/annotate.rs"]
mod annotate;
#[path = "spec_sync/example.rs"]
mod example;
#[path = "spec_sync/specification.rs"]
mod specification;
#[path = "common/tables.rs"]
mod tables;
#[path = "common/tree.rs"]
mod tree;

use specification::{layout, table};
use tabark::Encoding;
use tabark::container::layout as code;
use tabark::container::{ArchiveHeader, FrameHeader, FrameKind};
use tabark::limits;
use tabark::model::CellKind;

/// All that has a name in the specification's table of constants.
fn constants() -> Vec<(&'static str, u64)> {
    vec![
        ("FORMAT_VERSION", u64::from(code::FORMAT_VERSION)),
        ("HEADER_LENGTH", code::HEADER_LENGTH as u64),
        ("FRAME_HEADER_LENGTH", code::FRAME_HEADER_LENGTH as u64),
        ("COMMIT_BODY_LENGTH", code::COMMIT_BODY_LENGTH as u64),
        ("COMMIT_FRAME_LENGTH", code::COMMIT_FRAME_LENGTH as u64),
        ("REFERENCE_LENGTH", code::REFERENCE_LENGTH as u64),
        ("HISTORY_PAGE_ENTRIES", limits::HISTORY_PAGE_ENTRIES as u64),
        ("MAX_METADATA_BODY", limits::MAX_METADATA_BODY as u64),
        ("MAX_DATA_BODY", limits::MAX_DATA_BODY),
        ("MAX_GROUP_ROWS", u64::from(limits::MAX_GROUP_ROWS)),
        ("MIN_GROUP_ROWS", u64::from(limits::MIN_GROUP_ROWS)),
        ("MAX_GROUP_BYTES", limits::MAX_GROUP_BYTES),
        ("GROUP_BOUNDARY_BITS", u64::from(limits::GROUP_BOUNDARY_BITS)),
        ("MAX_PAGE_ENTRIES", limits::MAX_PAGE_ENTRIES as u64),
        ("MAX_PAGE_DEPTH", u64::from(limits::MAX_PAGE_DEPTH)),
        ("MAX_LAYERS", limits::MAX_LAYERS as u64),
        ("MAX_COLUMNS", limits::MAX_COLUMNS as u64),
        ("MAX_TABLES", limits::MAX_TABLES as u64),
        ("MAX_NAME_BYTES", limits::MAX_NAME_BYTES as u64),
        ("MAX_TAG_BYTES", limits::MAX_TAG_BYTES as u64),
        ("MAX_BOUND_BYTES", limits::MAX_BOUND_BYTES as u64),
    ]
}

#[test]
fn constants_are_the_same() {
    let written: Vec<(String, u64)> =
        table("### 2.2").into_iter().map(|cells| (cells[0].clone(), cells[1].parse().unwrap())).collect();
    let coded: Vec<(String, u64)> = constants().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(written, coded);
}

#[test]
fn every_limit_of_the_code_is_specified() {
    let source = tree::text("format/src/limits.rs").unwrap();
    let names = source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    for name in names {
        assert!(constants().iter().any(|(known, _)| *known == name), "{name} is not in the specification's table");
    }
}

#[test]
fn layouts_have_the_lengths_of_the_code() {
    let length = |heading: &str| layout(heading).last().map(|place| place.offset + place.size).unwrap();
    assert_eq!(length("### 3.1"), code::HEADER_LENGTH);
    assert_eq!(length("### 3.2"), code::FRAME_HEADER_LENGTH);
    assert_eq!(length("### 3.3"), code::REFERENCE_LENGTH);
    assert_eq!(length("### 4.1"), code::COMMIT_BODY_LENGTH);
    let hashed = layout("### 3.2").pop().unwrap();
    assert_eq!((hashed.name.as_str(), hashed.offset), ("header digest", code::FRAME_HEADER_HASHED));
}

/// The bytes of a place of a layout, found by its name.
fn place<'b>(heading: &str, name: &str, bytes: &'b [u8]) -> &'b [u8] {
    let place = layout(heading).into_iter().find(|place| place.name == name).unwrap();
    &bytes[place.offset..place.offset + place.size]
}

#[test]
fn magics_stand_where_and_as_the_specification_says() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ");
    for (heading, magic) in [("### 3.1", &code::ARCHIVE_MAGIC[..]), ("### 3.2", &code::FRAME_MAGIC)] {
        assert_eq!(table(heading)[0][3], format!("magic: {}", hex(magic)));
    }
    let id = [9; 16];
    let header = ArchiveHeader { id }.encode();
    assert_eq!(place("### 3.1", "magic", &header), code::ARCHIVE_MAGIC);
    assert_eq!(place("### 3.1", "format version", &header), code::FORMAT_VERSION.to_le_bytes());
    assert_eq!(place("### 3.1", "archive id", &header), id);
    assert_eq!(header[32..], *blake3::hash(&header[..32]).as_bytes());
}

/// A frame header of these fields, put together by the specification's table.
fn frame_header(kind: u8, flags: u16, stored: u64, raw: u64) -> Vec<u8> {
    let mut bytes = vec![0; code::FRAME_HEADER_LENGTH];
    let mut put = |name: &str, value: &[u8]| {
        let place = layout("### 3.2").into_iter().find(|place| place.name == name).unwrap();
        bytes[place.offset..place.offset + place.size].copy_from_slice(value);
    };
    put("magic", &code::FRAME_MAGIC);
    put("kind", &[kind]);
    put("version of the kind", &[1]);
    put("flags", &flags.to_le_bytes());
    put("archive tag", &[3; 8]);
    put("base", &77_u64.to_le_bytes());
    put("stored length", &stored.to_le_bytes());
    put("raw length", &raw.to_le_bytes());
    put("body digest", &[4; 32]);
    let digest = *blake3::hash(&bytes[..72]).as_bytes();
    bytes[72..].copy_from_slice(&digest);
    bytes
}

#[test]
fn frame_headers_are_read_as_the_table_says() {
    let header = FrameHeader::decode(&frame_header(1, 1, 10, 20), [3; 8]).unwrap();
    let read = (header.kind, header.version, header.flags, header.base, header.stored_length, header.raw_length);
    assert_eq!(read, (1, 1, 1, 77, 10, 20));
    assert_eq!((header.body_digest, header.tag), ([4; 32], [3; 8]));
}

#[test]
fn kinds_of_frames_have_their_numbers_and_names() {
    let rows = table("Without `compressed`");
    for number in 0..=u8::MAX {
        let row = rows.iter().find(|cells| cells[0] == number.to_string());
        let known = FrameKind::from_number(number);
        assert_eq!(row.map(|cells| cells[1].as_str()), known.map(FrameKind::name), "kind {number}");
        if let Some(cells) = row {
            assert_eq!(cells[3], FrameKind::VERSION.to_string());
        }
    }
}

#[test]
fn flags_are_the_bits_of_the_table() {
    let rows = table("This layout is frozen for all versions. The body follows");
    let named = |bit: u32| rows.iter().find(|cells| cells[0] == bit.to_string()).map(|cells| cells[1].as_str());
    for bit in 0..16 {
        let raw = if bit == 0 { 20 } else { 10 };
        let read = FrameHeader::decode(&frame_header(1, 1 << bit, 10, raw), [3; 8]);
        match named(bit) {
            Some("compressed") => assert!(read.unwrap().is_compressed()),
            Some("optional") => assert!(read.unwrap().is_optional()),
            Some("encrypted") => assert!(read.unwrap().known_kind().unwrap_err().is_unsupported()),
            Some(name) => assert_eq!(name, "a flag that this test knows"),
            None => assert!(read.unwrap_err().is_damaged(), "flag bit {bit}"),
        }
    }
    assert_eq!([0, 1, 15].map(named), [Some("compressed"), Some("encrypted"), Some("optional")]);
}

#[test]
fn kinds_of_cells_have_their_numbers_and_payloads() {
    let rows = table("### 7.1");
    for number in 0..=u8::MAX {
        let row = rows.iter().find(|cells| cells[0] == number.to_string());
        let Some(kind) = CellKind::from_number(number) else {
            assert!(row.is_none(), "cell kind {number}");
            continue;
        };
        let cells = row.unwrap();
        assert_eq!(cells[1].replace(' ', ""), format!("{kind:?}").to_lowercase());
        assert_eq!(cells[2].starts_with("fixed"), kind.is_fixed());
        assert_eq!(cells[2].starts_with("variable"), kind.is_variable());
    }
}

#[test]
fn encodings_have_their_numbers_and_names() {
    let rows = table("## 6. ");
    for number in 0..=u8::MAX {
        let row = rows.iter().find(|cells| cells[0] == number.to_string());
        let known = Encoding::from_number(number);
        assert_eq!(row.map(|cells| cells[1].as_str()), known.map(Encoding::name), "encoding {number}");
    }
}

#[test]
fn layers_that_vectors_name_are_those_of_the_code() {
    let source = tree::text("format/src/error.rs").unwrap();
    let readme = tree::text("spec/vectors/README.md").unwrap();
    let table = readme.split_once("| layer | what").unwrap().1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    for name in rows.map(|line| line.split('`').nth(1).unwrap()).filter(|name| *name != "unsupported") {
        assert!(source.contains(&format!("=> \"{name}\",")), "no layer of the code is called {name}");
    }
}
