//! tabark: a snapshot archive for database tables.

pub mod archive;
mod block;
pub mod container;
pub mod dump;
mod encoding;
pub mod error;
pub mod export;
pub mod hex;
pub mod history;
pub mod limits;
pub mod model;
pub mod observer;
#[cfg(feature = "sqlite")]
pub mod restore;
pub mod selection;
pub mod source;
mod wire;

pub use encoding::Encoding;
pub use error::{Error, Layer, Result};
