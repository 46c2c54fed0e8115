//! What people have set for projects.

use crate::{
    SqlStore,
    pool::{Dialect, reading, writing},
    sql::setting as sql,
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    ProjectId, StoreError,
    store::{Change, SettingStore},
};
use sqlx::Connection;

const READ: &str = "cannot read settings";
const PUT: &str = "cannot change a setting";

#[async_trait]
impl SettingStore for SqlStore {
    async fn settings(&self, name: &str) -> Result<Vec<(ProjectId, String)>, StoreError> {
        let name = stored(name);
        let rows: Vec<(i64, String)> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::BY_NAME)).bind(name.clone()).fetch_all(connection).await
        })?;
        Ok(rows.into_iter().map(|(project, value)| (ProjectId(project), value)).collect())
    }

    async fn put_setting(&self, project: ProjectId, name: &str, value: Option<&str>) -> Result<bool, StoreError> {
        let (name, value) = (stored(name), value.map(stored));
        let is_there = writing!(self, PUT, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let there: Option<i64> =
                sqlx::query_scalar(Db::text(sql::IS_THERE)).bind(project.0).fetch_optional(&mut *tx).await?;
            let text = if value.is_some() { sql::PUT } else { sql::DELETE };
            let mut query = sqlx::query(Db::text(text)).bind(project.0).bind(name.clone());
            if let Some(value) = &value {
                query = query.bind(value.clone());
            }
            let done = query.execute(&mut *tx).await?;
            let is_there = there.is_some() && (value.is_none() || done.rows_affected() > 0);
            tx.commit().await.map(|()| is_there)
        })?;
        if is_there {
            self.announce([Change::Settings]).await;
        }
        Ok(is_there)
    }
}
