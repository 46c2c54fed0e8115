//! `/error-tracker/…`: the API of the error-tracker service under its own prefix, with its numbers and its formula.

use super::{
    body,
    fields::{Fields, Wrong},
    issue_of,
};
use crate::{access::Ingest, app::App, error::Error};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use errtrack_core::{
    Event, Exception, Fingerprint, Formula, Receipt, Report, Request, User, stacktext, store::Outcome,
};
use md5::{Digest, Md5};
use serde_json::{Value, json};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/error-tracker/api/errors", post(take))
        .route("/error-tracker/health", get(async || Json(json!({ "status": "ok" }))))
}

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
    let report = Report { project, event, formula: Formula::Fixed { fingerprint, because } };
    let receipt = app.tracker().ingest(report).await?;
    let fingerprint = fingerprint.to_string();
    let (status, answer) = match receipt {
        Receipt::Recorded { issue, outcome: Outcome::New, .. } => {
            (StatusCode::CREATED, json!({ "status": "created", "fingerprint": fingerprint, "id": issue }))
        }
        Receipt::Recorded { .. } => {
            let mut answer = json!({ "status": "existing", "fingerprint": fingerprint });
            if let (Some(issue), Some(answer)) = (issue_of(&app, project, &receipt).await?, answer.as_object_mut()) {
                answer.insert("count".into(), issue.count.into());
            }
            (StatusCode::OK, answer)
        }
        // Whether it is a new one shows when the database is back.
        Receipt::Spooled { .. } => (StatusCode::ACCEPTED, json!({ "status": "spooled", "fingerprint": fingerprint })),
        Receipt::Ignored { .. } => (StatusCode::OK, json!({ "status": "ignored", "fingerprint": fingerprint })),
    };
    Ok((status, Json(answer)).into_response())
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
