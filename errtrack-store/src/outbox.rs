//! Notifications on their way.

use crate::{
    SqlStore,
    delete::STEP,
    link::{Link, Value},
    pool::{Dialect, reading, writing},
    sql::outbox as sql,
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    StoreError, Timestamp,
    notify::OutboxEntry,
    store::{OutboxCount, OutboxItem, OutboxQuery, OutboxState, OutboxStore, Settlement},
};
use sqlx::{Connection, Error};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

const READ: &str = "cannot read the outbox";
const PUT: &str = "cannot write to the outbox";

/// Writes entries within a transaction; answers how many are new.
pub(crate) async fn insert<C: Link>(connection: &mut C, entries: &[OutboxEntry], now: Timestamp) -> Result<u64, Error> {
    if entries.is_empty() {
        return Ok(0);
    }
    let json = |value: serde_json::Result<String>| value.map_err(|error| Error::Encode(error.into()));
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        let recipients = json(serde_json::to_string(&entry.recipients))?;
        let notification = json(serde_json::to_string(&entry.notification))?;
        let (key, firing) = (name(entry.key), entry.firing.map(name));
        let (channel, ordering) = (stored(&entry.channel), stored(&entry.ordering));
        rows.push((key, channel, recipients, ordering, firing, entry.due_at.as_micros(), notification));
    }
    let values = vec![Value::Text(json(serde_json::to_string(&rows))?), Value::Number(now.as_micros())];
    let new: Vec<[i64; 1]> = connection.rows(sql::INSERT, values).await?;
    Ok(new.len() as u64)
}

#[async_trait]
impl OutboxStore for SqlStore {
    async fn put_outbox(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError> {
        let now = Timestamp::now();
        writing!(self, PUT, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let new = insert(&mut *tx, entries, now).await?;
            tx.commit().await.map(|()| new)
        })
    }

    async fn due_channels(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        reading!(self, READ, |connection| {
            sqlx::query_scalar(Db::text(sql::DUE_CHANNELS)).bind(now.as_micros()).fetch_all(connection).await
        })
    }

    async fn lease_outbox(
        &self,
        node: Uuid,
        channel: &str,
        now: Timestamp,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        let (node, channel) = (name(node), stored(channel));
        let lease = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        let mut rows: Vec<Row> = writing!(self, PUT, |connection| {
            let query = sqlx::query_as(Db::text(sql::LEASE)).bind(node.clone()).bind(channel.clone());
            query.bind(now.as_micros()).bind(i64::from(limit)).bind(lease).fetch_all(connection).await
        })?;
        rows.sort_by_key(|row| (row.11, row.0));
        Ok(rows.into_iter().filter_map(item).collect())
    }

    async fn settle_outbox(
        &self,
        node: Uuid,
        key: Uuid,
        came: &Settlement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (node, key, now) = (name(node), name(key), now.as_micros());
        let (state, next, settled, error) = match came {
            Settlement::Delivered => (OutboxState::Delivered, None, Some(now), None),
            Settlement::Again { at, error } => (OutboxState::Waiting, Some(at.as_micros()), None, Some(stored(error))),
            Settlement::Failed { error } => (OutboxState::Failed, None, Some(now), Some(stored(error))),
        };
        let done = writing!(self, PUT, |connection| {
            let query = sqlx::query(Db::text(sql::SETTLE)).bind(key.clone()).bind(node.clone()).bind(state.to_number());
            let query = query.bind(next).bind(settled).bind(error.clone());
            query.execute(connection).await.map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }

    async fn outbox(&self, query: &OutboxQuery) -> Result<Vec<OutboxItem>, StoreError> {
        let text = match query {
            OutboxQuery { firing: Some(_), .. } => sql::OF_FIRING,
            OutboxQuery { state: Some(OutboxState::Failed), .. } => sql::FAILED,
            _ => sql::NEWEST,
        };
        let (firing, state) = (query.firing.map(name), query.state.map(OutboxState::to_number));
        let channel = query.channel.as_deref().map(stored);
        let rows: Vec<Row> = reading!(self, READ, |connection| {
            let rows = sqlx::query_as(Db::text(text)).bind(firing.clone()).bind(state).bind(channel.clone());
            rows.bind(i64::from(query.limit)).fetch_all(connection).await
        })?;
        Ok(rows.into_iter().filter_map(item).collect())
    }

    async fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StoreError> {
        let rows: Vec<(String, i64, i64)> =
            reading!(self, READ, |connection| sqlx::query_as(Db::text(sql::COUNTS)).fetch_all(connection).await)?;
        let mut counts: BTreeMap<String, OutboxCount> = BTreeMap::new();
        for (channel, state, count) in rows {
            let entry = counts.entry(channel.clone()).or_insert(OutboxCount { channel, ..OutboxCount::default() });
            let count = u64::try_from(count).unwrap_or_default();
            if OutboxState::from_number(state) == OutboxState::Waiting {
                entry.waiting = count;
            } else {
                entry.failed = count;
            }
        }
        Ok(counts.into_values().collect())
    }

    async fn retry_outbox(&self, key: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let key = name(key);
        let done = writing!(self, PUT, |connection| {
            let query = sqlx::query(Db::text(sql::RETRY)).bind(key.clone()).bind(now.as_micros());
            query.execute(connection).await.map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }

    async fn drop_outbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let step = self.step(sql::DROP, &[before.as_micros(), STEP]).await?;
            if step == 0 {
                return Ok(dropped);
            }
            dropped += step;
        }
    }
}

/// An entry as SQL gives it, in the order of the statements' columns.
type Row =
    (i64, String, String, String, String, Option<String>, i64, String, i64, i64, i64, i64, Option<i64>, Option<String>);

/// `None` for one that cannot be read, so that it does not hold up others.
fn item(row: Row) -> Option<OutboxItem> {
    let (_, key, channel, recipients, ordering, firing, due_at, notification, state, attempts, ..) = row;
    let (.., made_at, next_at, settled_at, error) = row;
    let entry = OutboxEntry {
        key: Uuid::try_parse(&key).ok()?,
        channel,
        recipients: serde_json::from_str(&recipients).ok()?,
        ordering,
        firing: firing.as_deref().and_then(|firing| Uuid::try_parse(firing).ok()),
        due_at: Timestamp::from_micros(due_at),
        notification: serde_json::from_str(&notification).ok()?,
    };
    Some(OutboxItem {
        entry,
        state: OutboxState::from_number(state),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        made_at: Timestamp::from_micros(made_at),
        next_at: Timestamp::from_micros(next_at),
        settled_at: settled_at.map(Timestamp::from_micros),
        error,
    })
}

fn name(id: Uuid) -> String {
    id.simple().to_string()
}
