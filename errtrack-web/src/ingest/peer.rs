//! The address of the client.

use crate::app::App;
use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

/// The address of the client, behind the proxies that are trusted; unknown where the host does not serve with connection info.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl Peer {
    /// Whose request it is.
    pub(crate) fn of(app: &App, parts: &Parts) -> Self {
        let proxies = &app.config().trusted_proxies;
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Self(connected.map(|ConnectInfo(address)| {
            let lines = parts.headers.get_all(proxies.header());
            // A line that is no text says nothing of the client, but must not lend its place to the one before it.
            proxies.client(address.ip(), lines.iter().map(|line| line.to_str().unwrap_or("?")).collect::<Vec<_>>())
        }))
    }
}

impl FromRequestParts<App> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(app, parts))
    }
}
