//! What processes on one database share: leases and balances.

use crate::{
    SqlStore,
    error::Doing,
    pool::{Dialect, on},
    sql::node as sql,
};
use async_trait::async_trait;
use errtrack_core::{
    Balance, ProjectId, StoreError,
    store::{BalanceStore, LeaseStore},
};
use sqlx::Connection;
use std::time::Duration;
use uuid::Uuid;

const ADD: &str = "cannot add to a balance";
const READ: &str = "cannot read balances";
const LEASE: &str = "cannot take a lease";

/// A project and its counters.
type BalanceRow = (i64, i64, i64, i64, i64, i64, i64, i64, i64);

#[async_trait]
impl BalanceStore for SqlStore {
    async fn add_balances(&self, more: &[(ProjectId, Balance)]) -> Result<(), StoreError> {
        let mut writer = self.writer.lock(ADD).await?;
        let done = on!(&mut *writer, |connection| {
            let work = async {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                for (project, balance) in more {
                    let counters = counters(balance).into_iter();
                    let query = sqlx::query(sql::ADD_BALANCE).bind(project.0);
                    let query = counters.fold(query, |query, n| query.bind(i64::try_from(n).unwrap_or(i64::MAX)));
                    query.execute(&mut *tx).await?;
                }
                tx.commit().await
            };
            work.await
        });
        self.writer.check(done, ADD)
    }

    async fn balances(&self) -> Result<Vec<(ProjectId, Balance)>, StoreError> {
        let rows: Vec<BalanceRow> =
            on!(&self.readers, |pool| sqlx::query_as(sql::BALANCES).fetch_all(pool).await.doing(READ)?);
        Ok(rows.into_iter().map(balance).collect())
    }
}

#[async_trait]
impl LeaseStore for SqlStore {
    async fn lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, StoreError> {
        let name = name.to_owned();
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        let mut writer = self.writer.lock(LEASE).await?;
        let done = on!(&mut *writer, |connection| {
            let query = sqlx::query(sql::LEASE).bind(name).bind(holder.as_bytes().to_vec()).bind(micros);
            query.execute(connection).await
        });
        Ok(self.writer.check(done, LEASE)?.rows_affected() > 0)
    }

    async fn release(&self, name: &str, holder: Uuid) -> Result<(), StoreError> {
        let name = name.to_owned();
        let mut writer = self.writer.lock(LEASE).await?;
        let done = on!(&mut *writer, |connection| {
            sqlx::query(sql::RELEASE).bind(name).bind(holder.as_bytes().to_vec()).execute(connection).await
        });
        self.writer.check(done, LEASE).map(drop)
    }
}

/// In the order of the columns.
const fn counters(of: &Balance) -> [u64; 8] {
    let Balance { captured, stored, coalesced, sampled, ignored, limited, dropped_by_queue, dropped_by_store } = *of;
    [captured, stored, coalesced, sampled, ignored, limited, dropped_by_queue, dropped_by_store]
}

fn balance(row: BalanceRow) -> (ProjectId, Balance) {
    let (project, captured, stored, coalesced, sampled, ignored, limited, by_queue, by_store) = row;
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let balance = Balance {
        captured: count(captured),
        stored: count(stored),
        coalesced: count(coalesced),
        sampled: count(sampled),
        ignored: count(ignored),
        limited: count(limited),
        dropped_by_queue: count(by_queue),
        dropped_by_store: count(by_store),
    };
    (ProjectId(project), balance)
}
