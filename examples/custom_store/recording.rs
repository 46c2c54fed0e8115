//! Writing occurrences: the heart of a store.

use crate::{
    data::{Aside, Data, Entry, Kept},
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    EventId, Issue, IssueId, Occurrence, Status, StoreError, Timestamp,
    store::{Batch, Change, IssueEvent, Outcome, Recorded, Recorder, SetAside, StoredEvent},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[async_trait]
impl Recorder for MemoryStore {
    async fn record(&self, batch: &Batch) -> Result<Vec<Recorded>, StoreError> {
        let mut data = self.lock()?;
        if let Some(lost) = batch.occurrences.iter().find(|o| !data.projects.contains_key(&o.project())) {
            return Err(StoreError::other(format!("there is no project {}", lost.project())));
        }
        if let Some(key) = batch.key {
            let last = data.writers.entry(key.writer).or_default();
            if key.repeats && key.number <= *last {
                let settled = Recorded { issue: IssueId(0), outcome: Outcome::Settled };
                return Ok(vec![settled; batch.occurrences.len()]);
            }
            *last = key.number.max(*last);
        }
        let recorded: Vec<Recorded> = batch.iter().map(|(occurrence, keep)| data.count(occurrence, keep)).collect();
        drop(data);
        // From here on it can be read, so it may be told.
        for (occurrence, Recorded { issue, outcome }) in batch.occurrences.iter().zip(&recorded) {
            let event = match outcome {
                Outcome::New => IssueEvent::New,
                Outcome::Regressed => IssueEvent::Regressed,
                Outcome::Unignored => IssueEvent::Edited,
                Outcome::Seen | Outcome::Duplicate | Outcome::Settled => continue,
            };
            self.feed.tell(Change::Issue { project: occurrence.project(), issue: *issue, event });
        }
        Ok(recorded)
    }

    async fn set_aside(&self, occurrence: &Occurrence, reason: &str) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        let project = occurrence.project();
        if data.projects.contains_key(&project) {
            let (id, user, times) = (occurrence.id(), occurrence.user_hash(), number(occurrence.times()));
            let (at, reason, event) = (Timestamp::now(), reason.to_owned(), Some(occurrence.event()));
            data.set_aside.retain(|aside| aside.id != id);
            data.set_aside.push(Aside { id, user, event: SetAside { project, at, reason, times, event } });
            let surplus = data.set_aside.len().saturating_sub(1000);
            data.set_aside.drain(..surplus);
        }
        Ok(())
    }
}

impl Data {
    /// Writes one occurrence, whose project is there.
    fn count(&mut self, occurrence: &Occurrence, keep: bool) -> Recorded {
        let (project, id) = (occurrence.project(), occurrence.event_id());
        // An id that was made here cannot have been stored before.
        let is_it = |stored: &StoredEvent| stored.project == project && stored.event.event_id == id;
        if !occurrence.id_is_ours()
            && let Some(stored) = self.event(is_it)
        {
            let issue = self.name_of(stored.issue);
            return Recorded { issue, outcome: Outcome::Duplicate };
        }
        let (group, is_new) = match self.groupings.get(&(project, occurrence.fingerprint())) {
            Some(group) => (*group, false),
            None => (self.make_issue(occurrence), true),
        };
        let reopened = if is_new { None } else { self.reopened(group, occurrence) };
        self.note_release(occurrence);
        if reopened == Some(Outcome::Unignored) {
            let name = self.name_of(group);
            for entry in self.groups.values_mut().filter(|e| e.merged_into.unwrap_or(e.issue.id) == name) {
                (entry.issue.status, entry.issue.condition) = (Status::Unresolved, None);
            }
        }
        self.last_row += 1;
        let before = self.before(self.name_of(group), occurrence);
        self.figures.count(occurrence, number(occurrence.times()), is_new);
        if let Some(entry) = self.groups.get_mut(&group) {
            entry.count(occurrence, keep, self.last_row, reopened);
        }
        let outcome = if is_new { Outcome::New } else { reopened.unwrap_or(Outcome::Seen) };
        let issue = self.name_of(group);
        self.alerts.count(occurrence, number(occurrence.times()), outcome);
        self.alerts.note(occurrence, number(occurrence.times()), issue, outcome, &before);
        Recorded { issue, outcome }
    }

