//! Keys whose values are secrets, in any case and with any separator.
//!
//! A key is taken apart into words, so that `author`, `secretary` and `token_count` are told from `auth`, `secret` and
//! `token`.

use super::{Rules, scan::MARK};
use std::{fmt, sync::Arc};

/// What stood where something was filtered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    Known(&'static str),
    Own(Arc<str>),
}

impl Label {
    /// Numbers under such a key are counts more often than secrets.
    pub(super) fn spares_numbers(&self) -> bool {
        matches!(self, Self::Known("token" | "session" | "session id" | "authorization"))
    }

    /// Values that are no secrets although their key says so: a session's id that is short or a UUID only tells sessions
    /// apart, as the reports of seeds 001 and 002 use it; what opens a session is longer. `PWD` is a folder in environments.
    pub(super) fn spares(&self, value: &str) -> bool {
        match self {
            Self::Known("session id") => value.len() < 24 || value.len() == 36 && uuid::Uuid::try_parse(value).is_ok(),
            Self::Known("pwd") => value.starts_with('/'),
            // On a board they have one or two digits.
            Self::Known("PIN") => !(4..=12).contains(&value.len()) || !value.bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        }
    }

    /// So surely a secret that a plain word after it is one too: `password: swordfish`.
    pub(super) fn is_strong(&self) -> bool {
        matches!(
            self,
            Self::Known(
                "password" | "pwd" | "secret" | "api key" | "private key" | "credentials" | "cookie" | "authorization"
            )
        )
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(name) => f.write_str(name),
            Self::Own(name) => f.write_str(name),
        }
    }
}

/// Longer keys are cut before they are looked at; their end says what they are.
const LONGEST: usize = 96;

/// What a last word makes harmless: facts about a secret, not the secret.
const HARMLESS: [&str; 49] = [
    "count",
    "counts",
    "type",
    "types",
    "length",
    "len",
    "size",
    "expires",
    "expiry",
    "expiration",
    "expire",
    "ttl",
    "enabled",
    "disabled",
    "required",
    "url",
    "uri",
    "endpoint",
    "limit",
    "limits",
    "max",
    "min",
    "used",
    "usage",
    "index",
    "status",
    "state",
    "version",
    "valid",
    "at",
    "age",
    "policy",
    "present",
    "exists",
    "consent",
    "duration",
    "timeout",
    "date",
    "time",
    "algorithm",
    "alg",
    "method",
    "scheme",
    "provider",
    "strength",
    "changed",
    "updated",
    "created",
    "name",
];

/// Words that make a secret of whatever holds them, but for the harmless endings.
fn strong(word: &str) -> Option<&'static str> {
    Some(match word {
        "password" | "passwords" | "passwd" | "passphrase" | "passcode" => "password",
        "pwd" => "pwd",
        "secret" | "secrets" => "secret",
        "apikey" | "apikeys" => "api key",
        "authorization" => "authorization",
        "credential" | "credentials" | "creds" => "credentials",
        "cookie" | "cookies" => "cookie",
        "csrf" | "xsrf" | "csrftoken" | "xsrftoken" | "csrfmiddlewaretoken" => "csrf token",
        "jwt" => "JWT",
        "bearer" => "bearer token",
        "privatekey" => "private key",
        "accesskey" | "secretkey" | "authkey" | "signingkey" | "encryptionkey" => "api key",
        "cardnumber" | "creditcard" | "ccnumber" => "card number",
        "cvv" | "cvc" | "cvv2" | "cvc2" => "card code",
        "ssn" => "ssn",
        _ => return None,
    })
}

/// Words that name a secret at the end of a key only.
fn weak(word: &str) -> Option<&'static str> {
    Some(match word {
        "token" | "tokens" => "token",
        "auth" | "signature" | "sig" => "authorization",
        "session" | "sessions" | "sid" | "sessionid" | "sessid" | "phpsessid" | "jsessionid" => "session",
        "pass" | "pw" | "userpass" => "password",
        "otp" | "totp" => "one-time password",
        "pin" => "PIN",
        _ => return compound_word(word),
    })
}

/// Words written together: `pgpassword`, `githubtoken`.
fn compound_word(word: &str) -> Option<&'static str> {
    const ENDS: [(&str, &str); 10] = [
        ("password", "password"),
        ("passwd", "password"),
        ("passphrase", "password"),
        ("secret", "secret"),
        ("token", "token"),
        ("apikey", "api key"),
        ("secretkey", "api key"),
        ("privatekey", "private key"),
        ("sessionid", "session"),
        ("sessid", "session"),
    ];
    if word.len() < 7 {
        return None;
    }
    ENDS.iter().find(|(end, _)| word.ends_with(end)).map(|(_, label)| *label)
}

/// Two words that name a secret together.
fn pair(first: &str, second: &str) -> Option<&'static str> {
    Some(match (first, second) {
        (
            "api" | "access" | "app" | "account" | "secret" | "signing" | "encryption" | "auth" | "master"
            | "functions" | "subscription",
            "key" | "keys",
        ) => "api key",
        ("private", "key" | "keys") => "private key",
        ("session", "id" | "ids") => "session id",
        ("session", "key" | "token" | "data") => "session",
        ("card", "number" | "no") | ("credit", "card") | ("cc", "number") => "card number",
        ("security" | "card", "code") => "card code",
        ("otp" | "totp" | "verification", "code") => "one-time password",
        ("pin", "code") => "PIN",
        ("social", "security") => "ssn",
        ("connection", "string") => "credentials",
        ("auth", "header" | "data" | "code") => "authorization",
        _ => return None,
    })
}

