//! Stopping statements that are under way when an observer asks to stop: one may take long before it gives its first row.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::InterruptHandle;

use crate::error::{Error, Result};
use crate::observer::Observer;

/// How often the observer is asked.
const WATCH_INTERVAL: Duration = Duration::from_millis(20);

/// Does `work`, and interrupts the statements of the handle's connection when the observer asks to stop.
pub(crate) fn interruptible<T>(
    statements: InterruptHandle,
    observer: &dyn Observer,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let (done, when_done) = channel::<()>();
    std::thread::scope(|scope| {
        let watch = move || {
            while when_done.recv_timeout(WATCH_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if observer.is_cancelled() {
                    statements.interrupt();
                }
            }
        };
        std::thread::Builder::new()
            .name("tabark-watch".to_owned())
            .spawn_scoped(scope, watch)
            .map_err(|cause| Error::io("starting a thread", cause))?;
        let result = work();
        // The watcher must not outlive the work: what comes next (commit, rollback) is not to be interrupted.
        drop(done);
        result.map_err(|error| if is_interrupt(&error) { Error::interrupted() } else { error })
    })
}

/// Was a statement interrupted, of ours or of the source that reads back? Only the watcher does that.
fn is_interrupt(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<rusqlite::Error>());
    cause.and_then(rusqlite::Error::sqlite_error_code) == Some(rusqlite::ErrorCode::OperationInterrupted)
}
