//! What processes on one database share: leases and balances.

use crate::{
    SqlStore,
    pool::{Dialect, reading, writing},
    sql::node as sql,
    tag::stored,
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
        let mut more: Vec<_> = more.iter().collect();
        // Rows are locked in the same order by all.
        more.sort_by_key(|(project, _)| *project);
        writing!(self, ADD, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            for (project, balance) in &more {
                let counters = counters(balance).into_iter();
                let query = sqlx::query(Db::text(sql::ADD_BALANCE)).bind(project.0);
                let query = counters.fold(query, |query, n| query.bind(i64::try_from(n).unwrap_or(i64::MAX)));
                query.execute(&mut *tx).await?;
            }
            tx.commit().await
        })
    }

    async fn balances(&self) -> Result<Vec<(ProjectId, Balance)>, StoreError> {
        let rows: Vec<BalanceRow> =
            reading!(self, READ, |connection| sqlx::query_as(Db::text(sql::BALANCES)).fetch_all(connection).await)?;
        Ok(rows.into_iter().map(balance).collect())
    }
}

#[async_trait]
impl LeaseStore for SqlStore {
    async fn lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, StoreError> {
        let name = stored(name);
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        let taken = writing!(self, LEASE, |connection| {
            let query = sqlx::query(Db::text(sql::LEASE)).bind(name.clone()).bind(holder.as_bytes().to_vec());
            query.bind(micros).execute(connection).await.map(|done| done.rows_affected())
        });
        Ok(taken? > 0)
    }

    async fn release(&self, name: &str, holder: Uuid) -> Result<(), StoreError> {
        let name = stored(name);
        writing!(self, LEASE, |connection| {
            let query = sqlx::query(Db::text(sql::RELEASE)).bind(name.clone()).bind(holder.as_bytes().to_vec());
            query.execute(connection).await.map(drop)
        })
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
