//! What notifications say of an issue beside what was decided: the frames of its newest event. Each issue is looked up once.

use crate::{Frame, Issue, IssueRef, StoreError, notify::OutboxEntry, store::Store};
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
                place.insert(stored.map(|stored| frames(&stored.event)).unwrap_or_default())
            }
        };
        if let Some(facts) = &mut entry.notification.issue {
            facts.frames.clone_from(frames);
        }
        Ok(())
    }
}

/// The first frames of the program itself, or of whatever there are; the one that crashed first.
fn frames(event: &crate::Event) -> Vec<String> {
    let stacks = event.exceptions.iter().rev().filter_map(|exception| exception.stacktrace.as_ref());
    let own = stacks.clone().find(|stack| stack.frames.iter().any(is_own));
    let Some(stack) = own.or(stacks.clone().next()) else { return Vec::new() };
    // The crash stands last.
    let own: Vec<&Frame> = stack.frames.iter().rev().filter(|frame| is_own(frame)).collect();
    let frames = if own.is_empty() { stack.frames.iter().rev().collect() } else { own };
    frames.into_iter().take(FRAMES).map(line).collect()
}

fn is_own(frame: &Frame) -> bool {
    frame.in_app == Some(true)
}

/// A frame in one line: `shop::pay (src/pay.rs:17)`.
fn line(frame: &Frame) -> String {
    let function = frame.function.as_deref().or(frame.module.as_deref()).unwrap_or("?");
    let place = frame.filename.as_deref().map(|file| match frame.lineno {
        Some(number) => format!(" ({file}:{number})"),
        None => format!(" ({file})"),
    });
    format!("{function}{}", place.unwrap_or_default())
}
