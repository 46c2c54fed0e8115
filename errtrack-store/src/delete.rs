//! Deleting issues with all that belongs to them, in steps so small that no writer waits long.

use crate::{
    SqlStore,
    issues::ids,
    pool::{Dialect, on},
    sql::upkeep as sql,
};
use errtrack_core::{IssueId, StoreError};
use sqlx::Connection;

/// Rows that are deleted in one transaction.
pub(crate) const STEP: i64 = 500;
/// Hours of one issue that are deleted in one transaction.
const HOURS: i64 = 2000;
const WHAT: &str = "cannot delete issues";

/// An issue that is gone: its id, first and last hour.
type Buried = (i64, i64, i64);

impl SqlStore {
    /// Deletes issues at once, as anyone can see, and then what belongs to them.
    pub(crate) async fn delete(&self, issues: &[IssueId]) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for chunk in issues.chunks(100) {
            let ids = ids(chunk);
            let mut writer = self.writer.lock(WHAT).await?;
            let gone = on!(&mut *writer, |connection| {
                let work = async {
                    let mut tx = connection.begin_with(Db::BEGIN).await?;
                    sqlx::query(sql::BURY).bind(ids.clone()).execute(&mut *tx).await?;
                    sqlx::query(sql::DELETE_GROUPINGS).bind(ids.clone()).execute(&mut *tx).await?;
                    let gone = sqlx::query(sql::DELETE_ISSUES).bind(ids).execute(&mut *tx).await?.rows_affected();
                    tx.commit().await?;
                    Ok(gone)
                };
                work.await
            });
            deleted += self.writer.check(gone, WHAT)?;
        }
        self.sweep().await?;
        Ok(deleted)
    }

    /// Deletes what belongs to issues that are gone, also those of a run that was cut short.
    pub(crate) async fn sweep(&self) -> Result<(), StoreError> {
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
                self.sweep_one(issue).await?;
            }
        }
    }

    async fn sweep_one(&self, (issue, first, last): Buried) -> Result<(), StoreError> {
        let mut hour = first;
        while hour <= last {
            let until = last.min(hour + HOURS - 1);
            self.step(sql::DELETE_HOURS, &[issue, hour, until]).await?;
            hour = until + 1;
        }
        for sql in [sql::DELETE_USERS, sql::DELETE_TAGS, sql::DELETE_EVENTS] {
            while self.step(sql, &[issue, STEP]).await? > 0 {}
        }
        self.step(sql::FORGET, &[issue]).await.map(drop)
    }

    /// One short transaction; answers how many rows it deleted.
    async fn step(&self, sql: &'static str, values: &[i64]) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock(WHAT).await?;
        let done = on!(&mut *writer, |connection| {
            let query = values.iter().fold(sqlx::query(sql), |query, value| query.bind(*value));
            query.execute(connection).await
        });
        Ok(self.writer.check(done, WHAT)?.rows_affected())
    }
}
