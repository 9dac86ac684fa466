//! What PostgreSQL's definitions say, as far as SQLite can say it too. Anything that is not understood whole is `None`: it is
//! then left out and named.

mod reader;

use self::reader::Reader;
use crate::postgres::tokens::{Kind, Token};

/// A part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexPart {
    pub(super) column: String,
    pub(super) descending: bool,
}

/// An index over columns alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) unique: bool,
    pub(super) parts: Vec<IndexPart>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub(super) columns: Vec<String>,
    /// Schema and name.
    pub(super) parent: (String, String),
    pub(super) parent_columns: Vec<String>,
    /// What follows: `ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED`, in words that both engines read.
    pub(super) rest: String,
}

/// The columns of a primary key or of a unique constraint, which must not be deferrable or say anything else.
pub(super) fn key_columns(definition: &str, words: &str) -> Option<Vec<String>> {
    let mut reader = Reader::of(definition)?;
    reader.find("ADD CONSTRAINT")?;
    reader.name()?;
    reader.words(words)?;
    let names = reader.names()?;
    reader.end()?;
    Some(names)
}

/// An index, which must be a B-tree over columns in their usual order.
pub(super) fn index(definition: &str) -> Option<Index> {
    let mut reader = Reader::of(definition)?;
    reader.words("CREATE")?;
    let unique = reader.words("UNIQUE").is_some();
    reader.words("INDEX")?;
    reader.name()?;
    reader.words("ON")?;
    let _ = reader.words("ONLY");
    reader.name()?;
    reader.mark(".")?;
    reader.name()?;
    reader.words("USING btree")?;
    reader.mark("(")?;
    let mut parts = Vec::new();
    loop {
        let column = reader.name()?;
        let descending = reader.words("DESC").is_some();
        parts.push(IndexPart { column, descending });
        if reader.mark(",").is_none() {
            break;
        }
    }
    reader.mark(")")?;
    reader.end()?;
    Some(Index { unique, parts })
}

/// A foreign key of the match type that is usual.
pub(super) fn foreign_key(definition: &str) -> Option<ForeignKey> {
    let mut reader = Reader::of(definition)?;
    reader.find("FOREIGN KEY")?;
    let columns = reader.names()?;
    reader.words("REFERENCES")?;
    let schema = reader.name()?;
    reader.mark(".")?;
    let parent = (schema, reader.name()?);
    let parent_columns = reader.names()?;
    let mut rest = String::new();
    const CLAUSES: [&str; 12] = [
        "ON DELETE CASCADE",
        "ON DELETE RESTRICT",
        "ON DELETE SET NULL",
        "ON DELETE SET DEFAULT",
        "ON DELETE NO ACTION",
        "ON UPDATE CASCADE",
        "ON UPDATE RESTRICT",
        "ON UPDATE SET NULL",
        "ON UPDATE SET DEFAULT",
        "ON UPDATE NO ACTION",
        "DEFERRABLE INITIALLY DEFERRED",
        "DEFERRABLE",
    ];
    while reader.end().is_none() {
        let clause = CLAUSES.iter().find(|clause| reader.words(clause).is_some())?;
        rest.push(' ');
        rest.push_str(clause);
    }
    Some(ForeignKey { columns, parent, parent_columns, rest })
}

/// What a column's clause in the definition of a table says beyond its type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Element {
    /// The column's name; none for a constraint of the table.
    pub(super) column: Option<String>,
    /// The constraint's name, for people.
    pub(super) constraint: Option<String>,
    /// What a row gets that says nothing of it.
    pub(super) default: Option<Value>,
}

/// The expression of a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A number as it is written, with its sign.
    Number(String),
    /// A text, as a constant that both engines read.
    Text(String),
    Boolean(bool),
    /// Anything else, for people.
    Other(String),
}

