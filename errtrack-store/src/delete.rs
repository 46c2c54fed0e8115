//! Deleting issues with all that belongs to them, in steps so small that no writer waits long.

use crate::{
    SqlStore,
    issues::ids,
    pool::{Dialect, writing},
    sql::{Sql, upkeep as sql},
};
use errtrack_core::{IssueId, StoreError};
use sqlx::Connection;

/// Rows that are deleted in one transaction.
pub(crate) const STEP: i64 = 500;
/// Hours of one issue that are deleted in one transaction.
const HOURS: i64 = 2000;
const WHAT: &str = "cannot delete issues";

/// An issue that is gone: its project and id, first and last hour.
type Buried = (i64, i64, i64, i64);

impl SqlStore {
    /// Deletes issues at once, as anyone can see, and then what belongs to them.
    pub(crate) async fn delete(&self, issues: &[IssueId]) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for chunk in issues.chunks(100) {
            let ids = ids(chunk);
            deleted += writing!(self, WHAT, |connection| {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                sqlx::query(Db::text(sql::BURY)).bind(ids.clone()).execute(&mut *tx).await?;
                sqlx::query(Db::text(sql::DELETE_GROUPINGS)).bind(ids.clone()).execute(&mut *tx).await?;
                let gone = sqlx::query(Db::text(sql::DELETE_ISSUES)).bind(ids.clone()).execute(&mut *tx).await?;
                tx.commit().await.map(|()| gone.rows_affected())
            })?;
        }
        self.sweep().await?;
        Ok(deleted)
    }

    /// Deletes what belongs to issues that are gone, also those of a run that was cut short.
    pub(crate) async fn sweep(&self) -> Result<(), StoreError> {
        loop {
            let buried: Vec<Buried> = writing!(self, WHAT, |connection| {
                sqlx::query_as(Db::text(sql::BURIED)).bind(STEP).fetch_all(connection).await
            })?;
            if buried.is_empty() {
                return Ok(());
            }
            for issue in buried {
                self.sweep_one(issue).await?;
            }
        }
    }

    async fn sweep_one(&self, (project, issue, first, last): Buried) -> Result<(), StoreError> {
        let mut hour = first;
        while hour <= last {
            let until = last.min(hour + HOURS - 1);
            self.step(sql::DELETE_HOURS, &[project, issue, hour, until]).await?;
            hour = until + 1;
        }
        for sql in [sql::DELETE_USERS, sql::DELETE_TAGS, sql::DELETE_EVENTS] {
            while self.step(sql, &[project, issue, STEP]).await? > 0 {}
        }
        self.step(sql::FORGET, &[project, issue]).await.map(drop)
    }

    /// One short transaction; answers how many rows it deleted.
    async fn step(&self, sql: Sql, values: &[i64]) -> Result<u64, StoreError> {
        writing!(self, WHAT, |connection| {
            let query = values.iter().fold(sqlx::query::<Db>(Db::text(sql)), |query, value| query.bind(*value));
            query.execute(connection).await.map(|done| done.rows_affected())
        })
    }
}