    /// Notes since when there are events of a release.
    fn note_release(&mut self, occurrence: &Occurrence) {
        if let Some(release) = occurrence.release() {
            self.releases.entry((occurrence.project(), as_tallied(release))).or_insert_with(Timestamp::now);
        }
    }

    /// Makes the issue of an occurrence, with nothing counted yet.
    fn make_issue(&mut self, occurrence: &Occurrence) -> IssueId {
        let project = occurrence.project();
        let (mut number, mut project_slug) = (0, String::new());
        if let Some(shelf) = self.projects.get_mut(&project) {
            shelf.numbers += 1;
            (number, project_slug) = (shelf.numbers, shelf.project.slug.clone());
        }
        self.last_issue += 1;
        let (id, now) = (IssueId(self.last_issue), Timestamp::now());
        let issue = Issue {
            id,
            uuid: Uuid::new_v4(),
            project,
            project_slug,
            number,
            fingerprint: occurrence.fingerprint(),
            ty: String::new(),
            value: String::new(),
            culprit: String::new(),
            level: occurrence.level(),
            status: Status::Unresolved,
            condition: None,
            regressed: false,
            source: None,
            platform: None,
            environment: None,
            first_release: None,
            last_release: None,
            first_seen: occurrence.timestamp(),
            last_seen: Timestamp::default(),
            count: 0,
            stored_count: 0,
            user_count: 0,
            last_event: EventId::default(),
            created_at: now,
            updated_at: now,
            resolved_at: None,
            assigned_to: None,
        };
        let (hours, tags) = (BTreeMap::new(), BTreeMap::new());
        let (events, users) = (Vec::new(), BTreeSet::new());
        self.groups.insert(id, Entry { issue, merged_into: None, events, hours, tags, users });
        self.groupings.insert((project, occurrence.fingerprint()), id);
        id
    }
}

impl Entry {
    fn count(&mut self, occurrence: &Occurrence, keep: bool, row: i64, reopened: Option<Outcome>) {
        let (issue, at, times) = (&mut self.issue, occurrence.timestamp(), number(occurrence.times()));
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let release = owned(occurrence.release());
        issue.count += times;
        issue.first_seen = issue.first_seen.min(at);
        issue.first_release = issue.first_release.take().or_else(|| release.clone());
        if at >= issue.last_seen {
            // It shows the newest event in short.
            let (ty, value) = occurrence.title();
            (issue.ty, issue.value, issue.culprit) = (ty.into(), value.into(), occurrence.culprit().into());
            (issue.level, issue.last_seen) = (occurrence.level(), at);
            (issue.source, issue.platform) = (owned(occurrence.source()), owned(occurrence.platform()));
            issue.environment = owned(occurrence.environment());
            issue.last_release = release.or(issue.last_release.take());
        } else {
            issue.last_release = issue.last_release.take().or(release);
        }
        if reopened.is_some() || (issue.status == Status::Resolved && issue.condition.is_none()) {
            issue.regressed |= issue.status == Status::Resolved;
            (issue.status, issue.condition, issue.resolved_at) = (Status::Unresolved, None, None);
        }
        issue.updated_at = Timestamp::now();
        *self.hours.entry(at.hour()).or_default() += times;
        for (key, value) in occurrence.dimensions() {
            *self.tags.entry(as_tallied(key)).or_default().entry(as_tallied(value)).or_default() += times;
        }
        self.users.extend(occurrence.user_hash());
        if keep {
            let stored = StoredEvent {
                id: occurrence.id(),
                row,
                issue: self.issue.id,
                issue_uuid: self.issue.uuid,
                project: self.issue.project,
                pinned: false,
                event: occurrence.event(),
            };
            let kept = Kept { stored, user: occurrence.user_hash() };
            let place = self.events.partition_point(|other| other.place() < kept.place());
            self.events.insert(place, kept);
        }
        self.settle();
    }
}

/// A tag's name or value as it is tallied and asked for.
pub(crate) fn as_tallied(text: &str) -> String {
    text.chars().take(200).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect()
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
