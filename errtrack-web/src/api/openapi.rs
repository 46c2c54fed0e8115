//! `/openapi.json`: the API described from its own handlers (OpenAPI 3.1).
//!
//! A handler says in `#[utoipa::path]` what it takes and answers, and is mounted by that: a path that is described is served.
//! What an operation asks of its caller stands in its security requirement: the name of the permission.

use super::Router;
use crate::app::App;
use axum::{body::Bytes, http::header, response::IntoResponse, routing::get};
use utoipa::{
    IntoResponses, Modify, OpenApi, ToSchema,
    openapi::{
        OpenApi as Document,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "errtrack",
        description = "Reports, issues, events, figures and settings of errtrack. Unless an operation says otherwise, \
                       an answer is `{\"data\":…,\"status\":\"success\"}` or `{\"error\":…,\"status\":\"error\"}`, \
                       times are as in RFC 3339 and in UTC, and `error` begins with the name of the field if one is \
                       wrong. What an operation asks of its caller stands in its security requirement: the name of \
                       a permission, of which `admin` includes `write`, and `write` includes `read` and `ingest`. \
                       The protocol of Sentry's SDKs (`/api/{project}/envelope/` and the like) is served too and \
                       described by Sentry, not here.",
    ),
    // Types that stand in parameters alone.
    components(schemas(super::errors::list::By, crate::figures::Period, crate::figures::GroupBy, crate::figures::Timeframe)),
    // Told from the issue itself by the end of its name alone.
    paths(super::errors::markdown::markdown),
    modifiers(&Keys),
)]
struct Api;

/// How a caller says who it is.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        components.add_security_scheme("key", key);
        components.add_security_scheme("bearer", bearer);
    }
}

/// Why a request was not answered as asked.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is asked for: answers are made by `Error`")]
pub(crate) struct Failure {
    /// What is wrong, for people; it begins with the name of the field if one is wrong.
    #[schema(example = "limit: must be a number from 1 to 100")]
    error: String,
    #[schema(pattern = "^error$")]
    status: String,
}

/// How every operation can fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its shape is asked for: answers are made by `Error`")]
pub(crate) enum Failures {
    /// What was sent makes no sense.
    #[response(status = 400)]
    BadRequest(#[to_schema] Failure),
    /// No key, or none that is valid.
    #[response(status = 401)]
    Unauthorized(#[to_schema] Failure),
    /// The key lacks the permission.
    #[response(status = 403)]
    Forbidden(#[to_schema] Failure),
    /// There is no such thing.
    #[response(status = 404)]
    NotFound(#[to_schema] Failure),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(#[to_schema] Failure),
    /// Too many requests; `Retry-After` says for how many seconds to wait.
    #[response(status = 429)]
    TooMany(#[to_schema] Failure),
    /// The server failed.
    #[response(status = 500)]
    Failed(#[to_schema] Failure),
    /// The database is away; `Retry-After` says when to try again.
    #[response(status = 503)]
    Away(#[to_schema] Failure),
}

/// A router that knows what is described so far: nothing.
pub(super) fn router() -> Router {
    Router::with_openapi(Api::openapi())
}

/// The router with what it and `more` describe at `/openapi.json`, and that.
pub(super) fn serve(router: Router, more: Document) -> (axum::Router<App>, Document) {
    let (router, mut document) = router.split_for_parts();
    document.merge(more);
    let json = document.to_json().map(Bytes::from).unwrap_or_default();
    let handler = move || async move { ([(header::CONTENT_TYPE, "application/json")], json).into_response() };
    (router.route("/openapi.json", get(handler)), document)
}
