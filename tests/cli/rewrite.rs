//! `tabark compact` and `tabark prune`.

use super::{Scene, json, run, succeed};
