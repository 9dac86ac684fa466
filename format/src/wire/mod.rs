//! Bytes to values and back: fixed layouts through a bounded cursor, metadata structures through one codec.

mod cursor;
mod metadata;

pub(crate) use cursor::Cursor;
pub(crate) use metadata::{decode, encode};
