//! What SQLite makes of a value when it is written to a column, by the column's affinity.

pub(super) use crate::history::affinity::Affinity;
use crate::model::Cell;
use crate::sqlite_file::whole;

impl Affinity {
    /// Would SQLite store another value than this one? (It would also take the sign of -0.0 in a REAL column, which can
    /// be kept.)
    pub(super) fn changes(self, cell: &Cell<'_>) -> bool {
        match (cell, self) {
            (_, Self::Blob) => false,
            (Cell::Integer(_), affinity) => affinity != Self::Numeric,
            (Cell::Real(_), Self::Text) => true,
            (Cell::Real(value), Self::Numeric) => whole(*value).is_some(),
            (Cell::Text(text), Self::Numeric | Self::Real) => is_number(text),
            _ => false,
        }
    }
}

/// Is a text a number to SQLite, from its first byte to its last, spaces around it left out?
fn is_number(text: &[u8]) -> bool {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    // To SQLite it ends at a NUL. But in UTF-16 a character above U+00FF makes it no number even behind that; in UTF-8,
    // where it would be one, nothing is lost by keeping it as it is.
    let (text, hidden) = text.split_at(text.iter().position(|byte| *byte == 0).unwrap_or(text.len()));
    if hidden.iter().any(|byte| *byte >= 0xC4) {
        return false;
    }
    let Some(start) = text.iter().position(|byte| !is_space(byte)) else { return false };
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(0, |last| last + 1);
    let text = text.get(start..end).unwrap_or_default();
    let text = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text);
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let before = digits(text);
    let mut rest = text.get(before..).unwrap_or_default();
    let mut any = before;
    if let Some(after) = rest.strip_prefix(b".") {
        any += digits(after);
        rest = after.get(digits(after)..).unwrap_or_default();
    }
    if any == 0 {
        return false;
    }
    let Some((b'e' | b'E', exponent)) = rest.split_first() else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rusqlite::Connection;
    use rusqlite::types::{Value, ValueRef};

    use super::*;

    #[test]
    fn values_change_where_sqlite_changes_them() {
        let types = [
            "",
            "INT",
            "INTEGER",
            "BIGINT",
            "CHARINT",
            "VARCHAR(10)",
            "TEXT",
            "CLOB",
            "BLOB",
            "REALBLOB",
            "BLOBTEXT",
            "REAL",
            "DOUBLE PRECISION",
            "FLOAT",
            "FLOATING POINT",
            "NUMERIC",
            "DECIMAL(10,5)",
            "BOOLEAN",
            "DATE",
            "ANY",
            "STRING",
            "real text",
        ];
        let texts = [
            "",
            " ",
            "1",
            " 1",
            "1 ",
            "\u{b}1\u{c}",
            "+1",
            "-1",
            "--1",
            "1.",
            ".1",
            ".",
            "1e5",
            "1e",
            "1e+",
            "1E-5",
            "1x",
            "0x10",
            "1 2",
            "1996-03-13",
            "Infinity",
            "nan",
            "9223372036854775808",
            "1_000",
            "é",
            "1\u{a0}",
            "1\0",
            "\x001",
            "1\0x",
            "1 \0",
            "-",
            "e5",
            "1.5e300",
            "1e999",
            "-0.0",
            "00",
            "1..2",
        ];
        let reals = [0.0, 1.0, 1.5, -3.0, 1e15, 1e18, 9.3e18, -9_223_372_036_854_775_808.0, f64::INFINITY, 4e-324];
        let mut values = vec![Value::Null, Value::Integer(0), Value::Integer(i64::MAX), Value::Blob(b"12".to_vec())];
        values.extend(texts.map(|text| Value::Text(text.to_owned())));
        values.extend(reals.map(Value::Real));
        let connection = Connection::open_in_memory().unwrap();
        for declared in types {
            connection.execute_batch(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t(a {declared})")).unwrap();
            for value in &values {
                connection.execute("DELETE FROM t", []).unwrap();
                connection.execute("INSERT INTO t VALUES (?1)", [value]).unwrap();
                let stored: Value = connection.query_row("SELECT a FROM t", [], |row| row.get(0)).unwrap();
                let cell = match ValueRef::from(value) {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(value) => Cell::Integer(value),
                    ValueRef::Real(value) => Cell::Real(value),
                    ValueRef::Text(text) => Cell::Text(text),
                    ValueRef::Blob(bytes) => Cell::Bytes(bytes),
                };
                let changes = Affinity::of(declared, false).changes(&cell);
                assert_eq!(changes, stored != *value, "{declared}: {value:?} became {stored:?}");
            }
        }
        assert_eq!(Affinity::of("ANY", true), Affinity::Blob);
    }
}
