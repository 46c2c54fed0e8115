//! Values that stand behind their key in a text: `password=hunter2`, `"token": "…"`, `Authorization: Bearer …`.

use super::{
    Rules,
    key::Label,
    scan::{Kind, MARK, PEM, is_filtered},
    token,
};

/// The place of a value to filter.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) label: Label,
}

/// How key and value are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// `key=value`, or a key in quotes.
    Tight,
    /// `key: value`, which may be mere prose.
    Loose,
    /// `"key", "value"`, which may be a list of names.
    List,
}

/// The value behind a word, if the word is the key of a secret.
pub(super) fn value_after(text: &str, start: usize, end: usize, rules: &Rules, kind: Kind) -> Option<Value> {
    let bytes = text.as_bytes();
    let (from, joint) = joint(bytes, end)?;
    let label = rules.key(text.get(start..end)?)?;
    let quoted = quoted(bytes, from);
    let in_query = start.checked_sub(1).is_some_and(|before| matches!(bytes.get(before), Some(b'?' | b'&' | b';')));
    let (from, to) = match quoted {
        Some(inside) => inside,
        // What opens a bracket is structure or a placeholder; not to look further keeps hostile text linear.
        None if matches!(bytes.get(from), Some(b'{' | b'[' | b'<')) => return None,
        None if joint == Joint::List || kind == Kind::Code && !in_query => return None,
        None => (from, bare_end(text, from, &label)),
    };
    let value = text.get(from..to)?;
    // A private key has lines, which are filtered as a whole; what was filtered stays.
    let value = value.split(PEM).next()?.split(MARK).next()?;
    let to = from + value.len();
    if value.is_empty() || is_filtered(value) || is_placeholder(value) || label.spares(value) {
        return None;
    }
    if (joint == Joint::List || quoted.is_none() && joint == Joint::Loose)
        && !looks_secret(value, &label, text.get(to..)?)
    {
        return None;
    }
    if label.spares_numbers() && value.len() < 6 && value.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let label = token::scheme(value).map_or(label, Label::Known);
    Some(Value { start: from, end: to, label })
}

/// Where the value begins, if the word before `end` is followed by `=`, `:` or `=>`, or stands in quotes before a comma.
fn joint(bytes: &[u8], end: usize) -> Option<(usize, Joint)> {
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let mut pos = end;
    let mut in_quotes = false;
    while matches!(at(pos), b']' | b'\\' | b'"' | b'\'') && pos < end + 4 {
        in_quotes |= matches!(at(pos), b'"' | b'\'');
        pos += 1;
    }
    let mut spaced = false;
    while at(pos) == b' ' && pos < end + 6 {
        spaced = true;
        pos += 1;
    }
    let sign = at(pos);
    match (sign, at(pos + 1)) {
        (b'=', b'=') | (b':', b':' | b'/') => return None,
        (b'=', b'>') | (b':', b'=') => pos += 2,
        (b'=' | b':', _) => pos += 1,
        (b',', _) if in_quotes => pos += 1,
        _ => return None,
    }
    let value = pos + bytes.get(pos..)?.iter().take(4).take_while(|b| **b == b' ').count();
    let joint = match sign {
        b',' => Joint::List,
        _ if in_quotes || sign == b'=' && !spaced && value == pos => Joint::Tight,
        _ => Joint::Loose,
    };
    Some((value, joint))
}

/// What stands between quotes, which may be escaped themselves, as in JSON inside JSON.
fn quoted(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let prefix = usize::from(matches!(at(from), b'b' | b'r' | b'f' | b'u') && matches!(at(from + 1), b'"' | b'\''));
    let escapes = bytes.get(from + prefix..)?.iter().take(3).take_while(|b| **b == b'\\').count();
    let open = from + prefix + escapes;
    let quote = at(open);
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let mut slashes = 0;
    for (i, &byte) in bytes.get(open + 1..)?.iter().enumerate() {
        if byte == b'\\' {
            slashes += 1;
        } else if byte == quote && slashes <= escapes && (slashes == escapes || escapes == 0 && slashes % 2 == 0) {
            return Some((open + 1, open + 1 + i - slashes));
        } else if byte == b'\n' {
            return Some((open + 1, open + 1 + i));
        } else {
            slashes = 0;
        }
    }
    Some((open + 1, bytes.len()))
}

/// The end of a value without quotes.
fn bare_end(text: &str, from: usize, label: &Label) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    if *label == Label::Known("cookie") {
        return from + rest.find(['\n', '\r']).unwrap_or(rest.len());
    }
    let ends =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | ')' | '}' | ']' | '"' | '\'' | '<' | '>' | '`');
    let end = rest.find(ends).unwrap_or(rest.len());
    let scheme = rest.get(..end).unwrap_or_default();
    let is_scheme =
        ["bearer", "basic", "token", "digest", "negotiate", "apikey"].iter().any(|s| scheme.eq_ignore_ascii_case(s));
    match rest.get(end + 1..) {
        Some(token) if is_scheme && rest.as_bytes().get(end) == Some(&b' ') => {
            from + end + 1 + token.find(ends).unwrap_or(token.len())
        }
        _ => from + end,
    }
}

/// What stands for a value and is none: `%s`, `{}`, `${PASSWORD}`, `$1`, `null`.
fn is_placeholder(value: &str) -> bool {
    matches!(
        value,
        "?" | "null" | "None" | "nil" | "true" | "false" | "True" | "False" | "undefined" | "%s" | "..." | "…"
    ) || value.starts_with(['{', '[', '<'])
        || value.starts_with("${")
        || value.starts_with("%(")
        || value.strip_prefix('$').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether what follows `key: ` is a secret and not the rest of a sentence.
fn looks_secret(value: &str, label: &Label, rest: &str) -> bool {
    let core = value.trim_end_matches(['.', ':', '!', '?']);
    let has_digit = core.bytes().any(|b| b.is_ascii_digit());
    let has_upper = core.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    let has_lower = core.bytes().any(|b| b.is_ascii_lowercase());
    let has_sign =
        core.bytes().any(|b| b.is_ascii_punctuation() && !matches!(b, b'-' | b'_' | b'.' | b':' | b'(' | b'&' | b'/'));
    let ends = rest.trim_start_matches(' ').is_empty() || rest.starts_with(['\n', '\r', ',', ';', '&']);
    core.len() >= 4 && (has_digit || has_sign || has_upper && has_lower && core.len() >= 8 || core.len() >= 24)
        || label.is_strong() && ends && core.len() >= 4
        || value.contains(' ')
}
