//! Connection strings of the form `key=value key='other value'`.

use std::iter::Peekable;
use std::str::Chars;

use super::parameters::Parameters;
use crate::error::{Error, Result};

/// Reads a string of keys and values. The last value of a key counts.
pub(super) fn parse(text: &str, parameters: &mut Parameters) -> Result<()> {
    pairs(text)?.into_iter().try_for_each(|(key, value)| parameters.set(&key, value))
}

/// A string without its passwords, and the last of them, if it can be read and has one.
pub(super) fn split_password(text: &str) -> Option<(String, String)> {
    let (passwords, others): (Vec<_>, Vec<_>) = pairs(text).ok()?.into_iter().partition(|(key, _)| key == "password");
    let (_, password) = passwords.into_iter().next_back().filter(|(_, password)| !password.is_empty())?;
    let others: Vec<String> = others.iter().map(|(key, value)| format!("{key}={}", quoted(value))).collect();
    Some((others.join(" "), password))
}

/// A value in quotes.
pub(super) fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn pairs(text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|c| is_blank(*c)).is_some() {}
        if rest.peek().is_none() {
            return Ok(pairs);
        }
        let mut key = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !is_blank(*c)) {
            key.push(c);
        }
        while rest.next_if(|c| is_blank(*c)).is_some() {}
        if rest.next() != Some('=') {
            // What stands there is not repeated: it may be the end of a password with a blank in it.
            return Err(malformed("a word is not followed by \"=\" and a value"));
        }
        while rest.next_if(|c| is_blank(*c)).is_some() {}
        pairs.push((key, value(&mut rest)?));
    }
}

/// The value that stands next.
fn value(rest: &mut Peekable<Chars<'_>>) -> Result<String> {
    let mut value = String::new();
    let quoted = rest.next_if_eq(&'\'').is_some();
    loop {
        match rest.next() {
            Some('\\') => value.extend(rest.next()),
            Some('\'') if quoted => return Ok(value),
            Some(c) if !quoted && is_blank(c) => return Ok(value),
            Some(c) => value.push(c),
            None if quoted => return Err(malformed("a quote is not closed")),
            None => return Ok(value),
        }
    }
}

/// What C's `isspace` takes for a blank.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

fn malformed(what: &str) -> Error {
    Error::request(format!("the connection string cannot be read: {what}"))
        .with_hint("write key=value pairs; quote values that hold blanks: password='two words'")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Parameters> {
        let mut parameters = Parameters::default();
        parse(text, &mut parameters).map(|()| parameters)
    }

    #[test]
    fn values_are_read_as_libpq_reads_them() {
        let cases: [(&str, &str, Option<&str>); 14] = [
            ("", "host", None),
            ("   ", "host", None),
            ("host=db", "host", Some("db")),
            (" host = db port=1", "host", Some("db")),
            ("host=db host=other", "host", Some("other")),
            ("host=''", "host", Some("")),
            ("host= port=5", "host", Some("port=5")),
            ("password='two words' host=a", "password", Some("two words")),
            (r"password='it\'s' host=a", "password", Some("it's")),
            (r"password=a\ b host=a", "password", Some("a b")),
            (r"password=a\\b", "password", Some(r"a\b")),
            ("password=a'b", "password", Some("a'b")),
            ("password=a=b", "password", Some("a=b")),
            ("dbname='名 前'\tport=5", "dbname", Some("名 前")),
        ];
        for (text, key, value) in cases {
            assert_eq!(parsed(text).unwrap().get(key), value, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_repeating_it() {
        for text in ["host", "password=two w0rds", "password='open", "host=a secret", "=x", "password=a secret=b"] {
            let Err(refused) = parsed(text) else { panic_on(text) };
            for word in ["w0rds", "open", "secret"] {
                assert!(!format!("{refused:?}").contains(word), "{refused:?}");
            }
        }
    }

    #[expect(clippy::panic, reason = "tests")]
    fn panic_on(text: &str) -> ! {
        panic!("{text} was read")
    }
}
