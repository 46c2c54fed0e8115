//! Channels that people have set up.

use crate::{
    SqlStore,
    pool::{Dialect, reading, writing},
    sql::integration as sql,
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    StoreError, Timestamp,
    store::{Change, Integration, IntegrationStore},
};

const READ: &str = "cannot read integrations";
const PUT: &str = "cannot change an integration";

/// An integration as SQL gives it.
type Row = (String, Option<String>, i64, Option<i64>, Option<String>);

#[async_trait]
impl IntegrationStore for SqlStore {
    async fn integrations(&self) -> Result<Vec<Integration>, StoreError> {
        let rows: Vec<Row> =
            reading!(self, READ, |connection| sqlx::query_as(Db::text(sql::ALL)).fetch_all(connection).await)?;
        let integration = |(name, config, changed_at, tested_at, test_error): Row| Integration {
            name,
            config,
            changed_at: Timestamp::from_micros(changed_at),
            tested_at: tested_at.map(Timestamp::from_micros),
            test_error,
        };
        Ok(rows.into_iter().map(integration).collect())
    }

    async fn put_integration(&self, name: &str, config: Option<&str>) -> Result<bool, StoreError> {
        let (name, config, now) = (stored(name), config.map(stored), Timestamp::now().as_micros());
        let done = writing!(self, PUT, |connection| {
            let done = match &config {
                Some(config) => {
                    let query = sqlx::query(Db::text(sql::PUT)).bind(name.clone()).bind(config.clone());
                    query.bind(now).execute(connection).await
                }
                None => sqlx::query(Db::text(sql::DELETE)).bind(name.clone()).execute(connection).await,
            };
            done.map(|done| done.rows_affected())
        })?;
        if done > 0 {
            self.announce([Change::Settings]).await;
        }
        Ok(done > 0)
    }

    async fn note_test(&self, name: &str, at: Timestamp, error: Option<&str>) -> Result<(), StoreError> {
        let (name, error) = (stored(name), error.map(stored));
        writing!(self, PUT, |connection| {
            let query = sqlx::query(Db::text(sql::NOTE_TEST)).bind(name.clone()).bind(at.as_micros());
            query.bind(error.clone()).execute(connection).await.map(drop)
        })
    }
}
