//! Settings of a database that has no content yet: those that must be there before its first page, and those in it.

use rusqlite::Connection;

use super::chosen::contradiction;
use super::failure::failure;
use crate::error::{Error, Result};

/// Settings that take effect with a database's first page, in the order in which they must be set.
const BEFORE_FIRST_PAGE: [&str; 3] = ["page_size", "encoding", "auto_vacuum"];

/// Settings that are written into the first page.
const IN_FIRST_PAGE: [&str; 2] = ["application_id", "user_version"];

/// Sets what must be set before anything is written.
pub(super) fn set_before_first_page(connection: &Connection, settings: &[(String, String)]) -> Result<()> {
    for (name, _) in settings {
        let name = name.as_str();
        if name != "journal_mode" && !BEFORE_FIRST_PAGE.contains(&name) && !IN_FIRST_PAGE.contains(&name) {
            return Err(Error::unsupported(format!("the snapshot has a setting \"{name}\"")));
        }
    }
    set(connection, settings, &BEFORE_FIRST_PAGE)
}

/// Sets what is written into the first page; with it the page is made, even if nothing else is.
pub(super) fn set_in_first_page(connection: &Connection, settings: &[(String, String)]) -> Result<()> {
    set(connection, settings, &IN_FIRST_PAGE)
}

/// Had the source a write-ahead log?
pub(super) fn wants_log(settings: &[(String, String)]) -> bool {
    value(settings, "journal_mode") == Some("wal")
}

/// Turns the write-ahead log on if the source had it. Outside of any transaction.
pub(super) fn set_journal_mode(connection: &Connection, settings: &[(String, String)]) -> Result<()> {
    if !wants_log(settings) {
        return Ok(());
    }
    let mode: String = connection
        .query_row("PRAGMA main.journal_mode = WAL", [], |row| row.get(0))
        .map_err(|cause| failure("turning the write-ahead log on", cause))?;
    if mode == "wal" { Ok(()) } else { Err(Error::database(format!("the journal mode stayed {mode}"))) }
}

/// Compares what was set before and in the first page with what the database now says.
pub(super) fn check(connection: &Connection, settings: &[(String, String)]) -> Result<()> {
    for name in BEFORE_FIRST_PAGE.into_iter().chain(IN_FIRST_PAGE) {
        let Some(wanted) = value(settings, name) else { continue };
        let found: rusqlite::types::Value = connection
            .query_row(&format!("PRAGMA main.{name}"), [], |row| row.get(0))
            .map_err(|cause| failure("reading the settings back", cause))?;
        let found = match found {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            _ => String::new(),
        };
        if found != wanted {
            return Err(Error::not_proven(format!("the target's {name} is {found}, the snapshot's {wanted}")));
        }
    }
    Ok(())
}

fn set(connection: &Connection, settings: &[(String, String)], names: &[&str]) -> Result<()> {
    for name in names {
        let Some(value) = value(settings, name) else { continue };
        // The value becomes part of a statement: nothing but a number, or one of three words.
        let is_word = *name == "encoding" && ["UTF-8", "UTF-16le", "UTF-16be"].contains(&value);
        if !is_word && (*name == "encoding" || value.parse::<i32>().is_err()) {
            return Err(contradiction(format!("the snapshot's {name} is said to be \"{value}\"")));
        }
        connection
            .execute_batch(&format!("PRAGMA main.{name} = '{value}'"))
            .map_err(|cause| failure(format_args!("setting {name}"), cause))?;
    }
    Ok(())
}

fn value<'s>(settings: &'s [(String, String)], name: &str) -> Option<&'s str> {
    settings.iter().find(|(setting, _)| setting == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_set_is_checked() {
        let connection = Connection::open_in_memory().unwrap();
        let wanted = settings(&[
            ("application_id", "-7"),
            ("auto_vacuum", "2"),
            ("encoding", "UTF-16be"),
            ("page_size", "1024"),
            ("user_version", "-2147483648"),
        ]);
        set_before_first_page(&connection, &wanted).unwrap();
        set_in_first_page(&connection, &wanted).unwrap();
        check(&connection, &wanted).unwrap();
        for (name, other) in [("page_size", "4096"), ("encoding", "UTF-8"), ("user_version", "0")] {
            assert!(check(&connection, &settings(&[(name, other)])).unwrap_err().is_not_proven(), "{name}");
        }
    }

    #[test]
    fn nothing_but_values_becomes_part_of_a_statement() {
        let connection = Connection::open_in_memory().unwrap();
        for (name, value) in [
            ("page_size", "4096; DROP TABLE t"),
            ("page_size", "1e3"),
            ("encoding", "UTF-7"),
            ("encoding", "1"),
            ("user_version", "99999999999"),
            ("writable_schema", "1"),
        ] {
            let settings = settings(&[(name, value)]);
            let result =
                set_before_first_page(&connection, &settings).and_then(|()| set_in_first_page(&connection, &settings));
            assert!(result.is_err(), "{name} = {value}");
        }
    }
}
