//! `GET /health`: whether reports can be taken. Needs no key.

use crate::app::App;
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use errtrack_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// How it is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    status: Condition,
    timestamp: Timestamp,
}

/// Whether reports can be taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = HealthStatus)]
enum Condition {
    /// All is well.
    Ok,
    /// The database is away; reports are kept here meanwhile.
    Degraded,
    /// There is no room for what comes in.
    Unavailable,
}

/// Tells whether reports can be taken
///
/// `degraded` while the database is away and reports are kept here; 503 once there is no room for what comes in. Not in the
/// frame. It asks the database nothing and may be asked often.
#[utoipa::path(
    get,
    path = "/health",
    tag = "System",
    operation_id = "health",
    responses(
        (status = 200, description = "They can", body = Health),
        (status = 503, description = "They cannot", body = Health),
    ),
)]
pub(super) async fn health(State(app): State<App>) -> impl IntoResponse {
    let (code, status) = match (app.tracker().has_room(), app.tracker().is_store_away()) {
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, Condition::Unavailable),
        (true, true) => (StatusCode::OK, Condition::Degraded),
        (true, false) => (StatusCode::OK, Condition::Ok),
    };
    (code, Json(Health { status, timestamp: Timestamp::now() }))
}
