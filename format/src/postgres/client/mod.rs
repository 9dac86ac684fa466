//! A connection to a PostgreSQL server that blocks its thread: statements, text rows, COPY in both directions.
//!
//! Every session is pinned (`session`), so that all of them read and write alike. Errors say what the server said, without
//! statements or values. A connection that is closed, by the server or because a statement could not be broken off, fails at
//! whatever comes next.

mod any_bytes;
mod connect;
mod copy;
mod failure;
mod server;
mod session;
mod socket;
mod tap;
#[cfg(all(test, unix))]
#[path = "../../../../tests/postgres_client/inside.rs"]
mod tests;
mod tls;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::SimpleQueryMessage;

pub(crate) use self::any_bytes::is_marked;
use self::connect::Connector;
use self::failure::{Attempt, failure};
pub use self::server::ServerInfo;
use self::session::Session;
use self::tap::Tapped;
use self::watch::CancelToken;
use super::settings::{ConnectionSettings, Endpoint, SessionKind};
use crate::error::{Error, Result};

/// How long the server is given to hear that a connection ends.
const FAREWELL: Duration = Duration::from_millis(500);

/// One connection. Everything it does, it does on the caller's thread, which must not be one that runs asynchronous tasks.
pub(crate) struct Client {
    // Before the line: what asks is gone when the line ends.
    inner: tokio_postgres::Client,
    line: Line,
    /// Where rows that are copied out come.
    tapped: Arc<Tapped>,
    cancel: CancelToken,
    session: Session,
    place: String,
}

/// What moves bytes between the client and the server, while somebody waits for it.
struct Line {
    runtime: Runtime,
    task: JoinHandle<()>,
}

impl Line {
    /// Waits for what comes out of a connection.
    fn wait<F: Future>(&self, what: F) -> F::Output {
        self.runtime.block_on(what)
    }

    /// Ends the connection at once, whatever the server is at.
    fn cut(&mut self) {
        self.task.abort();
        // It is cut when its task has been told.
        let _ = self.runtime.block_on(&mut self.task);
    }
}

impl Drop for Line {
    /// Says good-bye, so that the server's log has no word of a lost connection: with nobody left to ask, the task does
    /// that and ends.
    fn drop(&mut self) {
        let Self { runtime, task } = self;
        if !task.is_finished() {
            let _ = runtime.block_on(async { tokio::time::timeout(FAREWELL, task).await });
        }
    }
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
    /// Connects to the first place that lets us in, logs in, and pins the session.
    pub(crate) fn connect(settings: &ConnectionSettings) -> Result<Self> {
        // A standby is preferred: where none is, anyone will do.
        let kinds: &[SessionKind] = match settings.session {
            SessionKind::PreferStandby => &[SessionKind::Standby, SessionKind::Any],
            ref kind => std::slice::from_ref(kind),
        };
        let mut attempts = Vec::new();
        for kind in kinds {
            attempts.clear();
            for endpoint in &settings.endpoints {
                if let Some(client) = Self::connect_at(settings, endpoint, *kind, &mut attempts)? {
                    return Ok(client);
                }
                if attempts.last().is_some_and(Attempt::is_final) {
                    break;
                }
            }
        }
        Err(failure::refused(settings, &attempts))
    }

    fn connect_at(
        settings: &ConnectionSettings,
        endpoint: &Endpoint,
        kind: SessionKind,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Option<Self>> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| Error::io("starting the client", cause))?;
        let Some(connected) = runtime.block_on(Connector::new(settings).try_at(endpoint, attempts))? else {
            return Ok(None);
        };
        let messages = runtime
            .block_on(connected.inner.simple_query(&session::statement(connected.major, &connected.encoding)))
            .map_err(|cause| failure(&cause))?;
        let session = Session::of(&only(text_rows(&messages)?)?)?;
        if let Some(why) = session.is_unfit_for(kind) {
            attempts.push(Attempt::unfit(endpoint, why));
            return Ok(None);
        }
        Ok(Some(Self {
            cancel: CancelToken {
                token: connected.inner.cancel_token(),
                tls: connected.tls,
                endpoint: connected.endpoint,
                times: settings.times.clone(),
            },
            tapped: connected.tapped,
            line: Line { runtime, task: connected.task },
            inner: connected.inner,
            session,
            place: endpoint.to_string(),
        }))
    }

    /// The server's version as a number: 150018 is 15.18.
    pub(crate) const fn version(&self) -> u32 {
        self.session.version
    }

    /// The name of the database's encoding. Text comes as UTF-8, or as it is where the encoding is "SQL_ASCII".
    pub(crate) fn encoding(&self) -> &str {
        &self.session.encoding
    }

    /// How long statements wait for locks from now on; `None` is without end.
    pub(crate) fn set_lock_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        // 0 would be without end.
        let milliseconds = limit.map_or(0, |limit| limit.as_millis().clamp(1, i32::MAX.unsigned_abs().into()));
        self.run(&format!("SET lock_timeout = {milliseconds}"))
    }

    /// Runs statements that give no rows, one after the other.
    pub(crate) fn run(&mut self, sql: &str) -> Result<()> {
        self.line.wait(self.inner.batch_execute(sql)).map_err(|cause| failure(&cause))
    }

    /// Runs exactly one statement: text that holds a second one is refused by the server.
    pub(crate) fn run_one(&mut self, sql: &str) -> Result<()> {
        let done = self.line.wait(self.inner.execute_typed(sql, &[]));
        done.map(drop).map_err(|cause| failure(&cause))
    }

    /// The rows that a statement gives. In a database without an encoding, what is no UTF-8 in them is marked ([`is_marked`]).
    pub(crate) fn rows(&mut self, sql: &str) -> Result<Vec<TextRow>> {
        let messages = self.line.wait(self.inner.simple_query(sql)).map_err(|cause| failure(&cause))?;
        match text_rows(&messages) {
            Err(_) if self.encoding() == "SQL_ASCII" => self.marked_rows(sql),
            rows => rows,
        }
    }

    /// The one row that a statement gives.
    pub(crate) fn value(&mut self, sql: &str) -> Result<TextRow> {
        only(self.rows(sql)?)
    }
}

fn text_rows(messages: &[SimpleQueryMessage]) -> Result<Vec<TextRow>> {
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let text = |value: std::result::Result<Option<&str>, tokio_postgres::Error>| {
        value
            .map(|value| value.map(str::to_owned))
            .map_err(|_| Error::database("the server's answer holds a text that is no UTF-8"))
    };
    rows.map(|row| (0..row.len()).map(|column| text(row.try_get(column))).collect::<Result<_>>().map(TextRow)).collect()
}

fn only(rows: Vec<TextRow>) -> Result<TextRow> {
    let [row] = rows
        .try_into()
        .map_err(|rows: Vec<_>| Error::database(format!("{} rows where one was asked for", rows.len())))?;
    Ok(row)
}
