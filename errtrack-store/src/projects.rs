//! Projects and their public keys.

use crate::{
    SqlStore,
    error::Doing,
    pool::{Dialect, on},
    sql::project as sql,
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
        let rows = on!(&self.readers, |pool| sqlx::query_as(sql::ALL).fetch_all(pool).await.doing(READ)?);
        Ok(join(rows))
    }

    async fn ensure_project(&self, slug: &str) -> Result<Project, StoreError> {
        if let Some(project) = self.by_slug(slug).await? {
            return Ok(project);
        }
        let name = slug.to_owned();
        let now = Timestamp::now().as_micros();
        let mut writer = self.writer.lock(MAKE).await?;
        let done = on!(&mut *writer, |connection| {
            let work = async {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                let made: Option<i64> =
                    sqlx::query_scalar(sql::INSERT).bind(name).bind(now).fetch_optional(&mut *tx).await?;
                // None if another caller was faster.
                if let Some(id) = made {
                    let key = Uuid::new_v4().simple().to_string();
                    sqlx::query(sql::INSERT_KEY).bind(id).bind(key).execute(&mut *tx).await?;
                }
                tx.commit().await?;
                Ok(made.is_some())
            };
            work.await
        });
        drop(writer);
        if self.writer.check(done, MAKE)? {
            self.feed.tell(Change::Projects);
        }
        let made = self.by_slug(slug).await?;
        made.ok_or_else(|| StoreError::corrupt("a project that was just made is not there"))
    }

    async fn add_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError> {
        let key = key.to_owned();
        let mut writer = self.writer.lock(KEY).await?;
        let done = on!(&mut *writer, |connection| {
            sqlx::query(sql::INSERT_KEY).bind(project.0).bind(key).execute(connection).await
        });
        let added = self.writer.check(done, KEY)?.rows_affected() > 0;
        if added {
            self.feed.tell(Change::Projects);
        }
        Ok(added)
    }

    async fn delete_project(&self, project: ProjectId) -> Result<bool, StoreError> {
        self.bury_project(project).await
    }
}

impl SqlStore {
    async fn by_slug(&self, slug: &str) -> Result<Option<Project>, StoreError> {
        let rows = on!(&self.readers, |pool| {
            sqlx::query_as(sql::BY_SLUG).bind(slug.to_owned()).fetch_all(pool).await.doing(READ)?
        });
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
