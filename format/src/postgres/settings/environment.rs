//! What a program tells of its surroundings: the library itself reads none.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// The surroundings in which a connection string is read, as libpq finds them for itself: a program fills this in.
///
/// An empty one leaves the connection string alone to say everything.
#[derive(Clone, Default)]
pub struct Environment {
    /// Variables by name; those that libpq knows (`PGHOST`, `PGPASSWORD`, …) are looked at.
    pub variables: BTreeMap<String, String>,
    /// The user's home folder, for `.pgpass`, `.pg_service.conf` and `.postgresql/`.
    pub home: Option<PathBuf>,
    /// The name of the operating system's user, who logs in where nobody else is named.
    pub user: Option<String>,
    /// Folders that may hold the system's `pg_service.conf`, where `PGSYSCONFDIR` does not name one.
    pub system_folders: Vec<PathBuf>,
}

impl Environment {
    /// The value of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The value of a variable that says something.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        self.variable(name).filter(|value| !value.is_empty())
    }

    /// A path below the home folder.
    pub(super) fn at_home(&self, path: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(path))
    }
}

impl fmt::Debug for Environment {
    /// Values of variables may be passwords: names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("home", &self.home)
            .field("user", &self.user)
            .field("system_folders", &self.system_folders)
            .finish()
    }
}
