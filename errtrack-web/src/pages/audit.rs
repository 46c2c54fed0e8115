//! The audit log: who did what when.

use super::{
    failure::Failure,
    page::Page,
    shell::{self, AdminOfAll, Layout, Shell},
    text,
    time::When,
};
use crate::app::App;
use askama::Template;
use axum::extract::{Query, State};
use errtrack_core::{AuditEntry, Project, Timestamp};
use serde::Deserialize;

/// Entries of a page.
const PAGE: u32 = 50;

/// The page.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub(super) struct AuditPage {
    layout: Layout,
    rows: Vec<Row>,
    first: Option<String>,
    older: Option<String>,
}

/// An entry, ready to be shown.
#[derive(Debug)]
struct Row {
    at: When,
    who: String,
    what: String,
    action: String,
    target: String,
    details: String,
    project: String,
    address: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    after: Option<String>,
}

/// `GET /settings/audit`
pub(super) async fn show(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Query(params): Query<Params>,
) -> Result<Page<AuditPage>, Failure> {
    let before = params.after.as_deref().and_then(|id| id.parse::<i64>().ok());
    let entries = app.store().audit_log(before, PAGE + 1).await?;
    let projects = shell.caller().projects(&app).await?;
    Ok(Page::new(AuditPage::new(&shell, &entries, &projects, before.is_some(), Timestamp::now())))
}

impl AuditPage {
    fn new(shell: &Shell, entries: &[AuditEntry], projects: &[Project], is_later: bool, now: Timestamp) -> Self {
        let mut layout = shell.layout("Audit log");
        layout.area = "audit";
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let shown = entries.get(..page).unwrap_or(entries);
        let url = |after: Option<i64>| match after {
            Some(id) => shell.links.path(text::url("/settings/audit", &[("after", &id.to_string())])),
            None => shell.links.path("/settings/audit"),
        };
        Self {
            layout,
            rows: shown.iter().map(|entry| Row::new(entry, projects, now)).collect(),
            first: is_later.then(|| url(None)),
            older: shown.last().filter(|_| entries.len() > shown.len()).map(|last| url(Some(last.id))),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let now = samples::now();
        let entry = |id: i64, action: &str| AuditEntry {
            id,
            at: now,
            who: if id % 2 == 0 { "ana.maric@example.com".into() } else { samples::HOSTILE.into() },
            action: action.into(),
            target: samples::HOSTILE.into(),
            details: samples::HOSTILE.into(),
            project: Some(errtrack_core::ProjectId(1)),
            address: Some([203, 0, 113, 9].into()),
        };
        let entries: Vec<AuditEntry> = (0..60).map(|id| entry(id, "key.create")).chain([entry(99, "x.y")]).collect();
        vec![
            Self::new(shell, &[], &[], false, now),
            Self::new(shell, &entries, &[samples::project("checkout-api", 1)], true, now),
        ]
    }
}

impl Row {
    fn new(entry: &AuditEntry, projects: &[Project], now: Timestamp) -> Self {
        let project = |id| projects.iter().find(|project| project.id == id).map_or_else(|| id.to_string(), shell::name);
        Self {
            at: When::new(entry.at, now),
            who: text::line(&entry.who, 200),
            what: what(&entry.action).unwrap_or(&text::line(&entry.action, 60)).to_owned(),
            action: text::line(&entry.action, 60),
            target: text::line(&entry.target, 200),
            details: text::line(&entry.details, 300),
            project: entry.project.map(project).unwrap_or_default(),
            address: entry.address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

/// What was done, in words.
fn what(action: &str) -> Option<&'static str> {
    Some(match action {
        "ownership.change" => "changed who owns what in",
        "incident.open" => "opened the incident",
        "incident.change" => "changed the incident",
        "incident.link" => "linked issues to the incident",
        "incident.unlink" => "took a link away from the incident",
        "incident.delete" => "deleted the incident",
        "session.start" => "signed in",
        "session.fail" => "failed to sign in",
        "session.end" => "ended sessions",
        "key.create" => "made the key",
        "key.revoke" => "revoked the key",
        "member.invite" => "invited",
        "member.join" => "took up the invitation",
        "member.change" => "changed the member",
        "member.remove" => "removed the member",
        "member.reset_password" => "made a link to a new password for",
        "member.change_password" => "set a new password",
        "member.add_second_factor" => "set up a second factor",
        "member.drop_second_factor" => "took away the second factor of",
        "project.create" => "made the project",
        "project.change" => "changed the project",
        "project.delete" => "deleted the project",
        "project.add_key" => "added a public key to",
        "project.remove_key" => "took a public key from",
        "user.erase" => "erased what was kept of a user",
        "user.export" => "exported what is kept of a user",
        "issue.delete" => "deleted the issue",
        "issue.merge" => "merged into",
        "issue.unmerge" => "took groups out of",
        "ticket.create" => "made a ticket of",
        "ticket.link" => "linked a ticket to",
        "ticket.unlink" => "took the link to a ticket away from",
        "rules.change" => "changed the rules of",
        "sanitizer.change" => "changed the privacy of",
        "quota.change" => "changed the quota of",
        "retention.change" => "changed what is kept of",
        "retention.run" => "ran retention",
        _ => return None,
    })
}
