//! Alert rules: what people ask to be told, to whom, and when not.

use super::{
    Bound, Condition, Filter, FilterKey, QuietHours, Window, WindowChoice, condition::parse_filters, parse_window,
};
use crate::{Level, ProjectId, Timestamp, notify::Trigger};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Characters of a name.
const NAME: usize = 200;
/// Channels that one rule can tell.
const CHANNELS: usize = 20;
/// Characters of the name of a channel.
const CHANNEL: usize = 64;
/// How long a rule with a trigger says nothing more of an issue, unless it says for how long.
const PAUSE: Window = window(10);
/// The same for a spike, which lasts.
const SPIKE_PAUSE: Window = window(6 * 60);

/// A rule that says when somebody is to be told: when a condition is met, or when something happens to an issue.
///
/// It is kept as JSON; what a part means is read, and checked, by [`AlertRule::check`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertRule {
    /// Its id.
    pub id: Uuid,
    /// Its name for people.
    pub name: String,
    /// The project whose events it looks at; all unless set.
    pub project: Option<ProjectId>,
    /// The [condition](Condition), as it was written. Either this or a trigger.
    pub condition: Option<String>,
    /// What has to happen to an issue. Either this or a condition.
    pub trigger: Option<Trigger>,
    /// What `threshold` in the condition stands for.
    pub threshold: Option<f64>,
    /// What `time_window` in the condition stands for: `5m`, `1h`.
    pub time_window: Option<String>,
    /// Whether it is looked at.
    pub enabled: bool,
    /// The channels that are told.
    pub notifications: Vec<String>,
    /// Whom the channels tell; whom they always tell unless set.
    pub recipients: Vec<String>,
    /// Of an issue that somebody [owns](crate::ownership), the channels `email` and `push` tell the owners alone.
    pub owners_only: bool,
    /// How long it says nothing after it has fired: about the same issue, if it is about issues. As long as the window
    /// unless set; with a trigger 10 minutes, for a spike 6 hours.
    pub cooldown: Option<String>,
    /// Only issues in this environment; for rules with a trigger.
    pub environment: Option<String>,
    /// Only issues of this level or a worse one; for rules with a trigger.
    pub min_level: Option<Level>,
    /// Only events for which this holds, as a condition has it behind `where`; for rules with a trigger other than a spike:
    /// `release = 1.2 and tag.team = payments`. Keys are `environment`, `level`, `release`, `source` and `tag.NAME`.
    pub filter: Option<String>,
    /// What it says is gathered for so long, and then told at once.
    pub digest: Option<String>,
    /// When it keeps what it has to say for later.
    pub quiet_hours: Option<QuietHours>,
    /// Opens an incident when it fires.
    pub open_incident: Option<OpenIncident>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// The incident that a rule opens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenIncident {
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// Whether it is resolved when the condition is no longer met; else that is only noted in it.
    #[serde(default)]
    pub resolve: bool,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct InvalidAlertRule {
    field: &'static str,
    what: String,
}

impl InvalidAlertRule {
    /// Something is wrong with that field.
    pub fn new(field: &'static str, what: impl Into<String>) -> Self {
        Self { field, what: what.into() }
    }

    /// The name of the field.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// What is wrong with it.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

/// What a rule comes to, once it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What it waits for.
    pub when: When,
    /// How long it says nothing after it has fired.
    pub cooldown: Window,
    /// For how long it gathers what it says.
    pub digest: Option<Window>,
    /// What must hold of the event that a trigger is about.
    pub filters: Vec<Filter>,
}

/// What a rule waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// That a condition is met.
    Condition {
        /// The condition.
        condition: Condition,
        /// With what a value is compared.
        bound: f64,
        /// Over how long is measured.
        window: Window,
    },
    /// That this happens to an issue.
    Trigger(Trigger),
}

impl AlertRule {
    /// What a rule can wait for beside conditions.
    pub const TRIGGERS: [Trigger; 6] = [
        Trigger::NewIssue,
        Trigger::Regression,
        Trigger::Milestone,
        Trigger::Spike,
        Trigger::Unignored,
        Trigger::NewInRelease,
    ];

