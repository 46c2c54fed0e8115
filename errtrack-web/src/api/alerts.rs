//! `/api/alerts/…`: rules that say when somebody is told.

pub(super) mod draft;
pub(super) mod history;

use super::{
    Frame,
    body::{self, Sent},
    openapi::{Failure, Failures},
    success,
};
use crate::{
    access::{Caller, Read, Write},
    alerts::says,
    app::App,
    error::Error,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use draft::Wanted;
use errtrack_core::{
    Level, Project, Timestamp,
    alert::{AlertRule, OpenIncident, QuietHours, RuleState, When, preview::DAYS},
    notify::Trigger,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertRule)]
pub(super) struct Rule {
    id: Uuid,
    name: String,
    /// What is measured, and when it is too much; `null` with a trigger.
    #[schema(example = "error_count > 50 in 5 minutes")]
    condition: Option<String>,
    /// What has to happen to an issue; `null` with a condition.
    trigger: Option<Trigger>,
    /// The number of the condition, or what `threshold` stands for in it.
    #[serde(serialize_with = "plain")]
    threshold: Option<f64>,
    /// The window of the condition, or what `time_window` stands for in it.
    #[schema(example = "5m")]
    time_window: Option<String>,
    enabled: bool,
    /// The channels that are told.
    #[schema(example = json!(["email", "slack"]))]
    notifications: Vec<String>,
    /// Whom they tell; whom they always tell if there is none.
    recipients: Vec<String>,
    /// Of an issue that somebody owns, `email` and `push` tell the owners alone.
    owners_only: bool,
    /// The slug of the project that it looks at; all if `null`.
    project: Option<String>,
    /// How long it says nothing after it has fired.
    #[schema(example = "5m")]
    cooldown: String,
    environment: Option<String>,
    min_level: Option<Level>,
    /// What must hold of the event that a trigger is about.
    #[schema(example = "release = 1.2 and tag.team = payments")]
    filter: Option<String>,
    digest: Option<String>,
    quiet_hours: Option<QuietHours>,
    open_incident: Option<OpenIncident>,
    /// Whether its condition is met since it fired last.
    firing: bool,
    last_triggered: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// A number as people write it: `50`, where some clients tell `50.0` apart from it.
#[expect(clippy::ref_option, reason = "serde hands it over so")]
fn plain<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    /// Up to here every whole number is one of these.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match *number {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        Some(number) if number.fract() == 0.0 && number.abs() <= EXACT => serializer.serialize_i64(number as i64),
        number => number.serialize(serializer),
    }
}

impl Rule {
    fn new((rule, state): (AlertRule, RuleState), projects: &[Project]) -> Self {
        let checked = rule.check().ok();
        let (bound, window) = match checked.as_ref().map(|checked| &checked.when) {
            Some(When::Condition { bound, window, .. }) => (Some(*bound), Some(window.to_string())),
            _ => (None, None),
        };
        Self {
            id: rule.id,
            name: rule.name,
            condition: rule.condition,
            trigger: rule.trigger,
            threshold: rule.threshold.or(bound),
            time_window: rule.time_window.or(window),
            enabled: rule.enabled,
            notifications: rule.notifications,
            recipients: rule.recipients,
            owners_only: rule.owners_only,
            project: rule.project.map(|id| {
                projects.iter().find(|project| project.id == id).map_or_else(|| id.to_string(), |p| p.slug.clone())
            }),
            cooldown: rule.cooldown.or(checked.map(|checked| checked.cooldown.to_string())).unwrap_or_default(),
            environment: rule.environment,
            min_level: rule.min_level,
            filter: rule.filter,
            digest: rule.digest,
            quiet_hours: rule.quiet_hours,
            open_incident: rule.open_incident,
            firing: state.firing.is_some(),
            last_triggered: state.last_fired,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }

    async fn shown(app: &App, caller: &Caller, rule: (AlertRule, RuleState)) -> Result<Response, Error> {
        Ok(success(Self::new(rule, &caller.projects(app).await?)).into_response())
    }
}

/// Rules.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertRules)]
pub(super) struct List {
    rules: Vec<Rule>,
}

/// Lists alert rules
#[utoipa::path(
    get,
    path = "/api/alerts/rules",
    tag = "Alerts",
    operation_id = "list_alert_rules",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    responses((status = 200, description = "The rules, the oldest first", body = Frame<List>), Failures),
)]
pub(super) async fn list(State(app): State<App>, Read(caller): Read) -> Result<impl IntoResponse, Error> {
    let projects = caller.projects(&app).await?;
    let rules = caller.alert_rules(&app).await?.into_iter().map(|rule| Rule::new(rule, &projects)).collect();
    Ok(success(List { rules }).into_response())
}

