//! Keeping the store in order.

use crate::{
    SqlStore,
    delete::STEP,
    pool::{Dialect, reading, writing},
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
        reading!(self, "the database does not answer", |connection| {
            sqlx::query::<Db>("SELECT 1").execute(connection).await.map(drop)
        })?;
        Ok(start.elapsed())
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let now = Timestamp::now().as_micros();
        writing!(self, PRUNE, |connection| {
            sqlx::query(Db::text(sql::DELETE_TOKENS)).bind(now).execute(connection).await.map(drop)
        })?;
        self.sweep().await?;
        let mut pruned = 0;
        loop {
            let stale: Vec<i64> = writing!(self, PRUNE, |connection| {
                sqlx::query_scalar(Db::text(sql::STALE)).bind(before.as_micros()).fetch_all(connection).await
            })?;
            if stale.is_empty() {
                break;
            }
            pruned += self.delete(&stale.into_iter().map(IssueId).collect::<Vec<_>>()).await?;
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
            let full: Vec<(i64, i64, i64)> = reading!(self, TRIM, |connection| {
                sqlx::query_as(Db::text(sql::FULL)).bind(keep).bind(after).fetch_all(connection).await
            })?;
            let Some((_, last, _)) = full.last() else { break };
            after = *last;
            for (project, issue, excess) in full {
                trimmed += self.drop_oldest(project, issue, excess).await?;
            }
        }
        if trimmed > 0 {
            self.shrink().await?;
        }
        Ok(trimmed)
    }

    async fn close(&self) {
        self.backend.close().await;
    }
}

impl SqlStore {
    async fn drop_oldest(&self, project: i64, issue: i64, excess: i64) -> Result<u64, StoreError> {
        let mut dropped = 0;
        let mut left = excess;
        while left > 0 {
            let step = left.min(STEP);
            let gone = writing!(self, TRIM, |connection| {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                let oldest = sqlx::query(Db::text(sql::DELETE_OLDEST)).bind(project).bind(issue).bind(step);
                let gone = oldest.execute(&mut *tx).await?.rows_affected();
                let less = sqlx::query(Db::text(sql::LESS_STORED)).bind(project).bind(issue);
                less.bind(i64::try_from(gone).unwrap_or(i64::MAX)).execute(&mut *tx).await?;
                tx.commit().await.map(|()| gone)
            })?;
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
        writing!(self, SHRINK, |connection| {
            let query = sqlx::query(Db::text(sql::SHRINK));
            query.execute(connection).await.map(drop)
        })
    }
}
