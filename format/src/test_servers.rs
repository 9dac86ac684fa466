//! Throwaway servers, which tests inside the library share with those beside it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "../../tests/common/note.rs"]
pub(crate) mod note;
#[path = "../../tests/common/postgres.rs"]
pub(crate) mod postgres;
#[path = "../../tests/common/tree.rs"]
mod tree;
