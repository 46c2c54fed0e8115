//! The one who listens to the store, for all clients of the process.

use super::ring::{Entry, Kind, Ring};
use crate::{
    api::live::{Counters, IssueChanged},
    app::{App, WeakApp},
};
use errtrack_core::{
    Balance, IssueId, IssueRef, ProjectId, Status,
    store::{Change, Changes, IssueEvent},
};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

/// How long what happens is noted after the last client went: it may come back.
const LINGER: Duration = Duration::from_secs(120);
/// Between two looks at the counters.
const TICK: Duration = Duration::from_secs(5);
/// Issues that are read in one go, and the rest after it: a storm of new issues must not become one of questions.
const TOGETHER: usize = 50;
const REST: Duration = Duration::from_millis(250);
/// How long the store may take to say what an issue is.
const PATIENCE: Duration = Duration::from_secs(2);

/// What happens, for all clients of the process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Moves with everything that somebody may wait for.
    moved: watch::Sender<u64>,
    most: usize,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) ring: Ring,
    /// Which life of the ring this is; `None` while nobody listens to the store.
    pub(super) life: Option<u64>,
    /// The counters of each project, and when they last moved.
    pub(super) counters: HashMap<ProjectId, (u64, Balance)>,
    /// Counts changes of the counters.
    pub(super) counted: u64,
    /// Counts what may have closed the door to somebody.
    pub(super) doors: u64,
    clients: usize,
    left: Option<Instant>,
}

/// A place among the clients, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Live);

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.clients = state.clients.saturating_sub(1);
        state.left = Some(Instant::now());
    }
}

/// Ends a life of the ring, however the task ends.
struct Ending(Live);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.state().end();
        self.0.wake();
    }
}

impl State {
    fn end(&mut self) {
        self.life = None;
        self.ring = Ring::default();
        self.counters.clear();
    }
}

impl Live {
    /// With room for so many clients.
    pub(crate) fn new(most: usize) -> Self {
        let moved = watch::Sender::new(0);
        Self(Arc::new(Shared { state: Mutex::default(), moved, most }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.0.moved.subscribe()
    }

    fn wake(&self) {
        self.0.moved.send_modify(|moved| *moved = moved.wrapping_add(1));
    }

    /// Takes a place, if one is free.
    pub(super) fn enter(&self) -> Option<Place> {
        let mut state = self.state();
        if state.clients >= self.0.most {
            return None;
        }
        state.clients += 1;
        Some(Place(self.clone()))
    }

    /// Sees to it that somebody listens to the store.
    pub(super) fn listen(&self, app: &App) {
        let mut state = self.state();
        if state.life.is_some() {
            return;
        }
        state.end();
        // Half of a random number is random enough to tell lives and processes apart.
        state.life = Some(Uuid::new_v4().as_u64_pair().0);
        drop(state);
        let (ending, app, changes) = (Ending(self.clone()), app.downgrade(), app.store().changes());
        tokio::spawn(async move {
            let ending = ending;
            ending.0.run(&app, changes).await;
        });
    }

    /// Notes what happens, until nobody wants to know any more or the router is gone.
    async fn run(&self, app: &WeakApp, mut changes: Changes) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                change = changes.next() => {
                    let Some(change) = change else { return };
                    let Some(app) = app.upgrade() else { return };
                    if self.note(&app, change, &mut changes).await {
                        drop(app);
                        tokio::time::sleep(REST).await;
                    }
                }
                _ = tick.tick() => {
                    let Some(app) = app.upgrade() else { return };
                    if self.is_forgotten() {
                        return;
                    }
                    self.count(&app).await;
                }
            }
        }
    }

    /// Whether the last client went long ago; then the life is over at once, as one may come just now.
    fn is_forgotten(&self) -> bool {
        let mut state = self.state();
        let forgotten = state.clients == 0 && state.left.is_some_and(|left| left.elapsed() > LINGER);
        if forgotten {
            state.end();
        }
        forgotten
    }

    /// Notes a change and what has happened besides. Answers whether there was much of it.
    async fn note(&self, app: &App, first: Change, changes: &mut Changes) -> bool {
        let mut issues: Vec<(ProjectId, IssueId, IssueEvent)> = Vec::new();
        let (mut missed, mut doors) = (false, false);
        let mut next = Some(first);
        while let Some(change) = next {
            match change {
                Change::Issue { project, issue, event } if issues.len() < TOGETHER => {
                    if !issues.contains(&(project, issue, event)) {
                        issues.push((project, issue, event));
                    }
                }
                Change::Issue { .. } => missed = true,
                Change::Projects | Change::Accounts => doors = true,
                Change::Missed => (missed, doors) = (true, true),
                Change::Settings => {}
            }
            next = changes.try_next();
        }
        let mut entries = Vec::with_capacity(issues.len());
        for (project, issue, event) in &issues {
            match timeout(PATIENCE, entry(app, *project, *issue, *event)).await {
                Ok(Some(entry)) => entries.extend(entry),
                _ => missed = true,
            }
        }
        let mut state = self.state();
        entries.into_iter().for_each(|entry| state.ring.push(entry));
        if missed {
            state.ring.push(Entry::missed());
        }
        if doors {
            state.doors += 1;
        }
        drop(state);
        self.wake();
        issues.len() == TOGETHER
    }

    /// Looks at the counters, while somebody wants to know.
    async fn count(&self, app: &App) {
        if self.state().clients == 0 {
            return;
        }
        // While the database is away they stand still.
        let Ok(Ok(balances)) = timeout(PATIENCE, app.tracker().balances()).await else { return };
        let mut state = self.state();
        let before = state.counted;
        for (project, balance) in balances {
            if state.counters.get(&project).is_none_or(|(_, known)| *known != balance) {
                state.counted += 1;
                let moved = (state.counted, balance);
                state.counters.insert(project, moved);
            }
        }
        let moved = state.counted > before;
        drop(state);
        if moved {
            self.wake();
        }
    }
}

/// What is told of a change; `None` if it cannot be known, an inner `None` if there is nothing to tell.
async fn entry(app: &App, project: ProjectId, issue: IssueId, event: IssueEvent) -> Option<Option<Entry>> {
    let found = match event {
        IssueEvent::Deleted => None,
        // That it is gone meanwhile is told next.
        _ => match app.store().issue(&IssueRef::Id(issue)).await.ok()? {
            Some(found) => Some(found),
            None => return Some(None),
        },
    };
    let kind = match (event, &found) {
        (IssueEvent::New, _) => Kind::New,
        (IssueEvent::Regressed, _) => Kind::Regressed,
        (IssueEvent::Edited, Some(found)) if found.status == Status::Resolved => Kind::Resolved,
        (IssueEvent::Edited, _) => Kind::Edited,
        (IssueEvent::Deleted, _) => Kind::Deleted,
    };
    let data = json(&IssueChanged::new(project, issue, found.as_ref()));
    Some(Some(Entry { project: Some(project), kind, data }))
}

/// The counters of a project, as they are told.
pub(super) fn counters(project: ProjectId, balance: Balance) -> Arc<str> {
    json(&Counters::new(project, balance))
}

fn json(value: &impl Serialize) -> Arc<str> {
    serde_json::to_string(value).unwrap_or_default().into()
}
