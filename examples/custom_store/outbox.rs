//! Notifications on their way.

use crate::{
    data::{Data, Outgoing},
    issues::size,
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    StoreError, Timestamp,
    notify::{Notification, OutboxEntry, Trigger},
    store::{OutboxCount, OutboxItem, OutboxQuery, OutboxState, OutboxStore, Settlement},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};
use uuid::Uuid;

impl Outgoing {
    fn waits(&self) -> bool {
        self.item.state == OutboxState::Waiting
    }

    /// Whether it can be taken, as far as its time goes.
    fn is_due(&self, now: Timestamp) -> bool {
        let is_free = self.lease.is_none_or(|(_, until)| until <= Timestamp::now());
        self.waits() && self.item.next_at <= now && is_free
    }
}

impl Data {
    /// Adds entries; answers how many are new.
    pub(crate) fn send(&mut self, entries: &[OutboxEntry]) -> u64 {
        let before = self.outbox.len();
        for entry in entries {
            if self.outbox.iter().all(|other| other.item.entry.key != entry.key) {
                let item = OutboxItem {
                    entry: entry.clone(),
                    state: OutboxState::Waiting,
                    attempts: 0,
                    made_at: Timestamp::now(),
                    next_at: entry.due_at,
                    settled_at: None,
                    error: None,
                };
                self.outbox.push(Outgoing { item, lease: None });
            }
        }
        (self.outbox.len() - before) as u64
    }
}

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn put_outbox(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError> {
        let mut data = self.lock()?;
        Ok(data.send(entries))
    }

    async fn due_channels(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let data = self.lock()?;
        let due = data.outbox.iter().filter(|one| one.is_due(now)).map(|one| one.item.entry.channel.clone());
        Ok(due.collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn lease_outbox(
        &self,
        node: Uuid,
        channel: &str,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        let until = Timestamp::now().plus(lease);
        let mut data = self.lock()?;
        let mut orderings = HashSet::new();
        let of_channel = data.outbox.iter_mut().filter(|one| one.waits() && one.item.entry.channel == channel);
        let mut due: Vec<&mut Outgoing> = of_channel
            .filter(|one| one.item.entry.ordering.is_empty() || orderings.insert(one.item.entry.ordering.clone()))
            .filter(|one| one.is_due(now))
            .collect();
        due.sort_by_key(|one| one.item.next_at);
        let take = |one: &mut Outgoing| {
            one.lease = Some((node, until));
            one.item.attempts += 1;
            one.item.clone()
        };
        Ok(due.into_iter().take(size(limit)).map(take).collect())
    }

    async fn settle_outbox(
        &self,
        node: Uuid,
        key: Uuid,
        came: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let may_settle = |one: &Outgoing| {
            let has_it = one.lease.is_some_and(|(holder, _)| holder == node);
            one.waits() && (has_it || *came == Settlement::Delivered)
        };
        let found = data.outbox.iter_mut().find(|one| one.item.entry.key == key);
        let Some(one) = found.filter(|one| may_settle(one)) else { return Ok(false) };
        one.lease = None;
        let item = &mut one.item;
        if *came == Settlement::Delivered && item.entry.notification.trigger == Trigger::Digest {
            item.entry.notification = Notification { trigger: Trigger::Digest, ..Notification::default() };
        }
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

    async fn outbox(&self, query: &OutboxQuery) -> Result<Vec<OutboxItem>, StoreError> {
        let data = self.lock()?;
        let items = data.outbox.iter().rev().map(|one| &one.item).filter(|item| {
            query.state.is_none_or(|state| item.state == state)
                && query.channel.as_ref().is_none_or(|channel| item.entry.channel == *channel)
                && query.firing.is_none_or(|firing| item.entry.firing == Some(firing))
        });
        Ok(items.take(size(query.limit)).cloned().collect())
    }

    async fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StoreError> {
        let mut counts: BTreeMap<String, OutboxCount> = BTreeMap::new();
        for Outgoing { item, .. } in &self.lock()?.outbox {
            if item.state != OutboxState::Delivered {
                let channel = item.entry.channel.clone();
                let count = counts.entry(channel.clone()).or_insert(OutboxCount { channel, ..OutboxCount::default() });
                if item.state == OutboxState::Waiting { count.waiting += 1 } else { count.failed += 1 }
            }
        }
        Ok(counts.into_values().collect())
    }

    async fn retry_outbox(&self, key: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let found = data.outbox.iter_mut().find(|one| one.item.entry.key == key);
        let Some(one) = found.filter(|one| one.item.state == OutboxState::Failed) else { return Ok(false) };
        let item = &mut one.item;
        (item.state, item.attempts, item.next_at, item.settled_at) = (OutboxState::Waiting, 0, now, None);
        Ok(true)
    }

    async fn drop_outbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut data = self.lock()?;
        let count = data.outbox.len();
        data.outbox.retain(|one| one.item.settled_at.is_none_or(|at| at >= before));
        Ok((count - data.outbox.len()) as u64)
    }
}
