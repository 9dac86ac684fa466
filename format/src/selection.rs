//! Choosing tables by patterns, and telling near misses.

mod places;

use glob::{MatchOptions, Pattern};

pub use self::places::{table_and_column, table_and_expression};
use crate::error::{Error, Result};
use crate::model::{SchemaObject, TableSchema};

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
    fn new(text: &str) -> Self {
        // What is no valid glob can still be a table's exact name.
        Self { text: text.to_owned(), glob: Pattern::new(text).ok() }
    }

    /// Does it read like a table of a schema? A table can really be named so, which is why this matters only for patterns
    /// that match nothing.
    fn names_schema(&self) -> bool {
        let schema = self.text.split_once('.').map(|(schema, _)| schema);
        schema.is_some_and(|schema| ["temp", "main"].iter().any(|known| schema.eq_ignore_ascii_case(known)))
    }

    fn matches(&self, name: &str) -> bool {
        self.text == name || self.glob.as_ref().is_some_and(|glob| glob.matches_with(name, OPTIONS))
    }
}

impl Selection {
    /// Takes what any of `include` matches (everything if there is none), less what any of `exclude` matches.
    pub fn new<T: AsRef<str>>(include: &[T], exclude: &[T]) -> Result<Self> {
        let patterns = |texts: &[T]| texts.iter().map(|text| NamePattern::new(text.as_ref())).collect();
        Ok(Self { include: patterns(include), exclude: patterns(exclude) })
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
        self.takes_any(&[name])
    }

    /// Is this table taken? The storage of a virtual table goes with the virtual table, and is left out with it.
    pub fn takes_table(&self, table: &TableSchema) -> bool {
        match table.option("virtual_table") {
            Some(owner) => self.takes_any(&[&table.name, owner]),
            None => self.takes(&table.name),
        }
    }

    /// Is this object taken? What stands on a view or table goes with it, and is left out with it.
    pub fn takes_object(&self, object: &SchemaObject) -> bool {
        self.takes_any(&[&object.name, &object.table])
    }

    /// Is something taken that goes by any of these names? To leave out one of them leaves it out, so that nothing of what
    /// must not be kept comes in under another name.
    pub(crate) fn takes_any(&self, names: &[&str]) -> bool {
        let matches = |pattern: &NamePattern| names.iter().any(|name| pattern.matches(name));
        (self.include.is_empty() || self.include.iter().any(matches)) && !self.leaves_any(names)
    }

    /// Is something left out, whatever is taken, that goes by any of these names?
    pub(crate) fn leaves_any(&self, names: &[&str]) -> bool {
        self.exclude.iter().any(|pattern| names.iter().any(|name| pattern.matches(name)))
    }

    /// Fails if a pattern matches none of the names, naming those that come close.
    pub fn check<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Result<()> {
        match self.include.iter().chain(&self.exclude).find(|p| !names.clone().any(|name| p.matches(name))) {
            Some(pattern) if pattern.names_schema() => {
                let why = format!("no table matches \"{}\"; only tables of the main schema are kept", pattern.text);
                Err(Error::request(why).with_hint("write the table's name alone"))
            }
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
        assert!(check("temp.users").unwrap_err().hint().unwrap().contains("alone"));
        assert!(check("MAIN.*").unwrap_err().message().contains("main schema"));
        assert!(Selection::new::<&str>(&[], &["nope"]).unwrap().check(NAMES.into_iter()).is_err());
    }

    #[test]
    fn a_name_that_reads_like_a_schema_is_a_name() {
        let names = ["main.orders", "temp.x", "orders"];
        let selection = Selection::new(&["main.orders"], &["temp.x"]).unwrap();
        selection.check(names.into_iter()).unwrap();
        assert_eq!(names.map(|name| selection.takes(name)), [true, false, false]);
    }

    #[test]
    fn what_belongs_to_another_is_left_out_with_it() {
        let object = |name: &str, table: &str| SchemaObject {
            kind: "trigger".into(),
            name: name.into(),
            table: table.into(),
            definition: String::new(),
            position: 0,
        };
        let takes = |include: &[&str], exclude: &[&str]| {
            let selection = Selection::new(include, exclude).unwrap();
            [object("docs_content", "docs"), object("docs", "docs"), object("docs_of_others", "others")]
                .map(|object| selection.takes_object(&object))
        };
        assert_eq!(takes(&[], &["docs"]), [false, false, true]);
        assert_eq!(takes(&["docs"], &[]), [true, true, false]);
        assert_eq!(takes(&["docs"], &["docs_content"]), [false, true, false]);
        assert_eq!(takes(&["docs*"], &["docs"]), [false, false, true]);
        assert_eq!(takes(&["docs_content"], &[]), [true, false, false]);
    }
}
