//! Databases made from what the catalog of another said, and the judgement of `pg_dump` on both.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::test_servers::postgres;

mod everything;
mod judged;
