//! How tables change between snapshots: where row groups are cut and how rows are ordered, so that two states of a
//! table can be laid side by side; what of one state differs from the other, and what a state with such differences is; and
//! for how long what there was is kept.

pub mod align;
pub mod boundaries;
pub mod compose;
pub mod duration;
pub mod key_order;
pub mod patch;
pub mod retention;
