//! Alert rules, what batches tell them, and what they had to say.

use crate::{
    SqlStore,
    analytics::projects,
    delete::STEP,
    error::Doing,
    incidents,
    issues::{numbers, read_issue, read_uuid},
    outbox,
    pool::{Dialect, reading, writing},
    sql::{alert as sql, analytics},
    tag::{stored, tag_value},
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, IssueId, Level, ProjectId, StoreError, Timestamp,
    alert::{AlertRule, Firing, Signal},
    store::{AlertState, AlertStore, Change, Evaluation, FiringQuery, Tally, TallyQuery, TallyWidth},
};
use sqlx::{Connection, Error};
use std::collections::HashMap;
use uuid::Uuid;

const READ: &str = "cannot read alerts";
const WRITE: &str = "cannot write alerts";
/// The entry of the state that each evaluation raises.
const VERSION: &str = "version";
/// For how many days firings are kept.
const FIRINGS: i64 = 400;

#[async_trait]
impl AlertStore for SqlStore {
    async fn alert_rules(&self) -> Result<Vec<AlertRule>, StoreError> {
        let rules: Vec<String> =
            reading!(self, READ, |connection| sqlx::query_scalar(Db::text(sql::RULES)).fetch_all(connection).await)?;
        rules.iter().map(|json| read(json)).collect()
    }

    async fn put_alert_rule(&self, rule: &AlertRule) -> Result<bool, StoreError> {
        let data = stored(&serde_json::to_string(rule).map_err(StoreError::other)?);
        let text = if rule.project.is_some() { sql::PUT_RULE_OF } else { sql::PUT_RULE };
        let put = writing!(self, WRITE, |connection| {
            let query = sqlx::query(Db::text(text)).bind(rule.id.as_bytes().to_vec());
            let mut query = query.bind(rule.created_at.as_micros()).bind(data.clone());
            if let Some(project) = rule.project {
                query = query.bind(project.0);
            }
            query.execute(connection).await.map(|done| done.rows_affected())
        })? > 0;
        if put {
            self.announce([Change::Settings]).await;
        }
        Ok(put)
    }