/// Makes an alert rule
///
/// With a condition or a trigger. What is wrong is told by its field; in a condition with the column, from 1.
#[utoipa::path(
    post,
    path = "/api/alerts/rules",
    tag = "Alerts",
    operation_id = "create_alert_rule",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    request_body = Wanted,
    responses(
        (status = 201, description = "The rule", body = Frame<Rule>),
        (status = 409, description = "There are too many rules", body = Failure),
        Failures,
    ),
)]
pub(super) async fn create(
    State(app): State<App>,
    Write(caller): Write,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let rule = draft::read(&app, &caller, draft::new(), body::fields(body)?).await?;
    let rule = caller.put_alert_rule(&app, rule).await?;
    let shown = Rule::shown(&app, &caller, (rule, RuleState::default())).await?;
    Ok((StatusCode::CREATED, shown).into_response())
}

/// Shows an alert rule
#[utoipa::path(
    get,
    path = "/api/alerts/rules/{id}",
    tag = "Alerts",
    operation_id = "show_alert_rule",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = Uuid, Path, description = "Its `id`")),
    responses((status = 200, description = "The rule", body = Frame<Rule>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let rule = caller.find_alert_rule(&app, &id).await?;
    Rule::shown(&app, &caller, rule).await
}

/// Changes an alert rule
///
/// Takes any of the fields; what is not given stays, and `null` takes back what need not be said.
#[utoipa::path(
    put,
    path = "/api/alerts/rules/{id}",
    tag = "Alerts",
    operation_id = "change_alert_rule",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = Uuid, Path, description = "Its `id`")),
    request_body = Wanted,
    responses((status = 200, description = "The rule", body = Frame<Rule>), Failures),
)]
pub(super) async fn change(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let (rule, state) = caller.find_alert_rule(&app, &id).await?;
    let rule = draft::read(&app, &caller, rule, body::fields(body)?).await?;
    let rule = caller.put_alert_rule(&app, rule).await?;
    Rule::shown(&app, &caller, (rule, state)).await
}

/// Deletes an alert rule
///
/// With its history.
#[utoipa::path(
    delete,
    path = "/api/alerts/rules/{id}",
    tag = "Alerts",
    operation_id = "delete_alert_rule",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = Uuid, Path, description = "Its `id`")),
    responses((status = 204, description = "It is gone"), Failures),
)]
pub(super) async fn delete(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let (rule, _) = caller.find_alert_rule(&app, &id).await?;
    caller.delete_alert_rule(&app, &rule).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A dry run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertRuleTrial)]
pub(super) struct Trial {
    preview: Effect,
}

/// What a rule would have said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertRuleEffect)]
pub(super) struct Effect {
    /// For how many days it was tried, at most.
    days: i64,
    /// Since when it was tried; later than `days` ago if what it needs is not kept that long, or is counted since later.
    since: Timestamp,
    /// How often it would have fired; `null` where what is stored does not tell.
    firings: Option<usize>,
    /// When, the first hundred times.
    at: Vec<Timestamp>,
    /// The value now.
    #[serde(serialize_with = "plain")]
    value: Option<f64>,
    /// The largest value that was measured; the smallest, if the condition waits for little.
    #[serde(serialize_with = "plain")]
    extreme: Option<f64>,
    #[schema(example = "It would have fired 3 times in the last 7 days.")]
    summary: String,
}

/// Tells how often an alert rule would have fired in the last 7 days
///
/// From what is stored. Writes nothing and tells nobody. What is asked for by release, source or tag is counted from the
/// moment on at which there is a rule that does; before that it is looked for in the events that are kept.
#[utoipa::path(
    post,
    path = "/api/alerts/rules/preview",
    tag = "Alerts",
    operation_id = "preview_alert_rule",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    request_body = Wanted,
    responses((status = 200, description = "What it would have said", body = Frame<Trial>), Failures),
)]
pub(super) async fn preview(
    State(app): State<App>,
    Write(caller): Write,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut rule = draft::new();
    // It need not have a name to be tried.
    rule.name = "preview".into();
    let rule = draft::read(&app, &caller, rule, body::fields(body)?).await?;
    let preview = caller.preview_alert_rule(&app, &rule).await?;
    let summary = says(&preview);
    let firings = preview.firings.as_ref().map(Vec::len);
    let at = preview.firings.unwrap_or_default().into_iter().take(100).collect();
    let (value, extreme) = (preview.now, preview.extreme);
    let preview = Effect { days: DAYS, since: preview.since, firings, at, value, extreme, summary };
    Ok(success(Trial { preview }).into_response())
}
