//! Rows of databases that have no encoding, whose texts and names may be any bytes.

use super::{Client, TextRow};
use crate::error::Result;

impl Client {
    /// The rows that a query gives, by way of COPY, which gives texts as bytes. What is no UTF-8 becomes U+FFFD: whoever
    /// wants to keep such a text looks for that.
    pub(super) fn marked_rows(&mut self, query: &str) -> Result<Vec<TextRow>> {
        let mut read = Vec::new();
        self.copy_out(&format!("COPY ({query}) TO STDOUT"), &mut |piece| {
            read.extend_from_slice(piece);
            Ok(())
        })?;
        let lines = read.strip_suffix(b"\n").map(|all| all.split(|byte| *byte == b'\n'));
        let row = |line: &[u8]| TextRow(line.split(|byte| *byte == b'\t').map(field).collect());
        Ok(lines.into_iter().flatten().map(row).collect())
    }
}

/// A field of COPY TEXT; `None` for a null.
fn field(escaped: &[u8]) -> Option<String> {
    if escaped == b"\\N" {
        return None;
    }
    let mut text = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.iter().copied();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next()? {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 11,
                other => other,
            },
            byte => byte,
        });
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// What stands in the place of bytes that are no character.
const MARK: char = char::REPLACEMENT_CHARACTER;

/// Was something in this text no character?
pub(crate) fn is_marked(text: &str) -> bool {
    text.contains(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_copy_writes_them() {
        assert_eq!(field(b"\\N"), None);
        assert_eq!(field(b"a\\tb\\\\N\\n").as_deref(), Some("a\tb\\N\n"));
        assert_eq!(field(b"caf\xe9").as_deref(), Some("caf\u{FFFD}"));
        assert!(is_marked("caf\u{FFFD}") && !is_marked("café"));
    }
}
