//! SQLite's values as cells. SQLite's types stop here.
//!
//! The storage class of each value is kept: SQLite's columns do not decide it. What needs care is text. SQLite promises
//! nothing about its bytes: a TEXT value may hold NULs and may be invalid in the database's encoding. In UTF-16 databases
//! `sqlite3_column_text` would convert it, and replace what it cannot convert; so there the stored bytes are fetched
//! (`CAST(… AS BLOB)`, see `select.rs`) and converted here, strictly.

use rusqlite::types::ValueRef;

use crate::model::Cell;

/// The encoding in which a database stores all its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextEncoding {
    Utf8,
    Utf16(ByteOrder),
}

/// Which byte of a UTF-16 unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    fn unit(self, pair: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        }
    }
}

impl TextEncoding {
    /// The encoding that `PRAGMA encoding` calls so.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "UTF-8" => Some(Self::Utf8),
            "UTF-16le" => Some(Self::Utf16(ByteOrder::Little)),
            "UTF-16be" => Some(Self::Utf16(ByteOrder::Big)),
            _ => None,
        }
    }
}

/// A value of a UTF-8 database. Text that is not valid UTF-8 is kept as raw text.
pub(super) fn cell(value: ValueRef<'_>) -> Cell<'_> {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Integer(value),
        ValueRef::Real(value) => Cell::Real(value),
        ValueRef::Text(bytes) if std::str::from_utf8(bytes).is_ok() => Cell::Text(bytes),
        ValueRef::Text(bytes) => Cell::RawText(bytes),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
    }
}

/// Converts stored UTF-16 to UTF-8 at the end of `out`. If it is not valid (an odd byte, a surrogate without its other
/// half), `out` stays as it was and the answer is false.
pub(super) fn append_utf16(bytes: &[u8], order: ByteOrder, out: &mut Vec<u8>) -> bool {
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return false;
    }
    let start = out.len();
    for decoded in char::decode_utf16(pairs.iter().map(|pair| order.unit(*pair))) {
        let Ok(character) = decoded else {
            out.truncate(start);
            return false;
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    true
}

/// Stored text for a message to a person: what is not valid is shown as U+FFFD.
pub(super) fn lossy(bytes: &[u8], encoding: TextEncoding) -> String {
    let TextEncoding::Utf16(order) = encoding else { return String::from_utf8_lossy(bytes).into_owned() };
    let (pairs, _) = bytes.as_chunks::<2>();
    String::from_utf16_lossy(&pairs.iter().map(|pair| order.unit(*pair)).collect::<Vec<u16>>())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn utf16(units: &[u16], order: ByteOrder) -> Vec<u8> {
        let bytes = |unit: &u16| if order == ByteOrder::Big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        units.iter().flat_map(bytes).collect()
    }

    #[test]
    fn utf16_is_converted_strictly() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for text in ["", "a\0b", "\u{feff}x", "\u{fffe}\u{ffff}", "é€𝄞\u{10ffff}\u{d7ff}\u{e000}"] {
                let stored = utf16(&text.encode_utf16().collect::<Vec<_>>(), order);
                let mut out = b"before".to_vec();
                assert!(append_utf16(&stored, order, &mut out));
                assert_eq!(std::str::from_utf8(&out).unwrap(), format!("before{text}"));
            }
            for invalid in [&[0x61, 0xd800][..], &[0xdc00], &[0xd800, 0x61], &[0xdc00, 0xd800]] {
                let mut out = b"before".to_vec();
                assert!(!append_utf16(&utf16(invalid, order), order, &mut out));
                assert_eq!(out, b"before");
            }
            assert!(!append_utf16(&[0x61, 0, 0x62], order, &mut Vec::new()));
        }
    }

    #[test]
    fn storage_classes_map_one_to_one() {
        assert!(cell(ValueRef::Real(1.0)).is_identical(&Cell::Real(1.0)));
        assert!(cell(ValueRef::Text(b"a\0b")).is_identical(&Cell::Text(b"a\0b")));
        assert!(cell(ValueRef::Text(b"\xff")).is_identical(&Cell::RawText(b"\xff")));
        assert!(cell(ValueRef::Blob(b"a")).is_identical(&Cell::Bytes(b"a")));
    }
}
