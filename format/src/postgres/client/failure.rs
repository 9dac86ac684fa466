//! What a server refuses, in the library's own words. Statements and values are never repeated: they are the user's data.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio_postgres::error::{DbError, SqlState};

use crate::error::Error;
use crate::postgres::settings::{ConnectionSettings, Endpoint};

/// A place that did not let us in, and why.
pub(super) struct Attempt {
    place: String,
    reason: Reason,
}

enum Reason {
    Failed(Cause),
    Other(String),
}

/// Why there is no connection.
pub(super) enum Cause {
    /// Nobody was reached.
    System(io::Error),
    /// Somebody was, and refused, or is no server.
    LogIn(tokio_postgres::Error),
}

impl From<io::Error> for Cause {
    fn from(cause: io::Error) -> Self {
        Self::System(cause)
    }
}

impl From<tokio_postgres::Error> for Cause {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::LogIn(cause)
    }
}

impl Cause {
    /// What a server said.
    pub(super) fn server(&self) -> Option<&DbError> {
        match self {
            Self::System(_) => None,
            Self::LogIn(cause) => cause.as_db_error(),
        }
    }

    /// The error of the operating system (or of TLS) that is below all, if there is one.
    pub(super) fn of_system(&self) -> Option<&io::Error> {
        match self {
            Self::System(cause) => Some(cause),
            Self::LogIn(cause) => cause.source().and_then(|source| source.downcast_ref()),
        }
    }

    /// The text of what is below all.
    fn told(&self) -> String {
        match self {
            Self::System(cause) => cause.to_string(),
            Self::LogIn(cause) => innermost(cause),
        }
    }

    /// Is it that the server wants a password and there is none?
    fn is_password_missing(&self) -> bool {
        self.server().is_none() && self.told() == "password missing"
    }
}

impl Attempt {
    pub(super) fn failed(endpoint: &Endpoint, cause: Cause) -> Self {
        Self { place: endpoint.to_string(), reason: Reason::Failed(cause) }
    }

    pub(super) fn timed_out(endpoint: &Endpoint, after: Duration) -> Self {
        let reason = format!("no answer within {} s", after.as_secs());
        Self { place: endpoint.to_string(), reason: Reason::Other(reason) }
    }

    pub(super) fn unfit(endpoint: &Endpoint, reason: &str) -> Self {
        Self { place: endpoint.to_string(), reason: Reason::Other(reason.to_owned()) }
    }

    /// Did a server refuse that is ready to let others in? Then no other place is asked.
    pub(super) fn is_final(&self) -> bool {
        match &self.reason {
            Reason::Failed(cause) => {
                cause.server().is_some_and(|server| *server.code() != SqlState::CANNOT_CONNECT_NOW)
                    || cause.is_password_missing()
            }
            Reason::Other(_) => false,
        }
    }

    fn told(&self) -> String {
        let reason = match &self.reason {
            Reason::Other(reason) => reason.clone(),
            Reason::Failed(cause) => match cause.server() {
                Some(server) => message_of(server),
                None => cause.told(),
            },
        };
        format!("{}: {reason}", self.place)
    }
}

/// The error for settings of which no place let us in.
pub(super) fn refused(settings: &ConnectionSettings, attempts: &[Attempt]) -> Error {
    let Some(last) = attempts.last() else { return Error::database("there is no server to connect to") };
    if let Reason::Failed(cause) = &last.reason {
        if let Some(server) = cause.server() {
            let mut error = Error::database(format!("{} (at {})", message_of(server), last.place));
            if let Some(detail) = detail_of(server) {
                error = error.noting(detail);
            }
            return match hint_for_login(settings, server.code()).or_else(|| hint_of(server)) {
                Some(hint) => error.with_hint(hint),
                None => error,
            };
        }
        if cause.is_password_missing() {
            let error = Error::database(format!("the server at {} asks for a password, and none is known", last.place));
            return error.with_hint("set PGPASSWORD, or add a line for this server to ~/.pgpass");
        }
    }
    let told: Vec<String> = attempts.iter().map(Attempt::told).collect();
    let error = Error::database(format!("cannot connect to a PostgreSQL server: {}", told.join("; ")));
    let with_tls = attempts.iter().find_map(|attempt| match &attempt.reason {
        Reason::Failed(cause) => tls_hint(cause),
        Reason::Other(_) => None,
    });
    error.with_hint(
        with_tls.unwrap_or("is the server running there? name another place with PGHOST and PGPORT, or in the URL"),
    )
}

fn hint_for_login(settings: &ConnectionSettings, code: &SqlState) -> Option<String> {
    if *code == SqlState::INVALID_PASSWORD {
        return Some(match &settings.passfile {
            Some(path) => format!("the password came from {}", path.display()),
            None => "check the user's name and the password (PGPASSWORD, the URL, or ~/.pgpass)".into(),
        });
    }
    None
}

