//! Connection strings of the form `postgresql://user:password@host:port/database?parameter=value`.

use super::parameters::Parameters;
use crate::error::{Error, Result};

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// The part of a text behind the scheme of a PostgreSQL URI, if it is one.
pub(super) fn behind_scheme(text: &str) -> Option<&str> {
    SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// Reads what stands behind the scheme.
///
/// No part of it is ever repeated in an error: with a character that is not encoded, a password reaches into every part.
pub(super) fn parse(text: &str, parameters: &mut Parameters) -> Result<()> {
    let (credentials, text) = credentials(text);
    let (before_query, query) = text.split_once('?').map_or((text, None), |(before, query)| (before, Some(query)));
    let (hosts, database) =
        before_query.split_once('/').map_or((before_query, None), |(hosts, path)| (hosts, Some(path)));
    if hosts.contains('@') || database.is_some_and(|database| database.contains('@')) {
        return Err(malformed("it has an \"@\" where none can be"));
    }
    if let Some(credentials) = credentials {
        let (user, password) =
            credentials.split_once(':').map_or((credentials, None), |(user, password)| (user, Some(password)));
        store(parameters, "user", user)?;
        store(parameters, "password", password.unwrap_or_default())?;
    }
    let (names, ports) = places(hosts)?;
    store(parameters, "host", &names)?;
    store(parameters, "port", &ports)?;
    store(parameters, "dbname", database.unwrap_or_default())?;
    for pair in query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(malformed("a parameter has no \"=\""));
        };
        if value.contains('=') {
            return Err(malformed("a parameter has two \"=\""));
        }
        let (name, value) = (decoded(name)?, decoded(value)?);
        // The form that drivers of other languages know.
        let (name, value) =
            if name == "ssl" && value == "true" { ("sslmode".into(), "require".into()) } else { (name, value) };
        parameters.set(&name, value)?;
    }
    Ok(())
}

/// Who logs in, if that is said, and what stands behind it. As libpq does: it ends at the first "@" that no "/" stands before.
fn credentials(text: &str) -> (Option<&str>, &str) {
    match text.find(['@', '/']).and_then(|end| text.split_at_checked(end)) {
        Some((credentials, rest)) if rest.starts_with('@') => (Some(credentials), rest.get(1..).unwrap_or_default()),
        _ => (None, text),
    }
}