impl Value {
    /// What tokens say. A constant that is cast to the type of its column is that constant.
    fn of(tokens: &[Token<'_>]) -> Self {
        let bare = match tokens.iter().position(|token| token.kind == Kind::Mark && token.text == ":") {
            Some(cast) if tokens.iter().skip(cast + 2).all(Self::is_of_type) => tokens.get(..cast).unwrap_or_default(),
            _ => tokens,
        };
        let is = |token: &Token<'_>, word: &str| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word);
        match bare {
            [token] if is(token, "true") => Self::Boolean(true),
            [token] if is(token, "false") => Self::Boolean(false),
            [token] if token.kind == Kind::Number => Self::Number(token.text.to_owned()),
            [token] if token.kind == Kind::Text => {
                let inner = token.text.trim_matches('\'');
                let is_number = !inner.is_empty() && crate::model::decimal::is_number(inner.as_bytes());
                let is_numeric = bare.len() < tokens.len() && tokens.last().is_some_and(Self::is_numeric);
                match is_number && is_numeric {
                    true => Self::Number(inner.to_owned()),
                    false => Self::Text(token.text.to_owned()),
                }
            }
            _ => {
                let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
                Self::Other(words.join(" "))
            }
        }
    }

    /// May the token stand in the name of a type?
    fn is_of_type(token: &Token<'_>) -> bool {
        matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Number) || matches!(token.text, "." | "(" | ")" | ",")
    }

    fn is_numeric(token: &Token<'_>) -> bool {
        ["integer", "bigint", "smallint", "numeric", "precision", "real"].contains(&token.text)
    }
}

/// The labels of an enum with its schema and name, as constants that both engines read.
pub(super) fn enum_labels(definition: &str) -> Option<((String, String), Vec<String>)> {
    let mut reader = Reader::of(definition)?;
    reader.words("CREATE TYPE")?;
    let schema = reader.name()?;
    reader.mark(".")?;
    let name = reader.name()?;
    reader.words("AS ENUM")?;
    reader.mark("(")?;
    let mut labels = Vec::new();
    loop {
        let label = reader.next().filter(|token| token.kind == Kind::Text)?;
        labels.push(label.text.to_owned());
        if reader.mark(",").is_none() {
            break;
        }
    }
    reader.mark(")")?;
    reader.end()?;
    Some(((schema, name), labels))
}

/// The schema and the name of a type that is written as these two alone.
pub(super) fn type_name(declared: &str) -> Option<(String, String)> {
    let mut reader = Reader::of(declared)?;
    let schema = reader.name()?;
    reader.mark(".")?;
    let name = reader.name()?;
    reader.end()?;
    Some((schema, name))
}

/// The columns and constraints that the definition of a table lists.
pub(super) fn elements(definition: &str) -> Option<Vec<Element>> {
    let mut reader = Reader::of(definition)?;
    while !reader.is_mark("(") {
        reader.next()?;
    }
    reader.next()?;
    let (mut found, mut depth, mut element) = (Vec::new(), 0_u32, Vec::new());
    while let Some(token) = reader.next() {
        match (token.kind, token.text) {
            (Kind::Mark, ")") if depth == 0 => {
                found.extend(read_element(&element));
                return Some(found);
            }
            (Kind::Mark, ",") if depth == 0 => {
                found.extend(read_element(&element));
                element.clear();
                continue;
            }
            (Kind::Mark, "(" | "[") => depth += 1,
            (Kind::Mark, ")" | "]") => depth = depth.checked_sub(1)?,
            _ => {}
        }
        element.push(token);
    }
    None
}

