//! Retention: what is too old or too much goes, in steps so small that no writer waits long.

#[cfg(feature = "postgres")]
mod days;
mod preview;

#[cfg(feature = "postgres")]
use crate::pool::Backend;
use crate::{
    SqlStore,
    delete::STEP,
    pool::{Dialect, reading, writing},
    sql::{node, retain as sql},
    trim::Pins,
};
use errtrack_core::{
    IssueId, StoreError, Timestamp,
    store::{ProjectRetention, Retention, RetentionReport, SettingStore},
};
use std::time::{Duration, Instant};
use uuid::Uuid;

const DAY: i64 = 86_400_000_000;
/// Rows that are looked up at once.
const CHUNK: i64 = 10 * STEP;
/// How long the mark of a writer stays after its last batch.
const WRITER_AGE: Duration = Duration::from_secs(7 * 86_400);
/// Under this name stands the last report.
const LAST: &str = "retention";
const WHAT: &str = "cannot let go of what is old";
const READ: &str = "cannot read what is kept";

/// What is older than this goes: events by arrival, resolved issues by when they were last seen. The beginning of a day.
fn oldest(now: Timestamp, age: Duration) -> Timestamp {
    let micros = now.minus(age).as_micros();
    Timestamp::from_micros(micros - micros % DAY)
}

/// Ids of events that arrived before that time are below this.
fn first_id(at: Timestamp) -> Vec<u8> {
    let millis = u64::try_from(at.as_micros() / 1000).unwrap_or_default();
    Uuid::from_u128(u128::from(millis) << 80).as_bytes().to_vec()
}

impl SqlStore {
    pub(crate) async fn run_retention(&self, rules: &Retention) -> Result<RetentionReport, StoreError> {
        let _turn = self.upkeep.lock().await;
        let (at, start) = (Timestamp::now(), Instant::now());
        let mut report = RetentionReport { at, ..RetentionReport::default() };
        self.backend.make_days_ahead().await?;
        self.step(sql::DELETE_TOKENS, &[at.as_micros()]).await?;
        self.step(node::DELETE_WRITERS, &[at.minus(WRITER_AGE).as_micros()]).await?;
        self.sweep().await?;
        self.drop_old_alerts(at).await?;
        let disk = self.events_to_free(rules.free_disk).await?;
        let mut with_issues = 0;
        let projects = self.rules_of_projects(rules).await?;
        for (project, rules) in &projects {
            if let Some(age) = rules.age {
                let (issues, events) = self.drop_stale(*project, oldest(at, age)).await?;
                report.issues += issues;
                with_issues += events;
            }
        }
        #[cfg(feature = "postgres")]
        if let (Some(age), Backend::Postgres(open)) = (rules.age, &self.backend) {
            report.old_events += self.drop_days(open, oldest(at, age)).await?;
        }
        for (project, rules) in &projects {
            if let Some(age) = rules.age {
                report.old_events += self.drop_old_of(*project, oldest(at, age)).await?;
            }
        }
        report.surplus_events = self.trim(rules.events_per_issue).await?;
        for (project, rules) in &projects {
            if let Some(quota) = rules.events_per_project {
                let excess = self.stored(*project).await?.saturating_sub(i64::try_from(quota).unwrap_or(i64::MAX));
                report.quota_events += self.drop_oldest(*project, excess).await?;
            }
        }
        let excess = disk.saturating_sub(with_issues + report.events());
        report.disk_events = self.drop_oldest_of_all(excess).await?;
        if report.issues + report.events() > 0 {
            self.shrink().await?;
        }
        report.took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.put_meta(LAST, serde_json::to_string(&report).unwrap_or_default()).await?;
        Ok(report)
    }

    pub(crate) async fn read_last_retention(&self) -> Result<Option<RetentionReport>, StoreError> {
        let value: Option<String> = reading!(self, READ, |connection| {
            sqlx::query_scalar(Db::text(node::META)).bind(LAST).fetch_optional(connection).await
        })?;
        Ok(value.and_then(|value| serde_json::from_str(&value).ok()))
    }

