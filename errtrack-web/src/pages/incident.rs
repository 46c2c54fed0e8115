//! The page of an incident: what is known, who does what, what happened so far.

pub(super) mod actions;

use super::{
    failure::Failure,
    incidents::{severity_class, severity_name, status_name},
    page::Page,
    shell::{self, Layout, Shell, Viewer, Who},
    text,
    time::{When, span},
};
use crate::{app::App, error::Error, incidents};
use askama::Template;
use axum::extract::{Path, State};
use errtrack_core::{
    Issue, Project, Status, Timestamp,
    incident::{EntryKind, Incident, IncidentEntry, IncidentStatus, Severity},
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "incident.html")]
pub(super) struct IncidentPage {
    layout: Layout,
    list: String,
    url: String,
    can_write: bool,
    can_take: bool,
    title: String,
    description: String,
    severity: &'static str,
    class: &'static str,
    status: &'static str,
    is_open: bool,
    assigned: Option<Who>,
    /// As it stands in the form.
    assigned_to: String,
    channels: String,
    facts: Vec<(&'static str, String)>,
    opened: When,
    lasted: String,
    statuses: Vec<(&'static str, &'static str, bool)>,
    severities: Vec<(&'static str, &'static str, bool)>,
    issues: Vec<Linked>,
    history: Vec<Step>,
    entries: Vec<Entry>,
}

/// An issue that is linked.
#[derive(Debug)]
struct Linked {
    url: String,
    id: String,
    short_id: String,
    title: String,
    level: &'static str,
    status: &'static str,
}

/// A status that it had.
#[derive(Debug)]
struct Step {
    status: &'static str,
    at: When,
    by: String,
    /// For how long.
    lasted: String,
}

/// Something that happened.
#[derive(Debug)]
struct Entry {
    by: String,
    what: String,
    at: When,
    text: String,
}

/// What a page is made of.
#[derive(Debug)]
struct Found {
    incident: Incident,
    issues: Vec<Issue>,
    timeline: Vec<IncidentEntry>,
}

/// `GET /incidents/{id}`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Path(id): Path<String>,
) -> Result<Page<IncidentPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let incident = find(&app, &shell, &id).await?;
    let mut issues = app.store().incident_issues(incident.id).await?;
    issues.retain(|issue| shell.caller().sees(issue.project));
    let timeline = incidents::timeline(&app, &incident).await?;
    Ok(Page::new(IncidentPage::new(&shell, &projects, &Found { incident, issues, timeline }, Timestamp::now())))
}

/// The incident of an id in a path.
async fn find(app: &App, shell: &Shell, id: &str) -> Result<Incident, Failure> {
    // What is no id is that of none.
    uuid::Uuid::try_parse(id).map_err(|_| Error::not_found("incident"))?;
    Ok(shell.caller().find_incident(app, id).await?)
}

