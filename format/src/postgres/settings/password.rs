//! A password, which nothing shows.

use std::fmt;

/// A password. It is handed to the server's log-in and to nothing else; its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::postgres) struct Password(String);

impl Password {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What is sent to the server.
    pub(in crate::postgres) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}
