//! PostgreSQL databases as sources.

pub(crate) mod catalog;
