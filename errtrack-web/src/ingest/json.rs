//! JSON as it really comes: lone surrogates, `NaN`, raw control characters, bytes that are no UTF-8.
//!
//! `serde_json` refuses all of that, rightly. So a document is repaired when it was refused, and only then.

use errtrack_core::Map;
use serde_json::Value;

/// Parses a document, and once more after repairing it if it was refused.
///
/// The error is the first one: its position is that in the document as it was sent.
pub(crate) fn with_repair<T>(
    json: &[u8],
    parse: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
) -> Result<T, serde_json::Error> {
    match parse(json) {
        Ok(value) => Ok(value),
        // Repairing adds nothing where something is missing.
        Err(error) if error.is_eof() => Err(error),
        Err(error) => parse(&repaired(json)).map_err(|_| error),
    }
}

/// Parses an object; the error is a sentence for the sender.
pub(crate) fn object(json: &[u8]) -> Result<Map, String> {
    if json.trim_ascii().is_empty() {
        return Err("the body is empty: a JSON object is needed".into());
    }
    match with_repair(json, |json| serde_json::from_slice(json)) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("the body is not a JSON object".into()),
        Err(error) => Err(format!("invalid JSON: {error}")),
    }
}

/// Replaces what no JSON parser takes: surrogates that stand alone and bytes that are no UTF-8 by U+FFFD, control characters by
/// their escapes, unknown escapes by a backslash, and numbers that are none by `null`.
fn repaired(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_ref();
    let mut in_string = false;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => {
                in_string = !in_string;
                out.push('"');
                1
            }
            '\\' if in_string => escape(rest, &mut out),
            c if in_string && c < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                1
            }
            c if !in_string && (c.is_ascii_alphanumeric() || c == '-') => word(rest, &mut out),
            c => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out.into_bytes()
}

/// Copies the escape that a text starts with, repaired; answers how long it was.
fn escape(text: &str, out: &mut String) -> usize {
    match text.as_bytes().get(1) {
        Some(b'u') => match (unit(text), text.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                out.extend(text.get(..12));
                12
            }
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                6
            }
            (Some(_), _) => {
                out.extend(text.get(..6));
                6
            }
            (None, _) => {
                out.push_str("\\\\");
                1
            }
        },
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
            out.extend(text.get(..2));
            2
        }
        _ => {
            out.push_str("\\\\");
            1
        }
    }
}

/// The code unit of the `\uXXXX` that a text starts with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

/// Copies the number or name that a text starts with, or `null` if it is no value; answers how long it was.
fn word(text: &str, out: &mut String) -> usize {
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
    let length = text.find(|c| !in_word(c)).unwrap_or(text.len());
    let word = text.get(..length).unwrap_or_default();
    let is_value = matches!(word, "true" | "false" | "null") || word.parse::<f64>().is_ok_and(f64::is_finite);
    out.push_str(if is_value { word } else { "null" });
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(json: &[u8]) -> Value {
        with_repair(json, |json| serde_json::from_slice(json)).unwrap()
    }

    #[test]
    fn what_clients_really_send_is_read() {
        let cases: [(&[u8], Value); 8] = [
            (
                br#"["\ud83d x", "\ude00", "\ud83d\ud83d\ude00"]"#,
                serde_json::json!(["\u{fffd} x", "\u{fffd}", "\u{fffd}😀"]),
            ),
            (br#"[NaN, Infinity, -Infinity, 1e999, -2]"#, serde_json::json!([null, null, null, null, -2])),
            (b"[\"a\nb\"]", serde_json::json!(["a\nb"])),
            (b"[\"\xff\"]", serde_json::json!(["\u{fffd}"])),
            (br#"["\x41 \u12 \\ud83d"]"#, serde_json::json!(["\\x41 \\u12 \\ud83d"])),
            (br#"["\u0000\ud83d"]"#, serde_json::json!(["\0\u{fffd}"])),
            (br#"{"\ud83d": true}"#, serde_json::json!({"\u{fffd}": true})),
            (br#"["NaN \ud83d"]"#, serde_json::json!(["NaN \u{fffd}"])),
        ];
        for (json, expected) in cases {
            assert_eq!(parsed(json), expected);
        }
    }

    #[test]
    fn an_error_tells_the_place() {
        assert!(object(br#"{"a": }"#).unwrap_err().ends_with("at line 1 column 7"));
        assert_eq!(object(b"[1]").unwrap_err(), "the body is not a JSON object");
        assert!(object(&[b'['; 1000]).unwrap_err().contains("recursion limit"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = repaired(&bytes);
        }

        #[test]
        fn escapes_in_any_mix_do_not_make_it_panic(text in r#"(\\u?|d8|dc|[0-9a-f"]|é){0,30}"#) {
            let _ = repaired(format!("\"{text}\"").as_bytes());
        }

        #[test]
        fn what_is_right_stays_the_same(texts in proptest::collection::vec(any::<String>(), 0..5), number in any::<f64>()) {
            let json = serde_json::to_vec(&(&texts, number)).unwrap();
            let before: Value = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&repaired(&json)).unwrap(), before);
        }
    }
}
