//! Rules while they are edited: what the form holds, right or wrong.
//!
//! The form carries all of it from page to page, so that nothing holds before it is saved, and no script is needed.

use errtrack_core::{Action, Field, InvalidRules, Rule, Rules};

/// Rules that one form may hold, so that what is drawn is bounded.
const MOST: usize = 200;
/// Conditions of each.
const MOST_CONDITIONS: usize = 20;

/// The rules of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) rules: Vec<DraftRule>,
}

/// A rule as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DraftRule {
    pub(super) name: String,
    pub(super) conditions: Vec<DraftCondition>,
    /// `ignore` or `fingerprint`.
    pub(super) action: String,
    /// A part of the fingerprint a line.
    pub(super) parts: String,
}

/// A condition as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DraftCondition {
    /// The kind of the field.
    pub(super) field: String,
    /// The name of the tag, where it is one.
    pub(super) tag: String,
    pub(super) pattern: String,
}

/// What a button of the form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Preview,
    Save,
    Add,
    Remove(usize),
    Up(usize),
    Down(usize),
}

impl Step {
    /// Reads the value of a button; what is unknown only shows the draft again.
    pub(super) fn read(text: &str) -> Self {
        let (verb, number) = text.split_once('.').unwrap_or((text, ""));
        match (verb, number.parse()) {
            ("save", _) => Self::Save,
            ("add", _) => Self::Add,
            ("remove", Ok(rule)) => Self::Remove(rule),
            ("up", Ok(rule)) => Self::Up(rule),
            ("down", Ok(rule)) => Self::Down(rule),
            _ => Self::Preview,
        }
    }
}

impl Draft {
    /// What is stored, to be edited.
    pub(super) fn of(rules: &Rules) -> Self {
        let condition = |(field, pattern): (&Field, &str)| DraftCondition {
            field: field.kind().into(),
            tag: if let Field::Tag(name) = field { name.clone() } else { String::new() },
            pattern: pattern.into(),
        };
        let rule = |rule: &Rule| DraftRule {
            name: rule.name().into(),
            conditions: rule.conditions().map(condition).collect(),
            action: rule.action().as_str().into(),
            parts: match rule.action() {
                Action::Fingerprint(parts) => parts.join("\n"),
                _ => String::new(),
            },
        };
        Self { rules: rules.iter().map(rule).collect() }
    }

    /// Reads a form: `name.0`, `field.0`, `tag.0`, `pattern.0` (these three once per condition), `action.0`, `parts.0`, then
    /// the same for rule 1, …. A rule in which nothing was typed is left out, and so is a condition without a pattern.
    pub(super) fn read(pairs: &[(String, String)]) -> Self {
        let mut rules: Vec<DraftRule> = Vec::new();
        for (name, value) in pairs {
            let Some((name, index)) = name.split_once('.') else { continue };
            let Some(index) = index.parse::<usize>().ok().filter(|index| *index <= MOST) else { continue };
            if rules.len() <= index {
                rules.resize(index + 1, DraftRule::default());
            }
            let Some(rule) = rules.get_mut(index) else { continue };
            match name {
                "name" => value.trim().clone_into(&mut rule.name),
                "action" => rule.action.clone_from(value),
                // Browsers send lines with a carriage return.
                "parts" => rule.parts = value.replace('\r', "").trim().to_owned(),
                "field" if rule.conditions.len() <= MOST_CONDITIONS => {
                    rule.conditions.push(DraftCondition { field: value.clone(), ..DraftCondition::default() });
                }
                "tag" | "pattern" => {
                    let Some(condition) = rule.conditions.last_mut() else { continue };
                    let place = if name == "tag" { &mut condition.tag } else { &mut condition.pattern };
                    value.trim().clone_into(place);
                }
                _ => {}
            }
        }
        for rule in &mut rules {
            rule.conditions.retain(|condition| !condition.pattern.is_empty());
        }
        rules.retain(|rule| !rule.name.is_empty() || !rule.conditions.is_empty() || !rule.parts.is_empty());
        Self { rules }
    }

