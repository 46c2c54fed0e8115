//! Which events nobody wants to see: rules as data, so that they can be kept and edited.
//!
//! Pure. In JSON, with the parts that are not given left out:
//!
//! ```json
//! [{ "type": "*::ConnectionReset" }, { "route": "GET /health", "status": "5*" }]
//! ```

use crate::Event;
use serde::{Deserialize, Serialize};

/// Rules that one project may have.
const MOST: usize = 200;
/// Characters of one pattern.
const LONGEST: usize = 500;

/// Says which events are ignored: those to which all parts of it apply that are given.
///
/// A part is the whole text, in which `*` stands for any text, also none: `*timed out*`. Case counts. Matching takes time
/// that grows with the length of text and pattern, never with their product.
///
/// # Example
/// ```
/// use errtrack_core::{Event, Exception, IgnoreRule};
///
/// let rule = IgnoreRule::new().ty("std::io::Error::*").message("*reset by peer*");
/// let mut event = Event::new();
/// event.exceptions.push(Exception::new("std::io::Error::ConnectionReset", "connection reset by peer (os error 104)"));
/// assert!(rule.applies_to(&event));
/// event.exceptions[0].value = Some("refused".into());
/// assert!(!rule.applies_to(&event));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoreRule {
    /// The type of any error of the chain.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    ty: Option<Pattern>,
    /// The text of any error of the chain, or the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Pattern>,
    /// The route, with its method or without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    route: Option<Pattern>,
    /// The status that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Pattern>,
    /// The logger, which is the target of `tracing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Pattern>,
}

impl IgnoreRule {
    /// A rule without any part yet; as such it applies to nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The type of an error of the chain is this: `sqlx::error::Error::PoolTimedOut`, `*::PoolTimedOut`.
    #[must_use]
    pub fn ty(mut self, pattern: impl Into<String>) -> Self {
        self.ty = Some(Pattern::new(pattern));
        self
    }

    /// The text of an error of the chain, or the message, is this.
    #[must_use]
    pub fn message(mut self, pattern: impl Into<String>) -> Self {
        self.message = Some(Pattern::new(pattern));
        self
    }

    /// The route is this, with the method (`POST /orders/{id}`) or without (`/orders/*`).
    #[must_use]
    pub fn route(mut self, pattern: impl Into<String>) -> Self {
        self.route = Some(Pattern::new(pattern));
        self
    }

    /// The status that was answered is this: `503`, `5*`.
    #[must_use]
    pub fn status(mut self, pattern: impl Into<String>) -> Self {
        self.status = Some(Pattern::new(pattern));
        self
    }

    /// The logger, or the target of `tracing`, is this: `hyper::*`.
    #[must_use]
    pub fn target(mut self, pattern: impl Into<String>) -> Self {
        self.target = Some(Pattern::new(pattern));
        self
    }

    /// Whether nothing is given, so that it applies to nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts().all(|(_, part)| part.is_none())
    }

    /// Its parts by the names that they have in JSON, for pages.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        let parts = [
            ("type", &self.ty),
            ("message", &self.message),
            ("route", &self.route),
            ("status", &self.status),
            ("target", &self.target),
        ];
        parts.into_iter().map(|(name, part)| (name, part.as_ref().map(|p| p.0.as_str()).filter(|p| !p.is_empty())))
    }

    /// Whether an event is to be ignored.
    #[must_use]
    pub fn applies_to(&self, event: &Event) -> bool {
        !self.is_empty()
            && applies(self.ty.as_ref(), |p| {
                event.exceptions.iter().any(|e| e.ty.as_deref().is_some_and(|t| p.matches(t)))
            })
            && applies(self.message.as_ref(), |p| {
                event.message.as_ref().is_some_and(|message| p.matches(&message.text))
                    || event.exceptions.iter().any(|e| e.value.as_deref().is_some_and(|text| p.matches(text)))
            })
            && applies(self.route.as_ref(), |p| event.transaction.as_deref().is_some_and(|route| is_route(p, route)))
            && applies(self.status.as_ref(), |p| {
                event.request.as_ref().and_then(|r| r.status).is_some_and(|status| p.matches(&status.to_string()))
            })
            && applies(self.target.as_ref(), |p| event.logger.as_deref().is_some_and(|target| p.matches(target)))
    }
}

/// A part that is not given, or empty, says nothing.
fn applies(part: Option<&Pattern>, f: impl FnOnce(&Pattern) -> bool) -> bool {
    part.filter(|pattern| !pattern.0.is_empty()).is_none_or(f)
}

fn is_route(pattern: &Pattern, route: &str) -> bool {
    pattern.matches(route) || route.split_once(' ').is_some_and(|(_, path)| pattern.matches(path))
}

/// A text in which `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Each piece between two stars is taken where it is found first; there is no better place for it.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(mut text) = text.strip_prefix(first) else { return false };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        for piece in middle.split('*') {
            let Some((_, behind)) = text.split_once(piece) else { return false };
            text = behind;
        }
        text.ends_with(last)
    }
}