    /// Deletes resolved issues; answers how many, and how many events they kept.
    async fn drop_stale(&self, project: i64, oldest: Timestamp) -> Result<(u64, u64), StoreError> {
        let (mut issues, mut events) = (0, 0);
        loop {
            let stale: Vec<(i64, i64)> = reading!(self, WHAT, |connection| {
                let query = sqlx::query_as(Db::text(sql::STALE)).bind(oldest.as_micros()).bind(project);
                query.fetch_all(connection).await
            })?;
            if stale.is_empty() {
                return Ok((issues, events));
            }
            events += stale.iter().map(|(_, stored)| u64::try_from(*stored).unwrap_or_default()).sum::<u64>();
            issues += self.delete(&stale.iter().map(|(issue, _)| IssueId(*issue)).collect::<Vec<_>>()).await?;
        }
    }

    /// Lets go of events of a project that arrived before that time.
    async fn drop_old_of(&self, project: i64, oldest: Timestamp) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let rows: Vec<i64> = reading!(self, WHAT, |connection| {
                let query = sqlx::query_scalar(Db::text(sql::OLD)).bind(project).bind(first_id(oldest)).bind(CHUNK);
                query.fetch_all(connection).await
            })?;
            if rows.is_empty() {
                return Ok(dropped);
            }
            dropped += self.drop_events(&rows, Pins::Go).await?;
        }
    }

    async fn drop_oldest(&self, project: i64, excess: i64) -> Result<u64, StoreError> {
        let (mut dropped, mut left) = (0, excess);
        while left > 0 {
            let rows: Vec<i64> = reading!(self, WHAT, |connection| {
                let query = sqlx::query_scalar(Db::text(sql::OLDEST)).bind(project).bind(left.min(CHUNK));
                query.fetch_all(connection).await
            })?;
            let gone = self.drop_events(&rows, Pins::Stay).await?;
            if gone == 0 {
                break;
            }
            dropped += gone;
            left = left.saturating_sub_unsigned(gone);
        }
        Ok(dropped)
    }

    async fn drop_oldest_of_all(&self, excess: u64) -> Result<u64, StoreError> {
        let mut dropped = 0;
        while dropped < excess {
            let most = i64::try_from(excess - dropped).unwrap_or(i64::MAX).min(CHUNK);
            let rows: Vec<i64> = reading!(self, WHAT, |connection| {
                sqlx::query_scalar(Db::text(sql::OLDEST_OF_ALL)).bind(most).fetch_all(connection).await
            })?;
            let gone = self.drop_events(&rows, Pins::Stay).await?;
            if gone == 0 {
                break;
            }
            dropped += gone;
        }
        Ok(dropped)
    }

    /// The rules that hold for each project.
    async fn rules_of_projects(&self, rules: &Retention) -> Result<Vec<(i64, Retention)>, StoreError> {
        let projects: Vec<i64> =
            reading!(self, READ, |connection| sqlx::query_scalar(Db::text(sql::PROJECTS)).fetch_all(connection).await)?;
        let set = self.settings(ProjectRetention::SETTING).await?;
        let own = |project: i64| {
            let json = set.iter().find(|(id, _)| id.0 == project).map(|(_, json)| json.as_str());
            json.map(ProjectRetention::from_json).unwrap_or_default().within(rules)
        };
        Ok(projects.into_iter().map(|project| (project, own(project))).collect())
    }

    /// How many events a project keeps.
    async fn stored(&self, project: i64) -> Result<i64, StoreError> {
        reading!(self, READ, |connection| sqlx::query_scalar(Db::text(sql::STORED))
            .bind(project)
            .fetch_one(connection)
            .await)
    }

    async fn put_meta(&self, name: &'static str, value: String) -> Result<(), StoreError> {
        writing!(self, WHAT, |connection| {
            let query = sqlx::query(Db::text(node::PUT_META)).bind(name).bind(value.clone());
            query.execute(connection).await.map(drop)
        })
    }
}
