//! API keys.

use crate::{
    SqlStore,
    accounts::{read_hash, read_projects, write_projects},
    error::Doing,
    issues::read_uuid,
    pool::{Dialect, reading, writing},
    sql::key as sql,
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    ApiKey, Permission, StoreError, Timestamp,
    store::{Change, KeyStore},
};
use uuid::Uuid;

const READ: &str = "cannot read API keys";
const WRITE: &str = "cannot write an API key";

/// A key as SQL gives it.
type KeyRow = (Vec<u8>, Vec<u8>, String, String, String, Option<String>, Option<i64>, Option<i64>, i64, String);

#[async_trait]
impl KeyStore for SqlStore {
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows: Vec<KeyRow> =
            reading!(self, READ, |connection| sqlx::query_as(Db::text(sql::ALL)).fetch_all(connection).await)?;
        rows.into_iter().map(key).collect()
    }

    async fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let names: Vec<&str> = key.permissions.iter().map(|permission| permission.as_str()).collect();
        let permissions = serde_json::Value::from(names).to_string();
        writing!(self, WRITE, |connection| {
            let query = sqlx::query(Db::text(sql::ADD)).bind(key.id.as_bytes().to_vec()).bind(key.hash.0.to_vec());
            let query = query.bind(stored(&key.name)).bind(stored(&key.preview)).bind(permissions.clone());
            let query = query.bind(write_projects(key.projects.as_deref()));
            let query = query.bind(key.expires_at.map(Timestamp::as_micros));
            let query = query.bind(key.last_used.map(Timestamp::as_micros)).bind(key.created_at.as_micros());
            query.bind(stored(&key.created_by)).execute(connection).await.map(drop)
        })?;
        self.announce([Change::Accounts]).await;
        Ok(())
    }

    async fn delete_api_key(&self, id: Uuid) -> Result<bool, StoreError> {
        let deleted = writing!(self, WRITE, |connection| {
            let query = sqlx::query(Db::text(sql::DELETE)).bind(id.as_bytes().to_vec());
            query.execute(connection).await.map(|done| done.rows_affected())
        })? > 0;
        if deleted {
            self.announce([Change::Accounts]).await;
        }
        Ok(deleted)
    }

    async fn note_use(&self, keys: &[(Uuid, Timestamp)]) -> Result<(), StoreError> {
        self.note(sql::NOTE_USE, keys, WRITE).await
    }
}

fn key(row: KeyRow) -> Result<ApiKey, StoreError> {
    let (id, hash, name, preview, permissions, projects, expires_at, last_used, created_at, created_by) = row;
    let names: Vec<String> =
        serde_json::from_str(&permissions).map_err(|_| StoreError::corrupt("the permissions of a key are no list"))?;
    Ok(ApiKey {
        id: read_uuid(&id).doing(READ)?,
        hash: read_hash(hash)?,
        name,
        preview,
        // One that a newer program knows opens nothing here.
        permissions: names.iter().filter_map(|name| name.parse::<Permission>().ok()).collect(),
        projects: read_projects(projects.as_deref())?,
        expires_at: expires_at.map(Timestamp::from_micros),
        last_used: last_used.map(Timestamp::from_micros),
        created_at: Timestamp::from_micros(created_at),
        created_by,
    })
}
