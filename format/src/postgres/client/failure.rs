//! What a server refuses, in the library's own words.

use crate::error::Error;

/// The error for a statement that failed. The statement is not repeated: it may hold values.
pub(super) fn failure(doing: &str, cause: &tokio_postgres::Error) -> Error {
    let Some(server) = cause.as_db_error() else {
        return Error::database(format!("the connection to the server failed: {cause}"));
    };
    let _ = doing;
    let mut error = Error::database(format!("{} (SQLSTATE {})", server.message(), server.code().code()));
    if let Some(detail) = server.detail() {
        error = error.noting(format_args!("{detail}"));
    }
    match server.hint() {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