    async fn delete_alert_rule(&self, id: Uuid) -> Result<bool, StoreError> {
        let deleted = writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let id = id.as_bytes().to_vec();
            let done = sqlx::query(Db::text(sql::DELETE_RULE)).bind(id.clone()).execute(&mut *tx).await?;
            sqlx::query(Db::text(sql::DELETE_FIRINGS)).bind(id).execute(&mut *tx).await?;
            tx.commit().await.map(|()| done.rows_affected())
        })? > 0;
        if deleted {
            self.announce([Change::Settings]).await;
        }
        Ok(deleted)
    }

    async fn firings(&self, query: &FiringQuery) -> Result<Vec<Firing>, StoreError> {
        let text = if query.rule.is_some() { sql::FIRINGS_OF } else { sql::FIRINGS };
        let (at, id) = query.after.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.as_micros(), id));
        let firings: Vec<String> = reading!(self, READ, |connection| {
            let select = sqlx::query_scalar(Db::text(text)).bind(at).bind(id.as_bytes().to_vec());
            let mut select = select.bind(i64::from(query.limit));
            if let Some(rule) = query.rule {
                select = select.bind(rule.as_bytes().to_vec());
            }
            select.fetch_all(connection).await
        })?;
        firings.iter().map(|json| read(json)).collect()
    }

    async fn last_firings(
        &self,
        issues: &[IssueId],
        since: Timestamp,
    ) -> Result<Vec<(Uuid, IssueId, Timestamp)>, StoreError> {
        let issues = numbers(issues.iter().map(|issue| issue.0));
        let rows: Vec<(Vec<u8>, i64, i64)> = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::LAST_FIRINGS)).bind(issues).bind(since.as_micros());
            query.fetch_all(connection).await
        })?;
        let row = |(rule, issue, at): (Vec<u8>, i64, i64)| {
            Ok((read_uuid(&rule).doing(READ)?, IssueId(issue), Timestamp::from_micros(at)))
        };
        rows.into_iter().map(row).collect()
    }

    async fn signals(&self, limit: u32) -> Result<Vec<Signal>, StoreError> {
        type Row = (i64, i64, i64, i64, i64, i64, i64, Option<String>, Option<String>);
        let (rows, issues): (Vec<Row>, Vec<Issue>) = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::SIGNALS)).bind(i64::from(limit));
            let rows: Vec<Row> = query.fetch_all(&mut *connection).await?;
            if rows.is_empty() {
                return Ok((rows, Vec::new()));
            }
            let ids = numbers(rows.iter().map(|row| row.2));
            let issues = sqlx::query::<Db>(Db::text(analytics::ISSUES)).bind(ids).fetch_all(connection).await?;
            let issues = issues.iter().map(read_issue).collect::<Result<Vec<Issue>, Error>>()?;
            Ok((rows, issues))
        })?;
        let issues: HashMap<i64, Issue> = issues.into_iter().map(|issue| (issue.id.0, issue)).collect();
        let signal = |(id, project, issue, kind, at, count, level, environment, release): Row| Signal {
            id,
            // One that a newer program knows is of no issue, and so is let go of.
            trigger: Signal::trigger(kind).unwrap_or_default(),
            at: Timestamp::from_micros(at),
            project: ProjectId(project),
            issue: issues.get(&issue).filter(|_| Signal::trigger(kind).is_some()).cloned(),
            count,
            level: Level::from_number(level),
            environment,
            release,
        };
        Ok(rows.into_iter().map(signal).collect())
    }

    async fn alert_state(&self) -> Result<AlertState, StoreError> {
        let rows: Vec<(String, String)> =
            reading!(self, READ, |connection| sqlx::query_as(Db::text(sql::STATE)).fetch_all(connection).await)?;
        let mut state = AlertState { entries: rows.into_iter().collect(), ..AlertState::default() };
        let version = state.entries.remove(VERSION).unwrap_or_default();
        state.version = version.parse().unwrap_or_default();
        Ok(state)
    }

    async fn fire(&self, evaluation: &Evaluation) -> Result<bool, StoreError> {
        let firings = evaluation.firings.iter().map(|firing| {
            let (project, issue) = (firing.project.map_or(0, |id| id.0), firing.issue.map_or(0, |id| id.0));
            let data = stored(&serde_json::to_string(firing).unwrap_or_default());
            (
                firing.id.simple().to_string(),
                firing.rule.simple().to_string(),
                project,
                issue,
                firing.at.as_micros(),
                data,
            )
        });
        let firings = serde_json::to_string(&firings.collect::<Vec<_>>()).map_err(StoreError::other)?;
        let signals = numbers(evaluation.signals.iter().copied());
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let (before, after) = (evaluation.version.to_string(), (evaluation.version + 1).to_string());
            let claimed = sqlx::query(Db::text(sql::CLAIM)).bind(after).bind(before).execute(&mut *tx).await?;
            if claimed.rows_affected() == 0 {
                return tx.rollback().await.map(|()| false);
            }
            for (name, data) in &evaluation.state {
                let text = if data.is_some() { sql::PUT_STATE } else { sql::DELETE_STATE };
                let mut query = sqlx::query(Db::text(text)).bind(stored(name));
                if let Some(data) = data {
                    query = query.bind(stored(data));
                }
                query.execute(&mut *tx).await?;
            }
            if !evaluation.firings.is_empty() {
                sqlx::query(Db::text(sql::ADD_FIRINGS)).bind(firings.clone()).execute(&mut *tx).await?;
            }
            if !evaluation.signals.is_empty() {
                sqlx::query(Db::text(sql::DELETE_SIGNALS)).bind(signals.clone()).execute(&mut *tx).await?;
            }
            for incident in &evaluation.incidents {
                incidents::open(&mut *tx, incident).await?;
            }
            for (rule, recovery) in &evaluation.recoveries {
                incidents::recover(&mut *tx, *rule, recovery, evaluation.at).await?;
            }
            outbox::insert(&mut *tx, &evaluation.outbox, evaluation.at).await?;
            tx.commit().await.map(|()| true)
        })
    }

    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<Tally>, StoreError> {
        let (all, list) = projects(query.projects.as_deref());
        let environment = query.environment.as_deref().map(tag_value).unwrap_or_default().into_owned();
        let any = i64::from(query.environment.is_none());
        // Hours are stored as hours.
        let (width, unit) = match query.width {
            TallyWidth::Minute => (-1, 1),
            TallyWidth::Hour => (1, 60),
        };
        let from = query.from.saturating_add(unit - 1).div_euclid(unit);
        let until = query.until.div_euclid(unit);
        let level = query.level.map_or(-1, Level::to_number);
        let rows: Vec<(i64, i64, i64, i64)> = reading!(self, READ, |connection| {
            let select = sqlx::query_as(Db::text(sql::TALLIES)).bind(all).bind(list).bind(any).bind(environment);
            select.bind(width).bind(from).bind(until).bind(level).fetch_all(connection).await
        })?;
        let tally =
            |(start, events, new_issues, regressions)| Tally { minute: start * unit, events, new_issues, regressions };
        Ok(rows.into_iter().map(tally).collect())
    }
}

impl SqlStore {
    /// Lets go of what alerts need no longer.
    pub(crate) async fn drop_old_alerts(&self, now: Timestamp) -> Result<(), StoreError> {
        let today = now.minute();
        while self.step(sql::DROP_MINUTES, &[today - TallyWidth::KEPT_DAYS * 1_440, STEP]).await? > 0 {}
        let oldest = (today - FIRINGS * 1_440).max(0) * 60_000_000;
        while self.step(sql::DROP_FIRINGS, &[oldest, STEP]).await? > 0 {}
        Ok(())
    }
}

/// What is kept as JSON.
fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::corrupt("a stored alert cannot be read"))
}
