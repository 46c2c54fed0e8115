//! Links: the only place that knows where the router is mounted.

use crate::app::App;
use axum::{
    extract::{ConnectInfo, FromRequestParts, NestedPath, OriginalUri},
    http::{header, request::Parts},
};
use std::{convert::Infallible, fmt::Display, net::SocketAddr};

/// Makes links that follow the mount point.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    /// The path of the mount point, without a slash at the end: `/errors`, or nothing.
    base: String,
    /// Scheme, host and path of the mount point as seen from outside.
    public: String,
}

impl Links {
    /// A path within the router: `path("/issues")`.
    pub(crate) fn path(&self, path: impl Display) -> String {
        format!("{}{path}", self.base)
    }

    /// The start page.
    pub(crate) fn home(&self) -> String {
        if self.base.is_empty() { "/".into() } else { self.base.clone() }
    }

    /// The path that cookies are limited to.
    pub(crate) fn cookie_path(&self) -> &str {
        if self.base.is_empty() { "/" } else { &self.base }
    }

    /// A URL that works from outside.
    pub(crate) fn public(&self, path: impl Display) -> String {
        format!("{}{path}", self.public)
    }

    /// Whether the pages are reached over https.
    pub(crate) fn is_https(&self) -> bool {
        self.public.starts_with("https:")
    }

    /// The DSN of a project: what an SDK is configured with.
    pub(crate) fn dsn(&self, public_key: &str, project: impl Display) -> String {
        match self.public.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{public_key}@{rest}/{project}"),
            None => format!("http://{public_key}@{}/{project}", self.public),
        }
    }
}

/// Whether a trusted proxy says that it was asked over https.
fn proxied_by_https(parts: &Parts, app: &App) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let trusted = peer.is_some_and(|ConnectInfo(peer)| app.config().trusted_proxies.trusts(peer.ip().to_canonical()));
    let said = parts.headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
    // Of several, the last one is that of the proxy that we know.
    trusted && said.is_some_and(|said| said.rsplit(',').next().is_some_and(|p| p.trim().eq_ignore_ascii_case("https")))
}

#[cfg(test)]
impl Links {
    /// Links as at a mount point, for tests of templates.
    pub(crate) fn sample(base: &str, public: &str) -> Self {
        Self { base: base.into(), public: public.into() }
    }
}

impl FromRequestParts<App> for Links {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let nested = parts.extensions.get::<NestedPath>().map_or("", NestedPath::as_str);
        let nested = nested.trim_end_matches('/').to_owned();
        let public = match &app.config().public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |o| &o.0);
                let host = parts.headers.get(header::HOST).and_then(|h| h.to_str().ok());
                let host = host.or_else(|| uri.authority().map(|a| a.as_str())).unwrap_or("localhost");
                let scheme = if proxied_by_https(parts, app) { "https" } else { uri.scheme_str().unwrap_or("http") };
                format!("{scheme}://{host}{nested}")
            }
        };
        // Behind a proxy that takes a prefix away, the paths of links need what only the public URL knows.
        let base = match (&app.config().public_url, public.split_once("://")) {
            (Some(_), Some((_, rest))) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default().to_owned(),
            _ => nested,
        };
        Ok(Self { base, public })
    }
}
