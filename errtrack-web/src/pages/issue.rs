//! One issue: what broke, since when, how often, for whom, in which release, on which line, what happened before.

pub(super) mod actions;
mod answers;
mod comments;
mod crumbs;
mod event;
mod facts;
mod field;
pub(crate) mod markdown;
mod request;
mod stack;
mod tags;
mod tickets;
mod why;

use super::{
    chart::Bars,
    failure::Failure,
    issues::row::{self, Badge},
    page::Page,
    shell::{Choice, Layout, Shell, Viewer, Who},
    text,
};
use crate::{
    app::App,
    error::Error,
    tickets::{self as linked, Ticket, Way},
};
use answers::{Answers, HOURS};
use askama::Template;
use axum::extract::{Path, Query, State};
use comments::Said;
use errtrack_core::{
    Issue, IssueRef, Status, Timestamp,
    incident::Incident,
    store::{Comment, EventPosition, IncidentQuery, StoredEvent, TagTally},
};
use event::EventView;
use serde::Deserialize;
use stack::Mode;
use tags::Tag;
use tickets::Section;
use uuid::Uuid;
use why::{Part, Why};

/// Values of each tag that are shown.
const TAG_VALUES: u32 = 5;
/// Incidents that are shown.
const INCIDENTS: u32 = 10;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    /// The event to show; the newest if it is missing or gone.
    event: Option<String>,
    stack: Option<String>,
}

/// What the store said about an issue.
#[derive(Debug)]
struct Found {
    issue: Issue,
    event: Option<(StoredEvent, EventPosition)>,
    /// The event that was asked for is not kept any more.
    is_gone: bool,
    /// Events per hour, the last hours.
    hours: Vec<i64>,
    tags: Vec<TagTally>,
    /// What the issue is made of.
    parts: Vec<Part>,
    comments: Vec<Comment>,
    /// The latest of its project.
    release: Option<String>,
    /// To which it is linked.
    incidents: Vec<Incident>,
    /// Who owns it.
    owners: Vec<String>,
    tickets: Vec<Ticket>,
    /// By what tickets can be made.
    ways: Vec<Way>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "issue.html")]
pub(super) struct IssuePage {
    layout: Layout,
    list: String,
    url: String,
    here: String,
    short_id: String,
    /// Its number in the store, by which the script hears of it.
    number: i64,
    level: &'static str,
    level_name: &'static str,
    badge: Option<Badge>,
    status: &'static str,
    /// What ends it.
    condition: Option<String>,
    /// The latest of its project.
    release: Option<String>,
    comments: Vec<Said>,
    is_open: bool,
    is_ignored: bool,
    environment: Option<String>,
    ty: String,
    value: String,
    /// The whole value, where the heading shows only its beginning.
    whole_value: Option<String>,
    culprit: String,
    assigned: Option<Who>,
    can_write: bool,
    can_take: bool,
    events: String,
    answers: Answers,
    chart: Bars,
    chart_title: &'static str,
    is_gone: bool,
    event: Option<EventView>,
    tags: Vec<Tag>,
    why: Why,
    sections: Vec<Choice>,
    markdown: String,
    /// To which it is linked.
    incidents: Vec<IncidentLink>,
    /// Who owns it, by address.
    owners: Vec<String>,
    tickets: Section,
    /// Where one is opened, and under which title.
    incidents_url: String,
    incident_title: String,
}

/// An incident to which the issue is linked.
#[derive(Debug)]
struct IncidentLink {
    url: String,
    title: String,
    severity: &'static str,
    class: &'static str,
    status: &'static str,
}

/// `GET /issues/{id}`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Path(name): Path<String>,
    Query(params): Query<Params>,
) -> Result<Page<IssuePage>, Failure> {
    let (now, projects) = (Timestamp::now(), shell.caller().projects(&app).await?);
    let issue = find_issue(&app, &shell, &name).await?;
    if leads_elsewhere(&name, &issue) {
        let path = format!("/issues/{}", text::path_part(&issue.short_id()));
        return Err(Failure::Elsewhere(shell.links.path(path)));
    }
    let mut found = find(&app, issue, params.event.as_deref(), now).await?;
    let of_it = IncidentQuery { issue: Some(found.issue.id), limit: INCIDENTS, ..IncidentQuery::default() };
    found.incidents = shell.caller().incidents(&app, of_it).await?;
    (found.tickets, found.ways) = (linked::list(&app, &found.issue).await?, linked::ways(&app).await?);
    let mut page = IssuePage::new(&shell, &found, Mode::of(params.stack.as_deref()), now);
    let project = projects.iter().find(|project| project.id == found.issue.project);
    page.layout = page.layout.with_projects(&projects, project, |project| match project {
        Some(project) => {
            shell.links.path(text::url("/issues", &[("q", &format!("is:unresolved project:{}", project.slug))]))
        }
        None => shell.links.path("/issues"),
    });
    Ok(Page::new(page))
}

