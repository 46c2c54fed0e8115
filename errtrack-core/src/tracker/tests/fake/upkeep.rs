//! What a store in memory does beside.

use super::Fake;
use crate::{Condition, IssueId, ProjectId, StoreError, Timestamp, store::*};
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::Instant;

impl Feed for Fake {
    fn changes(&self) -> Changes {
        LocalFeed::default().listen()
    }
}

#[async_trait]
impl Upkeep for Fake {
    async fn ping(&self) -> Result<Duration, StoreError> {
        self.reach().map(|()| Duration::ZERO)
    }

    async fn trim_events(&self, _: u32) -> Result<u64, StoreError> {
        self.reach()?;
        self.data().trims.push(Instant::now());
        Ok(0)
    }

    async fn retain(&self, _: &Retention) -> Result<RetentionReport, StoreError> {
        self.reach()?;
        let takes = self.data().retention_takes;
        let at = self.now();
        tokio::time::sleep(takes).await;
        let report = RetentionReport { at, ..RetentionReport::default() };
        let mut data = self.data();
        data.retentions.push(Instant::now());
        data.last = Some(report);
        Ok(report)
    }

    async fn preview_retention(&self, _: &Retention) -> Result<RetentionReport, StoreError> {
        Ok(RetentionReport { old_events: 7, ..RetentionReport::default() })
    }

    async fn last_retention(&self) -> Result<Option<RetentionReport>, StoreError> {
        Ok(self.data().last)
    }

    async fn storage(&self) -> Result<Storage, StoreError> {
        Ok(Storage::default())
    }

    async fn set_aside_events(&self, _: u32) -> Result<Vec<SetAside>, StoreError> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}

#[async_trait]
impl TriageStore for Fake {
    async fn set_condition(&self, _: &[IssueId], _: &Condition) -> Result<u64, StoreError> {
        unreachable!()
    }

    async fn unignore(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn latest_release(&self, _: ProjectId) -> Result<Option<String>, StoreError> {
        unreachable!()
    }

    async fn comments(&self, _: IssueId) -> Result<Vec<Comment>, StoreError> {
        unreachable!()
    }

    async fn add_comment(&self, _: IssueId, _: &str, _: &str) -> Result<Option<Comment>, StoreError> {
        unreachable!()
    }
}
