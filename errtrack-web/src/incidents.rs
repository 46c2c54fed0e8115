//! Incidents, for the API and the pages: who may see which, and what may stand in one.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
    integrations, triage,
};
use errtrack_core::{
    Issue, IssueId, Project, ProjectId, Timestamp,
    incident::{Incident, IncidentChange, IncidentEntry, MAX_LINKED_ISSUES, NewIncident},
    store::{IncidentChanged, IncidentQuery},
};
use http::StatusCode;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Characters of a title.
const LONGEST_TITLE: usize = 200;
/// Characters of a description.
const LONGEST_DESCRIPTION: usize = 10_000;
/// Channels that are told of one incident.
const MOST_CHANNELS: usize = 20;
/// Entries of a timeline that are read at once.
const ENTRIES: u32 = 5_000;

impl Caller {
    /// Whether the caller may see an incident. One about no one project is for who sees all of them.
    fn sees_incident(&self, incident: &Incident) -> bool {
        incident.project.map_or(self.project_ids().is_none(), |project| self.sees(project))
    }

    /// The incident that a path names: 400 if that is no id, 404 if there is none.
    pub(crate) async fn find_incident(&self, app: &App, id: &str) -> Result<Incident, Error> {
        let id = Uuid::try_parse(id).map_err(|_| Error::bad_request("id: must be the UUID of an incident"))?;
        let incident = app.store().incident(id).await?.filter(|incident| self.sees_incident(incident));
        incident.ok_or_else(gone)
    }

    /// Incidents that match, as far as the caller may see them.
    pub(crate) async fn incidents(&self, app: &App, mut query: IncidentQuery) -> Result<Vec<Incident>, Error> {
        if let Some(own) = self.project_ids() {
            let asked = query.projects.take();
            let is_asked = |project: &ProjectId| asked.as_ref().is_none_or(|asked| asked.contains(project));
            query.projects = Some(own.iter().copied().filter(is_asked).collect());
        }
        Ok(app.store().incidents(&query).await?)
    }

    /// The project of an incident that is to be opened: by its slug, else the only one that the caller sees, else none.
    pub(crate) async fn incident_project(&self, app: &App, slug: Option<&str>) -> Result<Option<Project>, Error> {
        match (slug.map(str::trim).filter(|slug| !slug.is_empty()), self.project_ids()) {
            (Some(slug), _) => {
                let project = self.project_by_slug(app, &slug.to_lowercase()).await?;
                project.map(Some).ok_or_else(|| Error::not_found("project"))
            }
            (None, None) => Ok(None),
            (None, Some([only])) => self.project(app, *only).await.map(Some),
            (None, Some(_)) => Err(Error::bad_request("project: is required, as you do not see all projects")),
        }
    }

    /// Opens an incident.
    pub(crate) async fn open_incident(&self, app: &App, new: &NewIncident) -> Result<Incident, Error> {
        integrations::tickets::check_channels(app, "channels", &new.channels).await?;
        let opened = app.store().open_incident(new).await?;
        let opened = opened.ok_or_else(|| Error::not_found("project"))?;
        let deed = Deed::new("incident.open", &new.title).details(format!("{} ({})", opened.id, new.severity));
        self.did(app, about(deed, new.project)).await;
        app.store().incident(opened.id).await?.ok_or_else(gone)
    }

    /// Changes an incident that the caller has found.
    pub(crate) async fn change_incident(
        &self,
        app: &App,
        incident: &Incident,
        change: &IncidentChange,
    ) -> Result<Incident, Error> {
        if let Some(channels) = &change.channels {
            integrations::tickets::check_channels(app, "channels", channels).await?;
        }
        let by = triage::author(self);
        match app.store().change_incident(incident.id, change, &by, Timestamp::now()).await? {
            IncidentChanged::Done(after) => {
                let what = changed(incident, &after);
                if !what.is_empty() {
                    let deed = Deed::new("incident.change", &after.title).details(format!("{}: {what}", after.id));
                    self.did(app, about(deed, after.project)).await;
                }
                Ok(*after)
            }
            IncidentChanged::Gone => Err(gone()),
            IncidentChanged::RuleHasAnother => {
                let message = "status: another incident of the same rule is open";
                Err(Error::new(StatusCode::CONFLICT, message))
            }
        }
    }

