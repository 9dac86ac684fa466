//! Text from an archive on a terminal: names and values are whatever somebody put into a database, control
//! sequences included.

use std::borrow::Cow;

use tabark::model::{Bound, Logical, Value};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Is this a character that could move the cursor, change colours, hide or reorder what is shown?
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line, harmful characters written as `\n` or `\u{1b}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escape(text, is_harmful)
}

/// The text with its line ends and tabs as they are, other harmful characters written as `\u{1b}`.
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| is_harmful(character) && !matches!(character, '\n' | '\t'))
}

fn escape(text: &str, harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&harmful) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if harmful(character) { escaped.extend(character.escape_default()) } else { escaped.push(character) }
    }
    Cow::Owned(escaped)
}

/// The beginning of the text that fits into this many columns; `…` shows that something is missing.
pub(crate) fn shorten(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut short = String::new();
    let mut taken = 1;
    for character in text.chars() {
        taken += character.width().unwrap_or(0);
        if taken > width {
            break;
        }
        short.push(character);
    }
    short.push('…');
    Cow::Owned(short)
}

/// A name, made visible and short enough for a table of names.
pub(crate) fn name(text: &str, width: usize) -> String {
    shorten(&visible(text), width).into_owned()
}

/// Key and value of each pair: `a=1 b=2`.
pub(crate) fn pairs(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(pair).collect();
    pairs.join(" ")
}

/// The same, on as many lines as it takes to keep to this width (a longer pair has a line of its own).
pub(crate) fn wrapped_pairs(pairs: &[(String, String)], width: usize) -> Vec<String> {
    wrapped(pairs.iter().map(pair), " ", width)
}

/// Texts that are visible already, on as many lines as it takes to keep to this width (a longer text has a line of its own). The
/// separator stands between them; no line begins or ends in its spaces.
pub(crate) fn wrapped(texts: impl Iterator<Item = String>, separator: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        match lines.last_mut() {
            Some(line) if line.width() + separator.width() + text.width() <= width => {
                line.push_str(separator);
                line.push_str(&text);
            }
            Some(line) => {
                line.push_str(separator.trim_end());
                lines.push(text);
            }
            None => lines.push(text),
        }
    }
    lines
}

fn pair((key, value): &(String, String)) -> String {
    format!("{}={}", visible(key), visible(value))
}

/// The smallest or largest value of a column, short.
pub(crate) fn bound(bound: &Bound, logical: Logical, width: usize) -> String {
    let text = match &bound.value {
        Value::Null => "null".to_owned(),
        Value::Integer(value) => tabark::export::integer_text(*value, logical),
        Value::Real(value) => format!("{value:?}"),
        Value::Text(bytes) => {
            // A bound may end in the middle of a character.
            let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
            return quoted(text, bound.exact, width);
        }
        Value::Bytes(bytes) => format!("x'{}'", tabark::hex::encode(bytes)),
        Value::RawText(bytes) => format!("raw x'{}'", tabark::hex::encode(bytes)),
    };
    shorten(&text, width).into_owned()
}

/// Two columns are for the quotes.
fn quoted(text: &str, whole: bool, width: usize) -> String {
    let text = visible(text);
    let short = shorten(&text, width.saturating_sub(2));
    let more = if whole || short.ends_with('…') { "" } else { "…" };
    format!("\"{short}{more}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_could_act_on_it() {
        assert_eq!(visible("plain Zoë"), "plain Zoë");
        assert_eq!(visible("a\u{1b}[31m\nb\u{202e}c\u{9b}"), "a\\u{1b}[31m\\nb\\u{202e}c\\u{9b}");
        assert_eq!(visible_lines("a\n\tb\r"), "a\n\tb\\r");
    }

    #[test]
    fn short_text_says_that_it_is() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(shorten("日本語", 4), "日…");
    }

    #[test]
    fn pairs_wrap_between_pairs() {
        let all: Vec<_> = ["a", "bb", "c"].into_iter().map(|key| (key.to_owned(), "1".to_owned())).collect();
        assert_eq!(pairs(&all), "a=1 bb=1 c=1");
        assert_eq!(wrapped_pairs(&all, 8), ["a=1 bb=1", "c=1"]);
        assert_eq!(wrapped_pairs(&all, 1), ["a=1", "bb=1", "c=1"]);
        let texts = ["ab", "c", "def"].map(str::to_owned);
        assert_eq!(wrapped(texts.into_iter(), ", ", 5), ["ab, c,", "def"]);
    }

    #[test]
    fn bounds_show_their_kind() {
        let exact = |value| Bound { value, exact: true };
        assert_eq!(bound(&exact(Value::Real(1.0)), Logical::Any, 20), "1.0");
        assert_eq!(bound(&exact(Value::Text(b"x\n".to_vec())), Logical::Text, 20), "\"x\\n\"");
        assert_eq!(bound(&exact(Value::Bytes(vec![0, 255])), Logical::Any, 20), "x'00ff'");
        assert_eq!(bound(&exact(Value::Integer(-1)), Logical::Date, 20), "1969-12-31");
        let cut = Bound { value: Value::Text(b"abc\xc3".to_vec()), exact: false };
        assert_eq!(bound(&cut, Logical::Any, 20), "\"abc…\"");
    }
}
