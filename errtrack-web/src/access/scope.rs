//! The projects that a caller may see. Every way from a name in a request to what it names leads through here: what belongs
//! to a foreign project is not there.

use super::Caller;
use crate::{app::App, error::Error, status::Status};
use errtrack_core::{
    EventId, Issue, IssueRef, Project, ProjectId, slugify,
    store::{IssueQuery, StoredEvent},
};
use std::sync::Arc;

/// Which projects somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All, also those that are made later.
    All,
    /// These.
    Only(Vec<ProjectId>),
}

/// The project of reports that name none.
const DEFAULT_PROJECT: &str = "default";

impl Scope {
    /// The projects; `None` means all.
    pub(crate) fn ids(&self) -> Option<&[ProjectId]> {
        match self {
            Self::All => None,
            Self::Only(projects) => Some(projects),
        }
    }

    /// Whether that project is among them.
    pub(crate) fn has(&self, project: ProjectId) -> bool {
        self.ids().is_none_or(|projects| projects.contains(&project))
    }
}

impl From<Option<Vec<ProjectId>>> for Scope {
    fn from(projects: Option<Vec<ProjectId>>) -> Self {
        projects.map_or(Self::All, Self::Only)
    }
}

impl Caller {
    /// What the caller may see, without who it is.
    pub(crate) fn into_scope(self) -> Scope {
        self.scope
    }

    /// Whether the caller may see that project.
    pub(crate) fn sees(&self, project: ProjectId) -> bool {
        self.scope.has(project)
    }

    /// Whether the caller may change what concerns everybody: settings of all projects, members, keys.
    pub(crate) fn is_admin_of_all(&self) -> bool {
        self.permissions.admin && self.scope == Scope::All
    }

    /// The projects that the caller may see; `None` means all. For stores, which ask in this form.
    pub(crate) fn project_ids(&self) -> Option<&[ProjectId]> {
        self.scope.ids()
    }

    /// The query, for what the caller may see of its answer.
    pub(crate) fn scope(&self, mut query: IssueQuery) -> IssueQuery {
        if let Scope::Only(own) = &self.scope {
            let asked = query.projects.take();
            let is_asked = |project: &ProjectId| asked.as_ref().is_none_or(|asked| asked.contains(project));
            query.projects = Some(own.iter().copied().filter(is_asked).collect());
        }
        query
    }

    /// The issue of that name.
    pub(crate) async fn issue(&self, app: &App, name: &IssueRef) -> Result<Option<Issue>, Error> {
        Ok(app.store().issue(name).await?.filter(|issue| self.sees(issue.project)))
    }

    /// The issue that a path of the API names: 400 if that is no name, 404 if there is none.
    pub(crate) async fn find_issue(&self, app: &App, name: &str) -> Result<Issue, Error> {
        self.find_issue_of(app, "id", name).await
    }

    /// The same, for a name that stands in that field.
    pub(crate) async fn find_issue_of(&self, app: &App, field: &str, name: &str) -> Result<Issue, Error> {
        let name: IssueRef = name.parse().map_err(|e| Error::bad_request(format!("{field}: {e}")))?;
        self.issue(app, &name).await?.ok_or_else(|| Error::not_found("error"))
    }

    /// The event that a path of the API names.
    pub(crate) async fn find_event(&self, app: &App, id: &str) -> Result<StoredEvent, Error> {
        let wrong = |_| Error::bad_request("event_id: must be 32 hex digits, with dashes or without");
        let id: EventId = id.parse().map_err(wrong)?;
        app.store().event(self.project_ids(), id.uuid()).await?.ok_or_else(|| Error::not_found("event"))
    }

    /// Every project that the caller may see.
    pub(crate) async fn projects(&self, app: &App) -> Result<Arc<[Project]>, Error> {
        let all = app.all_projects().await?;
        Ok(match &self.scope {
            Scope::All => all,
            Scope::Only(_) => all.iter().filter(|project| self.sees(project.id)).cloned().collect(),
        })
    }

    /// The project with that number: 404 if there is none.
    pub(crate) async fn project(&self, app: &App, id: ProjectId) -> Result<Project, Error> {
        let project = app.any_project(id).await?.filter(|project| self.sees(project.id));
        project.ok_or_else(|| Error::not_found("project"))
    }

    /// The project that a path of the API names by its number.
    pub(crate) async fn find_project(&self, app: &App, id: &str) -> Result<Project, Error> {
        let id = id.parse().map_err(|_| Error::bad_request("id: must be the number of a project"))?;
        self.project(app, ProjectId(id)).await
    }

    /// The project with that slug.
    pub(crate) async fn project_by_slug(&self, app: &App, slug: &str) -> Result<Option<Project>, Error> {
        Ok(app.any_project_by_slug(slug).await?.filter(|project| self.sees(project.id)))
    }

    /// The project that a report goes to, by the name that it has in the report, if any. Who may report to all of them makes
    /// it where there is none.
    pub(crate) async fn reports_to(&self, app: &App, name: Option<&str>) -> Result<Project, Error> {
        let slug = name.map(slugify);
        if slug.as_ref().is_some_and(String::is_empty) {
            return Err(Error::bad_request("project: must hold an ASCII letter or digit"));
        }
        let Scope::Only(own) = &self.scope else {
            return Ok(app.ensure_project(slug.as_deref().unwrap_or(DEFAULT_PROJECT)).await?);
        };
        let project = match (slug, own.as_slice()) {
            (Some(slug), _) => self.project_by_slug(app, &slug).await?,
            (None, [project]) => Some(self.project(app, *project).await?),
            (None, _) => return Err(Error::bad_request("project: is required, as this key has not exactly one")),
        };
        // The same whether there is such a project or not.
        project.ok_or_else(|| Error::forbidden("project: this key reports to other projects"))
    }

    /// The state of everything, with the balances of what the caller may see.
    pub(crate) async fn status(&self, app: &App) -> Status {
        let mut status = Status::of(app).await;
        if let Scope::Only(_) = &self.scope {
            status.keep(|project| self.sees(project));
        }
        status
    }
}
