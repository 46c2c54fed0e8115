//! `POST /api/errors`: a report in the words of our own API.

use super::{
    body,
    fields::{Fields, Wrong},
    issue_of, note_reporter,
    peer::Peer,
    received,
};
use crate::{access::Ingest, api, app::App, error::Error};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use errtrack_core::{Event, Exception, Formula, Level, Message, Receipt, Report, Request, User};
use serde_json::{Value, json};

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        Self::bad_request(wrong.to_string())
    }
}

/// Takes a report and answers the issue as it stands after it.
pub(crate) async fn create(
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
fn without_issue(receipt: &Receipt) -> Value {
    let event = receipt.event();
    match receipt {
        Receipt::Recorded { .. } => json!({ "event_id": event, "status": "stored" }),
        Receipt::Spooled { .. } => json!({ "event_id": event, "status": "spooled" }),
        // The host has a rule that drops it.
        Receipt::Ignored { .. } => json!({ "event_id": event, "status": "ignored", "ignored": true }),
    }
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
