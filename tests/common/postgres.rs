//! PostgreSQL for tests: throwaway servers, databases on them, and judges of what came back that share no code with the
//! library.
//!
//! [`server`] gives one server for each major version and test binary; a test makes a database of its own on it. What a
//! test kills or configures it starts for itself, with [`Server::start_with`]. No server outlives the process that
//! started it, however that ends.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

#[path = "postgres/contents.rs"]
mod contents;
#[path = "postgres/database.rs"]
mod database;
#[path = "postgres/everything.rs"]
mod everything;
#[path = "postgres/installed.rs"]
mod installed;
#[path = "postgres/place.rs"]
mod place;
#[path = "postgres/samples.rs"]
mod samples;
#[path = "postgres/schema_text.rs"]
mod schema_text;
#[path = "postgres/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub(crate) use contents::contents;
pub(crate) use database::{Database, Session, panic_with};
pub(crate) use everything::{load_everything, load_everything_that_fits, load_sql_ascii, load_wide};
pub(crate) use installed::{Tools, majors, tools};
pub(crate) use samples::samples;
pub(crate) use schema_text::normalized_schema;
pub(crate) use server::{Options, Server};

/// The server of a major version that all tests of this binary share; `None`, with one line that says so, where that
/// version is not installed and need not be.
pub(crate) fn server(major: u32) -> Option<&'static Server> {
    static SERVERS: OnceLock<BTreeMap<u32, OnceLock<Option<Server>>>> = OnceLock::new();
    let servers = SERVERS.get_or_init(|| majors().iter().map(|major| (*major, OnceLock::new())).collect());
    servers[&major].get_or_init(|| Server::start(major)).as_ref()
}

/// The shared servers of all major versions at hand, oldest first.
pub(crate) fn servers() -> impl Iterator<Item = &'static Server> {
    majors().iter().filter_map(|major| server(*major))
}

/// The oldest major version that tests run on: what need not be seen on every version is seen on this one.
pub(crate) fn oldest() -> u32 {
    majors()[0]
}