impl IncidentPage {
    fn new(shell: &Shell, projects: &[Project], found: &Found, now: Timestamp) -> Self {
        let incident = &found.incident;
        let title = text::line(&incident.title, 200);
        let project = incident.project.and_then(|id| projects.iter().find(|project| project.id == id));
        let mut layout = shell.layout(format!("{title} · Incident"));
        layout.area = "incidents";
        let mut facts = vec![("Opened by", text::line(&incident.opened_by, 100))];
        if incident.rule.is_some() {
            facts.push(("Rule fired", text::counted(incident.firings, "time")));
        }
        facts.extend(project.map(|project| ("Project", shell::name(project))));
        if !incident.channels.is_empty() {
            facts.push(("Tells", text::line(&incident.channels.join(", "), 300)));
        }
        let end = incident.resolved_at.unwrap_or(now);
        Self {
            layout,
            list: shell.links.path("/incidents"),
            url: shell.links.path(format!("/incidents/{}", incident.id)),
            can_write: shell.may_write(),
            can_take: shell.caller().member.is_some(),
            title,
            description: text::block(&incident.description, 10_000),
            severity: severity_name(incident.severity),
            class: severity_class(incident.severity),
            status: status_name(incident.status),
            is_open: incident.is_open(),
            assigned: incident.assigned_to.as_deref().map(Who::named),
            assigned_to: text::line(incident.assigned_to.as_deref().unwrap_or_default(), 200),
            channels: text::line(&incident.channels.join(", "), 2_000),
            facts,
            opened: When::new(incident.created_at, now),
            lasted: span((end.as_seconds() - incident.created_at.as_seconds()).max(0)),
            statuses: IncidentStatus::ALL
                .map(|status| (status.as_str(), status_name(status), status == incident.status))
                .into(),
            severities: Severity::ALL
                .map(|severity| (severity.as_str(), severity_name(severity), severity == incident.severity))
                .into(),
            issues: found.issues.iter().map(|issue| Linked::new(shell, issue)).collect(),
            history: history(&found.timeline, end, now),
            entries: found.timeline.iter().map(|entry| Entry::new(entry, now)).collect(),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let now = samples::now();
        let project = [samples::project("checkout-api", 1)];
        let entry = |kind| IncidentEntry {
            from: Some(samples::HOSTILE.into()),
            to: Some("resolved".into()),
            text: samples::HOSTILE.into(),
            ..IncidentEntry::new(kind, samples::HOSTILE, now)
        };
        let whole = Found {
            incident: samples::incident(1, true),
            issues: samples::issue_pages().into_iter().map(|(issue, _)| issue).collect(),
            timeline: EntryKind::ALL.map(entry).into(),
        };
        let bare = Found { incident: samples::incident(2, false), issues: Vec::new(), timeline: Vec::new() };
        vec![Self::new(shell, &project, &whole, now), Self::new(shell, &[], &bare, now)]
    }
}

impl Linked {
    fn new(shell: &Shell, issue: &Issue) -> Self {
        let (ty, value) = super::issues::row::title(issue);
        let title = if ty.is_empty() || value.is_empty() { format!("{ty}{value}") } else { format!("{ty}: {value}") };
        Self {
            url: shell.links.path(format!("/issues/{}", text::path_part(&issue.short_id()))),
            id: issue.uuid.to_string(),
            short_id: text::line(&issue.short_id(), 80),
            title: text::line(&title, 200),
            level: issue.level.as_str(),
            status: match issue.status {
                Status::Unresolved => "Unresolved",
                Status::Resolved => "Resolved",
                Status::Ignored => "Ignored",
            },
        }
    }
}

/// Every status that it had, and for how long.
fn history(timeline: &[IncidentEntry], end: Timestamp, now: Timestamp) -> Vec<Step> {
    let steps: Vec<(IncidentStatus, &IncidentEntry)> = timeline
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Opened | EntryKind::Status))
        .filter_map(|entry| Some((entry.to.as_deref()?.parse().ok()?, entry)))
        .collect();
    let ends = steps.iter().skip(1).map(|(_, entry)| entry.at).chain([end.max(now)]);
    let step = |((status, entry), until): (&(IncidentStatus, &IncidentEntry), Timestamp)| Step {
        status: status_name(*status),
        at: When::new(entry.at, now),
        by: text::line(&entry.by, 100),
        lasted: span((until.as_seconds() - entry.at.as_seconds()).max(0)),
    };
    steps.iter().zip(ends).map(step).collect()
}

impl Entry {
    fn new(entry: &IncidentEntry, now: Timestamp) -> Self {
        let line = |text: &Option<String>| text::line(text.as_deref().unwrap_or("nobody"), 200);
        let (from, to) = (line(&entry.from), line(&entry.to));
        let what = match entry.kind {
            EntryKind::Opened => format!("opened the incident as {to}"),
            EntryKind::Status => format!("changed the status from {from} to {to}"),
            EntryKind::Severity => format!("changed the severity from {from} to {to}"),
            EntryKind::Assigned => format!("assigned it to {to}"),
            EntryKind::Title => format!("changed the title to “{to}”"),
            EntryKind::Description => "changed the description".into(),
            EntryKind::Comment => "commented".into(),
            EntryKind::IssueLinked => format!("linked {to}"),
            EntryKind::IssueUnlinked => format!("took the link to {from} away"),
            EntryKind::Fired => "fired again".into(),
            EntryKind::Recovered => "recovered".into(),
        };
        Self {
            by: text::line(&entry.by, 100),
            what,
            at: When::new(entry.at, now),
            text: text::block(&entry.text, 10_000),
        }
    }
}
