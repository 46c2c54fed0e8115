//! CORS for reports: browsers on other origins may send them, and read what became of them.

use crate::{app::App, config::Origins};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Headers that SDKs send, for browsers that do not say which they want to send.
const USUAL_HEADERS: HeaderValue = HeaderValue::from_static(
    "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, authentication, \
     authorization, content-encoding, transfer-encoding, baggage, sentry-trace, x-api-key, x-app-id, x-app-key",
);
/// Without it browsers cannot see how long they are to be silent.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-sentry-error, x-sentry-rate-limits, retry-after, ratelimit, ratelimit-policy");

/// Answers preflights, and says on every answer to a report who may read it. Reading the API stays with its own origin.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let method = request.method().clone();
    let mut response = if method == Method::OPTIONS {
        preflight(request.headers())
    } else {
        let reports = method == Method::POST || request.headers().contains_key("x-sentry-auth") || is_beacon(&request);
        let response = next.run(request).await;
        if !reports {
            return response;
        }
        response
    };
    allow(response.headers_mut(), &app.config().ingest_origins, origin);
    response
}

fn is_beacon(request: &Request) -> bool {
    request.uri().query().is_some_and(|query| query.contains("sentry_"))
}

fn preflight(asked: &HeaderMap) -> Response {
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned().unwrap_or(USUAL_HEADERS);
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, wanted),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600")),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn allow(headers: &mut HeaderMap, origins: &Origins, origin: Option<HeaderValue>) {
    match origins {
        Origins::Any => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        Origins::These(list) => {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
            let listed = origin.filter(|o| list.iter().any(|l| l.trim_end_matches('/').as_bytes() == o.as_bytes()));
            let Some(origin) = listed else { return };
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
}
