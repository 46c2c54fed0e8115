//! Alert rules, what batches tell them, and what they had to say.

use crate::{
    SqlStore,
    analytics::projects,
    assignees,
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
    notify::Trigger,
    store::{AlertState, AlertStore, Change, Evaluation, FiringQuery, IssueEvent, Tally, TallyQuery, TallyWidth},
};
use sqlx::{Connection, Error};
use std::collections::{BTreeSet, HashMap};
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
        let rows: Vec<SignalRow> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::SIGNALS)).bind(i64::from(limit)).fetch_all(connection).await
        })?;
        self.with_issues(rows).await
    }

    async fn past_signals(
        &self,
        trigger: Trigger,
        of: Option<&[ProjectId]>,
        since: Timestamp,
        limit: u32,
    ) -> Result<(Timestamp, Vec<Signal>), StoreError> {
        let (all, list) = projects(of);
        let kind = Signal::number(trigger).unwrap_or_default();
        let (kept, rows): (Option<i64>, Vec<SignalRow>) = reading!(self, READ, |connection| {
            let kept = sqlx::query_scalar(Db::text(sql::PAST_SINCE)).fetch_optional(&mut *connection).await?;
            let query = sqlx::query_as(Db::text(sql::PAST_SIGNALS)).bind(kind).bind(since.as_micros());
            let query = query.bind(i64::from(limit)).bind(all).bind(list);
            Ok((kept, query.fetch_all(connection).await?))
        })?;
        let kept = Timestamp::from_micros(kept.unwrap_or_default());
        Ok((kept, self.with_issues(rows).await?))
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
        let assigned: Vec<i64> = evaluation.assignments.iter().map(|(issue, _)| issue.0).collect();
        let fired = loop {
            let fired = writing!(self, WRITE, |connection| {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                // Issues are locked before anything else, as whoever deletes one does.
                let Some(rows) = assignees::lock(&mut *tx, &assigned).await? else {
                    return tx.rollback().await.map(|()| None);
                };
                let (before, after) = (evaluation.version.to_string(), (evaluation.version + 1).to_string());
                let claimed = sqlx::query(Db::text(sql::CLAIM)).bind(after).bind(before).execute(&mut *tx).await?;
                if claimed.rows_affected() == 0 {
                    return tx.rollback().await.map(|()| Some(None));
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
                    sqlx::query(Db::text(sql::KEEP_SIGNALS)).bind(signals.clone()).execute(&mut *tx).await?;
                    sqlx::query(Db::text(sql::DELETE_SIGNALS)).bind(signals.clone()).execute(&mut *tx).await?;
                }
                for incident in &evaluation.incidents {
                    incidents::open(&mut *tx, incident).await?;
                }
                for (rule, recovery) in &evaluation.recoveries {
                    incidents::recover(&mut *tx, *rule, recovery, evaluation.at).await?;
                }
                outbox::insert(&mut *tx, &evaluation.outbox, evaluation.at).await?;
                let changed = assignees::assign(&mut *tx, &rows, &evaluation.assignments).await?;
                tx.commit().await.map(|()| Some(Some(changed)))
            })?;
            if let Some(fired) = fired {
                break fired;
            }
        };
        if let Some(changed) = &fired {
            self.tell(changed, IssueEvent::Edited).await;
        }
        Ok(fired.is_some())
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

/// A row of a signal: id, project, issue, kind, time, count, level, environment, release, source, tags.
type SignalRow = (i64, i64, i64, i64, i64, i64, i64, Option<String>, Option<String>, Option<String>, Option<String>);

impl SqlStore {
    /// Signals with their issues as they are now.
    async fn with_issues(&self, rows: Vec<SignalRow>) -> Result<Vec<Signal>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: BTreeSet<i64> = rows.iter().map(|row| row.2).collect();
        let ids = numbers(ids.into_iter());
        let issues: Vec<Issue> = reading!(self, READ, |connection| {
            let issues = sqlx::query::<Db>(Db::text(analytics::ISSUES)).bind(ids).fetch_all(connection).await?;
            issues.iter().map(read_issue).collect::<Result<Vec<Issue>, Error>>()
        })?;
        let issues: HashMap<i64, Issue> = issues.into_iter().map(|issue| (issue.id.0, issue)).collect();
        let signal = |(id, project, issue, kind, at, count, level, environment, release, source, tags): SignalRow| {
            Signal {
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
                source,
                tags: tags.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
            }
        };
        Ok(rows.into_iter().map(signal).collect())
    }

    /// Lets go of what alerts need no longer.
    pub(crate) async fn drop_old_alerts(&self, now: Timestamp) -> Result<(), StoreError> {
        let today = now.minute();
        while self.step(sql::DROP_MINUTES, &[today - TallyWidth::KEPT_DAYS * 1_440, STEP]).await? > 0 {}
        let past = (today - TallyWidth::KEPT_DAYS * 1_440).max(0) * 60_000_000;
        while self.step(sql::DROP_PAST_SIGNALS, &[past, STEP]).await? > 0 {}
        let oldest = (today - FIRINGS * 1_440).max(0) * 60_000_000;
        while self.step(sql::DROP_FIRINGS, &[oldest, STEP]).await? > 0 {}
        Ok(())
    }
}

/// What is kept as JSON.
fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::corrupt("a stored alert cannot be read"))
}
