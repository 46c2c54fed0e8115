//! `GET /api/monitoring/balance`: what became of every event, and the state of what keeps them.

use super::{settings, success};
use crate::{access::Read, app::App, status::Status};
use axum::{extract::State, response::IntoResponse};
use errtrack_core::{Balance, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

/// A balance as the API shows it, with what follows from it.
#[derive(Debug, Serialize)]
struct Figures {
    #[serde(flatten)]
    balance: Balance,
    /// The sum of all but `captured`.
    settled: u64,
    under_way: u64,
    /// `captured = settled + under_way`.
    balanced: bool,
}

impl From<Balance> for Figures {
    fn from(balance: Balance) -> Self {
        let (settled, under_way) = (balance.settled(), balance.under_way());
        Self { balance, settled, under_way, balanced: settled + under_way == balance.captured }
    }
}

#[derive(Debug, Serialize)]
struct Project<'a> {
    id: i64,
    project: &'a str,
    #[serde(flatten)]
    figures: Figures,
}

pub(super) async fn balance(State(app): State<App>, Read(caller): Read) -> impl IntoResponse {
    success(view(&caller.status(&app).await, caller.is_admin_of_all()))
}

/// What is told to whom: file names and the database's own words are for admins.
fn view(status: &Status, is_admin: bool) -> Value {
    let projects: Vec<Project<'_>> = status
        .projects
        .iter()
        .map(|account| Project { id: account.project.0, project: &account.slug, figures: account.balance.into() })
        .collect();
    let mut view = json!({
        "timestamp": status.now,
        "node": status.node,
        "started_at": status.started,
        "complete": status.is_complete,
        "projects": projects,
        "total": Figures::from(status.total),
        "queue": { "depth": status.queue, "takes_reports": status.takes_reports },
        "spool": spool(status, is_admin),
        "store": {
            "away": status.is_away,
            "ping_ms": status.ping.map(|ping| ping.as_secs_f64() * 1e3),
            "storage": status.storage.as_ref().map(|measure| &*measure.storage),
            "measured_at": status.storage.as_ref().map(|measure| measure.at),
        },
        "retention": { "rules": settings::rules(&status.rules), "last_run": status.last_retention.map(settings::report) },
    });
    if let (true, Some(view)) = (is_admin, view.as_object_mut()) {
        let trouble = status.trouble.as_ref().map(|(at, message)| json!({ "at": at, "message": message }));
        view.insert("trouble".into(), trouble.unwrap_or_default());
    }
    view
}

fn spool(status: &Status, is_admin: bool) -> Value {
    let Some(spool) = &status.spool else { return Value::Null };
    let since: Option<Timestamp> = spool.since;
    let mut view = json!({
        "occurrences": spool.occurrences,
        "bytes": spool.bytes,
        "limit_bytes": spool.most_bytes,
        "since": since,
        "drained": spool.drained,
        "damaged": spool.damaged,
    });
    if let (true, Some(view)) = (is_admin, view.as_object_mut()) {
        view.insert("folder".into(), spool.folder.to_string_lossy().into());
    }
    view
}