    /// Reads the rule.
    ///
    /// # Errors
    /// The first field that is wrong, and what is wrong with it.
    pub fn check(&self) -> Result<Checked, InvalidAlertRule> {
        let wrong = |field, what: &str| InvalidAlertRule::new(field, what);
        let name = self.name.trim();
        if name.is_empty() || name.chars().nth(NAME).is_some() {
            return Err(wrong("name", &format!("needs 1 to {NAME} characters")));
        }
        let given = self.time_window.as_deref().map(parse_window).transpose();
        let given = given.map_err(|error| wrong("time_window", &error.to_string()))?;
        if self.threshold.is_some_and(|threshold| !threshold.is_finite() || threshold < 0.0) {
            return Err(wrong("threshold", "needs a number that is not negative"));
        }
        let when = self.when(given)?;
        let is_channel = |name: &String| {
            let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
            !name.is_empty() && name.len() <= CHANNEL && name.chars().all(letters)
        };
        if self.notifications.len() > CHANNELS || !self.notifications.iter().all(is_channel) {
            let what = "needs at most 20 names of channels, like email, push, slack, webhook or sms";
            return Err(wrong("notifications", what));
        }
        if self.recipients.len() > CHANNELS || self.recipients.iter().any(|to| to.is_empty() || to.len() > 320) {
            return Err(wrong("recipients", "needs at most 20 addresses"));
        }
        let span = |field, text: &Option<String>| {
            text.as_deref().map(parse_window).transpose().map_err(|error| wrong(field, &error.to_string()))
        };
        if self.open_incident.as_ref().is_some_and(|open| !is_severity(&open.severity)) {
            return Err(wrong("open_incident", "severity needs to be low, medium, high or critical"));
        }
        let usual = match &when {
            When::Condition { window, .. } => *window,
            When::Trigger(Trigger::Spike) => SPIKE_PAUSE,
            When::Trigger(_) => PAUSE,
        };
        let cooldown = span("cooldown", &self.cooldown)?.unwrap_or(usual);
        let filters = match &self.filter {
            Some(_) if when == When::Trigger(Trigger::Spike) => {
                return Err(wrong("filter", "is not for spikes, which are no single event"));
            }
            Some(_) if self.trigger.is_none() => {
                return Err(wrong("filter", "is for rules with a trigger; a condition says where release = …"));
            }
            Some(text) => parse_filters(text).map_err(|error| wrong("filter", &error.to_string()))?,
            None => Vec::new(),
        };
        Ok(Checked { when, cooldown, digest: span("digest", &self.digest)?, filters })
    }

    fn when(&self, given: Option<Window>) -> Result<When, InvalidAlertRule> {
        let wrong = |field, what: &str| InvalidAlertRule::new(field, what);
        let (text, trigger) = match (&self.condition, self.trigger) {
            (Some(text), None) => (text, None),
            (None, Some(trigger)) => (&self.name, Some(trigger)),
            (None, None) => return Err(wrong("condition", "is missing, and there is no trigger")),
            (Some(_), Some(_)) => return Err(wrong("trigger", "cannot stand beside a condition")),
        };
        if let Some(trigger) = trigger {
            let names = Self::TRIGGERS.map(Trigger::as_str).join(", ");
            let known = Self::TRIGGERS.contains(&trigger);
            return if known {
                Ok(When::Trigger(trigger))
            } else {
                Err(wrong("trigger", &format!("is none of {names}")))
            };
        }
        let condition: Condition =
            text.parse().map_err(|error: super::InvalidCondition| wrong("condition", &error.to_string()))?;
        if self.environment.is_some() || self.min_level.is_some() {
            let field = if self.environment.is_some() { "environment" } else { "min_level" };
            return Err(wrong(
                field,
                "is for rules with a trigger; a condition says where environment = … or level = …",
            ));
        }
        if self.project.is_some() && condition.filter(FilterKey::Project).is_some() {
            return Err(wrong("condition", "names a project, and so does the rule"));
        }
        let bound = match condition.bound {
            Bound::Number(number) => number,
            Bound::Threshold => {
                self.threshold.ok_or_else(|| wrong("threshold", "is missing; the condition names it"))?
            }
        };
        let window = match condition.window {
            WindowChoice::Of(window) => window,
            WindowChoice::TimeWindow => {
                given.ok_or_else(|| wrong("time_window", "is missing; the condition names it"))?
            }
        };
        Ok(When::Condition { condition, bound, window })
    }
}

