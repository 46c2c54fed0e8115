//! Texts with a form of their own: queries, forms, cookies, JSON.

use super::{
    Rules,
    key::Label,
    scan::{Found, Kind, filter, is_filtered, replacement},
};

/// Filters `a=1&password=x`, keys decoded; `None` where there is nothing to filter.
pub(super) fn form(text: &str, rules: &Rules) -> Option<Found> {
    let spares = |label: &Label, value: &str| {
        label.spares(value) || label.spares_numbers() && value.len() < 6 && is_number(value)
    };
    let label = |key: &str, value: &str| {
        let label = if key.contains('%') { rules.key(&decode(key)) } else { rules.key(key) };
        label.filter(|label| !spares(label, value))
    };
    pairs(text, "&", rules, label)
}

/// Filters `a=1; session=x`, cookie by cookie.
pub(super) fn cookies(text: &str, rules: &Rules) -> Option<Found> {
    pairs(text, "; ", rules, |key, _| rules.key(key))
}

/// Filters the values that `label` names a secret, and whatever else is one by its looks, in keys too.
fn pairs(text: &str, joint: &str, rules: &Rules, label: impl Fn(&str, &str) -> Option<Label>) -> Option<Found> {
    let mut found = Found { text: String::with_capacity(text.len()), ..Found::default() };
    for (i, part) in text.split(joint).enumerate() {
        if i > 0 {
            found.text.push_str(joint);
        }
        let (key, value) = part.split_once('=').unwrap_or(("", part));
        match label(key, value).filter(|_| !is_filtered(value)) {
            Some(label) => {
                // The key may hold a secret of its own.
                push(&mut found, &format!("{key}={}", replacement(&label)), rules);
                found.what.push(label);
            }
            None => push(&mut found, part, rules),
        }
    }
    (!found.what.is_empty()).then_some(found)
}

/// Adds a text without the secrets in it.
fn push(found: &mut Found, text: &str, rules: &Rules) {
    match filter(text, rules, Kind::Prose) {
        Some(filtered) => {
            found.text.push_str(&filtered.text);
            found.what.extend(filtered.what);
        }
        None => found.text.push_str(text),
    }
}

/// Whether a text looks like a form: pairs, and nothing that only prose has.
pub(super) fn is_form(text: &str) -> bool {
    text.contains('=') && !text.bytes().any(|b| b.is_ascii_whitespace() || matches!(b, b'{' | b'"' | b'<'))
}

/// Whether a text may be JSON with structure.
pub(super) fn is_json(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('{') && text.ends_with('}') || text.starts_with('[') && text.ends_with(']')
}

/// Percent-decoding (RFC 3986, section 2.1) for looking at a key.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        match (byte, hex(bytes.get(i + 1)), hex(bytes.get(i + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                i += 3;
            }
            _ => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}
