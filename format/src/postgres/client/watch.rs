//! Statements that take long, and breaking them off.

use std::pin::pin;
use std::time::Duration;

#[cfg(test)]
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connect::towards;
use super::failure::{Cause, failure, is_cancelled};
use super::socket::Socket;
use super::{Client, Line};
use crate::error::{Error, Result};
use crate::observer::{Observer, check_cancelled};
use crate::postgres::settings::{Endpoint, Times};

/// How often an observer is asked while a server works.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// How long a server has to break off what it was asked to. After that the connection is closed.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Breaks off what a connection does, from another thread or its own.
#[derive(Clone)]
pub(crate) struct CancelToken {
    pub(super) token: tokio_postgres::CancelToken,
    pub(super) tls: Option<MakeRustlsConnect>,
    pub(super) endpoint: Endpoint,
    pub(super) times: Times,
}

impl CancelToken {
    /// Asks the server to break off, from any thread. That the request comes in time is not certain.
    #[cfg(test)]
    pub(crate) fn cancel(&self) -> Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| Error::io("starting the client", cause))?;
        runtime.block_on(self.send());
        Ok(())
    }

    /// Asks the server. Encrypted, if the connection is; that it reaches the server is not certain.
    pub(super) async fn send(&self) {
        // Whoever waits for the statement's end learns whether it was of use.
        let _ = timeout(PATIENCE, self.sent()).await;
    }

    /// The server sends two signals for one request, to the process and to its group, and closes the connection that the
    /// request came by when both are sent. A second one that came later would break off the next statement.
    async fn sent(&self) -> std::result::Result<(), Cause> {
        let socket = Socket::open(&self.endpoint, &self.times).await?;
        let twin = socket.twin()?;
        match &self.tls {
            Some(tls) => self.token.cancel_query_raw(socket, towards(&mut tls.clone(), &self.endpoint)?).await?,
            None => self.token.cancel_query_raw(socket, NoTls).await?,
        }
        twin.closed().await;
        Ok(())
    }
}

impl Client {
    /// What breaks off statements of this connection from another thread.
    pub(crate) fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Runs statements that give no rows, and asks an observer meanwhile whether to go on. If not, the server is asked to
    /// break off, and the connection is closed if it does not do so soon.
    pub(crate) fn run_watched(&mut self, sql: &str, observer: &dyn Observer) -> Result<()> {
        let token = self.cancel_token();
        self.line.watch(&token, observer, self.inner.batch_execute(sql))
    }

    /// Runs exactly one statement, as [`Client::run_one`] does, and asks an observer meanwhile.
    pub(crate) fn run_one_watched(&mut self, sql: &str, observer: &dyn Observer) -> Result<()> {
        let token = self.cancel_token();
        self.line.watch(&token, observer, self.inner.execute_typed(sql, &[])).map(drop)
    }
}

impl Line {
    /// Waits for what comes out of a connection, unless an observer asks to stop.
    pub(super) fn watch<T>(
        &mut self,
        token: &CancelToken,
        observer: &dyn Observer,
        work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        check_cancelled(observer)?;
        let ended = {
            let mut work = pin!(work);
            loop {
                match self.wait(async { timeout(TICK, work.as_mut()).await }) {
                    Ok(done) => return done.map_err(|cause| failure(&cause)),
                    Err(_) if observer.is_cancelled() => break,
                    Err(_) => {}
                }
            }
            self.wait(async {
                token.send().await;
                timeout(PATIENCE, work).await
            })
        };
        // A request that came too late for this work would meet the next.
        if !matches!(&ended, Ok(Err(cause)) if is_cancelled(cause)) {
            self.cut();
        }
        Err(Error::interrupted())
    }
}
