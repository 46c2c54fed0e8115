//! Keeping the store in order.

use crate::{
    SqlStore,
    delete::STEP,
    error::Doing,
    pool::{Dialect, on},
    sql::upkeep as sql,
};
use async_trait::async_trait;
use errtrack_core::{IssueId, StoreError, Timestamp, store::Upkeep};
use sqlx::Connection;
use std::time::{Duration, Instant};

const PRUNE: &str = "cannot prune";
const TRIM: &str = "cannot trim events";
const SHRINK: &str = "cannot shrink the file";

#[async_trait]
impl Upkeep for SqlStore {
    async fn ping(&self) -> Result<Duration, StoreError> {
        let start = Instant::now();
        on!(&self.readers, |pool| {
            sqlx::query_scalar::<Db, i64>("SELECT 1").fetch_one(pool).await.doing("the database does not answer")?
        });
        Ok(start.elapsed())
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let now = Timestamp::now().as_micros();
        let mut writer = self.writer.lock(PRUNE).await?;
        let done = on!(&mut *writer, |connection| sqlx::query(sql::DELETE_TOKENS).bind(now).execute(connection).await);
        drop(writer);
        self.writer.check(done, PRUNE)?;
        self.sweep().await?;
        let mut pruned = 0;
        loop {
            let mut writer = self.writer.lock(PRUNE).await?;
            let stale = on!(&mut *writer, |connection| {
                sqlx::query_scalar(sql::STALE).bind(before.as_micros()).fetch_all(connection).await
            });
            drop(writer);
            let ids: Vec<i64> = self.writer.check(stale, PRUNE)?;
            if ids.is_empty() {
                break;
            }
            pruned += self.delete(&ids.into_iter().map(IssueId).collect::<Vec<_>>()).await?;
        }
        if pruned > 0 {
            self.shrink().await?;
        }
        Ok(pruned)
    }

    async fn trim_events(&self, keep: u32) -> Result<u64, StoreError> {
        let keep = i64::from(keep);
        let mut trimmed = 0;
        let mut after = 0;
        loop {
            let full: Vec<(i64, i64)> = on!(&self.readers, |pool| {
                sqlx::query_as(sql::FULL).bind(keep).bind(after).fetch_all(pool).await.doing(TRIM)?
            });
            let Some((last, _)) = full.last() else { break };
            after = *last;
            for (issue, excess) in full {
                trimmed += self.drop_oldest(issue, excess).await?;
            }
        }
        if trimmed > 0 {
            self.shrink().await?;
        }
        Ok(trimmed)
    }

    async fn close(&self) {
        // The writer last: closing the last connection tidies up the file, which readers may not.
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl SqlStore {
    async fn drop_oldest(&self, issue: i64, excess: i64) -> Result<u64, StoreError> {
        let mut dropped = 0;
        let mut left = excess;
        while left > 0 {
            let step = left.min(STEP);
            let mut writer = self.writer.lock(TRIM).await?;
            let gone = on!(&mut *writer, |connection| {
                let work = async {
                    let mut tx = connection.begin_with(Db::BEGIN).await?;
                    let gone = sqlx::query(sql::DELETE_OLDEST).bind(issue).bind(step).execute(&mut *tx).await?;
                    let gone = gone.rows_affected();
                    let less = i64::try_from(gone).unwrap_or(i64::MAX);
                    sqlx::query(sql::LESS_STORED).bind(issue).bind(less).execute(&mut *tx).await?;
                    tx.commit().await?;
                    Ok(gone)
                };
                work.await
            });
            drop(writer);
            let gone = self.writer.check(gone, TRIM)?;
            dropped += gone;
            if gone == 0 {
                break;
            }
            left -= step;
        }
        Ok(dropped)
    }

    /// Gives back some of the space that deletions have freed.
    async fn shrink(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.lock(SHRINK).await?;
        let done = on!(&mut *writer, |connection| sqlx::query(Db::SHRINK).execute(connection).await);
        self.writer.check(done, SHRINK).map(drop)
    }
}
