//! Answers of figures that are kept until something is written that they are made of.

use crate::{access::Caller, api::params::Params, app::App, error::Error};
use axum::{
    body::Bytes,
    http::header,
    response::{IntoResponse, Response},
};
use errtrack_core::{Timestamp, store::FigureScope};
use serde::Serialize;
use std::time::Duration;

/// What figures a caller asks for: `project` and `environment`, within what the caller may see.
pub(crate) async fn scope(app: &App, caller: &Caller, params: &Params) -> Result<FigureScope, Error> {
    let projects = match params.text("project") {
        None => caller.project_ids().map(<[_]>::to_vec),
        // Of an unknown project there is nothing.
        Some(slug) => {
            let project = caller.project_by_slug(app, &slug.to_lowercase()).await?;
            Some(project.map(|project| project.id).into_iter().collect())
        }
    };
    Ok(FigureScope { projects, environment: params.text("environment").map(str::to_owned) })
}

/// The JSON of an answer, from the cache if nothing was written since that it is made of, for so long at most. What is asked for,
/// scope and time aside, stands in `what`. An answer of another hour counts as another: buckets move with the hours.
pub(crate) async fn kept<T: Serialize>(
    app: &App,
    scope: &FigureScope,
    what: &str,
    lives: Duration,
    make: impl AsyncFnOnce(Timestamp) -> Result<T, Error>,
) -> Result<Bytes, Error> {
    let now = Timestamp::now();
    let version = app.store().figures_version(scope).await?;
    let projects = scope.projects.as_ref().map(|projects| projects.iter().map(|id| id.0).collect::<Vec<_>>());
    // The environment last, as it may hold anything.
    let version = format!("{} {} {}", now.hour(), version.events, version.edits);
    for_a_while(app, &format!("figures {what} {version} {projects:?} {:?}", scope.environment), lives, async || {
        make(now).await
    })
    .await
}

/// The JSON of an answer, from the cache if it was made not longer ago than that.
pub(crate) async fn for_a_while<T: Serialize>(
    app: &App,
    key: &str,
    lives: Duration,
    make: impl AsyncFnOnce() -> Result<T, Error>,
) -> Result<Bytes, Error> {
    if app.shared().needs_projects() {
        // They say which database this is, and so what is kept of it; while it is away that can wait.
        let _ = app.all_projects().await;
    }
    if let Some(found) = app.cache().get(key).await {
        return Ok(found);
    }
    let answer = make().await?;
    let json = serde_json::to_vec(&answer).map_err(errtrack_core::StoreError::other)?;
    let json = Bytes::from(json);
    app.cache().put(key, json.clone(), lives).await;
    Ok(json)
}

/// An answer that is JSON already.
pub(crate) fn json(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
