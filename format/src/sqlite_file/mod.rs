//! The bytes of SQLite's database files, as its file format document fixes them: what reading pages and writing pages share.
//! No I/O, and nothing of tabark.

mod serial_type;
mod varint;

#[expect(unused_imports, reason = "for the readers and writers of pages that come next")]
pub(crate) use serial_type::SerialType;
#[expect(unused_imports, reason = "for the readers and writers of pages that come next")]
pub(crate) use varint::{append_varint, read_varint, varint_length};