    /// Links issues, by their names, to an incident that the caller has found. All of them, or none.
    pub(crate) async fn link_issues(&self, app: &App, incident: &Incident, names: &[String]) -> Result<(), Error> {
        let most = usize::try_from(MAX_LINKED_ISSUES).unwrap_or(usize::MAX);
        if names.is_empty() || names.len() > most {
            return Err(Error::bad_request(format!("ids: must be 1 to {most} issues")));
        }
        let mut issues: Vec<Issue> = Vec::with_capacity(names.len());
        for name in names {
            let issue = self.find_issue_of(app, "ids", name.trim()).await?;
            if incident.project.is_some_and(|project| project != issue.project) {
                let why = "the incident is about another project";
                return Err(Error::bad_request(format!("ids: {} cannot be linked, {why}", issue.short_id())));
            }
            issues.push(issue);
        }
        let there = app.store().incident_issues(incident.id).await?;
        let new: BTreeSet<IssueId> = issues.iter().map(|issue| issue.id).collect();
        let new = new.iter().filter(|id| there.iter().all(|issue| issue.id != **id)).count();
        if there.len() + new > most {
            return Err(Error::bad_request(format!("ids: at most {most} issues can be linked to an incident")));
        }
        let ids: Vec<IssueId> = issues.iter().map(|issue| issue.id).collect();
        let linked = app.store().link_issues(incident.id, &ids, &triage::author(self), Timestamp::now()).await?;
        if linked.ok_or_else(gone)? > 0 {
            let names: Vec<String> = issues.iter().map(Issue::short_id).collect();
            let deed = Deed::new("incident.link", &incident.title).details(names.join(", "));
            self.did(app, about(deed, incident.project)).await;
        }
        Ok(())
    }

    /// Takes the link to an issue away: 404 if there is none.
    pub(crate) async fn unlink_issue(&self, app: &App, incident: &Incident, name: &str) -> Result<(), Error> {
        let issue = self.find_issue_of(app, "issue", name).await?;
        let by = triage::author(self);
        if !app.store().unlink_issue(incident.id, issue.id, &by, Timestamp::now()).await? {
            return Err(Error::not_found("link"));
        }
        let deed = Deed::new("incident.unlink", &incident.title).details(issue.short_id());
        self.did(app, about(deed, incident.project)).await;
        Ok(())
    }

    /// Deletes an incident that the caller has found.
    pub(crate) async fn delete_incident(&self, app: &App, incident: &Incident) -> Result<(), Error> {
        if !app.store().delete_incident(incident.id).await? {
            return Err(gone());
        }
        let deed = Deed::new("incident.delete", &incident.title).details(incident.id.to_string());
        self.did(app, about(deed, incident.project)).await;
        Ok(())
    }
}

fn gone() -> Error {
    Error::not_found("incident")
}

fn about(deed: Deed, project: Option<ProjectId>) -> Deed {
    match project {
        Some(project) => deed.of(project),
        None => deed,
    }
}

/// What was changed, for the audit log.
fn changed(before: &Incident, after: &Incident) -> String {
    let mut what = Vec::new();
    if before.title != after.title {
        what.push("title".to_owned());
    }
    if before.description != after.description {
        what.push("description".to_owned());
    }
    if before.severity != after.severity {
        what.push(format!("severity {}", after.severity));
    }
    if before.status != after.status {
        what.push(format!("status {}", after.status));
    }
    if before.assigned_to != after.assigned_to {
        what.push(format!("assigned to {}", after.assigned_to.as_deref().unwrap_or("nobody")));
    }
    if before.channels != after.channels {
        what.push(format!("channels {}", after.channels.join(", ")));
    }
    what.join(", ")
}

/// The first entries of a timeline, which are all but of a very long one.
pub(crate) async fn timeline(app: &App, incident: &Incident) -> Result<Vec<IncidentEntry>, Error> {
    Ok(app.store().incident_timeline(incident.id, None, ENTRIES).await?)
}

/// A title that may be kept.
pub(crate) fn title(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::bad_request("title: must not be empty"));
    }
    within("title", text, LONGEST_TITLE)
}

/// A description that may be kept.
pub(crate) fn description(text: &str) -> Result<String, Error> {
    within("description", text.trim(), LONGEST_DESCRIPTION)
}

/// What is said about an incident, in that field.
pub(crate) fn note(field: &str, text: &str) -> Result<String, Error> {
    within(field, text.trim(), LONGEST_DESCRIPTION)
}

/// The channels that are told: each once.
pub(crate) fn channels(names: impl IntoIterator<Item = String>) -> Result<Vec<String>, Error> {
    let mut channels: Vec<String> = Vec::new();
    for name in names {
        let name = within("channels", name.trim(), 100)?;
        if !name.is_empty() && !channels.contains(&name) {
            channels.push(name);
        }
    }
    if channels.len() > MOST_CHANNELS {
        return Err(Error::bad_request(format!("channels: must not be more than {MOST_CHANNELS}")));
    }
    Ok(channels)
}

fn within(field: &str, text: &str, most: usize) -> Result<String, Error> {
    if text.chars().count() > most {
        return Err(Error::bad_request(format!("{field}: must not be longer than {most} characters")));
    }
    Ok(text.to_owned())
}
