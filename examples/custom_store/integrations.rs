//! Channels that people have set up.

use crate::store::MemoryStore;
use async_trait::async_trait;
use errtrack_core::{
    StoreError, Timestamp,
    store::{Change, Integration, IntegrationStore},
};

#[async_trait]
impl IntegrationStore for MemoryStore {
    async fn integrations(&self) -> Result<Vec<Integration>, StoreError> {
        Ok(self.lock()?.integrations.values().cloned().collect())
    }

    async fn put_integration(&self, name: &str, config: Option<&str>) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        match config {
            Some(config) => {
                let one = data.integrations.entry(name.to_owned()).or_insert_with(|| new(name));
                (one.config, one.changed_at) = (Some(config.to_owned()), Timestamp::now());
            }
            None if data.integrations.get(name).is_none_or(|one| one.config.is_none()) => return Ok(false),
            None => drop(data.integrations.remove(name)),
        }
        drop(data);
        self.feed.tell(Change::Settings);
        Ok(true)
    }

    async fn note_test(&self, name: &str, at: Timestamp, error: Option<&str>) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        let one = data.integrations.entry(name.to_owned()).or_insert_with(|| new(name));
        (one.tested_at, one.test_error) = (Some(at), error.map(str::to_owned));
        Ok(())
    }
}

fn new(name: &str) -> Integration {
    let changed_at = Timestamp::now();
    Integration { name: name.to_owned(), config: None, changed_at, tested_at: None, test_error: None }
}
