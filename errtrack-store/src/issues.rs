//! Reading and changing issues.

mod filter;
mod row;

use crate::{
    SqlStore,
    link::{Link, Value},
    members,
    pool::{Dialect, reading, writing},
    sql::{Sql, issue as sql},
    tag::{OTHER, stored, tag_key, tag_numbers},
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, IssueId, IssueRef, ProjectId, Status, StoreError, Timestamp,
    store::{IssueEvent, IssuePage, IssueQuery, IssueStore, StatusCounts, TagTally},
};
pub(crate) use row::{condition, read_issue, read_uuid};
use sqlx::Connection;

pub(crate) const READ: &str = "cannot read issues";
const CHANGE: &str = "cannot change an issue";

#[async_trait]
impl IssueStore for SqlStore {
    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError> {
        let (total, mut issues) = reading!(self, READ, |connection| {
            let total: i64 = filter::total::<Db>(query).build_query_scalar().fetch_one(&mut *connection).await?;
            let rows = filter::page::<Db>(query).build().fetch_all(connection).await?;
            let issues = rows.iter().map(read_issue);
            issues.collect::<Result<Vec<Issue>, sqlx::Error>>().map(|issues| (total, issues))
        })?;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let more = issues.len() > limit;
        issues.truncate(limit);
        let next = issues.last().filter(|_| more).map(|last| filter::cursor(query.sort, last));
        Ok(IssuePage { issues, total, next })
    }

    async fn status_counts(&self, query: &IssueQuery) -> Result<StatusCounts, StoreError> {
        let rows: Vec<(i64, bool, i64)> = reading!(self, READ, |connection| {
            filter::statuses::<Db>(query).build_query_as().fetch_all(connection).await
        })?;
        let mut counts = StatusCounts::default();
        for (status, regressed, n) in rows {
            match Status::from_number(status) {
                Status::Unresolved => {
                    counts.unresolved += n;
                    counts.regressed += if regressed { n } else { 0 };
                }
                Status::Resolved => counts.resolved += n,
                Status::Ignored => counts.ignored += n,
            }
        }
        Ok(counts)
    }

    async fn issue(&self, name: &IssueRef) -> Result<Option<Issue>, StoreError> {
        reading!(self, READ, |connection| {
            let query = match name {
                IssueRef::Uuid(uuid) => sqlx::query::<Db>(Db::text(sql::BY_UUID)).bind(uuid.as_bytes().to_vec()),
                IssueRef::Id(id) => sqlx::query(Db::text(sql::BY_ID)).bind(id.0),
                IssueRef::Short { project, number } => {
                    sqlx::query(Db::text(sql::BY_NUMBER)).bind(stored(project)).bind(*number)
                }
            };
            let row = query.fetch_optional(connection).await?;
            row.as_ref().map(read_issue).transpose()
        })
    }

    async fn set_status(&self, issues: &[IssueId], status: Status) -> Result<u64, StoreError> {
        let now = Timestamp::now().as_micros();
        let lasts = [Value::NoText, Value::NoText, Value::NoNumber, Value::NoNumber];
        let values = [Value::Number(status.to_number()), Value::Number(now)];
        self.change(issues, sql::SET_STATUS, &[values.as_slice(), &lasts].concat()).await
    }

    async fn assign(&self, issue: IssueId, to: Option<&str>) -> Result<bool, StoreError> {
        let now = Timestamp::now().as_micros();
        let to = to.map_or(Value::NoText, |to| Value::Text(stored(to)));
        Ok(self.change(&[issue], sql::ASSIGN, &[to, Value::Number(now)]).await? > 0)
    }

    async fn delete_issues(&self, issues: &[IssueId]) -> Result<u64, StoreError> {
        self.delete(issues).await
    }

