//! What processes on one database share. Nobody else has this one, but a tracker asks all the same.

use crate::store::MemoryStore;
use async_trait::async_trait;
use errtrack_core::{
    Balance, ProjectId, StoreError, Timestamp,
    store::{BalanceStore, Changes, Feed, LeaseStore},
};
use std::time::Duration;
use uuid::Uuid;

#[async_trait]
impl BalanceStore for MemoryStore {
    async fn add_balances(&self, more: &[(ProjectId, Balance)]) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        for (project, balance) in more {
            if data.projects.contains_key(project) {
                *data.balances.entry(*project).or_default() += *balance;
            }
        }
        Ok(())
    }

    async fn balances(&self) -> Result<Vec<(ProjectId, Balance)>, StoreError> {
        Ok(self.lock()?.balances.iter().map(|(project, balance)| (*project, *balance)).collect())
    }
}

#[async_trait]
impl LeaseStore for MemoryStore {
    async fn lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let now = Timestamp::now();
        if data.leases.get(name).is_some_and(|(other, ends)| *other != holder && *ends > now) {
            return Ok(false);
        }
        data.leases.insert(name.to_owned(), (holder, now.plus(duration)));
        Ok(true)
    }

    async fn release(&self, name: &str, holder: Uuid) -> Result<(), StoreError> {
        self.lock()?.leases.retain(|other, (has, _)| other != name || *has != holder);
        Ok(())
    }
}

impl Feed for MemoryStore {
    fn changes(&self) -> Changes {
        self.feed.listen()
    }
}
