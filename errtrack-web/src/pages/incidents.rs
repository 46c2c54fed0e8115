//! The list of incidents: those that go on first, then what is over; and the form that opens one.

use super::{
    failure::Failure,
    page::Page,
    shell::{self, Choice, Editor, Layout, Shell, Viewer, Who},
    text,
    time::{When, span},
};
use crate::{app::App, error::Error, incidents, triage};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::Redirect,
};
use errtrack_core::{
    Project, Timestamp,
    incident::{Incident, IncidentStatus, NewIncident, Severity},
    store::IncidentQuery,
};
use serde::Deserialize;

/// Incidents of a page that are over.
const PAGE: u32 = 25;
/// Incidents that go on, of which a page shows so many.
const OPEN: u32 = 200;

/// The page.
#[derive(Debug, Template)]
#[template(path = "incidents.html")]
pub(super) struct IncidentsPage {
    layout: Layout,
    action: String,
    can_write: bool,
    /// Whether anything was asked for.
    is_narrowed: bool,
    statuses: Vec<Choice>,
    severities: Vec<Choice>,
    open: Vec<Row>,
    /// `None` where the status that is asked for is one of those that go on.
    history: Option<Vec<Row>>,
    first: Option<String>,
    older: Option<String>,
    /// Slugs and names to choose from; and whether one must be chosen.
    projects: Vec<(String, String)>,
    must_choose: bool,
}

/// An incident in a list.
#[derive(Debug)]
pub(super) struct Row {
    url: String,
    title: String,
    severity: &'static str,
    class: &'static str,
    status: &'static str,
    project: String,
    assigned: Option<Who>,
    opened: When,
    by: String,
    /// How long it has gone on, or did.
    lasted: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    status: Option<String>,
    severity: Option<String>,
    project: Option<String>,
    after: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    open: Vec<Incident>,
    history: Option<Vec<Incident>>,
}

/// What is asked for.
#[derive(Debug, Default)]
struct Asked<'a> {
    status: Option<IncidentStatus>,
    severity: Option<Severity>,
    project: Option<&'a Project>,
    after: Option<i64>,
}

/// `GET /incidents`
pub(super) async fn list(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(params): Query<Params>,
) -> Result<Page<IncidentsPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let asked = Asked {
        status: params.status.as_deref().and_then(|name| name.parse().ok()),
        severity: params.severity.as_deref().and_then(|name| name.parse().ok()),
        project: params.project.and_then(|slug| projects.iter().find(|project| project.slug == slug)),
        after: params.after.as_deref().and_then(|row| row.parse().ok()),
    };
    let query = |open, limit, before| IncidentQuery {
        projects: asked.project.map(|project| vec![project.id]),
        open: Some(open),
        status: asked.status,
        severity: asked.severity,
        limit,
        before,
        ..IncidentQuery::default()
    };
    let is_over = asked.status == Some(IncidentStatus::Resolved);
    let mut found = Found::default();
    if !is_over && asked.after.is_none() {
        found.open = shell.caller().incidents(&app, query(true, OPEN, None)).await?;
    }
    if is_over || asked.status.is_none() {
        found.history = Some(shell.caller().incidents(&app, query(false, PAGE + 1, asked.after)).await?);
    }
    Ok(Page::new(IncidentsPage::new(&shell, &projects, &asked, &found, Timestamp::now())))
}

/// What is to be opened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewForm {
    title: String,
    severity: String,
    description: String,
    assigned_to: String,
    project: String,
    channels: String,
    /// An issue to link.
    issue: String,
}

/// `POST /incidents`
pub(super) async fn create(
    State(app): State<App>,
    Editor(shell): Editor,
    Form(form): Form<NewForm>,
) -> Result<Redirect, Failure> {
    let caller = shell.caller();
    let mut new = NewIncident::new(incidents::title(&form.title)?, triage::author(caller));
    if !form.severity.is_empty() {
        let severity = form.severity.parse();
        new.severity = severity.map_err(|error| Error::bad_request(format!("severity: is {error}")))?;
    }
    new.description = incidents::description(&form.description)?;
    new.assigned_to = triage::assignee(caller, &form.assigned_to)?;
    new.channels = incidents::channels(form.channels.split(',').map(str::to_owned))?;
    if form.issue.is_empty() {
        new.project = caller.incident_project(&app, Some(&form.project)).await?.map(|project| project.id);
    } else {
        let issue = caller.find_issue_of(&app, "issue", &form.issue).await?;
        (new.project, new.issues) = (Some(issue.project), vec![issue.id]);
    }
    let incident = caller.open_incident(&app, &new).await?;
    Ok(Redirect::to(&shell.links.path(format!("/incidents/{}", incident.id))))
}

