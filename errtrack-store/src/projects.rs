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
    store::{Change, NewProject, ProjectChange, ProjectStore},
};
use sqlx::Connection;
use uuid::Uuid;

const READ: &str = "cannot read projects";
const MAKE: &str = "cannot make a project";
const CHANGE: &str = "cannot change a project";
const KEY: &str = "cannot change the public keys of a project";

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

    async fn create_project(&self, project: &NewProject) -> Result<ProjectChange, StoreError> {
        let (slug, name) = (stored(&project.slug), stored(&project.name));
        let (platform, now) = (project.platform.as_deref().map(stored), Timestamp::now().as_micros());
        let asked = project.id.map(|id| id.0);
        let made = writing!(self, MAKE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let mut insert = sqlx::query_scalar(Db::text(if asked.is_some() { sql::CREATE_AS } else { sql::CREATE }));
            insert = insert.bind(slug.clone()).bind(name.clone()).bind(platform.clone()).bind(now);
            if let Some(id) = asked {
                // First, so that nobody is given it meanwhile.
                sqlx::query(Db::text(sql::RESERVE)).bind(id).execute(&mut *tx).await?;
                insert = insert.bind(id);
            }
            let made: Option<i64> = insert.fetch_optional(&mut *tx).await?;
            if let Some(id) = made {
                let key = Uuid::new_v4().simple().to_string();
                sqlx::query(Db::text(sql::INSERT_KEY)).bind(id).bind(key).execute(&mut *tx).await?;
            }
            tx.commit().await.map(|()| made.is_some())
        })?;
        let found = self.by_slug(&slug).await?;
        if made {
            self.announce([Change::Projects]).await;
            return Ok(found.map_or(ProjectChange::Gone, ProjectChange::Done));
        }
        Ok(if found.is_some() { ProjectChange::SlugTaken } else { ProjectChange::IdTaken })
    }

    async fn update_project(&self, project: &Project) -> Result<ProjectChange, StoreError> {
        let (slug, name) = (stored(&project.slug), stored(&project.name));
        let platform = project.platform.as_deref().map(stored);
        let changed = writing!(self, CHANGE, |connection| {
            let query = sqlx::query(Db::text(sql::UPDATE)).bind(project.id.0).bind(slug.clone()).bind(name.clone());
            query.bind(platform.clone()).execute(connection).await.map(|done| done.rows_affected() > 0)
        })?;
        let found = self.by_slug(&slug).await?;
        if changed {
            self.announce([Change::Projects]).await;
            return Ok(found.map_or(ProjectChange::Gone, ProjectChange::Done));
        }
        let is_other = found.is_some_and(|other| other.id != project.id);
        Ok(if is_other { ProjectChange::SlugTaken } else { ProjectChange::Gone })
    }

    async fn remove_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError> {
        let removed = writing!(self, KEY, |connection| {
            let query = sqlx::query(Db::text(sql::DELETE_KEY)).bind(project.0).bind(stored(key));
            query.execute(connection).await.map(|done| done.rows_affected() > 0)
        })?;
        if removed {
            self.announce([Change::Projects]).await;
        }
        Ok(removed)
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
