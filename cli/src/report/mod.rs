//! What commands say: to people as aligned text, to programs as JSON.

pub(crate) mod aligned;
pub(crate) mod differences;
pub(crate) mod filters;
pub(crate) mod json;
pub(crate) mod problems;
pub(crate) mod text;
pub(crate) mod units;
