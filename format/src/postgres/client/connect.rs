//! Finding a server that answers, and logging in.

use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode as Wire;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Config, NoTls, Socket, config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{self, Attempt};
use super::{session, tls};
use crate::error::Result;
use crate::postgres::settings::{ChannelBinding, ConnectionSettings, Endpoint, Place, SslMode};

/// How often servers that are gone are asked after where nothing else is said.
const IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// A server that let us in.
pub(super) struct Connected {
    pub(super) inner: tokio_postgres::Client,
    /// What moves bytes between the two, as long as the runtime is at work.
    pub(super) task: JoinHandle<()>,
    /// What encrypts the connection, for another one that cancels statements.
    pub(super) tls: Option<MakeRustlsConnect>,
    pub(super) major: u32,
    pub(super) encoding: String,
}

/// Makes the TLS connector when it is needed first: its files are not looked at for a socket.
pub(super) struct Connector<'s> {
    settings: &'s ConnectionSettings,
    tls: Option<MakeRustlsConnect>,
}

impl<'s> Connector<'s> {
    pub(super) fn new(settings: &'s ConnectionSettings) -> Self {
        Self { settings, tls: None }
    }

    fn tls(&mut self) -> Result<MakeRustlsConnect> {
        if let Some(tls) = &self.tls {
            return Ok(tls.clone());
        }
        Ok(self.tls.insert(tls::connector(&self.settings.security)?).clone())
    }

    /// Tries one place, in the ways that `sslmode` allows. What failed is added to `attempts`.
    pub(super) async fn try_at(
        &mut self,
        endpoint: &Endpoint,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Option<Connected>> {
        let ways: &[Wire] = match (&endpoint.place, self.settings.security.mode) {
            // A socket needs no encryption, and servers offer none there.
            (Place::Socket(_), _) | (_, SslMode::Disable) => &[Wire::Disable],
            (_, SslMode::Allow) => &[Wire::Disable, Wire::Require],
            (_, SslMode::Prefer) => &[Wire::Require, Wire::Disable],
            _ => &[Wire::Require],
        };
        for (at, way) in ways.iter().enumerate() {
            let config = config_of(self.settings, endpoint, *way);
            let tls = if *way == Wire::Disable { None } else { Some(self.tls()?) };
            let tried = match self.settings.times.connect {
                Some(timeout) => match tokio::time::timeout(timeout, connect(&config, tls)).await {
                    Ok(tried) => tried,
                    Err(_) => {
                        attempts.push(Attempt::timed_out(endpoint, timeout));
                        return Ok(None);
                    }
                },
                None => connect(&config, tls).await,
            };
            match tried {
                Ok(connected) => return connected.map(Some),
                Err(cause) => {
                    let again = at + 1 < ways.len() && may_do_otherwise(&cause);
                    attempts.push(Attempt::failed(endpoint, cause));
                    if !again {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(None)
    }
}

/// Could a connection with TLS instead of without, or without instead of with, be let in?
fn may_do_otherwise(cause: &tokio_postgres::Error) -> bool {
    if let Some(server) = cause.as_db_error() {
        // A rule of the server about who may come how. A wrong password stays one, and is not sent twice.
        return *server.code() == SqlState::INVALID_AUTHORIZATION_SPECIFICATION;
    }
    // Nobody who does not answer answers then.
    let unreachable = |cause: &io::Error| {
        matches!(
            cause.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::TimedOut
                | io::ErrorKind::NotFound
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
        )
    };
    !failure::io_cause(cause).is_some_and(unreachable)
}

async fn connect(
    config: &Config,
    tls: Option<MakeRustlsConnect>,
) -> std::result::Result<Result<Connected>, tokio_postgres::Error> {
    match tls {
        None => begin(config, NoTls, None).await,
        Some(tls) => begin(config, tls.clone(), Some(tls)).await,
    }
}

async fn begin<T>(
    config: &Config,
    tls: T,
    kept: Option<MakeRustlsConnect>,
) -> std::result::Result<Result<Connected>, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (inner, connection) = config.connect(tls).await?;
    let major = session::check_version(connection.parameter("server_version").unwrap_or_default());
    let encoding = connection.parameter("server_encoding").unwrap_or_default().to_owned();
    // What ends the connection is told to whoever waits for an answer.
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok(major.map(|major| Connected { inner, task, tls: kept, major, encoding }))
}

fn config_of(settings: &ConnectionSettings, endpoint: &Endpoint, way: Wire) -> Config {
    let mut config = Config::new();
    match &endpoint.place {
        Place::Socket(folder) => {
            host_path(&mut config, folder);
        }
        Place::Network { name, address } => {
            // A host that looks like a socket's folder is only a name where an address says where to go.
            let name = name.clone().filter(|name| address.is_none() || !name.starts_with('/'));
            let name = name.or_else(|| address.map(|address| address.to_string())).unwrap_or_default();
            config.host(name);
            if let Some(address) = address {
                config.hostaddr(*address);
            }
        }
    }
    config.port(endpoint.port).user(&settings.user).dbname(&settings.database).ssl_mode(way);
    if let Some(password) = &endpoint.password {
        config.password(password.reveal());
    }
    if let Some(options) = &settings.options {
        config.options(options);
    }
    if let Some(name) = &settings.application_name {
        config.application_name(name);
    }
    if settings.security.direct && way != Wire::Disable {
        config.ssl_negotiation(config::SslNegotiation::Direct);
    }
    config.channel_binding(match settings.binding {
        ChannelBinding::Disable => config::ChannelBinding::Disable,
        ChannelBinding::Prefer => config::ChannelBinding::Prefer,
        ChannelBinding::Require => config::ChannelBinding::Require,
    });
    let times = &settings.times;
    config.keepalives(times.keepalives).keepalives_idle(times.idle.unwrap_or(IDLE));
    if let Some(interval) = times.interval {
        config.keepalives_interval(interval);
    }
    if let Some(count) = times.count {
        config.keepalives_retries(count);
    }
    if let Some(unacknowledged) = times.unacknowledged {
        config.tcp_user_timeout(unacknowledged);
    }
    config
}

#[cfg(unix)]
fn host_path(config: &mut Config, folder: &std::path::Path) {
    config.host_path(folder);
}

#[cfg(not(unix))]
fn host_path(config: &mut Config, folder: &std::path::Path) {
    config.host(folder.to_string_lossy());
}
