//! Does the partition that a row belongs to depend on the server? What says so is how a partitioned table is partitioned.
//!
//! A hash of a number is the same everywhere. That of an enum's value is one of the value's own number in that database, that of
//! a text under some collations one of what a library makes of it, and what extensions hash nobody knows. Where it is not known to
//! be the same everywhere, it is taken to differ.

use crate::model::TableSchema;
use crate::postgres::tokens::{Kind, Token, tokens};

/// Types whose hash is the same on every server, without what they say in parentheses.
const STABLE: [&str; 21] = [
    "\"char\"",
    "bigint",
    "boolean",
    "bytea",
    "cidr",
    "date",
    "double precision",
    "inet",
    "integer",
    "interval",
    "macaddr",
    "macaddr8",
    "numeric",
    "oid",
    "real",
    "smallint",
    "time with time zone",
    "time without time zone",
    "timestamp with time zone",
    "timestamp without time zone",
    "uuid",
];

/// Types of text: their hash is that of their bytes, if no collation says another thing.
const TEXTS: [&str; 4] = ["character", "character varying", "name", "text"];

/// By what a table is partitioned.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartitionKey {
    is_hash: bool,
    /// Columns by their name; `None` for an expression, or a column with a collation or an operator class.
    parts: Vec<Option<String>>,
    /// Does the table's definition name a collation?
    has_collations: bool,
}

impl PartitionKey {
    /// As the definition of a partitioned table says it.
    pub(super) fn of(definition: &str) -> Option<Self> {
        let all = tokens(definition)?;
        let solid: Vec<&Token<'_>> = all.iter().filter(|token| token.kind != Kind::Blank).collect();
        let has_collations = solid.iter().any(|token| is_word(token, "collate"));
        let mut depth = 0_u32;
        let mut start = None;
        for (at, token) in solid.iter().enumerate() {
            match token.text {
                "(" if token.kind == Kind::Mark => depth += 1,
                ")" if token.kind == Kind::Mark => depth = depth.checked_sub(1)?,
                _ if depth == 0 && is_word(token, "partition") => {
                    start = solid.get(at + 1).filter(|by| is_word(by, "by")).map(|_| at + 2);
                }
                _ => {}
            }
        }
        let mut key = solid.into_iter().skip(start?);
        let is_hash = is_word(key.next()?, "hash");
        key.next().filter(|token| token.text == "(")?;
        Some(Self { is_hash, parts: parts(&mut key)?, has_collations })
    }

    /// Why another server may put a row of this table into another partition than the one it came from; `None` if it may not.
    pub(super) fn differs(&self, table: &TableSchema, same_encoding: bool) -> Option<String> {
        if !self.is_hash {
            return None;
        }
        self.parts.iter().find_map(|part| {
            let Some(name) = part else {
                return Some("the hash of an expression, or one that a collation or an operator class says".to_owned());
            };
            let declared = table.columns.iter().find(|column| column.name == *name)?.declared_type.as_str();
            let plain = without_parentheses(declared);
            let is_stable = STABLE.contains(&plain.as_str())
                || TEXTS.contains(&plain.as_str()) && same_encoding && !self.has_collations;
            (!is_stable).then(|| format!("the hash of \"{name}\", which is of the type {declared}"))
        })
    }
}

fn is_word(token: &Token<'_>, word: &str) -> bool {
    token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
}

/// What stands between commas, up to the parenthesis that ends it.
fn parts<'t>(key: &mut impl Iterator<Item = &'t Token<'t>>) -> Option<Vec<Option<String>>> {
    let (mut found, mut part, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    loop {
        let token = key.next()?;
        if token.kind == Kind::Mark {
            match token.text {
                "(" => depth += 1,
                ")" | "," if depth == 0 => {
                    found.push(if let [one] = part.as_slice() { Token::name(one) } else { None });
                    if token.text == ")" {
                        return Some(found);
                    }
                    part.clear();
                    continue;
                }
                ")" => depth -= 1,
                _ => {}
            }
        }
        part.push(*token);
    }
}

/// `timestamp with time zone` of `timestamp(3) with time zone`.
fn without_parentheses(declared: &str) -> String {
    match declared.split_once('(').and_then(|(start, rest)| Some((start, rest.split_once(')')?.1))) {
        Some((start, end)) => format!("{start}{end}"),
        None => declared.to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Column;

    fn differs(definition: &str, types: &[(&str, &str)], same_encoding: bool) -> bool {
        let column = |(name, declared): &(&str, &str)| Column {
            name: (*name).into(),
            declared_type: (*declared).into(),
            logical: 0,
            nullable: true,
            hidden: false,
        };
        let table = TableSchema {
            name: "t".into(),
            role: "table".into(),
            definition: String::new(),
            position: 0,
            columns: types.iter().map(column).collect(),
            generated: vec![],
            key: vec![],
            options: vec![],
            attached: vec![],
        };
        PartitionKey::of(definition).unwrap().differs(&table, same_encoding).is_some()
    }

    #[test]
    fn hashes_that_differ_between_servers_are_known() {
        let by = |type_of: &str| {
            differs("CREATE TABLE public.t (a x) PARTITION BY HASH (a) WITH (fillfactor='70')", &[("a", type_of)], true)
        };
        for stable in
            ["integer", "numeric(12,2)", "timestamp(3) with time zone", "uuid", "text", "character varying(7)"]
        {
            assert!(!by(stable), "{stable}");
        }
        for other in ["kinds.mood", "kinds.mood[]", "integer[]", "regclass", "public.text", "jsonb", "int4range"] {
            assert!(by(other), "{other}");
        }
    }

    #[test]
    fn texts_depend_on_collation_and_encoding() {
        let texts = [("a", "integer"), ("b", "text")];
        let plain = "CREATE TABLE public.t (a integer, b text) PARTITION BY HASH (a, b)";
        assert!(!differs(plain, &texts, true));
        assert!(differs(plain, &texts, false));
        let collated = "CREATE TABLE public.t (a integer, b text COLLATE public.ci) PARTITION BY HASH (a, b)";
        assert!(differs(collated, &texts, true));
        assert!(!differs(&collated.replace("(a, b)", "(a)"), &texts, false));
        for key in ["((a % 10))", "(a int4_ops)", "(b COLLATE \"C\")", "(lower(b), a)"] {
            assert!(
                differs(&format!("CREATE TABLE t (a integer, b text) PARTITION BY HASH {key}"), &texts, true),
                "{key}"
            );
        }
    }

    #[test]
    fn only_what_stands_at_the_end_is_the_key() {
        let odd = "CREATE TABLE t (\"partition by\" integer DEFAULT f('PARTITION BY HASH (a)'), partition integer) PARTITION BY \
                   HASH (\"partition by\")";
        let key = PartitionKey::of(odd).unwrap();
        assert_eq!(key.parts, [Some("partition by".to_owned())]);
        assert!(!PartitionKey::of("CREATE TABLE t (a x) PARTITION BY RANGE (a)").unwrap().is_hash);
        assert_eq!(PartitionKey::of("CREATE TABLE t (a integer)"), None);
    }
}
