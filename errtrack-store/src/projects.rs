//! Projects and their public keys.

use crate::{
    SqlStore,
    pool::{Dialect, reading, writing},
    sql::project as sql,
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    Project, ProjectId, StoreError, Timestamp,
    store::{Change, ProjectStore},
};
use sqlx::Connection;
use uuid::Uuid;

const READ: &str = "cannot read projects";
const MAKE: &str = "cannot make a project";
const KEY: &str = "cannot add a public key";

/// A project and one of its keys.
type ProjectRow = (i64, String, String, Option<String>, Option<String>);

#[async_trait]
impl ProjectStore for SqlStore {
    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        let rows = reading!(self, READ, |connection| sqlx::query_as(Db::text(sql::ALL)).fetch_all(connection).await)?;
        Ok(join(rows))
    }

    async fn ensure_project(&self, slug: &str) -> Result<Project, StoreError> {
        let name = stored(slug);
        if let Some(project) = self.by_slug(&name).await? {
            return Ok(project);
        }
        let now = Timestamp::now().as_micros();
        let made = writing!(self, MAKE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let insert = sqlx::query_scalar(Db::text(sql::INSERT)).bind(name.clone()).bind(now);
            let made: Option<i64> = insert.fetch_optional(&mut *tx).await?;
            // None if another caller was faster.
            if let Some(id) = made {
                let key = Uuid::new_v4().simple().to_string();
                sqlx::query(Db::text(sql::INSERT_KEY)).bind(id).bind(key).execute(&mut *tx).await?;
            }
            tx.commit().await.map(|()| made.is_some())
        })?;
        if made {
            self.announce([Change::Projects]).await;
        }
        let made = self.by_slug(&name).await?;
        made.ok_or_else(|| StoreError::corrupt("a project that was just made is not there"))
    }

    async fn add_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError> {
        let added = writing!(self, KEY, |connection| {
            let query = sqlx::query(Db::text(sql::INSERT_KEY)).bind(project.0).bind(stored(key));
            query.execute(connection).await.map(|done| done.rows_affected())
        });
        let added = added? > 0;
        if added {
            self.announce([Change::Projects]).await;
        }
        Ok(added)
    }

    async fn delete_project(&self, project: ProjectId) -> Result<bool, StoreError> {
        self.bury_project(project).await
    }
}

impl SqlStore {
    async fn by_slug(&self, slug: &str) -> Result<Option<Project>, StoreError> {
        let rows = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::BY_SLUG)).bind(slug.to_owned()).fetch_all(connection).await
        })?;
        Ok(join(rows).pop())
    }
}

fn join(rows: Vec<ProjectRow>) -> Vec<Project> {
    let mut projects: Vec<Project> = Vec::new();
    for (id, slug, name, platform, key) in rows {
        let id = ProjectId(id);
        if projects.last().is_none_or(|last| last.id != id) {
            projects.push(Project { id, slug, name, platform, public_keys: Vec::new() });
        }
        if let Some(project) = projects.last_mut() {
            project.public_keys.extend(key);
        }
    }
    projects
}
