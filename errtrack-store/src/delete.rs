//! Deleting issues and projects with all that belongs to them, in steps so small that no writer waits long.

use crate::{
    SqlStore,
    issues::ids,
    pool::{Dialect, on},
    sql::upkeep as sql,
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
/// Hours of one issue that are deleted in one transaction.
const HOURS: i64 = 2000;
const WHAT: &str = "cannot delete issues";
const PROJECT: &str = "cannot delete a project";

/// An issue that is gone: its project, its id, first and last hour.
type Buried = (i64, i64, i64, i64);

impl SqlStore {
    /// Deletes issues at once, as anyone can see, and then what belongs to them.
    pub(crate) async fn delete(&self, issues: &[IssueId]) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for chunk in issues.chunks(usize::try_from(ISSUES).unwrap_or(1)) {
            let gone = self.bury(chunk).await?;
            self.tell(&gone, IssueEvent::Deleted);
            deleted += gone.len() as u64;
        }
        self.sweep().await?;
        Ok(deleted)
    }

    /// Deletes a project at once, as anyone can see, and then what belongs to it.
    pub(crate) async fn bury_project(&self, project: ProjectId) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock(PROJECT).await?;
        let gone = on!(&mut *writer, |connection| {
            let work = async {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                for sql in sql::BURY_PROJECT {
                    sqlx::query(sql).bind(project.0).execute(&mut *tx).await?;
                }
                let gone = sqlx::query(sql::DELETE_PROJECT).bind(project.0).execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(gone.rows_affected() > 0)
            };
            work.await
        });
        drop(writer);
        let gone = self.writer.check(gone, PROJECT)?;
        if gone {
            self.feed.tell(Change::Projects);
            self.sweep().await?;
        }
        Ok(gone)
    }

    /// Deletes what belongs to projects and issues that are gone, also those of a run that was cut short.
    pub(crate) async fn sweep(&self) -> Result<(), StoreError> {
        let projects: Vec<i64> = on!(&self.readers, |pool| {
            let read = sqlx::query_scalar(sql::BURIED_PROJECTS).fetch_all(pool).await;
            self.writer.check(read, PROJECT)?
        });
        for project in projects {
            loop {
                let issues: Vec<i64> = on!(&self.readers, |pool| {
                    let read = sqlx::query_scalar(sql::ISSUES_OF).bind(project).bind(ISSUES).fetch_all(pool).await;
                    self.writer.check(read, PROJECT)?
                });
                if issues.is_empty() {
                    break;
                }
                self.bury(&issues.into_iter().map(IssueId).collect::<Vec<_>>()).await?;
            }
            while self.step(sql::DELETE_PROJECT_HOURS, &[project, STEP]).await? > 0 {}
            self.sweep_issues().await?;
            self.step(sql::FORGET_PROJECT, &[project]).await?;
        }
        self.sweep_issues().await
    }

    /// Deletes issues, and notes that there is more to delete. Answers those that were there: project and issue.
    async fn bury(&self, issues: &[IssueId]) -> Result<Vec<(i64, i64)>, StoreError> {
        let ids = ids(issues);
        let mut writer = self.writer.lock(WHAT).await?;
        let gone = on!(&mut *writer, |connection| {
            let work = async {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                sqlx::query(sql::BURY).bind(ids.clone()).execute(&mut *tx).await?;
                sqlx::query(sql::DELETE_GROUPINGS).bind(ids.clone()).execute(&mut *tx).await?;
                let gone = sqlx::query_as(sql::DELETE_ISSUES).bind(ids).fetch_all(&mut *tx).await?;
                tx.commit().await?;
                Ok(gone)
            };
            work.await
        });
        self.writer.check(gone, WHAT)
    }

    async fn sweep_issues(&self) -> Result<(), StoreError> {
        loop {
            let mut writer = self.writer.lock(WHAT).await?;
            let buried =
                on!(&mut *writer, |connection| sqlx::query_as(sql::BURIED).bind(STEP).fetch_all(connection).await);
            drop(writer);
            let buried: Vec<Buried> = self.writer.check(buried, WHAT)?;
            if buried.is_empty() {
                return Ok(());
            }
            for issue in buried {
                self.sweep_issue(issue).await?;
            }
        }
    }

    async fn sweep_issue(&self, (project, issue, first, last): Buried) -> Result<(), StoreError> {
        let mut hour = first;
        while hour <= last {
            let until = last.min(hour + HOURS - 1);
            self.step(sql::DELETE_HOURS, &[issue, hour, until]).await?;
            hour = until + 1;
        }
        for sql in [sql::DELETE_USERS, sql::DELETE_TAGS, sql::DELETE_EVENTS] {
            while self.step(sql, &[issue, STEP]).await? > 0 {}
        }
        self.step(sql::FORGET, &[project, issue]).await.map(drop)
    }

    /// One short transaction; answers how many rows it deleted.
    pub(crate) async fn step(&self, sql: &'static str, values: &[i64]) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock(WHAT).await?;
        let start = Instant::now();
        let done = on!(&mut *writer, |connection| {
            let query = values.iter().fold(sqlx::query(sql), |query, value| query.bind(*value));
            query.execute(connection).await
        });
        drop(writer);
        let rows = self.writer.check(done, WHAT)?.rows_affected();
        self.pace.rest(start.elapsed()).await;
        Ok(rows)
    }
}
