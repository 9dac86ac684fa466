//! PostgreSQL's SQL as tokens: enough of its lexer to know what is a name, what is a constant and what is neither.
//!
//! Two things rest on it. A condition that a user or an archive brings must stay where it is put; and definitions, which name
//! everything with its schema, can be made to speak of the same relations in another schema.

use std::fmt::Write as _;

use super::sql;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Blanks and comments.
    Blank,
    /// A name or keyword without quotes.
    Word,
    /// A name in quotes.
    Quoted,
    /// A constant in single quotes with nothing before them.
    Text,
    /// Any other constant in quotes: with a letter before them, or between dollars.
    OtherText,
    /// A number.
    Number,
    /// One character of what is left: operators, parentheses, dots.
    Mark,
}

/// A piece of SQL text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'s> {
    pub(crate) kind: Kind,
    pub(crate) text: &'s str,
}

/// The tokens of a text, which together are the text. `None` where a quote or comment has no end.
pub(crate) fn tokens(sql: &str) -> Option<Vec<Token<'_>>> {
    let (mut found, mut rest) = (Vec::new(), sql);
    while !rest.is_empty() {
        let (kind, length) = first_token(rest)?;
        let (text, after) = rest.split_at_checked(length)?;
        found.push(Token { kind, text });
        rest = after;
    }
    Some(found)
}

/// The kind and the length of the token that a text begins with.
fn first_token(text: &str) -> Option<(Kind, usize)> {
    let first = text.chars().next()?;
    let blanks = text.find(|c: char| !c.is_ascii_whitespace()).unwrap_or(text.len());
    if blanks > 0 {
        return Some((Kind::Blank, blanks));
    }
    if text.starts_with("--") {
        return Some((Kind::Blank, text.find('\n').unwrap_or(text.len())));
    }
    if text.starts_with("/*") {
        return Some((Kind::Blank, comment(text)?));
    }
    if first == '"' {
        return Some((Kind::Quoted, quoted(text, '"', false)?));
    }
    if first == '\'' {
        return Some((Kind::Text, quoted(text, '\'', false)?));
    }
    for (prefix, escapes) in [("E'", true), ("e'", true), ("B'", false), ("b'", false), ("X'", false), ("x'", false)] {
        if text.starts_with(prefix) {
            return Some((Kind::OtherText, 1 + quoted(text.get(1..)?, '\'', escapes)?));
        }
    }
    for prefix in ["U&'", "u&'", "U&\"", "u&\""] {
        if text.starts_with(prefix) {
            let quote = if prefix.ends_with('"') { '"' } else { '\'' };
            return Some((Kind::OtherText, 2 + quoted(text.get(2..)?, quote, false)?));
        }
    }
    if first == '$' {
        return dollars(text);
    }
    if is_word_start(first) {
        let end = text.find(|c| !is_word_part(c)).unwrap_or(text.len());
        return Some((Kind::Word, end));
    }
    if first.is_ascii_digit() {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_').unwrap_or(text.len());
        return Some((Kind::Number, end));
    }
    Some((Kind::Mark, first.len_utf8()))
}

fn is_word_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || !character.is_ascii()
}

fn is_word_part(character: char) -> bool {
    is_word_start(character) || character.is_ascii_digit() || character == '$'
}

/// The length of a comment, in which others may stand.
fn comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with("/*") {
            depth = depth.checked_add(1)?;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next()?.len_utf8();
        }
    }
}

/// The length of a text in quotes. A doubled quote stands for one.
fn quoted(text: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if escapes && character == '\\' {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + 1);
        }
    }
    None
}

/// A constant between dollars, or what else begins with one.
fn dollars(text: &str) -> Option<(Kind, usize)> {
    let inner = text.get(1..)?;
    let tag = inner.find(|c| !is_word_part(c) || c == '$').unwrap_or(inner.len());
    let is_tag = inner.chars().next().is_none_or(|c| !c.is_ascii_digit());
    if inner.get(tag..)?.starts_with('$') && is_tag {
        let opening = text.get(..tag + 2)?;
        let end = text.get(opening.len()..)?.find(opening)?;
        return Some((Kind::OtherText, 2 * opening.len() + end));
    }
    Some((Kind::Mark, 1))
}

