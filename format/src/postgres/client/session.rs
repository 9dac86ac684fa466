//! What every session is made to be, so that no setting of a server, database or role changes what is read or written.

use super::TextRow;
use crate::error::{Error, Result};
use crate::postgres::settings::SessionKind;

/// The oldest server that is spoken to.
const OLDEST: u32 = 13;

/// Settings of every session.
const PINS: [(&str, &str); 25] = [
    // Every name is qualified. What others put into a schema must never stand in for something else.
    ("search_path", ""),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    // The form in which money is printed and read, where it comes as text: in arrays and in composites.
    ("lc_monetary", "C"),
    ("xmloption", "content"),
    // Where policies would hide rows, the server refuses to read.
    ("row_security", "off"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    // Rows in physical order must come in it.
    ("synchronize_seqscans", "off"),
    ("standard_conforming_strings", "on"),
    ("quote_all_identifiers", "off"),
    // Functions may be made before what their bodies name.
    ("check_function_bodies", "off"),
    ("jit", "off"),
    // A table whose definition names no method has this one.
    ("default_table_access_method", "heap"),
    // What would make other values or expressions of the same text.
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    ("backslash_quote", "safe_encoding"),
    ("xmlbinary", "base64"),
    ("default_transaction_deferrable", "off"),
    ("default_transaction_isolation", "read committed"),
    ("client_min_messages", "warning"),
];

/// Settings that came with a version.
const NEWER_PINS: [(u32, &str, &str); 2] = [(14, "idle_session_timeout", "0"), (17, "transaction_timeout", "0")];

/// Settings that came with minor versions too.
const PINS_WHERE_KNOWN: [(&str, &str); 1] = [("restrict_nonsystem_relation_kind", "view, foreign-table")];

/// What is known of a session once it is pinned.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// 150018 is 15.18.
    pub(super) version: u32,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) encoding: String,
    pub(super) is_standby: bool,
    pub(super) is_read_only: bool,
}

/// The major version out of what a server says of itself: "15.18 (Debian …)", "18beta1", "17devel".
pub(super) fn major(version: &str) -> Option<u32> {
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Refuses servers that are too old, before a statement could fail that they do not know.
pub(super) fn check_version(version: &str) -> Result<u32> {
    let major =
        major(version).ok_or_else(|| Error::database("the server does not say its version, as PostgreSQL does"))?;
    if major < OLDEST {
        let shown: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        return Err(Error::database(format!("the server is PostgreSQL {shown}, which is too old"))
            .with_hint(format!("PostgreSQL {OLDEST} and newer are supported")));
    }
    Ok(major)
}

/// One statement that pins all settings and asks what [`Session`] tells.
pub(super) fn statement(major: u32, encoding: &str) -> String {
    let mut sql = String::from(
        "SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_database(), current_user, \
         pg_catalog.current_setting('server_encoding'), pg_catalog.pg_is_in_recovery(), \
         pg_catalog.current_setting('transaction_read_only')",
    );
    let newer = NEWER_PINS.into_iter().filter(|(since, ..)| major >= *since).map(|(_, name, value)| (name, value));
    // A database without an encoding gives any bytes: only a client without one is given them as they are.
    let encoding = if encoding == "SQL_ASCII" { "SQL_ASCII" } else { "UTF8" };
    for (name, value) in PINS.into_iter().chain(newer).chain([("client_encoding", encoding)]) {
        sql.push_str(&format!(", pg_catalog.set_config('{name}', '{value}', false)"));
    }
    for (name, value) in PINS_WHERE_KNOWN {
        sql.push_str(&format!(
            ", CASE WHEN pg_catalog.current_setting('{name}', true) IS NOT NULL \
             THEN pg_catalog.set_config('{name}', '{value}', false) END"
        ));
    }
    sql
}

impl Session {
    /// What the answer to [`statement`] says.
    pub(super) fn of(row: &TextRow) -> Result<Self> {
        Ok(Self {
            version: row.number(0)?,
            database: row.text(1).to_owned(),
            user: row.text(2).to_owned(),
            encoding: row.text(3).to_owned(),
            is_standby: row.is_true(4),
            is_read_only: row.text(5) == "on",
        })
    }
}

impl Session {
    /// Why it is not the kind of session that is looked for, if it is not.
    pub(super) fn is_unfit_for(&self, kind: SessionKind) -> Option<&'static str> {
        match kind {
            SessionKind::ReadWrite if self.is_read_only => Some("the session takes no changes"),
            SessionKind::ReadOnly if !self.is_read_only => Some("the session takes changes"),
            SessionKind::Primary if self.is_standby => Some("the server is a standby"),
            SessionKind::Standby if !self.is_standby => Some("the server is no standby"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        let cases = [
            ("15.18 (Debian 15.18-0+deb12u1)", Some(15)),
            ("18beta1", Some(18)),
            ("17devel", Some(17)),
            ("9.6.24", Some(9)),
            ("", None),
            ("x", None),
        ];
        for (version, expected) in cases {
            assert_eq!(major(version), expected, "{version}");
        }
        let old = check_version("12.22 (Debian)").err().map(|error| error.to_string());
        assert_eq!(old.as_deref(), Some("the server is PostgreSQL 12.22, which is too old"));
    }

    #[test]
    fn a_version_is_told_only_what_it_knows() {
        assert!(!statement(13, "UTF8").contains("idle_session_timeout"));
        assert!(statement(14, "UTF8").contains("'idle_session_timeout'"));
        assert!(!statement(16, "UTF8").contains("'transaction_timeout'"));
        assert!(statement(17, "LATIN1").contains("('transaction_timeout', '0', false)"));
        assert!(statement(17, "LATIN1").contains("('client_encoding', 'UTF8', false)"));
        assert!(statement(17, "SQL_ASCII").contains("('client_encoding', 'SQL_ASCII', false)"));
    }
}
