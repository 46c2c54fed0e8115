//! A pass over a text, which finds credentials by how they look and by what stands before them.

use super::{Rules, card, iban, key::Label, pair, token};
use std::borrow::Cow;

/// What kind of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What people or programs say.
    Prose,
    /// Source code: only what stands between quotes is a value.
    Code,
}

/// The shortest text that can hold a secret and what tells it.
const SHORTEST: usize = 6;
/// How a replacement begins.
pub(super) const MARK: &str = "[Filtered";
/// How a key or a certificate begins in the text encoding of RFC 7468.
pub(super) const PEM: &str = "-----BEGIN";

/// A text after filtering, and what was found in it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) what: Vec<Label>,
}

impl Found {
    fn add(&mut self, label: Label) {
        if !self.what.contains(&label) {
            self.what.push(label);
        }
    }
}

/// How often a text is looked at. What was filtered can bring out what stood beside it; a bound keeps hostile text linear.
const PASSES: usize = 8;

/// Filters a text; `None` where there is nothing to filter.
pub(super) fn filter(text: &str, rules: &Rules, kind: Kind) -> Option<Found> {
    if text.len() < SHORTEST {
        return None;
    }
    let mut found = None;
    if !rules.off || !rules.keys.is_empty() {
        found = scan(text, rules, kind);
        for _ in 1..PASSES {
            let Some(before) = &mut found else { break };
            let Some(next) = scan(&before.text, rules, kind) else { break };
            before.text = next.text;
            next.what.into_iter().for_each(|label| before.add(label));
        }
    }
    for pattern in &rules.patterns {
        let current = found.as_ref().map_or(text, |f| f.text.as_str());
        // A pattern that matches its own replacement changes nothing the second time.
        if let Cow::Owned(text) = pattern.replace_all(current, "[Filtered: pattern]")
            && text != current
        {
            let mut next = Found { text, what: found.map(|f| f.what).unwrap_or_default() };
            next.add(Label::Known("pattern"));
            found = Some(next);
        }
    }
    found
}

/// Looks through a text once; `None` where it found nothing.
fn scan(text: &str, rules: &Rules, kind: Kind) -> Option<Found> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), rules, kind, copied: 0, found: Found::default() };
    scanner.scan();
    scanner.finish()
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    rules: &'a Rules,
    kind: Kind,
    copied: usize,
    found: Found,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