/// The issue of a name in a path.
async fn find_issue(app: &App, shell: &Shell, name: &str) -> Result<Issue, Failure> {
    // What is no name of an issue is the name of none.
    let name: IssueRef = name.parse().map_err(|_| Error::not_found("issue"))?;
    Ok(shell.caller().issue(app, &name).await?.ok_or_else(|| Error::not_found("issue"))?)
}

/// Whether a name is that of an issue that was merged into this one.
fn leads_elsewhere(name: &str, issue: &Issue) -> bool {
    match name.parse() {
        Ok(IssueRef::Uuid(uuid)) => uuid != issue.uuid,
        Ok(IssueRef::Short { project, number }) => (project, number) != (issue.project_slug.clone(), issue.number),
        Ok(IssueRef::Id(_)) | Err(_) => false,
    }
}

async fn find(app: &App, issue: Issue, event: Option<&str>, now: Timestamp) -> Result<Found, Failure> {
    let store = app.store();
    let hours = store.histograms(&[issue.id], now, 1, HOURS).await?.pop().unwrap_or_default();
    let tags = store.tag_tallies(issue.id, TAG_VALUES).await?;
    let asked = match event.map(Uuid::try_parse) {
        Some(Ok(id)) => store.event(Some(&[issue.project]), id).await?.filter(|event| event.issue == issue.id),
        _ => None,
    };
    let is_gone = event.is_some() && asked.is_none();
    let shown = match asked {
        Some(event) => Some(event),
        None => store.events(issue.id, None, 1).await?.events.pop(),
    };
    let event = match shown {
        Some(event) => {
            let position = store.position(&event).await?;
            Some((event, position))
        }
        None => None,
    };
    let parts = why::parts(app, &issue, event.as_ref().map(|(event, _)| event)).await?;
    let comments = store.comments(issue.id).await?;
    let release = store.latest_release(issue.project).await?;
    let owners = app.tracker().owners(&issue).await?;
    let (incidents, tickets, ways) = Default::default();
    Ok(Found { issue, event, is_gone, hours, tags, parts, comments, release, incidents, owners, tickets, ways })
}

