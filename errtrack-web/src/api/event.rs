//! `GET /api/events/{event_id}`: one occurrence with all that is known of it.

use super::{Frame, openapi::Failures, success};
use crate::{
    access::{Caller, Read, Write},
    app::App,
    error::Error,
};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use errtrack_core::{
    Breadcrumb, Event, EventId, Exception, Level, Map, Mark, Request, Sdk, Thread, Timestamp, User, grouping::Grouping,
    store::StoredEvent,
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Shows an event
///
/// With all that is known of it. `exceptions` stand in the order in which Sentry's protocol sends them: the root cause first.
#[utoipa::path(
    get,
    path = "/api/events/{id}",
    tag = "Events",
    operation_id = "show_event",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = String, Path, description = "Our id or the client's: 32 hexadecimal digits, with dashes or without")),
    responses((status = 200, description = "The event", body = Frame<View<'_>>), Failures),
)]
pub(super) async fn show(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    Ok(success(View::new(&caller.find_event(&app, &id).await?)).into_response())
}

/// Whether an event is pinned.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Pin {
    id: Uuid,
    pinned: bool,
}

/// Pins an event
///
/// It stays when its issue has too many events.
#[utoipa::path(
    put,
    path = "/api/events/{id}/pin",
    tag = "Events",
    operation_id = "pin_event",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "Our id or the client's: 32 hexadecimal digits, with dashes or without")),
    responses((status = 200, description = "It is pinned", body = Frame<Pin>), Failures),
)]
pub(super) async fn pin(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    set_pinned(&app, &caller, &id, true).await
}

/// Lets a pinned event go again
#[utoipa::path(
    delete,
    path = "/api/events/{id}/pin",
    tag = "Events",
    operation_id = "unpin_event",
    security(("key" = ["write"]), ("bearer" = ["write"])),
    params(("id" = String, Path, description = "Our id or the client's: 32 hexadecimal digits, with dashes or without")),
    responses((status = 200, description = "It is not pinned", body = Frame<Pin>), Failures),
)]
pub(super) async fn unpin(
    State(app): State<App>,
    Write(caller): Write,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    set_pinned(&app, &caller, &id, false).await
}

async fn set_pinned(app: &App, caller: &Caller, id: &str, pinned: bool) -> Result<impl IntoResponse + use<>, Error> {
    let stored = caller.find_event(app, id).await?;
    if !app.store().pin(&stored, pinned).await? {
        return Err(Error::not_found("event"));
    }
    Ok(success(Pin { id: stored.id, pinned }).into_response())
}

/// An event as the API shows it. `exceptions` stand in the order in which Sentry's protocol sends them: the root cause first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct View<'a> {
    id: Uuid,
    event_id: EventId,
    issue_id: Uuid,
    pinned: bool,
    timestamp: Timestamp,
    original_timestamp: Option<&'a str>,
    received_at: Timestamp,
    level: Level,
    platform: Option<&'a str>,
    source: Option<&'a str>,
    logger: Option<&'a str>,
    transaction: Option<&'a str>,
    server_name: Option<&'a str>,
    release: Option<&'a str>,
    dist: Option<&'a str>,
    environment: Option<&'a str>,
    message: Option<&'a str>,
    message_template: Option<&'a str>,
    message_params: &'a Value,
    exceptions: &'a [Exception],
    threads: &'a [Thread],
    stack_trace: Option<&'a str>,
    breadcrumbs: &'a [Breadcrumb],
    request: Option<&'a Request>,
    user: Option<&'a User>,
    tags: &'a BTreeMap<String, String>,
    #[schema(value_type = Object)]
    contexts: &'a Map,
    #[schema(value_type = Object)]
    extra: &'a Map,
    modules: &'a BTreeMap<String, String>,
    debug_images: &'a [Value],
    sdk: Option<&'a Sdk>,
    fingerprint: &'a [String],
    grouping: Option<&'a Grouping>,
    filtered: &'a [Mark],
    truncated: &'a [Mark],
}

impl<'a> View<'a> {
    pub(crate) fn new(stored: &'a StoredEvent) -> Self {
        let StoredEvent { id, issue_uuid, pinned, event, .. } = stored;
        let event: &Event = event;
        let message = event.message.as_ref();
        Self {
            id: *id,
            event_id: event.event_id,
            issue_id: *issue_uuid,
            pinned: *pinned,
            timestamp: event.timestamp,
            original_timestamp: event.original_timestamp.as_deref(),
            received_at: event.received_at,
            level: event.level,
            platform: event.platform.as_deref(),
            source: event.source.as_deref(),
            logger: event.logger.as_deref(),
            transaction: event.transaction.as_deref(),
            server_name: event.server_name.as_deref(),
            release: event.release.as_deref(),
            dist: event.dist.as_deref(),
            environment: event.environment.as_deref(),
            message: message.map(|m| m.text.as_str()),
            message_template: message.and_then(|m| m.template.as_deref()),
            message_params: message.map_or(&Value::Null, |m| &m.params),
            exceptions: &event.exceptions,
            threads: &event.threads,
            stack_trace: event.stack_trace.as_deref(),
            breadcrumbs: &event.breadcrumbs,
            request: event.request.as_ref(),
            user: event.user.as_ref(),
            tags: &event.tags,
            contexts: &event.contexts,
            extra: &event.extra,
            modules: &event.modules,
            debug_images: &event.debug_images,
            sdk: event.sdk.as_ref(),
            fingerprint: &event.fingerprint,
            grouping: event.grouping.as_ref(),
            filtered: &event.filtered,
            truncated: &event.truncated,
        }
    }
}