fn is_severity(text: &str) -> bool {
    matches!(text, "low" | "medium" | "high" | "critical")
}

/// A window that is known to be one.
const fn window(minutes: u32) -> Window {
    match Window::of_minutes(minutes) {
        Some(window) => window,
        None => window(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> AlertRule {
        AlertRule {
            name: "High Error Rate".into(),
            condition: Some("error_count > threshold in time_window".into()),
            threshold: Some(50.0),
            time_window: Some("5m".into()),
            notifications: vec!["email".into(), "slack".into()],
            enabled: true,
            ..AlertRule::default()
        }
    }

    #[test]
    fn the_rule_of_the_rest_document_is_read() {
        let checked = rule().check().unwrap();
        let When::Condition { bound, window, .. } = checked.when else { panic!("a condition") };
        assert_eq!((bound, window.minutes(), checked.cooldown.minutes()), (50.0, 5, 5));
        let rule = AlertRule { condition: None, trigger: Some(Trigger::Regression), ..rule() };
        let checked = rule.check().unwrap();
        assert_eq!((checked.when, checked.cooldown.minutes()), (When::Trigger(Trigger::Regression), 10));
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        let with = |change: fn(&mut AlertRule)| {
            let mut rule = rule();
            change(&mut rule);
            rule.check().unwrap_err().to_string()
        };
        assert!(with(|rule| rule.name = " ".into()).starts_with("name: "));
        assert!(with(|rule| rule.condition = None).starts_with("condition: is missing"));
        assert!(with(|rule| rule.trigger = Some(Trigger::Spike)).starts_with("trigger: cannot stand"));
        let what = with(|rule| (rule.condition, rule.trigger) = (None, Some(Trigger::Digest)));
        assert!(what.starts_with("trigger: is none of new_issue, regression,"), "{what}");
        assert!(with(|rule| rule.condition = Some("x".into())).starts_with("condition: column 1: expected "));
        assert!(with(|rule| rule.threshold = None).starts_with("threshold: is missing"));
        assert!(with(|rule| rule.threshold = Some(-1.0)).starts_with("threshold: "));
        assert!(with(|rule| rule.time_window = None).starts_with("time_window: is missing"));
        assert!(with(|rule| rule.time_window = Some("5".into())).starts_with("time_window: column 2"));
        assert!(with(|rule| rule.cooldown = Some("1s".into())).starts_with("cooldown: column 1"));
        assert!(with(|rule| rule.digest = Some("0m".into())).starts_with("digest: column 1"));
        assert!(with(|rule| rule.notifications = vec!["E Mail".into()]).starts_with("notifications: "));
        assert!(with(|rule| rule.min_level = Some(Level::Error)).starts_with("min_level: "));
        assert!(with(|rule| rule.filter = Some("release = 1".into())).starts_with("filter: is for rules with a"));
        let on = |trigger, filter: &str| {
            let filter = Some(filter.into());
            AlertRule { condition: None, trigger: Some(trigger), filter, ..rule() }.check().map(|c| c.filters.len())
        };
        assert_eq!(on(Trigger::Regression, "release = 1 and tag.team = a"), Ok(2));
        assert!(on(Trigger::Spike, "release = 1").unwrap_err().to_string().starts_with("filter: is not for spikes"));
        assert!(on(Trigger::NewIssue, "x = 1").unwrap_err().to_string().starts_with("filter: column 1: expected "));
        let severity = OpenIncident { severity: "bad".into(), resolve: false };
        let mut rule = rule();
        rule.open_incident = Some(severity);
        assert!(rule.check().unwrap_err().to_string().starts_with("open_incident: severity"));
    }
}
