//! Projects, and what people have set for them.

use crate::{data::Shelf, store::MemoryStore};
use async_trait::async_trait;
use errtrack_core::{
    Project, ProjectId, StoreError,
    store::{Change, NewProject, ProjectChange, ProjectStore, SettingStore},
};
use uuid::Uuid;

#[async_trait]
impl ProjectStore for MemoryStore {
    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        Ok(self.lock()?.projects.values().map(|shelf| shelf.project.clone()).collect())
    }

    async fn ensure_project(&self, slug: &str) -> Result<Project, StoreError> {
        let mut data = self.lock()?;
        if let Some(shelf) = data.projects.values().find(|shelf| shelf.project.slug == slug) {
            return Ok(shelf.project.clone());
        }
        data.last_project += 1;
        let project = Project {
            id: ProjectId(data.last_project),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            platform: None,
            public_keys: vec![Uuid::new_v4().simple().to_string()],
        };
        data.projects.insert(project.id, Shelf { project: project.clone(), numbers: 0 });
        drop(data);
        self.feed.tell(Change::Projects);
        Ok(project)
    }

    async fn create_project(&self, new: &NewProject) -> Result<ProjectChange, StoreError> {
        let mut data = self.lock()?;
        if data.projects.values().any(|shelf| shelf.project.slug == new.slug) {
            return Ok(ProjectChange::SlugTaken);
        }
        let id = new.id.unwrap_or(ProjectId(data.last_project + 1));
        if data.projects.contains_key(&id) {
            return Ok(ProjectChange::IdTaken);
        }
        data.last_project = data.last_project.max(id.0);
        let project = Project {
            id,
            slug: new.slug.clone(),
            name: new.name.clone(),
            platform: new.platform.clone(),
            public_keys: vec![Uuid::new_v4().simple().to_string()],
        };
        data.projects.insert(id, Shelf { project: project.clone(), numbers: 0 });
        drop(data);
        self.feed.tell(Change::Projects);
        Ok(ProjectChange::Done(project))
    }

    async fn update_project(&self, new: &Project) -> Result<ProjectChange, StoreError> {
        let mut data = self.lock()?;
        if data.projects.values().any(|shelf| shelf.project.slug == new.slug && shelf.project.id != new.id) {
            return Ok(ProjectChange::SlugTaken);
        }
        let Some(shelf) = data.projects.get_mut(&new.id) else { return Ok(ProjectChange::Gone) };
        let project = &mut shelf.project;
        (project.slug, project.name) = (new.slug.clone(), new.name.clone());
        project.platform = new.platform.clone();
        let project = project.clone();
        for entry in data.groups.values_mut().filter(|entry| entry.issue.project == project.id) {
            entry.issue.project_slug = project.slug.clone();
        }
        drop(data);
        self.feed.tell(Change::Projects);
        Ok(ProjectChange::Done(project))
    }

    async fn remove_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let Some(shelf) = data.projects.get_mut(&project) else { return Ok(false) };
        let before = shelf.project.public_keys.len();
        shelf.project.public_keys.retain(|other| other != key);
        let removed = shelf.project.public_keys.len() < before;
        drop(data);
        if removed {
            self.feed.tell(Change::Projects);
        }
        Ok(removed)
    }

    async fn add_public_key(&self, project: ProjectId, key: &str) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        if data.projects.values().any(|shelf| shelf.project.public_keys.iter().any(|other| other == key)) {
            return Ok(false);
        }
        let shelf = data.projects.get_mut(&project);
        let shelf = shelf.ok_or_else(|| StoreError::other(format!("there is no project {project}")))?;
        shelf.project.public_keys.push(key.to_owned());
        drop(data);
        self.feed.tell(Change::Projects);
        Ok(true)
    }

    async fn delete_project(&self, project: ProjectId) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        if data.projects.remove(&project).is_none() {
            return Ok(false);
        }
        data.delete_issues(|issue| issue.project == project);
        data.balances.remove(&project);
        data.releases.retain(|(of, _), _| *of != project);
        data.incidents.retain(|case| case.incident.project != Some(project));
        data.figures.forget(project);
        data.alerts.forget(project);
        data.settings.retain(|(_, of), _| *of != project);
        data.set_aside.retain(|aside| aside.event.project != project);
        drop(data);
        self.feed.tell(Change::Projects);
        Ok(true)
    }
}

#[async_trait]
impl SettingStore for MemoryStore {
    async fn settings(&self, name: &str) -> Result<Vec<(ProjectId, String)>, StoreError> {
        let data = self.lock()?;
        let named = data.settings.iter().filter(|((other, _), _)| other == name);
        Ok(named.map(|((_, project), value)| (*project, value.clone())).collect())
    }

    async fn put_setting(&self, project: ProjectId, name: &str, value: Option<&str>) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        if !data.projects.contains_key(&project) {
            return Ok(false);
        }
        let key = (name.to_owned(), project);
        match value {
            Some(value) => drop(data.settings.insert(key, value.to_owned())),
            None => drop(data.settings.remove(&key)),
        }
        drop(data);
        self.feed.tell(Change::Settings);
        Ok(true)
    }
}
