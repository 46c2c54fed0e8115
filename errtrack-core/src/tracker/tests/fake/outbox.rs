//! Notifications of a store in memory.

use super::Fake;
use crate::{StoreError, Timestamp, notify::OutboxEntry, store::*};
use async_trait::async_trait;
use std::{collections::HashSet, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// A notification on its way, and who has it until when.
pub(crate) struct Outgoing {
    pub(crate) item: OutboxItem,
    lease: Option<(Uuid, Instant)>,
}

#[async_trait]
impl OutboxStore for Fake {
    async fn put_outbox(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError> {
        self.reach()?;
        let (made_at, mut data, mut new) = (self.now(), self.data(), 0);
        for entry in entries {
            if data.outbox.iter().all(|other| other.item.entry.key != entry.key) {
                let item = OutboxItem {
                    next_at: entry.due_at,
                    entry: entry.clone(),
                    state: OutboxState::Waiting,
                    attempts: 0,
                    made_at,
                    settled_at: None,
                    error: None,
                };
                data.outbox.push(Outgoing { item, lease: None });
                new += 1;
            }
        }
        Ok(new)
    }

    async fn due_channels(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        self.reach()?;
        let data = self.data();
        let due = data.outbox.iter().filter(|one| one.is_due(now)).map(|one| one.item.entry.channel.clone());
        Ok(due.collect::<std::collections::BTreeSet<_>>().into_iter().collect())
    }

    async fn lease_outbox(
        &self,
        node: Uuid,
        channel: &str,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        self.reach()?;
        let mut data = self.data();
        let (mut before, mut taken) = (HashSet::new(), Vec::new());
        for one in data.outbox.iter_mut().filter(|one| one.item.state == OutboxState::Waiting) {
            let entry = &one.item.entry;
            let is_first = before.insert((entry.channel.clone(), entry.ordering.clone())) || entry.ordering.is_empty();
            if is_first && entry.channel == channel && one.is_due(now) && taken.len() < limit as usize {
                one.lease = Some((node, Instant::now() + lease));
                one.item.attempts += 1;
                taken.push(one.item.clone());
            }
        }
        Ok(taken)
    }

    async fn settle_outbox(
        &self,
        node: Uuid,
        key: Uuid,
        came: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.reach()?;
        let mut data = self.data();
        let found = data.outbox.iter_mut().find(|one| one.item.entry.key == key);
        let Some(one) = found.filter(|one| one.item.state == OutboxState::Waiting) else { return Ok(false) };
        if *came != Settlement::Delivered && one.lease.is_none_or(|(has, _)| has != node) {
            return Ok(false);
        }
        one.lease = None;
        let item = &mut one.item;
        (item.state, item.settled_at, item.error) = match came {
            Settlement::Delivered => (OutboxState::Delivered, Some(now), None),
            Settlement::Again { at, error } => {
                item.next_at = *at;
                (OutboxState::Waiting, None, Some(error.clone()))
            }
            Settlement::Failed { error } => (OutboxState::Failed, Some(now), Some(error.clone())),
        };
        Ok(true)
    }

    async fn outbox(&self, _: &OutboxQuery) -> Result<Vec<OutboxItem>, StoreError> {
        unreachable!()
    }

    async fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StoreError> {
        unreachable!()
    }

    async fn retry_outbox(&self, _: Uuid, _: Timestamp) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn drop_outbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.reach()?;
        let mut data = self.data();
        let count = data.outbox.len();
        data.outbox.retain(|one| one.item.settled_at.is_none_or(|at| at >= before));
        Ok((count - data.outbox.len()) as u64)
    }
}

impl Outgoing {
    fn is_due(&self, now: Timestamp) -> bool {
        let is_free = self.lease.is_none_or(|(_, until)| until <= Instant::now());
        self.item.state == OutboxState::Waiting && self.item.next_at <= now && is_free
    }
}
