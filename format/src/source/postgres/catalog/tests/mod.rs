//! Databases made from what the catalog of another said, and the judgement of `pg_dump` on both.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "../../../../../../tests/common/note.rs"]
mod note;
#[path = "../../../../../../tests/common/postgres.rs"]
mod postgres;
#[path = "../../../../../../tests/common/tree.rs"]
mod tree;

mod everything;
mod judged;
