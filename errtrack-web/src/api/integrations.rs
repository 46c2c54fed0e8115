//! `/api/settings/integrations`: the channels by which people are told, what takes tickets, and what did not arrive.

use super::{
    Frame,
    body::{self, Sent},
    openapi::{Failure, Failures},
    params::Params,
    success,
};
use crate::{
    access::AdminOfAll,
    app::App,
    error::Error,
    integrations::{self, Sending, Shown, Tested},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::store::{OutboxQuery, OutboxState};
use errtrack_notify::Settings;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Every integration.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Integrations)]
pub(super) struct All {
    integrations: Vec<Shown>,
}

/// Notifications on their way, or at their end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deliveries)]
pub(super) struct Sendings {
    deliveries: Vec<Sending>,
}

/// How an integration is to be set up.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewIntegration)]
#[expect(dead_code, reason = "only its shape is asked for: bodies are read field by field")]
pub(super) struct Wanted {
    /// `email`, `slack`, `discord`, `mattermost`, `telegram`, `webhook` or `sms` for a channel; `github`, `gitlab` or `jira` for
    /// what takes tickets. What it is already, or else its name, unless given.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Its settings, texts by name. `email`: `smtp_url` or `postmark_token`, `from_email`, `to`; `slack` and `mattermost`:
    /// `webhook_url`, `channel`; `discord`: `webhook_url`; `telegram`: `bot_token`, `chat_id`; `webhook`: `url`, `secret`,
    /// `template`; `sms`: `url`, `from`, `to`, `user`, `token`; `github`: `token`, `repository`, `api_url`, `labels`; `gitlab`: `token`,
    /// `project`, `url`, `labels`; `jira`: `url`, `email`, `token`, `project`, `issue_type`, `labels`. A secret that is left out, or
    /// given as it is shown, stays as it is.
    config: BTreeMap<String, String>,
}

/// Lists integrations
///
/// The channels by which people are told, those that were set up here and those of the program's configuration, and what
/// takes tickets. Secrets are masked.
#[utoipa::path(
    get,
    path = "/api/settings/integrations",
    tag = "Integrations",
    operation_id = "list_integrations",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    responses((status = 200, description = "Every integration, by name", body = Frame<All>), Failures),
)]
pub(super) async fn list(State(app): State<App>, _: AdminOfAll) -> Result<impl IntoResponse, Error> {
    Ok(success(All { integrations: integrations::list(&app).await? }).into_response())
}

/// Sets an integration up
///
/// Or changes it. It holds at once, on every process. No rule may name what takes tickets, so its name must be free of channels.
#[utoipa::path(
    put,
    path = "/api/settings/integrations/{name}",
    tag = "Integrations",
    operation_id = "set_integration",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("name" = String, Path, description = "Its name, by which rules call it")),
    request_body = Wanted,
    responses(
        (status = 200, description = "The integration as it is now", body = Frame<Shown>),
        (status = 409, description = "There are too many, or the name is that of a channel", body = Failure),
        Failures,
    ),
)]
pub(super) async fn put(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    Path(name): Path<String>,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = body::fields(body)?;
    let kind = fields.text("type")?;
    let settings = match fields.any("config") {
        None => Settings::new(),
        Some(Value::Object(config)) => config
            .into_iter()
            .filter_map(|(name, value)| match value {
                Value::Null => None,
                Value::String(text) => Some(Ok((name, text))),
                Value::Number(number) => Some(Ok((name, number.to_string()))),
                _ => Some(Err(Error::bad_request(format!("config.{name}: must be a text")))),
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(Error::bad_request("config: must be an object of texts")),
    };
    Ok(success(integrations::put(&app, &caller, &name, kind.as_deref(), &settings).await?).into_response())
}

/// Takes an integration away
///
/// What waits for it is given up after an hour, unless it is set up again.
#[utoipa::path(
    delete,
    path = "/api/settings/integrations/{name}",
    tag = "Integrations",
    operation_id = "delete_integration",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "The program's configuration has it", body = Failure),
        Failures,
    ),
)]
pub(super) async fn delete(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    Path(name): Path<String>,
) -> Result<StatusCode, Error> {
    integrations::delete(&app, &caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tries an integration
///
/// Sends a real message, and answers whether it was taken; of what takes tickets, reads whether the token is known and where
/// they go is there. Takes up to half a minute.
#[utoipa::path(
    post,
    path = "/api/settings/integrations/{name}/test",
    tag = "Integrations",
    operation_id = "test_integration",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("name" = String, Path, description = "Its name")),
    responses((status = 200, description = "What came of it", body = Frame<Tested>), Failures),
)]
pub(super) async fn test(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Error> {
    Ok(success(integrations::test(&app, &caller, &name).await?).into_response())
}

/// Lists deliveries
///
/// Notifications that wait, have arrived or were given up, of the last weeks.
#[utoipa::path(
    get,
    path = "/api/settings/deliveries",
    tag = "Integrations",
    operation_id = "list_deliveries",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(
        ("state" = Option<String>, Query, description = "`waiting`, `delivered` or `failed`; any unless given"),
        ("channel" = Option<String>, Query, description = "By this channel; by any unless given"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many; 50 unless given"),
    ),
    responses((status = 200, description = "Deliveries, the newest first", body = Frame<Sendings>), Failures),
)]
pub(super) async fn deliveries(
    State(app): State<App>,
    _: AdminOfAll,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let state = match params.text("state") {
        None => None,
        Some("waiting") => Some(OutboxState::Waiting),
        Some("delivered") => Some(OutboxState::Delivered),
        Some("failed") => Some(OutboxState::Failed),
        Some(_) => return Err(Error::bad_request("state: must be one of waiting, delivered, failed")),
    };
    let channel = params.text("channel").map(str::to_owned);
    let query = OutboxQuery { state, channel, firing: None, limit: params.limit()? };
    Ok(success(Sendings { deliveries: integrations::deliveries(&app, &query).await? }).into_response())
}

/// Tries a delivery again
///
/// One that was given up.
#[utoipa::path(
    post,
    path = "/api/settings/deliveries/{key}/retry",
    tag = "Integrations",
    operation_id = "retry_delivery",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("key" = uuid::Uuid, Path, description = "Its `key`")),
    responses((status = 204, description = "It is tried again"), Failures),
)]
pub(super) async fn retry(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    Path(key): Path<String>,
) -> Result<StatusCode, Error> {
    integrations::retry(&app, &caller, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
