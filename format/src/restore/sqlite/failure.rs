//! SQLite's errors while restoring, as the library's: what was being done, what SQLite says, and what to do about it.

use std::fmt::Display;

use rusqlite::{ErrorCode, ffi};

use crate::error::Error;

/// An error of SQLite while doing what `doing` says ("creating table x").
pub(in crate::restore) fn failure(doing: impl Display, cause: rusqlite::Error) -> Error {
    // Only this library interrupts its own connections, and only when it is asked to stop.
    if cause.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) {
        return Error::interrupted();
    }
    let hint = hint(&cause);
    let error = Error::database(format!("{doing}: {cause}")).with_cause(cause);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn hint(cause: &rusqlite::Error) -> Option<&'static str> {
    let message = cause.to_string();
    if message.contains("no such collation sequence") {
        return Some(
            "the application that made the database brings this collation along, and it is not known here; leave the \
             table out, or export its rows",
        );
    }
    if message.contains("no such function") || message.contains("unsafe use of") {
        return Some(
            "the application that made the database brings this function along, and it is not known here; leave the \
             table out, or export its rows",
        );
    }
    if cause.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CONSTRAINT_CHECK) {
        return Some(
            "nothing was changed; the target's table does not allow this row: export the rows, or replace the table",
        );
    }
    Some(match cause.sqlite_error_code()? {
        ErrorCode::NotADatabase => "the target is no SQLite database, or it is encrypted; give another path",
        ErrorCode::DatabaseCorrupt => "the target is damaged; run PRAGMA integrity_check, or restore into a new file",
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another program uses the target; run the command again when it has finished"
        }
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            "check that this user may write the target and its folder"
        }
        ErrorCode::DiskFull => "free space on that disk and run the command again",
        ErrorCode::ConstraintViolation => {
            "nothing was changed; the rows conflict with each other, or with those that the target has"
        }
        ErrorCode::OutOfMemory => "one row group must fit in memory, its largest value three times",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32, message: Option<&str>) -> Error {
        failure("creating table x", rusqlite::Error::SqliteFailure(ffi::Error::new(code), message.map(str::to_owned)))
    }

    #[test]
    fn what_a_user_can_act_on_has_a_hint() {
        for code in [ffi::SQLITE_NOTADB, ffi::SQLITE_BUSY, ffi::SQLITE_FULL, ffi::SQLITE_CONSTRAINT_UNIQUE] {
            assert!(error(code, None).hint().is_some(), "{code}");
        }
        let missing = error(ffi::SQLITE_ERROR, Some("no such collation sequence: german"));
        assert!(missing.message().contains("german") && missing.hint().is_some_and(|hint| hint.contains("collation")));
        assert!(error(ffi::SQLITE_ERROR, Some("near x: syntax error")).hint().is_none());
        assert!(error(ffi::SQLITE_INTERRUPT, None).is_interrupted());
    }
}
