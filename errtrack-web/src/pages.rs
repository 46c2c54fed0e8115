//! The dashboard: HTML pages that work without JavaScript, under any prefix.
//!
//! A page is a handler, a view struct beside it that holds what is shown ready to be shown, and a template that loops and
//! tests and computes nothing.

mod account;
mod alerts;
mod assets;
mod audit;
mod banner;
mod browsers;
mod chart;
mod docs;
mod dress;
mod failure;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod incident;
mod incidents;
mod integrations;
pub(crate) mod issue;
mod issues;
#[cfg(test)]
mod journeys;
mod keys;
mod login;
mod menu;
mod monitoring;
mod next;
mod overview;
mod ownership;
mod page;
mod performance;
mod privacy;
mod projects;
mod qr;
mod query;
mod rules;
#[cfg(test)]
mod samples;
mod shell;
mod start;
mod system;
mod team;
mod text;
mod theme;
mod time;
mod welcome;

use crate::app::App;
use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use std::sync::Arc;
use utoipa::openapi::OpenApi as Document;

/// Forms are small; the largest is a page of ticked boxes.
const LARGEST_FORM: usize = 64 << 10;

/// The routes; `document` describes the API.
pub(crate) fn routes(app: &App, document: &Document) -> Router<App> {
    let reference = docs::Reference::new(&serde_json::to_value(document).unwrap_or_default());
    Router::new()
        .route("/", get(issues::home))
        .route("/issues", get(issues::list))
        .route("/issues/bulk", post(issues::bulk::change))
        .route("/issues/merge", post(issues::bulk::merge))
        .route("/issues/{id}", get(issue::show))
        .route("/issues/{id}/resolve", post(issue::actions::resolve))
        .route("/issues/{id}/unresolve", post(issue::actions::unresolve))
        .route("/issues/{id}/ignore", post(issue::actions::ignore))
        .route("/issues/{id}/assign", post(issue::actions::assign))
        .route("/issues/{id}/comments", post(issue::actions::comment))
        .route("/issues/{id}/tickets", post(issue::actions::add_ticket))
        .route("/issues/{id}/tickets/{ticket}/delete", post(issue::actions::remove_ticket))
        .route("/issues/{id}/unmerge", post(issue::actions::unmerge))
        .route("/issues/{id}/delete", post(issue::actions::delete))
        .route("/issues/{id}/events/{event}/pin", post(issue::actions::pin))
        .route("/issues/{id}/events/{event}/unpin", post(issue::actions::unpin))
        .route("/incidents", get(incidents::list).post(incidents::create))
        .route("/incidents/{id}", get(incident::show).post(incident::actions::change))
        .route("/incidents/{id}/comments", post(incident::actions::comment))
        .route("/incidents/{id}/issues", post(incident::actions::link))
        .route("/incidents/{id}/issues/remove", post(incident::actions::unlink))
        .route("/incidents/{id}/delete", post(incident::actions::delete))
        .route("/overview", get(overview::show))
        .route("/performance", get(performance::show))
        .route("/monitoring", get(monitoring::show))
        .route("/alerts", get(alerts::list).post(alerts::create))
        .route("/alerts/new", get(alerts::new))
        .route("/alerts/{id}", get(alerts::show).post(alerts::change))
        .route("/alerts/{id}/switch", post(alerts::switch))
        .route("/alerts/{id}/delete", post(alerts::delete))
        .route("/settings/projects", get(projects::show).post(projects::create))
        .route("/settings/projects/{id}", post(projects::update))
        .route("/settings/projects/{id}/retention", post(projects::set_retention))
        .route("/settings/projects/{id}/quota", post(projects::set_quota))
        .route("/settings/projects/{id}/delete", post(projects::delete))
        .route("/settings/projects/{id}/keys", post(projects::add_key))
        .route("/settings/projects/{id}/keys/remove", post(projects::remove_key))
        .route("/settings/rules", get(rules::show).merge(rules::form()))
        .route("/settings/ownership", get(ownership::show).post(ownership::change))
        .route("/settings/privacy", get(privacy::show).merge(privacy::form()))
        .route("/settings/system", get(system::show))
        .route("/settings/system/retention", post(system::run_retention))
        .route("/settings/keys", get(keys::show).post(keys::create))
        .route("/settings/keys/{id}/revoke", post(keys::revoke))
        .route("/settings/integrations", get(integrations::show).post(integrations::put))
        .route("/settings/integrations/{name}/{step}", post(integrations::step))
        .route("/settings/deliveries/{key}/retry", post(integrations::retry))
        .route("/settings/team", get(team::show))
        .route("/settings/team/invite", post(team::invite))
        .route("/settings/team/{id}", post(team::change))
        .route("/settings/team/{id}/{step}", post(team::step))
        .route("/settings/audit", get(audit::show))
        .route("/settings/browsers", get(browsers::show))
        .route("/settings/browsers/{id}/{step}", post(browsers::step))
        .route("/settings/account", get(account::show))
        .route("/settings/account/{step}", post(account::step))
        .route("/invitation/{token}", get(welcome::invitation).post(welcome::take_up))
        .route("/reset/{token}", get(welcome::reset).post(welcome::set_anew))
        .route("/docs", get(docs::show).layer(Extension(Arc::new(reference))))
        .route("/start", get(start::show))
        .route("/start/test", post(start::send_test))
        .route("/login", get(login::show).post(login::sign_in))
        .route("/login/code", post(login::sign_in_with_code))
        .route("/login/oidc", get(login::oidc::begin))
        .route("/login/oidc/callback", get(login::oidc::end))
        .route("/login/{token}", get(login::show_link).post(login::follow_link))
        .route("/logout", post(login::sign_out))
        .route("/theme", post(theme::choose))
        .layer(Extension(Arc::new(login::Throttle::default())))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(dress::same_site(app.config()))
        .route("/push/worker.js", get(assets::worker))
        .route("/assets/{hash}/{name}", get(assets::serve))
        .fallback(dress::nothing_here)
        .layer(middleware::from_fn_with_state(app.clone(), dress::dress))
}
