//! `GET /api/live`: what happens, as it happens.

#[cfg(feature = "websocket")]
mod socket;

use super::{item::Item, openapi::Failures};
use crate::{
    access::Read,
    app::App,
    error::Error,
    live::{Client, Told},
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use errtrack_core::{Balance, Issue, ProjectId};
use futures_util::stream;
use serde::Serialize;
use std::{convert::Infallible, time::Duration};
use utoipa::ToSchema;
use uuid::Uuid;

/// How long a browser is to wait before it comes back.
const RETRY: Duration = Duration::from_secs(3);

/// What is told of an issue: with `new`, `regressed`, `resolved`, `edited` and `deleted`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssueChanged<'a> {
    /// The number of its project.
    project: ProjectId,
    /// The number that `/error-tracker/…` knows it by, which is known also when it is gone.
    tracker_id: i64,
    /// Its id; `null` when it is gone.
    id: Option<Uuid>,
    /// The issue as it stands after that; `null` when it is gone.
    issue: Option<Item<'a>>,
}

impl<'a> IssueChanged<'a> {
    pub(crate) fn new(project: ProjectId, number: errtrack_core::IssueId, issue: Option<&'a Issue>) -> Self {
        Self { project, tracker_id: number.0, id: issue.map(|issue| issue.uuid), issue: issue.map(Item::new) }
    }
}

/// What is told with `counters`: the balance of a project, whenever it has moved, at most every five seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiveCounters)]
pub(crate) struct Counters {
    /// The number of the project.
    project: ProjectId,
    #[serde(flatten)]
    balance: Balance,
    /// Captured, and not settled yet.
    under_way: u64,
}

impl Counters {
    pub(crate) fn new(project: ProjectId, balance: Balance) -> Self {
        Self { project, balance, under_way: balance.under_way() }
    }
}

/// A message of the WebSocket.
#[derive(Debug, ToSchema)]
#[schema(as = LiveMessage)]
#[expect(dead_code, reason = "only its shape is asked for: what happened is kept as text")]
struct Message<'a> {
    /// What to come back with.
    id: String,
    /// `new`, `regressed`, `resolved`, `edited`, `deleted`, `counters` or `missed`.
    #[schema(example = "new")]
    event: String,
    data: Data<'a>,
}

/// What happened.
#[derive(Debug, ToSchema)]
#[schema(as = LiveData)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its shape is asked for: what happened is kept as text")]
enum Data<'a> {
    /// With `new`, `regressed`, `resolved`, `edited` and `deleted`.
    Issue(Box<IssueChanged<'a>>),
    /// With `counters`.
    Counters(Counters),
    /// With `missed`.
    Missed(Missed),
}

/// Nothing more is known.
#[derive(Debug, ToSchema)]
#[schema(as = LiveMissed)]
struct Missed {}

/// Tells what happens
///
/// As Server-Sent Events: `new`, `regressed`, `resolved`, `edited` and `deleted` say what happened to an issue, on whichever node;
/// `counters` says how many events a project has; `missed` says that something may have happened that is not told, so what is
/// shown should be read again. `resolved` is told whenever somebody changes an issue that is resolved then. That an issue was
/// only counted is not told.
///
/// Whoever comes back with the last id, as browsers do by themselves, is told what happened meanwhile, or `missed` if that is too
/// long ago or was asked of another node. Every fifteen seconds there is a sign of life. The answer ends when the key or
/// the session does. Who reads slowly is told `missed` instead of what it did not read.
///
/// Where the host can upgrade a connection the same is told over a WebSocket, a JSON text for each event; pages of other
/// origins must be allowed to use the API for it.
#[utoipa::path(
    get,
    path = "/api/live",
    tag = "Live",
    operation_id = "live",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The last id that was told"),
        ("last_event_id" = Option<String>, Query, description = "The same, for clients that cannot set a header"),
    ),
    responses(
        (status = 200, description = "Events, for as long as the client likes; their data is as in the messages of the \
            WebSocket", body = String, content_type = "text/event-stream"),
        (status = 101, description = "A WebSocket, of such messages", body = Message<'_>),
        Failures,
    ),
)]
pub(super) async fn live(State(app): State<App>, Read(caller): Read, parts: Parts) -> Result<Response, Error> {
    let last = last_id(&parts);
    #[cfg(feature = "websocket")]
    if socket::is_asked_for(&parts) {
        return socket::open(app, caller, parts, last.as_deref()).await;
    }
    #[cfg(not(feature = "websocket"))]
    if parts.headers.contains_key(header::UPGRADE) {
        return Err(Error::new(
            StatusCode::UPGRADE_REQUIRED,
            "only Server-Sent Events are told here, without an upgrade",
        ));
    }
    let client = Client::enter(&app, parts, caller, last.as_deref()).ok_or_else(full)?;
    let events = stream::unfold((client, true), |(mut client, is_first)| async move {
        let told = client.next().await?;
        Some((Ok::<_, Infallible>(event(&told, is_first)), (client, false)))
    });
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would gather what is told.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Sse::new(events)).into_response())
}

fn event(told: &Told, is_first: bool) -> Event {
    let event = Event::default().id(&told.id);
    let event = if is_first { event.retry(RETRY) } else { event };
    match &told.event {
        Some((kind, data)) => event.event(kind.name()).data(&**data),
        // Without data a browser remembers the id and tells nobody.
        None => event.comment(""),
    }
}

fn full() -> Error {
    Error::new(StatusCode::SERVICE_UNAVAILABLE, "as many clients listen as may")
}

fn last_id(parts: &Parts) -> Option<String> {
    let header = |headers: &HeaderMap| Some(headers.get("last-event-id")?.to_str().ok()?.to_owned());
    let query = || {
        let pairs = parts.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(name, _)| *name == "last_event_id").map(|(_, value)| value.to_owned())
    };
    header(&parts.headers).or_else(query).filter(|id| !id.is_empty())
}
