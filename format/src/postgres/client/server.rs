//! What a server says of itself, for those who want to know before they begin.

use super::Client;
use crate::error::Result;
use crate::postgres::settings::ConnectionSettings;

/// A server and database that let us in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerInfo {
    /// Where it answered: `host:port`, or the path of a socket.
    pub place: String,
    /// Its version as a number: 150018 is 15.18.
    pub version: u32,
    /// The database.
    pub database: String,
    /// The user whose rights the session has.
    pub user: String,
    /// The name of the database's encoding, as the server has it: `UTF8`, `SQL_ASCII`, ….
    pub encoding: String,
    /// Is the connection encrypted?
    pub is_encrypted: bool,
    /// Is it a standby, which takes no changes?
    pub is_standby: bool,
}

impl ServerInfo {
    /// The version as people write it: `15.18`.
    pub fn version_text(&self) -> String {
        format!("{}.{}", self.version / 10_000, self.version % 10_000)
    }
}

impl ConnectionSettings {
    /// Connects, asks the server what it is, and disconnects. It blocks: call it from a thread of its own in a program
    /// that runs asynchronous tasks.
    pub fn check(&self) -> Result<ServerInfo> {
        Ok(Client::connect(self)?.info())
    }
}

impl Client {
    /// What the server said of itself.
    pub(crate) fn info(&self) -> ServerInfo {
        ServerInfo {
            place: self.place.clone(),
            version: self.session.version,
            database: self.session.database.clone(),
            user: self.session.user.clone(),
            encoding: self.session.encoding.clone(),
            is_encrypted: self.cancel.tls.is_some(),
            is_standby: self.session.is_standby,
        }
    }
}
