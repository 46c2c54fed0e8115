//! What the tests are made of.

use errtrack_core::{
    Event, EventId, Exception, Formula, Issue, IssueId, IssueRef, Occurrence, Preparer, Project, ProjectId, Store,
    Timestamp, User,
    store::{Batch, IssuePage, IssueQuery, Outcome, Recorded, StoredEvent, TagTally},
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

pub(super) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// An age that ends at noon (UTC) that many days ago, and the beginning of that day: so it does not matter at what time of
/// the day a test runs.
pub(super) fn age(n: u64) -> (Duration, Timestamp) {
    let now = Timestamp::now();
    let today = now.as_micros() - now.as_micros() % 86_400_000_000;
    let day = Timestamp::from_micros(today).minus(days(n));
    let noon = day.plus(seconds(43_200));
    (Duration::from_micros((now.as_micros() - noon.as_micros()).unsigned_abs()), day)
}

/// An event that happened and arrived at that time.
pub(super) fn arrived(ty: &str, at: Timestamp) -> Event {
    Event { timestamp: at, received_at: at, ..event(ty) }
}

/// The kept events of an issue, the newest first.
pub(super) async fn events(store: &impl Store, issue: IssueId) -> Vec<StoredEvent> {
    store.events(issue, None, 5000).await.unwrap().events
}

/// All that counts of an issue, which stays exact whatever is let go.
#[derive(Debug, PartialEq)]
pub(super) struct Counts {
    pub(super) count: i64,
    pub(super) users: i64,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    /// By day, the last year.
    pub(super) days: Vec<i64>,
    pub(super) tags: Vec<TagTally>,
}

pub(super) async fn counts(store: &impl Store, id: IssueId) -> Counts {
    let issue = store.issue(&IssueRef::Id(id)).await.unwrap().unwrap();
    let mut histograms = store.histograms(&[id], issue.last_seen, 24, 366).await.unwrap();
    let days = histograms.remove(0);
    assert_eq!(days.iter().sum::<i64>(), issue.count, "the days of {} add up", issue.ty);
    let (first_seen, last_seen) = (issue.first_seen, issue.last_seen);
    let tags = store.tag_tallies(id, 1000).await.unwrap();
    Counts { count: issue.count, users: issue.user_count, first_seen, last_seen, days, tags }
}

/// What must hold between an issue and the events that are kept of it.
pub(super) async fn kept_as_told(store: &impl Store, id: IssueId) -> Vec<StoredEvent> {
    let issue = store.issue(&IssueRef::Id(id)).await.unwrap().unwrap();
    let events = events(store, id).await;
    assert_eq!(issue.stored_count, events.len() as i64, "{}", issue.ty);
    let newest = events.first().map_or(EventId::default(), |event| event.event.event_id);
    assert_eq!(issue.last_event, newest, "{}", issue.ty);
    events
}

/// The types of the events of a list.
pub(super) fn ids(events: &[StoredEvent]) -> Vec<Uuid> {
    events.iter().map(|event| event.id).collect()
}
