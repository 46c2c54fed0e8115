//! Alert rules and series of a store in memory.

use super::Fake;
use crate::{
    IssueId, ProjectId, StoreError, Timestamp,
    alert::{AlertRule, Firing, Signal},
    notify::Trigger,
    store::*,
};
use async_trait::async_trait;
use uuid::Uuid;

#[async_trait]
impl SeriesStore for Fake {
    async fn put_points(&self, points: &[SeriesPoint]) -> Result<(), StoreError> {
        self.reach()?;
        self.data().points.extend_from_slice(points);
        Ok(())
    }

    async fn points(&self, _: &SeriesQuery) -> Result<Vec<SeriesPoint>, StoreError> {
        self.reach()?;
        Ok(self.data().points.clone())
    }

    async fn drop_points(&self, _: Series, _: i64, _: i64) -> Result<u64, StoreError> {
        self.reach()?;
        Ok(0)
    }
}

#[async_trait]
impl AlertStore for Fake {
    async fn alert_rules(&self) -> Result<Vec<AlertRule>, StoreError> {
        let mut data = self.data();
        data.alert_rules_read += 1;
        Ok(data.alert_rules.clone())
    }

    async fn put_alert_rule(&self, _: &AlertRule) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn delete_alert_rule(&self, _: Uuid) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn firings(&self, _: &FiringQuery) -> Result<Vec<Firing>, StoreError> {
        unreachable!()
    }

    async fn last_firings(&self, _: &[IssueId], _: Timestamp) -> Result<Vec<(Uuid, IssueId, Timestamp)>, StoreError> {
        unreachable!()
    }

    async fn signals(&self, _: u32) -> Result<Vec<Signal>, StoreError> {
        Ok(Vec::new())
    }

    async fn past_signals(
        &self,
        _: Trigger,
        _: Option<&[ProjectId]>,
        _: Timestamp,
        _: u32,
    ) -> Result<(Timestamp, Vec<Signal>), StoreError> {
        unreachable!()
    }

    async fn alert_state(&self) -> Result<AlertState, StoreError> {
        Ok(AlertState::default())
    }

    async fn fire(&self, _: &Evaluation) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn tallies(&self, _: &TallyQuery) -> Result<Vec<Tally>, StoreError> {
        Ok(Vec::new())
    }
}
