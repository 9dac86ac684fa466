//! The bytes of SQLite's database files, as its file format document fixes them: what reading pages and writing pages share.
//! No I/O, and nothing of tabark.

mod layout;
mod page_builder;
mod record_builder;
mod serial_type;
mod sort_key;
mod tree_writer;
mod varint;

pub(crate) use layout::Layout;
pub(crate) use record_builder::{RecordBuilder, whole};
#[expect(unused_imports, reason = "for the readers and writers of pages that come next")]
pub(crate) use serial_type::SerialType;
pub(crate) use sort_key::{Collation, SortKey};
pub(crate) use tree_writer::{IndexWriter, PageSink, TableWriter};
#[expect(unused_imports, reason = "for the readers and writers of pages that come next")]
pub(crate) use varint::varint_length;
pub(crate) use varint::{append_varint, read_varint};
