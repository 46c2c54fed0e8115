//! `/error-tracker/…`: the API of the error-tracker service under its own prefix, with its numbers and its formula.

mod read;

use super::{
    body,
    fields::{Fields, Wrong},
    issue_of,
};
use crate::{access::Ingest, api::openapi::Failures, app::App, error::Error, quotas};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use errtrack_core::{
    Event, Exception, Fingerprint, Formula, IssueId, Map, Receipt, Report, Request, User, stacktext, store::Outcome,
};
use md5::{Digest, Md5};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(take, read::list))
        .routes(routes!(read::show))
        .routes(routes!(read::resolve))
        .routes(routes!(read::projects))
        .routes(routes!(health))
}

/// A report to the error-tracker service.
#[derive(ToSchema)]
#[schema(as = TrackerReport)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
struct Sent {
    #[schema(max_length = 100)]
    project: String,
    #[schema(max_length = 200)]
    exception_type: String,
    message: Option<String>,
    /// `production` unless given.
    #[schema(max_length = 50)]
    environment: Option<String>,
    /// In the form of Python or JavaScript, or of any other language that is known.
    traceback: Option<String>,
    source: Option<String>,
    request_url: Option<String>,
    request_method: Option<String>,
    #[schema(value_type = Option<Object>)]
    request_headers: Map,
    user_id: Option<String>,
    #[schema(value_type = Option<Object>)]
    extra: Map,
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerTaken)]
struct Taken {
    status: Fate,
    /// MD5 of `project:exception_type:file:line`, of the innermost frame.
    fingerprint: String,
    /// The number of a new error.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<IssueId>,
    /// How often an existing one was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TrackerFate)]
enum Fate {
    /// It is a new error.
    Created,
    /// It is one that was known.
    Existing,
    /// It waits in a file here until the database is back.
    Spooled,
    /// A rule drops it.
    Ignored,
}

/// Takes a report as the error-tracker service did
///
/// Not in the frame.
#[utoipa::path(
    post,
    path = "/error-tracker/api/errors",
    tag = "Error-tracker",
    operation_id = "tracker_create_error",
    security(("key" = ["ingest"]), ("bearer" = ["ingest"])),
    request_body = Sent,
    responses(
        (status = 201, description = "A new error", body = Taken),
        (status = 200, description = "An existing one", body = Taken),
        (status = 202, description = "It is durable; whether it is new shows when the database is back", body = Taken),
        Failures
    ),
)]
async fn take(
    State(app): State<App>,
    Ingest(caller): Ingest,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let body = body::read_report(&headers, body, app.config().max_body).await?;
    let mut fields = Fields::parse(&body).map_err(Error::bad_request)?;
    let name = fields.required_short("project", 100)?;
    let event = read(&mut fields)?;
    let fingerprint = fingerprint(&name, &event);
    let because = "project:exception_type:file:line of the innermost frame".to_owned();
    let project = caller.reports_to(&app, Some(&name)).await?.id;
    let _under_way = quotas::take(&app, project, 1).await?;
    let report = Report { project, event, formula: Formula::Fixed { fingerprint, because } };
    let receipt = app.tracker().ingest(report).await?;
    let taken = |status| Taken { status, fingerprint: fingerprint.to_string(), id: None, count: None };
    let (status, answer) = match receipt {
        Receipt::Recorded { issue, outcome: Outcome::New, .. } => {
            (StatusCode::CREATED, Taken { id: Some(issue), ..taken(Fate::Created) })
        }
        Receipt::Recorded { .. } => {
            let count = issue_of(&app, project, &receipt).await?.map(|issue| issue.count);
            (StatusCode::OK, Taken { count, ..taken(Fate::Existing) })
        }
        // Whether it is a new one shows when the database is back.
        Receipt::Spooled { .. } => (StatusCode::ACCEPTED, taken(Fate::Spooled)),
        Receipt::Ignored { .. } => (StatusCode::OK, taken(Fate::Ignored)),
    };
    Ok((status, Json(answer)).into_response())
}

/// That it answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackerHealth)]
struct Health {
    #[schema(pattern = "^ok$")]
    status: &'static str,
}

/// Tells that it answers
///
/// Not in the frame.
#[utoipa::path(
    get,
    path = "/error-tracker/health",
    tag = "Error-tracker",
    operation_id = "tracker_health",
    responses((status = 200, description = "It does", body = Health)),
)]
async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

fn read(fields: &mut Fields) -> Result<Event, Wrong> {
    let mut event = super::received();
    let ty = fields.required_short("exception_type", 200)?;
    let message = fields.text("message")?.unwrap_or_default();
    event.exceptions.push(Exception::new(ty, message));
    event.stack_trace = fields.text("traceback")?.filter(|text| !text.trim().is_empty());
    event.environment = Some(fields.short("environment", 50)?.unwrap_or_else(|| "production".into()));
    event.source = fields.text("source")?;
    event.user = fields.name("user_id")?.map(User::id);
    event.extra = fields.object("extra")?;
    let text = |value: Value| if let Value::String(text) = value { text } else { value.to_string() };
    let request = Request {
        url: fields.text("request_url")?,
        method: fields.text("request_method")?,
        headers: fields.object("request_headers")?.into_iter().map(|(name, value)| (name, text(value))).collect(),
        ..Request::default()
    };
    event.request = (request != Request::default()).then_some(request);
    Ok(event)
}

/// MD5 of `project:exception_type:file:line` of the innermost frame; file and line are empty where there is none.
fn fingerprint(project: &str, event: &Event) -> Fingerprint {
    let place = event.stack_trace.as_deref().and_then(stacktext::innermost_place);
    let (file, line) = place.map_or((String::new(), String::new()), |(file, line)| (file, line.to_string()));
    let ty = event.title().0;
    Fingerprint(Md5::digest(format!("{project}:{ty}:{file}:{line}").as_bytes()).into())
}

/// Reads a report, with its fingerprint.
#[cfg(feature = "fuzzing")]
pub(super) fn read_alone(fields: &mut Fields) -> Result<Event, Wrong> {
    let event = read(fields)?;
    let _ = fingerprint("shop", &event);
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_that_of_the_document() {
        let mut event = Event { stack_trace: Some("Traceback (most recent call last):\n  File \"/srv/a.py\", line 3, in f\n    g()\n  File \"/srv/b.py\", line 9, in g\n    raise ValueError(1)\nValueError: 1".into()), ..Event::default() };
        event.exceptions.push(Exception::new("ValueError", "1"));
        let md5 = |text: &str| Fingerprint(Md5::digest(text.as_bytes()).into());
        assert_eq!(fingerprint("my-app", &event), md5("my-app:ValueError:/srv/b.py:9"));
        event.stack_trace = None;
        assert_eq!(fingerprint("my-app", &event), md5("my-app:ValueError::"));
    }
}
