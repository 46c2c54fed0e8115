//! Browsers that members let be notified.

use crate::{
    SqlStore,
    error::Doing,
    issues::read_uuid,
    pool::{Dialect, reading, writing},
    sql::{account, push as sql},
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    MemberStatus, StoreError, Timestamp,
    store::{PushStore, PushSubscription},
};
use sqlx::Connection;
use uuid::Uuid;

const READ: &str = "cannot read which browsers are notified";
const PUT: &str = "cannot change which browsers are notified";

/// A subscription as SQL gives it.
type Row = (Vec<u8>, Vec<u8>, String, Vec<u8>, Vec<u8>, String, i64, Option<i64>, Option<i64>, Option<String>);

#[async_trait]
impl PushStore for SqlStore {
    async fn push_key(&self) -> Result<Option<String>, StoreError> {
        reading!(self, READ, |connection| sqlx::query_scalar(Db::text(sql::KEY)).fetch_optional(connection).await)
    }

    async fn ensure_push_key(&self, key: &str) -> Result<String, StoreError> {
        let key = stored(key);
        writing!(self, PUT, |connection| {
            sqlx::query(Db::text(sql::OFFER_KEY)).bind(key.clone()).execute(&mut *connection).await?;
            sqlx::query_scalar(Db::text(sql::KEY)).fetch_one(connection).await
        })
    }

    async fn push_subscriptions(&self, member: Uuid) -> Result<Vec<PushSubscription>, StoreError> {
        let rows: Vec<Row> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::OF_MEMBER)).bind(member.as_bytes().to_vec()).fetch_all(connection).await
        })?;
        rows.into_iter().map(subscription).collect()
    }

    async fn push_members(&self) -> Result<Vec<Uuid>, StoreError> {
        let ids: Vec<Vec<u8>> =
            reading!(self, READ, |connection| sqlx::query_scalar(Db::text(sql::MEMBERS)).fetch_all(connection).await)?;
        ids.iter().map(|id| read_uuid(id).doing(READ)).collect()
    }

    async fn put_push_subscription(
        &self,
        new: &PushSubscription,
        most: u32,
    ) -> Result<Option<PushSubscription>, StoreError> {
        let (id, member) = (new.id.as_bytes().to_vec(), new.member.as_bytes().to_vec());
        let (endpoint, label) = (stored(&new.endpoint), stored(&new.label));
        let row: Option<Row> = writing!(self, PUT, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            // Whoever adds another one, or disables the member, waits until this is done.
            let status: Option<String> = sqlx::query_scalar(Db::text(account::LOCK_STATUS))
                .bind(member.clone())
                .fetch_optional(&mut *tx)
                .await?;
            let query = sqlx::query_scalar(Db::text(sql::OTHERS)).bind(member.clone()).bind(endpoint.clone());
            let others: i64 = query.fetch_one(&mut *tx).await?;
            if status.as_deref() != Some(MemberStatus::Active.as_str()) || others >= i64::from(most) {
                return tx.rollback().await.map(|()| None);
            }
            let query = sqlx::query_as(Db::text(sql::PUT)).bind(id.clone()).bind(member.clone());
            let query = query.bind(endpoint.clone()).bind(new.key.clone()).bind(new.secret.clone());
            let row = query.bind(label.clone()).bind(new.created_at.as_micros()).fetch_one(&mut *tx).await?;
            tx.commit().await.map(|()| Some(row))
        })?;
        row.map(subscription).transpose()
    }

    async fn remove_push_subscription(&self, member: Uuid, id: Uuid) -> Result<bool, StoreError> {
        let removed = writing!(self, PUT, |connection| {
            let query = sqlx::query(Db::text(sql::REMOVE)).bind(member.as_bytes().to_vec());
            query.bind(id.as_bytes().to_vec()).execute(connection).await.map(|done| done.rows_affected())
        })?;
        Ok(removed > 0)
    }

    async fn note_pushes(&self, tries: &[(Uuid, Timestamp, Option<String>)]) -> Result<(), StoreError> {
        writing!(self, PUT, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            for (id, at, error) in tries {
                let query = sqlx::query(Db::text(sql::NOTE)).bind(id.as_bytes().to_vec()).bind(at.as_micros());
                query.bind(error.as_deref().map(stored)).execute(&mut *tx).await?;
            }
            tx.commit().await
        })
    }
}

fn subscription(row: Row) -> Result<PushSubscription, StoreError> {
    let (id, member, endpoint, key, secret, label, created_at, delivered_at, failed_at, error) = row;
    Ok(PushSubscription {
        id: read_uuid(&id).doing(READ)?,
        member: read_uuid(&member).doing(READ)?,
        endpoint,
        key,
        secret,
        label,
        created_at: Timestamp::from_micros(created_at),
        delivered_at: delivered_at.map(Timestamp::from_micros),
        failed_at: failed_at.map(Timestamp::from_micros),
        error,
    })
}
