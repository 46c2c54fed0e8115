//! The endpoints that SDKs send to.

use super::{
    answer::{Refusal, accepted, pixel},
    auth::{Auth, dsn_parts},
    envelope::{self, Envelope, Kind},
    event::{self, Circumstances},
    store,
    transaction::{self, Served},
};
use crate::{
    app::App,
    ingest::{
        body::{self, Unreadable},
        peer::Peer,
        unpack::{self, Encoding},
    },
    limits::{self, Ticket},
    quotas,
};
use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, Path, Query, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use errtrack_core::{Event, EventId, Formula, IngestError, Project, ProjectId, Report};
use serde::Deserialize;
use std::collections::HashMap;

/// Bodies up to this size, packed and unpacked, are dealt with where they arrive: some milliseconds at most. What is larger
/// goes to a thread that may block.
const LIGHT: usize = 256 << 10;
/// Events of one envelope that are in memory at once.
const TOGETHER: usize = 256;

pub(in crate::ingest) fn routes() -> Router<App> {
    Router::new()
        .route("/api/{project}/envelope/", post(take_envelope))
        .route("/api/{project}/envelope", post(take_envelope))
        .route("/api/{project}/store/", post(take_event).get(beacon))
        .route("/api/{project}/store", post(take_event).get(beacon))
        .route("/api/store/", post(take_event).get(beacon))
        .route("/api/store", post(take_event).get(beacon))
}

/// What a request says beside its body.
#[derive(Debug)]
struct Sender {
    /// The project in the path.
    project: Option<ProjectId>,
    auth: Auth,
    peer: Peer,
    ticket: Ticket,
    encoding: Encoding,
}

impl FromRequestParts<App> for Sender {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let unknown = || Refusal::new(StatusCode::NOT_FOUND, "a project is a number");
        let Path(place) = Path::<Place>::from_request_parts(parts, app).await.map_err(|_| unknown())?;
        let peer = Peer::of(app, parts);
        let number = |text: String| text.parse().map(ProjectId).map_err(|_| unknown());
        let project = place.project.map(number).transpose()?;
        Ok(Self {
            project,
            auth: Auth::find(&parts.headers, &parts.uri)?,
            peer,
            ticket: Ticket::of(parts),
            encoding: Encoding::of(&parts.headers),
        })
    }
}

impl Sender {
    /// The project that the key opens; refused unless it is the one that the path names. Counts once, however often it is asked.
    async fn admit(&self, app: &App) -> Result<ProjectId, Refusal> {
        let Some(key) = &self.auth.key else {
            return Err(Refusal::unauthorized("missing authorization information"));
        };
        let owns = |project: &Project| project.public_keys.iter().any(|k| k == key);
        let mut projects = app.all_projects().await?;
        if !projects.iter().any(owns) {
            projects = app.projects_again().await?;
        }
        match projects.iter().find(|project| owns(project)) {
            Some(project) if self.project.is_none_or(|id| id == project.id) => {
                limits::by_public_key(app, &self.ticket, key, project.id).await?;
                Ok(project.id)
            }
            Some(_) => Err(Refusal::forbidden("the key belongs to another project")),
            None => Err(Refusal::forbidden("unknown key")),
        }
    }

    /// Adds what the header of an envelope says, which must not contradict the rest.
    fn take_dsn(&mut self, dsn: &str) -> Result<(), Refusal> {
        let Some((key, project)) = dsn_parts(dsn) else {
            return Err(Refusal::invalid("invalid envelope", &"its dsn is none"));
        };
        if self.project.is_some_and(|id| id.0 != project) {
            return Err(Refusal::forbidden("the dsn names another project than the path"));
        }
        self.project = Some(ProjectId(project));
        self.auth.take_key(key)
    }

    fn about(&self) -> Circumstances {
        Circumstances { peer: self.peer.0, client: self.auth.client.clone(), ..Circumstances::default() }
    }
}

/// The path of a request: some name a project, the oldest do not.
#[derive(Debug, Deserialize)]
struct Place {
    project: Option<String>,
}

async fn take_envelope(
    State(app): State<App>,
    sender: Sender,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    read_envelope(app, sender, &headers, body).await
}

async fn read_envelope(app: App, sender: Sender, headers: &HeaderMap, body: Body) -> Result<Response, Refusal> {
    // Whoever has no key is turned away before sending 20 MiB; a tunnel may have it in the body alone.
    if sender.auth.key.is_some() {
        sender.admit(&app).await?;
    }
    let body = body::read(headers, body, app.config().max_envelope).await?;
    with_unpacked(app, sender, body, |app, sender, body| Box::pin(take_items(app, sender, body))).await
}

