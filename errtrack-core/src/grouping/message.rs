//! Messages without their parameters: what stays is the same whenever the same thing goes wrong.
//!
//! One pass over the text with a hand-written tokenizer, because this runs for every event: no regular expression, a
//! bounded look ahead, linear time.

mod codes;
mod number;
mod word;

use codes::Context;
use std::{borrow::Cow, net::Ipv6Addr};

/// The longest text between quotes that is taken for a value.
const QUOTED: usize = 512;

/// Puts placeholders where a message holds values: `<num>`, `<uuid>`, `<hex>`, `<ip>`, `<email>`, `<url>`, `<date>`,
/// `<duration>`, `<quoted>` and, for opaque tokens, `<id>`.
///
/// Numbers that say *what* went wrong stay: HTTP status, errno, SQLSTATE, signal, exit code. Borrows if nothing changes.
///
/// # Example
/// ```
/// use errtrack_core::grouping::message::parameterize;
///
/// assert_eq!(parameterize("order 4711 of ana@example.com took 30s"), "order <num> of <email> took <duration>");
/// assert_eq!(parameterize("GET /orders/4711 failed with status code 404"), "GET /orders/<num> failed with status code 404");
/// assert_eq!(parameterize("Permission denied (os error 13)"), "Permission denied (os error 13)");
/// ```
#[must_use]
pub fn parameterize(text: &str) -> Cow<'_, str> {
    let mut scanner = Scanner::new(text);
    scanner.scan();
    scanner.finish()
}

/// The numbers of a message that stay in it, because they say what went wrong.
pub(crate) fn codes(text: &str) -> Vec<&str> {
    let mut scanner = Scanner::new(text);
    scanner.scan();
    scanner.codes.into_iter().map(|(_, code)| code).collect()
}

/// The byte at a place; 0 outside.
fn at(bytes: &[u8], index: usize) -> u8 {
    bytes.get(index).copied().unwrap_or(0)
}

/// Letters, digits and whatever is not ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The end of the word that begins at a place.
fn word_end(bytes: &[u8], start: usize) -> usize {
    start + bytes.get(start..).unwrap_or_default().iter().take_while(|b| is_word(**b)).count()
}

/// A part of the text, and what stands for it.
struct Piece {
    start: usize,
    end: usize,
    placeholder: &'static str,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// What is replaced, in order and apart.
    pieces: Vec<Piece>,
    context: Context<'a>,
    /// Each with where it stands.
    codes: Vec<(usize, &'a str)>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), pieces: vec![], context: Context::default(), codes: vec![] }
    }

    fn scan(&mut self) {
        let mut pos = 0;
        while pos < self.bytes.len() {
            pos = match at(self.bytes, pos) {
                b'"' | b'\'' | b'`' => self.quoted(pos),
                b'@' => self.email(pos),
                b':' => self.colon(pos),
                byte if is_word(byte) => self.word(pos),
                byte => {
                    self.context.separator(byte);
                    pos + 1
                }
            };
        }
    }

    /// A value between quotes. An apostrophe inside a word is none.
    fn quoted(&mut self, start: usize) -> usize {
        let quote = at(self.bytes, start);
        if start > 0 && is_word(at(self.bytes, start - 1)) {
            return start + 1;
        }
        let inside = self.bytes.get(start + 1..).unwrap_or_default();
        let mut escaped = false;
        for (offset, &byte) in inside.iter().take(QUOTED).enumerate() {
            let closes = byte == quote && !escaped && !is_word(at(inside, offset + 1));
            escaped = byte == b'\\' && !escaped;
            if closes {
                let end = start + offset + 2;
                return self.replace(start, end, "<quoted>");
            }
        }
        start + 1
    }

