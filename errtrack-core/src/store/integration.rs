//! Channels that people have set up.

use super::StoreError;
use crate::Timestamp;
use async_trait::async_trait;

/// Keeps how channels are set up, and when each was last tried.
#[async_trait]
pub trait IntegrationStore: Send + Sync + 'static {
    /// Every channel of which something is known, by name.
    async fn integrations(&self) -> Result<Vec<Integration>, StoreError>;

    /// Sets a channel up, told as [`Change::Settings`](super::Change); or with `None` takes it away, and `false` says that there
    /// was none.
    async fn put_integration(&self, name: &str, config: Option<&str>) -> Result<bool, StoreError>;

    /// Notes that a channel was tried, and why it failed, if it did. It need not be one that is set up here.
    async fn note_test(&self, name: &str, at: Timestamp, error: Option<&str>) -> Result<(), StoreError>;
}

/// A channel that people have set up, or at least tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Its name.
    pub name: String,
    /// How it is set up, a JSON document; `None` for one that the program itself was told of. It holds secrets.
    pub config: Option<String>,
    /// When it was set up or changed.
    pub changed_at: Timestamp,
    /// When it was last tried.
    pub tested_at: Option<Timestamp>,
    /// Why that failed.
    pub test_error: Option<String>,
}
