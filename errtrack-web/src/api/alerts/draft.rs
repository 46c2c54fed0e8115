//! A rule as it is sent: read field by field, so that what is wrong is told by its name.

use crate::{
    access::Caller,
    api::input,
    app::App,
    error::Error,
    ingest::fields::{Fields, Wrong},
};
use errtrack_core::{
    Level,
    alert::{AlertRule, OpenIncident, QuietHours},
    notify::Trigger,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;

/// A rule to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAlertRule)]
#[expect(dead_code, reason = "only its shape is asked for: bodies are read field by field")]
pub(in crate::api) struct Wanted {
    /// Needed for a new rule.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// `METRIC OP (NUMBER|threshold) in (WINDOW|time_window) [where KEY = VALUE [and …]]`: METRIC one of `error_count`,
    /// `new_issue_count`, `regression_count`, `user_count`, `error_rate`, `p95_ms`; OP one of `>`, `>=`, `<`, `<=`; WINDOW
    /// as `5m`, `5 minutes`, `1h`, `1d`; KEY one of `project`, `environment`, `level`, `release`, `source`, `tag.NAME`, as far
    /// as the metric is counted by it. What is asked for by release, source or tag is counted from some seconds after the rule
    /// is made.
    #[schema(example = "error_count > threshold in time_window where environment = production")]
    condition: Option<String>,
    /// Instead of a condition.
    trigger: Option<Trigger>,
    threshold: Option<f64>,
    #[schema(example = "5m")]
    time_window: Option<String>,
    /// `true` unless given.
    enabled: Option<bool>,
    /// Names of channels, as `email`, `push`, `slack`, `webhook`, `sms`; nobody is told unless given.
    notifications: Option<Vec<String>>,
    /// Addresses for the channels; whom they always tell unless given.
    recipients: Option<Vec<String>>,
    /// Of an issue that somebody owns, `email` and `push` tell the owners alone; `false` unless given.
    owners_only: Option<bool>,
    /// The slug of a project; all unless given.
    project: Option<String>,
    /// How long it says nothing after it has fired, of the same issue if it is about issues; the window unless given, with a
    /// trigger 10 minutes, for a spike 6 hours.
    #[schema(example = "30m")]
    cooldown: Option<String>,
    /// Only issues in this environment; with a trigger.
    environment: Option<String>,
    /// Only issues of this level or a worse one; with a trigger.
    min_level: Option<Level>,
    /// Only events for which this holds; with a trigger other than `spike`. As a condition has it behind `where`, with the
    /// keys `environment`, `level`, `release`, `source` and `tag.NAME`.
    #[schema(example = "release = 1.2 and tag.team = payments")]
    filter: Option<String>,
    /// What it says is gathered for so long and told at once.
    #[schema(example = "1h")]
    digest: Option<String>,
    quiet_hours: Option<QuietHours>,
    open_incident: Option<OpenIncident>,
}

/// A rule of which nothing is said yet.
pub(super) fn new() -> AlertRule {
    AlertRule { enabled: true, ..AlertRule::default() }
}

/// The rule with what is sent; what is not sent stays.
pub(super) async fn read(
    app: &App,
    caller: &Caller,
    mut rule: AlertRule,
    mut fields: Fields,
) -> Result<AlertRule, Error> {
    if fields.has("name") {
        rule.name = fields.required("name")?;
    }
    for (name, place) in [
        ("condition", &mut rule.condition),
        ("time_window", &mut rule.time_window),
        ("cooldown", &mut rule.cooldown),
        ("environment", &mut rule.environment),
        ("filter", &mut rule.filter),
        ("digest", &mut rule.digest),
    ] {
        if fields.has(name) {
            *place = fields.text(name)?;
        }
    }
    if fields.has("threshold") {
        let number = |value: Value| value.as_f64().ok_or_else(|| Wrong::new("threshold", "must be a number"));
        rule.threshold = fields.any("threshold").map(number).transpose()?;
    }
    for (name, place, unless_given) in
        [("enabled", &mut rule.enabled, true), ("owners_only", &mut rule.owners_only, false)]
    {
        if fields.has(name) {
            let whether = |value: Value| value.as_bool().ok_or_else(|| Wrong::new(name, "must be true or false"));
            *place = fields.any(name).map(whether).transpose()?.unwrap_or(unless_given);
        }
    }
    for (name, place) in [("notifications", &mut rule.notifications), ("recipients", &mut rule.recipients)] {
        if fields.has(name) {
            *place = input::texts(&mut fields, name)?.unwrap_or_default();
            let mut seen = std::collections::BTreeSet::new();
            place.retain(|one| seen.insert(one.clone()));
        }
    }
    if fields.has("trigger") {
        let names = AlertRule::TRIGGERS.map(Trigger::as_str);
        let name = fields.one_of("trigger", &names)?;
        rule.trigger = AlertRule::TRIGGERS.into_iter().find(|trigger| Some(trigger.as_str()) == name.as_deref());
    }
    if fields.has("min_level") {
        rule.min_level = fields.level("min_level")?;
    }
    rule.quiet_hours = object::<QuietHours>(&mut fields, "quiet_hours", rule.quiet_hours)?;
    rule.open_incident = object::<OpenIncident>(&mut fields, "open_incident", rule.open_incident)?;
    if fields.has("project") {
        rule.project = match fields.text("project")? {
            None => None,
            Some(slug) => {
                let project = caller.project_by_slug(app, &slug.to_lowercase()).await?;
                Some(project.ok_or_else(|| Wrong::new("project", format!("there is no project {slug}")))?.id)
            }
        };
    }
    Ok(rule)
}

/// An object with fields of its own.
fn object<T: DeserializeOwned>(fields: &mut Fields, name: &str, before: Option<T>) -> Result<Option<T>, Error> {
    if !fields.has(name) {
        return Ok(before);
    }
    let Some(value) = fields.any(name) else { return Ok(None) };
    serde_json::from_value(value).map(Some).map_err(|error| Wrong::new(name, error.to_string()).into())
}
