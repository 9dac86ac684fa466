//! Errors, hints and warnings.

use std::io::{self, Write};

use serde_json::{Value as Json, json};
use tabark::Error;

use super::json;
use super::text::visible;
use crate::exit::{Exit, Failure};

/// Tells of a failure on standard error, and on standard output too if JSON is wanted. `exit` is what the program will end with.
pub(crate) fn report(failure: &Failure, exit: Exit, as_json: bool, out: &mut dyn Write) {
    let (message, hint) = match failure {
        Failure::Operation(error) | Failure::Usage(error) => (error.to_string(), error.hint().map(str::to_owned)),
        Failure::Output(error) => (format!("writing standard output: {error}"), None),
    };
    say("error", &message);
    if let Some(hint) = &hint {
        say("hint", hint);
    }
    if as_json {
        let mut error = match failure {
            Failure::Operation(error) => describe(error),
            Failure::Usage(error) => with_kind("usage", describe(error)),
            Failure::Output(_) => with_kind("io", describe(&Error::request(message))),
        };
        if let Json::Object(fields) = &mut error {
            fields.insert("exit_code".into(), json!(exit.code()));
        }
        // Whoever cannot be told on standard output was told on standard error.
        let _ = json::write(out, &json!({ "error": error }));
    }
}

/// An error as JSON.
pub(crate) fn describe(error: &Error) -> Json {
    json!({
        "kind": kind(error),
        "message": error.message(),
        "table": error.table(),
        "offset": error.offset(),
        "layer": error.layer().map(tabark::Layer::name),
        "hint": error.hint(),
    })
}

fn with_kind(kind: &str, mut error: Json) -> Json {
    if let Json::Object(fields) = &mut error {
        fields.insert("kind".into(), json!(kind));
    }
    error
}

fn kind(error: &Error) -> &'static str {
    if error.is_damaged() {
        "damaged"
    } else if error.is_unsupported() {
        "unsupported"
    } else if error.is_not_proven() {
        "not_proven"
    } else if error.is_database() {
        "database"
    } else if error.is_interrupted() {
        "interrupted"
    } else if error.is_io() {
        "io"
    } else {
        "request"
    }
}

/// Warns on standard error.
pub(crate) fn warn(message: &str) {
    say("warning", message);
}

/// Warns that the archive has bytes that belong to no snapshot.
pub(crate) fn warn_of_tail(tail: u64) {
    if tail > 0 {
        warn(&format!("{tail} bytes after the last commit belong to no snapshot; `tabark verify` tells more"));
    }
}

/// A closed standard error is no reason to stop.
fn say(what: &str, message: &str) {
    let _ = writeln!(io::stderr().lock(), "{what}: {}", visible(message));
}
