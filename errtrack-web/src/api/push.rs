//! `/api/push/subscriptions`: the browsers that a member lets be notified.

use super::{
    Frame,
    body::{self, Sent},
    openapi::{Failure, Failures},
    success,
};
use crate::{
    access::Read,
    app::App,
    error::Error,
    ingest::fields::Fields,
    push::{self, Browser, Tested},
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The browsers of the member who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushSubscriptions)]
pub(super) struct All {
    /// The public key of this installation in base64url, a browser's `applicationServerKey`; `null` where none can be notified.
    public_key: Option<String>,
    /// Why none can be notified.
    why_not: Option<String>,
    subscriptions: Vec<Browser>,
}

/// A browser that is to be notified: what `JSON.stringify` makes of its `PushSubscription`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewPushSubscription)]
#[expect(dead_code, reason = "only its shape is asked for: bodies are read field by field")]
pub(super) struct Wanted {
    /// Where its messages go: `https`, and not private.
    #[schema(max_length = 1000)]
    endpoint: String,
    keys: Keys,
    /// Taken, and not asked for again: whatever ends is told by the push service.
    #[serde(rename = "expirationTime")]
    expiration_time: Option<f64>,
}

/// Its keys.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PushKeys)]
#[expect(dead_code, reason = "only its shape is asked for")]
pub(super) struct Keys {
    /// A point on P-256, 65 bytes in base64url.
    p256dh: String,
    /// 16 bytes in base64url.
    auth: String,
}

/// Lists the browsers that are notified
///
/// Those of the member who asks. For members who have signed in: an API key has no browser, and is answered with 403.
#[utoipa::path(
    get,
    path = "/api/push/subscriptions",
    tag = "Push",
    operation_id = "list_push_subscriptions",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    responses((status = 200, description = "The browsers, in the order in which they came", body = Frame<All>), Failures),
)]
pub(super) async fn list(State(app): State<App>, Read(caller): Read) -> Result<impl IntoResponse, Error> {
    let member = push::member(&app, &caller)?;
    let (public_key, why_not) = (push::public_key(&app).await?, push::why_not(&app).map(str::to_owned));
    Ok(success(All { public_key, why_not, subscriptions: push::list(&app, member).await? }).into_response())
}

/// Lets a browser be notified
///
/// Ten of a member at most. One that is there already is taken with its new keys, and answered with 200.
#[utoipa::path(
    post,
    path = "/api/push/subscriptions",
    tag = "Push",
    operation_id = "add_push_subscription",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    request_body = Wanted,
    responses(
        (status = 201, description = "The browser", body = Frame<Browser>),
        (status = 200, description = "The browser, which was there already", body = Frame<Browser>),
        (status = 409, description = "There are ten already, or none can be notified", body = Failure),
        Failures,
    ),
)]
pub(super) async fn create(
    State(app): State<App>,
    Read(caller): Read,
    headers: HeaderMap,
    body: Sent,
) -> Result<impl IntoResponse, Error> {
    let member = push::member(&app, &caller)?;
    let mut fields = body::fields(body)?;
    let endpoint = fields.required("endpoint")?;
    let mut keys = Fields::from(fields.object("keys")?);
    let of_keys = |error: crate::ingest::fields::Wrong| Error::bad_request(format!("keys.{error}"));
    let (key, secret) = (keys.required("p256dh").map_err(of_keys)?, keys.required("auth").map_err(of_keys)?);
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let sent = push::Sent { endpoint, key, secret, agent: agent.to_owned() };
    let (browser, is_new) = push::add(&app, &caller, member, sent).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, success(browser)).into_response())
}

/// Notifies a browser no more
#[utoipa::path(
    delete,
    path = "/api/push/subscriptions/{id}",
    tag = "Push",
    operation_id = "remove_push_subscription",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = Uuid, Path, description = "Its `id`")),
    responses((status = 204, description = "It is not notified any more"), Failures),
)]
pub(super) async fn remove(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    push::remove(&app, &caller, push::member(&app, &caller)?, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tries a browser
///
/// Sends a real message, and answers whether its push service took it. Takes up to half a minute.
#[utoipa::path(
    post,
    path = "/api/push/subscriptions/{id}/test",
    tag = "Push",
    operation_id = "test_push_subscription",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    params(("id" = Uuid, Path, description = "Its `id`")),
    responses((status = 200, description = "What came of it", body = Frame<Tested>), Failures),
)]
pub(super) async fn test(
    State(app): State<App>,
    Read(caller): Read,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    Ok(success(push::test(&app, &caller, push::member(&app, &caller)?, &id).await?).into_response())
}
