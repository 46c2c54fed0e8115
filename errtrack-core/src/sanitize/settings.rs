//! What people add to the sanitizer of one project: data, so that it can be kept and edited.

use super::Sanitizer;
use crate::rules::because;
use regex::RegexBuilder;
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Entries of each list.
const MOST: usize = 100;
/// Characters of one entry.
const LONGEST: usize = 500;
/// Bytes that a compiled pattern may take.
const COMPILED: usize = 1 << 20;

/// Adds to what the program's sanitizer filters, for one project. Nothing in it turns off what the sanitizer knows by
/// itself, but for the values under a key that is kept.
///
/// In JSON, with what is empty left out:
///
/// ```json
/// { "filter_keys": ["loyalty_number"], "keep_keys": ["token_count"], "patterns": ["ACME-\\d{6}"], "keep_addresses": true }
/// ```
///
/// # Example
/// ```
/// use errtrack_core::{Event, Message, sanitize::{Sanitizer, SanitizerSettings}};
///
/// # fn main() -> Result<(), errtrack_core::sanitize::InvalidSettings> {
/// let settings = SanitizerSettings::from_json(r#"{ "patterns": ["ACME-\\d{6}"] }"#)?;
/// let sanitizer = settings.extend(&Sanitizer::default())?;
/// let mut event = Event::new();
/// event.message = Some(Message::new("no such customer: ACME-123456"));
/// sanitizer.sanitize(&mut event);
/// assert_eq!(event.title().1, "no such customer: [Filtered: pattern]");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SanitizerSettings {
    /// Keys whose values are filtered, as by [`Sanitizer::key`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter_keys: Vec<String>,
    /// Keys whose values stay, as by [`Sanitizer::allow_key`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep_keys: Vec<String>,
    /// Regular expressions of what is filtered in any text, as by [`Sanitizer::pattern`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// Whether the client's address and harmless cookies stay, as by [`Sanitizer::send_default_pii`]; as the program says
    /// unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_addresses: Option<bool>,
}

/// Settings that cannot be used: which entry, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct InvalidSettings {
    field: String,
    why: String,
}

impl InvalidSettings {
    fn new(field: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { field: field.to_string(), why: why.to_string() }
    }

    /// The entry, such as `patterns[2]`.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl SanitizerSettings {
    /// Reads them, and checks them.
    ///
    /// # Errors
    /// It is no such JSON, or an entry of it cannot be used.
    pub fn from_json(json: &str) -> Result<Self, InvalidSettings> {
        let settings: Self = serde_json::from_str(json).map_err(|error| InvalidSettings::new("settings", error))?;
        settings.extend(&Sanitizer::default()).map(|_| settings)
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether they add nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A sanitizer that filters what `base` does, and what these add.
    ///
    /// # Errors
    /// An entry is empty, longer than 500 characters, or no regular expression; a list has more than 100.
    pub fn extend(&self, base: &Sanitizer) -> Result<Sanitizer, InvalidSettings> {
        let mut sanitizer = base.clone();
        for (at, key) in checked("filter_keys", &self.filter_keys)? {
            if super::key::normalize(key).is_empty() {
                return Err(InvalidSettings::new(at, "has neither a letter nor a digit"));
            }
            sanitizer = sanitizer.key(key);
        }
        for (_, key) in checked("keep_keys", &self.keep_keys)? {
            sanitizer = sanitizer.allow_key(key);
        }
        for (at, pattern) in checked("patterns", &self.patterns)? {
            let regex = RegexBuilder::new(pattern).size_limit(COMPILED).build();
            let regex = regex.map_err(|error| InvalidSettings::new(&at, because(&error)))?;
            if regex.is_match("") {
                return Err(InvalidSettings::new(at, "matches nothing at all, and so everywhere"));
            }
            Arc::make_mut(&mut sanitizer.rules).patterns.push(regex);
        }
        Ok(match self.keep_addresses {
            Some(keep) => sanitizer.send_default_pii(keep),
            None => sanitizer,
        })
    }
}

/// The entries of a list with their names.
fn checked<'a>(
    field: &'a str,
    entries: &'a [String],
) -> Result<impl Iterator<Item = (String, &'a str)>, InvalidSettings> {
    if entries.len() > MOST {
        return Err(InvalidSettings::new(field, format_args!("has {} entries; {MOST} are allowed", entries.len())));
    }
    for (index, entry) in entries.iter().enumerate() {
        let length = entry.chars().count();
        if entry.trim().is_empty() {
            return Err(InvalidSettings::new(format_args!("{field}[{index}]"), "is empty"));
        }
        if length > LONGEST {
            let why = format_args!("has {length} characters; {LONGEST} are allowed");
            return Err(InvalidSettings::new(format_args!("{field}[{index}]"), why));
        }
    }
    Ok(entries.iter().enumerate().map(move |(index, entry)| (format!("{field}[{index}]"), entry.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Message};

    fn wrong(json: &str) -> String {
        SanitizerSettings::from_json(json).unwrap_err().to_string()
    }

    #[test]
    fn they_add_to_what_is_filtered_anyway() {
        let settings = SanitizerSettings::from_json(
            r#"{"filter_keys":["Loyalty Number"],"keep_keys":["token"],"patterns":["ACME-\\d+"],"keep_addresses":true}"#,
        )
        .unwrap();
        let sanitizer = settings.extend(&Sanitizer::default().key("colour")).unwrap();
        let mut event = Event::new();
        event.message = Some(Message::new("ACME-77: password=hunter2"));
        for (key, value) in [("loyaltyNumber", "88"), ("token", "seven"), ("colour", "blue")] {
            event.extra.insert(key.into(), value.into());
        }
        sanitizer.sanitize(&mut event);
        assert_eq!(event.title().1, "[Filtered: pattern]: password=[Filtered: password]");
        assert_eq!(event.extra["loyaltyNumber"], "[Filtered: Loyalty Number]");
        assert_eq!(event.extra["token"], "seven");
        assert_eq!(event.extra["colour"], "[Filtered: colour]", "what the program adds stays");
        assert_eq!(SanitizerSettings::from_json(&settings.to_json()).unwrap(), settings);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(wrong(r#"{"patterns":["a","("]}"#), "patterns[1]: is no regular expression: unclosed group");
        assert_eq!(wrong(r#"{"patterns":["x*"]}"#), "patterns[0]: matches nothing at all, and so everywhere");
        assert_eq!(
            wrong(r#"{"patterns":["(a{1000}){1000}"]}"#),
            "patterns[0]: is a regular expression that would take too much memory"
        );
        assert_eq!(wrong(r#"{"filter_keys":["--"]}"#), "filter_keys[0]: has neither a letter nor a digit");
        assert_eq!(wrong(r#"{"keep_keys":[" "]}"#), "keep_keys[0]: is empty");
        assert!(wrong(&format!(r#"{{"keep_keys":["{}"]}}"#, "x".repeat(501))).contains("501 characters"));
        assert!(wrong(&format!(r#"{{"keep_keys":{}}}"#, serde_json::json!(vec!["x"; 101]))).contains("101 entries"));
        assert!(wrong(r#"{"keys":[]}"#).starts_with("settings: unknown field `keys`"));
    }
}
