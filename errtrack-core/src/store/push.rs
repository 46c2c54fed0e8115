//! Browsers that members let be notified (web push), and the key that a push service knows this installation by.

use super::StoreError;
use crate::Timestamp;
use async_trait::async_trait;
use std::fmt;
use uuid::Uuid;

/// Keeps which browsers are notified, and one key for all processes.
#[async_trait]
pub trait PushStore: Send + Sync + 'static {
    /// The key that push services know this installation by: a document that the store does not look into. It is a secret.
    async fn push_key(&self) -> Result<Option<String>, StoreError>;

    /// Keeps that key if there is none yet, and answers the one that is kept. Of several that offer one at once, all get the
    /// same.
    async fn ensure_push_key(&self, key: &str) -> Result<String, StoreError>;

    /// The browsers of a member, in the order in which they came.
    async fn push_subscriptions(&self, member: Uuid) -> Result<Vec<PushSubscription>, StoreError>;

    /// The members who have a browser.
    async fn push_members(&self) -> Result<Vec<Uuid>, StoreError>;

    /// Adds a browser, or puts it in the place of the one with the same endpoint, whoever had that. Answers how it is kept: one
    /// that the member had already keeps its id and its age. `None`, and nothing is changed, if there is no such member, or one
    /// that is not active, or if the member has `most` others.
    async fn put_push_subscription(
        &self,
        subscription: &PushSubscription,
        most: u32,
    ) -> Result<Option<PushSubscription>, StoreError>;

    /// Takes a browser away from a member; `false` if the member has none such.
    async fn remove_push_subscription(&self, member: Uuid, id: Uuid) -> Result<bool, StoreError>;

    /// Notes what came of tries to reach browsers: when, and why not, if it did not arrive. One that is gone is left out.
    async fn note_pushes(&self, tries: &[(Uuid, Timestamp, Option<String>)]) -> Result<(), StoreError>;
}

/// A browser that a member lets be notified (RFC 8030). It goes with its member, and when that one is disabled.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSubscription {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub member: Uuid,
    /// Where messages for it go. Whoever knows it can send some, so it is not shown.
    pub endpoint: String,
    /// The browser's public key: a point on P-256, 65 bytes.
    pub key: Vec<u8>,
    /// The secret that it shares, 16 bytes.
    pub secret: Vec<u8>,
    /// What it is called, for people.
    pub label: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When a message was last taken for it.
    pub delivered_at: Option<Timestamp>,
    /// When one was last not taken; `None` once another one was.
    pub failed_at: Option<Timestamp>,
    /// Why not.
    pub error: Option<String>,
}

impl fmt::Debug for PushSubscription {
    /// Without what only the browser and this program may know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PushSubscription");
        shown.field("id", &self.id).field("member", &self.member).field("label", &self.label);
        shown.field("created_at", &self.created_at).field("delivered_at", &self.delivered_at);
        shown.field("failed_at", &self.failed_at).field("error", &self.error).finish_non_exhaustive()
    }
}
