//! `GET /health`: whether reports can be taken. Needs no key.

use crate::app::App;
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use errtrack_core::Timestamp;
use serde_json::json;

/// `degraded` while the database is away and reports are kept here, 503 once there is no room for what comes in. Asks the
/// database nothing: it is asked often.
pub(super) async fn health(State(app): State<App>) -> impl IntoResponse {
    let (code, status) = match (app.tracker().has_room(), app.tracker().is_store_away()) {
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        (true, true) => (StatusCode::OK, "degraded"),
        (true, false) => (StatusCode::OK, "ok"),
    };
    (code, Json(json!({ "status": status, "timestamp": Timestamp::now() })))
}