fn read_element(tokens: &[Token<'_>]) -> Option<Element> {
    let first = tokens.first()?;
    let is_word = |token: &Token<'_>, word: &str| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word);
    if is_word(first, "CONSTRAINT") || is_word(first, "CHECK") || is_word(first, "NOT") {
        // That a column is not null the column says.
        let is_check = tokens.iter().any(|token| is_word(token, "CHECK"));
        return is_check.then(|| Element { constraint: tokens.get(1).and_then(Token::name), ..Element::default() });
    }
    let mut element = Element { column: first.name(), ..Element::default() };
    if let Some(at) = tokens.iter().position(|token| is_word(token, "DEFAULT")) {
        let expression: Vec<Token<'_>> = tokens
            .iter()
            .skip(at + 1)
            .take_while(|token| !is_word(token, "NOT") && !is_word(token, "CONSTRAINT"))
            .copied()
            .collect();
        // `GENERATED BY DEFAULT AS IDENTITY` is none.
        if expression.first().is_some_and(|token| !is_word(token, "AS")) {
            element.default = Some(Value::of(&expression));
        }
    }
    Some(element)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_indexes_are_read_whole_or_not_at_all() {
        let key = |definition| key_columns(definition, "PRIMARY KEY");
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            key(r#"ALTER TABLE ONLY "public"."x" ADD CONSTRAINT "x_pkey" PRIMARY KEY ("A b", c)"#),
            names(&["A b", "c"])
        );
        assert_eq!(key(r#"ALTER TABLE ONLY "a"."x" ADD CONSTRAINT "x" PRIMARY KEY (c) DEFERRABLE"#), None);
        assert_eq!(key(r#"ALTER TABLE ONLY "a"."x" ADD CONSTRAINT "x" PRIMARY KEY (c) INCLUDE (d)"#), None);
        let parts = index("CREATE UNIQUE INDEX i ON public.x USING btree (a, \"B\" DESC)").map(|index| index.parts);
        let part = |column: &str, descending| IndexPart { column: column.to_owned(), descending };
        assert_eq!(parts, Some(vec![part("a", false), part("B", true)]));
        for other in [
            "CREATE INDEX i ON public.x USING gin (a)",
            "CREATE INDEX i ON public.x USING btree (lower(a))",
            "CREATE INDEX i ON public.x USING btree (a text_pattern_ops)",
            "CREATE INDEX i ON public.x USING btree (a) WHERE (b > 0)",
            "CREATE INDEX i ON public.x USING btree (a) INCLUDE (b)",
            "CREATE INDEX i ON public.x USING btree (a NULLS FIRST)",
            "CREATE UNIQUE INDEX i ON public.x USING btree (a) NULLS NOT DISTINCT",
            "CREATE INDEX i ON public.x USING btree (a COLLATE \"C\")",
        ] {
            assert_eq!(index(other), None, "{other}");
        }
    }

    #[test]
    fn foreign_keys_are_read_whole_or_not_at_all() {
        let start = "ALTER TABLE ONLY public.x ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES s.\"Y\"(c, d)";
        let rest = |end: &str| foreign_key(&format!("{start}{end}")).map(|key| key.rest);
        assert_eq!(rest("").as_deref(), Some(""));
        assert_eq!(
            rest(" ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED").as_deref(),
            Some(" ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED")
        );
        for end in [" MATCH FULL", " ON DELETE SET NULL (a)", " NOT VALID"] {
            assert_eq!(rest(end), None, "{end}");
        }
    }

    #[test]
    fn elements_are_told_apart() {
        let definition = "CREATE TABLE \"public\".\"x\" (\"a\" numeric(10,2) DEFAULT 0.0 NOT NULL, \"b\" text[] DEFAULT \
                          '{a,b}'::text[], \"c\" integer GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME s) NOT NULL, \
                          CONSTRAINT \"positive\" CHECK ((a > (0)::numeric)))";
        let found = elements(definition).unwrap_or_default();
        let defaults: Vec<Option<Value>> = found.iter().map(|element| element.default.clone()).collect();
        let text = Some(Value::Other("'{a,b}' : : text [ ]".into()));
        assert_eq!(defaults, [Some(Value::Number("0.0".into())), text, None, None]);
        assert_eq!(found.get(3).and_then(|element| element.constraint.as_deref()), Some("positive"));
    }

    #[test]
    fn constants_are_told_from_expressions() {
        let default = |expression: &str| {
            let found = elements(&format!("CREATE TABLE a.b (c x DEFAULT {expression} NOT NULL)"))?;
            found.into_iter().next()?.default
        };
        for (expression, value) in [
            ("5", Value::Number("5".into())),
            ("'-1'::integer", Value::Number("-1".into())),
            ("'-1'::text", Value::Text("'-1'".into())),
            ("'it''s'::character varying(9)", Value::Text("'it''s'".into())),
            ("'happy'::public.mood", Value::Text("'happy'".into())),
            ("false", Value::Boolean(false)),
            ("now()", Value::Other("now ( )".into())),
        ] {
            assert_eq!(default(expression), Some(value), "{expression}");
        }
        let labels = vec!["'a'".to_owned(), "'it''s'".to_owned()];
        let of = ("s".to_owned(), "Mood".to_owned());
        assert_eq!(enum_labels("CREATE TYPE s.\"Mood\" AS ENUM ('a', 'it''s')"), Some((of.clone(), labels)));
        assert_eq!(type_name("s.\"Mood\""), Some(of));
        assert_eq!(type_name("s.mood[]"), None);
    }
}
