//! Rules that people edit: kept in the store, read by every process, and at hand for each event.

use super::{Engine, Tracker};
use crate::{Event, IgnoreRules, InvalidRules, ProjectId, StoreError, store::Change};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::timeout;

/// The setting that holds the rules.
const IGNORE: &str = "ignore";
/// How long they are believed while the store tells of no change: a file has no way to tell other processes.
const FRESH: Duration = Duration::from_secs(5);
/// How long the start waits for them. The store has just answered.
const FIRST: Duration = Duration::from_secs(2);

/// The rules as they were last read.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    known: RwLock<HashMap<ProjectId, Arc<IgnoreRules>>>,
    /// One reads at a time, so that what was read first does not replace what was read later.
    reading: tokio::sync::Mutex<()>,
}

impl Rules {
    /// Whether a rule of its project says that an event is to be ignored.
    pub(super) fn ignore(&self, project: ProjectId, event: &Event) -> bool {
        let rules = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&project).cloned();
        rules.is_some_and(|rules| rules.ignore(event))
    }
}

/// Keeps the rules at hand. While the database is away, the last ones hold.
pub(super) async fn follow(engine: Arc<Engine>) {
    let mut changes = engine.store.changes();
    loop {
        // An error is told by everything else that the store is asked for.
        let _ = engine.read_rules().await;
        loop {
            match timeout(FRESH, changes.next()).await {
                Ok(Some(Change::Settings | Change::Projects | Change::Missed)) | Err(_) => break,
                Ok(Some(_)) => {}
                Ok(None) => return,
            }
        }
    }
}

impl Engine {
    /// Reads the rules before the first event comes.
    pub(super) async fn read_first_rules(&self) {
        let _ = timeout(FIRST, self.read_rules()).await;
    }

    async fn read_rules(&self) -> Result<(), StoreError> {
        let _turn = self.rules.reading.lock().await;
        let read = self.store.settings(IGNORE).await?;
        // What cannot be read was written by a later version; it says nothing here.
        let rules = read.into_iter().filter_map(|(id, json)| Some((id, Arc::new(IgnoreRules::from_json(&json).ok()?))));
        let rules = rules.filter(|(_, rules)| !rules.is_empty()).collect();
        *self.rules.known.write().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(())
    }
}

impl Tracker {
    /// The rules of a project by which its events are ignored, those of every process and those that are reported.
    ///
    /// # Errors
    /// The store cannot be read, or was written by a later version.
    pub async fn ignore_rules(&self, project: ProjectId) -> Result<IgnoreRules, StoreError> {
        let all = self.store().settings(IGNORE).await?;
        let json = all.into_iter().find(|(id, _)| *id == project).map(|(_, json)| json);
        let read = json.map_or(Ok(IgnoreRules::default()), |json| IgnoreRules::from_json(&json));
        read.map_err(|error: InvalidRules| StoreError::corrupt(error.to_string()))
    }

    /// Replaces them; `false` if there is no such project. They hold in this process when it returns, in others as soon as
    /// these hear of it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set_ignore_rules(&self, project: ProjectId, rules: &IgnoreRules) -> Result<bool, StoreError> {
        let json = rules.to_json();
        let value = (!rules.is_empty()).then_some(json.as_str());
        let is_set = self.store().put_setting(project, IGNORE, value).await?;
        self.shared.engine.read_rules().await?;
        Ok(is_set)
    }
}
