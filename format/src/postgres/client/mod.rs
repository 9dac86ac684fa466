//! A connection to a PostgreSQL server that blocks its thread: statements, text rows, COPY in both directions.

mod copy;
mod failure;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{CancelToken, NoTls, SimpleQueryMessage};

pub(crate) use self::copy::CopyIn;
use self::failure::failure;
use super::settings::ConnectionSettings;
use crate::error::{Error, Result};

/// One connection. Everything it does, it does on the caller's thread.
pub(crate) struct Client {
    runtime: Runtime,
    inner: tokio_postgres::Client,
    cancel: CancelToken,
    version: u32,
}

/// A row of a result, each value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextRow(Vec<Option<String>>);

impl TextRow {
    /// The value of a column, if it is not null.
    pub(crate) fn get(&self, column: usize) -> Option<&str> {
        self.0.get(column).and_then(Option::as_deref)
    }

    /// The value of a column; a null, or a column that is not there, reads as an empty text.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.get(column).unwrap_or_default()
    }

    /// Is the value of a column the boolean "true"?
    pub(crate) fn is_true(&self, column: usize) -> bool {
        self.get(column) == Some("t")
    }

    /// The value of a column as a number.
    pub(crate) fn number<N: std::str::FromStr>(&self, column: usize) -> Result<N> {
        let text = self.text(column);
        text.parse()
            .map_err(|_| Error::database(format!("the server answered \"{text}\" where a number was asked for")))
    }
}

impl Client {
    /// Connects and logs in.
    pub(crate) fn connect(settings: &ConnectionSettings) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| Error::io("starting the client", cause))?;
        let (inner, connection) =
            runtime.block_on(settings.config.connect(NoTls)).map_err(|cause| failure("connecting", &cause))?;
        // What ends the connection is told to whoever waits for an answer.
        runtime.spawn(async move { drop(connection.await) });
        let cancel = inner.cancel_token();
        let mut client = Self { runtime, inner, cancel, version: 0 };
        client.version = client.value("SHOW server_version_num")?.number(0)?;
        Ok(client)
    }

    /// The server's version as a number: 150018 is 15.18.
    pub(crate) const fn version(&self) -> u32 {
        self.version
    }

    /// Runs statements that give no rows, one after the other.
    pub(crate) fn run(&mut self, sql: &str) -> Result<()> {
        self.runtime.block_on(self.inner.batch_execute(sql)).map_err(|cause| failure(sql, &cause))
    }

    /// Runs exactly one statement: text that holds a second one is refused by the server.
    pub(crate) fn run_one(&mut self, sql: &str) -> Result<()> {
        let done = self.runtime.block_on(self.inner.execute_typed(sql, &[]));
        done.map(drop).map_err(|cause| failure(sql, &cause))
    }

    /// The rows that a statement gives.
    pub(crate) fn rows(&mut self, sql: &str) -> Result<Vec<TextRow>> {
        let messages = self.runtime.block_on(self.inner.simple_query(sql)).map_err(|cause| failure(sql, &cause))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some(TextRow((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()))
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The one row that a statement gives.
    pub(crate) fn value(&mut self, sql: &str) -> Result<TextRow> {
        let rows = self.rows(sql)?;
        let [row] = rows
            .try_into()
            .map_err(|rows: Vec<_>| Error::database(format!("{} rows where one was asked for", rows.len())))?;
        Ok(row)
    }

    /// Asks the server to break off what another thread waits for on this connection.
    pub(crate) fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }
}