impl Rules {
    /// What a key holds, if that is to be filtered.
    pub(super) fn key(&self, key: &str) -> Option<Label> {
        // What was filtered out of a key says nothing of its value.
        if key.len() < 2 || key.contains('[') && key.contains(MARK) {
            return None;
        }
        let mut buffer = Buffer::default();
        let words = buffer.fill(key);
        let own = self.keys.iter().find(|(own, _)| {
            words.strip_suffix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
        });
        if let Some((_, label)) = own {
            return Some(label.clone());
        }
        if self.off {
            return None;
        }
        let known = known(words)?;
        (!self.allowed.iter().any(|allowed| allowed == words)).then_some(Label::Known(known))
    }
}

fn known(words: &str) -> Option<&'static str> {
    let mut previous = "";
    let mut last = "";
    let mut found = None;
    for word in words.split('_').filter(|word| !word.is_empty()) {
        found = pair(last, word).or_else(|| strong(word)).or(found);
        previous = last;
        last = word;
    }
    let is_count = matches!(
        (previous, last),
        ("max" | "total" | "prompt" | "completion" | "output" | "input" | "num" | "n", "tokens")
    );
    // The id of a key tells which one it is.
    let is_id = last == "id" && found == Some("api key");
    found.filter(|_| !is_id).or_else(|| weak(last).filter(|_| !is_count)).filter(|_| !HARMLESS.contains(&last))
}

/// A key in lower case with `_` between its words.
pub(super) fn normalize(key: &str) -> String {
    Buffer::default().fill(key).to_owned()
}

/// Room for a key, so that looking at one allocates nothing.
struct Buffer {
    bytes: [u8; LONGEST * 2],
    length: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { bytes: [0; LONGEST * 2], length: 0 }
    }
}

impl Buffer {
    fn fill(&mut self, key: &str) -> &str {
        let bytes = key.as_bytes();
        let bytes = bytes.get(bytes.len().saturating_sub(LONGEST)..).unwrap_or_default();
        let mut previous = b'_';
        for (i, &byte) in bytes.iter().enumerate() {
            let next_is_lower = bytes.get(i + 1).is_some_and(u8::is_ascii_lowercase);
            let starts = byte.is_ascii_uppercase()
                && (previous.is_ascii_lowercase()
                    || previous.is_ascii_digit()
                    || previous.is_ascii_uppercase() && next_is_lower);
            if starts {
                self.push(b'_');
            }
            // What is not ASCII names none of the words; any letter keeps the words around it apart from it.
            self.push(match byte {
                _ if byte.is_ascii_alphanumeric() => byte.to_ascii_lowercase(),
                0x80.. => b'x',
                _ => b'_',
            });
            previous = byte;
        }
        let filled = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(filled).unwrap_or_default().trim_matches('_')
    }

    fn push(&mut self, byte: u8) {
        if byte == b'_' && self.length.checked_sub(1).and_then(|last| self.bytes.get(last)) == Some(&b'_') {
            return;
        }
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_in_any_spelling() {
        let rules = Rules::default();
        for key in [
            "password",
            "PASSWORD",
            "user[password]",
            "dbPassword",
            "PGPASSWORD",
            "passwd",
            "pwd",
            "client_secret",
            "X-Api-Key",
            "apiKey",
            "APIKey",
            "api_key",
            "Authorization",
            "Proxy-Authorization",
            "cookie",
            "Set-Cookie",
            "session",
            "sessionid",
            "sessionId",
            "session_token",
            "connect.sid",
            "PHPSESSID",
            "csrfmiddlewaretoken",
            "X-XSRF-TOKEN",
            "private_key",
            "credentials",
            "auth",
            "jwt",
            "access_token",
            "SENTRY_AUTH_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "card_number",
            "cardNumber",
            "cvv",
            "ssn",
            "password_confirmation",
            "SECRET_KEY_BASE",
        ] {
            assert!(rules.key(key).is_some(), "{key}");
        }
    }

    #[test]
    fn harmless_keys_are_left_alone() {
        let rules = Rules::default();
        for key in [
            "author",
            "authors",
            "secretary",
            "session_count",
            "token_count",
            "max_tokens",
            "total_tokens",
            "tokenizer",
            "password_length",
            "cookie_consent",
            "auth_method",
            "token_type",
            "expires_in",
            "passenger",
            "compass",
            "pinned",
            "key",
            "id",
            "user",
            "sidebar",
            "message",
            "card",
            "keyboard",
            "monkey",
            "assessment",
            "x",
            "",
            "é",
        ] {
            assert_eq!(rules.key(key), None, "{key}");
        }
    }

    #[test]
    fn the_end_of_a_long_key_counts() {
        let key = format!("{}_password", "x".repeat(5000));
        assert!(Rules::default().key(&key).is_some());
    }
}
