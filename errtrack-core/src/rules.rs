//! Rules of a project: which events nobody wants, and which are one issue. Data, so that they can be kept and edited.
//!
//! Pure. Rules see an event as it is stored, cut and sanitized, so that a [dry run](preview) on stored events says what would
//! happen. The first rule that applies decides; it goes before what the client or errtrack's own formula say.
//!
//! In JSON:
//!
//! ```json
//! { "rules": [
//!   { "name": "health checks", "match": { "route": "GET /health", "status": "5*" }, "action": "ignore" },
//!   { "match": { "type": "*::PoolTimedOut" }, "action": "fingerprint", "fingerprint": ["database away"] },
//!   { "match": { "message": "re:^quota of \\w+" }, "action": "fingerprint",
//!     "fingerprint": ["{{ default }}", "{{ tag.customer }}"] }
//! ] }
//! ```

mod error;
mod field;
mod glob;
mod json;
mod parts;
mod pattern;
pub mod preview;
mod rule;

pub use error::InvalidRules;
pub use field::{Field, UnknownField};
pub(crate) use glob::Glob;

pub(crate) use pattern::Pattern;
pub(crate) use pattern::because;
pub use rule::{Action, Rule};

use crate::{
    Event, Fingerprint, Formula,
    grouping::{self, Grouping},
};
use error::At;
use parts::Parts;
use std::sync::Arc;

/// Rules that one project may have.
const MOST: usize = 200;
/// Regular expressions among them, as each takes memory.
const MOST_REGEXES: usize = 100;
/// Conditions of one rule.
const MOST_CONDITIONS: usize = 20;
/// Bytes of all of them as JSON.
const LARGEST: usize = 256 << 10;
/// Characters of a name.
const LONGEST_NAME: usize = 100;

/// The rules of a project in their order, checked and ready to be compared with each event.
///
/// Cheap to clone. Comparing an event asks for no memory where no rule applies, but for functions that stand apart from their
/// module, and takes time that grows with the length of what is compared: some tens of nanoseconds for a rule on message or
/// type; some microseconds for one on path, function or module, which is compared with every frame.
///
/// # Example
/// ```
/// use errtrack_core::Rules;
///
/// let rules = Rules::from_json(r#"{"rules":[{"match":{"route":"GET /health","status":"5*"},"action":"ignore"}]}"#)?;
/// assert_eq!(rules.len(), 1);
/// let wrong = Rules::from_json(r#"{"rules":[{"match":{"message":"re:("},"action":"ignore"}]}"#).unwrap_err();
/// assert_eq!(wrong.to_string(), "rules[0].match.message: is no regular expression: unclosed group");
/// # Ok::<(), errtrack_core::InvalidRules>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Rules(Arc<[Compiled]>);

#[derive(Debug)]
struct Compiled {
    rule: Rule,
    label: String,
    /// The cheap first.
    conditions: Vec<(Field, Pattern)>,
    /// `None` for a rule that ignores.
    parts: Option<Parts>,
}

/// What is to be done with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The rule of that number says that nobody wants it.
    Ignore(usize),
    /// It belongs to that group; the number is that of the rule that said so.
    Group(Fingerprint, Grouping, Option<usize>),
}

impl Rules {
    /// Takes rules that are within bounds: 200 of them, 100 regular expressions among them, each with 1 to 20
    /// conditions, 500 characters a pattern, 256 KiB as JSON.
    ///
    /// # Errors
    /// They are not, or a pattern or a fingerprint is wrong.
    pub fn new(rules: Vec<Rule>) -> Result<Self, InvalidRules> {
        if rules.len() > MOST {
            return Err(InvalidRules::of_all(format!("are more than {MOST}")));
        }
        let compiled = rules.into_iter().enumerate().map(|(index, rule)| compile(index, rule));
        let compiled = compiled.collect::<Result<Vec<_>, _>>()?;
        let regexes = compiled.iter().flat_map(|rule| &rule.conditions).filter(|(_, pattern)| pattern.is_regex());
        if regexes.count() > MOST_REGEXES {
            return Err(InvalidRules::of_all(format!("have more than {MOST_REGEXES} regular expressions")));
        }
        let rules = Self(compiled.into());
        if rules.to_json().to_string().len() > LARGEST {
            return Err(InvalidRules::of_all(format!("are larger than {} KiB", LARGEST >> 10)));
        }
        Ok(rules)
    }

    /// Reads what [`to_json`](Self::to_json) wrote, or a person did.
    ///
    /// # Errors
    /// It is not that, or what [`new`](Self::new) does not take.
    pub fn from_json(json: &str) -> Result<Self, InvalidRules> {
        let document = serde_json::from_str(json);
        Self::from_value(&document.map_err(|error| InvalidRules::of_all(format!("are no JSON: {error}")))?)
    }

    /// The same for JSON that was read already.
    ///
    /// # Errors
    /// See [`from_json`](Self::from_json).
    pub fn from_value(document: &serde_json::Value) -> Result<Self, InvalidRules> {
        Self::new(json::read(document)?)
    }

