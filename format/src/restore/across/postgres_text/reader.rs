//! Reading a definition token by token. What is asked for and does not stand there is `None`.

use crate::postgres::tokens::{Kind, Token, tokens};

/// Tokens that are read one after the other.
pub(super) struct Reader<'s> {
    tokens: Vec<Token<'s>>,
    at: usize,
}

impl<'s> Reader<'s> {
    pub(super) fn of(sql: &'s str) -> Option<Self> {
        let tokens = tokens(sql)?.into_iter().filter(|token| token.kind != Kind::Blank).collect();
        Some(Self { tokens, at: 0 })
    }

    pub(super) fn next(&mut self) -> Option<Token<'s>> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        token.is_some_and(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word))
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Mark && token.text == mark)
    }

    /// Passes words, if all of them stand here.
    pub(super) fn words(&mut self, words: &str) -> Option<()> {
        let mut passed = 0;
        for word in words.split(' ') {
            if !self.is_word(passed, word) {
                return None;
            }
            passed += 1;
        }
        self.at += passed;
        Some(())
    }

    pub(super) fn mark(&mut self, mark: &str) -> Option<()> {
        if !self.is_mark(mark) {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// Goes behind the first of these words.
    pub(super) fn find(&mut self, words: &str) -> Option<()> {
        while self.at < self.tokens.len() {
            if self.words(words).is_some() {
                return Some(());
            }
            self.at += 1;
        }
        None
    }

    pub(super) fn name(&mut self) -> Option<String> {
        self.next()?.name()
    }

    /// A list of names in parentheses.
    pub(super) fn names(&mut self) -> Option<Vec<String>> {
        self.mark("(")?;
        let mut names = vec![self.name()?];
        while self.mark(",").is_some() {
            names.push(self.name()?);
        }
        self.mark(")")?;
        Some(names)
    }

    pub(super) fn end(&self) -> Option<()> {
        (self.at == self.tokens.len()).then_some(())
    }
}
