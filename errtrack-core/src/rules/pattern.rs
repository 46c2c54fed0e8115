//! What a part of an event is compared with: a glob or a regular expression.

use super::glob::Glob;
use regex::{Regex, RegexBuilder};

/// Characters of one pattern.
pub(super) const LONGEST: usize = 500;
/// What begins a pattern that is a regular expression.
const REGEX: &str = "re:";
/// Bytes of a compiled expression, and again of what it keeps at hand while it runs.
const COMPILED: usize = 256 << 10;
/// Nested groups of an expression.
const DEPTH: u32 = 50;
/// Bytes of a text that an expression looks at.
const LOOKS_AT: usize = 4 << 10;

/// A pattern that is ready to be compared.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Glob(Glob),
    /// A glob that is one piece between stars, as a search that was prepared.
    Holds(Regex),
    Regex(Regex),
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST {
            return Err(format!("is longer than {LONGEST} characters"));
        }
        match text.strip_prefix(REGEX) {
            Some("") | None if text.is_empty() || text == REGEX => Err("is empty".into()),
            Some(expression) => {
                let built = RegexBuilder::new(expression)
                    .size_limit(COMPILED)
                    .dfa_size_limit(COMPILED)
                    .nest_limit(DEPTH)
                    .build();
                built.map(Self::Regex).map_err(|error| because(&error))
            }
            None => {
                let glob = Glob::new(text);
                let search = glob.piece().and_then(|piece| Regex::new(&regex::escape(piece)).ok());
                Ok(search.map_or(Self::Glob(glob), Self::Holds))
            }
        }
    }

    pub(crate) fn is_regex(&self) -> bool {
        matches!(self, Self::Regex(_))
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(text),
            Self::Holds(piece) => piece.is_match(text),
            Self::Regex(regex) => {
                let end = text.floor_char_boundary(LOOKS_AT);
                regex.is_match(text.get(..end).unwrap_or(text))
            }
        }
    }
}

/// Why there is no such expression, in the words of the last line; the others show where in the expression, which is short enough to be found.
pub(crate) fn because(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "is a regular expression that would take too much memory".into(),
        other => {
            let text = other.to_string();
            let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            format!("is no regular expression: {}", last.trim().trim_start_matches("error: "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_the_whole_text_and_expressions_any_part_of_it() {
        let matches = |pattern: &str, text: &str| Pattern::parse(pattern).unwrap().matches(text);
        assert!(matches("*timed out*", "it timed out after 5 s"));
        assert!(!matches("timed out", "it timed out"));
        assert!(matches("*(a.b)*", "x(a.b)y") && !matches("*(a.b)*", "x(acb)y"), "nothing but a star is special");
        assert!(matches("*end*", &format!("{}end", "x".repeat(99_999))));
        assert!(matches("re:timed out", "it timed out"));
        assert!(matches(r"re:^(?i)TIMED out after \d+ s$", "timed out after 5 s"));
        assert!(!matches(r"re:^\d+$", "5 s"));
        assert!(matches("re:größer", "viel größer"));
        assert!(matches("re :a", "re :a"), "only `re:` begins an expression");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (pattern, expected) in [
            ("", "is empty"),
            ("re:", "is empty"),
            ("re:(", "is no regular expression: unclosed group"),
            ("re:a{9}{9}{9}{9}{9}{9}{9}{9}", "would take too much memory"),
            (r"re:(\w{100}){100}", "would take too much memory"),
            (r"re:(a)\1", "is no regular expression: backreferences are not supported"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(error.contains(expected), "{pattern}: {error}");
        }
        assert!(Pattern::parse(&format!("re:{}a{}", "(".repeat(99), ")".repeat(99))).is_err());
        assert!(Pattern::parse(&"ä".repeat(500)).is_ok());
        assert!(Pattern::parse(&"ä".repeat(501)).unwrap_err().contains("longer than 500"));
    }

    #[test]
    fn usual_expressions_fit() {
        for pattern in [r"re:^\w+::\w+$", r"re:(?i)order \d{1,9} of [\w.-]+@[\w.-]+", r"re:\b[45]\d\d\b", r"re:\p{L}+"]
        {
            let parsed = Pattern::parse(pattern);
            assert!(parsed.is_ok() || pattern.contains("\\p"), "{pattern}: {parsed:?}");
        }
    }
}
