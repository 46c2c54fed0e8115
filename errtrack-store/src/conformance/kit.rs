//! What the tests are made of.

use errtrack_core::{
    Event, EventId, Exception, Formula, Issue, IssueRef, Occurrence, Preparer, Project, ProjectId, Store, Timestamp,
    User,
    store::{Batch, IssuePage, IssueQuery, Outcome, Recorded},
};
use std::time::Duration;
use uuid::Uuid;

/// The time around which the tests happen: 2026-11-20T12:30:00Z.
pub(super) const NOON: i64 = 1_795_173_000_000_000;

pub(super) fn minutes(after_noon: i64) -> Timestamp {
    Timestamp::from_micros(NOON + after_noon * 60_000_000)
}

pub(super) fn event(ty: &str) -> Event {
    // Received later than anything happens here: what comes from the future is clamped.
    let mut event = Event { timestamp: minutes(0), received_at: minutes(24 * 60), ..Event::new() };
    event.exceptions.push(Exception::new(ty, format!("{ty} happened")));
    event
}

pub(super) fn at(ty: &str, minute: i64) -> Event {
    Event { timestamp: minutes(minute), ..event(ty) }
}

pub(super) fn by_user(ty: &str, user: &str) -> Event {
    Event { user: Some(User::id(user)), ..event(ty) }
}

pub(super) fn with_id(ty: &str, id: Uuid) -> Event {
    Event { event_id: EventId::from(id), ..event(ty) }
}

pub(super) fn tagged(ty: &str, tags: &[(&str, &str)]) -> Event {
    let mut event = event(ty);
    event.tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    event
}

pub(super) fn prepare(project: ProjectId, event: Event) -> Occurrence {
    Preparer::default().prepare(project, event, Formula::Ours)
}

pub(super) fn batch(project: &Project, events: impl IntoIterator<Item = Event>) -> Batch {
    Batch::whole(events.into_iter().map(|event| prepare(project.id, event)).collect())
}

pub(super) async fn project(store: &impl Store) -> Project {
    store.ensure_project("shop").await.unwrap()
}

pub(super) async fn record(
    store: &impl Store,
    project: &Project,
    events: impl IntoIterator<Item = Event>,
) -> Vec<Recorded> {
    store.record(&batch(project, events)).await.unwrap()
}

pub(super) fn outcomes(recorded: &[Recorded]) -> Vec<Outcome> {
    recorded.iter().map(|r| r.outcome).collect()
}

pub(super) async fn issue_of(store: &impl Store, recorded: &Recorded) -> Issue {
    store.issue(&IssueRef::Id(recorded.issue)).await.unwrap().unwrap()
}

pub(super) fn query() -> IssueQuery {
    IssueQuery { limit: 100, ..IssueQuery::default() }
}

pub(super) fn types(page: &IssuePage) -> Vec<&str> {
    page.issues.iter().map(|i| i.ty.as_str()).collect()
}

pub(super) fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}
