//! `POST /api/v1/errors` and `/api/v1/errors/batch`: reports of web and mobile apps.
//!
//! Always answered with `{"success": …}`, so that a client that only looks at that is never surprised.

use super::{
    body,
    fields::{Fields, Wrong, cut},
    note_reporter,
    peer::Peer,
    received,
};
use crate::{
    access::{Caller, Scope},
    app::App,
    error::Error,
    limits::{self, Ticket},
    quotas::{self, UnderWay},
};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use errtrack_core::{
    Event, EventId, Exception, Fingerprint, Formula, Level, Map, ProjectId, Report, Request, Timestamp, User, slugify,
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What identifiers may have at most; longer ones are refused.
const IDENTIFIER: usize = 100;
/// What texts may have at most; longer ones are cut.
const MESSAGE: usize = 5_000;
const STACK: usize = 50_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(take)).routes(routes!(take_batch))
}

/// A report of an app.
#[derive(ToSchema)]
#[schema(as = AppReport, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
struct Sent {
    #[schema(max_length = 100)]
    error_code: String,
    #[schema(max_length = 100)]
    error_type: String,
    /// Cut to 5,000 characters.
    message: String,
    /// Cut to 50,000 characters.
    stack_trace: Option<String>,
    /// The app, here or as `X-App-Id`.
    #[schema(max_length = 100)]
    app_id: Option<String>,
    source_type: Option<Source>,
    service_name: Option<String>,
    user_id: Option<String>,
    session_id: Option<String>,
    request_url: Option<String>,
    request_method: Option<String>,
    #[schema(value_type = Option<Object>)]
    request_headers: Map,
    /// Anything.
    request_body: Option<Value>,
    #[schema(minimum = 100, maximum = 999)]
    response_status_code: Option<u16>,
    /// `production` unless given.
    environment: Option<Environment>,
    /// `error` unless given.
    severity: Option<Severity>,
    #[schema(value_type = Option<Object>)]
    context: Map,
    /// What makes reports one issue, instead of `errorCode`, `errorType`, `appId`, path of `requestUrl` and `requestMethod`.
    fingerprint: Option<String>,
    #[schema(value_type = Option<Object>)]
    browser_info: Map,
    #[schema(value_type = Option<Object>)]
    device_info: Map,
    /// When it happened; now unless given.
    occurred_at: Option<Timestamp>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $as:ident, $case:literal: $($word:ident),+) => {
        $(#[$doc])*
        #[derive(ToSchema)]
        #[schema(as = $as, rename_all = $case)]
        #[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
        enum $name { $($word),+ }
    };
}

words!(/// Which part of an app reports.
    Source, AppSource, "snake_case": Backend, FrontendWeb, FrontendMobile);
words!(/// Where an app runs.
    Environment, AppEnvironment, "lowercase": Development, Staging, Production);
words!(/// How bad it is; `critical` is `fatal`.
    Severity, AppSeverity, "lowercase": Debug, Info, Warning, Error, Critical);

/// Several reports.
#[derive(ToSchema)]
#[schema(as = AppReports)]
#[expect(dead_code, reason = "only its shape is asked for: fields are read one by one")]
struct SentBatch {
    errors: Vec<Sent>,
}

/// A report was taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppReportTaken)]
struct Taken {
    /// `true`
    success: bool,
    id: EventId,
}

/// What became of several reports.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppReportsTaken)]
struct TakenBatch {
    /// `true`
    success: bool,
    total: usize,
    succeeded: usize,
    failed: usize,
}

/// Nothing was taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppReportFailed)]
struct Refused {
    /// `false`
    success: bool,
    /// Why, beginning with the name of the field if one is wrong.
    error: String,
}

