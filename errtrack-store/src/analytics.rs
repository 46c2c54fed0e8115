//! Figures, read from rollups.

use crate::{
    SqlStore,
    issues::{numbers, read_issue},
    pool::{Dialect, reading},
    sql::analytics as sql,
    tag::{OTHER, tag_number, tag_value},
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, Level, ProjectId, StoreError, Timestamp,
    store::{AnalyticsStore, EnvironmentCount, FigureScope, FigureVersion, Rollup, RollupWidth},
};
use std::collections::{BTreeMap, HashMap};

const READ: &str = "cannot read figures";

/// Projects as parameters of a statement: whether all are asked for, and a list of them.
pub(crate) fn projects(of: Option<&[ProjectId]>) -> (i64, String) {
    (i64::from(of.is_none()), numbers(of.unwrap_or_default().iter().map(|project| project.0)))
}

/// The environment likewise.
fn environment(scope: &FigureScope) -> (i64, String) {
    match &scope.environment {
        None => (1, String::new()),
        Some(environment) => (0, tag_value(environment).into_owned()),
    }
}

#[async_trait]
impl AnalyticsStore for SqlStore {
    async fn figures_version(&self, scope: &FigureScope) -> Result<FigureVersion, StoreError> {
        let (all, list) = projects(scope.projects.as_deref());
        let (events, edits): (i64, i64) = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::VERSION)).bind(all).bind(list).fetch_one(connection).await
        })?;
        Ok(FigureVersion { events, edits })
    }

    async fn rollups(
        &self,
        scope: &FigureScope,
        width: RollupWidth,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Rollup>, StoreError> {
        let ((all, list), (any, name)) = (projects(scope.projects.as_deref()), environment(scope));
        let (from, until) = (width.start(from.hour()), width.start(until.hour()));
        type Counted = Vec<(i64, i64, i64, i64)>;
        type Resolved = Vec<(i64, i64, i64)>;
        let (counted, resolved): (Counted, Resolved) = reading!(self, READ, |connection| {
            let query =
                sqlx::query_as(Db::text(sql::ROLLUPS)).bind(all).bind(list.clone()).bind(any).bind(name.clone());
            let query = query.bind(width.hours()).bind(from).bind(until).bind(Level::Fatal.to_number());
            let counted = query.fetch_all(&mut *connection).await?;
            let query = sqlx::query_as(Db::text(sql::RESOLUTIONS)).bind(all).bind(list).bind(any).bind(name);
            let resolved = query.bind(width.hours()).bind(from).bind(until).fetch_all(connection).await?;
            Ok((counted, resolved))
        })?;
        let mut rollups: BTreeMap<i64, Rollup> = BTreeMap::new();
        for (hour, events, fatal, new_issues) in counted {
            rollups.insert(hour, Rollup { hour, events, fatal, new_issues, ..Rollup::default() });
        }
        for (hour, resolved, resolving_micros) in resolved {
            let rollup = rollups.entry(hour).or_insert_with(|| Rollup { hour, ..Rollup::default() });
            (rollup.resolved, rollup.resolving_micros) = (resolved, resolving_micros);
        }
        Ok(rollups.into_values().collect())
    }

    async fn environments(&self, scope: &FigureScope, since: Timestamp) -> Result<Vec<EnvironmentCount>, StoreError> {
        let ((all, list), (any, name)) = (projects(scope.projects.as_deref()), environment(scope));
        let since = since.hour();
        let width = if since == 0 { RollupWidth::Ever } else { RollupWidth::Hour };
        let rows: Vec<(String, i64, i64)> = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::BY_ENVIRONMENT)).bind(all).bind(list).bind(any).bind(name);
            let query = query.bind(width.hours()).bind(since).bind(Level::Fatal.to_number());
            query.fetch_all(connection).await
        })?;
        let count = |(environment, events, fatal): (String, i64, i64)| EnvironmentCount {
            environment: Some(environment).filter(|name| name != OTHER),
            events,
            fatal,
        };
        Ok(rows.into_iter().map(count).collect())
    }

    async fn top_issues(
        &self,
        scope: &FigureScope,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Issue, i64)>, StoreError> {
        let ((all, list), (any, name)) = (projects(scope.projects.as_deref()), environment(scope));
        let (since, now) = (since.hour(), Timestamp::now().hour());
        let tag = tag_number("environment", &name);
        let (top, issues): (Vec<(i64, i64)>, Vec<Issue>) = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::TOP)).bind(all).bind(list).bind(any).bind(name);
            // A clock that is ahead of ours is an hour ahead at most.
            let query = query.bind(since.div_euclid(24)).bind((now + 1).div_euclid(24)).bind(since);
            let top: Vec<(i64, i64)> = query.bind(i64::from(limit)).bind(tag).fetch_all(&mut *connection).await?;
            let ids = numbers(top.iter().map(|(issue, _)| *issue));
            let rows = sqlx::query::<Db>(Db::text(sql::ISSUES)).bind(ids).fetch_all(connection).await?;
            let issues = rows.iter().map(read_issue).collect::<Result<Vec<Issue>, sqlx::Error>>()?;
            Ok((top, issues))
        })?;
        let mut issues: HashMap<i64, Issue> = issues.into_iter().map(|issue| (issue.id.0, issue)).collect();
        Ok(top.into_iter().filter_map(|(issue, events)| Some((issues.remove(&issue)?, events))).collect())
    }
}
