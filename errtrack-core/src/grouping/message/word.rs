//! Words: which are values, which are names that happen to hold digits.

use super::{Scanner, at, is_word, number, word_end};

/// Names with digits in them that are no values.
const NAMES: [&str; 54] = [
    "utf8", "utf16", "utf32", "http1", "http2", "http3", "h2", "h3", "ipv4", "ipv6", "ip4", "ip6", "sha1", "sha224",
    "sha256", "sha384", "sha512", "md5", "base16", "base32", "base58", "base64", "x86", "x64", "amd64", "arm64",
    "aarch64", "win32", "x509", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "i128", "u128", "f32", "f64",
    "int8", "int16", "int32", "int64", "oauth2", "s3", "ec2", "k8s", "iso8601", "rfc3339", "latin1", "log4j", "pkcs8",
];

/// What comes before the number of an error code: `ORA-00942`, `TS2345`, `E0308`.
const CODES: [&str; 11] = ["ORA", "TS", "E", "ERR", "PLS", "CS", "HTTP", "SQLSTATE", "CVE", "NU", "SIG"];

impl<'a> Scanner<'a> {
    /// Judges the word that begins at a place; says where to go on.
    pub(super) fn word(&mut self, start: usize) -> usize {
        let end = word_end(self.bytes, start);
        let word = self.text.get(start..end).unwrap_or_default();
        if !word.bytes().any(|b| b.is_ascii_digit()) {
            if word.len() <= 4
                && let Some(end) = self.ipv6(start)
            {
                return self.replace(start, end, "<ip>");
            }
            if word.len() == 8
                && let Some(end) = number::uuid_end(self.bytes, start)
            {
                return self.replace(start, end, "<uuid>");
            }
            self.context.word(word);
            return end;
        }
        if let Some((end, placeholder)) = self.shaped(start, word) {
            return self.replace(start, end, placeholder);
        }
        if self.context.is_sqlstate(word) {
            self.codes.push((start, word));
            return end;
        }
        if is_hex(word) {
            return self.replace(start, end, "<hex>");
        }
        if at(self.bytes, start).is_ascii_digit() {
            return self.digits(start, end, word);
        }
        let letters = word.bytes().take_while(|b| !b.is_ascii_digit()).count();
        let is_code = CODES.iter().any(|code| word.get(..letters) == Some(*code)) && word.len() - letters <= 5;
        if is_code || NAMES.iter().any(|name| word.eq_ignore_ascii_case(name)) {
            self.context.word(word);
        } else if is_opaque(word) {
            self.replace(start, end, "<id>");
        } else {
            return self.digits_inside(start + letters, end);
        }
        end
    }

    /// What is known by its shape alone.
    fn shaped(&self, start: usize, word: &str) -> Option<(usize, &'static str)> {
        if word.len() == 8
            && let Some(end) = number::uuid_end(self.bytes, start)
        {
            return Some((end, "<uuid>"));
        }
        if word.len() <= 4
            && let Some(end) = self.ipv6(start)
        {
            return Some((end, "<ip>"));
        }
        let begins = start == 0 || !matches!(at(self.bytes, start - 1), b'.');
        if !at(self.bytes, start).is_ascii_digit() || !begins {
            return None;
        }
        number::date_end(self.bytes, start)
            .map(|end| (end, "<date>"))
            .or_else(|| number::ipv4_end(self.bytes, start).map(|end| (end, "<ip>")))
    }

    /// A word that begins with a digit.
    fn digits(&mut self, start: usize, end: usize, word: &'a str) -> usize {
        let number_end = number::end(self.bytes, start);
        let after = word_end(self.bytes, number_end);
        let unit = self.text.get(number_end..after).unwrap_or_default();
        if number::is_unit(unit) {
            return self.replace(start, after, "<duration>");
        }
        if unit.is_empty() {
            if number_end == end && self.context.keeps(word, self.text.get(end..).unwrap_or_default()) {
                self.codes.push((start, word));
                return end;
            }
            // `HTTP/1.1 404`: the version is no value, and the status is still to come.
            if self.codes_follow(start) {
                return number_end;
            }
            if at(self.bytes, number_end) == b' ' {
                let apart = word_end(self.bytes, number_end + 1);
                if number::is_unit(self.text.get(number_end + 1..apart).unwrap_or_default()) {
                    return self.replace(start, apart, "<duration>");
                }
            }
            if self.after_code_prefix(start) {
                return number_end;
            }
            return self.replace(start, number_end, "<num>");
        }
        if is_compound_duration(word) {
            return self.replace(start, end, "<duration>");
        }
        if number_end < end && is_opaque(word) {
            return self.replace(start, end, "<id>");
        }
        self.digits_inside(start, after)
    }

    /// Replaces every run of digits inside a word, the last one with the fraction behind it; says where to go on.
    fn digits_inside(&mut self, start: usize, end: usize) -> usize {
        let mut pos = start;
        while pos < end {
            if at(self.bytes, pos).is_ascii_digit() {
                let run = number::end(self.bytes, pos);
                self.replace(pos, run, "<num>");
                pos = run;
            } else {
                pos += 1;
            }
        }
        pos
    }

    /// `ORA-00942`.
    fn after_code_prefix(&self, start: usize) -> bool {
        let before = self.text.get(..start).unwrap_or_default();
        before.strip_suffix('-').is_some_and(|prefix| {
            CODES.iter().any(|code| {
                code.len() > 1
                    && prefix.ends_with(code)
                    && !prefix.strip_suffix(code).is_some_and(|rest| rest.bytes().next_back().is_some_and(is_word))
            })
        })
    }

    fn codes_follow(&self, start: usize) -> bool {
        self.text.get(..start).is_some_and(|before| before.ends_with("HTTP/") || before.ends_with("http/"))
    }
}

/// Hex digits that are no number and no English word.
fn is_hex(word: &str) -> bool {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    if let Some(digits) = digits {
        return !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    word.len() >= 7
        && word.bytes().all(|b| b.is_ascii_hexdigit())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
        && word.bytes().any(|b| b.is_ascii_digit())
}

/// `2h30m`.
fn is_compound_duration(word: &str) -> bool {
    word.len() <= 16
        && word.split_inclusive(|c: char| !c.is_ascii_digit()).all(|part| {
            let unit = part.trim_start_matches(|c: char| c.is_ascii_digit());
            matches!(unit, "d" | "h" | "m" | "s") && unit.len() < part.len()
        })
}

/// Letters and digits so mixed that no person wrote them.
fn is_opaque(word: &str) -> bool {
    let bytes = word.as_bytes();
    let changes = bytes.windows(2).filter(|w| at(w, 0).is_ascii_digit() != at(w, 1).is_ascii_digit()).count();
    bytes.len() >= 10 && changes >= 4 || bytes.len() >= 16 && changes >= 2
}
