//! COPY: rows as the server streams them, and rows streamed to it.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::{sleep, timeout};
use tokio_postgres::CopyInSink;

use super::Client;
use super::failure::{failure, is_cancelled};
use super::watch::{PATIENCE, SECOND_SIGNAL, TICK};
use crate::error::{Error, Result};
use crate::observer::Observer;

/// Bytes that are collected before they are handed on. Fewer than a socket's buffer holds, so that the server has room to
/// go on while they are looked at.
const BATCH: usize = 64 << 10;
/// How long a COPY that is given up may take to be taken back, before the connection is closed instead.
const TAKING_BACK: Duration = Duration::from_secs(5);

impl Client {
    /// Runs a `COPY … TO STDOUT` and hands on its data, in pieces that end where a row ends. `each` may use other
    /// connections. If it fails, the server is asked to break off, and the connection is closed if it does not do so soon.
    pub(crate) fn copy_out(&mut self, sql: &str, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.copy_out_watched(sql, &(), each)
    }

    /// The same, and breaks off if an observer asks for it, even while the server is silent.
    pub(crate) fn copy_out_watched(
        &mut self,
        sql: &str,
        observer: &dyn Observer,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let token = self.cancel_token();
        let Self { line, inner, .. } = &mut *self;
        // What makes the rows may take long to give the first, and the server says nothing before.
        let (mut stream, first) = line.watch(&token, observer, async {
            let mut stream = Box::pin(inner.copy_out(sql).await?);
            let first = stream.next().await.transpose()?;
            Ok((stream, first))
        })?;
        let mut batch = Vec::with_capacity(2 * BATCH);
        match first {
            Some(piece) => batch.extend_from_slice(&piece),
            None => return Ok(()),
        }
        let stopped = loop {
            // Whoever is handed the batch must not be inside this runtime: it may have its own to run.
            let more = line.wait(async {
                while batch.len() < BATCH {
                    // A timer for every row would take longer than the row.
                    let next = match stream.next().now_or_never() {
                        Some(next) => next,
                        None => match timeout(TICK, stream.next()).await {
                            Ok(next) => next,
                            Err(_) => break,
                        },
                    };
                    match next {
                        Some(Ok(piece)) => batch.extend_from_slice(&piece),
                        Some(Err(cause)) => return Err(failure(&cause)),
                        None => return Ok(false),
                    }
                }
                Ok(true)
            })?;
            if !batch.is_empty() {
                if let Err(error) = each(&batch) {
                    break error;
                }
                batch.clear();
            }
            if !more {
                return Ok(());
            }
            if observer.is_cancelled() {
                break Error::interrupted();
            }
        };
        let met = line.wait(async {
            token.send().await;
            let met = timeout(PATIENCE, async {
                loop {
                    match stream.next().await {
                        Some(Ok(_)) => {}
                        Some(Err(cause)) => return is_cancelled(&cause),
                        None => return false,
                    }
                }
            })
            .await;
            sleep(SECOND_SIGNAL).await;
            met
        });
        // A request that came too late for the COPY would meet the next statement.
        if met != Ok(true) {
            self.line.cut();
        }
        Err(stopped)
    }

    /// Begins a `COPY … FROM STDIN`.
    pub(crate) fn copy_in(&mut self, sql: &str) -> Result<CopyIn<'_>> {
        let sink = self.line.wait(self.inner.copy_in(sql)).map_err(|cause| failure(&cause))?;
        Ok(CopyIn { client: self, sink: Some(Box::pin(sink)), batch: BytesMut::with_capacity(BATCH) })
    }
}

/// A `COPY … FROM STDIN` under way. Dropped without [`CopyIn::finish`], the server takes nothing of it.
pub(crate) struct CopyIn<'c> {
    client: &'c mut Client,
    sink: Option<Pin<Box<CopyInSink<Bytes>>>>,
    batch: BytesMut,
}

impl CopyIn<'_> {
    /// Sends data; where pieces end does not matter.
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<()> {
        self.batch.extend_from_slice(data);
        if self.batch.len() >= BATCH { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<()> {
        let batch = self.batch.split().freeze();
        self.batch.reserve(BATCH);
        let Some(sink) = &mut self.sink else { return Ok(()) };
        self.client.line.wait(sink.send(batch)).map_err(|cause| failure(&cause))
    }

    /// Ends it; the rows that the server took.
    pub(crate) fn finish(self) -> Result<u64> {
        self.finish_watched(&())
    }

    /// The same, and breaks off if an observer asks for it while the server is at work on the rows.
    pub(crate) fn finish_watched(mut self, observer: &dyn Observer) -> Result<u64> {
        if !self.batch.is_empty() {
            self.send()?;
        }
        let Some(mut sink) = self.sink.take() else { return Ok(0) };
        let token = self.client.cancel_token();
        self.client.line.watch(&token, observer, sink.as_mut().finish())
    }
}

impl Drop for CopyIn<'_> {
    /// Tells the server that nothing more comes and nothing is meant, and waits until it has taken back what it had.
    fn drop(&mut self) {
        let Some(sink) = self.sink.take() else { return };
        drop(sink);
        let Client { line, inner, .. } = &mut *self.client;
        // An empty statement: it is answered after the COPY has ended.
        let ended = line.wait(async { timeout(TAKING_BACK, inner.simple_query("")).await });
        if !matches!(ended, Ok(Ok(_))) {
            self.client.line.cut();
        }
    }
}
