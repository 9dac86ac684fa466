//! Statements that take long, and breaking them off.

use std::pin::pin;
use std::time::Duration;

#[cfg(test)]
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{failure, is_cancelled};
use super::{Client, Line};
use crate::error::{Error, Result};
use crate::observer::{Observer, check_cancelled};

/// How often an observer is asked while a server works.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// How long a server has to break off what it was asked to. After that the connection is closed.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing is asked of a server that has broken off a statement. It sends two signals for one request, to the process and
/// to its group. The second may come when the first was obeyed: it does nothing while the server waits for a statement, and breaks
/// off the next one otherwise.
pub(super) const SECOND_SIGNAL: Duration = Duration::from_millis(200);

/// Breaks off what a connection does, from another thread or its own.
#[derive(Clone)]
pub(crate) struct CancelToken {
    pub(super) token: tokio_postgres::CancelToken,
    pub(super) tls: Option<MakeRustlsConnect>,
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
        let sent = async {
            match &self.tls {
                Some(tls) => self.token.cancel_query(tls.clone()).await,
                None => self.token.cancel_query(NoTls).await,
            }
        };
        // Whoever waits for the statement's end learns whether it was of use.
        let _ = timeout(PATIENCE, sent).await;
    }
}

impl Client {
    /// What breaks off statements of this connection from another thread.
    pub(crate) fn cancel_token(&self) -> CancelToken {
        CancelToken { token: self.cancel.clone(), tls: self.tls.clone() }
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
                let ended = timeout(PATIENCE, work).await;
                sleep(SECOND_SIGNAL).await;
                ended
            })
        };
        // A request that came too late for this work would meet the next.
        if !matches!(&ended, Ok(Err(cause)) if is_cancelled(cause)) {
            self.cut();
        }
        Err(Error::interrupted())
    }
}
