//! Why rules were not taken: which rule, which part of it, and what is wrong.

use std::fmt;

/// Why rules were not taken. As text it begins with the place in the JSON: `rules[2].match.message: is empty`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRules {
    rule: Option<(usize, At)>,
    what: String,
}

/// The part of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    Rule,
    Name,
    Match,
    Condition(String),
    Action,
    Fingerprint,
}

impl InvalidRules {
    pub(super) fn of_all(what: impl Into<String>) -> Self {
        Self { rule: None, what: what.into() }
    }

    pub(super) fn of_rule(index: usize, at: At, what: impl Into<String>) -> Self {
        Self { rule: Some((index, at)), what: what.into() }
    }

    /// Which rule is wrong, from 0; `None` if it is all of them together.
    #[must_use]
    pub fn rule(&self) -> Option<usize> {
        self.rule.as_ref().map(|(index, _)| *index)
    }

    /// Which part of the rule is wrong: `name`, `action`, `fingerprint`, `match`, or the field of a condition. `None` if it is
    /// the rule as a whole.
    #[must_use]
    pub fn part(&self) -> Option<&str> {
        match &self.rule.as_ref()?.1 {
            At::Rule => None,
            At::Name => Some("name"),
            At::Match => Some("match"),
            At::Condition(field) => Some(field),
            At::Action => Some("action"),
            At::Fingerprint => Some("fingerprint"),
        }
    }

    /// What is wrong with it: `is longer than 500 characters`.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for InvalidRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rules")?;
        if let Some((index, at)) = &self.rule {
            write!(f, "[{index}]")?;
            match at {
                At::Rule => Ok(()),
                At::Name => f.write_str(".name"),
                At::Match => f.write_str(".match"),
                At::Condition(field) => write!(f, ".match.{field}"),
                At::Action => f.write_str(".action"),
                At::Fingerprint => f.write_str(".fingerprint"),
            }?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for InvalidRules {}
