//! What a PostgreSQL source and a PostgreSQL target both need: how to reach a server and talk to it, how values of its
//! types become cells and cells values, and how SQL is written.
//!
//! It knows no archive and no catalog of tables: those who dump and those who restore stand above it.

pub(crate) mod client;
pub mod settings;
pub(crate) mod sql;
pub(crate) mod types;
