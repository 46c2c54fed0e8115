//! Quotas: how many events a project may have in a month of UTC.
//!
//! How many it has had is read from the rollups, which every batch of every process adds to, and which this process then
//! counts on from for [`FRESH`]. So a report costs no question but one in five seconds, one process alone never goes beyond, and
//! several do by what the others take within that time. What waits in a spool is not in the rollups yet.

use crate::{
    access::{Caller, Deed},
    app::{App, Kept},
    error::Error,
    figures::{day, month, months_later},
};
use errtrack_core::{
    Project, ProjectId, Timestamp,
    store::{Change, Changes, FigureScope, RollupWidth},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex as StdMutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, time::timeout};
use utoipa::ToSchema;

/// The name of the setting.
const SETTING: &str = "quota";
/// For how long is counted on from what was read.
const FRESH: Duration = Duration::from_secs(5);
/// How long reading may take: a report does not wait for a database that is slow.
const PATIENCE: Duration = Duration::from_millis(500);
/// What a client is told to wait at most: a quota may be raised before the month ends.
const LONGEST_WAIT: u64 = 3_600;

/// How many events a project may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Quota {
    /// In each month of UTC; `null` for as many as come.
    #[schema(minimum = 1)]
    pub(crate) events_per_month: Option<u64>,
}

/// The quotas of all projects, and what was used of them.
#[derive(Debug)]
pub(crate) struct Quotas {
    set: Kept<(ProjectId, u64)>,
    used: Mutex<HashMap<ProjectId, Used>>,
    /// When the database was last too slow.
    late: StdMutex<Option<Instant>>,
}

/// Events of a project in a month.
#[derive(Debug, Default)]
struct Used {
    /// The day on which the month begins.
    month: i64,
    read: Option<Instant>,
    counted: u64,
    /// Those that this process has taken since, and those that were under way then.
    since: u64,
    under_way: Arc<AtomicU64>,
}

/// Events that were taken from a quota and are under way to the database, until it is dropped.
#[derive(Debug)]
#[must_use = "what is not under way is not counted when the quota is read again"]
pub(crate) struct UnderWay {
    all: Arc<AtomicU64>,
    events: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.all.fetch_sub(self.events, Ordering::Relaxed);
    }
}

/// A month, as days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Month {
    first: i64,
}

impl Month {
    pub(crate) fn of(now: Timestamp) -> Self {
        Self { first: month(day(now.hour())) }
    }

    pub(crate) fn begins(self) -> Timestamp {
        Timestamp::from_micros(self.first * 86_400_000_000)
    }

    pub(crate) fn ends(self) -> Timestamp {
        Timestamp::from_micros(months_later(self.first, 1) * 86_400_000_000)
    }
}

impl Quota {
    /// As a form or a request says it.
    pub(crate) fn of(events_per_month: Option<i64>) -> Result<Self, Error> {
        let number = |n: i64| u64::try_from(n).ok().filter(|n| *n > 0);
        let wrong = || Error::bad_request("events_per_month: must be a number from 1");
        let events_per_month = events_per_month.map(|n| number(n).ok_or_else(wrong)).transpose()?;
        Ok(Self { events_per_month })
    }

    fn from_json(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }
}

impl Quotas {
    pub(crate) fn new(changes: Changes) -> Self {
        Self { set: Kept::new([], Change::Settings, changes), used: Mutex::default(), late: StdMutex::default() }
    }

    /// What was set for a project. While the database is away, what was set before.
    async fn most(&self, app: &App, project: ProjectId) -> Option<u64> {
        let read = async || {
            let all = app.store().settings(SETTING).await?;
            let set = |(project, json): (ProjectId, String)| Some((project, Quota::from_json(&json).events_per_month?));
            Ok(all.into_iter().filter_map(set).collect())
        };
        // One waits for a database that hangs, the others go on with what is known.
        let was_late = self.late().is_some_and(|late| late.elapsed() < FRESH);
        let set = match was_late {
            true => self.set.known(),
            false => match timeout(PATIENCE, self.set.list(read)).await {
                Ok(set) => set.unwrap_or_else(|_| self.set.known()),
                Err(_) => {
                    *self.late() = Some(Instant::now());
                    self.set.known()
                }
            },
        };
        set.iter().find(|(id, _)| *id == project).map(|(_, most)| *most)
    }

