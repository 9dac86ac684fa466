//! Rust source as these tests look at it: without comments, literals and test modules.

/// The code alone. Comments and the insides of literals become blanks, so that lines keep their numbers.
pub(crate) fn strip(source: &str) -> String {
    without_tests(&without_literals(source))
}

fn without_literals(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = literal_or_comment(rest, out.chars().next_back());
        if skipped == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        }
    }
    out
}

/// Bytes of the literal or comment that begins here, 0 if none does.
fn literal_or_comment(rest: &str, before: Option<char>) -> usize {
    let end_of = |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return end_of(2, "*/");
    }
    let inside_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).filter(|_| !inside_word);
    if let Some(raw) = raw {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let from = rest.len() - raw.len() + hashes + 1;
            return end_of(from, &format!("\"{}", "#".repeat(hashes)));
        }
    }
    let quote = match rest.as_bytes()[0] {
        b'"' => '"',
        // A quote that no second one follows within one character, or one escape, is a lifetime.
        b'\'' if rest[1..].starts_with('\\') || rest[1..].chars().nth(1) == Some('\'') => '\'',
        _ => return 0,
    };
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Blanks out `#[cfg(test)]` modules with a body.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = match (out[start..].find('{'), out[start..].find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|semicolon| open < semicolon) => {
                closing_brace(&out, start + open)
            }
            (_, Some(semicolon)) => start + semicolon + 1,
            _ => out.len(),
        };
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    out
}

fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

/// Is `word` there as a word of its own?
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(part) && !code[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// The first two names of every path from the crate's root (`crate::a::b` gives `a::b`), groups taken apart. `depth` is the number
/// of modules above the file's own, which `super` climbs.
pub(crate) fn crate_paths(code: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` and `pub(in crate::…)` count as well.
        leaves(&code[at + "crate::".len()..], &mut found);
    }
    let climb = "super::".repeat(depth + 1);
    for (at, _) in code.match_indices(&climb) {
        leaves(&code[at + climb.len()..], &mut found);
    }
    found
}

fn leaves(path: &str, found: &mut Vec<String>) {
    if let Some(group) = path.strip_prefix('{') {
        let end = closing_brace(path, 0).saturating_sub(2);
        let mut depth = 0;
        let parts = group[..end].split(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        });
        parts.for_each(|part| leaves(part.trim(), found));
        return;
    }
    let names: Vec<&str> = path
        .split("::")
        .map(|name| name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default())
        .take(2)
        .collect();
    // `a::{b, c}` has no second name; `a, b` must not take the next path's.
    let first = names[0];
    let second = path[first.len()..].starts_with("::").then(|| names.get(1).copied()).flatten().unwrap_or_default();
    if !first.is_empty() {
        found.push(if second.is_empty() { first.to_owned() } else { format!("{first}::{second}") });
    }
}

#[test]
fn comments_literals_and_tests_are_no_code() {
    let source = "a // crate::x\n/* crate::y\n */ \"crate::z \\\" crate::w\" 'c' &'a b r#\"un\"safe\"# d\n#[cfg(test)]\nmod tests {\n fn f() { x }\n}\ne";
    let code = strip(source);
    assert!(!code.contains("crate") && !code.contains("safe") && !code.contains("mod tests"), "{code}");
    assert!(has_word(&code, "d") && has_word(&code, "e") && code.contains("&'a b"), "{code}");
    assert_eq!(code.lines().count(), source.lines().count());
    assert!(!has_word("unsafe_code", "unsafe") && has_word("{unsafe{", "unsafe"));
}

#[test]
fn paths_are_found_in_every_form() {
    let code = "use crate::error::Error; use crate::{model::{Cell, Bound}, wire}; x(crate::hex::encode(y)); use super::super::block::a;";
    assert_eq!(crate_paths(code, 1), ["error::Error", "model", "wire", "hex::encode", "block::a"]);
    assert_eq!(crate_paths("use super::frame;", 1), Vec::<String>::new());
    assert_eq!(crate_paths("use super::frame;", 0), ["frame"]);
}
