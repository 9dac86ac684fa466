//! Databases made from what the catalog of another said, and the judgement of `pg_dump` on both.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use crate::test_servers::postgres;

mod everything;
mod judged;
