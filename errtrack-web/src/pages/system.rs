//! The system page: where every event went, and how what keeps them is doing.
//!
//! Whoever may see the dashboard may see it; what may hold secrets, and what changes something, is for admins.

mod aside;
mod balance;
mod facts;
mod retention;
mod tables;

use super::{
    failure::Failure,
    page::Page,
    shell::{AdminOfAll, Layout, Shell, Viewer},
    text,
    time::When,
};
use crate::{app::App, retention::run, status::Status};
use aside::Aside;
use askama::Template;
use axum::{
    extract::{Query, State},
    response::Redirect,
};
use balance::{Equation, Line};
use errtrack_core::{
    Timestamp,
    store::{RetentionReport, SetAside},
};
pub(super) use facts::Answer;
use retention::RetentionView;
use serde::Deserialize;
use tables::Tables;

/// Events set aside that the page shows; the API has the others.
const ASIDE: u32 = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    /// Asks what a retention run would let go of now.
    preview: Option<String>,
}

/// What admins see beside the status.
#[derive(Debug, Default)]
struct ForAdmins {
    /// `None` while it cannot be read.
    aside: Option<Vec<SetAside>>,
    preview: Option<RetentionReport>,
    running_since: Option<Timestamp>,
    run_failed: Option<(Timestamp, String)>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "system.html")]
pub(super) struct SystemPage {
    layout: Layout,
    node: String,
    started: When,
    answers: Vec<Answer>,
    is_complete: bool,
    total: Equation,
    /// Each project that has any event; empty where there is only one.
    lines: Vec<Line>,
    /// `3 projects have none yet`.
    without: Option<String>,
    tables: Option<Tables>,
    retention: RetentionView,
    can_admin: bool,
    aside: Option<Vec<Aside>>,
    trouble: Option<(When, String)>,
    here: String,
    retention_url: String,
}

/// `GET /settings/system`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(params): Query<Params>,
) -> Result<Page<SystemPage>, Failure> {
    let status = shell.caller().status(&app).await;
    let mut admins = ForAdmins::default();
    if shell.may_admin_all() {
        if params.preview.is_some() {
            admins.preview = Some(app.tracker().preview_retention().await?);
        }
        if status.ping.is_some() {
            admins.aside = app.store().set_aside_events(ASIDE).await.ok();
        }
        admins.running_since = app.runs().under_way();
        admins.run_failed = app.runs().failed();
    }
    Ok(Page::new(SystemPage::new(&shell, &status, &admins)))
}

/// `POST /settings/system/retention`: lets go of what is old or too much, now.
pub(super) async fn run_retention(State(app): State<App>, AdminOfAll(shell): AdminOfAll) -> Result<Redirect, Failure> {
    run(&app, shell.caller()).await?;
    Ok(Redirect::to(&shell.links.path("/settings/system#retention")))
}

impl SystemPage {
    fn new(shell: &Shell, status: &Status, admins: &ForAdmins) -> Self {
        let now = status.now;
        let mut layout = shell.layout("System");
        layout.area = "system";
        let can_admin = shell.may_admin_all();
        let when = |(at, text): &(Timestamp, String)| (When::new(*at, now), text::block(text, 2_000));
        let name =
            |id| status.projects.iter().find(|account| account.project == id).map(|account| account.slug.clone());
        let aside = |event: &SetAside| Aside::new(event, name(event.project), now);
        let lines = balance::lines(&status.projects);
        Self {
            layout,
            node: status.node.to_string(),
            started: When::new(status.started, now),
            answers: facts::answers(status, can_admin),
            is_complete: status.is_complete,
            total: Equation::new(&status.total),
            without: balance::without_events(&status.projects),
            lines: if lines.len() > 1 { lines } else { Vec::new() },
            tables: status.storage.as_ref().map(|measure| Tables::new(measure, now)),
            retention: RetentionView::new(
                status,
                admins.preview.as_ref(),
                admins.running_since,
                admins.run_failed.as_ref(),
            ),
            can_admin,
            aside: admins.aside.as_ref().map(|events| events.iter().map(aside).collect()),
            trouble: status.trouble.as_ref().filter(|_| can_admin).map(when),
            here: shell.links.path("/settings/system"),
            retention_url: shell.links.path("/settings/system/retention"),
        }
    }
}

#[cfg(test)]
impl SystemPage {
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let now = samples::now();
        let busy = samples::status();
        let aside = |event| SetAside {
            project: errtrack_core::ProjectId(1),
            at: now,
            reason: samples::HOSTILE.into(),
            times: 1_204,
            event,
        };
        let (_, event) = samples::issue_pages().pop().unwrap();
        let admins = ForAdmins {
            aside: Some(vec![aside(event), aside(None)]),
            preview: Some(RetentionReport { at: now, issues: 3, old_events: 1_204, ..RetentionReport::default() }),
            running_since: Some(now),
            run_failed: Some((now, samples::HOSTILE.into())),
        };
        let quiet =
            Status { projects: Vec::new(), total: Default::default(), spool: None, trouble: None, ..samples::status() };
        let away = Status {
            is_away: true,
            is_complete: false,
            ping: None,
            storage: None,
            last_retention: None,
            ..samples::status()
        };
        vec![
            Self::new(shell, &busy, &admins),
            Self::new(shell, &quiet, &ForAdmins { aside: Some(Vec::new()), ..ForAdmins::default() }),
            Self::new(shell, &away, &ForAdmins::default()),
        ]
    }
}
