//! tabark: a snapshot archive for database tables.

pub mod error;
pub mod history;
pub mod limits;
pub mod model;
pub mod observer;
pub mod source;

pub use error::{Error, Layer, Result};
