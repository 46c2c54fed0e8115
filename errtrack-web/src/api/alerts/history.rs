//! `GET /api/alerts/rules/{id}/history`: what a rule had to say, and whom it was told.

use crate::{
    access::Read,
    alerts,
    api::{Frame, openapi::Failures, params::Params, success},
    app::App,
    error::Error,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{
    Timestamp,
    alert::Firing,
    notify::Trigger,
    store::{FiringQuery, OutboxItem, OutboxState},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// One page of what a rule had to say.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertHistory)]
pub(in crate::api) struct History {
    history: Vec<Entry>,
    /// The `cursor` of the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// That a rule fired.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertFiring)]
struct Entry {
    id: Uuid,
    at: Timestamp,
    /// What happened: `rule` where its condition began to be met, `recovered` where it no longer was.
    trigger: Trigger,
    title: String,
    /// The short id of the issue that it is about.
    issue: Option<String>,
    #[serde(serialize_with = "super::plain")]
    value: Option<f64>,
    #[serde(serialize_with = "super::plain")]
    threshold: Option<f64>,
    /// What became of it by channel.
    channels: Vec<Told>,
}

/// What became of it in a channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertOutcome)]
struct Told {
    channel: String,
    /// `gathered` where it is told with others, in a digest.
    outcome: Outcome,
    /// How often it was tried.
    attempts: u32,
    /// Why it did not arrive at the last try.
    error: Option<String>,
    /// When it arrived or was given up.
    settled_at: Option<Timestamp>,
}

/// How far it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AlertOutcomeState)]
enum Outcome {
    Waiting,
    Delivered,
    Failed,
    Gathered,
}

impl Entry {
    fn new(firing: Firing, told: Vec<OutboxItem>, names: &BTreeMap<i64, String>) -> Self {
        let mut channels: Vec<Told> = told.into_iter().map(Told::new).collect();
        let alone = |name: &String| channels.iter().any(|told| told.channel == *name);
        let gathered: Vec<String> = firing.gathered.into_iter().filter(|name| !alone(name)).collect();
        channels.extend(gathered.into_iter().map(Told::gathered));
        channels.sort_by(|a, b| a.channel.cmp(&b.channel));
        Self {
            id: firing.id,
            at: firing.at,
            trigger: firing.trigger,
            title: firing.title,
            issue: firing.issue.and_then(|issue| names.get(&issue.0).cloned()),
            value: firing.value,
            threshold: firing.threshold,
            channels,
        }
    }
}

impl Told {
    fn new(item: OutboxItem) -> Self {
        Self {
            channel: item.entry.channel,
            outcome: match item.state {
                OutboxState::Waiting => Outcome::Waiting,
                OutboxState::Delivered => Outcome::Delivered,
                OutboxState::Failed => Outcome::Failed,
            },
            attempts: item.attempts,
            error: item.error,
            settled_at: item.settled_at,
        }
    }

    fn gathered(channel: String) -> Self {
        Self { channel, outcome: Outcome::Gathered, attempts: 0, error: None, settled_at: None }
    }
}

/// Lists what an alert rule had to say
///
/// The newest first, with what became of it in each channel.
#[utoipa::path(
    get,
    path = "/api/alerts/rules/{id}/history",
    tag = "Alerts",
    operation_id = "alert_rule_history",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("id" = Uuid, Path, description = "The `id` of the rule"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Entries of a page; 50 unless set"),
        ("cursor" = Option<String>, Query, description = "A `next_cursor` that was answered"),
    ),
    responses((status = 200, description = "A page of it", body = Frame<History>), Failures),
)]
pub(in crate::api) async fn history(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let (rule, _) = caller.find_alert_rule(&app, &id).await?;
    let limit = params.limit()?;
    let after = params.text("cursor").map(|text| position(text).ok_or_else(wrong)).transpose()?;
    let query = FiringQuery { rule: Some(rule.id), after, limit: limit + 1 };
    let mut firings = alerts::history(&app, &query).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = firings.len() > page;
    firings.truncate(page);
    let last = firings.last().filter(|_| more);
    let next_cursor = last.map(|(firing, _)| format!("{}.{}", firing.at.as_micros(), firing.id.simple()));
    let names = alerts::issue_names(&app, firings.iter().map(|(firing, _)| firing)).await?;
    let history = firings.into_iter().map(|(firing, told)| Entry::new(firing, told, &names)).collect();
    Ok(success(History { history, next_cursor }).into_response())
}

fn wrong() -> Error {
    Error::bad_request("cursor: must be a `next_cursor` that was answered")
}

fn position(text: &str) -> Option<(Timestamp, Uuid)> {
    let (at, id) = text.split_once('.')?;
    Some((Timestamp::from_micros(at.parse().ok()?), id.parse().ok()?))
}
