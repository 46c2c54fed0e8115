//! `/api/settings/api-keys`: the keys that programs are known by.

use super::{
    Frame,
    body::{self, Sent},
    input,
    openapi::{Failure, Failures},
    success,
};
use crate::{
    access::{AdminOfAll, NewKey},
    app::App,
    error::Error,
    ingest::fields::Wrong,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use errtrack_core::{ApiKey, Permission, Project, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct Key {
    id: Uuid,
    name: String,
    /// What is shown of it.
    #[schema(example = "sk_****7890")]
    key_preview: String,
    #[schema(value_type = Vec<String>)]
    permissions: Vec<Permission>,
    /// The slugs of the projects that it opens; `null` means all.
    projects: Option<Vec<String>>,
    /// From when on it opens nothing; `null` if it does not expire.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    created_by: String,
}

/// Every key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeys)]
pub(super) struct Keys {
    api_keys: Vec<Key>,
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyMade)]
pub(super) struct Made {
    #[serde(flatten)]
    key: Key,
    /// The key itself. Nobody can read it again.
    #[schema(example = "sk_live_abc123def456…")]
    api_key: String,
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewApiKey)]
#[expect(dead_code, reason = "only its shape is asked for: bodies are read field by field")]
pub(super) struct Wanted {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Of `ingest`, `read`, `write`, `admin`. `write` includes the first two, `admin` everything.
    #[schema(min_items = 1)]
    permissions: Vec<String>,
    /// Slugs of the projects that it opens; all unless given.
    projects: Option<Vec<String>>,
    /// From when on it opens nothing; it does not expire unless given.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl Key {
    fn new(key: ApiKey, projects: &[Project]) -> Self {
        Self {
            id: key.id,
            name: key.name,
            key_preview: key.preview,
            permissions: key.permissions,
            projects: input::slugs(key.projects.as_deref(), projects),
            expires_at: key.expires_at,
            last_used: key.last_used,
            created_at: key.created_at,
            created_by: key.created_by,
        }
    }
}

/// Lists API keys
///
/// Without their secrets, which are not kept.
#[utoipa::path(
    get,
    path = "/api/settings/api-keys",
    tag = "Keys",
    operation_id = "list_api_keys",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    responses((status = 200, description = "Every key, the oldest first", body = Frame<Keys>), Failures),
)]
pub(super) async fn list(State(app): State<App>, AdminOfAll(caller): AdminOfAll) -> Result<impl IntoResponse, Error> {
    let keys = caller.api_keys(&app).await?;
    let projects = caller.projects(&app).await?;
    let api_keys = keys.into_iter().map(|key| Key::new(key, &projects)).collect();
    Ok(success(Keys { api_keys }).into_response())
}

/// Makes an API key
///
/// The answer holds the key itself, which cannot be read again.
#[utoipa::path(
    post,
    path = "/api/settings/api-keys",
    tag = "Keys",
    operation_id = "create_api_key",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    request_body = Wanted,
    responses(
        (status = 201, description = "The key", body = Frame<Made>),
        (status = 409, description = "There are too many keys", body = Failure),
        Failures,
    ),
)]
pub(super) async fn create(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let mut fields = body::fields(body)?;
    let name = fields.required("name")?;
    let names = input::texts(&mut fields, "permissions")?.ok_or_else(|| Wrong::new("permissions", "is required"))?;
    let permission = |name: String| {
        name.parse::<Permission>().map_err(|error| Error::bad_request(format!("permissions: {name} is {error}")))
    };
    let permissions = names.into_iter().map(permission).collect::<Result<_, _>>()?;
    let projects = input::projects(&app, &caller, &mut fields).await?;
    let expires_at = fields.time("expires_at")?;
    let new = NewKey { name, permissions, projects, expires_at };
    let (key, api_key) = caller.make_api_key(&app, new).await?;
    let key = Key::new(key, &caller.projects(&app).await?);
    Ok((StatusCode::CREATED, success(Made { key, api_key })).into_response())
}

/// Revokes an API key
///
/// It opens nothing from then on, on every process.
#[utoipa::path(
    delete,
    path = "/api/settings/api-keys/{id}",
    tag = "Keys",
    operation_id = "revoke_api_key",
    security(("key" = ["admin"]), ("bearer" = ["admin"])),
    params(("id" = Uuid, Path, description = "Its `id`")),
    responses((status = 204, description = "It is revoked"), Failures),
)]
pub(super) async fn revoke(
    State(app): State<App>,
    AdminOfAll(caller): AdminOfAll,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    caller.revoke_api_key(&app, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
