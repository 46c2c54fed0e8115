//! Texts with a form of their own: queries, forms, cookies, JSON.

use super::{
    Rules,
    key::Label,
    scan::{Kind, filter, is_filtered, replacement},
};

/// Filters `a=1&password=x`, keys decoded; `None` where there is nothing to filter.
pub(super) fn form(text: &str, rules: &Rules) -> Option<(String, Vec<Label>)> {
    let mut what = Vec::new();
    let mut out = String::with_capacity(text.len());
    for (i, part) in text.split('&').enumerate() {
        if i > 0 {
            out.push('&');
        }
        let (key, value) = part.split_once('=').unwrap_or(("", part));
        let label = if key.contains('%') { rules.key(&decode(key)) } else { rules.key(key) };
        let spared = label
            .as_ref()
            .is_some_and(|label| label.spares(value) || label.spares_numbers() && value.len() < 6 && is_number(value));
        match label.filter(|_| !is_filtered(value) && !spared) {
            Some(label) => {
                out.push_str(key);
                out.push('=');
                out.push_str(&replacement(&label));
                what.push(label);
            }
            None => match filter(part, rules, Kind::Prose) {
                Some(found) => {
                    out.push_str(&found.text);
                    what.extend(found.what);
                }
                None => out.push_str(part),
            },
        }
    }
    (!what.is_empty()).then_some((out, what))
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
