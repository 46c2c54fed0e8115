//! Numbers that say what went wrong: HTTP status, errno, SQLSTATE, signal, exit code.

/// Reason phrases after which a number before them is an HTTP status. The registry is RFC 9110, section 15.
const REASONS: [&str; 14] = [
    "Bad Request",
    "Unauthorized",
    "Forbidden",
    "Not Found",
    "Method Not Allowed",
    "Conflict",
    "Gone",
    "Payload Too Large",
    "Unprocessable",
    "Too Many Requests",
    "Internal Server Error",
    "Bad Gateway",
    "Service Unavailable",
    "Gateway Timeout",
];

/// The two words before the place in the text.
#[derive(Default)]
pub(super) struct Context<'a> {
    last: &'a str,
    before: &'a str,
}

impl<'a> Context<'a> {
    pub(super) fn word(&mut self, word: &'a str) {
        self.before = self.last;
        self.last = word;
    }

    /// A value stood here: what follows is not about the words before it.
    pub(super) fn value(&mut self) {
        *self = Self::default();
    }

    pub(super) fn separator(&mut self, byte: u8) {
        if matches!(byte, b',' | b';' | b'!' | b'?' | b'\n') {
            self.value();
        }
    }

    fn last_is(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.last.eq_ignore_ascii_case(word))
    }

    fn before_is(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.before.eq_ignore_ascii_case(word))
    }

    /// Whether a word of five letters or digits is an SQLSTATE (ISO/IEC 9075).
    pub(super) fn is_sqlstate(&self, word: &str) -> bool {
        word.len() == 5 && self.last_is(&["sqlstate"])
    }

    /// Whether a whole number stays. `rest` is the text behind it.
    pub(super) fn keeps(&self, number: &str, rest: &str) -> bool {
        let status = number.len() == 3 && matches!(number.as_bytes().first(), Some(b'1'..=b'5'));
        let failure = number.len() == 3 && matches!(number.as_bytes().first(), Some(b'4' | b'5'));
        if number.len() > 5 {
            return false;
        }
        if self.last_is(&["errno", "winerror", "sqlstate", "sqlcode", "signal", "sig"]) {
            return true;
        }
        if self.last_is(&["status", "statuscode", "exit", "exitcode", "exited"]) {
            return number.len() <= 3;
        }
        if self.last_is(&["code", "errorcode"]) {
            let not_an_error = ["zip", "postal", "verification", "country", "area", "promo", "coupon", "discount"];
            return number.len() <= 5 && !self.before_is(&not_an_error);
        }
        if self.last_is(&["http"]) {
            return status || number.len() == 1;
        }
        if self.last_is(&["error", "err"]) {
            return number.len() <= 4 || self.before_is(&["os"]);
        }
        let answers = ["returned", "answered", "responded", "response", "replied", "got", "received", "with", "was"];
        if failure && self.last_is(&answers) {
            return true;
        }
        let rest_of_reason = rest.trim_start();
        if status && REASONS.iter().any(|reason| rest_of_reason.starts_with(reason)) {
            return true;
        }
        // A number alone, or at the end behind a colon: `GET /x: 404`.
        failure
            && (self.last.is_empty() && self.before.is_empty() || rest_of_reason.is_empty() && self.is_after_colon())
    }

    fn is_after_colon(&self) -> bool {
        self.last.is_empty()
    }
}
