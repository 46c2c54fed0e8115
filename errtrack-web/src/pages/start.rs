//! How to connect a service: shown while a project has no issue, and at `/start`.

use super::{
    failure::Failure,
    page::Page,
    shell::{self, Editor, Layout, Shell, Viewer},
    text,
};
use crate::{app::App, error::Error};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::Redirect,
};
use errtrack_core::{Event, Exception, Formula, Project, Report, Sdk};
use serde::Deserialize;

/// The page.
#[derive(Debug, Template)]
#[template(path = "start.html")]
pub(super) struct StartPage {
    layout: Layout,
    /// Nothing has been reported yet.
    is_empty: bool,
    slug: String,
    dsn: String,
    snippets: Vec<Snippet>,
    test_url: String,
    issues_url: String,
    can_write: bool,
}

/// Code in one language.
#[derive(Debug)]
struct Snippet {
    id: &'static str,
    name: &'static str,
    note: &'static str,
    code: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    project: Option<String>,
}

/// `GET /start`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(params): Query<Params>,
) -> Result<Page<StartPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&app, &shell, &projects, params.project.as_deref())?;
    Ok(Page::new(StartPage::new(&shell, &projects, project, false)))
}

/// `POST /start/test`: an event that the tracker sends to itself.
pub(super) async fn send_test(
    State(app): State<App>,
    Editor(shell): Editor,
    Form(params): Form<Params>,
) -> Result<Redirect, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&app, &shell, &projects, params.project.as_deref())?;
    let report = Report { project: project.id, event: test_event(), formula: Formula::Ours };
    app.tracker().ingest(report).await.map_err(Error::from)?;
    let query = format!("is:unresolved project:{}", project.slug);
    Ok(Redirect::to(&shell.links.path(text::url("/issues", &[("q", &query)]))))
}

pub(super) fn chosen<'a>(
    app: &'a App,
    shell: &Shell,
    projects: &'a [Project],
    slug: Option<&str>,
) -> Result<&'a Project, Error> {
    match slug {
        Some(slug) => projects.iter().find(|p| p.slug == slug).ok_or_else(|| Error::not_found("project")),
        None => first(app, shell, projects),
    }
}

/// The project that is shown where none is asked for; somebody who sees none gets a 404.
pub(super) fn first<'a>(app: &'a App, shell: &Shell, projects: &'a [Project]) -> Result<&'a Project, Error> {
    let own = Some(app.tracker().project()).filter(|own| shell.caller().sees(own.id));
    projects.first().or(own).ok_or_else(|| Error::not_found("project"))
}

fn test_event() -> Event {
    let mut event = Event::new();
    event.exceptions.push(Exception::new("TestEvent", "sent from the dashboard; everything works"));
    event.source = Some("dashboard".into());
    event.sdk = Some(Sdk { name: "errtrack.dashboard".into(), version: env!("CARGO_PKG_VERSION").into() });
    event
}

impl StartPage {
    pub(super) fn new(shell: &Shell, projects: &[Project], project: &Project, is_empty: bool) -> Self {
        let link = |other: Option<&Project>| match other {
            Some(other) => shell.links.path(text::url("/start", &[("project", &other.slug)])),
            None => shell.links.path("/issues"),
        };
        let dsn = shell.links.dsn(project.public_key(), project.id);
        let query = format!("is:unresolved project:{}", project.slug);
        let url = shell.links.public("");
        let mut layout = shell.layout(format!("Get started · {}", shell::name(project)));
        layout.area = if is_empty { "issues" } else { "start" };
        Self {
            layout: layout.with_projects(projects, Some(project), link),
            is_empty,
            slug: project.slug.clone(),
            snippets: snippets(&url, &dsn, project),
            dsn,
            test_url: shell.links.path("/start/test"),
            issues_url: shell.links.path(text::url("/issues", &[("q", &query)])),
            can_write: shell.may_write(),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        let one = super::samples::project("checkout-api", 1);
        let mut odd = super::samples::project("odd", 2);
        odd.name = super::samples::HOSTILE.into();
        vec![
            Self::new(shell, std::slice::from_ref(&one), &one, true),
            Self::new(shell, &[one.clone(), odd.clone()], &one, false),
            Self::new(shell, &[one, odd.clone()], &odd, true),
        ]
    }
}

fn snippets(url: &str, dsn: &str, project: &Project) -> Vec<Snippet> {
    let axum = format!(
        r#"use errtrack::{{SqliteStore, Tracker, tower::CaptureLayer, web}};

let tracker = Tracker::builder()
    .project("{slug}")
    .store(SqliteStore::open("errors.db").await?)
    .build()
    .await?;

let app = axum::Router::new()
    .route("/orders", post(create))
    .layer(CaptureLayer::new(&tracker)) // panics, errors, 5xx
    .nest("/errors", web::router(&tracker, web::Access::token(secret)));"#,
        slug = project.slug
    );
    let curl = format!(
        r#"curl '{url}/api/errors' \
  -H 'Content-Type: application/json' \
  -H "X-API-Key: $API_KEY" \
  -d '{{"message": "hello from curl", "source": "backend", "level": "error",
       "environment": "development", "project": "{slug}"}}'"#,
        slug = project.slug
    );
    let python = format!(
        r#"import sentry_sdk

sentry_sdk.init("{dsn}", release="shop@1.4.2")
sentry_sdk.capture_message("hello from Python", level="error")"#
    );
    let browser = format!(
        r#"import * as Sentry from "@sentry/browser";

Sentry.init({{ dsn: "{dsn}", release: "web@88" }});
Sentry.captureException(new Error("hello from the browser"));"#
    );
    vec![
        Snippet { id: "code-axum", name: "axum", note: "inside a Rust service", code: axum },
        Snippet { id: "code-curl", name: "curl", note: "JSON over HTTP, with an API key", code: curl },
        Snippet { id: "code-python", name: "Python", note: "sentry-sdk", code: python },
        Snippet { id: "code-browser", name: "Browser", note: "@sentry/browser", code: browser },
    ]
}
