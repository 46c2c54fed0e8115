//! The W3C `traceparent` header.

use serde_json::{Value, json};

/// The trace that a request belongs to, as events hold it: `{"trace_id", "parent_span_id", "sampled"}`.
pub(crate) fn context(traceparent: &str) -> Option<Value> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let valid = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && is_id(trace, 32)
        && is_id(span, 16)
        && is_hex(flags, 2);
    let sampled = u8::from_str_radix(flags, 16).unwrap_or_default() & 1 == 1;
    valid.then(|| json!({ "trace_id": trace, "parent_span_id": span, "sampled": sampled }))
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|b| b != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_header_names_trace_and_parent() {
        let trace = context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(trace["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace["parent_span_id"], "00f067aa0ba902b7");
        assert_eq!(trace["sampled"], true);
    }

    #[test]
    fn a_later_version_may_carry_more() {
        assert!(context("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more").is_some());
    }

    #[test]
    fn what_the_specification_calls_invalid_is_nothing() {
        for header in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(context(header), None, "{header}");
        }
    }
}