impl Token<'_> {
    /// The name that it stands for, if it is one.
    pub(crate) fn name(&self) -> Option<String> {
        match self.kind {
            // Only A to Z are folded in UTF-8 databases, whatever the locale: others are quoted by the server.
            Kind::Word => Some(self.text.to_ascii_lowercase()),
            Kind::Quoted => Some(self.text.get(1..self.text.len().checked_sub(1)?)?.replace("\"\"", "\"")),
            _ => None,
        }
    }

    fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }
}

/// Are two statements the same but for blanks, and for quotes around names that need none?
pub(crate) fn says_the_same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (tokens(one), tokens(other)) else { return false };
    let solid = |tokens: Vec<Token<'_>>| {
        let tokens = tokens.into_iter().filter(|token| token.kind != Kind::Blank);
        tokens.map(|token| token.name().ok_or_else(|| token.text.to_owned())).collect::<Vec<_>>()
    };
    solid(one) == solid(other)
}

/// What keeps a text from being one expression, as far as its tokens tell. What they leave open the server decides.
pub(crate) fn expression_fault(text: &str) -> Option<&'static str> {
    let Some(tokens) = tokens(text) else { return Some("a quote or comment has no end") };
    let mut depth = 0_u32;
    for token in &tokens {
        let is_comment = token.kind == Kind::Blank && token.text.starts_with(['-', '/']);
        match token.text {
            _ if is_comment => return Some("it has a comment"),
            "(" | "[" => depth += 1,
            ")" | "]" => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some("a parenthesis closes that was not opened"),
            },
            ";" => return Some("it has a semicolon"),
            "$" => return Some("it has a parameter, which nothing gives a value"),
            _ if token.text.contains('\0') => return Some("it has a NUL character"),
            _ => {}
        }
    }
    (depth > 0).then_some("a parenthesis is not closed")
}

/// A definition in which relations stand in another schema: `moved` gives the new schema of a relation by its schema and
/// name, if it has one. Names count where they stand with their schema, also in constants of the type `regclass` and in what
/// `setval` and `nextval` are given. The bodies of functions are left as they are.
pub(crate) fn move_relations(sql: &str, moved: &dyn Fn(&str, &str) -> Option<String>) -> Option<String> {
    let tokens = tokens(sql)?;
    let solid: Vec<(usize, &Token<'_>)> = tokens.iter().enumerate().filter(|(_, t)| t.kind != Kind::Blank).collect();
    let at = |place: usize| solid.get(place).map(|(_, token)| *token);
    let mut replaced: Vec<Option<String>> = vec![None; tokens.len()];
    for (place, (index, token)) in solid.iter().enumerate() {
        let follows_dot = place > 0 && at(place - 1).is_some_and(|before| before.is_mark("."));
        let new = if let (Some(schema), false) = (token.name(), follows_dot) {
            let dot = at(place + 1).is_some_and(|next| next.is_mark("."));
            let name = at(place + 2).and_then(Token::name).filter(|_| dot);
            name.and_then(|name| moved(&schema, &name)).map(|schema| sql::quote(&schema))
        } else if token.kind == Kind::Text && names_relation(&at, place) {
            moved_constant(token.text, moved)
        } else {
            None
        };
        if let Some(slot) = replaced.get_mut(*index) {
            *slot = new;
        }
    }
    let mut written = String::with_capacity(sql.len());
    for (token, new) in tokens.iter().zip(&replaced) {
        written.push_str(new.as_deref().unwrap_or(token.text));
    }
    Some(written)
}

/// Does the constant at this place name a relation: is it cast to `regclass`, or given to a function of sequences?
fn names_relation<'t>(at: &dyn Fn(usize) -> Option<&'t Token<'t>>, place: usize) -> bool {
    let is_word = |place: usize, word: &str| at(place).and_then(Token::name).is_some_and(|name| name == word);
    let is_mark = |place: usize, mark: &str| at(place).is_some_and(|token| token.is_mark(mark));
    let cast = is_mark(place + 1, ":")
        && is_mark(place + 2, ":")
        && (is_word(place + 3, "regclass") || is_mark(place + 4, ".") && is_word(place + 5, "regclass"));
    let given = place >= 2
        && is_mark(place - 1, "(")
        && ["setval", "nextval", "currval"].iter().any(|function| is_word(place - 2, function));
    cast || given
}

