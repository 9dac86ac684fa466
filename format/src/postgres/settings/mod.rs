//! Where a server is and how to log in: connection strings, variables and files, as the users of libpq (`psql`,
//! `pg_dump` and most drivers) know them.
//!
//! [`ConnectionSettings::from_libpq`] is a function of what it is given, and of the files that this names. What the
//! connection string says goes before its service, the service before variables, variables before defaults. Both forms of
//! connection string are read: `postgresql://user@host/database?sslmode=require` and `host=… user=…`.
//!
//! Parameters that ask for what is not done here (lists of revoked certificates, GSS encryption, `require_auth`, …) are
//! refused by name; those that make no difference are named in [`ConnectionSettings::warnings`].

mod conninfo;
mod endpoint;
mod environment;
mod files;
mod hidden;
mod parameters;
mod passfile;
mod password;
mod security;
mod service;
#[cfg(test)]
mod tests;
mod uri;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use self::endpoint::{Endpoint, Place};
pub use self::environment::Environment;
pub(super) use self::files::{is_open_to_others, text as text_of_file};
pub use self::hidden::{with_password, without_password};
use self::parameters::Parameters;
use self::passfile::Passfile;
use self::password::Password;
pub(super) use self::security::{Security, SslMode};
use crate::error::{Error, Result};

/// How to reach a database of a server. Its `Debug` and errors never show the password.
#[derive(Clone)]
pub struct ConnectionSettings {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) options: Option<String>,
    pub(super) application_name: Option<String>,
    pub(super) security: Security,
    pub(super) binding: ChannelBinding,
    pub(super) session: SessionKind,
    pub(super) times: Times,
    /// The file that the password came from, to be named if the server refuses it.
    pub(super) passfile: Option<PathBuf>,
    warnings: Vec<String>,
}

/// Must the log-in prove that both ends see the same TLS connection?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChannelBinding {
    Disable,
    Prefer,
    Require,
}

/// The kind of session that is looked for (`target_session_attrs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionKind {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// How long is waited for a server, and how one that is gone is noticed.
#[derive(Debug, Clone)]
pub(super) struct Times {
    /// For each place.
    pub(super) connect: Option<Duration>,
    pub(super) keepalives: bool,
    pub(super) idle: Option<Duration>,
    pub(super) interval: Option<Duration>,
    pub(super) count: Option<u32>,
    pub(super) unacknowledged: Option<Duration>,
}

impl ConnectionSettings {
    /// Settings from a connection string and from nothing else.
    pub fn parse(conninfo: &str) -> Result<Self> {
        Self::from_libpq(conninfo, &Environment::default())
    }

    /// Settings from a connection string, and from the variables and files that libpq would look at.
    ///
    /// ```
    /// use tabark::postgres::settings::{ConnectionSettings, Environment};
    ///
    /// let mut environment = Environment::default();
    /// environment.variables.insert("PGUSER".into(), "ana".into());
    /// let settings = ConnectionSettings::from_libpq("postgresql://db.example/shop", &environment)?;
    /// assert_eq!((settings.database(), settings.user()), ("shop", "ana"));
    /// assert_eq!(settings.servers(), ["db.example:5432"]);
    /// # Ok::<(), tabark::Error>(())
    /// ```
    pub fn from_libpq(conninfo: &str, environment: &Environment) -> Result<Self> {
        let mut parameters = Parameters::default();
        match uri::behind_scheme(conninfo) {
            Some(rest) => uri::parse(rest, &mut parameters)?,
            None => conninfo::parse(conninfo, &mut parameters)?,
        }
        service::fill(&mut parameters, environment)?;
        parameters.fill_from(environment)?;
        Self::of(&parameters, environment)
    }