impl IssuePage {
    fn new(shell: &Shell, found: &Found, mode: Mode, now: Timestamp) -> Self {
        const HEADING: usize = 300;
        let issue = &found.issue;
        let short_id = text::line(&issue.short_id(), 80);
        let path = format!("/issues/{}", text::path_part(&issue.short_id()));
        let (ty, value) = row::title(issue);
        let event = found.event.as_ref();
        let view = event.map(|(event, position)| EventView::new(shell, &path, event, position, mode, now));
        let day = found.hours.get(found.hours.len().saturating_sub(24)..).unwrap_or_default();
        let badge = row::badge(issue, day, now);
        let (chart, chart_title) = answers::chart(issue, &found.hours, Badge::news(badge), now);
        Self {
            layout: shell.layout(format!("{short_id} {}", if ty.is_empty() { &value } else { &ty })),
            list: shell.links.path("/issues"),
            url: shell.links.path(&path),
            here: shell.here.clone(),
            level: issue.level.as_str(),
            level_name: row::level_name(issue.level),
            badge,
            status: match issue.status {
                Status::Unresolved => "Unresolved",
                Status::Resolved => "Resolved",
                Status::Ignored => "Ignored",
            },
            condition: issue.condition.as_ref().map(|condition| comments::condition(condition, now)),
            // What would look like another name would be resolved under another.
            release: found.release.clone().filter(|release| *release == text::line(release, 200)),
            comments: found.comments.iter().map(|comment| Said::new(comment, now)).collect(),
            is_open: issue.status == Status::Unresolved,
            is_ignored: issue.status == Status::Ignored,
            environment: issue.environment.as_deref().map(|e| text::line(e, 60)),
            whole_value: (issue.value.chars().count() > HEADING).then(|| text::block(&issue.value, 20_000)),
            culprit: text::line(&issue.culprit, 300),
            assigned: issue.assigned_to.as_deref().map(Who::named),
            can_write: shell.may_write(),
            can_take: shell.caller.as_ref().is_some_and(|caller| caller.member.is_some()),
            events: text::counted(issue.count, "event"),
            answers: Answers::new(issue, event.map(|(event, _)| &event.event), view.as_ref(), &found.hours, now),
            chart,
            chart_title,
            is_gone: found.is_gone,
            tags: tags::view(shell, &found.tags),
            why: Why::new(&found.parts, now),
            sections: sections(view.as_ref(), !found.tags.is_empty(), Section::is_there(found)),
            markdown: markdown::of(issue, event.map(|(event, _)| &event.event), &shell.links.public(&path)),
            event: view,
            incidents: found.incidents.iter().map(|incident| IncidentLink::new(shell, incident)).collect(),
            owners: found.owners.iter().map(|owner| text::line(owner, 200)).collect(),
            tickets: Section::new(shell, found, &path, now),
            incidents_url: shell.links.path("/incidents"),
            incident_title: text::line(&[ty.as_str(), value.as_str()].join(": "), 150)
                .trim_matches([':', ' '])
                .to_owned(),
            short_id,
            number: issue.id.0,
            ty,
            value,
        }
    }
}

impl IncidentLink {
    fn new(shell: &Shell, incident: &Incident) -> Self {
        Self {
            url: shell.links.path(format!("/incidents/{}", incident.id)),
            title: text::line(&incident.title, 200),
            severity: super::incidents::severity_name(incident.severity),
            class: super::incidents::severity_class(incident.severity),
            status: super::incidents::status_name(incident.status),
        }
    }
}

/// The links to what stands below, in its order.
fn sections(event: Option<&EventView>, has_tags: bool, has_tickets: bool) -> Vec<Choice> {
    let there = |label: &str, id: &str, there: bool| {
        there.then(|| Choice { label: label.into(), url: format!("#{id}"), current: false, note: String::new() })
    };
    let has = |test: fn(&EventView) -> bool| event.is_some_and(test);
    let all = [
        there("Stack", "stack", event.is_some()),
        there("Before", "before", has(|e| e.crumbs.len() > 1)),
        there("Request", "request", has(|e| e.request.is_some())),
        there("Tags", "tags", has_tags),
        there("Context", "context", has(|e| !e.contexts.is_empty())),
        there("Grouping", "why", true),
        there("Tickets", "tickets", has_tickets),
        there("Comments", "comments", true),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
impl IssuePage {
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let now = samples::now();
        let mut pages = Vec::new();
        for (issue, event) in samples::issue_pages() {
            for mode in [Mode::App, Mode::Full, Mode::Raw] {
                let position = EventPosition {
                    index: 2,
                    total: 3,
                    first: Some(Uuid::nil()),
                    previous: Some(Uuid::nil()),
                    ..EventPosition::default()
                };
                let stored = event.clone().map(|event| {
                    let (issue_id, project) = (issue.id, issue.project);
                    let (id, issue_uuid, pinned) = (Uuid::nil(), issue.uuid, mode == Mode::Full);
                    StoredEvent { id, row: 1, issue: issue_id, issue_uuid, project, pinned, event }
                });
                let found = Found {
                    issue: issue.clone(),
                    is_gone: stored.is_none(),
                    event: stored.map(|event| (event, position)),
                    hours: samples::hours(),
                    tags: samples::tags(),
                    comments: samples::comments(),
                    release: Some(samples::HOSTILE.into()),
                    owners: vec![samples::HOSTILE.into()],
                    tickets: tickets::samples(mode == Mode::App),
                    ways: tickets::sample_ways(mode != Mode::Raw),
                    incidents: vec![samples::incident(1, true), samples::incident(2, false)],
                    parts: why::samples(&issue, event.as_ref(), mode == Mode::Full),
                };
                pages.push(Self::new(shell, &found, mode, now));
            }
        }
        pages
    }
}
