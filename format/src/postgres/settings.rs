//! Where a server is and how to log in.

use std::fmt;

use crate::error::{Error, Result};

/// How to reach a database of a server. Its `Debug` and errors never show the password.
#[derive(Clone)]
pub struct ConnectionSettings {
    pub(super) config: tokio_postgres::Config,
}

impl fmt::Debug for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionSettings").finish_non_exhaustive()
    }
}

impl ConnectionSettings {
    /// Settings from a connection string, and nothing else.
    pub fn parse(text: &str) -> Result<Self> {
        let config = text.parse().map_err(|_| Error::request("this is no PostgreSQL connection string"))?;
        Ok(Self { config })
    }
}