impl Scanner<'_> {
    fn at(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    fn rest(&self, from: usize) -> &str {
        self.text.get(from..).unwrap_or_default()
    }

    fn scan(&mut self) {
        let mut pos = 0;
        while let Some(&byte) = self.bytes.get(pos) {
            pos = match byte {
                b'-' if self.rest(pos).starts_with(PEM) => self.pem(pos),
                _ if is_word(byte) => self.word(pos),
                b'[' if self.rest(pos).starts_with(MARK) => {
                    // A bound keeps hostile text linear.
                    let end = self.bytes.get(pos..).unwrap_or_default().iter().take(256).position(|b| *b == b']');
                    pos + end.map_or(1, |end| end + 1)
                }
                b':' if self.at(pos + 1) == b'/' && self.at(pos + 2) == b'/' => self.address(pos + 3),
                _ => pos + 1,
            };
        }
    }

    fn word(&mut self, start: usize) -> usize {
        let length = self.bytes.get(start..).unwrap_or_default().iter().take_while(|b| is_word(**b)).count();
        let end = start + length;
        let first = self.at(start);
        if !self.rules.off {
            let from_here = if length >= 2 { self.rest(start) } else { "" };
            let found = match first {
                b'3'..=b'6' | b'2' if self.at(start.wrapping_sub(1)) != b'.' => {
                    card::at_start(from_here).map(|length| (length, "card number"))
                }
                b'A'..=b'Z' if self.at(start + 2).is_ascii_digit() && self.at(start + 3).is_ascii_digit() => {
                    iban::at_start(from_here).map(|length| (length, "IBAN"))
                }
                _ => None,
            };
            // Nearly every word is too short; only credentials with a dot in them begin with a short one.
            let is_long = length >= token::SHORTEST || self.at(end) == b'.';
            let found = found.or_else(|| if is_long { token::at_start(from_here) } else { None });
            let may_be_bot = matches!(length, 8..=10) && self.at(end) == b':';
            let bot = || token::telegram(from_here).filter(|_| may_be_bot).map(|length| (length, "Telegram bot token"));
            let found = found.or_else(bot);
            if let Some((length, name)) = found {
                return self.replace(start, start + length, Label::Known(name));
            }
            if matches!(length, 5 | 6)
                && self.at(end) == b' '
                && let Some(scheme) = self.text.get(start..end)
                && let Some((length, name)) = token::after_scheme(scheme, self.rest(end + 1))
            {
                return self.replace(end + 1, end + 1 + length, Label::Known(name));
            }
        }
        match pair::value_after(self.text, start, end, self.rules, self.kind) {
            Some(value) => self.replace(value.start, value.end, value.label),
            None => end,
        }
    }

    /// What follows `://`: the address of a webhook, or one with a password in it.
    fn address(&mut self, start: usize) -> usize {
        let Some(length) = token::webhook(self.rest(start)).filter(|_| !self.rules.off) else {
            return self.userinfo(start);
        };
        let from = start + length;
        let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b':' | b'.' | b'%');
        let length = self.bytes.get(from..).unwrap_or_default().iter().take_while(is_part).count();
        if length == 0 { from } else { self.replace(from, from + length, Label::Known("webhook")) }
    }

    /// The password in `scheme://user:password@host`, as in RFC 3986, section 3.2.1.
    fn userinfo(&mut self, start: usize) -> usize {
        let ends =
            |b: &&u8| !b.is_ascii_whitespace() && !matches!(b, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`');
        let length = self.bytes.get(start..).unwrap_or_default().iter().take(1024).take_while(ends).count();
        let authority = self.text.get(start..start + length).unwrap_or_default();
        let Some((userinfo, _)) = authority.rsplit_once('@') else { return start };
        match userinfo.split_once(':') {
            Some((user, password)) if !password.is_empty() && !self.rules.off => {
                let from = start + user.len() + 1;
                self.replace(from, from + password.len(), Label::Known("password"))
            }
            _ => start,
        }
    }

    /// A private key, to its end or the end of the text.
    fn pem(&mut self, start: usize) -> usize {
        let rest = self.rest(start);
        let Some(header) = rest.get(PEM.len() + 1..).and_then(|rest| rest.split("-----").next()) else {
            return start + 1;
        };
        if self.rules.off
            || header.len() > 64
            || !header.ends_with("PRIVATE KEY") && !header.ends_with("PRIVATE KEY BLOCK")
        {
            return start + PEM.len();
        }
        let end = rest.find("-----END ").and_then(|at| {
            let tail = rest.get(at + 9..)?;
            Some(at + 9 + tail.find("-----")? + 5)
        });
        let end = start + end.unwrap_or(rest.len());
        self.replace(start, end, Label::Known("private key"))
    }

    fn replace(&mut self, start: usize, end: usize, label: Label) -> usize {
        self.found.text.push_str(self.text.get(self.copied..start).unwrap_or_default());
        self.found.text.push_str(&replacement(&label));
        self.copied = end;
        self.found.add(label);
        end
    }

    fn finish(mut self) -> Option<Found> {
        if self.found.what.is_empty() {
            return None;
        }
        self.found.text.push_str(self.text.get(self.copied..).unwrap_or_default());
        Some(self.found)
    }
}

/// What stands in place of a secret.
pub(super) fn replacement(label: &Label) -> String {
    format!("{MARK}: {label}]")
}

/// Whether a whole value was filtered already, here or by a client.
pub(super) fn is_filtered(value: &str) -> bool {
    value.starts_with(MARK) && value.ends_with(']')
        || matches!(value, "" | "[REDACTED]" | "[redacted]" | "<redacted>" | "[removed]")
        || value.bytes().all(|b| b == b'*')
}
