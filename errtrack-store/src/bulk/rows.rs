//! Rows as JSON: `[[1,"a"],[2,null]]`.

use std::fmt::Write;

/// A list of rows that is being written.
#[derive(Debug)]
pub(super) struct Rows {
    json: String,
    first: bool,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self { json: String::from("["), first: true }
    }

    pub(super) fn row(&mut self, fill: impl FnOnce(&mut Self)) {
        self.list('[', ']', fill);
    }

    pub(super) fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.list('{', '}', fill);
    }

    pub(super) fn int(&mut self, number: i64) {
        self.comma();
        let _ = write!(self.json, "{number}");
    }

    pub(super) fn size(&mut self, number: usize) {
        self.comma();
        let _ = write!(self.json, "{number}");
    }

    pub(super) fn optional_int(&mut self, number: Option<i64>) {
        match number {
            Some(number) => self.int(number),
            None => self.null(),
        }
    }

    /// A text; NUL, which ends a text in some places, becomes the replacement character.
    pub(super) fn text(&mut self, text: &str) {
        self.comma();
        self.quote(text);
    }

    pub(super) fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    /// Bytes in hexadecimal.
    pub(super) fn hex(&mut self, bytes: &[u8]) {
        const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        self.comma();
        self.json.push('"');
        for byte in bytes {
            for half in [byte >> 4, byte & 15] {
                self.json.extend(DIGITS.get(usize::from(half)));
            }
        }
        self.json.push('"');
    }

    /// A member of an object.
    pub(super) fn member(&mut self, name: &str, number: i64) {
        self.comma();
        self.quote(name);
        let _ = write!(self.json, ":{number}");
    }

    pub(super) fn finish(mut self) -> String {
        self.json.push(']');
        self.json
    }

    fn null(&mut self) {
        self.comma();
        self.json.push_str("null");
    }

    fn list(&mut self, open: char, close: char, fill: impl FnOnce(&mut Self)) {
        self.comma();
        self.json.push(open);
        self.first = true;
        fill(self);
        self.json.push(close);
        self.first = false;
    }

    fn comma(&mut self) {
        if !self.first {
            self.json.push(',');
        }
        self.first = false;
    }

    fn quote(&mut self, text: &str) {
        self.json.push('"');
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.json.push_str(text.get(plain..at).unwrap_or_default());
            plain = at + 1;
            match byte {
                b'"' => self.json.push_str("\\\""),
                b'\\' => self.json.push_str("\\\\"),
                0 => self.json.push('\u{fffd}'),
                other => {
                    let _ = write!(self.json, "\\u{other:04x}");
                }
            }
        }
        self.json.push_str(text.get(plain..).unwrap_or_default());
        self.json.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn rows_are_json() {
        let mut rows = Rows::new();
        rows.row(|r| {
            r.int(-1);
            r.text("a\"b\\c\nd\0😀");
            r.optional(None);
            r.hex(&[0xab, 0x01]);
            r.object(|o| {
                o.member("x\u{1f}y", 2);
                o.member("z", 3);
            });
        });
        rows.row(|_| {});
        let json: serde_json::Value = serde_json::from_str(&rows.finish()).unwrap();
        let text = "a\"b\\c\nd\u{fffd}😀";
        assert_eq!(json, serde_json::json!([[-1, text, null, "ab01", {"x\u{1f}y": 2, "z": 3}], []]));
    }
}
