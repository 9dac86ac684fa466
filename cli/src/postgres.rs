//! PostgreSQL on the command line: which arguments mean a server, what the surroundings add to them, and keeping passwords
//! out of the list of processes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use tabark::Error;
use tabark::postgres::settings::{ConnectionSettings, Environment, with_password, without_password};

use crate::exit::Failure;

/// Where systems keep their `pg_service.conf`.
const SYSTEM_FOLDERS: [&str; 3] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/etc"];
/// Keys with which a connection string may begin that is no URL.
const KEYS: [&str; 11] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "service",
    "sslmode",
    "options",
    "application_name",
];
/// Begins the names of variables in which passwords pass from the first start of the program to the second.
const HANDED_ON: &str = "TABARK_HANDED_ON_";

/// Does an argument mean a PostgreSQL database, and no file?
pub(crate) fn is_postgres(argument: &OsStr) -> bool {
    let Some(text) = argument.to_str() else { return false };
    if ["postgresql://", "postgres://"].iter().any(|scheme| text.starts_with(scheme)) {
        return true;
    }
    text.split_once('=').is_some_and(|(key, _)| KEYS.contains(&key.trim()))
}

/// How to reach the database that an argument means.
pub(crate) fn connection(argument: &OsStr) -> Result<ConnectionSettings, Failure> {
    let Some(text) = argument.to_str() else {
        return Err(Failure::Usage(Error::request("the connection string is no UTF-8")));
    };
    let variables = variables();
    let handed_on = variables.iter().filter(|(name, _)| name.starts_with(HANDED_ON));
    let password = handed_on.filter_map(|(_, value)| value.strip_prefix(text)?.strip_prefix('\n')).next();
    let whole = password.map_or_else(|| text.to_owned(), |password| with_password(text, password));
    let environment = Environment {
        variables,
        home: std::env::home_dir(),
        user: whoami::username().ok(),
        system_folders: SYSTEM_FOLDERS.map(PathBuf::from).to_vec(),
    };
    let settings = ConnectionSettings::from_libpq(&whole, &environment).map_err(Failure::Usage)?;
    Ok(settings.with_default_application_name("tabark"))
}

/// Variables that are text.
fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Starts the program anew if an argument holds a password, which then goes from its arguments, which everyone on the
/// machine can read, into its environment, which only its user and the administrator can.
///
/// Between the start and this lie some milliseconds. Where the program cannot be started anew, it goes on as it is.
#[cfg(unix)]
pub(crate) fn hide_passwords() {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    let arguments: Vec<_> = std::env::args_os().collect();
    let hidden: Vec<Option<(String, String)>> = arguments
        .iter()
        .map(|argument| without_password(argument.to_str().filter(|_| is_postgres(argument))?))
        .collect();
    if hidden.iter().all(Option::is_none) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = Command::new(program);
    for (at, (argument, hidden)) in arguments.iter().zip(&hidden).enumerate() {
        match hidden {
            _ if at == 0 => {
                command.arg0(argument);
            }
            Some((text, password)) => {
                command.arg(text).env(format!("{HANDED_ON}{at}"), format!("{text}\n{password}"));
            }
            None => {
                command.arg(argument);
            }
        }
    }
    // It comes back only if it failed.
    let _ = command.exec();
}

/// Elsewhere arguments are as private as the environment.
#[cfg(not(unix))]
pub(crate) fn hide_passwords() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_from_files() {
        for server in ["postgres://h/db", "postgresql:///", "host=h", "dbname = x", "service=a"] {
            assert!(is_postgres(OsStr::new(server)), "{server}");
        }
        for file in ["app.sqlite", "a=b", "./host=x", "postgres", "postgres:x", "", "Host=x"] {
            assert!(!is_postgres(OsStr::new(file)), "{file}");
        }
    }
}