/// The rules of a project, as they are kept and edited: few enough and short enough to be looked at for each event.
///
/// # Example
/// ```
/// use errtrack_core::IgnoreRules;
///
/// let rules = IgnoreRules::from_json(r#"[{ "route": "GET /health", "status": "5*" }]"#)?;
/// assert_eq!(rules.len(), 1);
/// assert!(IgnoreRules::from_json(r#"[{}]"#).is_err(), "it would say nothing");
/// # Ok::<(), errtrack_core::InvalidRules>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct IgnoreRules(Vec<IgnoreRule>);

impl IgnoreRules {
    /// Takes rules that are within bounds: 200 of them, each with a part at least, 500 characters a part.
    ///
    /// # Errors
    /// They are not.
    pub fn new(rules: Vec<IgnoreRule>) -> Result<Self, InvalidRules> {
        if rules.len() > MOST {
            return Err(InvalidRules::TooMany);
        }
        for rule in &rules {
            if rule.is_empty() {
                return Err(InvalidRules::Empty);
            }
            if rule.parts().any(|(_, part)| part.is_some_and(|text| text.chars().count() > LONGEST)) {
                return Err(InvalidRules::TooLong);
            }
        }
        Ok(Self(rules))
    }

    /// Reads what [`to_json`](Self::to_json) wrote, or a person did.
    ///
    /// # Errors
    /// It is not a list of rules within bounds.
    pub fn from_json(json: &str) -> Result<Self, InvalidRules> {
        Self::new(serde_json::from_str(json).map_err(|error| InvalidRules::Json(error.to_string()))?)
    }

    /// The rules as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Whether one of them says that an event is to be ignored.
    #[must_use]
    pub fn ignore(&self, event: &Event) -> bool {
        self.0.iter().any(|rule| rule.applies_to(event))
    }
}

impl std::ops::Deref for IgnoreRules {
    type Target = [IgnoreRule];

    fn deref(&self) -> &[IgnoreRule] {
        &self.0
    }
}

/// Why rules were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRules {
    /// The JSON is none, or not that of rules.
    #[error("not a list of rules with type, message, route, status or target: {0}")]
    Json(String),
    /// There are more than 200.
    #[error("more than {MOST} rules")]
    TooMany,
    /// One has no part, and would say nothing.
    #[error("a rule needs one of type, message, route, status and target")]
    Empty,
    /// A part is longer than 500 characters.
    #[error("a pattern is longer than {LONGEST} characters")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exception, Message, Request};
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
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = Pattern::new("*a".repeat(250) + "b");
        let text = "a".repeat(1 << 20);
        let start = Instant::now();
        assert!(!pattern.matches(&text));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }

    fn event() -> Event {
        let mut event = Event::new();
        event.exceptions =
            vec![Exception::new("std::io::Error::TimedOut", "no answer"), Exception::new("shop::Pay", "no")];
        event.message = Some(Message::new("could not take payment"));
        event.transaction = Some("POST /orders/{id}".into());
        event.request = Some(Request { status: Some(503), ..Request::default() });
        event.logger = Some("shop::pay".into());
        event
    }

    #[test]
    fn every_part_that_is_given_must_apply() {
        let rule = IgnoreRule::new;
        for (rule, expected) in [
            (rule(), false),
            (rule().ty(""), false),
            (rule().ty("*::TimedOut"), true),
            (rule().ty("shop::Pay").message("no"), true),
            (rule().message("could not*"), true),
            (rule().message("no answer"), true),
            (rule().ty("shop::Pay").message("yes"), false),
            (rule().route("/orders/*"), true),
            (rule().route("POST /orders/{id}"), true),
            (rule().route("GET /orders/{id}"), false),
            (rule().status("5*"), true),
            (rule().status("404"), false),
            (rule().target("shop::*").status("503").message(""), true),
            (rule().target("shop"), false),
        ] {
            assert_eq!(rule.applies_to(&event()), expected, "{rule:?}");
        }
        assert!(!rule().status("*").applies_to(&Event::new()), "there is none");
    }

    #[test]
    fn rules_are_kept_as_json_and_read_with_care() {
        let rules = IgnoreRules::new(vec![IgnoreRule::new().ty("a").status("5*")]).unwrap();
        assert_eq!(rules.to_json(), r#"[{"type":"a","status":"5*"}]"#);
        assert_eq!(IgnoreRules::from_json(&rules.to_json()), Ok(rules));
        for wrong in ["", "{}", "[{}]", r#"[{"tipe":"a"}]"#, r#"[{"type":""}]"#, r#"[{"type":7}]"#] {
            assert!(IgnoreRules::from_json(wrong).is_err(), "{wrong}");
        }
        let long = vec![IgnoreRule::new().ty("x".repeat(501))];
        assert_eq!(IgnoreRules::new(long), Err(InvalidRules::TooLong));
        assert_eq!(IgnoreRules::new(vec![IgnoreRule::new().ty("x"); 201]), Err(InvalidRules::TooMany));
    }
}
