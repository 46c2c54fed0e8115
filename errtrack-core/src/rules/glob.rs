//! Text in which a star stands for any text.

/// A text in which `*` stands for any text, also none. Case counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    first: String,
    /// What stands between stars, and behind the last one; `None` where there is no star.
    rest: Option<(Vec<String>, String)>,
}

impl Glob {
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        let Some((first, rest)) = text.split_once('*') else { return Self { first: text.to_owned(), rest: None } };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let middle = middle.split('*').filter(|piece| !piece.is_empty()).map(str::to_owned).collect();
        Self { first: first.to_owned(), rest: Some((middle, last.to_owned())) }
    }

    /// The one piece that a text only has to hold, where that is all.
    pub(super) fn piece(&self) -> Option<&str> {
        match &self.rest {
            Some((middle, last)) if self.first.is_empty() && last.is_empty() => match middle.as_slice() {
                [piece] => Some(piece),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is the whole text. Each piece between two stars is taken where it is found first; there is no better place
    /// for it, so this takes time that grows with the length of text and pattern, never with their product.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((middle, last)) = &self.rest else { return self.first == text };
        let Some(mut text) = text.strip_prefix(self.first.as_str()) else { return false };
        for piece in middle {
            let Some((_, behind)) = text.split_once(piece.as_str()) else { return false };
            text = behind;
        }
        text.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
            ("*", "", true),
            ("*", "anything", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("ab*ba", "aba", false),
            ("*b*", "abc", true),
            ("*b*b*", "abc", false),
            ("a*b*c", "a-b-b-c", true),
            ("a**c", "abc", true),
            ("*ä*", "größer ä", true),
            ("A*", "abc", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = Glob::new("*a".repeat(250) + "b");
        let text = "a".repeat(1 << 20);
        let start = Instant::now();
        assert!(!pattern.matches(&text));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
}
