//! Choosing tables by patterns, and telling near misses.

use glob::{MatchOptions, Pattern};

use crate::error::{Error, Result};
use crate::model::TableSchema;

/// Names are matched as they are: case matters, and no character is special but the pattern's own.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: false, require_literal_leading_dot: false };

/// Most names that an error suggests.
const SUGGESTIONS: usize = 3;

/// Patterns of tables to take and to leave. A pattern is a glob: `*`, `?`, `[a-z]`, `[!a-z]`; a name that is equal to the
/// pattern to the letter matches too, so that names with such characters can be given as they are.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    include: Vec<NamePattern>,
    exclude: Vec<NamePattern>,
}

#[derive(Debug, Clone)]
struct NamePattern {
    text: String,
    glob: Option<Pattern>,
}

impl NamePattern {
    fn new(text: &str) -> Result<Self> {
        if let Some((schema, _)) = text.split_once('.')
            && (schema.eq_ignore_ascii_case("temp") || schema.eq_ignore_ascii_case("main"))
        {
            return Err(Error::request(format!("\"{text}\" names a schema; only tables of the main one are kept"))
                .with_hint("write the table's name alone"));
        }
        // What is no valid glob can still be a table's exact name.
        Ok(Self { text: text.to_owned(), glob: Pattern::new(text).ok() })
    }

    fn matches(&self, name: &str) -> bool {
        self.text == name || self.glob.as_ref().is_some_and(|glob| glob.matches_with(name, OPTIONS))
    }
}

impl Selection {
    /// Takes what any of `include` matches (everything if there is none), less what any of `exclude` matches.
    pub fn new<T: AsRef<str>>(include: &[T], exclude: &[T]) -> Result<Self> {
        let patterns = |texts: &[T]| texts.iter().map(|text| NamePattern::new(text.as_ref())).collect::<Result<_>>();
        Ok(Self { include: patterns(include)?, exclude: patterns(exclude)? })
    }

    /// Takes everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Is nothing left out?
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Is a table, or other object, of this name taken?
    pub fn takes(&self, name: &str) -> bool {
        let included = self.include.is_empty() || self.include.iter().any(|pattern| pattern.matches(name));
        included && !self.exclude.iter().any(|pattern| pattern.matches(name))
    }

    /// Is this table taken? The storage of a virtual table goes with the virtual table.
    pub fn takes_table(&self, table: &TableSchema) -> bool {
        self.takes(&table.name) || table.option("virtual_table").is_some_and(|name| self.takes(name))
    }

    /// Fails if a pattern matches none of the names, naming those that come close.
    pub fn check<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Result<()> {
        match self.include.iter().chain(&self.exclude).find(|p| !names.clone().any(|name| p.matches(name))) {
            Some(pattern) => Err(no_such_table(&pattern.text, names)),
            None => Ok(()),
        }
    }
}

/// The error for a name or pattern that matches nothing.
pub(crate) fn no_such_table<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Error {
    let error = Error::request(format!("no table matches \"{wanted}\""));
    match near_misses(wanted, names) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// "did you mean …?" for names that come close to the one wanted.
pub(crate) fn near_misses<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let lower = wanted.to_lowercase();
    let mut near: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let near: Vec<String> = near.iter().take(SUGGESTIONS).map(|(_, name)| format!("\"{name}\"")).collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["users", "user_sessions", "Venue [old]", "a/b"];

    fn taken(include: &[&str], exclude: &[&str]) -> Vec<&'static str> {
        let selection = Selection::new(include, exclude).unwrap();
        NAMES.into_iter().filter(|name| selection.takes(name)).collect()
    }

    #[test]
    fn globs_and_exact_names() {
        assert_eq!(taken(&[], &[]), NAMES);
        assert_eq!(taken(&["user*"], &[]), ["users", "user_sessions"]);
        assert_eq!(taken(&["user*"], &["*_sessions"]), ["users"]);
        assert_eq!(taken(&[], &["u*"]), ["Venue [old]", "a/b"]);
        assert_eq!(taken(&["Venue [old]"], &[]), ["Venue [old]"]);
        assert_eq!(taken(&["*b"], &[]), ["a/b"]);
        assert_eq!(taken(&["USERS"], &[]), Vec::<&str>::new());
    }

    #[test]
    fn what_matches_nothing_names_near_misses() {
        let check = |pattern: &str| Selection::new(&[pattern], &[]).unwrap().check(NAMES.into_iter());
        assert!(check("user*").is_ok());
        let error = check("Users").unwrap_err();
        assert!(error.is_request());
        assert!(error.hint().unwrap().contains("\"users\""));
        assert!(check("zzz").unwrap_err().hint().is_none());
        assert!(Selection::new(&["temp.users"], &[]).is_err());
        assert!(Selection::new::<&str>(&[], &["nope"]).unwrap().check(NAMES.into_iter()).is_err());
    }
}
