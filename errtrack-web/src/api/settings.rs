//! `/api/settings/…`: retention, and events that could not be written. For admins.

use super::{params::Params, success};
use crate::{
    access::AdminOfAll,
    app::App,
    error::Error,
    retention::{self, Run},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use errtrack_core::store::{Retention, RetentionReport, SetAside};
use serde_json::{Value, json};

/// `GET /api/settings/retention`: the rules, and the last run.
pub(super) async fn show_retention(State(app): State<App>, _: AdminOfAll) -> Result<impl IntoResponse, Error> {
    let last = app.store().last_retention().await?;
    let rules = rules(app.tracker().retention());
    Ok(success(json!({ "rules": rules, "last_run": last.map(report), "running_since": app.runs().under_way() })))
}

/// `POST /api/settings/retention/preview`: what a run would let go of. Changes nothing.
pub(super) async fn preview_retention(State(app): State<App>, _: AdminOfAll) -> Result<impl IntoResponse, Error> {
    Ok(success(json!({ "preview": report(app.tracker().preview_retention().await?) })))
}

/// `POST /api/settings/retention/run`: 202 if it goes on after the answer, 409 if one is under way.
pub(super) async fn run_retention(State(app): State<App>, AdminOfAll(caller): AdminOfAll) -> Result<Response, Error> {
    Ok(match retention::run(&app, &caller).await? {
        Run::Done(run) => success(json!({ "run": report(run) })).into_response(),
        Run::UnderWay => {
            let view = json!({ "run": null, "running_since": app.runs().under_way() });
            (StatusCode::ACCEPTED, success(view)).into_response()
        }
    })
}

/// `GET /api/settings/set-aside`: the newest events that could not be written, and why.
pub(super) async fn set_aside(
    State(app): State<App>,
    _: AdminOfAll,
    params: Params,
) -> Result<impl IntoResponse, Error> {
    let events = app.store().set_aside_events(params.limit()?).await?;
    let projects = app.all_projects().await?;
    let view = |aside: &SetAside| {
        let slug = projects.iter().find(|p| p.id == aside.project).map(|p| p.slug.as_str());
        json!({
            "project": slug,
            "project_id": aside.project,
            "at": aside.at,
            "reason": aside.reason,
            "times": aside.times,
            "event_id": aside.event.as_ref().map(|event| event.event_id),
            "event": aside.event,
        })
    };
    Ok(success(json!({ "events": events.iter().map(view).collect::<Vec<_>>() })))
}

/// The rules in units that people use; what sets no bound is `null`.
pub(super) fn rules(rules: &Retention) -> Value {
    json!({
        "age_days": rules.age.map(|age| age.as_secs() / 86_400),
        "events_per_issue": rules.events_per_issue,
        "events_per_project": rules.events_per_project,
        "free_disk_bytes": (rules.free_disk > 0).then_some(rules.free_disk),
    })
}

/// A report with its sum.
pub(super) fn report(report: RetentionReport) -> Value {
    let mut view = json!(report);
    if let Some(view) = view.as_object_mut() {
        view.insert("events".into(), report.events().into());
    }
    view
}
