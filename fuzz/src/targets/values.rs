//! Small values: cursors, ids, times, levels, patterns and rules.

use super::{bytes, text};
use crate::Target;
use errtrack_core::{
    EventId, Fingerprint, IssueRef, Level, Rules, Timestamp, fuzzing, slugify,
    store::{Cursor, Sort},
};
use std::{fmt::Display, str::FromStr};

pub(crate) const TARGET: Target = Target {
    name: "values",
    run,
    seeds: |_| {
        bytes([
            "5e1f.2a",
            "2026-11-20T22:41:07.123456Z",
            "2026-11-20 22:41:07+01:00",
            "1795218780.5",
            "550e8400-e29b-41d4-a716-446655440000",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "warning",
            "SHOP-17",
            "a*b**c\naxbyycc",
            r#"{"rules":[{"match":{"type":"*::TimedOut","message":"re:no \d+"},"action":"ignore"}]}"#,
        ])
    },
};

fn run(data: &[u8]) {
    let text = text(data);
    stays::<Cursor>(&text);
    stays::<EventId>(&text);
    stays::<Fingerprint>(&text);
    stays::<Timestamp>(&text);
    let _ = (text.parse::<IssueRef>().is_ok(), text.parse::<Level>().is_ok(), text.parse::<Sort>().is_ok());
    let slug = slugify(&text);
    assert_eq!(slugify(&slug), slug);
    if let Ok(rules) = Rules::from_json(&text) {
        let json = rules.to_json();
        assert_eq!(Rules::from_json(&json.to_string()).map(|again| again.to_json()), Ok(json));
    }
    if let Some((pattern, text)) = text.split_once('\n').filter(|(pattern, text)| pattern.len() * text.len() < 10_000)
        && let Some(found) = fuzzing::matches(pattern, text)
    {
        assert_eq!(found, matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
    }
}

/// What is read and written is read as the same.
fn stays<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let again = value.to_string().parse::<T>().ok();
        assert_eq!(again, Some(value), "{text:?}");
    }
}

/// The same by trying everything.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for &byte in pattern {
        if byte == b'*' {
            let first = reached.iter().position(|r| *r).unwrap_or(reached.len());
            reached[first..].fill(true);
        } else {
            for at in (0..=text.len()).rev() {
                reached[at] = at > 0 && reached[at - 1] && text[at - 1] == byte;
            }
        }
    }
    reached[text.len()]
}