    fn late(&self) -> MutexGuard<'_, Option<Instant>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes so many events of a project from its quota, before they are read into it. What is over is counted as `limited`.
///
/// # Errors
/// 429 where nothing is left. What begins within the quota is taken whole.
pub(crate) async fn take(app: &App, project: ProjectId, events: usize) -> Result<Option<UnderWay>, Error> {
    let quotas = app.quotas();
    if events == 0 {
        return Ok(None);
    }
    let Some(most) = quotas.most(app, project).await else { return Ok(None) };
    let now = Timestamp::now();
    let month = Month::of(now);
    let mut all = quotas.used.lock().await;
    let used = all.entry(project).or_default();
    if used.month != month.first {
        *used = Used { month: month.first, under_way: used.under_way.clone(), ..Used::default() };
    }
    if used.read.is_none_or(|read| read.elapsed() >= FRESH) {
        // Before it is read: what arrives meanwhile counts twice until the next time, rather than not at all.
        let under_way = used.under_way.load(Ordering::Relaxed);
        // While the database is away, it goes on from what is known.
        if let Ok(Ok(counted)) = timeout(PATIENCE, read(app, project, now)).await {
            (used.counted, used.since) = (counted, under_way);
        }
        used.read = Some(Instant::now());
    }
    if used.counted + used.since < most {
        let events = u64::try_from(events).unwrap_or(u64::MAX / 2);
        used.since = used.since.saturating_add(events);
        used.under_way.fetch_add(events, Ordering::Relaxed);
        return Ok(Some(UnderWay { all: used.under_way.clone(), events }));
    }
    drop(all);
    for _ in 0..events {
        app.tracker().count_limited(project);
    }
    let left = month.ends().as_seconds().saturating_sub(now.as_seconds());
    Err(Error::over_quota(most, u64::try_from(left).unwrap_or_default().clamp(1, LONGEST_WAIT)))
}

/// How many events a project has had in the month of that time.
pub(crate) async fn read(app: &App, project: ProjectId, now: Timestamp) -> Result<u64, Error> {
    let scope = FigureScope { projects: Some(vec![project]), environment: None };
    let days = app.store().rollups(&scope, RollupWidth::Day, Month::of(now).begins(), now).await?;
    Ok(days.iter().map(|day| u64::try_from(day.events).unwrap_or_default()).sum())
}

/// What was set for each project.
pub(crate) async fn all(app: &App) -> Result<Vec<(ProjectId, Quota)>, Error> {
    let all = app.store().settings(SETTING).await?;
    Ok(all.into_iter().map(|(project, json)| (project, Quota::from_json(&json))).collect())
}

/// What was set for a project.
pub(crate) async fn of(app: &App, project: ProjectId) -> Result<Quota, Error> {
    let all = all(app).await?;
    Ok(all.into_iter().find(|(id, _)| *id == project).map(|(_, quota)| quota).unwrap_or_default())
}

/// Sets it.
pub(crate) async fn set(app: &App, caller: &Caller, project: &Project, quota: Quota) -> Result<(), Error> {
    let json = quota.events_per_month.and_then(|_| serde_json::to_string(&quota).ok());
    if !app.store().put_setting(project.id, SETTING, json.as_deref()).await? {
        return Err(Error::not_found("project"));
    }
    let details = json.unwrap_or_default();
    caller.did(app, Deed::new("quota.change", &project.slug).details(details).of(project.id)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_that_of_the_calendar() {
        for (now, begins, ends) in [
            ("2026-11-21T18:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2028-02-01T00:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ] {
            let month = Month::of(now.parse().unwrap());
            assert_eq!((month.begins(), month.ends()), (begins.parse().unwrap(), ends.parse().unwrap()));
        }
    }
}
