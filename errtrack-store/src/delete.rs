//! Deleting issues with all that belongs to them, in steps so small that no writer waits long.

use crate::{
    SqlStore,
    issues::ids,
    pool::{Dialect, on},
    sql::upkeep as sql,
};
use errtrack_core::{IssueId, StoreError};

/// Rows that are deleted in one transaction.
pub(crate) const STEP: i64 = 500;
/// Hours of one issue that are deleted in one transaction.
const HOURS: i64 = 2000;
const WHAT: &str = "cannot delete issues";

/// An issue that is gone: its number, project, first and last hour.
type Buried = (i64, i64, i64, i64);

impl SqlStore {
    /// Deletes issues at once, as anyone can see, and then what belongs to them.
    pub(crate) async fn delete(&self, issues: &[IssueId]) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for chunk in issues.chunks(100) {
            let ids = ids(chunk);
            let job = move |pool| async move {
                on!(pool, |pool| {
                    let mut tx = pool.begin_with(Db::BEGIN).await?;
                    sqlx::query(sql::BURY).bind(ids.clone()).execute(&mut *tx).await?;
                    sqlx::query(sql::DELETE_GROUPINGS).bind(ids.clone()).execute(&mut *tx).await?;
                    let gone = sqlx::query(sql::DELETE_ISSUES).bind(ids).execute(&mut *tx).await?.rows_affected();
                    tx.commit().await?;
                    Ok(gone)
                })
            };
            deleted += self.writer.run(WHAT, job).await?;
        }
        self.sweep().await?;
        Ok(deleted)
    }

    /// Deletes what belongs to issues that are gone, also those of a run that was cut short.
    pub(crate) async fn sweep(&self) -> Result<(), StoreError> {
        loop {
            let job =
                |pool| async move { on!(&pool, |pool| sqlx::query_as(sql::BURIED).bind(STEP).fetch_all(pool).await) };
            let buried: Vec<Buried> = self.writer.run(WHAT, job).await?;
            if buried.is_empty() {
                return Ok(());
            }
            for issue in buried {
                self.sweep_one(issue).await?;
            }
        }
    }

    async fn sweep_one(&self, (issue, project, first, last): Buried) -> Result<(), StoreError> {
        let mut hour = first;
        while hour <= last {
            let until = last.min(hour + HOURS - 1);
            let job = move |pool| async move {
                on!(&pool, |pool| {
                    let query = sqlx::query(sql::DELETE_HOURS).bind(project).bind(issue).bind(hour).bind(until);
                    query.execute(pool).await.map(drop)
                })
            };
            self.writer.run(WHAT, job).await?;
            hour = until + 1;
        }
        for sql in [sql::DELETE_USERS, sql::DELETE_TAGS] {
            loop {
                let job = move |pool| async move {
                    on!(&pool, |pool| {
                        let query = sqlx::query(sql).bind(project).bind(issue).bind(STEP);
                        Ok(query.execute(pool).await?.rows_affected())
                    })
                };
                if self.writer.run(WHAT, job).await? == 0 {
                    break;
                }
            }
        }
        loop {
            let job = move |pool| async move {
                on!(&pool, |pool| {
                    let query = sqlx::query(sql::DELETE_EVENTS).bind(issue).bind(STEP);
                    Ok(query.execute(pool).await?.rows_affected())
                })
            };
            if self.writer.run(WHAT, job).await? == 0 {
                break;
            }
        }
        let forget = move |pool| async move {
            on!(&pool, |pool| sqlx::query(sql::FORGET).bind(issue).execute(pool).await.map(drop))
        };
        self.writer.run(WHAT, forget).await
    }
}
