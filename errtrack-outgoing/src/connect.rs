//! A connection to an address that was looked at.

use crate::OutgoingError;
use errtrack_core::AllowedTargets;
use std::net::SocketAddr;
use tokio::net::{TcpStream, lookup_host};

/// Connects to one of the addresses of a host that may be reached.
pub(crate) async fn connect(allowed: &AllowedTargets, host: &str, port: u16) -> Result<TcpStream, OutgoingError> {
    let found = lookup_host((host, port)).await.map_err(OutgoingError::NotFound)?;
    // The address that was looked at is the one that is connected to: a name may lead elsewhere the next time.
    let open: Vec<SocketAddr> = found.filter(|address| allowed.allows(host, address.ip())).collect();
    if open.is_empty() {
        return Err(OutgoingError::Private);
    }
    let stream = TcpStream::connect(open.as_slice()).await.map_err(OutgoingError::NotConnected)?;
    // A request is one small write.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