/// A constant that holds a name with its schema, with the new one.
fn moved_constant(constant: &str, moved: &dyn Fn(&str, &str) -> Option<String>) -> Option<String> {
    let inner = constant.get(1..constant.len().checked_sub(1)?)?.replace("''", "'");
    let parts: Vec<Token<'_>> = tokens(&inner)?;
    let [schema, dot, name] = parts.as_slice() else { return None };
    let new = moved(&schema.name()?, &name.name().filter(|_| dot.is_mark("."))?)?;
    let mut written = sql::quote(&new);
    write!(written, ".{}", name.text).ok()?;
    Some(sql::literal(&written))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).unwrap().iter().filter(|token| token.kind != Kind::Blank).map(|token| token.text).collect()
    }

    #[test]
    fn tokens_are_those_of_the_server() {
        assert_eq!(texts("a.\"B \"\"c\"\"\" -- x\n+/* y /* z */ */1.5e3"), ["a", ".", "\"B \"\"c\"\"\"", "+", "1.5e3"]);
        assert_eq!(texts("E'a\\'b' 'a\\' $x$ ' $y$ $x$ $1"), ["E'a\\'b'", "'a\\'", "$x$ ' $y$ $x$", "$", "1"]);
        assert_eq!(
            texts("U&\"d\\0061t\" 'it''s'::text über$1"),
            ["U&\"d\\0061t\"", "'it''s'", ":", ":", "text", "über$1"]
        );
        for endless in ["'a", "\"a", "/* a", "$$ a", "$a$ b $$", "E'a\\'", "/* /* */"] {
            assert_eq!(tokens(endless), None, "{endless}");
        }
    }

    #[test]
    fn quotes_that_are_not_needed_say_nothing() {
        assert!(says_the_same(
            "ADD CONSTRAINT \"x_pkey\" PRIMARY KEY (\"id\")",
            "ADD CONSTRAINT x_pkey PRIMARY KEY (id)"
        ));
        assert!(!says_the_same("(\"Id\")", "(id)"));
        assert!(!says_the_same("('a')", "('b')"));
    }

    #[test]
    fn what_is_not_one_expression_is_found() {
        for sound in ["a = 1", "(a) OR (b)", "a = ')' AND \"b)\" = $$c($$", "a[1] > all(array[2])", "d = E'\\'('"] {
            assert_eq!(expression_fault(sound), None, "{sound}");
        }
        for unsound in
            ["a) OR (b", "(a", "a]", "a; b", "a -- b", "a /* b */", "'a", "a = $1", "a) UNION SELECT (b", "a\0"]
        {
            assert!(expression_fault(unsound).is_some(), "{unsound}");
        }
    }

    #[test]
    fn relations_move_where_they_are_named() {
        let moved =
            |schema: &str, name: &str| (schema == "public" && name.starts_with("user")).then(|| "new one".into());
        let cases = [
            ("CREATE TABLE public.users (id integer)", "CREATE TABLE \"new one\".users (id integer)"),
            ("nextval('public.users_id_seq'::regclass)", "nextval('\"new one\".users_id_seq'::regclass)"),
            ("setval('public.\"user''s\"', 1)", "setval('\"new one\".\"user''s\"', 1)"),
            (
                "SELECT users.id FROM (\"public\" . users\n JOIN public.other ON (true))",
                "SELECT users.id FROM (\"new one\" . users\n JOIN public.other ON (true))",
            ),
            ("x AS 'public.users', $$ public.users $$", "x AS 'public.users', $$ public.users $$"),
            ("a.public.users", "a.public.users"),
            ("'public.users'::text", "'public.users'::text"),
        ];
        for (sql, expected) in cases {
            assert_eq!(move_relations(sql, &moved).as_deref(), Some(expected), "{sql}");
        }
    }
}
