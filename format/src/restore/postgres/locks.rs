//! Locks that readers must not be kept from for long.
//!
//! Who reads two tables takes one lock after the other, in an order of their own. Were a restore to hold one of the two while
//! it waits for the other, they could wait for one another. So all locks are tried for less time than it takes the server to
//! look for such a circle (`deadlock_timeout`, one second unless somebody changed it); if one is not given by then, all are
//! given back, everybody goes on, and they are tried again.

use std::sync::Mutex;
use std::time::Duration;

use super::run::run;
use super::steps::Statement;
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::postgres::client::Client;
use crate::source::postgres::rows::lock;

/// How long the first attempt waits for a lock; each further one waits twice as long, up to the longest.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_millis(800);

/// Runs statements that take locks, as often as it takes until all of them are given, waiting for `limit` in all.
pub(super) fn take_together(
    client: &Mutex<Client>,
    statements: &[Statement],
    limit: Duration,
    observer: &dyn Observer,
) -> Result<()> {
    let (mut patience, mut left) = (SHORTEST, limit);
    loop {
        let now = patience.min(left).max(Duration::from_millis(1));
        lock(client).run(&format!("SAVEPOINT tabark_locks; SET LOCAL lock_timeout = {}", now.as_millis()))?;
        let taken = statements.iter().try_for_each(|statement| run(client, statement, observer));
        left = left.saturating_sub(now);
        match taken {
            Ok(()) => {
                return lock(client)
                    .run(&format!("SET LOCAL lock_timeout = {}; RELEASE SAVEPOINT tabark_locks", limit.as_millis()));
            }
            Err(error) if is_lock_not_given(&error) && !left.is_zero() => {
                lock(client).run("ROLLBACK TO SAVEPOINT tabark_locks; RELEASE SAVEPOINT tabark_locks")?;
                patience = (patience * 2).min(LONGEST);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Was a lock waited for too long, or in a circle?
fn is_lock_not_given(error: &Error) -> bool {
    ["55P03", "40P01"].iter().any(|code| error.message().contains(&format!("(SQLSTATE {code})")))
}
