//! `POST /api/errors`: a report in the words of our own API.

use super::{
    body,
    fields::{Fields, Wrong},
    issue_of, note_reporter,
    peer::Peer,
    received,
};
use crate::{
    access::Ingest,
    api::{self, item::Whole, openapi::Failures},
    app::App,
    error::Error,
    quotas,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use errtrack_core::{
    Event, EventId, Exception, Formula, Level, Map, Message, Receipt, Report, Request, Timestamp, User,
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        Self::bad_request(wrong.to_string())
    }
}

/// A report.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
#[schema(as = Report)]
struct Sent {
    message: String,
    /// Where it comes from: `frontend`, `backend`, `api`, ….
    source: String,
    /// `error` unless given; `critical` is `fatal`.
    level: Option<Level>,
    /// The type of the error: `ValueError`.
    r#type: Option<String>,
    /// In the form of Rust, Python, JavaScript, Java, Go, Ruby, PHP, C# or Elixir.
    stack_trace: Option<String>,
    /// Anything else that is known.
    #[schema(value_type = Option<Object>)]
    context: Map,
    /// `production` unless given.
    environment: Option<String>,
    url: Option<String>,
    /// The slug of the project, which is made if there is none; that of the key unless given.
    project: Option<String>,
    release: Option<String>,
    user_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    /// What makes reports one issue; `{{ default }}` stands for what would be compared without it.
    fingerprint: Option<Vec<String>>,
    /// When it happened; now unless given.
    timestamp: Option<Timestamp>,
}

/// What is said of a report whose issue cannot be shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Taken)]
struct Taken {
    event_id: EventId,
    status: Fate,
    /// A rule drops it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<bool>,
}

/// Where a report is now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ReportFate)]
enum Fate {
    /// In the database, which cannot be read now.
    Stored,
    /// In a file here, until the database is back.
    Spooled,
    /// Nowhere: a rule drops it.
    Ignored,
}

/// The route of this dialect.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Takes a report
///
/// Answers the issue as it stands after it, when the report is durable.
#[utoipa::path(
    post,
    path = "/api/errors",
    tag = "Reports",
    operation_id = "create_error",
    security(("key" = ["ingest"]), ("bearer" = ["ingest"])),
    request_body = Sent,
    responses(
        (status = 201, description = "The issue that it belongs to", body = api::Frame<Whole<'_>>),
        (status = 202, description = "It is durable, but its issue cannot be shown", body = api::Frame<Taken>),
        Failures
    ),
)]
async fn create(
    State(app): State<App>,
    Ingest(caller): Ingest,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let body = body::read_report(&headers, body, app.config().max_body).await?;
    let mut fields = Fields::parse(&body).map_err(Error::bad_request)?;
    let project = fields.text("project")?;
    let event = event(&mut fields, &headers, peer)?;
    // Last, so that a report that is refused makes no project.
    let project = caller.reports_to(&app, project.as_deref()).await?;
    let _under_way = quotas::take(&app, project.id, 1).await?;
    let receipt = app.tracker().ingest(Report { project: project.id, event, formula: Formula::Ours }).await?;
    if let Some(issue) = issue_of(&app, project.id, &receipt).await? {
        match api::item::whole(&app, &issue).await {
            Ok(item) => return Ok((StatusCode::CREATED, api::success(item)).into_response()),
            Err(error) if error.status == StatusCode::SERVICE_UNAVAILABLE => error.log(),
            Err(error) => return Err(error),
        }
    }
    Ok((StatusCode::ACCEPTED, api::success(without_issue(&receipt))).into_response())
}

/// What is said of a report whose issue cannot be shown.
fn without_issue(receipt: &Receipt) -> Taken {
    let (status, ignored) = match receipt {
        Receipt::Recorded { .. } => (Fate::Stored, None),
        Receipt::Spooled { .. } => (Fate::Spooled, None),
        // The host has a rule that drops it.
        Receipt::Ignored { .. } => (Fate::Ignored, Some(true)),
    };
    Taken { event_id: receipt.event(), status, ignored }
}

fn event(fields: &mut Fields, headers: &HeaderMap, peer: Peer) -> Result<Event, Wrong> {
    let mut event = received();
    let message = fields.required("message")?;
    event.source = Some(fields.required("source")?);
    event.level = fields.level("level")?.unwrap_or(Level::Error);
    event.stack_trace = fields.text("stack_trace")?.filter(|text| !text.trim().is_empty());
    event.extra = fields.object("context")?;
    event.environment = Some(fields.text("environment")?.unwrap_or_else(|| "production".into()));
    event.release = fields.text("release")?;
    event.tags = fields.texts("tags")?;
    event.fingerprint = fields.list("fingerprint")?;
    event.user = fields.name("user_id")?.map(User::id);
    event.timestamp = fields.time("timestamp")?.unwrap_or(event.received_at);
    // Without a type there is a message; core makes an exception of it where the stack trace names one.
    match fields.text("type")?.filter(|ty| !ty.is_empty()) {
        Some(ty) => event.exceptions.push(Exception::new(ty, message)),
        None => event.message = Some(Message::new(message)),
    }
    note_reporter(&mut event, peer);
    let mut request = Request { url: fields.text("url")?, ..Request::default() };
    if let Some(agent) = headers.get(header::USER_AGENT) {
        request.headers.insert("User-Agent".into(), String::from_utf8_lossy(agent.as_bytes()).into_owned());
    }
    event.request = (request != Request::default()).then_some(request);
    Ok(event)
}

/// Reads a report of nobody.
#[cfg(feature = "fuzzing")]
pub(super) fn read(fields: &mut Fields) -> Result<Event, Wrong> {
    event(fields, &HeaderMap::new(), Peer(None))
}
