//! An alert rule as a form holds it, right or wrong.

use crate::error::Error;
use errtrack_core::{
    ProjectId,
    alert::{AlertRule, OpenIncident, QuietHours},
    notify::Trigger,
};
use std::collections::BTreeMap;

/// What was typed, by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft(BTreeMap<String, String>);

impl Draft {
    /// What a new form holds.
    pub(super) fn new() -> Self {
        let said = [("when", "condition"), ("enabled", "on"), ("notifications", "email")];
        Self(said.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// What is stored, to be edited.
    pub(super) fn of(rule: &AlertRule) -> Self {
        let mut draft = Self::default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        draft.put("name", &rule.name);
        draft.put("when", rule.trigger.map_or("condition", Trigger::as_str));
        draft.put("condition", &text(&rule.condition));
        draft.put("threshold", &rule.threshold.map(|n| n.to_string()).unwrap_or_default());
        draft.put("time_window", &text(&rule.time_window));
        draft.put("project", &rule.project.map(|id| id.to_string()).unwrap_or_default());
        draft.put("environment", &text(&rule.environment));
        draft.put("min_level", rule.min_level.map_or("", errtrack_core::Level::as_str));
        draft.put("filter", &text(&rule.filter));
        draft.put("notifications", &rule.notifications.join(", "));
        draft.put("recipients", &rule.recipients.join(", "));
        draft.put("owners_only", if rule.owners_only { "on" } else { "" });
        draft.put("cooldown", &text(&rule.cooldown));
        draft.put("digest", &text(&rule.digest));
        if let Some(quiet) = rule.quiet_hours {
            draft.put("quiet_from", &quiet.from.to_string());
            draft.put("quiet_until", &quiet.until.to_string());
            draft.put("utc_offset", &quiet.utc_offset.to_string());
        }
        if let Some(open) = &rule.open_incident {
            draft.put("severity", &open.severity);
            draft.put("resolve", if open.resolve { "on" } else { "" });
        }
        draft.put("enabled", if rule.enabled { "on" } else { "" });
        draft
    }

    /// Reads a form.
    pub(super) fn read(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, value.trim().to_owned())).collect())
    }

    fn put(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// What a field holds.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The rule with what the form says; what it does not say stays.
    pub(super) fn rule(&self, mut rule: AlertRule) -> Result<AlertRule, Error> {
        let text = |name: &str| Some(self.get(name).to_owned()).filter(|text| !text.is_empty());
        let wrong = |field: &str, why: &str| Error::bad_request(format!("{field}: {why}"));
        let list = |name: &str| -> Vec<String> {
            let parts = self.get(name).split([',', '\n', ' ']).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        rule.name = self.get("name").to_owned();
        rule.trigger = AlertRule::TRIGGERS.into_iter().find(|trigger| trigger.as_str() == self.get("when"));
        let is_trigger = rule.trigger.is_some();
        // Of what the other kind of rule has, nothing is kept.
        rule.condition = (!is_trigger).then(|| self.get("condition").to_owned());
        let number = |text: String| text.parse::<f64>().map_err(|_| wrong("threshold", "must be a number"));
        rule.threshold = text("threshold").filter(|_| !is_trigger).map(number).transpose()?;
        rule.time_window = text("time_window").filter(|_| !is_trigger);
        rule.environment = text("environment").filter(|_| is_trigger);
        rule.filter = text("filter").filter(|_| is_trigger);
        let level = |text: String| text.parse().map_err(|_| wrong("min_level", "is no level"));
        rule.min_level = text("min_level").filter(|_| is_trigger).map(level).transpose()?;
        let project = |text: String| text.parse().map(ProjectId).map_err(|_| wrong("project", "must be a number"));
        rule.project = text("project").map(project).transpose()?;
        rule.notifications = list("notifications");
        rule.recipients = list("recipients");
        rule.owners_only = !self.get("owners_only").is_empty();
        rule.cooldown = text("cooldown");
        rule.digest = text("digest");
        let time = |field: &str, text: String| {
            text.parse::<errtrack_core::alert::TimeOfDay>().map_err(|error| wrong(field, &error.to_string()))
        };
        rule.quiet_hours = match (text("quiet_from"), text("quiet_until")) {
            (None, None) => None,
            (from, until) => Some(QuietHours {
                from: time("quiet_from", from.unwrap_or_default())?,
                until: time("quiet_until", until.unwrap_or_default())?,
                utc_offset: text("utc_offset").and_then(|minutes| minutes.parse().ok()).unwrap_or_default(),
            }),
        };
        let resolve = !self.get("resolve").is_empty();
        rule.open_incident = text("severity").map(|severity| OpenIncident { severity, resolve });
        rule.enabled = !self.get("enabled").is_empty();
        Ok(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_becomes_a_form_and_a_form_a_rule() {
        let rule = super::super::edit::sample("r");
        assert_eq!(Draft::of(&rule).rule(rule.clone()).unwrap(), rule);
        let trigger = AlertRule {
            condition: None,
            threshold: None,
            time_window: None,
            trigger: Some(Trigger::Regression),
            environment: Some("production".into()),
            filter: Some("release = 1".into()),
            ..rule
        };
        assert_eq!(Draft::of(&trigger).rule(AlertRule::default()).unwrap().trigger, Some(Trigger::Regression));
        assert_eq!(Draft::of(&trigger).rule(trigger.clone()).unwrap(), trigger);
        let wrong = Draft::read(vec![("threshold".into(), "much".into())]).rule(AlertRule::default()).unwrap_err();
        assert_eq!(wrong.message, "threshold: must be a number");
    }
}
