//! Connections of the operating system to a server.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};

use crate::postgres::settings::{Endpoint, Place, Times};

/// How often servers that are gone are asked after where nothing else is said.
const IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// What bytes go through, unencrypted or not.
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

impl Socket {
    /// Goes to a place: of a name that stands for several addresses, to the first that answers.
    pub(super) async fn open(endpoint: &Endpoint, times: &Times) -> io::Result<Self> {
        match &endpoint.place {
            #[cfg(unix)]
            Place::Socket(folder) => {
                let path = folder.join(format!(".s.PGSQL.{}", endpoint.port));
                tokio::net::UnixStream::connect(path).await.map(Self::Unix)
            }
            #[cfg(not(unix))]
            Place::Socket(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no such sockets")),
            Place::Network { address: Some(address), .. } => Self::tcp((*address, endpoint.port).into(), times).await,
            Place::Network { name, .. } => {
                let name = name.as_deref().unwrap_or_default();
                let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name stands for no address");
                for address in lookup_host((name, endpoint.port)).await? {
                    match Self::tcp(address, times).await {
                        Ok(socket) => return Ok(socket),
                        Err(cause) => failed = cause,
                    }
                }
                Err(failed)
            }
        }
    }

    async fn tcp(address: std::net::SocketAddr, times: &Times) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        if times.keepalives {
            socket.set_tcp_keepalive(&keepalive(times))?;
        }
        #[cfg(target_os = "linux")]
        if let Some(unacknowledged) = times.unacknowledged {
            socket.set_tcp_user_timeout(Some(unacknowledged))?;
        }
        Ok(Self::Tcp(stream))
    }

    /// The address that was gone to, by the network.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok().map(|address| address.ip()),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    /// Another handle of the same connection.
    pub(super) fn twin(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(SockRef::from(stream).try_clone()?.into()).map(Self::Tcp),
            #[cfg(unix)]
            Self::Unix(stream) => {
                tokio::net::UnixStream::from_std(SockRef::from(stream).try_clone()?.into()).map(Self::Unix)
            }
        }
    }

    /// Waits until the server has closed the connection, whatever it says before.
    pub(super) async fn closed(mut self) {
        let mut said = [0; 64];
        loop {
            let mut room = ReadBuf::new(&mut said);
            match poll_fn(|cx| Pin::new(&mut self).poll_read(cx, &mut room)).await {
                Ok(()) if !room.filled().is_empty() => {}
                _ => return,
            }
        }
    }
}

/// How a server that is gone is noticed. What is not said is left to the system.
fn keepalive(times: &Times) -> TcpKeepalive {
    let mut keepalive = TcpKeepalive::new().with_time(times.idle.unwrap_or(IDLE));
    if let Some(interval) = times.interval {
        keepalive = keepalive.with_interval(interval);
    }
    #[cfg(not(windows))]
    if let Some(count) = times.count {
        keepalive = keepalive.with_retries(count);
    }
    keepalive
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, into),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
