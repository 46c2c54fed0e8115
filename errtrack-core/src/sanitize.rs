//! Sanitizing: secrets are filtered before anything is stored.
//!
//! By key, at any depth and in any spelling (`X-Api-Key`, `apiKey`, `api_key`), and by value, wherever text stands: in
//! messages, variables, source lines, breadcrumbs, headers, queries, bodies, tags and extras. What is filtered says what it
//! was, `[Filtered: bearer token]`, and is listed in [`Event::filtered`]. Sanitizing twice changes nothing.
//!
//! # Personal data
//! What was set in [`Event::user`] was set on purpose and stays. Cookies, authorization and the client's address in the
//! request's headers and environment are filtered; [`Sanitizer::send_default_pii`] keeps addresses and harmless cookies.
//!
//! # Design
//! One pass over each text with a hand-written scanner: it looks closer only at words that begin like a known credential,
//! or that stand before `=` or `:`. A list of regular expressions costs a pass each. Only where something was found it is
//! looked at again, until nothing is.

mod body;
mod card;
mod iban;
mod key;
mod pair;
mod path;
mod scan;
mod settings;
mod token;
mod walk;

pub use settings::{InvalidSettings, SanitizerSettings};

use crate::Event;
use key::Label;
use regex::Regex;
use std::{fmt, sync::Arc};

/// A function of the host that changes events before they are filtered.
type Function = Arc<dyn Fn(&mut Event) + Send + Sync>;

/// Filters secrets out of events. Cheap to clone.
///
/// # Example
/// ```
/// use errtrack_core::{Event, Message, sanitize::Sanitizer};
///
/// # fn main() -> Result<(), errtrack_core::sanitize::InvalidPattern> {
/// let sanitizer = Sanitizer::default().key("favourite_colour").pattern(r"ACME-\d{6}")?;
/// let mut event = Event::new();
/// event.message = Some(Message::new("login failed: password=hunter2 for ACME-123456"));
/// event.extra.insert("favouriteColour".into(), "blue".into());
/// sanitizer.sanitize(&mut event);
/// assert_eq!(
///     event.message.as_ref().map(|m| m.text.as_str()),
///     Some("login failed: password=[Filtered: password] for [Filtered: pattern]"),
/// );
/// assert_eq!(event.extra["favouriteColour"], "[Filtered: favourite_colour]");
/// assert_eq!(event.filtered[0].what, "password");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sanitizer {
    rules: Arc<Rules>,
}

/// The error of a pattern that is no regular expression.
#[derive(Debug, thiserror::Error)]
#[error("not a regular expression: {0}")]
pub struct InvalidPattern(String);

#[derive(Clone, Default)]
struct Rules {
    /// Nothing is filtered but what was added.
    off: bool,
    keeps_personal: bool,
    /// Normalized, with the name as it was given.
    keys: Vec<(String, Label)>,
    allowed: Vec<String>,
    patterns: Vec<Regex>,
    functions: Vec<Function>,
}

impl Sanitizer {
    /// Filters nothing, unless keys, patterns or functions are added.
    #[must_use]
    pub fn off() -> Self {
        Self { rules: Arc::new(Rules { off: true, ..Rules::default() }) }
    }

    /// Filters values under a key too, and under keys that end with it: `pin` also means `card_pin`.
    #[must_use]
    pub fn key(mut self, key: impl AsRef<str>) -> Self {
        let name = key.as_ref();
        let normal = key::normalize(name);
        Arc::make_mut(&mut self.rules).keys.push((normal, Label::Own(Arc::from(name))));
        self
    }

    /// Leaves the values under exactly this key alone, unless a value itself looks like a secret.
    #[must_use]
    pub fn allow_key(mut self, key: impl AsRef<str>) -> Self {
        Arc::make_mut(&mut self.rules).allowed.push(key::normalize(key.as_ref()));
        self
    }

    /// Filters what a regular expression matches, in any text.
    ///
    /// # Errors
    /// Where the expression is invalid.
    pub fn pattern(mut self, pattern: &str) -> Result<Self, InvalidPattern> {
        let pattern = Regex::new(pattern).map_err(|error| InvalidPattern(error.to_string()))?;
        Arc::make_mut(&mut self.rules).patterns.push(pattern);
        Ok(self)
    }

    /// Adds a function that may change the event as it likes; what it leaves is filtered.
    #[must_use]
    pub fn function(mut self, function: Arc<dyn Fn(&mut Event) + Send + Sync>) -> Self {
        Arc::make_mut(&mut self.rules).functions.push(function);
        self
    }

    /// Keeps the client's address and harmless cookies of requests. Off by default.
    #[must_use]
    pub fn send_default_pii(mut self, keep: bool) -> Self {
        Arc::make_mut(&mut self.rules).keeps_personal = keep;
        self
    }

    /// Filters every part of an event and marks in [`Event::filtered`] what it did.
    pub fn sanitize(&self, event: &mut Event) {
        self.rules.functions.iter().for_each(|function| function(event));
        if !self.rules.off || !self.rules.keys.is_empty() || !self.rules.patterns.is_empty() {
            walk::event(&self.rules, event);
        }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("off", &self.off)
            .field("keeps_personal", &self.keeps_personal)
            .field("keys", &self.keys)
            .field("allowed", &self.allowed)
            .field("patterns", &self.patterns)
            .field("functions", &self.functions.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