    /// The rules as JSON, `{"rules":[…]}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        json::write(self.iter())
    }

    /// The rules in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.0.iter().map(|compiled| &compiled.rule)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first rule that applies to an event, by its number from 0.
    #[must_use]
    pub fn first(&self, event: &Event) -> Option<usize> {
        self.0.iter().position(|rule| rule.applies_to(event))
    }

    /// Whether they say that nobody wants an event.
    #[must_use]
    pub fn ignores(&self, event: &Event) -> bool {
        self.first(event).and_then(|index| self.0.get(index)).is_some_and(|rule| rule.parts.is_none())
    }

    /// These rules and then those.
    pub(crate) fn followed_by<'a>(&'a self, others: &'a Self) -> impl Iterator<Item = &'a Self> {
        [self, others].into_iter()
    }

    /// What is to be done with an event; `formula` says how it is grouped where no rule decides.
    pub(crate) fn decide<'a>(sets: impl IntoIterator<Item = &'a Self>, event: &Event, formula: Formula) -> Decision {
        let mut before = 0;
        for set in sets {
            if let Some(index) = set.first(event)
                && let Some(rule) = set.0.get(index)
            {
                return match &rule.parts {
                    None => Decision::Ignore(before + index),
                    Some(parts) => {
                        let (fingerprint, grouping) = rule.group(parts, event, formula);
                        Decision::Group(fingerprint, grouping, Some(before + index))
                    }
                };
            }
            before += set.len();
        }
        let (fingerprint, grouping) = grouping::by_formula(event, formula);
        Decision::Group(fingerprint, grouping, None)
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Rules {}

impl Compiled {
    fn applies_to(&self, event: &Event) -> bool {
        self.conditions.iter().all(|(field, pattern)| field.any(event, |text| pattern.matches(text)))
    }

    fn group(&self, parts: &Parts, event: &Event, formula: Formula) -> (Fingerprint, Grouping) {
        if parts.is_default() {
            let (fingerprint, grouping) = grouping::by_formula(event, formula);
            return (fingerprint, Grouping { rule: Some(self.label.clone()), ..grouping });
        }
        grouping::by_rule(&self.label, parts.of(event), event, formula)
    }
}

fn compile(index: usize, rule: Rule) -> Result<Compiled, InvalidRules> {
    if rule.name.chars().count() > LONGEST_NAME {
        return Err(InvalidRules::of_rule(index, At::Name, format!("is longer than {LONGEST_NAME} characters")));
    }
    let hidden = || "holds a character that cannot be seen; `re:` takes it spelled out, as \\u{202E}".to_owned();
    if is_hidden(&rule.name) {
        return Err(InvalidRules::of_rule(index, At::Name, hidden()));
    }
    if rule.conditions.is_empty() {
        return Err(InvalidRules::of_rule(index, At::Match, "needs a condition, or it would apply to every event"));
    }
    if rule.conditions.len() > MOST_CONDITIONS {
        return Err(InvalidRules::of_rule(index, At::Match, format!("has more than {MOST_CONDITIONS} conditions")));
    }
    let unseen = |(field, pattern): &&(Field, String)| {
        is_hidden(pattern) || matches!(field, Field::Tag(name) if is_hidden(name))
    };
    if let Some((field, _)) = rule.conditions.iter().find(unseen) {
        return Err(InvalidRules::of_rule(index, At::Condition(field.to_string()), hidden()));
    }
    let pattern = |(field, pattern): &(Field, String)| match Pattern::parse(pattern) {
        Ok(pattern) => Ok((field.clone(), pattern)),
        Err(what) => Err(InvalidRules::of_rule(index, At::Condition(field.to_string()), what)),
    };
    if rule.conditions.iter().any(|(field, _)| matches!(field, Field::Tag(name) if name.is_empty())) {
        return Err(InvalidRules::of_rule(index, At::Condition("tag".into()), "needs the name of the tag"));
    }
    let mut conditions = rule.conditions.iter().map(pattern).collect::<Result<Vec<_>, _>>()?;
    conditions.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some((field, _)) = conditions.windows(2).find_map(|pair| match pair {
        [one, other] if one.0 == other.0 => Some(one),
        _ => None,
    }) {
        return Err(InvalidRules::of_rule(index, At::Condition(field.to_string()), "is given twice"));
    }
    let parts = match &rule.action {
        Action::Ignore => None,
        Action::Fingerprint(parts) if parts.iter().any(|part| is_hidden(part)) => {
            return Err(InvalidRules::of_rule(index, At::Fingerprint, hidden()));
        }
        Action::Fingerprint(parts) => {
            Some(Parts::parse(parts).map_err(|what| InvalidRules::of_rule(index, At::Fingerprint, what))?)
        }
    };
    Ok(Compiled { label: rule.label(), rule, conditions, parts })
}

/// Whether a person who edits the text would not see all of it, or see it in another order.
fn is_hidden(text: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
            || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().any(hidden)
}

#[cfg(test)]
mod tests;
