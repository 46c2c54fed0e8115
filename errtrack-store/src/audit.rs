//! The audit log.

use crate::{
    SqlStore,
    pool::{Dialect, reading, writing},
    sql::audit as sql,
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    AuditEntry, ProjectId, StoreError, Timestamp,
    store::{AuditStore, MAX_AUDIT_ENTRIES},
};
use sqlx::Connection;

const READ: &str = "cannot read the audit log";
const WRITE: &str = "cannot write the audit log";

/// An entry as SQL gives it.
type Row = (i64, i64, String, String, String, String, Option<i64>, Option<String>);

#[async_trait]
impl AuditStore for SqlStore {
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let query = sqlx::query(Db::text(sql::ADD)).bind(entry.at.as_micros()).bind(stored(&entry.who));
            let query = query.bind(stored(&entry.action)).bind(stored(&entry.target)).bind(stored(&entry.details));
            let query = query.bind(entry.project.map(|project| project.0));
            query.bind(entry.address.map(|address| address.to_string())).execute(&mut *tx).await?;
            sqlx::query(Db::text(sql::TRIM)).bind(MAX_AUDIT_ENTRIES).execute(&mut *tx).await?;
            tx.commit().await
        })
    }

    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let rows: Vec<Row> = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::PAGE)).bind(before.unwrap_or(i64::MAX));
            query.bind(i64::from(limit)).fetch_all(connection).await
        })?;
        Ok(rows.into_iter().map(entry).collect())
    }
}

fn entry((id, at, who, action, target, details, project, address): Row) -> AuditEntry {
    AuditEntry {
        id,
        at: Timestamp::from_micros(at),
        who,
        action,
        target,
        details,
        project: project.map(ProjectId),
        address: address.and_then(|address| address.parse().ok()),
    }
}
