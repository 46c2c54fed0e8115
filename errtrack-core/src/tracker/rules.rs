//! Rules that people edit: kept in the store, read by every process, and at hand for each event.

use super::{Engine, Tracker};
use crate::{
    Event, Formula, Occurrence, ProjectId, Rules, StoreError,
    rules::preview::{DryRun, EVENTS, ISSUES, Preview},
    store::{Change, IssueQuery},
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::{task::yield_now, time::timeout};

/// The setting that holds the rules.
const RULES: &str = "rules";
/// How long they are believed while the store tells of no change: a file has no way to tell other processes.
const FRESH: Duration = Duration::from_secs(5);
/// How long the start waits for them. The store has just answered.
const FIRST: Duration = Duration::from_secs(2);
/// How long a dry run looks.
const LOOKS: Duration = Duration::from_secs(10);

/// The rules in the code, and those of projects as they were last read.
#[derive(Debug, Default)]
pub(crate) struct RulesAtHand {
    pub(super) own: Rules,
    known: RwLock<HashMap<ProjectId, Rules>>,
    /// One reads at a time, so that what was read first does not replace what was read later.
    reading: tokio::sync::Mutex<()>,
    /// One dry run at a time.
    trying: tokio::sync::Mutex<()>,
}

impl RulesAtHand {
    pub(super) fn new(own: Rules) -> Self {
        Self { own, ..Self::default() }
    }

    fn of(&self, project: ProjectId) -> Rules {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&project).cloned().unwrap_or_default()
    }
}

/// Keeps the rules at hand. While the database is away, the last ones hold.
pub(super) async fn follow(engine: Arc<Engine>) {
    let mut changes = engine.store.changes();
    loop {
        // An error is told by everything else that the store is asked for.
        let _ = engine.read_rules().await;
        let _ = engine.read_sanitizers().await;
        let _ = engine.read_ownership().await;
        let _ = engine.read_watches().await;
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
    /// Makes an occurrence of an event; `None` if a rule says that nobody wants it.
    pub(super) fn prepare(&self, project: ProjectId, event: Event, formula: Formula) -> Option<Occurrence> {
        let rules = self.rules.of(project);
        let preparer = self.preparers.of(project);
        preparer.as_deref().unwrap_or(&self.preparer).prepare_by(
            self.rules.own.followed_by(&rules),
            project,
            event,
            formula,
        )
    }

    /// Reads the rules before the first event comes.
    pub(super) async fn read_first_rules(&self) {
        let _ = timeout(FIRST, async {
            let _ = self.read_rules().await;
            let _ = self.read_sanitizers().await;
            let _ = self.read_ownership().await;
            let _ = self.read_watches().await;
        })
        .await;
    }

    async fn read_rules(&self) -> Result<(), StoreError> {
        let _turn = self.rules.reading.lock().await;
        let read = self.store.settings(RULES).await?;
        // What cannot be read was written by a later version; it says nothing here.
        let rules = read.into_iter().filter_map(|(id, json)| Some((id, Rules::from_json(&json).ok()?)));
        let rules = rules.filter(|(_, rules)| !rules.is_empty()).collect();
        *self.rules.known.write().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(())
    }
}

impl Tracker {
    /// The rules that people have set for a project. They hold for the events of every process, captured and reported, after
    /// those of the [builder](crate::TrackerBuilder::rules).
    ///
    /// # Errors
    /// The store cannot be read, or was written by a later version.
    pub async fn rules(&self, project: ProjectId) -> Result<Rules, StoreError> {
        let all = self.store().settings(RULES).await?;
        let json = all.into_iter().find(|(id, _)| *id == project).map(|(_, json)| json);
        let read = json.map_or(Ok(Rules::default()), |json| Rules::from_json(&json));
        read.map_err(|error| StoreError::corrupt(error.to_string()))
    }

    /// Replaces them; `false` if there is no such project. They hold in this process when it returns, in others as soon as
    /// these hear of it. Events that are stored stay where they are.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set_rules(&self, project: ProjectId, rules: &Rules) -> Result<bool, StoreError> {
        let json = rules.to_json().to_string();
        let value = (!rules.is_empty()).then_some(json.as_str());
        let is_set = self.store().put_setting(project, RULES, value).await?;
        self.shared.engine.read_rules().await?;
        Ok(is_set)
    }

    /// What rules would do to stored events: to the 10 newest of each of the 100 issues that were seen last, or as many of
    /// them as can be looked at in 10 seconds. Writes nothing. Takes a
    /// query per issue; one goes after the other.
    ///
    /// # Errors
    /// The store fails.
    pub async fn preview_rules(&self, project: ProjectId, rules: &Rules) -> Result<Preview, StoreError> {
        let _turn = self.shared.engine.rules.trying.lock().await;
        let start = Instant::now();
        let store = self.store();
        let mut run = DryRun::new(self.shared.engine.rules.own.clone(), rules.clone());
        let query = IssueQuery { projects: Some(vec![project]), limit: ISSUES, ..IssueQuery::default() };
        let page = store.issues(&query).await?;
        let mut is_cut = page.next.is_some();
        'issues: for issue in page.issues {
            let events = store.events(issue.id, None, EVENTS).await?;
            is_cut |= events.next.is_some();
            run.issue(issue);
            for stored in &events.events {
                if start.elapsed() > LOOKS {
                    is_cut = true;
                    break 'issues;
                }
                run.event(stored);
                // Whoever runs beside this on the host's thread must not wait for a slow expression.
                yield_now().await;
            }
        }
        Ok(run.finish(is_cut))
    }
}