    fn of(parameters: &Parameters, environment: &Environment) -> Result<Self> {
        let mut warnings = Vec::new();
        parameters.judge(&mut warnings)?;
        let Some(user) = parameters.said("user").or(environment.user.as_deref()).map(str::to_owned) else {
            return Err(Error::request("nobody is named to log in as").with_hint("say user=NAME, or set PGUSER"));
        };
        let database = parameters.said("dbname").unwrap_or(&user).to_owned();
        let mut settings = Self {
            endpoints: endpoint::endpoints(parameters)?,
            options: parameters.said("options").map(str::to_owned),
            application_name: parameters
                .said("application_name")
                .or_else(|| parameters.said("fallback_application_name"))
                .map(str::to_owned),
            security: Security::of(parameters, environment)?,
            binding: parameters
                .choice(
                    "channel_binding",
                    &[
                        ("disable", ChannelBinding::Disable),
                        ("prefer", ChannelBinding::Prefer),
                        ("require", ChannelBinding::Require),
                    ],
                )?
                .unwrap_or(ChannelBinding::Prefer),
            session: parameters
                .choice(
                    "target_session_attrs",
                    &[
                        ("any", SessionKind::Any),
                        ("read-write", SessionKind::ReadWrite),
                        ("read-only", SessionKind::ReadOnly),
                        ("primary", SessionKind::Primary),
                        ("standby", SessionKind::Standby),
                        ("prefer-standby", SessionKind::PreferStandby),
                    ],
                )?
                .unwrap_or(SessionKind::Any),
            times: Times::of(parameters)?,
            passfile: None,
            database,
            user,
            warnings,
        };
        settings.find_passwords(parameters, environment)?;
        Ok(settings)
    }

    /// The password that was said, or for each server the one that a file of passwords has for it.
    fn find_passwords(&mut self, parameters: &Parameters, environment: &Environment) -> Result<()> {
        if let Some(password) = parameters.said("password") {
            let password = Password::new(password);
            self.endpoints.iter_mut().for_each(|endpoint| endpoint.password = Some(password.clone()));
            return Ok(());
        }
        let Some(file) = Passfile::open(parameters, environment, &mut self.warnings)? else { return Ok(()) };
        for endpoint in &mut self.endpoints {
            endpoint.password = file.password(&endpoint.host_in_passfile(), endpoint.port, &self.database, &self.user);
            if endpoint.password.is_some() {
                self.passfile = Some(file.path().to_owned());
            }
        }
        Ok(())
    }

    /// The same settings, with a name for the server's list of sessions, where none was chosen.
    #[must_use]
    pub fn with_default_application_name(mut self, name: &str) -> Self {
        self.application_name.get_or_insert_with(|| name.to_owned());
        self
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The name of the user who logs in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The places where a server is looked for, in turn: `host:port`, or the path of a socket.
    pub fn servers(&self) -> Vec<String> {
        self.endpoints.iter().map(ToString::to_string).collect()
    }

    /// Where these settings lead, for reports: the first place, and the database.
    pub fn shown(&self) -> String {
        let place = self.endpoints.first().map(ToString::to_string).unwrap_or_default();
        format!("{} at {place}", self.database)
    }

    /// What was given and makes no difference, and files that were not used.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Times {
    fn of(parameters: &Parameters) -> Result<Self> {
        // libpq takes a number that is not positive for the system's own.
        let positive =
            |name| Ok(parameters.number(name)?.and_then(|number| u32::try_from(number).ok()).filter(|n| *n > 0));
        let seconds = |name| Ok(positive(name)?.map(|seconds: u32| Duration::from_secs(seconds.into())));
        Ok::<_, Error>(Self {
            // One second is too short to try several addresses of a name; libpq makes it two.
            connect: seconds("connect_timeout")?.map(|timeout: Duration| timeout.max(Duration::from_secs(2))),
            keepalives: parameters.number("keepalives")? != Some(0),
            idle: seconds("keepalives_idle")?,
            interval: seconds("keepalives_interval")?,
            count: positive("keepalives_count")?,
            unacknowledged: positive("tcp_user_timeout")?
                .map(|milliseconds| Duration::from_millis(milliseconds.into())),
        })
    }
}

impl fmt::Debug for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionSettings")
            .field("servers", &self.servers())
            .field("database", &self.database)
            .field("user", &self.user)
            .field("sslmode", &self.security.mode)
            .finish_non_exhaustive()
    }
}