    /// An address: the part before the `@` may have been written or replaced already.
    fn email(&mut self, at_sign: usize) -> usize {
        let local = |b: &&u8| is_word(**b) || matches!(**b, b'.' | b'_' | b'+' | b'-' | b'%');
        let before = self.bytes.get(..at_sign).unwrap_or_default().iter().rev().take(64).take_while(local).count();
        let after = self.bytes.get(at_sign + 1..).unwrap_or_default();
        let domain = |b: &&u8| is_word(**b) || matches!(**b, b'.' | b'-');
        let mut length = after.iter().take(253).take_while(domain).count();
        length = self.text.floor_char_boundary(at_sign + 1 + length) - at_sign - 1;
        while matches!(at(after, length.wrapping_sub(1)), b'.' | b'-') {
            length -= 1;
        }
        let has_dot = after.get(..length).unwrap_or_default().contains(&b'.');
        if before == 0 || !has_dot {
            return at_sign + 1;
        }
        // Looked at byte by byte, it may begin within a character.
        let start = self.text.ceil_char_boundary(at_sign - before);
        self.replace(start, at_sign + 1 + length, "<email>")
    }

    /// A URL, or an IPv6 address that begins with colons.
    fn colon(&mut self, colon: usize) -> usize {
        if self.bytes.get(colon..colon + 3) == Some(b"://") {
            let scheme = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'+';
            let before = self.bytes.get(..colon).unwrap_or_default().iter().rev().take(20).take_while(scheme).count();
            if before > 0 {
                let ends =
                    |b: &&u8| !b.is_ascii_whitespace() && !matches!(**b, b'"' | b'\'' | b'`' | b'<' | b'>' | b')');
                let rest = self.bytes.get(colon..).unwrap_or_default();
                let mut length = rest.iter().take_while(ends).count();
                while length > 3
                    && matches!(at(rest, length - 1), b'.' | b',' | b':' | b';' | b'!' | b'?' | b']' | b'}')
                {
                    length -= 1;
                }
                let start = colon - before;
                return self.replace(start, colon + length, "<url>");
            }
        }
        match self.ipv6(colon) {
            Some(end) => self.replace(colon, end, "<ip>"),
            None => colon + 1,
        }
    }

    fn ipv6(&self, start: usize) -> Option<usize> {
        if start > 0 && (is_word(at(self.bytes, start - 1)) || at(self.bytes, start - 1) == b':') {
            return None;
        }
        let rest = self.bytes.get(start..)?;
        let length = rest.iter().take(46).take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')).count();
        let length = if at(rest, length.wrapping_sub(1)) == b'.' { length - 1 } else { length };
        let candidate = self.text.get(start..start + length)?;
        let colons = candidate.bytes().filter(|b| *b == b':').count();
        let digits = candidate.bytes().any(|b| b.is_ascii_digit());
        (colons >= 2 && digits && !is_word(at(rest, length)) && candidate.parse::<Ipv6Addr>().is_ok())
            .then_some(start + length)
    }

    /// Notes a replacement, in place of smaller ones inside it; says where to go on.
    fn replace(&mut self, start: usize, end: usize, placeholder: &'static str) -> usize {
        while self.pieces.last().is_some_and(|piece| piece.start >= start) {
            self.pieces.pop();
        }
        while self.codes.last().is_some_and(|(place, code)| place + code.len() > start) {
            self.codes.pop();
        }
        // What was replaced in part stays whole.
        let start = self.pieces.last().map_or(start, |piece| start.max(piece.end));
        if let Some(last) = self.pieces.last_mut()
            && placeholder == "<date>"
            && last.placeholder == "<date>"
            && self.text.get(last.end..start).is_some_and(|gap| gap.trim_matches([' ', ',', 'T']).is_empty())
        {
            last.end = end;
            return end;
        }
        self.pieces.push(Piece { start, end, placeholder });
        self.context.value();
        end
    }

    fn finish(self) -> Cow<'a, str> {
        if self.pieces.is_empty() {
            return Cow::Borrowed(self.text);
        }
        let mut out = String::with_capacity(self.text.len() + 16);
        let mut copied = 0;
        for piece in &self.pieces {
            out.push_str(self.text.get(copied..piece.start).unwrap_or_default());
            out.push_str(piece.placeholder);
            copied = piece.end;
        }
        out.push_str(self.text.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests;
