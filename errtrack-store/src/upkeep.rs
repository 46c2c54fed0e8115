//! Keeping the store in order.

use crate::{SqlStore, pool::reading};
use async_trait::async_trait;
use errtrack_core::{
    StoreError,
    store::{Connections, Retention, RetentionReport, SetAside, Storage, Upkeep},
};
use std::time::{Duration, Instant};

#[async_trait]
impl Upkeep for SqlStore {
    async fn ping(&self) -> Result<Duration, StoreError> {
        let start = Instant::now();
        reading!(self, "the database does not answer", |connection| {
            sqlx::query::<Db>("SELECT 1").execute(connection).await.map(drop)
        })?;
        Ok(start.elapsed())
    }

    async fn trim_events(&self, keep: u32) -> Result<u64, StoreError> {
        let _turn = self.upkeep.lock().await;
        let trimmed = self.trim(keep).await?;
        if trimmed > 0 {
            self.shrink().await?;
        }
        Ok(trimmed)
    }

    async fn retain(&self, rules: &Retention) -> Result<RetentionReport, StoreError> {
        self.run_retention(rules).await
    }

    async fn preview_retention(&self, rules: &Retention) -> Result<RetentionReport, StoreError> {
        self.preview(rules).await
    }

    async fn last_retention(&self) -> Result<Option<RetentionReport>, StoreError> {
        self.read_last_retention().await
    }

    async fn storage(&self) -> Result<Storage, StoreError> {
        self.read_storage().await
    }

    async fn set_aside_events(&self, limit: u32) -> Result<Vec<SetAside>, StoreError> {
        self.read_set_aside(limit).await
    }

    fn connections(&self) -> Option<Connections> {
        Some(self.backend.connections())
    }

    async fn close(&self) {
        self.backend.close().await;
    }
}
