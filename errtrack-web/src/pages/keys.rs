//! API keys: made, shown once, revoked.

use super::{
    failure::Failure,
    page::Page,
    shell::{self, AdminOfAll, Layout, Shell},
    text,
    time::When,
};
use crate::{access::NewKey, app::App, error::Error};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use errtrack_core::{ApiKey, Permission, Project, ProjectId, Timestamp};
use std::time::Duration;

/// The page.
#[derive(Debug, Template)]
#[template(path = "keys.html")]
pub(super) struct KeysPage {
    layout: Layout,
    action: String,
    keys: Vec<KeyView>,
    /// A key that was just made, for the only time.
    made: Option<String>,
    problem: Option<String>,
    name: String,
    permissions: Vec<(&'static str, &'static str, bool)>,
    /// Number, name, and whether it is ticked; empty where there is only one.
    projects: Vec<(ProjectId, String, bool)>,
}

/// A key, ready to be shown.
#[derive(Debug)]
struct KeyView {
    name: String,
    preview: String,
    permissions: String,
    projects: String,
    created: When,
    created_by: String,
    used: Option<When>,
    expires: Option<When>,
    is_expired: bool,
    revoke_url: String,
}

/// `GET /settings/keys`
pub(super) async fn show(State(app): State<App>, AdminOfAll(shell): AdminOfAll) -> Result<Page<KeysPage>, Failure> {
    Ok(Page::new(KeysPage::read(&app, &shell, &[]).await?))
}

/// `POST /settings/keys`: `name`, `permission` several times, `project` several times, `days`.
pub(super) async fn create(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (caller, of) = (shell.caller(), |name: &str| super::team::values(&fields, name));
    let permissions = of("permission").filter_map(|name| name.parse::<Permission>().ok()).collect();
    let projects = super::team::chosen_projects(&app, &shell, &fields).await?;
    let days = of("days").next().and_then(|days| days.parse::<u64>().ok()).filter(|days| (1..=3_650).contains(days));
    let expires_at = days.map(|days| Timestamp::now().plus(Duration::from_secs(days * 86_400)));
    let name = of("name").next().unwrap_or_default().to_owned();
    match caller.make_api_key(&app, NewKey { name, permissions, projects, expires_at }).await {
        Ok((_, secret)) => {
            let mut page = KeysPage::read(&app, &shell, &[]).await?;
            page.made = Some(secret);
            Ok(Page::with_status(StatusCode::CREATED, page).into_response())
        }
        Err(Error { status, message, .. }) if status.is_client_error() => {
            let mut page = KeysPage::read(&app, &shell, &fields).await?;
            page.problem = Some(text::line(&text::sentence(&message), 300));
            Ok(Page::with_status(status, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/keys/{id}/revoke`
pub(super) async fn revoke(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    shell.caller().revoke_api_key(&app, &id).await?;
    Ok(Redirect::to(&shell.links.path("/settings/keys")))
}

impl KeysPage {
    async fn read(app: &App, shell: &Shell, fields: &[(String, String)]) -> Result<Self, Failure> {
        let (keys, projects) = (shell.caller().api_keys(app).await?, shell.caller().projects(app).await?);
        Ok(Self::new(shell, &keys, &projects, fields, Timestamp::now()))
    }

    fn new(shell: &Shell, keys: &[ApiKey], projects: &[Project], fields: &[(String, String)], now: Timestamp) -> Self {
        let mut layout = shell.layout("API keys");
        layout.area = "keys";
        let of = |name: &'static str| super::team::values(fields, name);
        let permission = |(permission, what): (Permission, &'static str)| {
            let name = permission.as_str();
            let ticked =
                if fields.is_empty() { permission == Permission::Ingest } else { of("permission").any(|n| n == name) };
            (name, what, ticked)
        };
        let permissions = [
            (Permission::Ingest, "report errors"),
            (Permission::Read, "see issues and figures"),
            (Permission::Write, "resolve, delete, change rules; includes the first two"),
            (Permission::Admin, "change settings; includes everything"),
        ];
        Self {
            layout,
            action: shell.links.path("/settings/keys"),
            keys: keys.iter().map(|key| KeyView::new(shell, key, projects, now)).collect(),
            made: None,
            problem: None,
            name: text::line(of("name").next().unwrap_or_default(), 100),
            permissions: permissions.map(permission).into(),
            projects: super::team::project_choices(
                projects,
                &of("project").filter_map(|id| id.parse().ok()).map(ProjectId).collect::<Vec<_>>(),
            ),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        use errtrack_core::TokenHash;
        let now = samples::now();
        let key = |name: &str, projects, expires_at| ApiKey {
            id: uuid::Uuid::nil(),
            hash: TokenHash([0; 32]),
            name: name.into(),
            preview: "sk_****7890".into(),
            permissions: vec![Permission::Ingest, Permission::Read],
            projects,
            expires_at,
            last_used: expires_at,
            created_at: now,
            created_by: samples::HOSTILE.into(),
        };
        let projects = [samples::project("checkout-api", 1), samples::project("ledger-worker", 2)];
        let keys = [
            key("deploys of the shop", None, None),
            key(samples::HOSTILE, Some(vec![ProjectId(1), ProjectId(9)]), Some(now)),
        ];
        let mut made = Self::new(shell, &keys, &projects, &[], now);
        made.made = Some(format!("sk_live_{}", "0a".repeat(32)));
        let fields = [("name".to_owned(), samples::HOSTILE.to_owned()), ("project".into(), "2".into())];
        let mut wrong = Self::new(shell, &keys, &projects, &fields, now);
        wrong.problem = Some(text::line(samples::HOSTILE, 300));
        vec![Self::new(shell, &[], &projects[..1], &[], now), made, wrong]
    }
}

impl KeyView {
    fn new(shell: &Shell, key: &ApiKey, projects: &[Project], now: Timestamp) -> Self {
        let names: Vec<&str> = key.permissions.iter().map(|permission| permission.as_str()).collect();
        Self {
            name: text::line(&key.name, 100),
            preview: text::line(&key.preview, 40),
            permissions: names.join(", "),
            projects: project_names(key.projects.as_deref(), projects),
            created: When::new(key.created_at, now),
            created_by: text::line(&key.created_by, 100),
            used: key.last_used.map(|at| When::new(at, now)),
            expires: key.expires_at.map(|at| When::new(at, now)),
            is_expired: key.expires_at.is_some_and(|at| at <= now),
            revoke_url: shell.links.path(format!("/settings/keys/{}/revoke", key.id)),
        }
    }
}

/// Projects in words.
pub(super) fn project_names(ids: Option<&[ProjectId]>, projects: &[Project]) -> String {
    let Some(ids) = ids else { return "all projects".into() };
    let name = |id: &ProjectId| projects.iter().find(|project| project.id == *id).map(shell::name);
    let names: Vec<String> = ids.iter().filter_map(name).collect();
    if names.is_empty() { "no project that still exists".into() } else { names.join(", ") }
}
