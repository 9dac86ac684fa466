//! Statements that take long, and breaking them off.

use std::pin::pin;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Client;
use super::failure::{failure, is_cancelled};
use crate::error::{Error, Result};
use crate::observer::Observer;

/// How often an observer is asked while a server works.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// How long a server has to break off what it was asked to. After that the connection is closed.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Breaks off what a connection does, from another thread or its own.
#[derive(Clone)]
pub(crate) struct CancelToken {
    pub(super) token: tokio_postgres::CancelToken,
    pub(super) tls: Option<MakeRustlsConnect>,
}

impl CancelToken {
    /// Asks the server to break off, from any thread. That the request comes in time is not certain.
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
        crate::observer::check_cancelled(observer)?;
        let token = self.cancel_token();
        let ended = {
            let Self { line, inner, .. } = &mut *self;
            let mut statement = pin!(inner.batch_execute(sql));
            loop {
                match line.wait(async { timeout(TICK, statement.as_mut()).await }) {
                    Ok(done) => return done.map_err(|cause| failure(&cause)),
                    Err(_) if observer.is_cancelled() => break,
                    Err(_) => {}
                }
            }
            line.wait(async {
                token.send().await;
                timeout(PATIENCE, statement).await
            })
        };
        // A request that the statement did not wait for would meet the next one.
        let was_met = matches!(&ended, Ok(Err(cause)) if is_cancelled(cause));
        if !was_met {
            self.line.cut();
        }
        Err(Error::interrupted())
    }
}
