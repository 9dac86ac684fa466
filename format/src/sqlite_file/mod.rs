//! The bytes of SQLite's database files, as its file format document fixes them: what reading pages and writing pages share.
//! No I/O, and nothing of tabark.

mod page;
mod record;
mod serial_type;
mod varint;

pub(crate) use page::{Page, Payload, Tree};
pub(crate) use record::{Fields, Malformed, Value};
#[expect(unused_imports, reason = "for the writer of pages that comes next")]
pub(crate) use serial_type::SerialType;
#[expect(unused_imports, reason = "for the writer of pages that comes next")]
pub(crate) use varint::{append_varint, read_varint, varint_length};
