//! Where a request comes from.

use errtrack_core::TrustedProxies;
use http::Request;
use std::net::{IpAddr, SocketAddr};

/// In the extensions of a request: the address from which its connection came, as whoever accepted it knows.
///
/// axum says so by `ConnectInfo<SocketAddr>`, which is read with the feature `axum`; a plain `std::net::SocketAddr` is read
/// too. Whoever accepts connections by hand puts this there; behind a proxy on a Unix socket, with the loopback address and
/// that trusted ([`CaptureLayer::trusted_proxies`](crate::CaptureLayer::trusted_proxies)).
///
/// # Example
/// ```
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(errtrack_tower::PeerAddress([127, 0, 0, 1].into()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// The address of the client.
pub(crate) fn of<B>(request: &Request<B>, proxies: Option<&TrustedProxies>) -> Option<IpAddr> {
    let peer = peer(request)?;
    let Some(proxies) = proxies else { return Some(peer) };
    let lines = request.headers().get_all(proxies.header());
    // A line that is no text is one of which nothing is understood.
    Some(proxies.client(peer, lines.iter().map(|line| line.to_str().unwrap_or("?"))))
}

fn peer<B>(request: &Request<B>) -> Option<IpAddr> {
    let extensions = request.extensions();
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(address)) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(address.ip());
    }
    let by_hand = || extensions.get::<PeerAddress>().map(|peer| peer.0);
    by_hand().or_else(|| extensions.get::<SocketAddr>().map(SocketAddr::ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_counts_only_from_a_trusted_proxy() {
        let mut request = Request::get("/")
            .header("x-forwarded-for", "198.51.100.1")
            .header("x-forwarded-for", "203.0.113.9, 10.0.0.2")
            .body(())
            .unwrap();
        let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap();
        assert_eq!(of(&request, Some(&proxies)), None, "nobody knows who is connected");
        request.extensions_mut().insert(PeerAddress([10, 0, 0, 1].into()));
        assert_eq!(of(&request, None), Some([10, 0, 0, 1].into()));
        assert_eq!(of(&request, Some(&proxies)), Some([203, 0, 113, 9].into()));
        request.extensions_mut().insert(PeerAddress([192, 0, 2, 1].into()));
        assert_eq!(of(&request, Some(&proxies)), Some([192, 0, 2, 1].into()));
    }
}
