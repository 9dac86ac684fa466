//! How tables change between snapshots: where row groups are cut and how rows are ordered, so that two states of a
//! table can be laid side by side; and for how long what there was is kept.

pub mod boundaries;
pub mod duration;
pub mod expiry;
pub mod key_order;