/// What stands behind the scheme without its passwords, and the one that counts, if there is one.
pub(super) fn split_password(text: &str) -> Option<(String, String)> {
    let (credentials, rest) = credentials(text);
    let (user, mut password) = match credentials.and_then(|credentials| credentials.split_once(':')) {
        Some((user, password)) => (Some(user), Some(password)),
        None => (credentials, None),
    };
    let (before_query, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
    let mut kept = Vec::new();
    for pair in query.into_iter().flat_map(|query| query.split('&')) {
        match pair.split_once('=') {
            Some((name, value)) if decoded(name).is_ok_and(|name| name == "password") => password = Some(value),
            _ => kept.push(pair),
        }
    }
    let password = decoded(password.filter(|password| !password.is_empty())?).ok()?;
    let user = user.map_or_else(String::new, |user| format!("{user}@"));
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Some((format!("{user}{before_query}{query}"), password))
}

/// Takes a part, unless it is empty: then another source may say it.
fn store(parameters: &mut Parameters, name: &str, part: &str) -> Result<()> {
    if part.is_empty() { Ok(()) } else { parameters.set(name, decoded(part)?) }
}

/// Hosts and ports, each parted by commas.
fn places(hosts: &str) -> Result<(String, String)> {
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for place in hosts.split(',') {
        let (name, port) = if let Some(address) = place.strip_prefix('[') {
            let (address, after) = address.split_once(']').ok_or_else(|| malformed("a \"[\" is not closed"))?;
            if address.is_empty() {
                return Err(malformed("there is no address between \"[\" and \"]\""));
            }
            let port = match after.strip_prefix(':') {
                Some(port) => port,
                None if after.is_empty() => "",
                None => return Err(malformed("an address in brackets is followed by something else than a port")),
            };
            (address, port)
        } else {
            place.split_once(':').unwrap_or((place, ""))
        };
        names.push(name);
        ports.push(port);
    }
    // Ports of which none is said are no list: the default is not theirs to take.
    let ports = if ports.iter().all(|port| port.is_empty()) { String::new() } else { ports.join(",") };
    Ok((names.join(","), ports))
}

/// A part with its %XX decoded.
fn decoded(part: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let value = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        match value {
            Some(0) => return Err(malformed("%00 cannot be")),
            Some(value) => bytes.push(value),
            None => return Err(malformed("a \"%\" is not followed by two hexadecimal digits")),
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed("its decoded form is no UTF-8"))
}

fn malformed(what: &str) -> Error {
    Error::request(format!("the PostgreSQL URI cannot be read: {what}")).with_hint(
        "in user, password and database write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, & as %26",
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Parameters> {
        let mut parameters = Parameters::default();
        parse(behind_scheme(text).unwrap(), &mut parameters).map(|()| parameters)
    }

    #[test]
    fn parts_are_read_as_libpq_reads_them() {
        let cases: [(&str, &[(&str, &str)]); 21] = [
            ("postgresql://", &[]),
            ("postgres:///", &[]),
            ("postgresql://localhost", &[("host", "localhost")]),
            ("postgresql://localhost:5433", &[("host", "localhost"), ("port", "5433")]),
            ("postgresql://localhost:/", &[("host", "localhost")]),
            ("postgresql://localhost/mydb", &[("host", "localhost"), ("dbname", "mydb")]),
            ("postgresql://user@localhost", &[("host", "localhost"), ("user", "user")]),
            ("postgresql://user:secret@localhost", &[("host", "localhost"), ("password", "secret"), ("user", "user")]),
            ("postgresql://:secret@h", &[("host", "h"), ("password", "secret")]),
            ("postgresql://u:a:b@h", &[("host", "h"), ("password", "a:b"), ("user", "u")]),
            ("postgresql://u:a?b@h", &[("host", "h"), ("password", "a?b"), ("user", "u")]),
            ("postgresql://u:@h", &[("host", "h"), ("user", "u")]),
            (
                "postgresql://other@localhost/otherdb?connect_timeout=10&application_name=my%20app",
                &[
                    ("application_name", "my app"),
                    ("connect_timeout", "10"),
                    ("dbname", "otherdb"),
                    ("host", "localhost"),
                    ("user", "other"),
                ],
            ),
            (
                "postgresql://host1:123,host2:456/somedb?target_session_attrs=any",
                &[("dbname", "somedb"), ("host", "host1,host2"), ("port", "123,456"), ("target_session_attrs", "any")],
            ),
            ("postgresql://a,b:2", &[("host", "a,b"), ("port", ",2")]),
            ("postgresql://[2001:db8::1234]/database", &[("dbname", "database"), ("host", "2001:db8::1234")]),
            ("postgresql://[::1]:5433,b", &[("host", "::1,b"), ("port", "5433,")]),
            ("postgresql:///dbname?host=/var/lib/postgresql", &[("dbname", "dbname"), ("host", "/var/lib/postgresql")]),
            ("postgresql://%2Fvar%2Flib%2Fpostgresql/dbname", &[("dbname", "dbname"), ("host", "/var/lib/postgresql")]),
            ("postgresql://h?ssl=true", &[("host", "h"), ("sslmode", "require")]),
            (
                "postgresql://u:%40%2f%3A%25@h/a%20b",
                &[("dbname", "a b"), ("host", "h"), ("password", "@/:%"), ("user", "u")],
            ),
        ];
        for (text, expected) in cases {
            let mut whole = Parameters::default();
            for (name, value) in expected {
                whole.set(name, (*value).to_owned()).unwrap();
            }
            assert!(parsed(text).unwrap() == whole, "{text}");
        }
    }

    #[test]
    fn a_password_that_is_not_encoded_is_refused_and_not_repeated() {
        let wrong = [
            "postgresql://u:sec@ret@host/db",
            "postgresql://u:1/secret@host/db",
            "postgresql://u:sec@ret?@host/db",
            "postgresql://u:secret%zz@host/db",
            "postgresql://u:secret%2@host/db",
            "postgresql://u:secret%00@host/db",
            "postgresql://u:secret%ff@host/db",
            "postgresql://u:x@host/db?secret",
            "postgresql://u:x@host/db?options=secret=1",
            "postgresql://u:x@[secret/db",
            "postgresql://u:x@[::1]secret/db",
            "postgresql://u:x@[]/db",
            "postgresql://u:x@h/db?secret-word=1",
        ];
        for text in wrong {
            let refused = parsed(text).err().map(|refused| format!("{refused:?}"));
            let refused = refused.unwrap_or_else(|| format!("sec was read: {text}"));
            assert!(!refused.contains("sec") && !refused.contains("ret@"), "{refused}");
        }
    }

    #[test]
    fn only_the_two_schemes_are_meant() {
        for text in ["postgres:/x", "mysql://h", "POSTGRES://h", "host=a", "/tmp/postgres://x", ""] {
            assert_eq!(behind_scheme(text), None, "{text}");
        }
    }
}
