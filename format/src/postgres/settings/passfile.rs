//! `.pgpass`: lines of `host:port:database:user:password`.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::files;
use super::parameters::Parameters;
use super::password::Password;
use crate::error::Result;

/// A file of passwords, read once. A line is looked up for each server.
pub(super) struct Passfile {
    path: PathBuf,
    text: String,
}

impl Passfile {
    /// The file that is named, or the one at home; nothing if there is none, or if it is not as private as it must be,
    /// which a warning then says.
    pub(super) fn open(
        parameters: &Parameters,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Self>> {
        let named = parameters.said("passfile").map(PathBuf::from);
        let Some(path) = named.or_else(|| environment.at_home(".pgpass")) else { return Ok(None) };
        let shown = path.display();
        let text = files::text(&path, |metadata| {
            if !metadata.is_file() {
                warnings.push(format!("{shown} is no plain file; no password is read from it"));
                return false;
            }
            if files::is_open_to_others(metadata) {
                warnings.push(format!(
                    "{shown} can be read by others; no password is read from it (make it private: chmod 0600)"
                ));
                return false;
            }
            true
        })?;
        Ok(text.map(|text| Self { path, text }))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The password of the first line that fits.
    pub(super) fn password(&self, host: &str, port: u16, database: &str, user: &str) -> Option<Password> {
        let port = port.to_string();
        let wanted = [host, &port, database, user];
        let found = self.text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let mut rest = line;
            for wanted in wanted {
                let (field, after) = field(rest);
                // A star fits anything, an escaped one a star alone.
                let raw = rest.get(..rest.len() - after.map_or(0, |after| after.len() + 1)).unwrap_or_default();
                if raw != "*" && field != wanted {
                    return None;
                }
                rest = after?;
            }
            Some(field(rest).0)
        });
        // A line without a password says that there is none.
        found.filter(|password| !password.is_empty()).map(Password::new)
    }
}

/// The field that a line begins with, its escapes taken away, and what stands behind its colon.
fn field(line: &str) -> (String, Option<&str>) {
    let mut value = String::new();
    let mut rest = line.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            ':' => return (value, line.get(at + 1..)),
            '\\' => value.push(rest.next().map_or('\\', |(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    (value, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let text = "# comment:1:a:b:no\n\
            short:5432:db\n\
            db.example:5432:shop:ana:one\n\
            db.example:*:shop:ana:two\n\
            \\:\\:1:5432:*:*:six\n\
            localhost:5432:a\\\\b:*:back\\\\slash\\:colon\n\
            \\*:5432:*:*:star\n\
            empty:*:*:*:\n\
            cut:*:*:*:after:rest\n\
            *:*:*:ana:any\r\n";
        let file = Passfile { path: "p".into(), text: text.into() };
        let cases = [
            (("db.example", 5432, "shop", "ana"), Some("one")),
            (("db.example", 5433, "shop", "ana"), Some("two")),
            (("db.example", 5433, "other", "ana"), Some("any")),
            (("db.example", 5433, "other", "bo"), None),
            (("::1", 5432, "x", "bo"), Some("six")),
            (("localhost", 5432, "a\\b", "bo"), Some("back\\slash:colon")),
            (("*", 5432, "x", "bo"), Some("star")),
            (("anything", 5432, "x", "bo"), None),
            (("empty", 1, "x", "ana"), None),
            (("cut", 1, "x", "bo"), Some("after")),
            (("short", 5432, "db", "bo"), None),
        ];
        for ((host, port, database, user), expected) in cases {
            let found = file.password(host, port, database, user);
            assert_eq!(found.as_ref().map(Password::reveal), expected, "{host}:{port}:{database}:{user}");
        }
    }
}
