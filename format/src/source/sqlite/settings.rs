//! What a database says of itself: its encoding and the settings that a restore must repeat (`spec/format.md` §8.1).

use rusqlite::Connection;

use super::failure::failure;
use super::types::TextEncoding;
use crate::error::{Error, Result};
use crate::model::SourceDescription;

/// The database `main` of this connection, and the encoding of its texts. `name` is the name of its file, without path.
pub(super) fn describe(connection: &Connection, name: String) -> Result<(SourceDescription, TextEncoding)> {
    let encoding = text(connection, "encoding")?;
    let known = TextEncoding::from_name(&encoding)
        .ok_or_else(|| Error::database(format!("reading the settings: unknown text encoding {encoding}")))?;
    // Other modes than WAL are the connection's, not the file's; to every reader of the file they are "delete".
    let journal_mode = if text(connection, "journal_mode")? == "wal" { "wal" } else { "delete" };
    let settings = [
        ("application_id", number(connection, "application_id")?),
        ("auto_vacuum", number(connection, "auto_vacuum")?),
        ("encoding", encoding),
        ("journal_mode", journal_mode.to_owned()),
        ("page_size", number(connection, "page_size")?),
        ("user_version", number(connection, "user_version")?),
    ];
    let description = SourceDescription {
        engine: "sqlite".to_owned(),
        engine_version: rusqlite::version().to_owned(),
        name,
        settings: settings.into_iter().map(|(setting, value)| (setting.to_owned(), value)).collect(),
    };
    Ok((description, known))
}

fn text(connection: &Connection, pragma: &str) -> Result<String> {
    read(connection, pragma)
}

fn number(connection: &Connection, pragma: &str) -> Result<String> {
    read::<i64>(connection, pragma).map(|value| value.to_string())
}

fn read<T: rusqlite::types::FromSql>(connection: &Connection, pragma: &str) -> Result<T> {
    connection
        .query_row(&format!("PRAGMA main.{pragma}"), [], |row| row.get(0))
        .map_err(|cause| failure("reading the settings", cause))
}
