//! Every route, on one screen.

use crate::{api, app::App, integrations, limits, mcp, monitoring, pages, push};
use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware,
    response::Response,
};

/// For what no browser shows; pages have their own.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
];

pub(crate) fn build<S: Clone + Send + Sync + 'static>(app: App) -> Router<S> {
    let (api, document) = api::routes(&app);
    monitoring::begin(&app);
    integrations::begin(&app);
    push::begin(&app);
    let router = Router::new().merge(api).merge(mcp::routes()).merge(pages::routes(&app, &document));
    let router = router.layer(middleware::from_fn(limits::tell)).layer(middleware::map_response(guarded));
    router.layer(middleware::from_fn_with_state(app.clone(), monitoring::count)).with_state(app)
}

/// Puts the security headers on an answer that has none.
async fn guarded(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
