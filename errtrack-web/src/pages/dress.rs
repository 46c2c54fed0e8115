//! What every page gets on its way out: security headers, and an HTML page for each error.

use super::{
    failure::Reason,
    page::Page,
    shell::{Layout, Shell},
    text,
};
use crate::{Config, error::Error};
use askama::Template;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::csrf::{CsrfLayer, ProtectionError};

/// Nothing but our own files, no inline script or style, no frame around us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
];

/// The error page.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(super) struct ErrorPage {
    layout: Layout,
    status: u16,
    heading: &'static str,
    message: String,
}

impl ErrorPage {
    pub(super) fn new(shell: &Shell, status: StatusCode, message: &str) -> Self {
        let heading = heading(status);
        Self { layout: shell.layout(heading), status: status.as_u16(), heading, message: text::line(message, 400) }
    }
}

/// Refuses forms that another site sent, by what browsers say about where a request comes from.
pub(super) fn same_site(config: &Config) -> CsrfLayer {
    let layer = CsrfLayer::new();
    // A proxy may rewrite `Host`; then only the public URL tells which origin is ours.
    let Some((scheme, rest)) = config.public_url.as_deref().and_then(|url| url.split_once("://")) else { return layer };
    let origin = format!("{scheme}://{}", rest.split('/').next().unwrap_or_default());
    layer.clone().add_trusted_origin(origin).unwrap_or(layer)
}

/// Puts the security headers on a response and turns a bare error into a page.
pub(super) async fn dress(shell: Shell, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if is_bare_error(&response) {
        response = error_page(&shell, &response);
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whatever has no route: a page for browsers, JSON for programs.
pub(super) async fn nothing_here(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return StatusCode::NOT_FOUND.into_response();
    }
    Error::not_found("page").into_response()
}

fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let finished = kind.starts_with("text/html") || kind.starts_with("application/json");
    (status.is_client_error() || status.is_server_error()) && !finished
}

fn error_page(shell: &Shell, response: &Response) -> Response {
    let status = response.status();
    let message = match response.extensions().get::<Reason>() {
        Some(Reason(message)) => text::sentence(message),
        None if response.extensions().get::<ProtectionError>().is_some() => {
            "This form was sent from another site. Open the page here and send it again.".into()
        }
        None => explanation(status).into(),
    };
    let mut page = Page::with_status(status, ErrorPage::new(shell, status, &message)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    page
}

fn heading(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Nothing here",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::UNAUTHORIZED => "Not signed in",
        StatusCode::CONFLICT => "Not now",
        StatusCode::SERVICE_UNAVAILABLE => "The database is away",
        status if status.is_server_error() => "The server failed",
        _ => "This request makes no sense",
    }
}

fn explanation(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "No page has this address. It may have been deleted, or the link is incomplete.",
        StatusCode::METHOD_NOT_ALLOWED => "This address takes a form, and is no page by itself.",
        StatusCode::PAYLOAD_TOO_LARGE => "The form holds more than 64 KB. Select fewer issues at once.",
        status if status.is_server_error() => "The cause is in the log of the server. Trying again may help.",
        _ => "A part of the request could not be read.",
    }
}
