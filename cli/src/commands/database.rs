//! Which database an argument means: a file of SQLite's, or one of a PostgreSQL server.

use std::path::{Path, PathBuf};

use tabark::Error;
use tabark::postgres::settings::ConnectionSettings;

use crate::exit::Failure;
use crate::postgres::{connection, is_postgres};
use crate::report::problems;

/// A database to read or to restore into.
pub(crate) enum Database {
    /// The path of a file.
    Sqlite(PathBuf),
    /// How to reach it.
    Postgres(Box<ConnectionSettings>),
}

impl Database {
    /// What an argument means.
    pub(crate) fn of(argument: &Path) -> Result<Self, Failure> {
        if is_postgres(argument.as_os_str()) {
            let settings = connection(argument.as_os_str())?;
            settings.warnings().iter().for_each(|warning| problems::warn(warning));
            return Ok(Self::Postgres(Box::new(settings)));
        }
        refuse_other_engines(argument)?;
        Ok(Self::Sqlite(argument.to_owned()))
    }

    /// How reports name it, without a secret.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(settings) => settings.shown(),
        }
    }
}

fn refuse_other_engines(source: &Path) -> Result<(), Failure> {
    let text = source.to_string_lossy();
    let Some((scheme, _)) = text.split_once("://") else { return Ok(()) };
    if source.exists() || scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    // An address may hold a password: it is not repeated.
    let error = Error::request(format!("this version of tabark does not know databases of the kind \"{scheme}://\""));
    Err(Failure::Usage(error.with_hint("give the path of an SQLite database, or postgresql://…")))
}
