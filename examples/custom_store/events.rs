//! Reading, pinning and erasing events.

use crate::{
    data::{Kept, is_among},
    issues::size,
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    IssueId, ProjectId, StoreError, Timestamp,
    store::{Cursor, EventPage, EventPosition, EventStore, StoredEvent},
    user_hash,
};
use uuid::Uuid;

#[async_trait]
impl EventStore for MemoryStore {
    async fn event(&self, projects: Option<&[ProjectId]>, id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        let data = self.lock()?;
        let has_id = |stored: &StoredEvent| stored.id == id || stored.event.event_id.uuid() == id;
        let found = data.event(|stored| is_among(stored.project, projects) && has_id(stored)).cloned();
        Ok(found.map(|stored| data.named(stored)))
    }

    async fn events(&self, issue: IssueId, cursor: Option<&Cursor>, limit: u32) -> Result<EventPage, StoreError> {
        let data = self.lock()?;
        let kept = data.issue(issue).map(|entry| entry.events).unwrap_or_default();
        let before = |cursor: &Cursor| (Timestamp::from_micros(cursor.key), cursor.id);
        let mut kept = kept.iter().rev().filter(|kept| cursor.is_none_or(|cursor| kept.place() < before(cursor)));
        let page: Vec<&Kept> = kept.by_ref().take(size(limit)).collect();
        let last = page.last().filter(|_| kept.next().is_some()).map(|last| last.place());
        let next = last.map(|(time, row)| Cursor { key: time.as_micros(), id: row });
        Ok(EventPage { events: page.into_iter().map(|kept| kept.stored.clone()).collect(), next })
    }

    async fn position(&self, event: &StoredEvent) -> Result<EventPosition, StoreError> {
        let data = self.lock()?;
        let events = data.issue(event.issue).map(|entry| entry.events).unwrap_or_default();
        let place = events.partition_point(|kept| kept.place() < (event.event.timestamp, event.row));
        let id = |kept: Option<&Kept>| kept.map(|kept| kept.stored.id);
        Ok(EventPosition {
            index: i64::try_from(place + 1).unwrap_or(i64::MAX),
            total: i64::try_from(events.len()).unwrap_or(i64::MAX),
            first: id(events.first()),
            previous: id(place.checked_sub(1).and_then(|before| events.get(before))),
            next: id(events.get(place + 1)),
            last: id(events.last()),
        })
    }

    async fn pin(&self, event: &StoredEvent, pinned: bool) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let events = data.groups.values_mut().flat_map(|entry| &mut entry.events);
        let found = events.map(|kept| &mut kept.stored).find(|stored| stored.id == event.id);
        Ok(found.map(|stored| stored.pinned = pinned).is_some())
    }

    async fn user_events(
        &self,
        projects: Option<&[ProjectId]>,
        user: &str,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let data = self.lock()?;
        let after = cursor.map_or(0, |cursor| cursor.id);
        let user = Some(user_hash(user));
        let kept = data.groups.values().filter(|entry| is_among(entry.issue.project, projects)).flat_map(|e| &e.events);
        let mut theirs: Vec<&Kept> = kept.filter(|kept| kept.user == user && kept.stored.row > after).collect();
        theirs.sort_by_key(|kept| kept.stored.row);
        let more = theirs.len() > size(limit);
        theirs.truncate(size(limit));
        let next = theirs.last().filter(|_| more).map(|last| Cursor { key: 0, id: last.stored.row });
        Ok(EventPage { events: theirs.into_iter().map(|kept| data.named(kept.stored.clone())).collect(), next })
    }

    async fn erase_user(&self, projects: Option<&[ProjectId]>, user: &str) -> Result<u64, StoreError> {
        let mut data = self.lock()?;
        let user = user_hash(user);
        let mut erased = 0;
        let mut hit = Vec::new();
        for entry in data.groups_of(projects) {
            if entry.users.remove(&user) {
                hit.push((entry.issue.id, entry.issue.uuid, entry.issue.short_id()));
            }
            erased += entry.let_go(|kept| kept.user == Some(user));
        }
        data.forget(&hit, false);
        data.set_aside.retain(|aside| aside.user != Some(user) || !is_among(aside.event.project, projects));
        Ok(erased)
    }
}
