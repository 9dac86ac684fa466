//! COPY: rows as the server streams them, and rows streamed to it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, Stream, StreamExt};
use tokio::time::timeout;
use tokio_postgres::{CopyInSink, CopyOutStream};

use super::Client;
use super::failure::{failure, is_cancelled};
use super::tap::Tapped;
use super::watch::{PATIENCE, TICK};
use crate::error::{Error, Result};
use crate::observer::Observer;

/// Bytes that are collected before they are sent.
const BATCH: usize = 64 << 10;
/// How long a COPY that is given up may take to be taken back, before the connection is closed instead.
const TAKING_BACK: Duration = Duration::from_secs(5);

/// What was waited for while rows are copied out.
enum Met {
    /// There are rows to be handed on.
    Rows,
    /// All rows have come.
    End,
    /// A row came past the tap. None does, and none may be lost.
    Astray,
}

impl Client {
    /// Runs a `COPY … TO STDOUT` and hands on its data, in pieces that end where a row ends; whoever gets a piece may keep its
    /// bytes, and leave others in their place, whose room is used again. `each` may use other connections. If it fails, the
    /// server is asked to break off, and the connection is closed if it does not do so soon.
    pub(crate) fn copy_out(&mut self, sql: &str, each: &mut dyn FnMut(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        self.copy_out_watched(sql, &(), each)
    }

    /// The same, and breaks off if an observer asks for it, even while the server is silent.
    pub(crate) fn copy_out_watched(
        &mut self,
        sql: &str,
        observer: &dyn Observer,
        each: &mut dyn FnMut(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        self.tapped.begin();
        let copied = self.copy_pieces(sql, observer, each);
        self.tapped.end();
        copied
    }

    fn copy_pieces(
        &mut self,
        sql: &str,
        observer: &dyn Observer,
        each: &mut dyn FnMut(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let token = self.cancel_token();
        let Self { line, inner, tapped, .. } = &mut *self;
        // What makes the rows may take long to give the first, and the server says nothing before.
        let (mut stream, mut met) = line.watch(&token, observer, async {
            let mut stream = Box::pin(inner.copy_out(sql).await?);
            let met = poll_fn(|cx| poll(&mut stream, tapped, 1, cx)).await?;
            Ok((stream, met))
        })?;
        let mut piece = Vec::new();
        let stopped = loop {
            tapped.take(&mut piece);
            if !piece.is_empty()
                && let Err(error) = each(&mut piece)
            {
                break error;
            }
            match met {
                Met::Rows => {}
                Met::End => return Ok(()),
                Met::Astray => break Error::database("a row came where none was looked for"),
            }
            if observer.is_cancelled() {
                break Error::interrupted();
            }
            // Whoever is handed a piece must not be inside this runtime: it may have its own to run.
            let enough = poll_fn(|cx| poll(&mut stream, tapped, usize::MAX, cx));
            met = match line.wait(async { timeout(TICK, enough).await }) {
                Ok(met) => met.map_err(|cause| failure(&cause))?,
                Err(_) => Met::Rows,
            };
        };
        tapped.end();
        let met = line.wait(async {
            token.send().await;
            timeout(PATIENCE, async {
                loop {
                    match stream.next().await {
                        Some(Ok(_)) => {}
                        Some(Err(cause)) => return is_cancelled(&cause),
                        None => return false,
                    }
                }
            })
            .await
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

/// Waits for so many bytes of rows, or for their end.
fn poll(
    stream: &mut Pin<Box<CopyOutStream>>,
    tapped: &Tapped,
    least: usize,
    cx: &mut Context<'_>,
) -> Poll<std::result::Result<Met, tokio_postgres::Error>> {
    match stream.as_mut().poll_next(cx)? {
        Poll::Ready(None) => Poll::Ready(Ok(Met::End)),
        Poll::Ready(Some(_)) => Poll::Ready(Ok(Met::Astray)),
        Poll::Pending => tapped.poll(least, cx).map(|()| Ok(Met::Rows)),
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