impl IncidentsPage {
    fn new(shell: &Shell, projects: &[Project], asked: &Asked<'_>, found: &Found, now: Timestamp) -> Self {
        let url =
            |status: Option<IncidentStatus>, severity: Option<Severity>, slug: Option<&str>, after: Option<i64>| {
                let after = after.map(|row| row.to_string());
                let pairs = [
                    ("project", slug),
                    ("status", status.map(IncidentStatus::as_str)),
                    ("severity", severity.map(Severity::as_str)),
                    ("after", after.as_deref()),
                ];
                let pairs: Vec<(&str, &str)> =
                    pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
                shell.links.path(text::url("/incidents", &pairs))
            };
        let slug = asked.project.map(|project| project.slug.as_str());
        let choice =
            |label: &str, url: String, current| Choice { label: label.into(), url, current, note: String::new() };
        let statuses = std::iter::once(None).chain(IncidentStatus::ALL.map(Some)).map(|status| {
            choice(status.map_or("All", status_name), url(status, asked.severity, slug, None), status == asked.status)
        });
        let severities = std::iter::once(None).chain(Severity::ALL.map(Some)).map(|severity| {
            let label = severity.map_or("Any severity", severity_name);
            choice(label, url(asked.status, severity, slug, None), severity == asked.severity)
        });
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let history = found.history.as_ref().map(|history| history.get(..page).unwrap_or(history));
        let last = history.and_then(<[Incident]>::last);
        let has_more = found.history.as_ref().zip(history).is_some_and(|(all, shown)| all.len() > shown.len());
        let row = |incident: &Incident| Row::new(shell, incident, projects, now);
        let mut layout = shell.layout("Incidents");
        layout.area = "incidents";
        Self {
            layout: layout.with_projects(projects, asked.project, |project| {
                url(asked.status, asked.severity, project.map(|project| project.slug.as_str()), None)
            }),
            action: shell.links.path("/incidents"),
            can_write: shell.may_write(),
            is_narrowed: asked.status.is_some() || asked.severity.is_some() || asked.after.is_some(),
            statuses: statuses.collect(),
            severities: severities.collect(),
            open: found.open.iter().map(row).collect(),
            history: history.map(|history| history.iter().map(row).collect()),
            first: asked.after.map(|_| url(asked.status, asked.severity, slug, None)),
            older: last.filter(|_| has_more).map(|last| url(asked.status, asked.severity, slug, Some(last.row))),
            projects: projects.iter().map(|project| (project.slug.clone(), shell::name(project))).collect(),
            must_choose: shell.caller().project_ids().is_some(),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let now = samples::now();
        let (open, over) = (samples::incident(1, true), samples::incident(2, false));
        let projects = [samples::project("checkout-api", 1), samples::project("web", 2)];
        let history = Some(vec![over; 30]);
        let asked =
            Asked { severity: Some(Severity::High), project: projects.first(), after: Some(9), ..Asked::default() };
        vec![
            Self::new(shell, &projects, &Asked::default(), &Found::default(), now),
            Self::new(shell, &projects, &asked, &Found { open: vec![open], history }, now),
        ]
    }
}

impl Row {
    pub(super) fn new(shell: &Shell, incident: &Incident, projects: &[Project], now: Timestamp) -> Self {
        let project = |id| projects.iter().find(|project| project.id == id).map(shell::name);
        let end = incident.resolved_at.unwrap_or(now);
        Self {
            url: shell.links.path(format!("/incidents/{}", incident.id)),
            title: text::line(&incident.title, 200),
            severity: severity_name(incident.severity),
            class: severity_class(incident.severity),
            status: status_name(incident.status),
            project: incident.project.and_then(project).unwrap_or_default(),
            assigned: incident.assigned_to.as_deref().map(Who::named),
            opened: When::new(incident.created_at, now),
            by: text::line(&incident.opened_by, 100),
            lasted: span((end.as_seconds() - incident.created_at.as_seconds()).max(0)),
        }
    }
}

/// A severity for people.
pub(super) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

/// Its colour: that of a level.
pub(super) const fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "info",
        Severity::Medium => "warning",
        Severity::High => "error",
        Severity::Critical => "fatal",
    }
}

/// A status for people.
pub(super) const fn status_name(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Investigating => "Investigating",
        IncidentStatus::Identified => "Identified",
        IncidentStatus::Monitoring => "Monitoring",
        IncidentStatus::Resolved => "Resolved",
    }
}
