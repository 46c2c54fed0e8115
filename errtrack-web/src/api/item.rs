//! An issue as the API shows it: the *error* of the REST document.

use crate::{
    app::App,
    error::Error,
    ingest::REPORTER,
    tickets::{self, Ticket},
};
use errtrack_core::{Condition, Event, Issue, Level, Map, Status, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An issue in short, as lists hold it.
///
/// Lists leave out what only an event knows (`stack_trace`, `context`, `user_agent`, `ip_address`, `url`): reading a hundred
/// events for it would make a list cost a hundred times as much. The document declares them optional.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Item<'a> {
    id: Uuid,
    short_id: String,
    number: i64,
    project: &'a str,
    timestamp: Timestamp,
    level: Level,
    #[serde(rename = "type")]
    ty: &'a str,
    message: &'a str,
    culprit: &'a str,
    source: Option<&'a str>,
    environment: Option<&'a str>,
    platform: Option<&'a str>,
    fingerprint: String,
    status: Status,
    resolved: bool,
    regressed: bool,
    count: i64,
    user_count: i64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    first_release: Option<&'a str>,
    last_release: Option<&'a str>,
    assigned_to: Option<&'a str>,
    /// It is open again when it comes from this release or a later one.
    resolved_in_release: Option<&'a str>,
    /// It is open again when it comes from a later release; empty if none was known.
    resolved_after_release: Option<&'a str>,
    /// It is ignored until that time.
    ignored_until: Option<Timestamp>,
    /// It is ignored until it has that many events.
    ignored_until_count: Option<i64>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> Item<'a> {
    pub(crate) fn new(issue: &'a Issue) -> Self {
        let (resolved_in_release, resolved_after_release, ignored_until, ignored_until_count) = match &issue.condition {
            None => (None, None, None, None),
            Some(Condition::InRelease(release)) => (Some(release.as_str()), None, None, None),
            Some(Condition::AfterRelease(release)) => (None, Some(release.as_str()), None, None),
            Some(Condition::Until { time, count }) => (None, None, *time, *count),
        };
        Self {
            id: issue.uuid,
            short_id: issue.short_id(),
            number: issue.number,
            project: &issue.project_slug,
            timestamp: issue.last_seen,
            level: issue.level,
            ty: &issue.ty,
            message: &issue.value,
            culprit: &issue.culprit,
            source: issue.source.as_deref(),
            environment: issue.environment.as_deref(),
            platform: issue.platform.as_deref(),
            fingerprint: issue.fingerprint.to_string(),
            status: issue.status,
            resolved: issue.status == Status::Resolved,
            regressed: issue.regressed,
            count: issue.count,
            user_count: issue.user_count,
            first_seen: issue.first_seen,
            last_seen: issue.last_seen,
            first_release: issue.first_release.as_deref(),
            last_release: issue.last_release.as_deref(),
            assigned_to: issue.assigned_to.as_deref(),
            resolved_in_release,
            resolved_after_release,
            ignored_until,
            ignored_until_count,
            created_at: issue.created_at,
            updated_at: issue.updated_at,
        }
    }
}

/// An issue with what its newest event adds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Whole<'a> {
    #[serde(flatten)]
    item: Item<'a>,
    stack_trace: Option<String>,
    #[schema(value_type = Object)]
    context: Map,
    user_agent: Option<String>,
    ip_address: Option<String>,
    url: Option<String>,
    last_event_id: String,
}

/// The same with its tickets. A report is answered without them: it would have to ask for them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorDetail)]
pub(crate) struct Detail<'a> {
    #[serde(flatten)]
    whole: Whole<'a>,
    tickets: Vec<Ticket>,
}

/// A group of an issue: all its events with one fingerprint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    fingerprint: String,
    /// The names that it has by itself: they lead to the issue.
    id: Uuid,
    short_id: String,
    #[serde(rename = "type")]
    ty: String,
    message: String,
    count: i64,
    user_count: i64,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

impl Group {
    pub(crate) fn new(group: Issue) -> Self {
        Self {
            fingerprint: group.fingerprint.to_string(),
            id: group.uuid,
            short_id: group.short_id(),
            ty: group.ty,
            message: group.value,
            count: group.count,
            user_count: group.user_count,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
        }
    }
}

/// An issue with what its newest stored event adds.
pub(crate) async fn whole<'a>(app: &App, issue: &'a Issue) -> Result<Whole<'a>, Error> {
    let stored = app.store().event(Some(&[issue.project]), issue.last_event.uuid()).await?;
    let mut event = stored.map(|stored| stored.event).unwrap_or_default();
    Ok(Whole {
        item: Item::new(issue),
        stack_trace: event.stack_trace.take(),
        user_agent: user_agent(&event),
        ip_address: ip_address(&event),
        url: event.request.as_mut().and_then(|request| request.url.take()),
        context: event.extra,
        last_event_id: issue.last_event.to_string(),
    })
}

/// The same with its tickets.
pub(crate) async fn detail<'a>(app: &App, issue: &'a Issue) -> Result<Detail<'a>, Error> {
    let (whole, tickets) = (whole(app, issue).await?, tickets::list(app, issue).await?);
    Ok(Detail { whole, tickets })
}

fn user_agent(event: &Event) -> Option<String> {
    let headers = &event.request.as_ref()?.headers;
    headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent")).map(|(_, value)| value.clone())
}

/// The user's address, else the one that the report came from.
fn ip_address(event: &Event) -> Option<String> {
    let of_user = event.user.as_ref().and_then(|user| user.ip_address.clone());
    of_user.or_else(|| Some(event.contexts.get(REPORTER)?.get("ip_address")?.as_str()?.to_owned()))
}