/// How it can fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its shape is asked for: answers are made by `Failure`")]
enum Failures {
    /// What was sent makes no sense, or only a key can make the app.
    #[response(status = 400)]
    BadRequest(#[to_schema] Refused),
    /// The body did not come in time.
    #[response(status = 408)]
    Silent(#[to_schema] Refused),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(#[to_schema] Refused),
    /// Too many requests; `Retry-After` says for how many seconds to wait.
    #[response(status = 429)]
    TooMany(#[to_schema] Refused),
    /// The server failed.
    #[response(status = 500)]
    Failed(#[to_schema] Refused),
    /// The database is away; `Retry-After` says when to try again.
    #[response(status = 503)]
    Away(#[to_schema] Refused),
}

/// A failure, in the words of this dialect.
struct Failure(Error);

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        error.log();
        let wait = error.wait;
        let body = Refused { success: false, error: error.message };
        let mut response = (error.status, Json(body)).into_response();
        if error.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Who reports, beside what is reported.
#[derive(Debug)]
struct Sender {
    /// With a key of ours: the apps that it reports to. All of them includes new ones.
    known: Option<Scope>,
    app_id: Option<String>,
    user_agent: Option<String>,
    peer: Peer,
}

impl Sender {
    async fn find(app: &App, parts: &Parts, peer: Peer) -> Result<Self, Error> {
        // A bearer token that is none of ours belongs to the app's own users: it opens nothing here, and nothing keeps it.
        let caller = match Caller::find(app, parts).await {
            // Who it is cannot be known now; what anybody may report is taken all the same.
            Err(error) if error.status == StatusCode::SERVICE_UNAVAILABLE => None,
            found => found?,
        };
        let caller = caller.filter(|caller| caller.permissions.ingest);
        let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(|v| v.trim().to_owned());
        let mut project = None;
        if let (None, Some(key)) = (&caller, text("x-app-key")) {
            project = app.project_by_key(&key).await?.map(|project| (key, project.id));
        }
        match (&caller, &project) {
            (Some(caller), _) => limits::by_caller(app, parts, caller).await?,
            (None, Some((key, project))) => limits::by_public_key(app, &Ticket::of(parts), key, *project).await?,
            (None, None) => limits::by_address(app, parts, None).await?,
        }
        let app_id = text("x-app-id").filter(|id| !id.is_empty());
        let known = caller.map(Caller::into_scope).or(project.map(|_| Scope::All));
        Ok(Self { known, app_id, user_agent: text("user-agent"), peer })
    }

    /// The project of an app.
    async fn project(&self, app: &App, app_id: &str) -> Result<ProjectId, Error> {
        let slug = slugify(app_id);
        if slug.is_empty() {
            return Err(Wrong::new("appId", "must hold an ASCII letter or digit").into());
        }
        if self.known == Some(Scope::All) {
            return Ok(app.ensure_project(&slug).await?.id);
        }
        let project = app.any_project_by_slug(&slug).await?;
        let (project, problem) = match &self.known {
            Some(scope) => (project.filter(|project| scope.has(project.id)), "this key reports to other apps"),
            None => (project, "no such app; only a key can make it"),
        };
        Ok(project.ok_or_else(|| Wrong::new("appId", problem))?.id)
    }

    async fn report(&self, app: &App, mut fields: Fields) -> Result<(Report, Option<UnderWay>), Error> {
        let app_id = match fields.short("appId", IDENTIFIER)?.filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => self.app_id.clone().ok_or_else(|| Wrong::new("appId", "is required, here or as X-App-Id"))?,
        };
        let (event, formula) = read(&mut fields, &app_id, self)?;
        // Last, so that a report that is refused makes no app.
        let project = self.project(app, &app_id).await?;
        let under_way = quotas::take(app, project, 1).await?;
        Ok((Report { project, event, formula }, under_way))
    }
}

/// Takes a report of an app
///
/// In a form of its own, not in the frame. Without a key the app must be known.
#[utoipa::path(
    post,
    path = "/api/v1/errors",
    tag = "Reports",
    operation_id = "create_app_error",
    security((), ("key" = ["ingest"]), ("bearer" = ["ingest"])),
    params(
        ("X-App-Id" = Option<String>, Header, description = "The app, where the body does not say"),
        ("X-App-Key" = Option<String>, Header, description = "A public key of a project: what makes unknown apps known"),
    ),
    request_body = Sent,
    responses((status = 201, description = "It is durable", body = Taken), Failures),
)]
async fn take(State(app): State<App>, peer: Peer, parts: Parts, body: Body) -> Result<Response, Failure> {
    let sender = Sender::find(&app, &parts, peer).await?;
    let body = body::read_report(&parts.headers, body, app.config().max_body).await?;
    let fields = Fields::parse(&body).map_err(Error::bad_request)?;
    let (report, _under_way) = sender.report(&app, fields).await?;
    let receipt = app.tracker().ingest(report).await?;
    Ok((StatusCode::CREATED, Json(Taken { success: true, id: receipt.event() })).into_response())
}

/// Takes several reports of apps
///
/// A wrong one fails alone. In a form of its own, not in the frame.
#[utoipa::path(
    post,
    path = "/api/v1/errors/batch",
    tag = "Reports",
    operation_id = "create_app_errors",
    security((), ("key" = ["ingest"]), ("bearer" = ["ingest"])),
    params(
        ("X-App-Id" = Option<String>, Header, description = "The app, where the body does not say"),
        ("X-App-Key" = Option<String>, Header, description = "A public key of a project: what makes unknown apps known"),
    ),
    request_body = SentBatch,
    responses((status = 200, description = "What became of them", body = TakenBatch), Failures),
)]
async fn take_batch(State(app): State<App>, peer: Peer, parts: Parts, body: Body) -> Result<Response, Failure> {
    let sender = Sender::find(&app, &parts, peer).await?;
    let body = body::read_report(&parts.headers, body, app.config().max_body).await?;
    let mut fields = Fields::parse(&body).map_err(Error::bad_request)?;
    let Some(Value::Array(entries)) = fields.any("errors") else {
        return Err(Wrong::new("errors", "must be a list").into());
    };
    let total = entries.len();
    let (mut reports, mut under_way, mut over) = (Vec::with_capacity(total), Vec::new(), None);
    for fields in entries.into_iter().filter_map(Fields::from_value) {
        match sender.report(&app, fields).await {
            Ok((report, of_quota)) => {
                reports.push(report);
                under_way.extend(of_quota);
            }
            Err(error) if error.status.is_server_error() => return Err(error.into()),
            Err(error) if error.status == StatusCode::TOO_MANY_REQUESTS => over = Some(error),
            Err(_) => {}
        }
    }
    if let (true, Some(over)) = (reports.is_empty(), over) {
        return Err(over.into());
    }
    let receipts = app.tracker().ingest_all(reports).await;
    drop(under_way);
    let succeeded = receipts.iter().filter(|receipt| receipt.is_ok()).count();
    // Nothing was written: the client may send all of it again.
    if let (0, Some(Err(error))) = (succeeded, receipts.first()) {
        return Err((*error).into());
    }
    Ok(Json(TakenBatch { success: true, total, succeeded, failed: total - succeeded }).into_response())
}