fn tls_hint(cause: &Cause) -> Option<&'static str> {
    if cause.told() == "server does not support TLS" {
        return Some("the server has TLS switched off; with sslmode=disable, everyone on the way can read along");
    }
    let error = cause.of_system()?.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(why) = error else { return None };
    use rustls::CertificateError as Why;
    match why {
        Why::UnknownIssuer | Why::BadSignature => {
            Some("no authority in the file of sslrootcert has signed the server's certificate")
        }
        Why::NotValidForName | Why::NotValidForNameContext { .. } => Some(
            "the server's certificate is for another host (its subjectAltName counts, or its common name if it has none); \
             connect by that name",
        ),
        Why::Expired | Why::ExpiredContext { .. } => Some("the server needs a new certificate"),
        // Such as the certificate of an authority in the place of a server's.
        Why::Other(_) => Some(
            "if no authority has signed the server's certificate, the file of sslrootcert must hold that very certificate",
        ),
        _ => None,
    }
}

/// The text of what is below all.
fn innermost(cause: &tokio_postgres::Error) -> String {
    let mut told = cause.to_string();
    let mut below = cause.source();
    while let Some(source) = below {
        told = source.to_string();
        below = source.source();
    }
    told
}

/// The error for a statement that failed.
pub(super) fn failure(cause: &tokio_postgres::Error) -> Error {
    let Some(server) = cause.as_db_error() else {
        let error = Error::database(format!("the connection to the server was lost: {}", innermost(cause)));
        return error.with_hint("look into the server's log, and run the command again");
    };
    let mut error = Error::database(message_of(server));
    if let Some(place) = place_in_copy(server) {
        error = error.noting(place);
    }
    if let Some(detail) = detail_of(server) {
        error = error.noting(detail);
    }
    if let Some(table) = server.table() {
        error = error.in_table(match server.schema() {
            None | Some("public") => table.to_owned(),
            Some(schema) => format!("{schema}.{table}"),
        });
    }
    match hint_of(server) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Is it an answer to a request to cancel, or a time limit?
pub(super) fn is_cancelled(cause: &tokio_postgres::Error) -> bool {
    cause.code() == Some(&SqlState::QUERY_CANCELED)
}

/// Does an error of this class repeat values of the user's? 22: values that cannot be; 23: values that break a rule.
fn repeats_values(server: &DbError) -> bool {
    let code = server.code().code();
    code.starts_with("22") || code.starts_with("23")
}

fn message_of(server: &DbError) -> String {
    let code = server.code().code();
    let message = server.message();
    // 'invalid input syntax for type integer: "the value"'
    let message = match message.split_once(": \"") {
        Some((before, _)) if code.starts_with("22") => before,
        _ => message,
    };
    format!("{message} (SQLSTATE {code})")
}

fn detail_of(server: &DbError) -> Option<&str> {
    server.detail().filter(|_| !repeats_values(server))
}

/// "COPY users, line 3, column age" out of the context of an error, where the value follows.
fn place_in_copy(server: &DbError) -> Option<&str> {
    let context = server.where_()?.lines().next()?;
    context.starts_with("COPY ").then(|| context.split_once(": \"").map_or(context, |(place, _)| place))
}

fn hint_of(server: &DbError) -> Option<String> {
    let code = server.code();
    let ours = if *code == SqlState::INVALID_CATALOG_NAME {
        "name a database that exists; psql -l lists them"
    } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        "the server's pg_hba.conf says who may connect from where, and how; another user, host or sslmode may be let in"
    } else if *code == SqlState::TOO_MANY_CONNECTIONS {
        "use fewer connections, or wait until others are closed"
    } else if *code == SqlState::CANNOT_CONNECT_NOW {
        "the server is starting or shutting down: try again soon"
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE && server.message().contains("row-level security") {
        "use the table's owner or a role with BYPASSRLS: others see only some of the rows"
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        "use a role that may do this, or have the owner grant it"
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        "another session holds a lock: wait until it is done, or wait longer for locks"
    } else if *code == SqlState::T_R_DEADLOCK_DETECTED {
        "another session waited for the same things in another order: run the command again"
    } else if *code == SqlState::DISK_FULL {
        "free space on the server's disk, and run the command again"
    } else if *code == SqlState::OUT_OF_MEMORY {
        "the server has too little memory for this"
    } else if [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::DATABASE_DROPPED].contains(code) {
        "the server ended the connection: run the command again when it is up"
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        "the server takes no changes (a standby?): name the primary, or say target_session_attrs=read-write"
    } else {
        // The server's own hints tell of statements, not of values.
        return server.hint().filter(|_| !repeats_values(server)).map(str::to_owned);
    };
    Some(ours.to_owned())
}
