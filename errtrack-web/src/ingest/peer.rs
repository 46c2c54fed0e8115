//! The address of the client.

use crate::app::App;
use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

/// The address of the client: who is connected, or for whom a trusted proxy says that it asks. Unknown where the host does
/// not serve with connection info.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl Peer {
    /// The client of a request.
    pub(crate) fn of(parts: &Parts, app: &App) -> Self {
        let proxies = &app.config().trusted_proxies;
        let client = |ConnectInfo(peer): &ConnectInfo<SocketAddr>| {
            let lines = parts.headers.get_all(proxies.header()).iter().collect::<Vec<_>>();
            proxies.client(peer.ip(), lines.into_iter().filter_map(|line| line.to_str().ok()))
        };
        Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(client))
    }
}

impl FromRequestParts<App> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}
