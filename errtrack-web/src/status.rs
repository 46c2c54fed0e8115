//! The state of the tracker and its store, as `/metrics`, the API and the system page show it.
//!
//! Whatever the database is asked has little time: while it is away, this process answers for itself alone.

mod sizes;
mod totals;

pub(crate) use sizes::{Measure, Sizes};
pub(crate) use totals::Totals;

use crate::app::App;
use errtrack_core::{
    Balance, Project, ProjectId, SpoolStatus, StoreError, Timestamp,
    store::{Retention, RetentionReport},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;

/// How long one question to the database may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known now.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) now: Timestamp,
    /// When this process began to answer.
    pub(crate) started: Timestamp,
    /// This process, among those that share the database.
    pub(crate) node: Uuid,
    /// Every project with its balance, by number.
    pub(crate) projects: Vec<Account>,
    pub(crate) total: Balance,
    /// Whether the balances are those of all processes as of now; else what others did since the database went away is
    /// missing.
    pub(crate) is_complete: bool,
    /// Events of this process that wait to be prepared or written.
    pub(crate) queue: usize,
    /// A report that came now could be made durable, here or in the database.
    pub(crate) takes_reports: bool,
    pub(crate) spool: Option<SpoolStatus>,
    /// The database does not answer, or did not when something was last written.
    pub(crate) is_away: bool,
    pub(crate) ping: Option<Duration>,
    /// Whether the Redis server that processes share does not answer; `None` where there is none.
    pub(crate) is_redis_away: Option<bool>,
    pub(crate) storage: Option<Measure>,
    pub(crate) rules: Retention,
    pub(crate) last_retention: Option<RetentionReport>,
    /// What last went wrong inside the tracker. It may name files, hosts and rows: for admins alone.
    pub(crate) trouble: Option<(Timestamp, String)>,
}

/// What became of the events of a project.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) project: ProjectId,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) balance: Balance,
}

impl Status {
    /// Leaves out every other project, also in the sum.
    pub(crate) fn keep(&mut self, sees: impl Fn(ProjectId) -> bool) {
        self.projects.retain(|account| sees(account.project));
        self.total = Balance::default();
        for account in &self.projects {
            self.total += account.balance;
        }
    }

    /// Looks at everything, whoever asks.
    pub(crate) async fn of(app: &App) -> Self {
        let tracker = app.tracker();
        let ping = ask(app.store().ping()).await;
        let answers = ping.is_some();
        let balances = if answers { ask(tracker.balances()).await } else { None };
        let last_retention = if answers { ask(app.store().last_retention()).await.flatten() } else { None };
        let storage = if answers { app.sizes().get(app).await } else { app.sizes().last() };
        let projects = if answers { ask(app.all_projects()).await } else { None };
        let projects = projects.unwrap_or_else(|| app.known_projects());
        let is_complete = balances.is_some();
        let balances = app.totals().brought_up_to_date(balances, &projects, |project| tracker.balance_of(project));
        let mut total = Balance::default();
        for balance in balances.values() {
            total += *balance;
        }
        Self {
            now: Timestamp::now(),
            started: app.started(),
            node: tracker.node(),
            projects: accounts(&projects, balances),
            total,
            is_complete,
            queue: tracker.queue_depth(),
            takes_reports: tracker.has_room(),
            spool: tracker.spool(),
            is_away: !answers || tracker.is_store_away(),
            ping,
            is_redis_away: app.shared().is_away(),
            storage,
            rules: *tracker.retention(),
            last_retention,
            trouble: tracker.trouble(),
        }
    }
}

/// What the database says, if it does so in time.
async fn ask<T>(question: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    match timeout(PATIENCE, question).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) if !error.is_unavailable() => {
            crate::error::Error::from(error).log();
            None
        }
        // The tracker says so in the log, once; whoever asks every few seconds must not.
        Ok(Err(_)) | Err(_) => None,
    }
}

/// Every project with its balance; also one that was deleted meanwhile, by its number.
fn accounts(projects: &[Project], balances: BTreeMap<ProjectId, Balance>) -> Vec<Account> {
    let mut accounts: BTreeMap<ProjectId, Account> = projects
        .iter()
        .map(|p| {
            let account =
                Account { project: p.id, slug: p.slug.clone(), name: p.name.clone(), balance: Balance::default() };
            (p.id, account)
        })
        .collect();
    for (project, balance) in balances {
        let unknown = || Account { project, slug: project.to_string(), name: String::new(), balance };
        accounts.entry(project).or_insert_with(unknown).balance = balance;
    }
    accounts.into_values().collect()
}