    /// Does what a button asks for, as far as it changes the draft.
    pub(super) fn take(&mut self, step: Step) {
        let count = self.rules.len();
        match step {
            Step::Add if count < MOST => self.rules.push(DraftRule { action: "ignore".into(), ..DraftRule::default() }),
            Step::Remove(rule) if rule < count => drop(self.rules.remove(rule)),
            Step::Up(rule) if rule > 0 && rule < count => self.rules.swap(rule - 1, rule),
            Step::Down(rule) if rule + 1 < count => self.rules.swap(rule, rule + 1),
            _ => {}
        }
    }

    /// The rules, if they are right.
    pub(super) fn check(&self) -> Result<Rules, InvalidRules> {
        Rules::new(self.rules.iter().map(DraftRule::to_rule).collect())
    }
}

impl DraftRule {
    fn to_rule(&self) -> Rule {
        let field = |condition: &DraftCondition| match condition.field.as_str() {
            "tag" => Field::Tag(condition.tag.clone()),
            // The page offers no other; who sends one gets the first.
            kind => kind.parse().unwrap_or(Field::Type),
        };
        let rule = Rule::new().named(self.name.as_str());
        let rule = self.conditions.iter().fold(rule, |rule, condition| rule.when(field(condition), &condition.pattern));
        match self.action.as_str() {
            "fingerprint" => rule.fingerprint(self.parts.lines().map(str::trim).filter(|line| !line.is_empty())),
            _ => rule.ignore(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn a_form_becomes_rules_and_rules_a_form() {
        let draft = Draft::read(&pairs(
            "name.0= away &field.0=type&tag.0=&pattern.0=*::Timeout&field.0=tag&tag.0=plan&pattern.0=re:^pro$&action.0=ignore\
             &name.1=&field.1=message&tag.1=&pattern.1=&action.1=ignore&parts.1=\
             &field.2=message&tag.2=&pattern.2=*quota*&action.2=fingerprint&parts.2=a\r\n{{ type }}\r\n&project=shop&do=save",
        ));
        let rules = draft.check().unwrap();
        let expected = vec![
            Rule::new().named("away").ty("*::Timeout").tag("plan", "re:^pro$"),
            Rule::new().message("*quota*").fingerprint(["a", "{{ type }}"]),
        ];
        assert_eq!(rules, Rules::new(expected).unwrap(), "what is blank is left out");
        assert_eq!(Draft::of(&rules).check().unwrap(), rules);
    }

    #[test]
    fn buttons_change_the_draft() {
        let mut draft = Draft::read(&pairs("name.0=a&name.1=b"));
        let names = |draft: &Draft| draft.rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>().join(" ");
        for (button, expected) in [
            ("up.1", "b a"),
            ("up.0", "b a"),
            ("down.0", "a b"),
            ("down.1", "a b"),
            ("down.99", "a b"),
            ("remove.7", "a b"),
            ("remove.x", "a b"),
            ("add", "a b "),
            ("remove.0", "b "),
        ] {
            draft.take(Step::read(button));
            assert_eq!(names(&draft), expected, "{button}");
        }
    }

    #[test]
    fn what_is_wrong_is_found_and_hostile_forms_are_bounded() {
        let wrong = |form: &str| Draft::read(&pairs(form)).check().unwrap_err().to_string();
        assert_eq!(wrong("name.0=a"), "rules[0].match: needs a condition, or it would apply to every event");
        assert!(wrong("field.0=tag&pattern.0=a").contains("needs the name of the tag"));
        assert!(wrong("field.0=type&pattern.0=re:(").contains("match.type: is no regular expression"));
        assert!(wrong("field.0=type&pattern.0=a&action.0=fingerprint").contains("needs at least one part"));
        let hostile = Draft::read(&pairs("name.18446744073709551615=a&name.999999999=b&name.-1=c&name.=d&pattern.0=e"));
        assert_eq!(hostile, Draft::default());
        let many: Vec<_> = (0..500).map(|n| (format!("name.{n}"), "x".to_owned())).collect();
        assert!(Draft::read(&many).check().is_err());
    }
}
