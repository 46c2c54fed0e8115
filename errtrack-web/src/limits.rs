//! Limits on how many requests are answered: by key and by address, within a minute.
//!
//! Who asks is known before it counts, so made-up keys fill no memory. Whoever counts notes the verdict with the request, and
//! [`tell`] puts it on the answer, whatever form that has.

mod policy;
mod verdict;
mod windows;

use policy::{Policy, Subject};
pub(crate) use verdict::tell;

use crate::{RateLimits, access::Caller, app::App, error::Error, ingest::Peer};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use errtrack_core::ProjectId;
use http::request::Parts;
use std::time::{Duration, Instant};
use verdict::{Verdict, Verdicts};
use windows::Windows;

/// How long a limit is for.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts requests and says which are too many.
#[derive(Debug)]
pub(crate) struct Limits {
    rates: RateLimits,
    windows: Windows,
}

/// How much of a window is used, this request included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    used: u64,
    /// Until the window ends.
    left: Duration,
}

impl Limits {
    pub(crate) fn new(rates: RateLimits) -> Self {
        Self { rates, windows: Windows::default() }
    }

    async fn count(&self, app: &App, policy: Policy, subject: Subject) -> Option<Verdict> {
        let most = policy.rate(&self.rates);
        if most == 0 {
            return None;
        }
        // Here as well, so that the limit goes on where others are not heard of any more.
        let own = self.windows.count((policy, subject), Instant::now());
        if app.shared().needs_projects() {
            // They say which database this is; while it is away that can wait.
            let _ = app.all_projects().await;
        }
        let shared = app.shared().count(policy.name(), subject.as_bytes(), WINDOW).await;
        let count = shared.map_or(own, |(used, left)| Count { used, left });
        Some(Verdict::new(policy, most, count))
    }
}

/// What counting needs of a request, for handlers that do not keep the whole.
#[derive(Debug)]
pub(crate) struct Ticket {
    policy: Policy,
    is_report: bool,
    verdicts: Verdicts,
}

impl Ticket {
    pub(crate) fn of(parts: &Parts) -> Self {
        let verdicts = parts.extensions.get::<Verdicts>().cloned().unwrap_or_default();
        Self { policy: Policy::of(parts), is_report: Policy::is_report(parts), verdicts }
    }
}

/// Counts a request by somebody known, to what it asks for.
pub(crate) async fn by_caller(app: &App, parts: &Parts, caller: &Caller) -> Result<(), Error> {
    let Some(subject) = Subject::of(caller, Peer::of(app, parts)) else { return Ok(()) };
    let ticket = Ticket::of(parts);
    take(app, &ticket, ticket.policy, subject, None).await
}

/// Counts a report by a project's public key.
pub(crate) async fn by_public_key(app: &App, ticket: &Ticket, key: &str, project: ProjectId) -> Result<(), Error> {
    take(app, ticket, Policy::Ingest, Subject::public_key(key), Some(project)).await
}

/// Counts a report by nobody known.
pub(crate) async fn by_address(app: &App, parts: &Parts, project: Option<ProjectId>) -> Result<(), Error> {
    let Some(subject) = Peer::of(app, parts).0.map(Subject::address) else { return Ok(()) };
    take(app, &Ticket::of(parts), Policy::Address, subject, project).await
}

/// Counts every request by its address, as a layer.
pub(crate) async fn of_addresses(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if Policy::is_free(&parts) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    match by_address(&app, &parts, None).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => error.into_response(),
    }
}

/// Counts a request once for each policy, and notes what is to be said of it.
async fn take(
    app: &App,
    ticket: &Ticket,
    policy: Policy,
    subject: Subject,
    project: Option<ProjectId>,
) -> Result<(), Error> {
    if ticket.verdicts.has(policy) {
        return Ok(());
    }
    let Some(verdict) = app.limits().count(app, policy, subject).await else { return Ok(()) };
    ticket.verdicts.note(verdict);
    if verdict.is_kept() {
        return Ok(());
    }
    if ticket.is_report {
        // Its body is not read, so what is not known by now will not be: it counts for the project of those that name none.
        app.tracker().count_limited(project.unwrap_or_else(|| app.tracker().project().id));
    }
    Err(Error::too_many(verdict.most, verdict.seconds()))
}
