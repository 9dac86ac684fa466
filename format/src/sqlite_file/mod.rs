//! The bytes of SQLite's database files, as its file format document fixes them: what reading pages and writing pages share.
//! No I/O, and nothing of tabark.

mod layout;
mod page;
mod page_builder;
mod record;
mod record_builder;
mod records;
mod serial_type;
mod sort_key;
mod tree_writer;
mod varint;

pub(crate) use layout::{Layout, Tree};
pub(crate) use page::{Page, Payload};
pub(crate) use record::{Fields, Malformed, Value};
pub(crate) use record_builder::{RecordBuilder, whole};
pub(crate) use records::{Columns, Records};
pub(crate) use sort_key::{Collation, SortKey};
pub(crate) use tree_writer::{IndexWriter, PageSink, TableWriter};
pub(crate) use varint::{append_varint, read_varint};
