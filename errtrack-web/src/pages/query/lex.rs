//! From text to terms.

use super::{Misunderstood, Term};

/// Takes a query apart.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, Misunderstood> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (term, tail) = term(rest)?;
        terms.push(term);
        rest = tail.trim_start();
    }
    Ok(terms)
}

/// A value as it is written in a query: in quotes where it needs them.
pub(in super::super) fn quote(value: &str) -> String {
    let odd = value.contains(|c: char| c.is_whitespace() || c == '"' || c == '\\');
    let bare = !value.is_empty() && !odd && !is_rather_a_word(value);
    if bare { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// The first term of a text, and what comes after it.
fn term(text: &str) -> Result<(Term, &str), Misunderstood> {
    let (key, start) = match text.split_once(':') {
        Some((key, start)) if is_key(key) && !is_rather_a_word(start) => (key, start),
        _ => ("", text),
    };
    let (value, rest) = match start.strip_prefix('"') {
        Some(quoted) => unquote(quoted).ok_or_else(|| Misunderstood::new(text, "has no closing quote"))?,
        None => {
            let (word, rest) = start.split_at(start.find(char::is_whitespace).unwrap_or(start.len()));
            (word.to_owned(), rest)
        }
    };
    let written = text.strip_suffix(rest).unwrap_or(text).to_owned();
    if value.is_empty() {
        let hint = if key.is_empty() { "is an empty word" } else { "needs a value after the colon" };
        return Err(Misunderstood::new(&written, hint));
    }
    Ok((Term { key: key.to_ascii_lowercase(), value, text: written }, rest))
}

fn is_key(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty() && text.len() <= 64 && text.chars().all(allowed) && !text.starts_with('-')
}

/// `std::io::Error` and `https://…` are words with a colon in them.
fn is_rather_a_word(after_colon: &str) -> bool {
    after_colon.starts_with(':') || after_colon.starts_with("//")
}

/// What stands before the closing quote, and what comes after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn short(text: &str) -> Vec<(String, String)> {
        terms(text).unwrap().into_iter().map(|term| (term.key, term.value)).collect()
    }

    #[test]
    fn words_keep_their_colons() {
        assert_eq!(short("std::io::Error"), [(String::new(), "std::io::Error".into())]);
        assert_eq!(short("https://x.example"), [(String::new(), "https://x.example".into())]);
        assert_eq!(short(r#"Tenant:"a \"b\"""#), [("tenant".into(), "a \"b\"".into())]);
    }

    proptest! {
        #[test]
        fn quoted_values_survive(value in "\\PC{1,20}") {
            let terms = short(&format!("tag:{} x", quote(&value)));
            prop_assert_eq!(terms.first(), Some(&("tag".into(), value)));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,40}") {
            let _ = terms(&text);
        }
    }
}
