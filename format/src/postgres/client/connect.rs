//! Finding a server that answers, and logging in.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode as Wire;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{Attempt, Cause};
use super::socket::Socket;
use super::tap::{Tap, Tapped, Tapping};
use super::{session, tls};
use crate::error::Result;
use crate::postgres::settings::{ChannelBinding, ConnectionSettings, Endpoint, Place, SslMode};

/// A server that let us in.
pub(super) struct Connected {
    pub(super) inner: tokio_postgres::Client,
    /// What moves bytes between the two, as long as the runtime is at work.
    pub(super) task: JoinHandle<()>,
    /// Where rows that are copied out come.
    pub(super) tapped: Arc<Tapped>,
    /// What encrypts the connection, for another one that cancels statements.
    pub(super) tls: Option<MakeRustlsConnect>,
    /// The very server: its name may stand for others too.
    pub(super) endpoint: Endpoint,
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
            let connecting = connect(self.settings, endpoint, &config, tls);
            let tried = match self.settings.times.connect {
                Some(timeout) => match tokio::time::timeout(timeout, connecting).await {
                    Ok(tried) => tried,
                    Err(_) => {
                        attempts.push(Attempt::timed_out(endpoint, timeout));
                        return Ok(None);
                    }
                },
                None => connecting.await,
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
fn may_do_otherwise(cause: &Cause) -> bool {
    if let Some(server) = cause.server() {
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
    !cause.of_system().is_some_and(unreachable)
}

async fn connect(
    settings: &ConnectionSettings,
    endpoint: &Endpoint,
    config: &Config,
    tls: Option<MakeRustlsConnect>,
) -> std::result::Result<Result<Connected>, Cause> {
    let socket = Socket::open(endpoint, &settings.times).await?;
    let mut endpoint = endpoint.clone();
    if let (Place::Network { address, .. }, Some(gone_to)) = (&mut endpoint.place, socket.address()) {
        *address = Some(gone_to);
    }
    let tapped = Arc::new(Tapped::default());
    let (begun, tls) = match tls {
        None => (begin(config, Tap::new(socket, tapped.clone()), NoTls).await?, None),
        Some(mut connector) => {
            let tls = towards(&mut connector, &endpoint)?;
            (begin(config, socket, Tapping { tls, tapped: tapped.clone() }).await?, Some(connector))
        }
    };
    Ok(begun.map(|Begun { inner, task, major, encoding }| Connected {
        inner,
        task,
        tapped,
        tls,
        endpoint,
        major,
        encoding,
    }))
}

/// What encrypts a connection to one place, which its certificate has to name.
pub(super) fn towards(
    connector: &mut MakeRustlsConnect,
    endpoint: &Endpoint,
) -> io::Result<<MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect> {
    let name = match &endpoint.place {
        // A host that looks like a socket's folder is only a name where an address says where to go.
        Place::Network { name: Some(name), address } if address.is_none() || !name.starts_with('/') => name.clone(),
        Place::Network { address: Some(address), .. } => address.to_string(),
        _ => String::new(),
    };
    MakeTlsConnect::<Socket>::make_tls_connect(connector, &name).map_err(io::Error::other)
}

/// Somebody who was let in.
struct Begun {
    inner: tokio_postgres::Client,
    task: JoinHandle<()>,
    major: u32,
    encoding: String,
}

async fn begin<S, T>(config: &Config, stream: S, tls: T) -> std::result::Result<Result<Begun>, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsConnect<S>,
    T::Stream: Send + 'static,
{
    let (inner, connection) = config.connect_raw(stream, tls).await?;
    let major = session::check_version(connection.parameter("server_version").unwrap_or_default());
    let encoding = connection.parameter("server_encoding").unwrap_or_default().to_owned();
    // What ends the connection is told to whoever waits for an answer.
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok(major.map(|major| Begun { inner, task, major, encoding }))
}

/// What is said at log-in; the place is [`Socket::open`]'s to find.
fn config_of(settings: &ConnectionSettings, endpoint: &Endpoint, way: Wire) -> Config {
    let mut config = Config::new();
    config.user(&settings.user).dbname(&settings.database).ssl_mode(way);
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
    config
}