fn read(fields: &mut Fields, app_id: &str, sender: &Sender) -> Result<(Event, Formula), Wrong> {
    let mut event = received();
    let code = fields.required_short("errorCode", IDENTIFIER)?;
    let ty = fields.required_short("errorType", IDENTIFIER)?;
    let mut message = fields.required("message")?;
    cut(&mut event, "message", &mut message, MESSAGE);
    if let Some(mut stack) = fields.text("stackTrace")?.filter(|text| !text.trim().is_empty()) {
        cut(&mut event, "stack_trace", &mut stack, STACK);
        event.stack_trace = Some(stack);
    }
    event.exceptions.push(Exception::new(ty.clone(), message));
    event.source = fields.one_of("sourceType", &["backend", "frontend_web", "frontend_mobile"])?;
    event.environment = fields.one_of("environment", &["development", "staging", "production"])?;
    event.environment.get_or_insert_with(|| "production".into());
    event.level = match fields.one_of("severity", &["debug", "info", "warning", "error", "critical"])? {
        Some(severity) => severity.parse().unwrap_or_default(),
        None => Level::Error,
    };
    event.user = fields.name("userId")?.map(User::id);
    event.timestamp = fields.time("occurredAt")?.unwrap_or(event.received_at);
    event.extra = fields.object("context")?;
    event.tags.insert("error_code".into(), code.clone());
    for (name, tag) in [("serviceName", "service_name"), ("sessionId", "session_id")] {
        event.tags.extend(fields.name(name)?.map(|value| (tag.to_owned(), value)));
    }
    for (name, context) in [("browserInfo", "browser"), ("deviceInfo", "device")] {
        let info = fields.object(name)?;
        if !info.is_empty() {
            event.contexts.insert(context.into(), Value::Object(info));
        }
    }
    let request = request(fields, &event, sender)?;
    if is_frontend(&event) {
        note_reporter(&mut event, sender.peer);
    }
    let formula = formula(
        fields.text("fingerprint")?.filter(|f| !f.is_empty()),
        [
            &code,
            &ty,
            app_id,
            path_of(request.url.as_deref().unwrap_or_default()),
            request.method.as_deref().unwrap_or_default(),
        ],
    );
    event.request = (request != Request::default()).then_some(request);
    Ok((event, formula))
}

