//! Reading and changing issues.

mod filter;
mod row;

use crate::{
    SqlStore,
    error::Doing,
    pool::on,
    sql::issue as sql,
    tag::{OTHER, tag_key, tag_numbers},
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, IssueId, IssueRef, ProjectId, Status, StoreError, Timestamp,
    store::{IssueEvent, IssuePage, IssueQuery, IssueStore, StatusCounts, TagTally},
};
use row::IssueRow;
pub(crate) use row::read_uuid;
use sqlx::{AssertSqlSafe, FromRow};

const READ: &str = "cannot read issues";
const CHANGE: &str = "cannot change an issue";

#[async_trait]
impl IssueStore for SqlStore {
    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError> {
        on!(&self.readers, |pool| {
            let total: i64 = filter::total::<Db>(query).build_query_scalar().fetch_one(pool).await.doing(READ)?;
            let rows = filter::page::<Db>(query).build().fetch_all(pool).await.doing(READ)?;
            let issues = rows.iter().map(|row| Ok(IssueRow::from_row(row)?.into()));
            let mut issues: Vec<Issue> = issues.collect::<Result<_, sqlx::Error>>().doing(READ)?;
            let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
            let more = issues.len() > limit;
            issues.truncate(limit);
            let next = issues.last().filter(|_| more).map(|last| filter::cursor(query.sort, last));
            Ok(IssuePage { issues, total, next })
        })
    }

    async fn status_counts(&self, query: &IssueQuery) -> Result<StatusCounts, StoreError> {
        let rows: Vec<(i64, bool, i64)> = on!(&self.readers, |pool| {
            filter::statuses::<Db>(query).build_query_as().fetch_all(pool).await.doing(READ)?
        });
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
        on!(&self.readers, |pool| {
            let sql = |condition| AssertSqlSafe([sql::COLUMNS, condition].concat());
            let query = match name {
                IssueRef::Uuid(uuid) => sqlx::query::<Db>(sql(sql::BY_UUID)).bind(uuid.as_bytes().to_vec()),
                IssueRef::Id(id) => sqlx::query(sql(sql::BY_ID)).bind(id.0),
                IssueRef::Short { project, number } => {
                    sqlx::query(sql(sql::BY_NUMBER)).bind(project.clone()).bind(*number)
                }
            };
            let row = query.fetch_optional(pool).await.doing(READ)?;
            row.map(|row| Ok(IssueRow::from_row(&row)?.into())).transpose().doing(READ)
        })
    }

    async fn set_status(&self, issues: &[IssueId], status: Status) -> Result<u64, StoreError> {
        let ids = ids(issues);
        let now = Timestamp::now().as_micros();
        let mut writer = self.writer.lock(CHANGE).await?;
        let done = on!(&mut *writer, |connection| {
            let query = sqlx::query_as(sql::SET_STATUS).bind(ids).bind(status.to_number()).bind(now);
            query.fetch_all(connection).await
        });
        let changed: Vec<(i64, i64)> = self.writer.check(done, CHANGE)?;
        self.tell(&changed, IssueEvent::Edited);
        Ok(changed.len() as u64)
    }

    async fn assign(&self, issue: IssueId, to: Option<&str>) -> Result<bool, StoreError> {
        let to = to.map(str::to_owned);
        let now = Timestamp::now().as_micros();
        let mut writer = self.writer.lock(CHANGE).await?;
        let done = on!(&mut *writer, |connection| {
            sqlx::query_as(sql::ASSIGN).bind(issue.0).bind(to).bind(now).fetch_all(connection).await
        });
        let changed: Vec<(i64, i64)> = self.writer.check(done, CHANGE)?;
        self.tell(&changed, IssueEvent::Edited);
        Ok(!changed.is_empty())
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
        let hours = serde_json::Value::from((start..end).collect::<Vec<i64>>()).to_string();
        let rows: Vec<(i64, i64, i64)> = on!(&self.readers, |pool| {
            let query = sqlx::query_as(sql::HISTOGRAMS).bind(ids(issues)).bind(hours);
            query.fetch_all(pool).await.doing("cannot read histograms")?
        });
        for (issue, hour, count) in rows {
            let bucket = (hour - start) / width;
            let place = usize::try_from(issue).ok().zip(usize::try_from(bucket).ok());
            if let Some(sum) = place.and_then(|(i, b)| histograms.get_mut(i)?.get_mut(b)) {
                *sum += count;
            }
        }
        Ok(histograms)
    }

    async fn tag_tallies(&self, issue: IssueId, values: u32) -> Result<Vec<TagTally>, StoreError> {
        let rows: Vec<(String, String, i64)> = on!(&self.readers, |pool| {
            sqlx::query_as(sql::TAGS).bind(issue.0).fetch_all(pool).await.doing("cannot read tags")?
        });
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
        on!(&self.readers, |pool| {
            let query = sqlx::query_scalar(sql::TAG_VALUES).bind(projects).bind(key).bind(OTHER).bind(i64::from(limit));
            query.bind(first).bind(last).fetch_all(pool).await.doing("cannot read the values of a tag")
        })
    }
}

/// Ids as a list for SQL.
pub(crate) fn ids(issues: &[IssueId]) -> String {
    numbers(issues.iter().map(|issue| issue.0))
}

/// Numbers as a list for SQL: JSON.
pub(crate) fn numbers(list: impl Iterator<Item = i64>) -> String {
    serde_json::Value::from(list.collect::<Vec<_>>()).to_string()
}
