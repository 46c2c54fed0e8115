//! `/api/settings/…`: retention, and events that could not be written. For admins.

use super::{
    Frame,
    openapi::{Failure, Failures},
    params::Params,
    success,
};
use crate::{
    access::AdminOfAll,
    app::App,
    error::Error,
    retention::{self, Run},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use errtrack_core::{
    Event, EventId, Project, ProjectId, Timestamp,
    store::{Retention, RetentionReport, SetAside},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What is kept for how long; what sets no bound is `null`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionRules)]
pub(super) struct Rules {
    /// Days after which resolved issues and events go.
    age_days: Option<u64>,
    /// Events kept whole per issue.
    events_per_issue: u32,
    /// Events kept whole per project.
    events_per_project: Option<u64>,
    /// Bytes that stay free on the disk of the database.
    free_disk_bytes: Option<u64>,
}

impl Rules {
    pub(super) fn new(rules: &Retention) -> Self {
        Self {
            age_days: rules.age.map(|age| age.as_secs() / 86_400),
            events_per_issue: rules.events_per_issue,
            events_per_project: rules.events_per_project,
            free_disk_bytes: (rules.free_disk > 0).then_some(rules.free_disk),
        }
    }
}

/// What a run let go of, with its sum.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionSum)]
pub(super) struct Report {
    #[serde(flatten)]
    report: RetentionReport,
    /// Events in all.
    events: u64,
}

impl Report {
    pub(super) fn new(report: RetentionReport) -> Self {
        Self { report, events: report.events() }
    }
}

/// What is kept for how long, and the last run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Shown {
    rules: Rules,
    last_run: Option<Report>,
    /// Since when a run that somebody asked for is under way.
    running_since: Option<Timestamp>,
}

/// Shows what is kept for how long
#[utoipa::path(
    get,
    path = "/api/settings/retention",
    tag = "Settings",
    operation_id = "show_retention",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    responses((status = 200, description = "The rules, and the last run", body = Frame<Shown>), Failures),
)]
pub(super) async fn show_retention(State(app): State<App>, _: AdminOfAll) -> Result<impl IntoResponse, Error> {
    let last = app.store().last_retention().await?;
    let rules = Rules::new(app.tracker().retention());
    let shown = Shown { rules, last_run: last.map(Report::new), running_since: app.runs().under_way() };
    Ok(success(shown))
}

/// What a run would let go of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionPreview)]
pub(super) struct Preview {
    preview: Report,
}

/// Tells what a retention run would let go of
///
/// Changes nothing.
#[utoipa::path(
    post,
    path = "/api/settings/retention/preview",
    tag = "Settings",
    operation_id = "preview_retention",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    responses((status = 200, description = "The figures", body = Frame<Preview>), Failures),
)]
pub(super) async fn preview_retention(State(app): State<App>, _: AdminOfAll) -> Result<impl IntoResponse, Error> {
    Ok(success(Preview { preview: Report::new(app.tracker().preview_retention().await?) }))
}

/// What a run let go of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionDone)]
pub(super) struct Done {
    run: Report,
}

/// A run that goes on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionBegun)]
pub(super) struct Begun {
    running_since: Option<Timestamp>,
}

/// Lets go of what is old or too much, now
///
/// Answers when it is done, or after 20 seconds with 202 while it goes on.
#[utoipa::path(
    post,
    path = "/api/settings/retention/run",
    tag = "Settings",
    operation_id = "run_retention",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    responses(
        (status = 200, description = "It is done", body = Frame<Done>),
        (status = 202, description = "It goes on", body = Frame<Begun>),
        (status = 409, description = "One is under way already", body = Failure),
        Failures
    ),
)]
pub(super) async fn run_retention(State(app): State<App>, AdminOfAll(caller): AdminOfAll) -> Result<Response, Error> {
    Ok(match retention::run(&app, &caller).await? {
        Run::Done(run) => success(Done { run: Report::new(run) }).into_response(),
        Run::UnderWay => {
            (StatusCode::ACCEPTED, success(Begun { running_since: app.runs().under_way() })).into_response()
        }
    })
}

/// Events that could not be written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SetAsideList)]
pub(super) struct Aside<'a> {
    events: Vec<Entry<'a>>,
}

/// An event that could not be written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SetAsideEvent)]
struct Entry<'a> {
    project: Option<&'a str>,
    project_id: ProjectId,
    /// When it was tried.
    at: Timestamp,
    reason: &'a str,
    /// How many events it stands for.
    times: i64,
    event_id: Option<EventId>,
    /// The event as it would have been stored, if it can be read.
    #[schema(value_type = Option<Object>)]
    event: Option<&'a Event>,
}

/// Lists events that could not be written
///
/// The newest first, with the reason.
#[utoipa::path(
    get,
    path = "/api/settings/set-aside",
    tag = "Settings",
    operation_id = "list_set_aside",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "Entries; 50 unless set")),
    responses((status = 200, description = "The events", body = Frame<Aside<'_>>), Failures),
)]
pub(super) async fn set_aside(
    State(app): State<App>,
    _: AdminOfAll,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let events = app.store().set_aside_events(params.limit()?).await?;
    let projects = app.all_projects().await?;
    let entry = |aside| Entry::new(aside, &projects);
    Ok(success(Aside { events: events.iter().map(entry).collect() }).into_response())
}

impl<'a> Entry<'a> {
    fn new(aside: &'a SetAside, projects: &'a [Project]) -> Self {
        Self {
            project: projects.iter().find(|p| p.id == aside.project).map(|p| p.slug.as_str()),
            project_id: aside.project,
            at: aside.at,
            reason: &aside.reason,
            times: aside.times,
            event_id: aside.event.as_ref().map(|event| event.event_id),
            event: aside.event.as_ref(),
        }
    }
}