async fn take_items(app: App, mut sender: Sender, body: Bytes) -> Result<Response, Refusal> {
    let envelope = envelope::parse(&body).map_err(|e| Refusal::invalid("invalid envelope", &e))?;
    if let Some(dsn) = &envelope.header.dsn {
        sender.take_dsn(dsn)?;
    }
    let project = sender.admit(&app).await?;
    count_requests(&app, project, &envelope);
    let mut about = sender.about();
    about.sent_at = envelope.header.sent_at;
    let payloads: Vec<&[u8]> =
        envelope.items.iter().filter(|item| item.kind == Kind::Event).map(|item| item.payload).collect();
    // The header's id is that of the one event; several have their own.
    about.id = envelope.header.event_id().filter(|_| payloads.len() < 2);
    let mut first = about.id;
    let mut unread = Vec::new();
    for payloads in payloads.chunks(TOGETHER) {
        let mut events = Vec::with_capacity(payloads.len());
        for payload in payloads {
            match event::parse(payload, &about) {
                Ok(event) => events.extend(event),
                Err(error) => unread.push(error),
            }
        }
        first = first.or(ingest(&app, project, events).await?);
    }
    match unread.first() {
        // One bad item does not lose the others; if there are no others, the sender is told.
        Some(error) if unread.len() == envelope.items.len() => Err(Refusal::invalid("invalid event", error)),
        _ => Ok(accepted(first)),
    }
}

/// Counts the requests that a program tells it has served.
fn count_requests(app: &App, project: ProjectId, envelope: &Envelope<'_>) {
    for item in &envelope.items {
        let served = match item.kind {
            Kind::Transaction => transaction::of_transaction(item.payload).into_iter().collect(),
            Kind::Spans => transaction::of_spans(item.payload),
            Kind::Event | Kind::Other => continue,
        };
        for Served { method, route, class, took } in served {
            app.tracker().count_reported(project, &method, &route, class, took);
        }
    }
}

async fn take_event(
    State(app): State<App>,
    sender: Sender,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("application/x-sentry-envelope") {
        return read_envelope(app, sender, &headers, body).await;
    }
    sender.admit(&app).await?;
    let body = body::read(&headers, body, app.config().max_envelope).await?;
    with_unpacked(app, sender, body, |app, sender, body| Box::pin(store_event(app, sender, body))).await
}

async fn store_event(app: App, sender: Sender, body: Bytes) -> Result<Response, Refusal> {
    let project = sender.admit(&app).await?;
    let body = store::unwrap(body, app.config().max_unpacked)?;
    let event = event::parse(&body, &sender.about()).map_err(|e| Refusal::invalid("invalid event", &e))?;
    Ok(accepted(ingest(&app, project, Vec::from_iter(event)).await?))
}

/// `<img src="…/store/?sentry_data=…">`, as raven-js reports where nothing else works.
async fn beacon(
    State(app): State<App>,
    sender: Sender,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let Some(data) = query.get("sentry_data") else {
        return Err(Refusal::invalid("invalid event", &"sentry_data is missing"));
    };
    store_event(app, sender, Bytes::from(data.clone())).await?;
    Ok(pixel())
}

/// Takes events and returns when they are durable; the id is that of the first.
async fn ingest(app: &App, project: ProjectId, events: Vec<Event>) -> Result<Option<EventId>, Refusal> {
    let _under_way = quotas::take(app, project, events.len()).await?;
    let report = |event| Report { project, event, formula: Formula::Ours };
    let mut refused = 0;
    let mut first = None;
    let receipts = app.tracker().ingest_all(events.into_iter().map(report).collect()).await;
    for receipt in &receipts {
        match receipt {
            Ok(receipt) => first = first.or(Some(receipt.event())),
            Err(IngestError::Refused) => refused += 1,
            // The others are stored: sent again, they change nothing.
            Err(error) => return Err(crate::error::Error::from(*error).into()),
        }
    }
    if refused > 0 && refused == receipts.len() {
        return Err(crate::error::Error::from(IngestError::Refused).into());
    }
    Ok(first)
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Result<Response, Refusal>> + Send>>;

/// Unpacks a body and goes on with it: here if it is light, else on a thread that may block, of which few work at a time, as
/// each of them may hold as much as an unpacked body is allowed to.
async fn with_unpacked(
    app: App,
    sender: Sender,
    body: Bytes,
    then: fn(App, Sender, Bytes) -> Answer,
) -> Result<Response, Refusal> {
    let encoding = sender.encoding;
    if body.len() <= LIGHT {
        let most = app.config().max_unpacked;
        match unpack::unpack(body.clone(), encoding, LIGHT.min(most)) {
            Ok(unpacked) => return then(app, sender, unpacked).await,
            Err(Unreadable::TooLarge(limit)) if limit < most => {}
            Err(error) => return Err(error.into()),
        }
    }
    let limit = app.config().max_unpacked;
    let turn = app.heavy_turn().await;
    let runtime = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let unpacked = unpack::unpack(body, encoding, limit)?;
        runtime.block_on(then(app, sender, unpacked))
    });
    work.await.unwrap_or_else(|_| Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed")))
}
