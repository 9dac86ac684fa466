//! COPY: rows as the server streams them, and rows streamed to it.

use std::pin::{Pin, pin};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use tokio_postgres::CopyInSink;

use super::Client;
use super::failure::failure;
use crate::error::Result;

/// Bytes that are collected before they are handed on.
const BATCH: usize = 256 << 10;

impl Client {
    /// Runs a `COPY … TO STDOUT` and hands on its data, in pieces that end where a row ends.
    pub(crate) fn copy_out(&mut self, sql: &str, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let Self { runtime, inner, .. } = self;
        runtime.block_on(async {
            let stream = inner.copy_out(sql).await.map_err(|cause| failure(sql, &cause))?;
            let mut stream = pin!(stream);
            let mut batch = Vec::with_capacity(BATCH);
            while let Some(piece) = stream.next().await {
                let piece: Bytes = piece.map_err(|cause| failure(sql, &cause))?;
                batch.extend_from_slice(&piece);
                if batch.len() >= BATCH {
                    each(&batch)?;
                    batch.clear();
                }
            }
            if batch.is_empty() { Ok(()) } else { each(&batch) }
        })
    }

    /// Begins a `COPY … FROM STDIN`.
    pub(crate) fn copy_in(&mut self, sql: &str) -> Result<CopyIn<'_>> {
        let sink = self.runtime.block_on(self.inner.copy_in(sql)).map_err(|cause| failure(sql, &cause))?;
        Ok(CopyIn { client: self, sink: Box::pin(sink), batch: BytesMut::with_capacity(BATCH) })
    }
}

/// A `COPY … FROM STDIN` under way. Dropped without [`CopyIn::finish`], the server takes nothing of it.
pub(crate) struct CopyIn<'c> {
    client: &'c mut Client,
    sink: Pin<Box<CopyInSink<Bytes>>>,
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
        self.client.runtime.block_on(self.sink.send(batch)).map_err(|cause| failure("COPY", &cause))
    }

    /// Ends it; the rows that the server took.
    pub(crate) fn finish(mut self) -> Result<u64> {
        if !self.batch.is_empty() {
            self.send()?;
        }
        self.client.runtime.block_on(self.sink.as_mut().finish()).map_err(|cause| failure("COPY", &cause))
    }
}
