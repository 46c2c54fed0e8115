//! Deleting issues and projects with all that belongs to them, in steps so small that no writer waits long.

use crate::{
    SqlStore, copies,
    issues::numbers,
    members,
    pool::{Dialect, reading, writing},
    sql::{Sql, analytics, incident, ticket, upkeep as sql},
};
use errtrack_core::{
    IssueId, ProjectId, StoreError,
    store::{Change, IssueEvent},
};
use sqlx::Connection;
use std::time::Instant;

/// Rows that are deleted in one transaction.
pub(crate) const STEP: i64 = 500;
/// Issues that are deleted in one transaction, with their groupings only.
const ISSUES: i64 = 100;
/// Issues whose rows are deleted together.
const GROUP: usize = 50;
/// Days whose hours are looked up together.
const DAYS: i64 = 30;
const WHAT: &str = "cannot delete issues";
const PROJECT: &str = "cannot delete a project";

/// An issue that is gone: its project and id, first and last hour.
type Buried = (i64, i64, i64, i64);

impl SqlStore {
    /// Deletes issues at once, as anyone can see, and then what belongs to them.
    pub(crate) async fn delete(&self, issues: &[IssueId]) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for chunk in issues.chunks(usize::try_from(ISSUES).unwrap_or(1)) {
            let gone = self.bury(chunk).await?;
            self.tell(&gone, IssueEvent::Deleted).await;
            deleted += gone.len() as u64;
        }
        self.sweep().await?;
        Ok(deleted)
    }

    /// Deletes a project at once, as anyone can see, and then what belongs to it.
    pub(crate) async fn bury_project(&self, project: ProjectId) -> Result<bool, StoreError> {
        let gone = writing!(self, PROJECT, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            for sql in sql::BURY_PROJECT {
                sqlx::query(Db::text(sql)).bind(project.0).execute(&mut *tx).await?;
            }
            let gone = sqlx::query(Db::text(sql::DELETE_PROJECT)).bind(project.0).execute(&mut *tx).await?;
            tx.commit().await.map(|()| gone.rows_affected() > 0)
        })?;
        if gone {
            self.announce([Change::Projects]).await;
            self.sweep().await?;
        }
        Ok(gone)
    }

    /// Deletes what belongs to projects and issues that are gone, also those of a run that was cut short.
    pub(crate) async fn sweep(&self) -> Result<(), StoreError> {
        let projects: Vec<i64> = reading!(self, PROJECT, |connection| {
            sqlx::query_scalar(Db::text(sql::BURIED_PROJECTS)).fetch_all(connection).await
        })?;
        for project in projects {
            loop {
                let issues: Vec<i64> = reading!(self, PROJECT, |connection| {
                    let query = sqlx::query_scalar(Db::text(sql::ISSUES_OF)).bind(project).bind(ISSUES);
                    query.fetch_all(connection).await
                })?;
                if issues.is_empty() {
                    break;
                }
                self.bury(&issues.into_iter().map(IssueId).collect::<Vec<_>>()).await?;
            }
            self.sweep_issues().await?;
            // Whoever was still writing held an issue, and is done.
            for rows in analytics::OF_PROJECT.into_iter().chain(incident::OF_PROJECT) {
                while self.step(rows, &[project, STEP]).await? > 0 {}
            }
            self.step(sql::DELETE_RELEASES, &[project]).await?;
            self.step(sql::FORGET_PROJECT, &[project]).await?;
        }
        self.sweep_issues().await
    }

    /// Deletes issues with all their groups, and notes that there is more to delete. Answers those that were there: project
    /// and issue.
    async fn bury(&self, issues: &[IssueId]) -> Result<Vec<(i64, i64)>, StoreError> {
        let issues = members::ids(issues);
        loop {
            let gone: Option<Vec<(i64, i64, bool)>> = writing!(self, WHAT, |connection| {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                let Some(rows) = members::lock(&mut *tx, &issues).await? else {
                    return tx.rollback().await.map(|()| None);
                };
                let ids = members::list(&rows);
                copies::forget(&mut *tx, &ids, true).await?;
                sqlx::query(Db::text(sql::BURY)).bind(ids.clone()).execute(&mut *tx).await?;
                sqlx::query(Db::text(sql::DELETE_GROUPINGS)).bind(ids.clone()).execute(&mut *tx).await?;
                let gone = sqlx::query_as(Db::text(sql::DELETE_ISSUES)).bind(ids).fetch_all(&mut *tx).await?;
                tx.commit().await.map(|()| Some(gone))
            })?;
            if let Some(gone) = gone {
                let shown = gone.into_iter().filter(|(.., shown)| *shown);
                return Ok(shown.map(|(project, issue, _)| (project, issue)).collect());
            }
        }
    }

    async fn sweep_issues(&self) -> Result<(), StoreError> {
        loop {
            let buried: Vec<Buried> = writing!(self, WHAT, |connection| {
                sqlx::query_as(Db::text(sql::BURIED)).bind(STEP).fetch_all(connection).await
            })?;
            if buried.is_empty() {
                return Ok(());
            }
            for project in buried.chunk_by(|one, next| one.0 == next.0) {
                for group in project.chunks(GROUP) {
                    self.sweep_group(group).await?;
                }
            }
        }
    }

    /// Deletes what belongs to some issues of one project, in the order of their ids.
    async fn sweep_group(&self, group: &[Buried]) -> Result<(), StoreError> {
        let (Some((project, from, ..)), Some((_, to, ..))) = (group.first(), group.last()) else { return Ok(()) };
        let begin = group.iter().map(|(.., first, _)| first / 24).min().unwrap_or_default();
        let end = group.iter().map(|(.., last)| last / 24).max().unwrap_or_default();
        let mut day = begin;
        while day <= end {
            let until = end.min(day + DAYS - 1);
            while self.step(sql::DELETE_HOURS, &[*project, *from, *to, STEP, day, until]).await? > 0 {}
            day = until + 1;
        }
        for sql in [
            sql::DELETE_USERS,
            sql::DELETE_TAGS,
            sql::DELETE_COMMENTS,
            incident::DELETE_LINKS,
            ticket::OF_DELETED,
            sql::DELETE_EVENTS,
        ] {
            while self.step(sql, &[*project, *from, *to, STEP]).await? > 0 {}
        }
        // Only these: another may have been buried between them meanwhile.
        let list = numbers(group.iter().map(|(_, issue, ..)| *issue));
        writing!(self, WHAT, |connection| {
            let query = sqlx::query(Db::text(sql::FORGET)).bind(project).bind(list.clone());
            query.execute(connection).await.map(drop)
        })
    }

    /// One short transaction; answers how many rows it deleted.
    pub(crate) async fn step(&self, sql: Sql, values: &[i64]) -> Result<u64, StoreError> {
        let (rows, took) = writing!(self, WHAT, |connection| {
            let start = Instant::now();
            let query = values.iter().fold(sqlx::query::<Db>(Db::text(sql)), |query, value| query.bind(*value));
            query.execute(connection).await.map(|done| (done.rows_affected(), start.elapsed()))
        })?;
        self.pace.rest(took).await;
        Ok(rows)
    }
}
