//! How tables change between snapshots: where row groups are cut, and (later) what is reused and patched.

pub mod boundaries;
