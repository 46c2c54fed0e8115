//! What notifications say of an issue beside what was decided: the frames of its newest event. Each issue is looked up once.

use crate::{
    Issue, IssueRef, StoreError,
    notify::{IssueFacts, OutboxEntry},
    store::Store,
};
use std::collections::{HashMap, hash_map::Entry};
use uuid::Uuid;

/// Frames that are told of an issue.
const FRAMES: usize = 5;

/// The issues that notifications are about.
pub(super) struct Told<'a> {
    store: &'a dyn Store,
    /// `None` for those that are gone.
    issues: HashMap<Uuid, Option<Issue>>,
    frames: HashMap<Uuid, Vec<String>>,
}

impl<'a> Told<'a> {
    /// Begins with the issues that are known already.
    pub(super) fn new(store: &'a dyn Store, known: impl Iterator<Item = Issue>) -> Self {
        Self { store, issues: known.map(|issue| (issue.uuid, Some(issue))).collect(), frames: HashMap::new() }
    }

    /// The issue that an entry is about; `None` if it is about none, or about one that is gone.
    pub(super) async fn issue(&mut self, entry: &OutboxEntry) -> Result<Option<&Issue>, StoreError> {
        let facts = entry.notification.issue.as_ref();
        let Some(id) = facts.and_then(|facts| facts.id.parse::<Uuid>().ok()) else { return Ok(None) };
        let issue = match self.issues.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.store.issue(&IssueRef::Uuid(id)).await?),
        };
        Ok(issue.as_ref())
    }

    /// Puts the first frames of the program itself to what is told of an issue.
    pub(super) async fn add_frames(&mut self, entry: &mut OutboxEntry) -> Result<(), StoreError> {
        let store = self.store;
        let Some(issue) = self.issue(entry).await? else { return Ok(()) };
        let (uuid, project, last) = (issue.uuid, issue.project, issue.last_event.uuid());
        let frames = match self.frames.entry(uuid) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let stored = store.event(Some(&[project]), last).await?;
                let told = stored.map(|stored| IssueFacts::default().with_frames(&stored.event, FRAMES));
                place.insert(told.unwrap_or_default().frames)
            }
        };
        if let Some(facts) = &mut entry.notification.issue {
            facts.frames.clone_from(frames);
        }
        Ok(())
    }
}
