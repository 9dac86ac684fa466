//! The text of `pg_dump --schema-only` as something that can be compared.

/// The statements of a dump without what changes from run to run: no comments, no settings, no tokens of `psql`, one space
/// for any run of blanks outside quotes; sorted, as objects that do not need each other stand in any order.
pub(crate) fn normalized_schema(dump: &str) -> Vec<String> {
    let is_setting = |statement: &String| {
        statement.starts_with("SET ") || statement.starts_with("SELECT pg_catalog.set_config('search_path'")
    };
    let mut statements = statements(dump);
    statements.retain(|statement| !is_setting(statement));
    statements.sort();
    statements
}

/// Splits SQL at the semicolons between statements.
pub(crate) fn statements(sql: &str) -> Vec<String> {
    let mut reader = Reader { rest: sql, statement: String::new(), found: Vec::new(), word: String::new(), body: 0 };
    while !reader.rest.is_empty() {
        reader.step();
    }
    reader.end_statement();
    reader.found
}

struct Reader<'s> {
    rest: &'s str,
    statement: String,
    found: Vec<String>,
    /// The word before the one that is read, in lower case.
    word: String,
    /// How deep in `BEGIN ATOMIC … END` of a function's body.
    body: u32,
}

impl Reader<'_> {
    fn step(&mut self) {
        let rest = self.rest;
        let first = rest.chars().next().unwrap();
        if rest.starts_with("--") || (rest.starts_with('\\') && self.statement.is_empty()) {
            // A comment, or a command of psql: `pg_dump` wraps its output in \restrict and a random token.
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        } else if first == '\'' {
            let escapes = self.word == "e" && self.statement.ends_with(['e', 'E']);
            self.take(quoted(rest, '\'', escapes));
        } else if first == '"' {
            self.take(quoted(rest, '"', false));
        } else if let Some(length) = dollar_quoted(rest).filter(|_| !self.statement.ends_with(is_of_word)) {
            self.take(length);
        } else if first == ';' && self.body == 0 {
            self.skip(1);
            self.end_statement();
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
            if !self.statement.is_empty() && !self.statement.ends_with(' ') {
                self.statement.push(' ');
            }
        } else if is_of_word(first) {
            self.take_word(rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()));
        } else {
            self.take(first.len_utf8());
        }
    }

    fn skip(&mut self, length: usize) {
        self.rest = &self.rest[length..];
    }

    fn take(&mut self, length: usize) {
        self.statement.push_str(&self.rest[..length]);
        self.skip(length);
    }

    fn take_word(&mut self, length: usize) {
        let word = self.rest[..length].to_ascii_lowercase();
        if word == "atomic" && self.word == "begin" {
            self.body = 1;
        } else if self.body > 0 && word == "case" {
            self.body += 1;
        } else if self.body > 0 && word == "end" {
            self.body -= 1;
        }
        self.word = word;
        self.take(length);
    }

    fn end_statement(&mut self) {
        let statement = std::mem::take(&mut self.statement);
        let statement = statement.trim();
        if !statement.is_empty() {
            self.found.push(statement.to_owned());
        }
        self.word.clear();
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a quoted text with its quotes; a quote within it is doubled, or escaped where that is allowed.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if escapes && c == '\\' {
            escaped = true;
        } else if c == quote {
            // The second of two quotes begins a text that ends where this one does.
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// The length of a text in dollar quotes, if one begins here.
fn dollar_quoted(text: &str) -> Option<usize> {
    let after = text.strip_prefix('$')?;
    let tag = after.find('$')?;
    let is_tag = after[..tag].chars().all(is_of_word) && !after.starts_with(|c: char| c.is_ascii_digit());
    if !is_tag {
        return None;
    }
    let mark = &text[..tag + 2];
    let end = text[mark.len()..].find(mark)?;
    Some(end + 2 * mark.len())
}
