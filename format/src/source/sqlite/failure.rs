//! SQLite's errors as the library's: what was being done, what SQLite says, and what to do about it.

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::Error;

/// An error of SQLite while doing what `doing` says ("reading rows").
pub(super) fn failure(doing: &str, cause: rusqlite::Error) -> Error {
    let advice = match &cause {
        rusqlite::Error::SqliteFailure(code, _) => advice(code),
        _ => None,
    };
    let (explanation, hint) = match advice {
        Some((explanation, hint)) => (Some(explanation), Some(hint)),
        None => (None, None),
    };
    let message = match explanation {
        Some(explanation) => format!("{doing}: {explanation} ({cause})"),
        None => format!("{doing}: {cause}"),
    };
    let error = Error::database(message).with_cause(cause);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// What an error code means for someone who reads a database, and what they can do.
fn advice(code: &ffi::Error) -> Option<(&'static str, &'static str)> {
    let by_extended_code = match code.extended_code {
        ffi::SQLITE_READONLY_ROLLBACK => Some((
            "a writer stopped in the middle of a transaction and left a hot journal, which only a writer can roll back",
            "open the database once with its application or with sqlite3, which rolls the journal back, and run the \
             command again; a source is never written to",
        )),
        ffi::SQLITE_READONLY_RECOVERY
        | ffi::SQLITE_READONLY_CANTINIT
        | ffi::SQLITE_READONLY_CANTLOCK
        | ffi::SQLITE_READONLY_DIRECTORY => Some((WAL_NEEDS_FILES, WAL_HINT)),
        _ => None,
    };
    by_extended_code.or(match code.code {
        ErrorCode::NotADatabase => Some((
            "this is not an SQLite database, or it is encrypted",
            "check the path; an encrypted database must be read with the program that encrypts it",
        )),
        ErrorCode::DatabaseCorrupt => Some((
            "the database is damaged",
            "run PRAGMA integrity_check; sqlite3's .recover saves what can be read into a new database",
        )),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some((
            "another program kept the database locked",
            "run the command again when that program has finished its transaction",
        )),
        // The file itself was there and readable (that is checked first), so what cannot be opened stands beside it.
        ErrorCode::CannotOpen => Some((WAL_NEEDS_FILES, WAL_HINT)),
        ErrorCode::OutOfMemory => Some(("out of memory", "one row must fit in memory, its largest value twice")),
        _ => None,
    })
}

const WAL_NEEDS_FILES: &str =
    "SQLite cannot open the files it needs beside the database; one in WAL mode needs its -shm and -wal";
const WAL_HINT: &str = "make the directory writable for this user, or copy the database together with its -wal file to one \
                        that is, and read the copy";

#[cfg(test)]
mod tests {
    use super::*;

    fn error(extended_code: i32) -> Error {
        failure("reading rows", rusqlite::Error::SqliteFailure(ffi::Error::new(extended_code), None))
    }

    #[test]
    fn what_a_user_can_act_on_has_a_hint() {
        for code in [
            ffi::SQLITE_READONLY_ROLLBACK,
            ffi::SQLITE_READONLY_RECOVERY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_CORRUPT_INDEX,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_NOMEM,
        ] {
            let error = error(code);
            assert!(error.is_database() && error.hint().is_some(), "{error}");
            assert!(error.message().starts_with("reading rows: "), "{error}");
        }
        assert!(error(ffi::SQLITE_ERROR).hint().is_none());
    }
}