    async fn histograms(
        &self,
        issues: &[IssueId],
        until: Timestamp,
        width: u32,
        buckets: u32,
    ) -> Result<Vec<Vec<i64>>, StoreError> {
        let length = usize::try_from(buckets).unwrap_or_default();
        let mut histograms = vec![vec![0; length]; issues.len()];
        let width = i64::from(width.max(1));
        // Buckets begin at multiples of their width, so that bars do not change as time goes by.
        let end = (until.hour() / width + 1) * width;
        let start = end - width * i64::from(buckets);
        let days = numbers(start.div_euclid(24)..=(end - 1).div_euclid(24));
        let rows: Vec<(i64, i64, i64)> = reading!(self, "cannot read histograms", |connection| {
            sqlx::query_as(Db::text(sql::HISTOGRAMS)).bind(ids(issues)).bind(days).fetch_all(connection).await
        })?;
        for (issue, hour, count) in rows {
            // A day may begin before the first bucket.
            let bucket = (hour - start).div_euclid(width);
            let place = usize::try_from(issue).ok().zip(usize::try_from(bucket).ok());
            if let Some(sum) = place.and_then(|(i, b)| histograms.get_mut(i)?.get_mut(b)) {
                *sum += count;
            }
        }
        Ok(histograms)
    }

    async fn tag_tallies(&self, issue: IssueId, values: u32) -> Result<Vec<TagTally>, StoreError> {
        let rows: Vec<(String, String, i64)> = reading!(self, "cannot read tags", |connection| {
            sqlx::query_as(Db::text(sql::TAGS)).bind(issue.0).fetch_all(connection).await
        })?;
        let values = usize::try_from(values).unwrap_or(usize::MAX);
        let mut tallies: Vec<TagTally> = Vec::new();
        for (key, value, count) in rows {
            if tallies.last().is_none_or(|tally| tally.key != key) {
                tallies.push(TagTally { key, total: 0, values: Vec::new() });
            }
            let Some(tally) = tallies.last_mut() else { continue };
            tally.total += count;
            if value != OTHER && tally.values.len() < values {
                tally.values.push((value, count));
            }
        }
        Ok(tallies)
    }

    async fn tag_values(&self, projects: &[ProjectId], key: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let projects = numbers(projects.iter().map(|project| project.0));
        let key = tag_key(key).into_owned();
        let (first, last) = tag_numbers(&key);
        reading!(self, "cannot read the values of a tag", |connection| {
            let query = sqlx::query_scalar(Db::text(sql::TAG_VALUES)).bind(projects).bind(key).bind(OTHER);
            query.bind(i64::from(limit)).bind(first).bind(last).fetch_all(connection).await
        })
    }
}

impl SqlStore {
    /// Changes issues with all their groups; answers how many issues there were.
    pub(crate) async fn change(&self, issues: &[IssueId], sql: Sql, values: &[Value]) -> Result<u64, StoreError> {
        let issues = members::ids(issues);
        let changed: Vec<[i64; 3]> = loop {
            let changed = writing!(self, CHANGE, |connection| {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                let Some(rows) = members::lock(&mut *tx, &issues).await? else {
                    return tx.rollback().await.map(|()| None);
                };
                let values = [Value::Text(members::list(&rows))].into_iter().chain(values.iter().cloned());
                let changed = tx.rows(sql, values.collect()).await?;
                tx.commit().await.map(|()| Some(changed))
            })?;
            if let Some(changed) = changed {
                break changed;
            }
        };
        let shown = changed.iter().filter(|[.., shown]| *shown == 1);
        let shown: Vec<(i64, i64)> = shown.map(|[project, issue, _]| (*project, *issue)).collect();
        self.tell(&shown, IssueEvent::Edited).await;
        Ok(shown.len() as u64)
    }
}

/// Ids as a list for SQL.
fn ids(issues: &[IssueId]) -> String {
    numbers(issues.iter().map(|issue| issue.0))
}

/// Numbers as a list for SQL: JSON.
pub(crate) fn numbers(list: impl Iterator<Item = i64>) -> String {
    serde_json::Value::from(list.collect::<Vec<_>>()).to_string()
}
