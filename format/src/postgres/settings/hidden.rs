//! Taking a password out of a connection string, and putting it back: a program's arguments can be read by everyone on the
//! machine, so a password must not stay in one.

use super::{conninfo, uri};

/// A connection string without its password, and the password, if it has one. What comes back means the same as before
/// with [`with_password`].
pub fn without_password(conninfo: &str) -> Option<(String, String)> {
    match uri::behind_scheme(conninfo) {
        Some(rest) => {
            let scheme = conninfo.strip_suffix(rest)?;
            let (rest, password) = uri::split_password(rest)?;
            Some((format!("{scheme}{rest}"), password))
        }
        None => conninfo::split_password(conninfo),
    }
}

/// A connection string with a password, which goes before any other that it has.
pub fn with_password(conninfo: &str, password: &str) -> String {
    if uri::behind_scheme(conninfo).is_none() {
        return format!("{conninfo} password={}", conninfo::quoted(password));
    }
    let mark = if conninfo.contains('?') { '&' } else { '?' };
    let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("{conninfo}{mark}password={encoded}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::postgres::settings::ConnectionSettings;

    #[test]
    fn the_password_and_nothing_else_goes() {
        let cases = [
            ("postgres://u:p@h/db", "postgres://u@h/db", "p"),
            ("postgresql://u:p%40q@h:1,i/db?sslmode=require", "postgresql://u@h:1,i/db?sslmode=require", "p@q"),
            ("postgres://u@h/db?password=p&port=1", "postgres://u@h/db?port=1", "p"),
            ("postgres://u:a@h/db?port=1&password=b", "postgres://u@h/db?port=1", "b"),
            ("postgres://h?password=p", "postgres://h", "p"),
            ("postgres://:p@h", "postgres://@h", "p"),
            ("host=h password=p user=u", "host='h' user='u'", "p"),
            ("password='a b' host='it\\'s'", "host='it\\'s'", "a b"),
            ("password=a password=b", "", "b"),
        ];
        for (whole, without, password) in cases {
            let taken = without_password(whole).unwrap();
            assert_eq!(taken, (without.to_owned(), password.to_owned()), "{whole}");
        }
        for none in ["postgres://u@h/db", "host=h", "", "postgres://u:@h", "app.sqlite", "password=", "password=p x"] {
            assert_eq!(without_password(none), None, "{none}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_taken_out_can_be_put_back(password in "\\PC{1,12}", host in "[a-z]{1,8}", in_query: bool) {
            let encoded: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let uri = if in_query { format!("postgres://u@{host}/db?password={encoded}&port=7") }
                else { format!("postgres://u:{encoded}@{host}/db?port=7") };
            let pairs = format!("user=u password={} host={host} dbname=db port=7", conninfo::quoted(&password));
            for whole in [uri, pairs] {
                let (without, taken) = without_password(&whole).unwrap();
                proptest::prop_assert_eq!(&taken, &password);
                proptest::prop_assert_eq!(without_password(&without), None);
                let again = ConnectionSettings::parse(&with_password(&without, &taken)).unwrap();
                let first = ConnectionSettings::parse(&whole).unwrap();
                proptest::prop_assert_eq!(format!("{again:?}"), format!("{first:?}"));
                let password_of = |settings: &ConnectionSettings| settings.endpoints.first().unwrap().password.clone().unwrap();
                proptest::prop_assert_eq!(password_of(&again), password_of(&first));
            }
        }
    }
}
