//! How tables change between snapshots: where row groups are cut and how rows are ordered, so that two states of a
//! table can be laid side by side; and which states and rows are kept, for how long.

pub mod affinity;
pub mod align;
pub mod boundaries;
pub mod compose;
pub mod duration;
pub mod expiry;
pub mod key_order;
pub mod patch;
pub mod retention;