fn request(fields: &mut Fields, event: &Event, sender: &Sender) -> Result<Request, Wrong> {
    let mut request = Request { url: fields.text("requestUrl")?, ..Request::default() };
    request.method = fields.text("requestMethod")?;
    let text = |value: Value| if let Value::String(text) = value { text } else { value.to_string() };
    request.headers = fields.object("requestHeaders")?.into_iter().map(|(name, value)| (name, text(value))).collect();
    request.data = fields.any("requestBody");
    request.status = match fields.any("responseStatusCode") {
        None => None,
        Some(status) => {
            let status =
                status.as_u64().and_then(|status| u16::try_from(status).ok()).filter(|s| (100..1000).contains(s));
            Some(status.ok_or_else(|| Wrong::new("responseStatusCode", "must be a status of HTTP"))?)
        }
    };
    // A page reports from where it failed; a server does so on behalf of somebody else.
    if let (true, Some(agent)) = (is_frontend(event), &sender.user_agent) {
        request.headers.entry("User-Agent".into()).or_insert_with(|| agent.clone());
    }
    Ok(request)
}

fn is_frontend(event: &Event) -> bool {
    event.source.as_deref().is_some_and(|source| source.starts_with("frontend"))
}

/// The document's formula: what the client says, or what it happened to.
fn formula(client: Option<String>, parts: [&str; 5]) -> Formula {
    let (text, because) = match client {
        Some(fingerprint) => (format!("client\0{fingerprint}"), "the client's fingerprint"),
        None => (parts.join("\0"), "errorCode, errorType, appId, path of requestUrl, requestMethod"),
    };
    let digest = Sha256::digest(text.as_bytes());
    let fingerprint = Fingerprint(digest.first_chunk().copied().unwrap_or_default());
    Formula::Fixed { fingerprint, because: because.into() }
}

/// The path of a URL: without scheme, host and query.
fn path_of(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find(['/', '?', '#']).and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => url,
    };
    path.split(['?', '#']).next().unwrap_or_default()
}

/// Reads a report of nobody.
#[cfg(feature = "fuzzing")]
pub(super) fn read_alone(fields: &mut Fields) -> Result<Event, Wrong> {
    let sender = Sender { known: None, app_id: None, user_agent: None, peer: Peer(Some([192, 0, 2, 7].into())) };
    read(fields, "shop", &sender).map(|(event, _)| event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_url_leaves_host_and_query_out() {
        for url in ["https://api.example.com/users/1?x=2#y", "/users/1?x=/3", "/users/1"] {
            assert_eq!(path_of(url), "/users/1", "{url}");
        }
        assert_eq!((path_of("https://h"), path_of("https://h?a=/b"), path_of("")), ("", "", ""));
    }

    #[test]
    fn the_formula_leaves_the_query_out_and_looks_at_all_else() {
        let of = |parts| formula(None, parts);
        let base = of(["A", "B", "c", path_of("/x?1"), "GET"]);
        assert_eq!(base, of(["A", "B", "c", path_of("https://h/x?2"), "GET"]));
        assert_ne!(base, of(["A", "B", "c", "/x", "POST"]));
        assert_ne!(base, of(["AB", "", "c", "/x", "GET"]));
        assert_ne!(formula(Some("mine".into()), ["", "", "", "", ""]), base);
    }
}
