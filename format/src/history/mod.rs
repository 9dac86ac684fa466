//! How tables change between snapshots: where row groups are cut and how rows are ordered, so that two states of a
//! table can be laid side by side.

pub mod boundaries;
pub mod key_order;
